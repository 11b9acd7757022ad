"""What an exchange needs from its event loop, given by trio.

An app runs as a system task: it has no parent nursery that a caller would have to hold open, and trio
cancels it when the main task has ended, so it cannot outlive the run. A system task that fails brings
down trio as a whole; an exchange therefore keeps an app's exception for its caller and ends quietly.

Imported only where trio is running.
"""

import contextvars
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import trio

from playground.transport._in_thread import function_in_thread

__all__ = ["TrioHost"]


class Running(NamedTuple):
    """A task, and the scope in which it runs."""

    task: trio.lowlevel.Task
    scope: trio.CancelScope


class TrioHost:
    """The running trio loop."""

    __slots__ = ()

    def spawn(self, function: Callable[[], Coroutine[Any, Any, None]], name: str, *, at_once: bool) -> Any:
        scope = trio.CancelScope()

        async def within_scope() -> None:
            with scope:
                await function()

        task = trio.lowlevel.spawn_system_task(within_scope, name=name, context=contextvars.copy_context())
        return Running(task, scope)

    def cancel(self, running: Running, ended: Callable[[], None]) -> None:
        running.scope.cancel()  # a task of trio's always runs up to its first checkpoint

    def in_thread(self, running: Running) -> str | None:
        tasks = [running.task]
        for task in tasks:  # which grows
            name = function_in_thread(task.coro)
            if name is not None:
                return name
            tasks += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        return None

    async def wait(self, waiting: list[Any], timeout_s: float | None = None) -> bool:
        event = trio.Event()
        waiting.append(event)
        try:
            if timeout_s is None:
                await event.wait()
                return True
            with trio.move_on_after(timeout_s):
                await event.wait()
            return event.is_set()
        finally:
            waiting.remove(event)

    def ring(self, waiting: list[Any]) -> None:
        for event in waiting:
            event.set()

    async def let_others_run(self) -> None:
        await trio.lowlevel.checkpoint()

    def may_fail(self, error: BaseException) -> bool:
        """No: trio would stop the whole run. But its own cancellations it wants back."""
        return self.is_cancellation(error)

    def is_cancellation(self, error: BaseException) -> bool:
        if isinstance(error, BaseExceptionGroup):
            return error.subgroup(trio.Cancelled) is not None
        return isinstance(error, trio.Cancelled)
