"""A set that is walked in the order in which its members came.

A set of objects is walked in the order of their addresses in memory, which no two runs share. anyio keeps cancel
scopes and tasks in sets, and cancels them in that order; while a virtual loop is open it is given these instead.
"""

from collections.abc import Iterable
from typing import Any

__all__ = ["OrderedSet"]


class OrderedSet(dict[Any, None]):
    """What anyio asks of a set, in the order of coming: a dict whose keys are the members, and as quick as one."""

    __slots__ = ()

    def __init__(self, members: Iterable[Any] | None = None) -> None:
        if members is not None:
            self.update(dict.fromkeys(members))

    add = dict.setdefault
    remove = dict.__delitem__

    def discard(self, member: Any) -> None:
        """Remove a member, if it is one."""
        self.pop(member, None)
