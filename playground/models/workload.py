"""What is to be done: so many jobs, all alike. A workload says what one is, and refuses to know who runs it and how.

A job of our own computes, waits, and computes again: half of its processor time, the wait, the other half. So what
comes after a wait has to queue for the processor as an answer does that is made of what a database sent.
"""

import inspect
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final

from playground.errors import ModelError
from playground.trace.sites import label
from playground.trace.texts import cut

__all__ = ["AsyncFunction", "Function", "Workload", "as_workload", "name_of"]

Function = Callable[[int], object]
AsyncFunction = Callable[[int], Coroutine[Any, Any, object]]

_MOST_JOBS: Final = 10_000
"""Some models start a process for each; and a row says a job's number in 32 bits."""
_LONGEST: Final = 60
"""Characters of a function's name that a title bears."""


@dataclass(frozen=True)
class Workload:
    """So many jobs, numbered from 0.

        Workload(jobs=20, cpu_s=0.005, wait_s=0.05)   # compute, wait, compute
        Workload(fetch, jobs=20)                      # fetch(0), fetch(1) ...

    Args:
        function: what a job does, given its number; what it returns is the job's result. It may be an `async def`:
            then only models with an event loop can run it. `None`: a job is `cpu_s` and `wait_s`; its result is its
            number.
        jobs: how many.
        cpu_s: processor time of a job in seconds, half of it before the wait and half after: a count of units of work
            that is fixed beforehand, so that a job that is held up takes longer and does not do less.
        wait_s: how long a job sleeps, in seconds, as the model does it: `time.sleep`, `asyncio.sleep` ...
        async_function: the same as `function` for those models that need a coroutine.

    Raises:
        ModelError: a number cannot be, or what was given as a function is none.
    """

    function: "Function | AsyncFunction | None" = None  # quoted, as help() shows it
    jobs: int = 20
    cpu_s: float = 0.005
    wait_s: float = 0.05
    async_function: "AsyncFunction | None" = None

    def __post_init__(self) -> None:
        _check_jobs(self.jobs)
        for name in ("cpu_s", "wait_s"):
            _check_seconds(name, getattr(self, name))
        if self.function is not None and not callable(self.function):
            raise ModelError(
                f"expected a function of the job's number, got {type(self.function).__name__}: "
                "write Workload(function, jobs=20), or Workload(jobs=20, cpu_s=0.005, wait_s=0.05)"
            )
        if self.async_function is not None and not is_async(self.async_function):
            raise ModelError(
                f"expected async_function to be an async def, got {_named(self.async_function)}: "
                "give a plain function as the first argument"
            )

    @property
    def plain(self) -> Function | None:
        """The function that is called in a thread; `None` if there is none."""
        return None if self.function is None or is_async(self.function) else self.function

    @property
    def awaitable(self) -> AsyncFunction | None:
        """The function whose coroutine is awaited on a loop; `None` if there is none."""
        if self.async_function is not None:
            return self.async_function
        return self.function if is_async(self.function) else None  # type: ignore[return-value]  # it is async

    @property
    def is_ours(self) -> bool:
        """Whether a job is so much computing and so long a wait, and no function."""
        return self.function is None and self.async_function is None

    @property
    def title(self) -> str:
        """In a few words, what is done."""
        what = self.function or self.async_function
        jobs = "1 job" if self.jobs == 1 else f"{self.jobs} jobs"
        if what is None:
            return f"{jobs} of {self.cpu_s * 1e3:g} ms of computing and {self.wait_s * 1e3:g} ms of waiting"
        return f"{jobs} of {_named(what)}"


def as_workload(workload: "Workload | Function | AsyncFunction", jobs: int | None) -> Workload:
    """What was given as a workload: one, or a function of the job's number."""
    if isinstance(workload, Workload):
        return workload if jobs is None else replace(workload, jobs=jobs)
    if not callable(workload):
        raise ModelError(
            f"expected a Workload or a function of the job's number, got {type(workload).__name__}: "
            "write experiment(Workload(jobs=20)), or experiment(function, jobs=20)"
        )
    return Workload(workload) if jobs is None else Workload(workload, jobs=jobs)


def is_async(function: object) -> bool:
    """Whether a call of it gives a coroutine: also if it is wrapped, or an object that is called."""
    inner = inspect.unwrap(function) if callable(function) else function
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(getattr(inner, "__call__", None))  # noqa: B004


def _named(what: object) -> str:
    return f"{name_of(what)}()"


def name_of(what: object) -> str:
    """A function's own name, or that of a thing's class: on one line, and not too long for it."""
    name = label(what).rpartition("<locals>.")[2]
    name = "".join(letter if letter.isprintable() else " " for letter in name)
    name = " ".join(name.split()) or "function"
    return cut(name, _LONGEST)


def _check_jobs(jobs: object) -> None:
    if type(jobs) is not int or not 1 <= jobs <= _MOST_JOBS:
        raise ModelError(f"expected a number of jobs from 1 to {_MOST_JOBS:,}, got {jobs!r}: write jobs=20")


def _check_seconds(name: str, seconds: object) -> None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise ModelError(f"expected {name} to be a number of seconds, 0 or more, got {seconds!r}: write {name}=0.05")
