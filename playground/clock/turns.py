"""The recorded turn: asyncio's loop, step by step, telling a recorder what each step was.

How it works. A C task asks its loop for `call_soon` by attribute each time it wants to go on, so `call_soon`
sees which step makes which task ready. Instead of a `Handle`, such a wake-up is put into the ready queue as
a plain tuple: it needs no cancelling, and saving the object pays for the recording. After each step the task
is asked where it stopped: nearly always one of the last two coroutines in its chain of awaits says so, and the
recorder's `search` is the specification for the rest.

This is the hot path: `_recorded_turn` is one long function because a call is felt here. It decides nothing about
when to record (`loop`) nor how events are kept or named (the `Recorder`).
"""

import asyncio
import heapq
import threading

# by its own name: nest_asyncio replaces asyncio.Task by the Python one when it is applied
from _asyncio import Task
from collections import deque
from collections.abc import Callable
from contextvars import Context
from struct import error as TooLarge
from types import BuiltinFunctionType, CoroutineType, MethodType
from typing import TYPE_CHECKING, Any, Final

from playground.clock import eager
from playground.clock.recorder import LONG_STEP_NS, Outcome, Recorder
from playground.clock.tally import Tally, kept

__all__ = ["TASK_STEP", "Timer", "Turns"]

if TYPE_CHECKING:
    _Loop = asyncio.SelectorEventLoop  # what it is mixed into, or stands for
else:
    _Loop = object

# Beyond a day, select's timeout may overflow on some platforms; asyncio bounds it likewise.
_MAX_SELECT_S: Final = 86_400.0

_STEPS_AT_ONCE: Final = 256
"""Steps after which the recorder is asked to pack though the loop is never idle: seldom enough not to be felt."""


class _Wake(asyncio.Handle):
    """A callback in the ready queue that remembers who put it there, and when."""

    __slots__ = ("at_ns", "by")

    by: int
    at_ns: int


class _Sent(_Wake):
    """A callback from a worker thread, which works for a task: what the callback makes is that task's."""

    __slots__ = ("sender", "turns")

    sender: "asyncio.Task[Any]"
    turns: "Turns"

    def _run(self) -> None:
        turns = self.turns
        turns._sender = self.sender
        try:
            super()._run()
        finally:
            turns._sender = None


class Timer(asyncio.TimerHandle):
    """A timer that breaks ties by the order in which it was set."""

    __slots__ = ("serial",)

    serial: int

    def __lt__(self, other: Any) -> bool:
        when: float = self.when()
        other_when: float = other.when()
        return when < other_when or (when == other_when and self.serial < other.serial)


class Turns(_Loop):
    """The recording half of a `LabLoop`, and of what watches a loop that is not ours (`foreign`).

    Attributes:
        recorder: who is told of each step; `None` while nothing records.
        step: the number of the step that is running now, from 1; 0 while none is. Other threads may read it.
    """

    # asyncio's own, not in the type stubs
    _ready: "deque[Any]"
    _scheduled: list[Timer]
    _selector: Any
    _thread_id: int | None
    _stopping: bool
    _clock_resolution: float
    _timer_cancelled_count: int

    recorder: Recorder | None = kept("recorder")
    step: int = kept("step")
    _steps: int = kept("steps")
    _last_ns: int = kept("last_ns")
    _offset_ns: int = kept("offset_ns")
    _sender: "asyncio.Task[Any] | None" = kept("sender")
    _home: asyncio.AbstractEventLoop = kept("home")  # whose the handles are

    def __init__(self) -> None:
        self.tally = Tally()
        self._home = self
        super().__init__()

    def _recording_call_soon(self, recorder: Recorder) -> Callable[..., Any]:
        """`call_soon` while `recorder` is told. A closure: it runs once a step, and each attribute is felt."""
        now = recorder.now
        append = self._ready.append
        home = self._home
        tally = self.tally
        task_step, builtin, method = TASK_STEP, BuiltinFunctionType, MethodType

        def call_soon(callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle | None:
            kind = type(callback)
            if (
                kind is task_step
                or (kind is builtin and callback.__name__ == "task_wakeup")
                or (kind is method and _is_python_step(callback))
            ):
                append((callback, args, context, tally.step, now()))
                return None  # a task never looks at what call_soon gives it
            self._check_closed()  # type: ignore[attr-defined]
            wake = _Wake(callback, args, home, context)
            wake.by = tally.step
            wake.at_ns = now()
            append(wake)
            return wake

        def checked_call_soon(callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle | None:
            self._check_thread()  # type: ignore[attr-defined]
            return call_soon(callback, *args, context=context)

        return checked_call_soon if self.get_debug() else call_soon

    def _recorded_call_soon_threadsafe(
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        self._check_closed()  # type: ignore[attr-defined]
        recorder = self.recorder
        here = threading.get_ident() == self._thread_id
        sender = None if here or recorder is None else recorder.sender()
        if sender is None:
            wake = _Wake(callback, args, self._home, context)
        else:
            wake = _Sent(callback, args, self._home, context)
            wake.sender, wake.turns = sender, self
        wake.by = self.step if here else 0
        # the recording may end on the loop's thread while this one is here
        wake.at_ns = recorder.now() if recorder is not None else 0
        self._ready.append(wake)
        self._write_to_self()  # type: ignore[attr-defined]
        return wake

    def _create_told(self, make: Callable[..., Any], coro: Any, options: dict[str, Any]) -> Any:
        """Make a task by `make(coro, **options)`, and tell of it."""
        if eager.may_start_eagerly(self, coro, options):
            return eager.create(self, make, coro, options)
        task = make(coro, **options)
        recorder = self.tally.recorder
        if recorder is not None:
            recorder.created(task, asyncio.current_task(task.get_loop()) or self.tally.sender, coro)
        return task

    def _recorded_turn(self) -> None:
        """One turn of the loop: poll, collect what is due, and run what was ready, a step each."""
        tally = self.tally
        recorder = tally.recorder
        assert recorder is not None
        self._poll(recorder)
        ready = self._ready
        pop = ready.popleft
        clock, append, pack, stops = recorder.now, recorder.append, recorder.pack, recorder.stops
        step = tally.steps
        failure: BaseException | None = None
        link: Any
        place: Any
        inner: Any
        innermost: Any
        above: Any
        start = clock()
        gap = start - tally.last_ns
        try:
            for left in range(len(ready), 0, -1):
                entry = pop()
                if type(entry) is tuple:
                    callback, args, context, by, at = entry
                    task = callback.__self__
                    try:
                        number = task._playground
                    except AttributeError:
                        number = recorder.met(task, by, at)
                    tally.step = step = step + 1
                    try:
                        if args:
                            context.run(callback, args[0])
                        else:
                            context.run(callback)
                    except (SystemExit, KeyboardInterrupt) as error:
                        failure = error
                    except BaseException as error:  # noqa: BLE001 (as Handle._run does)
                        self._complain(callback, error)
                    end = clock()
                    kind = code = offset = 0
                    if task._fut_waiter is not None:  # the numbers are Outcome's: a name is a look-up
                        outcome = 2
                    elif task.done():
                        outcome = recorder.ended(task, number)
                    else:
                        outcome = 1
                    if tally.step != step and tally.pieces:
                        gap, start, by = self._tell_pieces(recorder, (gap, by, start - at, left), start)
                        at, step = start, tally.step
                    if outcome < 3:
                        # where it stopped: nearly always its user's line awaits a library's coroutine, or the user's
                        # coroutine is the innermost; what these two meant last time they most often mean again
                        place = link = task.get_coro()
                        if type(link) is CoroutineType:
                            while type(inner := link.cr_await) is CoroutineType:
                                place, link = link, inner
                            try:
                                innermost, above, kind, code = stops[number]
                            except KeyError:
                                innermost = above = None
                            if innermost is not link.cr_code:
                                kind, code, place = recorder.stopped(number, task.get_coro(), place, link)
                            elif above is None:
                                place = link
                            elif above is not place.cr_code:
                                kind, code, place = recorder.stopped(number, task.get_coro(), place, link)
                            offset = place.cr_frame.f_lasti
                        if not kind and outcome == 2:
                            kind = recorder.waiter(task._fut_waiter)
                    try:
                        append(pack(gap, end - start, number, by, start - at, left, outcome, kind, code, offset))
                    except TooLarge:
                        recorder.extend((gap, end - start, number, by, start - at, left, outcome, kind, code, offset))
                else:
                    if entry._cancelled:
                        continue
                    callback = entry._callback  # one that cancels its own handle is gone afterwards
                    tally.step = step = step + 1
                    try:
                        entry._run()
                    except (SystemExit, KeyboardInterrupt) as error:
                        failure = error
                    end = clock()
                    _, by, ready_ns, _, outcome, kind, code, offset = self._describe(entry, callback, start, left)
                    if tally.step != step and tally.pieces:
                        gap, start, by = self._tell_pieces(recorder, (gap, by, ready_ns, left), start)
                        ready_ns, step = 0, tally.step
                    try:
                        append(pack(gap, end - start, 0, by, ready_ns, left, outcome, kind, code, offset))
                    except TooLarge:
                        recorder.extend((gap, end - start, 0, by, ready_ns, left, outcome, kind, code, offset))
                if end - start > LONG_STEP_NS:
                    recorder.long_step(step)
                start = end
                gap = 0
                if failure is not None:
                    raise failure
        finally:
            if tally.recorder is recorder:  # else a step has ended this recording, and perhaps begun another
                tally.last_ns = start - gap  # still whole where all that was ready had been cancelled
                tally.steps = step
                tally.step = 0
        # a variable of this frame would keep the last task alive while the loop waits
        entry = callback = args = context = task = link = inner = place = None
        if step > tally.rest_at:
            tally.rest_at = step + _STEPS_AT_ONCE
            recorder.idle()

    def _tell_pieces(self, recorder: Recorder, event: tuple[int, int, int, int], start: int) -> tuple[int, int, int]:
        """Tell of the parts of a step that has started tasks eagerly, but for the last, which is still to be told.

        Args:
            event: the first part's gap, waker, time spent ready, and length of the ready queue.
            start: its start.

        Returns:
            gap, start and waker of the last part.
        """
        gap, by, ready, left = event
        pieces, self.tally.pieces = self.tally.pieces, []
        before = self.tally.step - len(pieces)
        for step, (end, task, outcome, kind, code, offset) in enumerate(pieces, before):
            recorder.extend((gap, end - start, task, by, ready, left, outcome, kind, code, offset))
            gap, start, by, ready = 0, end, step, 0
        return gap, start, by

    def _poll(self, recorder: Recorder) -> None:
        """Fill the ready queue: wait if it is empty, then take what is due. Where time is virtual, this differs."""
        ready = self._ready
        events = self._selector.select(0 if ready or self._stopping else self._idle_s(recorder))
        if events:
            self._process_events(events)  # type: ignore[attr-defined]
        if self._scheduled:
            self._collect_due()

    def _complain(self, callback: object, error: BaseException) -> None:
        """Tell of an exception that a task let out of its step, which only asyncio's own faults can do."""
        self.call_exception_handler({"message": f"Exception in {type(callback).__name__}", "exception": error})

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

    def _describe(self, entry: Any, callback: object, start: int, left: int) -> tuple[int, ...]:
        """The rest of a callback's event: task, waker, ready, left, outcome, kind, code, offset."""
        recorder = self.recorder
        if recorder is None:  # the callback itself has stopped the recording
            return (0, 0, 0, left, Outcome.CALLBACK, 0, 0, 0)
        kind = type(entry)
        if kind is _Wake or kind is _Sent:
            by, ready = entry.by, start - entry.at_ns
        elif isinstance(entry, Timer):
            by, ready = 0, start - (round(entry.when() * 1e9) + self._offset_ns)
        else:  # selector_events puts the callbacks of ready sockets into the queue by itself
            by, ready = 0, 0
        return (0, by, max(0, ready), left, Outcome.CALLBACK, 0, recorder.callback(callback), 0)


def _is_python_step(method: Any) -> bool:
    """Whether a bound method is a step of a task written in Python: nest_asyncio brings these back."""
    is_step = method.__func__.__name__ in ("__step", "__wakeup")
    return is_step and isinstance(method.__self__, asyncio.tasks._PyTask)  # type: ignore[attr-defined]


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


TASK_STEP: Final = _task_step_type()
