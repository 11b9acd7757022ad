"""Which function keeps a task waiting from a worker thread: read off the chain of what the task awaits.

Only for words: it is asked when an app does not end. The chain is that of Python's own `cr_await` and its kin; two
frames on it are known, those of anyio's and of trio's `to_thread.run_sync`, which hold the function in a variable.
"""

import functools
import gc
from types import AsyncGeneratorType, BuiltinFunctionType, CoroutineType, FunctionType, GeneratorType, MethodType
from typing import Any

__all__ = ["OnBehalf", "function_in_thread"]

HELD_IN = {
    "run_sync": ("anyio/to_thread.py", "func"),
    "to_thread_run_sync": ("trio/_threads.py", "sync_fn"),
}
"""Which coroutine functions wait for a thread: the end of their file's name, and the variable with the function."""


class OnBehalf:
    """Whose methods run in a thread on behalf of somebody else, by whose name people know them.

    Attributes:
        runs: that other function.
    """

    runs: Any


def function_in_thread(coroutine: object) -> str | None:
    """Return the name of the function for whose thread a coroutine waits, or `None` if it waits for another thing."""
    link: Any = coroutine
    while link is not None:
        frame, link = _frame_and_next(link)
        if frame is not None and frame.f_code.co_name in HELD_IN:
            file, variable = HELD_IN[frame.f_code.co_name]
            if frame.f_code.co_filename.replace("\\", "/").endswith(file):
                return _name(frame.f_locals[variable])
    return None


def _frame_and_next(link: Any) -> tuple[Any, Any]:
    """Return the frame of a link, if it has one, and what it awaits."""
    if isinstance(link, CoroutineType):
        return link.cr_frame, link.cr_await
    if isinstance(link, AsyncGeneratorType):
        return link.ag_frame, link.ag_await
    if isinstance(link, GeneratorType):
        return link.gi_frame, link.gi_yieldfrom
    # What `anext(...)` gives, and what `__await__` of a coroutine does, have no name for what is behind them.
    kinds = (CoroutineType, AsyncGeneratorType, GeneratorType)
    return None, next((one for one in gc.get_referents(link) if isinstance(one, kinds)), None)


def _name(function: Any) -> str:
    """Name a function without running any code of its owner's."""
    if isinstance(function, functools.partial):
        return _name(function.func)
    if isinstance(function, MethodType):
        owner = function.__self__
        return _name(owner.runs if isinstance(owner, OnBehalf) else function.__func__)
    if isinstance(function, FunctionType | BuiltinFunctionType):
        return function.__qualname__.rpartition("<locals>.")[2]
    return type(function).__qualname__
