"""The app as Discord's developer portal knows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from companion.playground import payloads
from companion.playground.state import Person
from companion.playground.vocabulary import PRIVILEGED, Intent
from companion.playground.wire import JsonObject

_LIMITED_FLAGS = {
    Intent.GUILD_PRESENCES: 1 << 13,
    Intent.GUILD_MEMBERS: 1 << 15,
    Intent.MESSAGE_CONTENT: 1 << 19,
}


@dataclass(slots=True, kw_only=True)
class Application:
    """Its account, its token, its owner, and the privileged intents it was allowed."""

    account: Person
    owner: Person
    token: str = field(repr=False)
    privileged: Intent = PRIVILEGED

    @property
    def id(self) -> int:
        """Return the application's id, which is also its account's."""
        return self.account.id

    @property
    def flags(self) -> int:
        """Return the application flags that say which privileged intents it has."""
        granted = [flag for intent, flag in _LIMITED_FLAGS.items() if intent in self.privileged]
        return sum(granted)

    @property
    def reads_content(self) -> bool:
        """Say whether it may read the content of all messages."""
        return Intent.MESSAGE_CONTENT in self.privileged

    def payload(self) -> JsonObject:
        """Return the application object."""
        return {
            "id": str(self.id),
            "name": self.account.display_name,
            "icon": None,
            "description": "",
            "type": None,
            "bot": payloads.user(self.account),
            "summary": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": self.flags,
            "owner": payloads.user(self.owner),
            "team": None,
            "approximate_guild_count": 1,
            "approximate_user_install_count": 1,
            "integration_types_config": {"0": {}, "1": {}},
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "event_webhooks_url": None,
            "event_webhooks_status": 1,
        }
