"""What the app says about a person's or a server's API key."""

from __future__ import annotations

from companion.bot.answer import Answer
from companion.bot.buttons import Action, Button, Tone
from companion.bot.wording import moment, quoted
from companion.domain.accounts import KeepFor, KeyScope, KeyState, StoredKey

SAVED = {
    KeyState.GOOD: "The provider accepts it.",
    KeyState.UNCHECKED: (
        "I couldn't reach the provider to check it, so I'll find out when you ask something."
    ),
    KeyState.RESTRICTED: (
        "The provider accepts it, but it is a restricted key: if a question fails, give it the "
        "permission for model requests."
    ),
    KeyState.NO_CREDIT: "The provider accepts it, but its account has no credit left.",
    KeyState.REJECTED: "The provider refuses it. Enter a new one.",
}

STATES = {
    KeyState.GOOD: "",
    KeyState.UNCHECKED: ", not checked yet",
    KeyState.RESTRICTED: ", restricted",
    KeyState.NO_CREDIT: ", out of credit",
    KeyState.REJECTED: ", refused by the provider (enter a new one)",
}


def set_key(
    scope: KeyScope = KeyScope.ME, *, label: str = "Set key", tone: Tone = Tone.PRIMARY
) -> Button:
    """Return the button that opens the form."""
    return Button(action=Action.SET_KEY, label=label, argument=scope, tone=tone)


def remove_key(scope: KeyScope = KeyScope.ME) -> Button:
    """Return the button that removes the key at once."""
    label = "Remove key" if scope is KeyScope.ME else "Remove server key"
    return Button(action=Action.REMOVE_KEY, label=label, argument=scope, tone=Tone.DANGER)


def saved(key: StoredKey, scope: KeyScope) -> Answer:
    """Say that a key was saved, what the provider thinks of it, and for how long."""
    whose = "Your key" if scope is KeyScope.ME else "This server's key"
    who = (
        "It pays only for what you ask."
        if scope is KeyScope.ME
        else "It pays for everyone here who has no key of their own."
    )
    return Answer(
        text=f"**{whose} {quoted(key.hint)} is saved.** {SAVED[key.state]}\n"
        f"{who} It is encrypted. {_lasting(key)}",
        buttons=(remove_key(scope),),
    )


def rejected(before: StoredKey | None, scope: KeyScope) -> Answer:
    """Say that the provider refused the key, and that nothing changed."""
    return Answer(
        text="**The provider doesn't accept that key, so I didn't save it.** Copy it again as a "
        f"whole, or create a new one.\n{status(before, scope)}",
        buttons=(set_key(scope, label="Try again"),),
    )


def empty(before: StoredKey | None, scope: KeyScope) -> Answer:
    """Say that nothing was typed, and what there is."""
    buttons = (set_key(scope),) if before is None else (set_key(scope), remove_key(scope))
    return Answer(
        text=f"The field was empty, so nothing changed.\n{status(before, scope)}", buttons=buttons
    )


def removed(scope: KeyScope, *, was_there: bool) -> Answer:
    """Say that the key is gone."""
    whose = "Your key" if scope is KeyScope.ME else "This server's key"
    if not was_there:
        return Answer(text="There was no key to remove.", buttons=(set_key(scope),))
    return Answer(
        text=f"**{whose} is deleted.** If you no longer need it at all, revoke it at your "
        "provider too.",
        buttons=(set_key(scope),),
    )


def status(key: StoredKey | None, scope: KeyScope) -> str:
    """Say in one line what is stored."""
    whose = "Your key" if scope is KeyScope.ME else "This server's key"
    if key is None:
        return f"{whose}: none yet."
    return f"{whose}: {quoted(key.hint)}{STATES[key.state]}. {_lasting(key)}"


def not_for_you() -> Answer:
    """Say that a form was opened by someone else."""
    return Answer(
        text="That form was opened by someone else, so I saved nothing. "
        "Use `/setkey` to open your own.",
        buttons=(set_key(),),
    )


def _lasting(key: StoredKey) -> str:
    if key.keep_for is KeepFor.SESSION:
        return "I keep it in memory only, until I restart."
    if key.expires_at is None:
        return "I keep it until you remove it."
    return f"I delete it {moment(key.expires_at)}."
