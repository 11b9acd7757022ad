"""The lab's event loop: asyncio's selector loop, able to tell a recorder about every step that it takes.

While nothing records, this is the stock loop but for one thing: timers due at the same moment run in the
order in which they were set. `record` swaps five methods of the instance for recording ones and
`stop_recording` takes them away again, so that a loop that is not recorded pays nothing.

How it works. A C task asks its loop for `call_soon` by attribute each time it wants to go on, so `call_soon`
sees which step makes which task ready. Instead of a `Handle`, such a wake-up is put into the ready queue as
a plain tuple: it needs no cancelling, and saving the object pays for the recording. After each step the task
is asked where it stopped, by walking down the coroutines that await one another.

The loop knows nothing of how events are kept or named; that is its recorder's business (see the `Recorder`
protocol, which `playground.trace.recorder` fulfils).
"""

import asyncio
import heapq
import threading

# by their own names: nest_asyncio replaces asyncio.Task and asyncio.Future by the Python ones when it is applied
from _asyncio import Future, Task
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import Context
from types import BuiltinFunctionType, CodeType, CoroutineType
from typing import Any, Final, Protocol

__all__ = ["LONG_STEP_NS", "LabLoop", "Outcome", "Recorder"]

LONG_STEP_NS: Final = 5_000_000
"""A step longer than this is reported when it ends: as long as the sampler's tick, so that whoever was looked
at is also closed."""

# Beyond a day, select's timeout may overflow on some platforms; asyncio bounds it likewise.
_MAX_SELECT_S: Final = 86_400.0


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
    codes: dict[int, tuple[int, int, bool]]
    """Code objects met so far, by `id`, for a code object computes its hash anew each time (0.1 to 0.5 µs): what
    waiting in it means, its number, and whether it is the user's own."""

    def meet(self, code: CodeType) -> tuple[int, int, bool]:
        """Number a code object that is not in `codes` yet, and enter it there."""

    def created(self, task: "asyncio.Task[Any]", parent: "asyncio.Task[Any] | None") -> int:
        """Number a task, also one that was there before the recording."""

    def ended(self, task: "asyncio.Task[Any]", number: int) -> None:
        """A task has ended."""

    def callback(self, function: object) -> int:
        """The number of a callback's code; 0 if it has none."""

    def waiter(self, future: object) -> int:
        """What waiting directly for this future means."""

    def idle(self) -> None:
        """The loop has nothing to do just now."""

    def long_step(self, step: int) -> None:
        """A step longer than `LONG_STEP_NS` has just ended, on the loop's thread."""


class _Wake(asyncio.Handle):
    """A callback in the ready queue that remembers who put it there, and when."""

    __slots__ = ("at_ns", "by")

    by: int
    at_ns: int


class _Timer(asyncio.TimerHandle):
    """A timer that breaks ties by the order in which it was set."""

    __slots__ = ("serial",)

    serial: int

    def __lt__(self, other: Any) -> bool:
        when: float = self.when()
        other_when: float = other.when()
        return when < other_when or (when == other_when and self.serial < other.serial)


class LabLoop(asyncio.SelectorEventLoop):
    """An event loop that can be recorded.

    Attributes:
        recorder: who is told of each step; `None` while nothing records.
        step: the number of the step that is running now, from 1; 0 between steps. Other threads may read it.
    """

    # asyncio's own, not in the type stubs
    _ready: "deque[Any]"
    _scheduled: list[_Timer]
    _selector: Any
    _thread_id: int | None
    _stopping: bool
    _clock_resolution: float
    _timer_cancelled_count: int

    def __init__(self) -> None:
        super().__init__()
        self.recorder: Recorder | None = None
        self.step = 0
        self._steps = 0
        self._serial = 0
        self._last_ns = 0
        self._offset_ns = 0

    # -- always ---------------------------------------------------------------------------------------------

    # nest_asyncio replaces these on the class of the loop that it is applied to, which may be our base class; and
    # it replaces asyncio's task and future types, which is why the two factories below name theirs
    run_forever = asyncio.BaseEventLoop.run_forever
    run_until_complete = asyncio.BaseEventLoop.run_until_complete
    _run_once = asyncio.BaseEventLoop._run_once  # type: ignore[attr-defined]
    _check_running = asyncio.BaseEventLoop._check_running  # type: ignore[attr-defined]

    def create_future(self) -> "asyncio.Future[Any]":
        return Future(loop=self)

    def create_task(self, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        if self.get_task_factory() is None:
            self._check_closed()  # type: ignore[attr-defined]
            return Task(coro, loop=self, **kwargs)
        return super().create_task(coro, **kwargs)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self._check_closed()  # type: ignore[attr-defined]
        if self.get_debug():
            self._check_thread()  # type: ignore[attr-defined]
        timer = _Timer(when, callback, args, self, context)
        self._serial = timer.serial = self._serial + 1
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    # -- switching the recording on and off -------------------------------------------------------------------

    def record(self, recorder: Recorder) -> None:
        """Tell `recorder` of every step from now on. To be called on the loop's thread, or before it runs."""
        if self.recorder is not None:
            raise RuntimeError("expected a loop that is not being recorded: stop the other recording first")
        self.recorder = recorder
        self._steps = 0
        self._last_ns = recorder.started_ns
        self._offset_ns = recorder.now() - round(self.time() * 1e9)
        swapped = vars(self)
        swapped["_run_once"] = self._recorded_turn
        swapped["call_soon"] = self._recording_call_soon(recorder)
        swapped["call_soon_threadsafe"] = self._recorded_call_soon_threadsafe
        swapped["create_task"] = self._recorded_create_task

    def stop_recording(self) -> None:
        """Be the stock loop again. To be called on the loop's thread, or when it does not run."""
        for name in ("_run_once", "call_soon", "call_soon_threadsafe", "create_task"):
            vars(self).pop(name, None)
        self.recorder = None
        self.step = 0
        ready = self._ready
        for index, entry in enumerate(ready):
            if type(entry) is tuple:
                callback, args, context, _, _ = entry
                ready[index] = asyncio.Handle(callback, args, self, context)

    # -- while recording --------------------------------------------------------------------------------------

    def _recording_call_soon(self, recorder: Recorder) -> Callable[..., Any]:
        """`call_soon` while `recorder` is told. A closure: it runs once a step, and each attribute is felt."""
        now = recorder.now
        append = self._ready.append

        def call_soon(callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle | None:
            kind = type(callback)
            if kind is _TASK_STEP or (kind is BuiltinFunctionType and callback.__name__ == "task_wakeup"):
                append((callback, args, context, self.step, now()))
                return None  # a task never looks at what call_soon gives it
            self._check_closed()  # type: ignore[attr-defined]
            if self.get_debug():
                self._check_thread()  # type: ignore[attr-defined]
            wake = _Wake(callback, args, self, context)
            wake.by = self.step
            wake.at_ns = now()
            append(wake)
            return wake

        return call_soon

    def _recorded_call_soon_threadsafe(
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        self._check_closed()  # type: ignore[attr-defined]
        recorder = self.recorder
        wake = _Wake(callback, args, self, context)
        wake.by = self.step if threading.get_ident() == self._thread_id else 0
        # the recording may end on the loop's thread while this one is here
        wake.at_ns = recorder.now() if recorder is not None else 0
        self._ready.append(wake)
        self._write_to_self()  # type: ignore[attr-defined]
        return wake

    def _recorded_create_task(self, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        task = LabLoop.create_task(self, coro, **kwargs)
        if self.recorder is not None:
            self.recorder.created(task, asyncio.current_task(self))
        return task

    def _recorded_turn(self) -> None:
        """One turn of the loop: poll, collect what is due, and run what was ready, a step each."""
        recorder = self.recorder
        assert recorder is not None
        ready = self._ready
        events = self._selector.select(0 if ready or self._stopping else self._idle_s(recorder))
        if events:
            self._process_events(events)  # type: ignore[attr-defined]
        if self._scheduled:
            self._collect_due()
        clock = recorder.now
        extend = recorder.extend
        codes = recorder.codes
        pop = ready.popleft
        step = self._steps
        link: Any
        inner: Any
        place: Any
        start = clock()
        gap = start - self._last_ns
        try:
            for left in range(len(ready), 0, -1):
                entry = pop()
                if type(entry) is tuple:
                    callback, args, context, by, at = entry
                    self.step = step = step + 1
                    if args:
                        context.run(callback, args[0])
                    else:
                        context.run(callback)
                    end = clock()
                    task = callback.__self__
                    try:
                        number = task._playground
                    except AttributeError:
                        number = recorder.created(task, None)
                    kind = code = offset = 0
                    if task._fut_waiter is not None:
                        outcome = 2
                    elif task.done():
                        outcome = _ending(task)
                        recorder.ended(task, number)
                    else:
                        outcome = 1
                    if outcome < 3:
                        # where it stopped: nearly always the user's own line awaits a library's coroutine, or
                        # the user's coroutine is the innermost; only what is neither is looked for link by link
                        link = task.get_coro()
                        if type(link) is CoroutineType:
                            place = link
                            while type(inner := link.cr_await) is CoroutineType:
                                place, link = link, inner
                            try:
                                means, index, own = codes[id(link.cr_code)]
                                if own:
                                    place, code = link, index
                                else:
                                    kind = means
                                    _, code, own = codes[id(place.cr_code)]
                            except KeyError:
                                own = False
                            if not own:
                                kind, code, place = _search(task.get_coro(), recorder)
                            offset = place.cr_frame.f_lasti
                        if not kind and outcome == 2:
                            kind = recorder.waiter(task._fut_waiter)
                    extend((gap, end - start, number, by, start - at, left, outcome, kind, code, offset))
                else:
                    if entry._cancelled:
                        continue
                    self.step = step = step + 1
                    entry._run()
                    end = clock()
                    extend((gap, end - start, *self._describe(entry, start, left)))
                if end - start > LONG_STEP_NS:
                    recorder.long_step(step)
                start = end
                gap = 0
        finally:
            self._last_ns = start
            self._steps = step
            self.step = 0
        # a variable of this frame would keep the last task alive while the loop waits
        entry = callback = args = context = task = link = inner = place = None

    def _idle_s(self, recorder: Recorder) -> float | None:
        """How long there is nothing to do but to wait for I/O, in seconds; `None` for ever."""
        recorder.idle()
        if self._scheduled:
            self._drop_cancelled()
        if not self._scheduled:
            return None
        return min(max(0.0, self._scheduled[0].when() - self.time()), _MAX_SELECT_S)

    def _collect_due(self) -> None:
        """Put the timers that are due into the ready queue."""
        self._drop_cancelled()
        scheduled = self._scheduled
        due = self.time() + self._clock_resolution
        while scheduled and scheduled[0].when() < due:
            timer = heapq.heappop(scheduled)
            timer._scheduled = False  # type: ignore[attr-defined]
            self._ready.append(timer)

    def _drop_cancelled(self) -> None:
        """Forget cancelled timers at the heap's head, and all of them when they are more than half of many."""
        scheduled = self._scheduled
        if len(scheduled) > 100 and self._timer_cancelled_count > len(scheduled) // 2:
            for timer in scheduled:
                if timer.cancelled():
                    timer._scheduled = False  # type: ignore[attr-defined]
            self._scheduled = scheduled = [timer for timer in scheduled if not timer.cancelled()]
            heapq.heapify(scheduled)
            self._timer_cancelled_count = 0
        while scheduled and scheduled[0].cancelled():
            self._timer_cancelled_count -= 1
            heapq.heappop(scheduled)._scheduled = False  # type: ignore[attr-defined]

    def _describe(self, entry: Any, start: int, left: int) -> tuple[int, ...]:
        """The rest of a callback's event: task, waker, ready, left, outcome, kind, code, offset."""
        recorder = self.recorder
        if recorder is None:  # the callback itself has stopped the recording
            return (0, 0, 0, left, Outcome.CALLBACK, 0, 0, 0)
        kind = type(entry)
        if kind is _Wake:
            by, ready = entry.by, start - entry.at_ns
        elif kind is _Timer:
            by, ready = 0, start - (round(entry.when() * 1e9) + self._offset_ns)
        else:  # selector_events puts the callbacks of ready sockets into the queue by itself
            by, ready = 0, 0
        return (0, by, max(0, ready), left, Outcome.CALLBACK, 0, recorder.callback(entry._callback), 0)


def _ending(task: Any) -> int:
    if task.cancelled():
        return Outcome.CANCELLED
    # task.exception() would mark the exception as retrieved and so silence asyncio's warning
    return Outcome.RETURNED if task._exception is None else Outcome.RAISED


def _search(link: Any, recorder: Recorder) -> tuple[int, int, Any]:
    """What a task waits for, the number of the code in which it stopped, and that coroutine.

    The coroutine is the last in the chain of awaits that is the user's own; where there is none, the first
    library call that says what is waited for. What is waited for is said by the outermost library call below it.
    """
    kind = code = 0
    place = link
    found = False
    while type(link) is CoroutineType:
        means, index, own = recorder.codes.get(id(link.cr_code)) or recorder.meet(link.cr_code)
        if own:
            kind, code, place, found = 0, index, link, True
        elif not code or (means and not kind and not found):
            kind, code, place = means, index, link
        elif not kind:
            kind = means
        link = link.cr_await
    return kind, code, place


def _task_step_type() -> type:
    """The type of what a C task passes to call_soon for its first step. It has no public name."""
    seen: list[Any] = []

    class Probe:
        def get_debug(self) -> bool:
            return False

        def is_running(self) -> bool:
            return True

        def call_soon(self, callback: Any, *args: Any, context: Any = None) -> None:
            seen.append(callback)

    async def nothing() -> None:
        pass

    coroutine = nothing()
    task: Any = Task(coroutine, loop=Probe())  # type: ignore[arg-type]
    task._log_destroy_pending = False
    coroutine.close()
    return type(seen[0])


_TASK_STEP: Final = _task_step_type()
