"""A loop that is not ours, recorded for a while: the kernel's own, or one that a script makes.

asyncio's selector loop looks up each turn by attribute, so a recorded turn can be lent to it: four methods are put
on the instance and taken off again, and all that the recording needs to remember stands on an object beside the
loop. A loop that has other turns (uvloop), or whose methods somebody else has replaced, has its callbacks wrapped
instead (`wrapped`), which tells less and costs more. This module decides which of the two; when to record, and which
loop, is for others to say.
"""

import asyncio

# by its own name: nest_asyncio replaces asyncio.Task by the Python one when it is applied
from _asyncio import Task
from collections.abc import Callable
from contextvars import Context
from typing import Any, Final

from playground.clock.recorder import Outcome, Recorder
from playground.clock.steps import is_c_step
from playground.clock.turns import Turns
from playground.clock.wrapped import WrappedCalls

__all__ = ["Watcher", "watcher_of"]

_METHODS: Final = ("_run_once", "call_soon", "call_soon_threadsafe", "create_task")


class LentTurns(Turns):
    """Takes the turns of a stock loop. It is no loop: what it does not know itself, it asks the loop.

    Args:
        loop: one for which `_is_stock` holds.
    """

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        super().__init__()
        self._ready = loop._ready
        self._selector = loop._selector
        self._lent: dict[str, Any] = {}

    def record(self, recorder: Recorder, told: tuple[int, int] | None = None) -> None:
        """Tell `recorder` of every step from the next turn on; on the loop's thread, or when it does not run.

        Args:
            recorder: whom to tell.
            told: what it was told of before, by another loop; see `told`.
        """
        self.recorder = recorder
        self._steps, self._last_ns = told or (0, recorder.started_ns)
        self._offset_ns = recorder.now() - round(self.loop.time() * 1e9)
        if not self.loop.is_running():  # a turn that is under way has counted its handles, and takes them as they are
            self._take_steps(recorder.now())
        methods = (
            self._turn,
            self._soon(self._recording_call_soon(recorder)),
            self._recorded_call_soon_threadsafe,
            self._recorded_create_task,
        )
        self._lent = dict(zip(_METHODS, methods, strict=True))
        vars(self.loop).update(self._lent)

    def stop_recording(self) -> None:
        """Give back what was found; on the loop's thread, or when it does not run."""
        own = vars(self.loop)
        for name, method in self._lent.items():
            if own.get(name) is method:  # else another tool has put its own over it, and still calls this one
                del own[name]
        self.recorder = None
        self.step = 0
        self._give_steps()

    @property
    def told(self) -> tuple[int, int]:
        """How many steps the recorder was told of, and when the last of them ended."""
        return self._steps, self._last_ns

    # -- what is lent: plain again as soon as nothing records, for another tool may keep it -----------------------

    def _turn(self) -> None:
        if self.recorder is None:
            type(self.loop)._run_once(self.loop)
        else:
            self._recorded_turn()

    def _soon(self, recording: Callable[..., Any]) -> Callable[..., Any]:
        loop = self.loop

        def call_soon(callback: Any, *args: Any, context: Context | None = None) -> Any:
            if self.recorder is None:
                return type(loop).call_soon(loop, callback, *args, context=context)
            return recording(callback, *args, context=context)

        return call_soon

    def _recorded_create_task(self, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        loop = self.loop
        task: asyncio.Task[Any] = type(loop).create_task(loop, coro, **kwargs)
        if self.recorder is not None:
            self.recorder.created(task, asyncio.current_task(loop) or self._sender, coro)
        return task

    # -- inside -------------------------------------------------------------------------------------------------

    def _take_steps(self, now_ns: int) -> None:
        """Steps that are in the ready queue already, as the recorded turn knows them."""
        ready = self._ready
        for index in range(len(ready)):
            handle = ready[index]
            if is_c_step(handle._callback) and not handle._cancelled:
                ready[index] = (handle._callback, handle._args, handle._context, 0, now_ns)

    def _give_steps(self) -> None:
        """The same, back again."""
        ready = self._ready
        for index in range(len(ready)):  # by index: other threads may append meanwhile, and only this one takes
            entry = ready[index]
            if type(entry) is tuple:
                callback, args, context, _, _ = entry
                ready[index] = asyncio.Handle(callback, args, self.loop, context)

    def _describe(self, entry: Any, callback: object, start: int, left: int) -> tuple[int, ...]:
        recorder = self.recorder
        if recorder is None or type(entry) is not asyncio.TimerHandle:
            return super()._describe(entry, callback, start, left)
        due_ns = round(entry.when() * 1e9) + self._offset_ns
        code = recorder.callback(callback)
        return (0, 0, max(0, start - due_ns), left, Outcome.CALLBACK, 0, code, 0)

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


def _is_stock(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop's turns are asyncio's own, and nobody has touched what a recording replaces."""
    stock = asyncio.BaseEventLoop
    return (
        isinstance(loop, stock)
        and asyncio.Task is Task
        and not any(name in vars(loop) for name in _METHODS)
        and all(getattr(type(loop), name) is getattr(stock, name) for name in _METHODS)
    )
