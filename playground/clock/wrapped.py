"""A loop whose turns cannot be taken, recorded by wrapping each callback that it is given.

uvloop's turns are written in C, and a loop that runs within itself (nest_asyncio) has turns within turns. What such
a loop is given through its public methods is wrapped, and each call is a step. What it does on its own stays unknown
and is left out: the callbacks by which uvloop serves its sockets are no steps here, and the tasks that they wake were
woken by nobody. One step may run others inside it; it is then recorded in the pieces that are its own.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from struct import error as TooLarge
from typing import Any, Final

from playground.clock.recorder import LONG_STEP_NS, Recorder
from playground.clock.steps import state_of, task_of

__all__ = ["WrappedCalls"]

_METHODS: Final = (
    "call_soon",
    "call_soon_threadsafe",
    "call_later",
    "call_at",
    "add_reader",
    "add_writer",
    "create_task",
)


class _Call:
    """A callback, and who made it ready, and when (in ns of the recorder's clock; `None`: not known); and where it
    comes from a worker thread, the task that the worker works for."""

    __slots__ = ("at_ns", "by", "callback", "sender", "watcher")

    def __init__(self, watcher: "WrappedCalls", callback: Any, by: int, at_ns: int | None) -> None:
        self.watcher = watcher
        self.callback = callback
        self.by = by
        self.at_ns = at_ns
        self.sender: asyncio.Task[Any] | None = None

    def __call__(self, *args: Any) -> Any:
        if self.watcher.recorder is None:
            return self.callback(*args)
        return self.watcher.recorded_step(self, args)


class WrappedCalls:
    """Records a loop by what it is given to call.

    Args:
        loop: any loop that lets attributes be set on it.

    Attributes:
        recorder: who is told of each step; `None` while nothing records.
        step: the number of the step that is running now, from 1; 0 while none is. Other threads may read it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.recorder: Recorder | None = None
        self.step = 0
        self._steps = 0
        self._last_ns = 0
        self._current: _Call | None = None
        self._ready_ns = 0  # how long the current step, or this piece of it, was ready
        self._start_ns = 0
        self._begun: tuple[Any, int] | None = None  # the task within whose step the recording began, and when
        self._found: dict[str, Any] = {}  # as bound methods
        self._plain_call_soon: Any = None
        self._had: dict[str, Any] = {}  # what stood on the instance
        self._put: dict[str, Any] = {}

    @property
    def told(self) -> tuple[int, int]:
        """How many steps the recorder was told of, and when the last of them ended."""
        return self._steps, self._last_ns

    def prepare(self) -> None:
        """Wrap what the loop is given from now on, so that a later recording knows it."""
        if self._put:
            return
        loop: Any = self.loop
        own = vars(loop)
        self._found = {name: getattr(loop, name) for name in _METHODS}
        self._plain_call_soon = loop.call_soon
        self._had = {name: own[name] for name in _METHODS if name in own}
        self._put = {name: getattr(self, f"_{name}") for name in _METHODS}
        own.update(self._put)

    def record(self, recorder: Recorder, told: tuple[int, int] | None = None) -> None:
        """Tell `recorder` of every step from now on; see `LentTurns.record`.

        When the step ends within which this is called, nobody knows: it is told of only if it is cut.
        """
        self.prepare()
        if _runs_here(self.loop) and (task := asyncio.current_task(self.loop)) is not None:
            self._begun = task, recorder.now()
        elif not self.loop.is_running():
            for handle in getattr(self.loop, "_ready", ()):  # asyncio's loops let us see what waits to run
                handle._callback = self._wrap(handle._callback, 0, recorder.now())
        self._steps, self._last_ns = told or (0, recorder.started_ns)
        self.recorder = recorder

    def cut(self) -> None:
        """Tell of the step within which this is called, as far as it has come."""
        recorder = self.recorder
        if recorder is None or not _runs_here(self.loop):
            return
        if self._current is not None:
            if not self.step:
                self._resume(self._current)
            self._tell(recorder, self._current, recorder.now(), whole=False)
        elif self._begun is not None and self._begun[0] is asyncio.current_task(self.loop):
            # it is still in that step, for its next one would be wrapped
            task, start_ns = self._begun
            number, *rest = state_of(recorder, task, None, whole=False)
            recorder.extend((start_ns - self._last_ns, recorder.now() - start_ns, number, 0, 0, 0, *rest))

    def stop_recording(self) -> None:
        """Give back what was found; on the loop's thread, or when it does not run."""
        own = vars(self.loop)
        for name, method in self._put.items():
            if own.get(name) is not method:  # another tool has put its own over it, and still calls this one
                continue
            if name in self._had:
                own[name] = self._had[name]
            else:
                del own[name]
        self._put = {}
        self.recorder = None
        self.step = 0

    # -- one step -----------------------------------------------------------------------------------------------

    def recorded_step(self, call: _Call, args: tuple[Any, ...]) -> Any:
        """Run a callback and tell of it, once or, if it runs others inside it, in pieces."""
        recorder = self.recorder
        assert recorder is not None
        outer = self._current
        self._begun = None  # where that step ended, or was interrupted by this one, is not known
        start = recorder.now()
        if outer is not None and self.step:
            self._tell(recorder, outer, start, whole=False)
        self._begin(call, start, 0 if call.at_ns is None else max(0, start - call.at_ns))
        try:
            return call.callback(*args)
        finally:
            if self.recorder is recorder:
                end = recorder.now()
                if not self.step:
                    self._resume(call)
                self._tell(recorder, call, end, whole=True)
            self._current = outer
            self.step = 0
            looker = recorder.sampler
            # a turn of such a loop cannot be seen, so the end of a step has to do
            if looker is not None and outer is None and recorder.now() > looker.due_ns:
                looker.moved_on()

    def _resume(self, call: _Call) -> None:
        """Go on with a step that has run others inside it: from when the last of these was over, for while they ran
        it may have waited for the next as any loop does."""
        self._begin(call, self._last_ns, 0)

    def _begin(self, call: _Call, start_ns: int, ready_ns: int) -> None:
        self._current = call
        self._start_ns = start_ns
        self._ready_ns = ready_ns
        self.step = self._steps = self._steps + 1

    def _tell(self, recorder: Recorder, call: _Call, end_ns: int, *, whole: bool) -> None:
        start_ns = self._start_ns
        task = task_of(call.callback)
        number, outcome, kind, code, offset = state_of(recorder, task, call.callback, whole=whole)
        gap, duration = start_ns - self._last_ns, end_ns - start_ns
        event = (gap, duration, number, call.by, self._ready_ns, 0, outcome, kind, code, offset)
        try:
            recorder.append(recorder.pack(*event))
        except TooLarge:
            recorder.extend(event)
        self._last_ns = end_ns
        if duration > LONG_STEP_NS:
            recorder.long_step(self.step)
        if not self._steps & 1023:
            recorder.idle()

    # -- what the loop is given ---------------------------------------------------------------------------------

    def _wrap(self, callback: Any, by: int, at_ns: int | None) -> Any:
        return callback if type(callback) is _Call else _Call(self, callback, by, at_ns)

    def _now_ns(self) -> int | None:
        return None if self.recorder is None else self.recorder.now()

    def _call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        if type(callback) is not _Call:
            recorder = self.recorder
            callback = _Call(self, callback, self.step, None if recorder is None else recorder.now())
        return self._plain_call_soon(callback, *args, context=context)

    def _call_soon_threadsafe(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        here = _runs_here(self.loop)
        call = self._wrap(callback, self.step if here else 0, self._now_ns())
        call.sender = None if here or self.recorder is None else self.recorder.sender()
        return self._found["call_soon_threadsafe"](call, *args, context=context)

    def _call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        now_ns = self._now_ns()
        due_ns = None if now_ns is None else now_ns + max(0, round(delay * 1e9))
        return self._found["call_later"](delay, self._wrap(callback, 0, due_ns), *args, context=context)

    def _call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        now_ns = self._now_ns()
        due_ns = None if now_ns is None else now_ns + max(0, round((when - self.loop.time()) * 1e9))
        return self._found["call_at"](when, self._wrap(callback, 0, due_ns), *args, context=context)

    def _add_reader(self, fd: Any, callback: Callable[..., Any], *args: Any) -> Any:
        return self._found["add_reader"](fd, self._wrap(callback, 0, None), *args)

    def _add_writer(self, fd: Any, callback: Callable[..., Any], *args: Any) -> Any:
        return self._found["add_writer"](fd, self._wrap(callback, 0, None), *args)

    def _create_task(self, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        task: asyncio.Task[Any] = self._found["create_task"](coro, **kwargs)
        if self.recorder is not None:
            sender = None if self._current is None else self._current.sender
            self.recorder.created(task, asyncio.current_task(self.loop) or sender, coro)
        return task


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    return asyncio._get_running_loop() is loop
