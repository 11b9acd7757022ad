"""The lab's event loop: asyncio's selector loop, able to tell a recorder about every step that it takes.

While nothing records, this is the stock loop but for one thing: timers due at the same moment run in the
order in which they were set. `record` puts two recording methods on the instance (see `turns`), for what runs once a
step must not even ask whether it is recorded, and `stop_recording` takes them off again.
"""

import asyncio
import heapq

# by their own names: nest_asyncio replaces asyncio.Task and asyncio.Future by the Python ones when it is applied
from _asyncio import Future, Task
from collections.abc import Callable
from contextvars import Context
from time import perf_counter_ns
from typing import Any, Literal

from playground.clock.handles import Timer, as_handles
from playground.clock.held import throw_into
from playground.clock.recorder import Recorder
from playground.clock.runner import Runner
from playground.clock.tally import offset_ns
from playground.clock.turns import Turns
from playground.errors import LabError

__all__ = ["LabLoop"]


class LabLoop(Turns, asyncio.SelectorEventLoop):
    """An event loop that can be recorded.

    Attributes:
        clock: what its time is, `real` or `virtual`.
        keeper: the task that keeps it running, which is nobody's work; `None` if there is none.
        waited_for: whether anybody waits for the loop; in virtual time, time stands still while nobody does.
    """

    clock: Literal["real", "virtual"] = "real"
    runner: Runner | None = None  # its thread's place in virtual time
    keeper: "asyncio.Task[Any] | None" = None

    def __init__(self) -> None:
        self.waited_for: Callable[[], bool] = _always
        super().__init__()

    # -- always ---------------------------------------------------------------------------------------------

    # nest_asyncio replaces these on the class of the loop that it is applied to, which may be our base class; and
    # it replaces asyncio's task and future types, which is why the two factories below name theirs
    run_forever = asyncio.BaseEventLoop.run_forever
    run_until_complete = asyncio.BaseEventLoop.run_until_complete
    _run_once = asyncio.BaseEventLoop._run_once  # type: ignore[attr-defined]
    _check_running = asyncio.BaseEventLoop._check_running  # type: ignore[attr-defined]

    def now_ns(self) -> int:
        """The time of its recordings, in nanoseconds."""
        return perf_counter_ns()

    def attend(self, waited_for: Callable[[], bool] | None, on_stuck: Callable[[LabError], None] | None) -> None:
        """Learn whether anybody waits for the loop, and whom to tell if nothing can go on (in virtual time)."""
        self.waited_for = waited_for or _always

    @property
    def holder_ident(self) -> int:
        """The thread that keeps the loop from going on, by its identifier: its own, unless others run in its time."""
        return self._thread_id or 0

    def break_in(self, task: "asyncio.Task[Any] | None", mark: object = None, orphans: bool = False) -> bool:
        """Raise `Interrupted` in the step that `task` is taking, if it is. From any thread.

        In virtual time also in the worker threads that work for the call of that `mark`, or, with `orphans`, for
        nobody knows whom. Gives whether it was raised somewhere.
        """
        return task is not None and throw_into(task, self.holder_ident)

    def let_go(self, mark: object, orphans: bool) -> None:
        """Go on without a worker thread that will not end: of use in virtual time."""

    def create_future(self) -> "asyncio.Future[Any]":
        return Future(loop=self)

    def create_task(self, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        if self.tally.recorder is None:
            return self._make_task(coro, **kwargs)
        return self._create_told(self._make_task, coro, kwargs)  # type: ignore[no-any-return]

    def _make_task(self, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        if self.get_task_factory() is None:
            self._check_closed()  # type: ignore[attr-defined]
            return Task(coro, loop=self, **kwargs)
        return super().create_task(coro, **kwargs)

    def _read_from_self(self) -> None:
        """Empty the pipe by which other threads wake the loop.

        asyncio reads until there is nothing left, and learns that from an exception: a second system call each time
        that a thread has a result. What more there may be wakes the selector again.
        """
        try:
            data = self._ssock.recv(4096)  # type: ignore[attr-defined]
        except (BlockingIOError, InterruptedError):
            return
        self._process_self_data(data)  # type: ignore[attr-defined]

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if self.tally.recorder is None:
            return super().call_soon_threadsafe(callback, *args, context=context)
        return self._recorded_call_soon_threadsafe(callback, *args, context=context)

    def call_first_threadsafe(self, callback: Callable[[], object]) -> None:
        """Call something next, before all that is ready. From any thread.

        For what ends others: of a hundred handlers that are ready to begin, and never to end, none should begin.
        """
        self._check_closed()  # type: ignore[attr-defined]
        with self.tally.order:
            self._ready.appendleft(asyncio.Handle(callback, (), self))
        self._write_to_self()  # type: ignore[attr-defined]

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self._check_closed()  # type: ignore[attr-defined]
        if self.get_debug():
            self._check_thread()  # type: ignore[attr-defined]
        timer = Timer(when, callback, args, self, context)
        tally = self.tally
        tally.serial = timer.serial = tally.serial + 1
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    # -- switching the recording on and off -------------------------------------------------------------------

    def record(self, recorder: Recorder) -> None:
        """Tell `recorder` of every step from now on. To be called on the loop's thread, or before it runs."""
        if self.recorder is not None:
            raise RuntimeError("expected a loop that is not being recorded: stop the other recording first")
        tally = self.tally
        tally.steps = tally.rest_at = 0
        tally.last_ns = recorder.started_ns
        tally.offset_ns = offset_ns(recorder.now, self.time)
        tally.recorder = recorder
        # by setattr: `vars()` would have CPython keep the instance's attributes in a slower way from then on
        self._run_once = self._recorded_turn
        self.call_soon = self._recording_call_soon(recorder)  # type: ignore[method-assign, assignment]

    def set_debug(self, enabled: bool) -> None:
        super().set_debug(enabled)
        if self.tally.recorder is not None:
            self.call_soon = self._recording_call_soon(self.tally.recorder)  # type: ignore[method-assign, assignment]

    def stop_recording(self) -> None:
        """Be as before again. To be called on the loop's thread, or when it does not run."""
        del self._run_once
        del self.call_soon
        self.recorder = None
        self.step = 0
        self.tally.pieces = []
        with self.tally.order:
            as_handles(self._ready, self)


def _always() -> bool:
    return True
