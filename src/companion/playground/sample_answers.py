"""What the sample model says: canned Markdown, chosen by simple rules of the prompt.

Pure functions from the messages of a request to a text. Every answer starts with
a line that says what it is, so that nobody takes it for an AI's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from companion.playground import sample_texts as texts

LONG_MODEL: Final = "sample-long"
Message = tuple[str, str]
"""Role and text."""

_NAME = re.compile(r"\bmy name is (\w[\w'-]{0,40})", re.IGNORECASE)
_SHOWN: Final = 100
_TITLE_WORDS: Final = 7
_SPEAKER: Final = re.compile(r"\AFrom: [^\n]*\n")
_GOES_ON: Final = "Continue your last answer"
PICTURE: Final = "[picture]"


def answer(messages: Sequence[Message], model: str) -> str:
    """Return the whole answer to a conversation whose last message is the user's."""
    prompts = [text for role, text in messages if role == "user"]
    prompt = prompts[-1] if prompts else ""
    if _wants_title(messages):
        return _title(prompts)
    if _mentions(prompt, "continue", "go on", "keep going") and (rest := _rest(messages, model)):
        return rest
    if _mentions(prompt, "before", "earlier", "previous", "remember", "my name"):
        return _label(_memory(prompt, prompts[:-1]))
    if model == LONG_MODEL:
        return _label(texts.long_answer())
    return _label(_first_rule(prompt))


def _wants_title(messages: Sequence[Message]) -> bool:
    """Say whether the app wants a name for a conversation: no person asks as a system does."""
    asked = " ".join(text for role, text in messages if role in {"system", "developer"})
    return re.search(r"\btitle\b", asked, re.IGNORECASE) is not None


def _title(prompts: Sequence[str]) -> str:
    asked = re.sub(r"^Question:|<[^>]*>", "", next(iter(prompts), ""))
    words = re.findall(r"[\w'-]+", asked.partition("\n\nAnswer:")[0])
    title = " ".join(words[:_TITLE_WORDS]) + ("…" if len(words) > _TITLE_WORDS else "")
    return f"{title[:1].upper()}{title[1:]}" or "A conversation"


def _label(body: str) -> str:
    return f"*{texts.LABEL}*\n\n{body}"


def _mentions(prompt: str, *phrases: str) -> bool:
    found = "|".join(re.escape(phrase) for phrase in phrases)
    return re.search(rf"\b(?:{found})\b", prompt, re.IGNORECASE) is not None


def _rest(messages: Sequence[Message], model: str) -> str | None:
    """Return what is missing of the last answer, when it was cut."""
    for position in range(len(messages) - 1, 0, -1):
        role, said = messages[position]
        if role == "assistant":
            whole = answer(messages[:position], model)
            return whole[len(said) :] if said and whole.startswith(said) else None
    return None


def _memory(prompt: str, earlier: Sequence[str]) -> str:
    names = [found.group(1) for text in (*earlier, prompt) if (found := _NAME.search(text))]
    if names and _mentions(prompt, "my name"):
        return f"Your name is **{names[-1]}**: you told me in this conversation."
    if not earlier:
        return "This is the **first** message I was given in this conversation."
    asked = [text for text in (_SPEAKER.sub("", each) for each in earlier) if text]
    shown = [_shortened(text) for text in asked if not text.startswith(_GOES_ON)]
    lines = [f"{number}. “{text}”" for number, text in enumerate(shown, 1)]
    return "Before this message you asked:\n\n" + "\n".join(lines)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _first_rule(prompt: str) -> str:
    if pictures := prompt.count(PICTURE):
        return texts.SEEN.format(count="a picture" if pictures == 1 else f"{pictures} pictures")
    for phrases, compose in _RULES:
        if _mentions(prompt, *phrases):
            return compose(prompt)
    return _anything(prompt)


def _code(prompt: str) -> str:
    for name, (fence, code) in texts.CODE.items():
        if _mentions(prompt, name):
            return texts.code_answer(name, fence, code)
    name, (fence, code) = next(iter(texts.CODE.items()))
    return texts.code_answer(name, fence, code)


def _anything(prompt: str) -> str:
    # without the files that come along as text
    prompt = prompt.partition("[file:")[0].strip() or prompt
    words = len(prompt.split())
    counted = "1 word" if words == 1 else f"{words} words"
    return f"> {_shortened(prompt)}\n\n{texts.ANYTHING.format(words=counted)}"


_RULES: Final[tuple[tuple[tuple[str, ...], Callable[[str], str]], ...]] = (
    (("long", "longer", "essay"), lambda _: texts.long_answer()),
    (("summary", "summarize", "summarise", "sum up"), lambda _: texts.SUMMARY),
    (("code", "function", "script", "program", "Python", "JavaScript", "Rust", "SQL"), _code),
    (("table", "compare", "versus"), lambda _: texts.TABLE),
    (("list", "steps", "ideas", "tips"), lambda _: texts.LIST),
    (("hello", "hi", "hey", "good morning", "good evening"), lambda _: texts.GREETING),
)
