"""A model: one way to carry out a workload's jobs, under its library's own API.

A model says what it is called, what it needs, and which functions it can run; its `drive` is called in a process of its
own. It refuses to know what is written down, which is the jobs' affair, and how a process comes about.
"""

import importlib.util
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from playground.errors import ModelError
from playground.models.jobs import Jobs
from playground.models.rows import Row
from playground.models.workload import Workload
from playground.models.zygotes import WITHOUT_PROCESSES
from playground.trace import WorkerKind

if TYPE_CHECKING:
    from playground.models.run import ModelRun

__all__ = ["Calls", "Flavour", "Model", "has_processes"]

Flavour = Literal["plain", "gevent", "eventlet"]
"""What the process is like in which a model runs: as Python comes, or patched by a library before all else."""

Calls = Literal["function", "coroutine"]


@dataclass(frozen=True)
class Model(ABC):
    """One way to carry out jobs.

    Attributes:
        name: what it is called in `experiment`.
        worker: who carries out its jobs, in a word.
        called: what to call a worker, given its number.
        calls: what it makes of a job: a call of a function, or a coroutine that it awaits.
        needs: the packages that it takes.
        flavour: the process that it takes.
        is_loop: whether an event loop does it, which is recorded step by step.
        shares_lock: whether its jobs compute in several threads of one interpreter.
        starts_others: whether it starts threads or processes, which not every platform has.
        workers: how many carry out jobs at once, where it has a pool; `None` for the library's own choice.
    """

    workers: int | None = None

    name: ClassVar[str]
    worker: ClassVar[WorkerKind]
    called: ClassVar[str]
    calls: ClassVar[Calls] = "function"
    needs: ClassVar[tuple[str, ...]] = ()
    flavour: ClassVar[Flavour] = "plain"
    is_loop: ClassVar[bool] = False
    shares_lock: ClassVar[bool] = False
    starts_others: ClassVar[bool] = False

    @abstractmethod
    def drive(self, jobs: Jobs) -> None:
        """Carry out all jobs, to the end. Called in a process of its own."""

    def worker_of(self, row: Row) -> tuple[int, ...]:
        """What tells the worker that wrote a row from others."""
        return row.process, row.thread

    def interpreter_of(self, row: Row) -> tuple[int, ...]:
        """What tells the interpreter in which a row was written from others."""
        return (row.process,)

    @property
    def title(self) -> str:
        """What to call it, with the options that it was made with."""
        return self.name

    def missing(self) -> str | None:
        """What it lacks here, as an error says it; `None` if nothing."""
        for package in self.needs:
            if not _is_installed(package):
                return (
                    f"expected {package}, which the model {self.name!r} needs, got none installed: run "
                    "pip install 'playground[models]'"
                )
        if (self.starts_others or self.flavour != "plain") and not has_processes():
            return (
                f"expected a platform with threads and processes, which the model {self.name!r} needs, got "
                f"{sys.platform}, which has none: use sequential, asyncio, asyncio_blocking or anyio"
            )
        return None

    def cannot(self, workload: Workload) -> str | None:
        """Why it cannot carry out such jobs, as an error says it; `None` if it can."""
        if workload.is_ours:
            return None
        if self.calls == "function" and workload.plain is None:
            return (
                f"expected a plain function, which the model {self.name!r} calls, got an async def: give both, as "
                "Workload(function, async_function=...), or use asyncio, anyio or trio"
            )
        if self.calls == "coroutine" and workload.awaitable is None:
            return (
                f"expected an async def, which the model {self.name!r} awaits, got a plain function: give both, as "
                "Workload(function, async_function=...), or use asyncio_blocking, which calls it on the loop, or "
                "to_thread, which calls it in a thread"
            )
        return None

    def check(self, workload: Workload) -> None:
        """Refuse what cannot work, in words.

        Raises:
            ModelError: it lacks something here, or cannot carry out such jobs.
        """
        why = self.missing() or self.cannot(workload)
        if why is not None:
            raise ModelError(why)

    def run(self, workload: Workload, *, timeout_s: float = 30.0, record: bool = True) -> "ModelRun":
        """Carry out a workload: see `experiment`, which runs several models one after another."""
        from playground.models.experiment import carried_out  # which knows models, and so loads this module first

        return carried_out(self, workload, timeout_s=timeout_s, record=record)


def _is_installed(package: str) -> bool:
    """Looked for without importing it, for the notebook's process is none of its business."""
    return package in sys.modules or importlib.util.find_spec(package) is not None


def has_processes() -> bool:
    """Whether this platform has processes and threads. Those in a web page, such as JupyterLite's, have none."""
    return sys.platform not in WITHOUT_PROCESSES
