"""Hand-offs: who gave what to which worker thread, seen from both ends.

Two seams carry every hand-off of the frameworks that we know: the loop's `run_in_executor` (asyncio.to_thread,
asgiref, and so Django) and anyio's backend call `run_sync_in_worker_thread` (Starlette, FastAPI, our own
toolkit). The first is replaced on the recorded loop only; the second while any loop is being recorded, where it
lets all other loops through untouched. Each hand-off is one record: the loop's thread writes its beginning,
the worker its middle; `build` finds the moment at which the loop woke. While a worker is at it, `sender` tells for
which task, so that what it has the loop do (`anyio.from_thread`, portals, `run_coroutine_threadsafe`) has a parent.

What runs in another process or in another interpreter cannot be seen from here, and is no hand-off.
"""

import asyncio
import contextlib
import copy
import functools
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

from anyio._backends._asyncio import AsyncIOBackend

from playground.forked import lock
from playground.trace.kept import Kept
from playground.trace.rows import TaskOutcome
from playground.trace.seams import borrow_method

__all__ = ["HandoffRecord", "Observed", "sender", "watch_threads", "works_for"]

T = TypeVar("T")


class HandoffRecord:
    """One hand-off while it happens. Times are nanoseconds of the recorder's clock; `None` until known.

    `asked_step` and `step` are the steps, counted from 0, in which a thread was asked for and the call given to one;
    `future` is what asyncio gave for a call that no worker has begun: it alone knows if the call was cancelled.
    """

    # on the class, and not set for each record: making one is felt
    submitted_ns: int | None = None
    started_ns: int | None = None
    ended_ns: int | None = None
    thread = 0
    cpu_ns = 0
    outcome: TaskOutcome = "pending"
    future: "asyncio.Future[Any] | None" = None

    def __init__(self, function: str, code: int, task: int, asked_ns: int, asked_step: int) -> None:
        self.function = function
        self.code = code
        self.task = task
        self.asked_ns = asked_ns
        self.asked_step = self.step = asked_step

    def frozen(self, until_ns: int | None = None) -> "HandoffRecord":
        """This record as it stands, out of reach of a worker that may still be at it.

        Args:
            until_ns: when the recording ended; what the worker has noted since is left out.
        """
        if self.ended_ns is not None and (until_ns is None or self.ended_ns <= until_ns):
            return self
        record = copy.copy(self)
        if until_ns is not None:
            record._forget_after(until_ns)
        if record.started_ns is None and record.future is not None and record.future.cancelled():
            record.outcome = "cancelled"
        record.future = None
        return record

    def _forget_after(self, until_ns: int) -> None:
        if self.ended_ns is not None and self.ended_ns > until_ns:
            self.ended_ns, self.outcome, self.cpu_ns = None, "pending", 0
        if self.started_ns is not None and self.started_ns > until_ns:
            self.started_ns, self.thread = None, 0


class HandoffRecorder(Protocol):
    """What the hooks need of a recorder."""

    now: Callable[[], int]
    cpu_now: Callable[[], int]
    """Processor time of the calling thread, in nanoseconds."""
    handoffs: Kept[HandoffRecord]
    mark: object
    """Stands for the recorder where that must not be kept."""

    def called(self, function: object) -> tuple[str, int]:
        """What a callable that was handed over is called, and the number of its code."""

    def worker(self, *, new: bool = False) -> int:
        """The number of the worker thread that calls this; `new`: of a new one that only shares a thread."""

    def running(self) -> int:
        """The number of the step that is running in the loop's thread, counted from 0."""

    def number_of(self, task: "asyncio.Task[Any] | None") -> int:
        """The number of a task; 0 for none."""


class watch_threads:
    """Context manager: while it is open, hand-offs of `loop` are told to `recorder`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, recorder: HandoffRecorder) -> None:
        self._loop = loop
        self._recorder = recorder
        self._give_back: Callable[[], None] | None = None

    def __enter__(self) -> None:
        hook = functools.partial(_executor_hook, self._loop, self._recorder)
        self._give_back = borrow_method(self._loop, "run_in_executor", hook)
        with _lock:
            if not _recorders:
                _found[_ANYIO_CALL] = vars(AsyncIOBackend)[_ANYIO_CALL]
                setattr(AsyncIOBackend, _ANYIO_CALL, classmethod(_anyio_hook))
            _recorders[id(self._loop)] = self._recorder

    def __exit__(self, *exc_info: object) -> None:
        if self._give_back is not None:
            self._give_back()
        with _lock:
            _recorders.pop(id(self._loop), None)
            if not _recorders:
                setattr(AsyncIOBackend, _ANYIO_CALL, _found[_ANYIO_CALL])


_lock: Final = lock()
_recorders: Final[dict[int, HandoffRecorder]] = {}
_ANYIO_CALL: Final = "run_sync_in_worker_thread"
_found: Final[dict[str, Any]] = {}
"""What stood at the seam when the first recording began: anyio's own, or another tool's."""


class _Seat:
    """What a thread works for: looked up once a call, for what is a thread's own is found slowly.

    It knows the recorder by its mark: a thread that waits for its next call would keep all that was recorded.
    """

    __slots__ = ("mark", "number", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None
        self.mark: object = None
        self.number = 0


class _OwnSeat(_Seat):
    """That of a worker which shares its thread with others."""

    __slots__ = ()


class _Seats(threading.local):
    def __init__(self) -> None:
        self.mine = _Seat()


_seats: Final = _Seats()


def sender() -> "asyncio.Task[Any] | None":
    """The task for which the calling thread works just now; `None` if it works for none."""
    return _seats.mine.task


def change_seat(seat: object = None) -> object:
    """Have the calling thread be another worker from now on, where several share one: simulated ones (see `clock`).

    Args:
        seat: what this gave when that worker's last turn ended; `None` for one that is new.

    Returns:
        the seat of whom it was until now.
    """
    had, _seats.mine = _seats.mine, seat if isinstance(seat, _Seat) else _OwnSeat()
    return had


def works_for() -> object:
    """The mark of the recorder that saw the calling thread at its last call; `None` if none ever did."""
    return _seats.mine.mark


class Observed:
    """A call that notes when and where it runs. Where it is sent to another process, it is the bare call again."""

    __slots__ = ("_function", "_record", "_recorder", "_task")

    def __init__(
        self,
        recorder: HandoffRecorder,
        record: HandoffRecord,
        task: "asyncio.Task[Any] | None",
        function: Callable[..., Any],
    ) -> None:
        self._recorder = recorder
        self._record = record
        self._task = task
        self._function = function

    def __call__(self, *args: Any) -> Any:
        recorder, record = self._recorder, self._record
        seat = _seats.mine
        outer, seat.task = seat.task, self._task
        if seat.mark is not recorder.mark:
            seat.mark, seat.number = recorder.mark, recorder.worker(new=type(seat) is _OwnSeat)
        record.thread = seat.number
        record.started_ns = recorder.now()
        if record.future is not None:
            record.future = None
        cpu_ns = recorder.cpu_now()
        outcome: TaskOutcome = "raised"
        try:
            result = self._function(*args)
            outcome = "returned"
            return result
        finally:
            seat.task = outer
            record.cpu_ns = recorder.cpu_now() - cpu_ns
            record.outcome = outcome
            record.ended_ns = recorder.now()

    def __reduce__(self) -> Any:
        self._record.submitted_ns = None  # it was given to no thread
        return functools.partial, (self._function,)


def _begun(recorder: HandoffRecorder, task: "asyncio.Task[Any] | None", function: Callable[..., Any]) -> HandoffRecord:
    name, code = recorder.called(function)
    return HandoffRecord(name, code, recorder.number_of(task), recorder.now(), recorder.running())


def _executor_hook(
    loop: asyncio.AbstractEventLoop, recorder: HandoffRecorder, original: Callable[..., Any]
) -> Callable[..., Any]:
    def run_in_executor(executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":
        task = asyncio.current_task(loop)
        # with its arguments: of `run_in_executor(None, context.run, function)`, as Quart has it, one is what is called
        record = _begun(recorder, task, functools.partial(func, *args) if args else func)
        record.submitted_ns = record.asked_ns
        future: asyncio.Future[T] = original(executor, Observed(recorder, record, task, func), *args)
        record.future = future
        with contextlib.suppress(AttributeError):  # a loop may give futures of its own kind
            future._playground_call = True  # type: ignore[attr-defined]
        if record.started_ns is not None:
            record.future = None  # or the worker's result would be kept with it
        recorder.handoffs.append(record)  # not before: an executor that was shut down refuses the call
        return future

    return run_in_executor


class _Admitted(Observed):
    """A call of anyio's, and its own limiter: notes the moment at which the true one let it in."""

    __slots__ = ("_limiter",)

    def __init__(
        self, recorder: HandoffRecorder, record: HandoffRecord, task: Any, function: Callable[..., Any], limiter: Any
    ) -> None:
        # not by `super`: this is felt
        self._recorder = recorder
        self._record = record
        self._task = task
        self._function = function
        self._limiter = limiter

    async def __aenter__(self) -> None:
        await self._limiter.__aenter__()
        record, recorder = self._record, self._recorder
        record.submitted_ns = recorder.now()
        record.step = recorder.running()

    def __aexit__(self, kind: type[BaseException] | None, error: Any, traceback: Any) -> Any:
        if kind is not None and self._record.started_ns is None:
            self._record.outcome = "cancelled"
        return self._limiter.__aexit__(kind, error, traceback)


def _anyio_hook(
    cls: Any,
    func: Callable[..., T],
    args: tuple[Any, ...],
    abandon_on_cancel: bool = False,
    limiter: Any = None,
) -> "Awaitable[T]":
    """Gives what anyio's own call gives to be awaited: a coroutine of ours around it would be one more at each step."""
    original = _found[_ANYIO_CALL].__get__(None, cls)
    loop = asyncio.get_running_loop()
    recorder = _recorders.get(id(loop))
    if recorder is None:
        return original(func, args, abandon_on_cancel, limiter)  # type: ignore[no-any-return]
    task = asyncio.current_task(loop)
    record = _begun(recorder, task, func)
    recorder.handoffs.append(record)
    call = _Admitted(recorder, record, task, func, limiter or cls.current_default_thread_limiter())
    return original(call, args, abandon_on_cancel, call)  # type: ignore[no-any-return]
