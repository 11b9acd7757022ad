"""The timers of a virtual loop, and its tasks: both in an order that every run has in common.

Timers wait in a heap of (moment, serial number, timer): those due at one moment are taken in the order in which they
were set, before or after a worker thread that sleeps until then. Tasks carry a number for their hash.
"""

import asyncio
import heapq
import random

# by its own name: nest_asyncio replaces asyncio.Task by the Python one when it is applied
from _asyncio import Task
from contextvars import Context, copy_context
from typing import Any

from playground.clock.baton import NEVER_NS
from playground.clock.handles import Timer

__all__ = ["TimerHeap", "VirtualTask", "VirtualTimer", "moment_ns"]


def moment_ns(when_s: float) -> int:
    """The nanosecond at which a timer set for `when_s` is due: never so early that who then asks for the time would
    find it too early."""
    if when_s >= NEVER_NS / 1e9:
        return NEVER_NS
    due_ns = round(when_s * 1e9)
    return due_ns + 1 if due_ns / 1e9 < when_s else due_ns


class VirtualTimer(Timer):
    """A timer, made at half the cost: asyncio's constructors ask twice whether the loop is in debug mode."""

    __slots__ = ()

    def __init__(
        self,
        when_s: float,
        callback: Any,
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        self._when = when_s
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = self._scheduled = False
        self._repr = self._source_traceback = None


class TimerHeap:
    """The timers that are set.

    Args:
        rng: the order of those due together; `None` for that of setting.

    Attributes:
        entries: the heap, which a loop's own code may clear.
        cancelled: how many in it have been cancelled.
    """

    def __init__(self, rng: random.Random | None) -> None:
        self.entries: list[tuple[int, int, VirtualTimer]] = []
        self.cancelled = 0
        self._rng = rng

    def add(self, due_ns: int, serial: int, timer: VirtualTimer) -> None:
        """Set a timer. One for a moment that does not come is not kept."""
        if due_ns < NEVER_NS:
            heapq.heappush(self.entries, (due_ns, serial, timer))
            timer._scheduled = True

    def first(self) -> tuple[int, int] | None:
        """Moment and serial number of the timer that is due first; `None` if there is none."""
        entries = self.entries
        if entries and entries[0][2]._cancelled:
            self._forget_cancelled()
        return entries[0][:2] if entries else None

    def take_due(self, now_ns: int, before: tuple[int, int] | None) -> list[VirtualTimer]:
        """Those that are due, up to the moment and serial number of a sleeping worker."""
        entries = self.entries
        due = []
        while entries and entries[0][0] <= now_ns and (before is None or entries[0][:2] < before):
            timer = heapq.heappop(entries)[2]
            timer._scheduled = False
            if timer._cancelled:
                self.cancelled -= 1
            else:
                due.append(timer)
        if self._rng is not None:
            self._rng.shuffle(due)
        return due

    def _forget_cancelled(self) -> None:
        """Drop the cancelled ones at the head, and all of them when they are more than half of many."""
        entries = self.entries
        if len(entries) > 100 and self.cancelled > len(entries) // 2:
            for _, _, timer in entries:
                timer._scheduled = not timer._cancelled
            entries[:] = [entry for entry in entries if not entry[2]._cancelled]
            heapq.heapify(entries)
            self.cancelled = 0
        while entries and entries[0][2]._cancelled:
            self.cancelled -= 1
            heapq.heappop(entries)[2]._scheduled = False


class VirtualTask(Task):  # type: ignore[type-arg]
    """A task with a number for its hash: asyncio keeps tasks in sets, whose order would hang on memory addresses."""

    __slots__ = ("serial",)

    def __init__(self, coro: Any, *, serial: int, **kwargs: Any) -> None:
        self.serial = serial
        super().__init__(coro, **kwargs)

    def __hash__(self) -> int:
        return self.serial
