"""A workload's own job as lines of Python, as a student would write it: compute, wait, compute.

What is recorded of a job names lines: where it waits, what it calls that holds a loop. Those of a job that computes and
waits would be lines of this package, which say nothing to who asked for it. So the job is these few lines, and what
computes and waits is given to them. It decides what they read; it refuses to know how a job computes, and who waits.
"""

import functools
import linecache
from collections.abc import Callable
from inspect import iscoroutinefunction
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any, Final

__all__ = ["FILE", "as_written"]

FILE: Final = "workload"
"""What stands in the place of the lines' file."""

_OURS: Final = __name__.partition(".")[0]


def as_written(
    cpu_s: float,
    wait_s: float,
    sleep: Callable[[float], Any],
    *,
    waits: Callable[[float], Any],
    computes: Callable[[float], object],
    is_async: bool,
) -> Callable[[int], Any]:
    """A job, to be called with its number.

    Args:
        cpu_s: processor time, half of it before the wait, in seconds.
        wait_s: how long it waits, in seconds.
        sleep: whose name is written where it waits, such as `time.sleep`; awaited there if it is an `async def`.
        waits: what is called there in its place.
        computes: what is called where it computes.
        is_async: whether it is an `async def`.
    """
    library = getattr(sleep, "__module__", _OURS).partition(".")[0]
    given = {"sleep": waits} if library == _OURS else {library: SimpleNamespace(sleep=waits)}
    called = "sleep" if library == _OURS else f"{library}.sleep"
    wait = f"await {called}" if iscoroutinefunction(sleep) else called
    lines = _lines(f"{cpu_s / 2:g}", f"{wait}({wait_s:g})", is_async)
    linecache.cache[FILE] = len(lines), None, list(lines), FILE
    return FunctionType(_compiled(lines), {"compute": computes, **given})


def _lines(half_s: str, wait: str, is_async: bool) -> tuple[str, ...]:
    compute = f"    compute({half_s})\n"
    return f"{'async ' * is_async}def job(number):\n", compute, f"    {wait}\n", compute, "    return number\n"


@functools.lru_cache(maxsize=16)
def _compiled(lines: tuple[str, ...]) -> CodeType:
    """One code object for all jobs, which a recording meets but once."""
    module = compile("".join(lines), FILE, "exec")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))
