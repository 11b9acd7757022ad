"""What an exchange needs from the event loop it runs on, and how asyncio gives it.

Few things: start a task, cancel it, say what keeps it, wait until somebody rings, ring, and let others run. So few, so
that an exchange is written once and still runs an app as a plain task of the loop that it found: on
asyncio by `loop.create_task`, so that a recorder sees the task and who woke it, or at once where nobody
looks (see `_at_once.py`); on trio as a system task (see `_trio.py`). No task group is held open from one
call to the next, because the client may start a request in one task and close its response in another,
which a cancel scope does not survive.

Who waits stands in a plain list that belongs to the exchange: nothing is paid for a list in which nobody
stands. This module knows nothing of ASGI.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Protocol

from playground.transport._at_once import start_at_once, starts_plainly
from playground.transport._in_thread import function_in_thread
from playground.transport._shields import cancel_outside_shields, tasks_within

__all__ = ["AsyncioHost", "Host", "current_host"]


class Host(Protocol):
    """An event loop, as far as an exchange uses it. All times are in seconds of the loop's clock."""

    def spawn(self, function: Callable[[], Coroutine[Any, Any, None]], name: str, *, at_once: bool) -> Any:
        """Start `function()` in a task of its own, in a copy of the caller's context; return what `cancel` takes.

        With `at_once` it may run up to its first wait before this returns, where the loop can do so.
        """

    def cancel(self, running: Any, ended: Callable[[], None]) -> None:
        """Cancel a task, on asyncio once, on trio for good; call `ended` when it has ended without running.

        Shielded cancel scopes hold: a task that waits in one is cancelled when it has left it.
        """

    def in_thread(self, running: Any) -> str | None:
        """Return the name of the function for whose worker thread a task, or one in its task groups, waits."""

    async def wait(self, waiting: list[Any], timeout_s: float | None = None) -> bool:
        """Stand in `waiting` until it is rung: `True`, or until the time is over: `False`."""

    def ring(self, waiting: list[Any]) -> None:
        """Wake all who stand in `waiting`."""

    def let_others_run(self) -> Awaitable[None]:
        """Await this to give the loop a turn, and a cancellation its chance to arrive."""

    def may_fail(self, error: BaseException) -> bool:
        """Say whether the current task should end with `error`, of which somebody is told."""

    def is_cancellation(self, error: BaseException) -> bool:
        """Say whether a task that ended with `error` was cancelled, or closed."""


class AsyncioHost:
    """The asyncio loop that is running. One object serves them all, as it keeps nothing."""

    __slots__ = ()

    def spawn(self, function: Callable[[], Coroutine[Any, Any, None]], name: str, *, at_once: bool) -> Any:
        loop = asyncio.get_running_loop()
        if at_once and starts_plainly(loop):
            return start_at_once(loop, function(), name)
        return loop.create_task(function(), name=name)

    def cancel(self, running: Any, ended: Callable[[], None]) -> None:
        # A task that is cancelled before its first step never enters its coroutine, so no code in there
        # can say that it has ended.
        running.add_done_callback(lambda _: ended())
        cancel_outside_shields(running)

    def in_thread(self, running: Any) -> str | None:
        names = (function_in_thread(task.get_coro()) for task in tasks_within(running))
        return next((name for name in names if name is not None), None)

    async def wait(self, waiting: list[Any], timeout_s: float | None = None) -> bool:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        waiting.append(future)
        timer = None if timeout_s is None else loop.call_later(timeout_s, _settle, future, False)
        try:
            return await future
        finally:
            waiting.remove(future)
            if timer is not None:
                timer.cancel()

    def ring(self, waiting: list[Any]) -> None:
        for future in waiting:
            _settle(future, True)

    def let_others_run(self) -> Awaitable[None]:
        return _TURN

    def may_fail(self, error: BaseException) -> bool:
        """Yes: the task's outcome is then what a reader of the recording expects to see."""
        if isinstance(error, GeneratorExit):
            return True  # the loop is gone
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(_mark_as_seen)
        return True

    def is_cancellation(self, error: BaseException) -> bool:
        return isinstance(error, asyncio.CancelledError | GeneratorExit)


class _Turn:
    """What `asyncio.sleep(0)` awaits, without the coroutines around it: every request has one."""

    def __await__(self) -> Generator[None, None, None]:
        yield


_TURN = _Turn()
_ASYNCIO = AsyncioHost()


def _settle(future: "asyncio.Future[bool]", rung: bool) -> None:
    if not future.done():
        future.set_result(rung)


def _mark_as_seen(task: "asyncio.Task[None]") -> None:
    """Keep asyncio from reporting "exception was never retrieved": the exchange tells its caller, or the log."""
    if not task.cancelled():
        task.exception()


def current_host() -> Host:
    """Return the host for the loop that runs the calling task.

    Trio is asked first, for it can run as a guest inside asyncio; it is not imported unless the
    program has done so.

    Raises:
        RuntimeError: no asyncio or trio loop is running here.
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        from playground.transport._trio import TrioHost  # which loads trio

        return TrioHost()
    return _ASYNCIO
