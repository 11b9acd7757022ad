"""Calls into a loop from outside it: each has one result, and none is left waiting when the loop ends.

This module decides what a caller is told; who runs the loop, and how long anybody waits, is `thread`'s affair.
Its locks are real ones, for the loop, its workers and threads outside virtual time meet at them. None is held for more
than a few lines; but a worker that parked for one would let virtual time jump, as far as to the next timeout, only
because the machine had better things to do than the thread that held it.
"""

import asyncio
import concurrent.futures
import contextvars
import threading

# by their own names: while a virtual loop is open, `threading` has others
from _thread import RLock
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from playground.clock.held import has_begun, value_in
from playground.clock.loop import LabLoop
from playground.errors import LabClosed, LabError

__all__ = ["CALL", "Call", "Calls"]

T = TypeVar("T")

CALL: Final[contextvars.ContextVar[object]] = contextvars.ContextVar("playground_call")
"""The mark of the call on whose behalf code runs: each task passes it on to those that it makes. A mark and not the
call, whose result would live as long as the last of them."""


class Call(concurrent.futures.Future[T]):
    """One call into a loop: its result, and a way to cancel it that waits for it to unwind."""

    def __init__(self, loop: LabLoop, function: Callable[..., Coroutine[Any, Any, T]], args: tuple[Any, ...]) -> None:
        super().__init__()
        self._condition = threading.Condition(RLock())
        self._loop = loop
        self._function = function
        self._args = args
        self.mark = object()
        self._context = contextvars.copy_context()
        self._context.run(CALL.set, self.mark)
        self._task: asyncio.Task[T] | None = None
        self._aborted = False
        self.cancelling = False  # whether the loop has come to cancel the task: it is not held, then

    def begin(self) -> None:
        """Start the task. Runs on the loop's thread."""
        if self.done() or not self.set_running_or_notify_cancel():
            return  # given up before it began
        try:
            self._task = self._loop.create_task(self._function(*self._args), context=self._context)
        except BaseException as error:  # noqa: BLE001 (it is the caller's, and goes to the caller)
            self.set_exception(error)
            return
        self._task.add_done_callback(self._finish)

    def abort(self) -> None:
        """Cancel the task, from any thread; nothing happens if it is over."""
        self._aborted = True
        if not self.done():
            self.stop()

    def stop(self) -> None:
        """Have the loop cancel the task, whether or not its caller has been told."""
        try:
            self._loop.call_first_threadsafe(self._cancel_task)
        except RuntimeError:
            if not self._loop.is_closed():
                raise
            self.fail(_cut_off())

    def wait(self, timeout_s: float) -> bool:
        """Whether it is over within that time."""
        try:
            self.exception(timeout_s)
        except TimeoutError:
            return self.done()
        except concurrent.futures.CancelledError:
            return True
        return True

    def fail(self, error: BaseException) -> None:
        """End the call with an error if it has no result yet."""
        if not self.done():
            self.set_exception(error)

    def _cancel_task(self) -> None:
        self.cancelling = True
        if self._task is None:
            self.fail(concurrent.futures.CancelledError())
            return
        self._task.cancel()
        # a task group cancels its tasks in its own next step: those that are ready to begin would begin before
        for task in asyncio.all_tasks(self._loop):
            if not has_begun(task) and value_in(task, CALL) is self.mark:
                task.cancel()

    def _finish(self, task: "asyncio.Task[T]") -> None:
        if self.done():
            return
        if task.cancelled():
            self.set_exception(concurrent.futures.CancelledError() if self._aborted else _cut_off())
        elif (error := task.exception()) is not None:
            self.set_exception(error)
        else:
            self.set_result(task.result())


class Calls:
    """The calls that a loop has not answered yet.

    Args:
        loop: the loop that they go into.
    """

    def __init__(self, loop: LabLoop) -> None:
        self._loop = loop
        self._open: set[Call[Any]] = set()
        self._lock = RLock()  # a signal handler of the thread that holds it may close the lab
        self._refusal: LabError | None = None

    @property
    def refused(self) -> bool:
        """Whether further calls are refused."""
        return self._refusal is not None

    def check(self) -> None:
        """Raise what a further call would be refused with, if it would."""
        if self._refusal is not None:
            raise _anew(self._refusal)

    def begin(self, call: Call[Any]) -> None:
        """Have the loop begin a call.

        Raises:
            LabError: the loop has ended; `LabClosed` if it was closed.
        """
        call.add_done_callback(self._open.discard)
        with self._lock:  # or the loop might end between the question and the call
            if self._refusal is not None:
                refusal = _anew(self._refusal)
                call.fail(refusal)
                raise refusal
            self._open.add(call)
            try:
                self._loop.call_soon_threadsafe(call.begin)
            except RuntimeError:
                if not self._loop.is_closed():
                    raise
                call.fail(_cut_off())

    def concerns_others(self, task: "asyncio.Task[Any]", call: Call[Any]) -> bool:
        """Whether a task runs on behalf of a call, other than this one, that somebody still waits for."""
        mark = value_in(task, CALL)
        return mark is not call.mark and any(mark is other.mark for other in list(self._open))

    def is_for(self, task: "asyncio.Task[Any]", call: Call[Any]) -> bool:
        """Whether a task runs on behalf of a call."""
        return value_in(task, CALL) is call.mark

    def waiting(self) -> bool:
        """Whether anybody waits for the loop."""
        return bool(self._open)

    def forsake(self, call: Call[Any]) -> None:
        """Nobody waits for a call any more, though it does not end."""
        self._open.discard(call)

    def break_off(self, error: LabError) -> None:
        """End all calls with an error and cancel what they do: nobody can go on. From any thread."""
        for call in list(self._open):
            call.fail(error)
            call.stop()

    def refuse(self, error: LabError) -> None:
        """Take no more calls; the first reason given stands."""
        with self._lock:
            self._refusal = self._refusal or error

    def end(self) -> None:
        """The loop has ended: whoever still waits for it is told."""
        for call in list(self._open):
            call.fail(_cut_off() if isinstance(self._refusal, LabClosed) else self._refusal or _cut_off())


def _anew(error: LabError) -> LabError:
    """The same error for one caller more: one for all would keep what each of them had in its hands."""
    return type(error)(*error.args)


def _cut_off() -> LabClosed:
    return LabClosed(
        "expected the lab to stay open during a call, got it closed meanwhile: close it when the call is over"
    )
