"""A workload's own job as lines of Python, as a student would write it: compute, wait, compute.

What is recorded of a job names lines: where it waits, what it calls that holds a loop. Those of a job that computes and
waits would be lines of this package, which say nothing to who asked for it. So the job is these few lines, and what
computes and waits is given to them. It decides what they read; it refuses to know how a job computes, and who waits.
"""

import functools
import linecache
from collections.abc import Callable
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
        sleep: whose name is written where it waits, such as `time.sleep`.
        waits: what is called there, or called and awaited.
        computes: what is called where it computes.
        is_async: whether it is an `async def`.
    """
    library = getattr(sleep, "__module__", _OURS).partition(".")[0]
    given = {"sleep": waits} if library == _OURS else {library: SimpleNamespace(sleep=waits)}
    called = "sleep" if library == _OURS else f"{library}.sleep"
    lines = _lines(f"{cpu_s / 2:g}", f"{wait_s:g}", called, is_async)
    linecache.cache[FILE] = len(lines), None, list(lines), FILE
    return FunctionType(_compiled(lines), {"compute": computes, **given})


def _lines(half_s: str, wait_s: str, called: str, is_async: bool) -> tuple[str, ...]:
    compute = f"    compute({half_s})\n"
    first, wait = ("async def", f"await {called}") if is_async else ("def", called)
    return f"{first} job(number):\n", compute, f"    {wait}({wait_s})\n", compute, "    return number\n"


@functools.lru_cache(maxsize=16)
def _compiled(lines: tuple[str, ...]) -> CodeType:
    """One code object for all jobs, which a recording meets but once."""
    module = compile("".join(lines), FILE, "exec")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))
