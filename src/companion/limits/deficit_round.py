"""Deficit round robin: whoever waits is served in turn, by the work it takes, not by its number.

A `Round` has members that take turns, and a member is a `Line` or a round itself: servers
take turns, and in each server its people do. Each visit brings a member credit, and a
request is served when its member's credit covers its cost. So who asks for ten times as
much is served a tenth as often, and who sends a thousand requests delays nobody but himself.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from companion.ports.limits import Claim

CREDIT: Final = 1000
"""Tokens that a visit brings: about a question and its answer."""

DEAREST: Final = 8 * CREDIT
"""What anything costs at most, so that its turn comes after few visits."""


@dataclass(eq=False, slots=True, kw_only=True)
class Request:
    """One that waits."""

    claim: Claim
    cost: int

    def __post_init__(self) -> None:
        self.cost = min(max(self.cost, 1), DEAREST)


May = Callable[[Request], bool]
"""Says whether a request could be served now."""


class Member(Protocol):
    """Whoever takes turns."""

    def __len__(self) -> int:
        """Return how many requests wait in it."""
        ...

    def add(self, path: Sequence[str], request: Request) -> None:
        """Let a request wait, at the end of its line."""
        ...

    def pick(self, may: May) -> Request | None:
        """Return the request whose turn it is, of those that may be served."""
        ...

    def remove(self, path: Sequence[str], request: Request, *, served: bool) -> None:
        """Take a request out; one that was served is paid for."""
        ...

    def ranks(self, path: Sequence[str], request: Request) -> tuple[int, ...]:
        """Return how many are served before it at most: in its line, and in each round above."""
        ...

    def lengths(self, path: Sequence[str]) -> tuple[int, ...]:
        """Return how many wait: in the line that the path leads to, and in each round above."""
        ...


class Line:
    """The requests of one person: first come, first served."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._requests)

    def add(self, path: Sequence[str], request: Request) -> None:
        """Let a request wait."""
        assert not path
        self._requests.append(request)

    def pick(self, may: May) -> Request | None:
        """Return the first that may be served."""
        return next(filter(may, self._requests), None)

    def remove(self, path: Sequence[str], request: Request, *, served: bool) -> None:
        """Take a request out."""
        assert not path
        self._requests.remove(request)

    def ranks(self, path: Sequence[str], request: Request) -> tuple[int, ...]:
        """Return how many came before it."""
        assert not path
        return (self._requests.index(request),)

    def lengths(self, path: Sequence[str]) -> tuple[int, ...]:
        """Return how many wait."""
        assert not path
        return (len(self._requests),)


class Round:
    """Members that take turns, the first one next."""

    def __init__(self, new_member: Callable[[], Member]) -> None:
        self._new_member = new_member
        self._members: OrderedDict[str, Member] = OrderedDict()
        self._credit: dict[str, int] = {}
        self._size = 0

    def __len__(self) -> int:
        """Return how many requests wait."""
        return self._size

    def add(self, path: Sequence[str], request: Request) -> None:
        """Let a request wait; `path` names its member, and the members below."""
        name, *rest = path
        if name not in self._members:
            self._members[name] = self._new_member()
            self._credit[name] = 0
        self._members[name].add(rest, request)
        self._size += 1

    def pick(self, may: May) -> Request | None:
        """Return the request whose turn it is; it stays so until it is removed."""
        passed = 0
        while passed < len(self._members):
            name, member = next(iter(self._members.items()))
            found = member.pick(may)
            if found is not None and found.cost <= self._credit[name]:
                return found
            if found is None:  # nothing of it may be served: it saves no credit up
                passed += 1
            else:
                passed = 0
                self._credit[name] += CREDIT
            self._members.move_to_end(name)
        return None

    def remove(self, path: Sequence[str], request: Request, *, served: bool) -> None:
        """Take a request out; a member without any leaves the round, and its credit lapses."""
        name, *rest = path
        member = self._members[name]
        member.remove(rest, request, served=served)
        self._size -= 1
        if served:
            self._credit[name] -= request.cost
        if not len(member):
            del self._members[name], self._credit[name]

    def ranks(self, path: Sequence[str], request: Request) -> tuple[int, ...]:
        """Return how many are served before it; each other member as often as its own."""
        name, *rest = path
        inner = self._members[name].ranks(rest, request)
        turns = inner[-1] + 1
        others = sum(
            min(len(member), turns) for other, member in self._members.items() if other != name
        )
        return (*inner, inner[-1] + others)

    def lengths(self, path: Sequence[str]) -> tuple[int, ...]:
        """Return how many wait in each round down to a line, the line's first."""
        name, *rest = path
        return (*self._members[name].lengths(rest), self._size)
