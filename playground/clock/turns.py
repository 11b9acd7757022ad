"""The recorded turn: asyncio's loop, step by step, telling a recorder what each step was.

How it works, in four ideas:

* A C task asks its loop for `call_soon` by attribute each time it wants to go on, so `call_soon` sees which step makes
  which task ready, and when.
* Instead of a `Handle`, such a wake-up is put into the ready queue as a plain tuple: it needs no cancelling, and
  saving the object pays for much of the recording. Only a turn of ours can run it; when a recording stops, what is
  left of them becomes handles again (`loop`, `foreign`).
* After each step the task is asked where it stopped. It holds a `Standing` (see `recorder`), which says where it
  stopped last and where those that stopped there stopped next: nearly always that is right, and a look at each
  coroutine below the user's own makes certain. If it is wrong, `Recorder.stopped` searches.
* The end of a step is the start of the next, and an event is packed at once: ten integers, one call.

`_recorded_turn` is this module's one hot function. It decides nothing about when to record (`loop`), how the ready
queue is filled (`polling`), nor how events are kept or named (the `Recorder`).
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context
from struct import error as TooLarge
from types import BuiltinFunctionType, CoroutineType, MethodType
from typing import Any, Final

from playground.clock import eager
from playground.clock.handles import NOTHING, Sent, Timer, Wake, arguments
from playground.clock.polling import Polling
from playground.clock.recorder import LONG_STEP_NS, Recorder, parted
from playground.clock.steps import TASK_STEP, is_python_step
from playground.clock.tally import Tally, kept

__all__ = ["TASK_STEP", "Timer", "Turns"]

_POLL_NS: Final = 50_000
"""How long a loop that always has something to do may go on before it looks for I/O and timers again. asyncio looks
after each turn, which for a turn of one short step is half of the cost; what comes meanwhile waits for 50 µs at most,
or for the end of a step that takes longer."""
_STEPS_AT_ONCE: Final = 256
"""Steps after which the recorder is asked to pack though the loop is never idle: seldom enough not to be felt."""


class Turns(Polling):
    """The recording half of a `LabLoop`, and of what watches a loop that is not ours (`foreign`).

    Attributes:
        recorder: who is told of each step; `None` while nothing records.
        step: the number of the step that is running now, from 1; 0 while none is. Other threads may read it.
    """

    # asyncio's own, not in the type stubs
    _ready: "deque[Any]"
    _thread_id: int | None

    _goes_on: Any = None
    """Says after each batch whether the turn goes on with what has become ready meanwhile; `None`: as long as it is
    not time to look for I/O and timers again."""

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

        # a step has one argument or none: to make no tuple for it is felt
        def call_soon(
            callback: Any, arg: Any = NOTHING, *more: Any, context: Context | None = None
        ) -> asyncio.Handle | None:
            kind = type(callback)
            if (
                kind is task_step
                or (kind is builtin and callback.__name__ == "task_wakeup")
                or (kind is method and is_python_step(callback))
            ):
                append((callback, arg, context, tally.step, now()))
                return None  # a task never looks at what call_soon gives it
            self._check_closed()  # type: ignore[attr-defined]
            wake = Wake(callback, (*arguments(arg), *more), home, context)
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
        tally = self.tally
        recorder = tally.recorder
        here = threading.get_ident() == self._thread_id
        sender = None if here or recorder is None else recorder.sender()
        if sender is None:
            wake = Wake(callback, args, tally.home, context)
        else:
            wake = Sent(callback, args, tally.home, context)
            wake.sender, wake.tally = sender, tally
        wake.by = tally.step if here else 0
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

    # one long function, for a call is felt here: a step of nothing takes 1 µs on the stock loop
    def _recorded_turn(self) -> None:
        """One turn of the loop: poll, and run what is ready, a step each."""
        tally = self.tally
        recorder = tally.recorder
        assert recorder is not None
        self._poll(recorder)
        ready = self._ready
        pop = ready.popleft
        clock, append, pack, pack_stop = recorder.now, recorder.append, recorder.pack, recorder.pack_stop
        coroutine, nothing, long_ns, goes_on = CoroutineType, NOTHING, LONG_STEP_NS, self._goes_on
        step = tally.steps
        failure: BaseException | None = None
        link: Any
        start = polled = clock()
        looker = recorder.sampler
        if looker is not None and start > looker.due_ns:
            looker.moved_on()
            start = polled = clock()
        gap = start - tally.last_ns
        try:
            while True:
                for left in range(len(ready), 0, -1):
                    entry = pop()
                    if type(entry) is tuple:
                        callback, arg, context, by, at = entry
                        task = callback.__self__
                        try:
                            standing = task._playground
                        except AttributeError:
                            standing = recorder.met(task, by, at)
                        number = standing.number
                        tally.step = step = step + 1
                        try:
                            if arg is nothing:
                                context.run(callback)
                            else:
                                context.run(callback, arg)
                        except (SystemExit, KeyboardInterrupt) as error:
                            failure = error
                        except BaseException as error:  # noqa: BLE001 (as Handle._run does)
                            self._complain(callback, error)
                        end = clock()
                        way = standing.way.next
                        place = standing.place
                        link = place.cr_await
                        for known in way.below:
                            if type(link) is not coroutine or link.cr_code is not known:
                                link = None
                                break
                            link = link.cr_await
                        # nothing follows in a chain that has ended; more coroutines may follow in one that went deeper
                        if link is None or type(link) is coroutine:
                            stop, offset = recorder.stopped(task, standing)
                        else:
                            standing.way = way
                            stop = way.yields if task._fut_waiter is None else way.waits or recorder.waits(task, way)
                            offset = place.cr_frame.f_lasti
                        if tally.step != step and tally.pieces:
                            gap, start, by = self._tell_pieces(recorder, (gap, by, start - at, left), start)
                            at, step = start, tally.step
                        took = end - start
                        try:
                            append(pack_stop(gap, took, number, by, start - at, left, stop, offset))
                        except TooLarge:
                            recorder.extend((gap, took, number, by, start - at, left, *parted(stop), offset))
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
                        by, ready_ns, code = self._describe(entry, callback, start)
                        if tally.step != step and tally.pieces:
                            gap, start, by = self._tell_pieces(recorder, (gap, by, ready_ns, left), start)
                            ready_ns, step = 0, tally.step
                        took = end - start
                        try:
                            append(pack(gap, took, 0, by, ready_ns, left, 0, 0, code, 0))
                        except TooLarge:
                            recorder.extend((gap, took, 0, by, ready_ns, left, 0, 0, code, 0))
                    if took > long_ns:
                        recorder.long_step(step)
                    start = end
                    gap = 0
                    if failure is not None:
                        raise failure
                if not ready or tally.recorder is not recorder:
                    break
                if self._stopping or start - polled > _POLL_NS if goes_on is None else not goes_on():
                    break
        finally:
            if tally.recorder is recorder:  # else a step has ended this recording, and perhaps begun another
                tally.last_ns = start - gap  # still whole where all that was ready had been cancelled
                tally.steps = step
                tally.step = 0
        # a variable of this frame would keep the last task alive while the loop waits
        entry = callback = arg = context = task = standing = place = link = None
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

    def _complain(self, callback: object, error: BaseException) -> None:
        """Tell of an exception that a task let out of its step, which only asyncio's own faults can do."""
        self.call_exception_handler({"message": f"Exception in {type(callback).__name__}", "exception": error})

    def _describe(self, entry: Any, callback: object, start: int) -> tuple[int, int, int]:
        """Who put a callback into the ready queue, how long it was there, and the number of its code."""
        recorder = self.tally.recorder
        if recorder is None:  # the callback itself has stopped the recording
            return 0, 0, 0
        kind = type(entry)
        if kind is Wake or kind is Sent:
            by, ready_ns = entry.by, start - entry.at_ns
        elif isinstance(entry, Timer):
            by, ready_ns = 0, start - (round(entry.when() * 1e9) + self._offset_ns)
        else:  # selector_events puts the callbacks of ready sockets into the queue by itself
            by, ready_ns = 0, 0
        return by, ready_ns if ready_ns > 0 else 0, recorder.callback(callback)
