"""A set that is walked in the order in which its members came.

A set of objects is walked in the order of their addresses in memory, which no two runs share. anyio keeps cancel
scopes and tasks in sets, and cancels them in that order; in virtual time it is given these instead.
"""

from collections.abc import Iterable, Iterator, MutableSet
from typing import Any, TypeVar

from playground.clock.baton import current

__all__ = ["OrderedSet", "make_set"]

T = TypeVar("T")


class OrderedSet(MutableSet[T]):
    """What `set` does, in the order of coming."""

    __slots__ = ("_members",)

    def __init__(self, members: Iterable[T] = ()) -> None:
        self._members = dict.fromkeys(members)

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def __iter__(self) -> Iterator[T]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def add(self, value: T) -> None:
        self._members[value] = None

    def discard(self, value: T) -> None:
        self._members.pop(value, None)


def make_set(members: Iterable[Any] = ()) -> Any:
    """What stands for `set`: ordered for threads in virtual time, the built-in one for all others."""
    return set(members) if current() is None else OrderedSet(members)
