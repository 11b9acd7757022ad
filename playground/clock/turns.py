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
from types import BuiltinFunctionType, CoroutineType
from typing import TYPE_CHECKING, Any, Final

from playground.clock.recorder import LONG_STEP_NS, Outcome, Recorder

__all__ = ["TASK_STEP", "Timer", "Turns"]

if TYPE_CHECKING:
    _Loop = asyncio.SelectorEventLoop  # what it is mixed into, or stands for
else:
    _Loop = object

# Beyond a day, select's timeout may overflow on some platforms; asyncio bounds it likewise.
_MAX_SELECT_S: Final = 86_400.0


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

    def __init__(self) -> None:
        super().__init__()
        self.recorder: Recorder | None = None
        self.step = 0
        self._steps = 0
        self._turns = 0
        self._last_ns = 0
        self._offset_ns = 0
        self._sender: asyncio.Task[Any] | None = None
        self._home: asyncio.AbstractEventLoop = self  # whose the handles are

    def _recording_call_soon(self, recorder: Recorder) -> Callable[..., Any]:
        """`call_soon` while `recorder` is told. A closure: it runs once a step, and each attribute is felt."""
        now = recorder.now
        append = self._ready.append
        home = self._home

        def call_soon(callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle | None:
            kind = type(callback)
            if kind is TASK_STEP or (kind is BuiltinFunctionType and callback.__name__ == "task_wakeup"):
                append((callback, args, context, self.step, now()))
                return None  # a task never looks at what call_soon gives it
            self._check_closed()  # type: ignore[attr-defined]
            if self.get_debug():
                self._check_thread()  # type: ignore[attr-defined]
            wake = _Wake(callback, args, home, context)
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

    def _recorded_create_task(self, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        task = type(self).create_task(self, coro, **kwargs)
        if self.recorder is not None:
            self.recorder.created(task, asyncio.current_task(self) or self._sender, coro)
        return task

    def _recorded_turn(self) -> None:
        """One turn of the loop: poll, collect what is due, and run what was ready, a step each."""
        recorder = self.recorder
        assert recorder is not None
        self._poll(recorder)
        ready = self._ready
        clock = recorder.now
        extend = recorder.extend
        codes = recorder.codes
        pop = ready.popleft
        step = self._steps
        failure: BaseException | None = None
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
                    task = callback.__self__
                    try:
                        number = task._playground
                    except AttributeError:
                        number = recorder.created(task, None)
                    kind = code = offset = 0
                    if task._fut_waiter is not None:  # the numbers are Outcome's: a name is a look-up
                        outcome = 2
                    elif task.done():
                        outcome = recorder.ended(task, number)
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
                                kind, code, place = recorder.search(task.get_coro())
                            offset = place.cr_frame.f_lasti
                        if not kind and outcome == 2:
                            kind = recorder.waiter(task._fut_waiter)
                    extend((gap, end - start, number, by, start - at, left, outcome, kind, code, offset))
                else:
                    if entry._cancelled:
                        continue
                    callback = entry._callback  # one that cancels its own handle is gone afterwards
                    self.step = step = step + 1
                    try:
                        entry._run()
                    except (SystemExit, KeyboardInterrupt) as error:
                        failure = error
                    end = clock()
                    extend((gap, end - start, *self._describe(entry, callback, start, left)))
                if end - start > LONG_STEP_NS:
                    recorder.long_step(step)
                start = end
                gap = 0
                if failure is not None:
                    raise failure
        finally:
            if self.recorder is recorder:  # else a step has ended this recording, and perhaps begun another
                self._last_ns = start - gap  # still whole where all that was ready had been cancelled
                self._steps = step
                self.step = 0
        # a variable of this frame would keep the last task alive while the loop waits
        entry = callback = args = context = task = link = inner = place = None
        self._turns += 1
        if not self._turns & 1023:  # a loop that is never idle must pack too
            recorder.idle()

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
