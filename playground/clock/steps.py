"""Which callbacks are a task's steps: what a task passes to its loop when it wants to go on; and what a step leaves.

Neither kind has a public name: a C task passes an object of a type of its own, or a built-in called
`task_wakeup`; a task written in Python (nest_asyncio brings these back) a bound method.
"""

import asyncio
from types import BuiltinFunctionType, MethodType
from typing import Any, Final

from playground.clock.recorder import Outcome, Recorder
from playground.clock.turns import TASK_STEP

__all__ = ["is_c_step", "state_of", "task_of"]

_PYTHON_STEPS: Final = ("__step", "__wakeup")


def is_c_step(callback: Any) -> bool:
    """Whether a callback is a step of a C task."""
    kind = type(callback)
    return kind is TASK_STEP or (kind is BuiltinFunctionType and callback.__name__ == "task_wakeup")


def task_of(callback: Any) -> Any:
    """The task whose step a callback is; `None` if it is another callback."""
    if is_c_step(callback):
        return callback.__self__
    if type(callback) is MethodType and callback.__func__.__name__ in _PYTHON_STEPS:
        return callback.__self__ if isinstance(callback.__self__, asyncio.tasks._PyTask) else None  # type: ignore[attr-defined]
    return None


def state_of(recorder: Recorder, task: Any, callback: object, *, whole: bool) -> tuple[int, int, int, int, int]:
    """Where a step has left its task: number, outcome, kind, code, offset.

    Args:
        task: the task whose step it is; `None` for another callback.
        whole: whether the step is over; else it has let others run, or has been cut, in the midst of a call.
    """
    if task is None:
        return 0, Outcome.CALLBACK, 0, recorder.callback(callback), 0
    number: int = getattr(task, "_playground", 0) or recorder.created(task, None)
    if not whole:
        return number, Outcome.YIELDS, 0, 0, 0
    if task.done():
        return number, recorder.ended(task, number), 0, 0, 0
    kind, code, place = recorder.search(task.get_coro())
    offset = place.cr_frame.f_lasti if code else 0
    if task._fut_waiter is None:
        return number, Outcome.YIELDS, kind, code, offset
    return number, Outcome.WAITS, kind or recorder.waiter(task._fut_waiter), code, offset
