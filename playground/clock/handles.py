"""Callbacks in the ready queue that know more than asyncio's: who put them there, when, and in what order.

What is done with that is decided by the turn that takes them (`turns`).
"""

import asyncio
from collections import deque
from typing import Any, Final

from playground.clock.tally import Tally

__all__ = ["NOTHING", "Sent", "Timer", "Wake", "arguments", "as_handles"]

NOTHING: Final[Any] = object()
"""In the place of a step's only argument, where it has none."""


def arguments(only: Any) -> tuple[Any, ...]:
    """Of a step, as a handle has them."""
    return () if only is NOTHING else (only,)


def as_handles(ready: "deque[Any]", loop: asyncio.AbstractEventLoop) -> None:
    """Make handles, as asyncio has them, of the steps that stand in a loop's ready queue as tuples."""
    for index in range(len(ready)):  # by index: others may append meanwhile, but none before it
        entry = ready[index]
        if type(entry) is tuple:
            callback, arg, context, _, _ = entry
            ready[index] = asyncio.Handle(callback, arguments(arg), loop, context)


class Wake(asyncio.Handle):
    """A callback in the ready queue that remembers who put it there, and when."""

    __slots__ = ("at_ns", "by")

    by: int
    at_ns: int


class Sent(Wake):
    """A callback from a worker thread, which works for a task: what the callback makes is that task's."""

    __slots__ = ("sender", "tally")

    sender: "asyncio.Task[Any]"
    tally: Tally

    def _run(self) -> None:
        tally = self.tally
        tally.sender = self.sender
        try:
            asyncio.Handle._run(self)  # not by `super`: this is felt
        finally:
            tally.sender = None


class Timer(asyncio.TimerHandle):
    """A timer that breaks ties by the order in which it was set."""

    __slots__ = ("serial",)

    serial: int

    def __lt__(self, other: Any) -> bool:
        when: float = self.when()
        other_when: float = other.when()
        return when < other_when or (when == other_when and self.serial < other.serial)
