"""Which callbacks are a task's steps: what a task passes to its loop when it wants to go on; and what a step leaves.

Neither kind has a public name: a C task passes an object of a type of its own, or a built-in called
`task_wakeup`; a task written in Python (nest_asyncio brings these back) a bound method.
"""

import asyncio

# by its own name: nest_asyncio replaces asyncio.Task by the Python one when it is applied
from _asyncio import Task
from types import BuiltinFunctionType, MethodType
from typing import Any, Final

from playground.clock.recorder import Outcome, Recorder

__all__ = ["TASK_STEP", "is_c_step", "is_python_step", "state_of", "task_of"]

_PYTHON_STEPS: Final = ("__step", "__wakeup")


def _task_step_type() -> type:
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
"""The type of what a C task passes to call_soon for its first step. It has no public name."""


def is_c_step(callback: Any) -> bool:
    """Whether a callback is a step of a C task."""
    kind = type(callback)
    return kind is TASK_STEP or (kind is BuiltinFunctionType and callback.__name__ == "task_wakeup")


def is_python_step(method: Any) -> bool:
    """Whether a bound method is a step of a task written in Python: nest_asyncio brings these back."""
    is_step = method.__func__.__name__ in _PYTHON_STEPS
    return is_step and isinstance(method.__self__, asyncio.tasks._PyTask)  # type: ignore[attr-defined]


def task_of(callback: Any) -> Any:
    """The task whose step a callback is; `None` if it is another callback."""
    if is_c_step(callback):
        return callback.__self__
    return callback.__self__ if type(callback) is MethodType and is_python_step(callback) else None


def state_of(recorder: Recorder, task: Any, callback: object, *, whole: bool) -> tuple[int, int, int, int, int]:
    """Where a step has left its task: number, outcome, kind, code, offset.

    Args:
        task: the task whose step it is; `None` for another callback.
        whole: whether the step is over; else it has let others run, or has been cut, in the midst of a call.
    """
    if task is None:
        return 0, Outcome.CALLBACK, 0, recorder.callback(callback), 0
    number = recorder.number_of(task)
    if not whole:
        return number, Outcome.YIELDS, 0, 0, 0
    if task.done():
        return number, recorder.ended(task, number), 0, 0, 0
    kind, code, place = recorder.search(task.get_coro())
    offset = place.cr_frame.f_lasti if code else 0
    if task._fut_waiter is None:
        return number, Outcome.YIELDS, kind, code, offset
    return number, Outcome.WAITS, kind or recorder.waiter(task._fut_waiter), code, offset
