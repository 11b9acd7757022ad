"""Which callbacks are a task's steps: what a task passes to its loop when it wants to go on.

Neither kind has a public name: a C task passes an object of a type of its own, or a built-in called
`task_wakeup`; a task written in Python (nest_asyncio brings these back) a bound method.
"""

import asyncio
from types import BuiltinFunctionType, MethodType
from typing import Any, Final

from playground.clock.turns import TASK_STEP

__all__ = ["is_c_step", "task_of"]

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
