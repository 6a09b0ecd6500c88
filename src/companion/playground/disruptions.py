"""Everything a test can break, in one place."""

from __future__ import annotations

from companion.playground.faults import RestFaults
from companion.playground.gateway import Gateway
from companion.playground.gateway_connection import Op
from companion.playground.interaction import Interaction
from companion.playground.interaction_desk import InteractionDesk
from companion.playground.message_board import MessageBoard


class Disruptions:
    """Faults of REST (`rest`), of the gateway and of single interactions."""

    def __init__(
        self, rest: RestFaults, gateway: Gateway, desk: InteractionDesk, board: MessageBoard
    ) -> None:
        self.rest = rest
        self._gateway = gateway
        self._desk = desk
        self._board = board
        # The usual ones by their short names.
        self.fail = rest.fail
        self.fail_callback = rest.fail_callback
        self.break_off = rest.break_off
        self.delay = rest.delay
        self.shared_limit = rest.shared_limit
        self.cloudflare_ban = rest.cloudflare_ban
        self.clear = rest.clear

    # -- gateway -----------------------------------------------------------------------

    def drop_gateway(self, code: int | None = None, *, shard: int | None = None) -> None:
        """End all gateway connections, or a shard's: with a close code, or without a word."""
        for connection in list(self._gateway.connections):
            session = connection.session
            if shard is not None and (session is None or session.shard[0] != shard):
                continue
            if code is None:
                connection.drop()
            else:
                connection.close(code)

    def zombie(self) -> None:
        """Leave present connections open but silent: no events, no heartbeat ACKs."""
        for connection in self._gateway.connections:
            connection.zombie = True

    def ask_reconnect(self) -> None:
        """Send opcode 7 to all connections."""
        for connection in list(self._gateway.connections):
            connection.send_op(Op.RECONNECT)

    def invalidate_session(self, *, resumable: bool) -> None:
        """Send opcode 9 to all connections; sessions that are not resumable are gone."""
        for connection in list(self._gateway.connections):
            connection.send_op(Op.INVALID_SESSION, data=resumable)
            if not resumable and connection.session is not None:
                self._gateway.sessions.pop(connection.session.id, None)

    def forget_sessions(self) -> None:
        """Make every later resume fail, as after a long outage."""
        self._gateway.sessions.clear()

    # -- interactions --------------------------------------------------------------------

    def expire_token(self, interaction: Interaction) -> None:
        """End the life of an interaction's token now (50027)."""
        self._desk.expire(interaction)

    def remove_webhook(self, interaction: Interaction) -> None:
        """Make an interaction's webhook unknown (10015)."""
        interaction.webhook_gone = True

    def remove_original(self, interaction: Interaction) -> None:
        """Delete an interaction's original message, as a moderator would (10008)."""
        if interaction.original is not None:
            self._board.delete(interaction.channel, interaction.original)
