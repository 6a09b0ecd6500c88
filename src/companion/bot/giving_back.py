"""What someone typed, given back with a refusal.

Discord shows the text of a refused command or form to nobody any more, so a long question
would have to be written again. What is short is quickly typed, and would only be in the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from companion.bot.answer import MAX_TEXT, Answer
from companion.bot.command_shapes import mappings
from companion.bot.modals import typed_text
from companion.domain.errors import SecretInPrompt

SHORTEST: Final = 80
QUESTION_FIELD: Final = "question"
_LEAD: Final = "-# What you wrote, to copy:"
_FENCE: Final = "```"
_PARTED: Final = "`\u200b`\u200b`"


def typed(data: Mapping[str, object]) -> str:
    """Return the question of a command's or a form's raw data; empty when there is none."""
    options = mappings(data.get("options"))
    prompt = next((each.get("value") for each in options if each.get("name") == "prompt"), None)
    return prompt if isinstance(prompt, str) else typed_text(data, QUESTION_FIELD)


def given_back(answer: Answer, question: str, error: BaseException | None = None) -> Answer:
    """Return a refusal with what was typed below it, as far as it fits, and if it is no secret."""
    text = question.strip().replace(_FENCE, _PARTED)
    if len(text) < SHORTEST or isinstance(error, SecretInPrompt):
        return answer
    head = f"{answer.text}\n{_LEAD}\n{_FENCE}\n"
    room = MAX_TEXT - len(head) - len(_FENCE) - 1
    if room < SHORTEST:
        return answer
    shown = text if len(text) <= room else f"{text[: room - 1]}…"
    return replace(answer, text=f"{head}{shown}\n{_FENCE}")
