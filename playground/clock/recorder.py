"""Whom a recorded loop tells of its steps, and what it tells: the seam between the clock and the trace.

`playground.trace.recorder` fulfils the protocol; neither room imports the other.
"""

import asyncio
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any, Final, Protocol

__all__ = ["LONG_STEP_NS", "Outcome", "Recorder"]

LONG_STEP_NS: Final = 5_000_000
"""A step longer than this is reported when it ends: as long as the sampler's tick, so that whoever was looked
at is also closed."""


class Outcome:
    """How a step ended, as small integers: what an event holds."""

    CALLBACK: Final = 0
    YIELDS: Final = 1
    WAITS: Final = 2
    RETURNED: Final = 3
    RAISED: Final = 4
    CANCELLED: Final = 5


class Recorder(Protocol):
    """What a loop tells, and whom it asks. All times are nanoseconds of `now`."""

    now: Callable[[], int]
    started_ns: int
    """When the recording began: the first event's gap is counted from here."""
    extend: Callable[[Iterable[int]], None]
    """Takes one event: gap since the last event's end, duration, task, waker, time spent ready, length of the
    ready queue, outcome, kind of wait, code, instruction offset."""
    append: Callable[[bytes], None]
    pack: Callable[..., bytes]
    """`append(pack(...))` of the same ten integers is cheaper; a `struct.error` if one does not fit into its field."""
    stops: dict[int, tuple[CodeType, CodeType | None, int, int]]
    """Where a task that lives stopped last, by its number: the code of the innermost coroutine; of the one above it,
    if that one is the user's own and the innermost is not; what is waited for; the number of the user's own code."""
    codes: dict[int, tuple[int, int, bool]]
    """Code objects met so far, by `id`, for a code object computes its hash anew each time (0.1 to 0.5 µs): what
    waiting in it means, its number, and whether it is the user's own."""

    def meet(self, code: CodeType) -> tuple[int, int, bool]:
        """Number a code object that is not in `codes` yet, and enter it there."""

    def created(self, task: "asyncio.Task[Any]", parent: "asyncio.Task[Any] | None", coro: object = None) -> int:
        """Number a task that was just made of `coro`, or that is met for the first time."""

    def met(self, task: "asyncio.Task[Any]", by: int, created_ns: int) -> int:
        """Number a task whose first step comes next and that no `create_task` has made, but the step `by`."""

    def number_of(self, task: "asyncio.Task[Any] | None") -> int:
        """The number of a task, met before or not; 0 for none."""

    def expect(self, coro: object, parent: "asyncio.Task[Any] | None") -> int:
        """Number a task that is about to be made of `coro`, and may run before we see it."""

    def arrived(self, number: int, task: "asyncio.Task[Any] | None", *, started: bool) -> None:
        """Such a task has been made, and perhaps has run already; if it is `None`, that failed."""

    def here(self) -> tuple[int, int]:
        """Code and offset of the user's own line from which this is called."""

    def stopped(self, number: int, root: Any, place: Any, link: Any) -> tuple[int, int, Any]:
        """The same as `search`, of a chain of awaits that begins with `root` and ends with `place` and `link`; for a
        task whose entry in `stops` tells of others."""

    def ended(self, task: "asyncio.Task[Any]", number: int) -> int:
        """A task has ended; gives how, as one of `Outcome`."""

    def callback(self, function: object) -> int:
        """The number of a callback's code; 0 if it has none."""

    def search(self, coro: object) -> tuple[int, int, Any]:
        """Where a task stopped whose outermost coroutine is `coro`: what it waits for, the number of the code, and
        the coroutine of that code."""

    def waiter(self, future: object) -> int:
        """What waiting directly for this future means."""

    def sender(self) -> "asyncio.Task[Any] | None":
        """The task for which the calling thread works just now, if it is a worker's."""

    def idle(self) -> None:
        """The loop has nothing to do just now."""

    def blocked(self, step: int) -> None:
        """In virtual time: the calling thread is the loop's, and waits within a step, or has just done so."""

    def long_step(self, step: int) -> None:
        """A step longer than `LONG_STEP_NS` has just ended, on the loop's thread."""
