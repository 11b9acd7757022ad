"""A loop that is not ours, recorded for a while: the kernel's own, or one that a script makes.

asyncio's selector loop looks up each turn by attribute, so a recorded turn can be lent to it: four methods are put
on the instance and taken off again, and all that the recording needs to remember stands on an object beside the
loop. A loop that has other turns (uvloop), or whose methods somebody else has replaced, has its callbacks wrapped
instead (`wrapped`), which tells less and costs more. This module decides which of the two; when to record, and which
loop, is for others to say.
"""

import asyncio
import functools
import sys

# by its own name: nest_asyncio replaces asyncio.Task by the Python one when it is applied
from _asyncio import Task
from types import CodeType, FrameType
from typing import Any, Final

from playground.clock.handles import NOTHING, as_handles
from playground.clock.recorder import LONG_STEP_NS, Outcome, Recorder
from playground.clock.steps import is_c_step, state_of
from playground.clock.tally import offset_ns
from playground.clock.turns import Turns
from playground.clock.wrapped import WrappedCalls

__all__ = ["Watcher", "watcher_of"]

_METHODS: Final = ("_run_once", "call_soon", "call_soon_threadsafe", "create_task")
_TURN: Final = Turns._recorded_turn.__code__


class LentTurns(Turns):
    """Takes the turns of a stock loop. It is no loop: what it does not know itself, it asks the loop.

    Args:
        loop: one for which `_is_stock` holds.
    """

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        super().__init__()
        self._home = loop
        self._ready = loop._ready
        self._selector = loop._selector
        self._lent: dict[str, Any] = {}
        self._begun: tuple[Any, int] | None = None  # the task within whose step the recording began, and when
        self._probe: asyncio.Handle | None = None

    def record(self, recorder: Recorder, told: tuple[int, int] | None = None) -> None:
        """Tell `recorder` of every step from the next turn on; on the loop's thread, or when it does not run.

        The step within which this is called is told of from here on; others in the same turn are not.

        Args:
            recorder: whom to tell.
            told: what it was told of before, by another loop; see `told`.
        """
        self.recorder = recorder
        self._steps, self._last_ns = told or (0, recorder.started_ns)
        self._offset_ns = offset_ns(recorder.now, self.loop.time)
        if self.loop.is_running():  # a turn that is under way has counted its handles, and takes them as they are
            self._await_end_of_step(recorder.now())
        else:
            self._take_steps(recorder.now())
        methods = (
            self._turn,
            self._recording_call_soon(recorder),
            self._recorded_call_soon_threadsafe,
            self._recorded_create_task,
        )
        self._lent = dict(zip(_METHODS, methods, strict=True))
        vars(self.loop).update(self._lent)

    def cut(self) -> None:
        """Tell of the step within which this is called, as far as it has come."""
        recorder = self.recorder
        if recorder is None:
            return
        if self._begun is not None:
            self._tell_begun(whole=False)
        elif (turn := _caller(_TURN)) is not None and self.step:
            # the turn keeps this to itself, for writing it down at each step would be felt
            seen = turn.f_locals
            entry, start, end = seen["entry"], seen["start"], recorder.now()
            task, by, at = (
                (seen["callback"].__self__, seen["by"], seen["at"]) if type(entry) is tuple else (None, 0, start)
            )
            gap, ready = seen["gap"], start - at
            if self.tally.pieces:
                gap, start, by = self._tell_pieces(recorder, (gap, by, ready, seen["left"]), start)
                ready = 0
            number, *rest = state_of(recorder, task, getattr(entry, "_callback", None), whole=False)
            recorder.extend((gap, end - start, number, by, ready, seen["left"], *rest))
            if end - start > LONG_STEP_NS:
                recorder.long_step(self.step)

    def stop_recording(self) -> None:
        """Give back what was found; on the loop's thread, or when it does not run."""
        self._take_back()
        if self._probe is not None:
            self._probe.cancel()
        self._begun = None
        self.recorder = None
        self.step = 0
        as_handles(self._ready, self.loop)

    @property
    def told(self) -> tuple[int, int]:
        """How many steps the recorder was told of, and when the last of them ended."""
        return self._steps, self._last_ns

    # -- what is lent: harmless when nothing records any more, for another tool may keep it ------------------------

    def _take_back(self) -> None:
        """Take off the loop what still stands there. Where another tool has put its own over our `call_soon`, the turn
        stays, until that tool has left."""
        own = vars(self.loop)
        free = own.get("call_soon", lent := self._lent.get("call_soon")) is lent
        for name, method in self._lent.items():
            if own.get(name) is method and (free or name != "_run_once"):
                del own[name]

    def _turn(self) -> None:
        if self.recorder is None:
            # our call_soon, which another tool still calls, makes such as only we can run
            as_handles(self._ready, self.loop)
            self._take_back()
            type(self.loop)._run_once(self.loop)
            return
        if self._begun is not None:
            if self._ready and self._ready[0] is self._probe:
                self._ready.popleft()
            self._tell_begun(whole=True)
        self._recorded_turn()

    def _recorded_create_task(self, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        make = functools.partial(type(self.loop).create_task, self.loop)
        if self.recorder is None:
            return make(coro, **kwargs)  # type: ignore[no-any-return]
        return self._create_told(make, coro, kwargs)  # type: ignore[no-any-return]

    # -- inside -------------------------------------------------------------------------------------------------

    def _await_end_of_step(self, now_ns: int) -> None:
        """Have the loop call us as soon as the step that runs is over, in this turn or at the start of the next."""
        self._begun = asyncio.current_task(self.loop), now_ns
        self.step = self._steps + 1
        self._probe = asyncio.Handle(self._end_of_begun, (), self.loop)
        self._ready.appendleft(self._probe)

    def _end_of_begun(self) -> None:
        if self._begun is not None:
            self._tell_begun(whole=True)

    def _tell_begun(self, *, whole: bool) -> None:
        recorder = self.recorder
        assert recorder is not None
        assert self._begun is not None
        (task, start_ns), self._begun = self._begun, None
        end_ns = recorder.now()
        gap, by = start_ns - self._last_ns, 0
        if self.tally.pieces:
            gap, start_ns, by = self._tell_pieces(recorder, (gap, 0, 0, 0), start_ns)
        # which callback it is, if it is no task's, nobody knows
        number, *rest = (0, Outcome.CALLBACK, 0, 0, 0) if task is None else state_of(recorder, task, None, whole=whole)
        recorder.extend((gap, end_ns - start_ns, number, by, 0, 0, *rest))
        if end_ns - start_ns > LONG_STEP_NS:
            recorder.long_step(self.step)
        self._last_ns = end_ns
        self._steps = self.step
        self.step = 0

    def _take_steps(self, now_ns: int) -> None:
        """Steps that are in the ready queue already, as the recorded turn knows them."""
        ready = self._ready
        for index in range(len(ready)):
            handle = ready[index]
            if is_c_step(handle._callback) and not handle._cancelled:
                (arg,) = handle._args or (NOTHING,)
                ready[index] = (handle._callback, arg, handle._context, 0, now_ns)

    def _describe(self, entry: Any, callback: object, start: int) -> tuple[int, int, int]:
        recorder = self.recorder
        if recorder is None or type(entry) is not asyncio.TimerHandle:
            return super()._describe(entry, callback, start)
        due_ns = round(entry.when() * 1e9) + self._offset_ns
        return 0, max(0, start - due_ns), recorder.callback(callback)

    # two that the turn sets, and that the loop must see
    @property
    def _scheduled(self) -> Any:
        return self.loop._scheduled

    @_scheduled.setter
    def _scheduled(self, timers: Any) -> None:
        self.loop._scheduled = timers

    @property
    def _timer_cancelled_count(self) -> Any:
        return self.loop._timer_cancelled_count

    @_timer_cancelled_count.setter
    def _timer_cancelled_count(self, count: int) -> None:
        self.loop._timer_cancelled_count = count

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["loop"], name)


Watcher = LentTurns | WrappedCalls
"""What records a loop that is not ours: `record`, `stop_recording`, `step` and `told`."""


def watcher_of(loop: asyncio.AbstractEventLoop) -> Watcher:
    """What can record this loop best; nothing is touched yet."""
    return LentTurns(loop) if _is_stock(loop) else WrappedCalls(loop)


def _caller(code: CodeType) -> FrameType | None:
    """The innermost frame of some code among those that called us."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame


def _is_stock(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop's turns are asyncio's own, and nobody has touched what a recording replaces."""
    stock = asyncio.BaseEventLoop
    return (
        isinstance(loop, stock)
        and asyncio.Task is Task
        and not any(name in vars(loop) for name in _METHODS)
        and all(getattr(type(loop), name) is getattr(stock, name) for name in _METHODS)
    )
