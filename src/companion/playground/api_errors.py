"""Discord's refusals: status, code and words as its documents list them.

Invalid bodies are `50035` with a tree of errors that has the shape of the body;
`FormErrors` collects them so that one answer names everything that is wrong.
"""

from __future__ import annotations

from enum import Enum

from companion.playground.wire import JsonObject


class Problem(Enum):
    """A refusal: (HTTP status, Discord's code, Discord's words)."""

    UNKNOWN_CHANNEL = (404, 10003, "Unknown Channel")
    UNKNOWN_GUILD = (404, 10004, "Unknown Guild")
    UNKNOWN_MEMBER = (404, 10007, "Unknown Member")
    UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
    UNKNOWN_USER = (404, 10013, "Unknown User")
    UNKNOWN_WEBHOOK = (404, 10015, "Unknown Webhook")
    UNKNOWN_INTERACTION = (404, 10062, "Unknown interaction")
    UNKNOWN_COMMAND = (404, 10063, "Unknown application command")
    TOO_MANY_COMMAND_CREATES = (
        429,
        30034,
        "Max number of daily application command creates has been reached (200)",
    )
    UNAUTHORIZED = (401, 0, "401: Unauthorized")
    NOT_FOUND = (404, 0, "404: Not Found")
    METHOD_NOT_ALLOWED = (405, 0, "405: Method Not Allowed")
    TOO_LARGE = (413, 40005, "Request entity too large")
    ALREADY_ACKNOWLEDGED = (400, 40060, "Interaction has already been acknowledged.")
    TOO_MANY_FOLLOWUPS = (
        400,
        40094,
        "This interaction has reached the maximum number of follow-up messages.",
    )
    MISSING_ACCESS = (403, 50001, "Missing Access")
    NOT_THE_AUTHOR = (403, 50005, "Cannot edit a message authored by another user")
    EMPTY_MESSAGE = (400, 50006, "Cannot send an empty message")
    CANNOT_DM = (403, 50007, "Cannot send messages to this user")
    NOT_IN_THIS_CHANNEL = (400, 50008, "Cannot send messages in a non-text channel")
    MISSING_PERMISSIONS = (403, 50013, "Missing Permissions")
    CANNOT_DELETE_THIS = (403, 50021, "Cannot execute action on a system message")
    WRONG_CHANNEL_KIND = (400, 50024, "Cannot execute action on this channel type")
    INVALID_WEBHOOK_TOKEN = (401, 50027, "Invalid Webhook Token")
    INVALID_FORM_BODY = (400, 50035, "Invalid Form Body")
    INVALID_JSON = (400, 50109, "The request body contains invalid JSON.")
    TOO_OLD_TO_BULK_DELETE = (
        400,
        50034,
        "You can only bulk delete messages that are under 14 days old.",
    )
    THREAD_ARCHIVED = (400, 50083, "Thread is archived")
    THREAD_IS_FULL = (400, 30033, "Max number of thread participants has been reached (1000)")
    REPLY_NEEDS_HISTORY = (400, 160002, "Cannot reply without permission to read message history")
    THREAD_EXISTS = (400, 160004, "A thread has already been created for this message")
    THREAD_LOCKED = (403, 160005, "Thread is locked")
    TOO_MANY_THREADS = (400, 160006, "Maximum number of active threads reached")
    BLOCKED_BY_AUTOMOD = (400, 200000, "Message was blocked by automatic moderation")
    BLOCKED_LINK = (400, 240000, "Message blocked by harmful links filter")
    SERVER_ERROR = (500, 0, "500: Internal Server Error")

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.value[0]

    @property
    def code(self) -> int:
        """Return Discord's code."""
        return self.value[1]

    @property
    def words(self) -> str:
        """Return Discord's message."""
        return self.value[2]


class ApiError(Exception):
    """A request that Discord refuses."""

    def __init__(self, problem: Problem, *, errors: JsonObject | None = None) -> None:
        super().__init__(problem.words)
        self.problem = problem
        self.errors = errors

    def body(self) -> JsonObject:
        """Return the answer's JSON."""
        body: JsonObject = {"message": self.problem.words, "code": self.problem.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


class FormErrors:
    """Collects what is wrong with a body, at its path."""

    def __init__(self) -> None:
        self._tree: JsonObject = {}

    def __bool__(self) -> bool:
        return bool(self._tree)

    def add(self, path: tuple[str | int, ...], code: str, message: str) -> None:
        """Note one error at `path`, a tuple of keys and list positions."""
        node = self._tree
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def required(self, path: tuple[str | int, ...]) -> None:
        """Note a missing field."""
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def too_long(self, path: tuple[str | int, ...], limit: int) -> None:
        """Note a text or list above `limit`."""
        self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")

    def bad_length(self, path: tuple[str | int, ...], low: int, high: int) -> None:
        """Note a length outside of `low` to `high`."""
        message = f"Must be between {low} and {high} in length."
        self.add(path, "BASE_TYPE_BAD_LENGTH", message)

    def choices(self, path: tuple[str | int, ...], allowed: str) -> None:
        """Note a value outside of a closed set."""
        self.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {allowed}.")

    def raise_if_any(self) -> None:
        """Raise `ApiError` (50035) when anything was noted."""
        if self._tree:
            raise ApiError(Problem.INVALID_FORM_BODY, errors=self._tree)
