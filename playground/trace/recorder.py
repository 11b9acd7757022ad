"""The recorder: what a loop, its workers and its app are told to tell while a recording is on.

It numbers tasks and code, owns the event log and the hand-off and request records, and gives all of it to
`build` when it is over. It takes time from `now`, so a real and a virtual clock share it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

from playground.trace.events import DEFAULT_LIMIT, EventLog
from playground.trace.requests import RequestRecord
from playground.trace.sampler import Look, Sampler
from playground.trace.sites import WAITS, Sites, label
from playground.trace.threads import HandoffRecord, watch_threads
from playground.trace.trace import Clock

__all__ = ["Recorder", "TaskRecord", "recording"]

_PACK_WHEN_IDLE: Final = 20 * 2048
"""Length of the pending list (ten integers an event) from which an idle moment is used for packing."""
_PACK_NOW: Final = 10 * 65_536
"""Length from which it is packed even if the loop is never idle: 5 MB of pointers, about 10 ms of packing."""

_TASK: Final = WAITS.index("task")
_FUTURE: Final = WAITS.index("future", 1)


@dataclass(slots=True)
class TaskRecord:
    """A task as it was first met."""

    name: str
    coroutine: str
    parent: int
    created_ns: int


class Recorder:
    """One recording in the making. See `playground.clock.loop.Recorder` for what the loop calls.

    Args:
        now: the clock, in nanoseconds.
        clock: whether that clock is `real` or `virtual`.
        limit: how many events to keep.
    """

    def __init__(
        self, now: Callable[[], int] = time.perf_counter_ns, clock: Clock = "real", limit: int = DEFAULT_LIMIT
    ) -> None:
        self.now = now
        self.clock: Clock = clock
        self.log = EventLog(limit)
        self.sites = Sites()
        self.tasks: list[TaskRecord] = []
        self.handoffs: list[HandoffRecord] = []
        self.requests: list[RequestRecord] = []
        self.looks: list[Look] = []
        self.started_ns = now()
        self.ended_ns: int | None = None
        self.sampler: Sampler | None = None
        self.extend = self.log.pending.extend
        self.codes = self.sites.codes
        self.meet: Callable[[CodeType], tuple[int, int, bool]] = self.sites.meet
        self.callback: Callable[[object], int] = self.sites.callback

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start counting time, and number the tasks that are there already."""
        self.started_ns = self.now()
        for task in asyncio.all_tasks(loop):
            self.enter(task)

    # -- what the loop calls ----------------------------------------------------------------------------------

    def created(self, task: "asyncio.Task[Any]", parent: "asyncio.Task[Any] | None") -> int:
        """Number a task that was just created, or that is met for the first time."""
        known: int = getattr(task, "_playground", 0)  # an eager task may have been met in its first step
        return known or self.enter(task, self.number_of(parent))

    def enter(self, task: "asyncio.Task[Any]", parent: int = 0) -> int:
        """Give a task its number in this recording, whatever another recording called it."""
        self.tasks.append(TaskRecord(task.get_name(), label(task.get_coro()), parent, self.now()))
        number = len(self.tasks)
        task._playground = number  # type: ignore[attr-defined]
        return number

    def ended(self, task: "asyncio.Task[Any]", number: int) -> None:
        """Note a task's last name: asyncio.create_task gives it only after the loop has made the task."""
        self.tasks[number - 1].name = task.get_name()

    def waiter(self, future: object) -> int:
        """What waiting directly for a future means: for a task, or for something that only it knows."""
        kind = type(future)
        is_task = issubclass(kind, asyncio.Task) or kind.__name__ == "_GatheringFuture"
        return _TASK if is_task else _FUTURE

    def idle(self) -> None:
        """Pack while the loop has nothing else to do."""
        if len(self.log.pending) >= _PACK_WHEN_IDLE:
            self.log.pack()

    def long_step(self, step: int) -> None:
        """Close what the sampler may have seen of a long step."""
        if self.sampler is not None:
            self.sampler.end_of(step)
        if len(self.log.pending) >= _PACK_NOW:
            self.log.pack()

    def close(self) -> None:
        """End the recording, on the loop's thread: from now on, nothing that still runs can change it."""
        self.ended_ns = self.now()
        for task in asyncio.all_tasks():
            self.ended(task, self.number_of(task))
        # the loop may still be within a turn that holds on to the old list
        self.log.pending = list(self.log.pending)
        self.tasks = list(self.tasks)
        self.handoffs = list(self.handoffs)
        self.requests = list(self.requests)

    # -- what the hooks call ----------------------------------------------------------------------------------

    def number_of(self, task: "asyncio.Task[Any] | None") -> int:
        """The number of a task, met before or not; 0 for none."""
        return 0 if task is None else self.created(task, None)

    def current_task(self) -> int:
        """The number of the task that is running in this thread; 0 for none."""
        return self.number_of(asyncio.current_task())


@contextlib.contextmanager
def recording(loop: Any, clock: Clock = "real", limit: int = DEFAULT_LIMIT) -> Iterator[Recorder]:
    """Record a loop while the context is open. To be entered and left on the loop's own thread.

    Args:
        loop: a loop with `record` and `stop_recording`, such as `playground.clock.loop.LabLoop`.
        clock: what its time is.
        limit: how many events to keep.

    Yields:
        the recorder; when the context is left it is complete, and `playground.trace.build.build` reads it.
    """
    recorder = Recorder(clock=clock, limit=limit)
    recorder.sampler = Sampler(loop, recorder.now, recorder.looks)
    with contextlib.ExitStack() as borrowed:
        borrowed.callback(recorder.sampler.close)
        borrowed.enter_context(watch_threads(loop, recorder))
        recorder.begin(loop)
        loop.record(recorder)
        borrowed.callback(loop.stop_recording)
        try:
            yield recorder
        finally:
            recorder.close()
