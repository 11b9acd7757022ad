"""Whom a recorded loop tells of its steps, and what it tells: the seam between the clock and the trace.

`playground.trace.recorder` fulfils the protocol; neither room imports the other.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

__all__ = ["LONG_STEP_NS", "Looker", "Outcome", "Recorder", "Standing", "parted"]

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


def parted(stop: int) -> tuple[int, int, int]:
    """Outcome, kind and code of how a step ended, which one integer holds as they lie in an event, the first lowest:
    of 8, 8 and 16 bits, or more for the last (it does not fit into an event then)."""
    return stop & 0xFF, stop >> 8 & 0xFF, stop >> 16


class Standing(Protocol):
    """A task's number and where it stopped last; a task that the recorder knows holds it as `_playground`.

    Where it stops next is guessed from that, and looked at only as far as it takes to be certain: a coroutine that
    has begun and not ended stays where it is in its task's chain of awaits, so what awaits `place` is as it was.
    """

    number: int
    place: Any
    """The coroutine in which the task stopped: the last of the user's own, or a library's that says enough."""
    way: Any
    """From there down to the end of its chain of awaits: the codes of the coroutines `below`; how a step ends there
    (see `parted`) that `yields`, or that `waits` (0: that depends on what it waits for); and the way by which a task
    stopped the `next` time after this one."""


class Looker(Protocol):
    """Who looks from another thread at which step holds the loop, and need not while the loop moves on."""

    due_ns: int
    """When the loop, between two steps, should call `moved_on`, on the recorder's clock."""

    def moved_on(self) -> None:
        """The loop is between two steps. It may be held up here for some 60 µs, and is not due again at once."""


class Recorder(Protocol):
    """What a loop tells, and whom it asks. All times are nanoseconds of `now`."""

    now: Callable[[], int]

    @property
    def sampler(self) -> Looker | None:
        """Who looks at the loop meanwhile, if anybody does."""

    started_ns: int
    """When the recording began: the first event's gap is counted from here."""
    extend: Callable[[Iterable[int]], None]
    """Takes one event: gap since the last event's end, duration, task, waker, time spent ready, length of the
    ready queue, outcome, kind of wait, code, instruction offset."""
    append: Callable[[bytes], None]
    pack: Callable[..., bytes]
    """`append(pack(...))` of the same ten integers is cheaper; a `struct.error` if one does not fit into its field."""
    pack_stop: Callable[..., bytes]
    """The same, with outcome, kind and code in one integer (see `parted`)."""

    def created(self, task: "asyncio.Task[Any]", parent: "asyncio.Task[Any] | None", coro: object = None) -> int:
        """Number a task that was just made of `coro`, or that is met for the first time."""

    def met(self, task: "asyncio.Task[Any]", by: int, created_ns: int) -> Standing:
        """Number a task whose first step comes next and that no `create_task` has made, but the step `by`."""

    def number_of(self, task: "asyncio.Task[Any] | None") -> int:
        """The number of a task, met before or not; 0 for none."""

    def expect(self, coro: object, parent: "asyncio.Task[Any] | None") -> int:
        """Number a task that is about to be made of `coro`, and may run before we see it."""

    def arrived(self, number: int, task: "asyncio.Task[Any] | None", *, started: bool) -> None:
        """Such a task has been made, and perhaps has run already; if it is `None`, that failed."""

    def here(self) -> tuple[int, int]:
        """Code and offset of the user's own line from which this is called."""

    def stopped(self, task: "asyncio.Task[Any]", standing: Any) -> tuple[int, int]:
        """How a step ended that has not left its task where `standing` expects it, which it corrects: see `parted`; and
        the offset."""

    def waits(self, task: "asyncio.Task[Any]", way: Any) -> int:
        """How a step ended whose task waits, by a way that does not say for what: see `parted`."""

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
