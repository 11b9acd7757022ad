"""The recorder: what a loop, its workers and its app are told to tell while a recording is on.

It numbers tasks and code, owns the event log and the hand-off and request records, and gives all of it to
`build` when it is over. It takes time from `now`, so a real and a virtual clock share it.
"""

import asyncio
import contextlib
import copy
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, Final

from playground.asgi import ASGIApp
from playground.trace.events import DEFAULT_LIMIT, EventLog, Fields, pack_event, pack_stop
from playground.trace.kept import Kept, forget
from playground.trace.losses import Losses, watch_losses
from playground.trace.requests import RequestRecord
from playground.trace.rows import StepOutcome, TaskOutcome
from playground.trace.sampler import Look, Sampler, called_by, place_of
from playground.trace.sites import WAITS, Sites
from playground.trace.spans import SpanRecord
from playground.trace.standing import NOBODY, NOWHERE, WAITING, Standing, Way, Ways
from playground.trace.texts import cut
from playground.trace.threads import HandoffRecord, sender, watch_threads
from playground.trace.trace import Clock
from playground.trace.trails import Trails

__all__ = ["OUTCOMES", "Recorder", "TaskRecord", "recording"]

_PACK_WHEN_IDLE: Final = 2048
"""Events from which on an idle moment is used for packing: as many as make a chunk."""

OUTCOMES: Final[tuple[StepOutcome, ...]] = ("callback", "yields", "waits", "returned", "raised", "cancelled")
"""What the small integers mean that an event carries as its step's outcome."""
_NUMBER_OF: Final[dict[str, int]] = {outcome: number for number, outcome in enumerate(OUTCOMES)}

_TASK: Final = WAITS.index("task")
_thread_time_ns: Final[Callable[[], int]] = getattr(time, "thread_time_ns", time.process_time_ns)  # not in a browser
_THREAD: Final = WAITS.index("thread")
_FUTURE: Final = WAITS.index("future", 1)


@dataclass(slots=True)
class TaskRecord:
    """A task, from when it was first met to when it ended.

    `waits` says where a task stood that was waiting already when the recording began: kind, code and offset.
    """

    name: str
    coroutine: str
    parent: int
    created_ns: int
    ended_ns: int | None = None
    outcome: TaskOutcome = "pending"
    waits: tuple[int, int, int] | None = None


class Recorder:
    """One recording in the making. See `playground.clock.loop.Recorder` for what the loop calls.

    Args:
        now: the clock, in nanoseconds.
        cpu_now: processor time of the calling thread, in nanoseconds.
        clock: whether that clock is `real` or `virtual`.
        limit: how many events to keep.
    """

    def __init__(
        self,
        now: Callable[[], int] = time.perf_counter_ns,
        clock: Clock = "real",
        limit: int = DEFAULT_LIMIT,
        cpu_now: Callable[[], int] = _thread_time_ns,
    ) -> None:
        self.now = now
        self.cpu_now = cpu_now
        self.lock_now: Callable[[], int | None] = _unknown  # in virtual time: the loop's waits for the interpreter
        self.clock: Clock = clock
        self.log = EventLog(limit, self._forget)
        self.sites = Sites()
        self._ways = Ways(self.sites)
        self.tasks: Kept[TaskRecord] = Kept(first=1)
        self.handoffs: Kept[HandoffRecord] = Kept()
        self.requests: Kept[RequestRecord] = Kept()
        self.losses = Losses(self.sites)
        self.entrances: dict[int, ASGIApp | None] = {}
        self.borrowed = contextlib.ExitStack()
        self.looks: list[Look] = []
        self.forgotten = {"samples": 0, "messages": 0}
        self.trails = Trails(self.sites.number, now)
        self.started_ns = now()
        self.ended_ns: int | None = None
        self.sampler: Sampler | None = None
        self.extend: Callable[[Iterable[int]], None] = self.log.write
        self.append = self.log.pending.append
        self.pack, self.pack_stop = pack_event, pack_stop
        self.callback: Callable[[object], int] = self.sites.callback
        self.called: Callable[[object], tuple[str, int]] = self.sites.called
        self.search: Callable[[object], tuple[int, int, Any]] = self.sites.search
        self.sender: Callable[[], asyncio.Task[Any] | None] = sender
        self.teller: Any = None  # who takes the steps: its `step` is the number of the running one, from 1
        self.mark = object()  # for threads, which may outlive the recording by far
        self._workers = threading.local()
        self._worker_count = itertools.count()
        self._expected: list[int] = []

    @property
    def spans(self) -> Kept[SpanRecord]:
        """The spans so far, worked out from what was noted since somebody last asked."""
        return self.trails.spans()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start counting time, and number the tasks that are there already."""
        self.started_ns = self.now()
        self.join(loop)

    def join(self, loop: asyncio.AbstractEventLoop) -> None:
        """Number the tasks that a loop has already, and note for what they wait."""
        running = asyncio.current_task(loop)
        # in virtual time in the order of coming: that of asyncio's set hangs on what other loops have left in it
        for task in sorted(asyncio.all_tasks(loop), key=lambda task: getattr(task, "serial", 0)):
            record = self.tasks[self.enter(task, task.get_coro())]
            future: Any = getattr(task, "_fut_waiter", None)
            if task is not running and future is not None and not future.done():
                kind, code, place = self.search(task.get_coro())
                offset = place.cr_frame.f_lasti if code else 0
                record.waits = (kind or self.waiter(future), code, offset)

    # -- what the loop calls ----------------------------------------------------------------------------------

    def created(self, task: "asyncio.Task[Any]", parent: "asyncio.Task[Any] | None", coro: object = None) -> int:
        """Number a task that was just made of `coro`, or that is met for the first time."""
        standing: Standing | None = getattr(task, "_playground", None)
        if standing is not None:
            number = standing.number
        else:
            # an eager task that has ended already cannot be asked for its coroutine: CPython 3.12.1 crashes
            number = self.enter(task, task.get_coro() if coro is None else coro, self.number_of(parent))
        if task.done():
            self.ended(task, number)
        return number

    def met(self, task: "asyncio.Task[Any]", by: int, created_ns: int) -> Standing:
        """Number a task whose first step comes next and that no `create_task` has made, but the step `by`."""
        number = self.enter(task, task.get_coro(), self.log.task_of(by))
        self.tasks[number].created_ns = created_ns
        return task._playground  # type: ignore[attr-defined, no-any-return]

    def enter(self, task: "asyncio.Task[Any]", coro: object, parent: int = 0) -> int:
        """Give a task its number in this recording, whatever another recording called it."""
        number = self._add(task.get_name(), coro, parent)
        task._playground = Standing(number)  # type: ignore[attr-defined]
        return number

    def expect(self, coro: object, parent: "asyncio.Task[Any] | None") -> int:
        """Number a task that is about to be made of `coro`, and may run before we see it."""
        number = self._add("", coro, self.number_of(parent))
        self._expected.append(number)
        return number

    def arrived(self, number: int, task: "asyncio.Task[Any] | None", *, started: bool) -> None:
        """Such a task has been made, and perhaps has run already; if it is `None`, that failed."""
        self._expected.remove(number)
        record = self.tasks[number]
        if not started:
            record.created_ns = self.now()
        if task is not None:
            task._playground = Standing(number)  # type: ignore[attr-defined]
            record.name = cut(task.get_name())
            if task.done() and record.ended_ns is None:
                self.ended(task, number)
        else:
            record.ended_ns, record.outcome = self.now(), "raised"

    def _add(self, name: str, coro: object, parent: int) -> int:
        coroutine = getattr(coro, "__qualname__", type(coro).__qualname__)
        return self.tasks.append(TaskRecord(cut(name), cut(coroutine), parent, self.now()))

    def here(self) -> tuple[int, int]:
        """Code and offset of the user's own line from which this is called."""
        frame = place_of(sys._getframe(1))
        return (0, 0) if frame is None else (self.sites.number(frame.f_code), frame.f_lasti)

    def stopped(self, task: "asyncio.Task[Any]", standing: Standing) -> tuple[int, int]:
        """How a step ended that has not left its task where `standing` expects it (see `clock.recorder.parted`), and
        the offset."""
        waits = task._fut_waiter is not None  # type: ignore[attr-defined]
        if not waits and task.done():
            return self.ended(task, standing.number), 0
        place = standing.place
        if place.cr_frame is None:
            place = task.get_coro()
            if type(place) is not CoroutineType:
                return self.waits(task, NOWHERE) if waits else NOWHERE.yields, 0
        before = standing.way
        standing.place, way = self._ways.find(place)
        if before is not NOWHERE:
            before.next = way
        standing.way = way
        stop = (way.waits or self.waits(task, way)) if waits else way.yields
        return stop, standing.place.cr_frame.f_lasti

    def waits(self, task: "asyncio.Task[Any]", way: Way) -> int:
        """How a step ended whose task waits, by a way that does not say for what."""
        return WAITING | self.waiter(task._fut_waiter) << 8 | way.number << 16  # type: ignore[attr-defined]

    def ended(self, task: "asyncio.Task[Any]", number: int) -> int:
        """Note how a task ended, and its last name: asyncio.create_task gives it only after the loop has made it.

        Returns:
            how it ended, as the number that an event holds (see `OUTCOMES`).
        """
        record = self.tasks[number]
        if self.ended_ns is not None:
            record = copy.copy(record)  # the recording is over, and the turn in which it ended still goes on
        standing = getattr(task, "_playground", None)
        if standing is not None:
            standing.place = NOBODY  # the task may be kept for its result, and with it what its coroutines know
        record.name = cut(task.get_name())
        record.ended_ns = self.now()
        if task.cancelled():
            record.outcome = "cancelled"
        else:
            # task.exception() would mark the exception as retrieved and so silence asyncio's warning
            record.outcome = "returned" if task._exception is None else "raised"
            if record.outcome == "raised" and self.ended_ns is None:
                self.losses.failed(task, number, record.ended_ns)
        return _NUMBER_OF[record.outcome]

    def waiter(self, future: object) -> int:
        """What waiting directly for a future means: for a task, for a worker's call, or for what only it knows."""
        kind = type(future)
        is_task = issubclass(kind, asyncio.Task) or kind.__name__ == "_GatheringFuture"
        if is_task:
            return _TASK
        return _THREAD if getattr(future, "_playground_call", False) else _FUTURE

    def idle(self) -> None:
        """Pack while the loop has nothing else to do."""
        if len(self.log.pending) >= _PACK_WHEN_IDLE:
            self.log.pack()

    def blocked(self, step: int) -> None:
        """Note where a step waits, in virtual time; nobody looks there from outside."""
        inner = sys._getframe(1)
        frame = place_of(inner)
        if frame is not None:
            called = called_by(frame, inner)
            self.looks.append((step, self.now(), None, frame.f_code, frame.f_lasti, self.lock_now(), called))

    def long_step(self, step: int) -> None:
        """Close what the sampler may have seen of a long step."""
        if self.sampler is not None:
            self.sampler.end_of(step)

    def close(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """End the recording, on the loop's thread: from now on, nothing that still runs can change it.

        Args:
            loop: the one that was recorded last; by default the one that is running.
        """
        self.ended_ns = ended_ns = self.now()
        self.teller = None
        self.borrowed.close()  # first: what comes after reads the texts of the app's own exceptions
        self.losses.close()
        for task, name in self._living(loop):
            record = self.tasks[self.number_of(task)]
            record.name = cut(name)
            record.created_ns = min(record.created_ns, ended_ns)  # it may have been met only here
        # the loop may still be within a turn that holds on to the old list
        self.log.close()
        self.tasks = self.tasks.mapped(lambda task: copy.copy(task) if task.ended_ns is None else task)
        self.handoffs = self.handoffs.mapped(lambda handoff: handoff.frozen(ended_ns))
        self.requests = self.requests.mapped(RequestRecord.frozen)
        self.trails.close()
        self.looks = list(self.looks)

    def _living(self, loop: asyncio.AbstractEventLoop | None) -> list[tuple[Any, str]]:
        return [(task, task.get_name()) for task in asyncio.all_tasks(loop)]

    def _forget(self, dropped: Fields) -> None:
        """Events were dropped: forget what only they spoke of."""
        forget(self, dropped, self.log.dropped_ns, self.log.dropped)

    # -- what the hooks call ----------------------------------------------------------------------------------

    def number_of(self, task: "asyncio.Task[Any] | None") -> int:
        """The number of a task, met before or not; 0 for none."""
        if task is None:
            return 0
        standing: Standing | None = getattr(task, "_playground", None)
        if standing is None and self._expected and task is _current_task():
            standing = task._playground = Standing(self._expected[-1])  # type: ignore[attr-defined]
        if standing is None:
            return self.created(task, None)
        return standing.number

    def worker(self, *, new: bool = False) -> int:
        """The number of the worker thread that calls this: a new thread gets a new one, and one that is said to be."""
        if new:
            return next(self._worker_count)
        number: int | None = getattr(self._workers, "number", None)
        if number is None:
            number = self._workers.number = next(self._worker_count)
        return number

    def running(self) -> int:
        """The number of the step that is running, counted from 0; -1 if none is."""
        if self.teller is not None:
            step: int = self.teller.step
            return step - 1
        return self.log.dropped + len(self.log)  # each that is over has left one event

    def current_task(self) -> int:
        """The number of the task that is running in this thread; 0 for none."""
        return self.number_of(asyncio.current_task())


def _current_task() -> "asyncio.Task[Any] | None":
    return None if asyncio._get_running_loop() is None else asyncio.current_task()


def _unknown() -> None:
    return None


@contextlib.contextmanager
def recording(loop: Any, limit: int = DEFAULT_LIMIT) -> Iterator[Recorder]:
    """Record a loop while the context is open. To be entered and left on the loop's own thread.

    Args:
        loop: a loop with `record` and `stop_recording`, such as `playground.clock.loop.LabLoop`; if its `clock` is
            `virtual`, times are those of its `now_ns`.
        limit: how many events to keep.

    Yields:
        the recorder; when the context is left it is complete, and `playground.trace.build.build` reads it.
    """
    if loop.recorder is not None:
        raise RuntimeError("expected a loop that is not being recorded: stop the other recording first")
    virtual = getattr(loop, "clock", "real") == "virtual"
    recorder = Recorder(loop.now_ns, "virtual", limit, loop.cpu_ns) if virtual else Recorder(limit=limit)
    if virtual:
        recorder.lock_now = loop.lock_ns
    with contextlib.ExitStack() as borrowed:
        if not virtual:  # there is nothing to look for in real time
            recorder.sampler = Sampler(loop, recorder.now, recorder.looks)
            borrowed.callback(recorder.sampler.close)
        borrowed.enter_context(watch_threads(loop, recorder))
        borrowed.enter_context(watch_losses(loop, recorder))
        recorder.begin(loop)
        loop.record(recorder)
        recorder.teller = loop.tally
        borrowed.callback(loop.stop_recording)
        try:
            yield recorder
        finally:
            recorder.close()
