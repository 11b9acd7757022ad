"""Processes: one for each job, or a pool of them. Each has an interpreter of its own; what they say has to be sent."""

import multiprocessing
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from typing import Any, ClassVar, Literal

from playground.errors import ModelError
from playground.models.base import Model
from playground.models.jobs import Jobs, Outcome, Sent, settle, work_here
from playground.trace import WorkerKind

__all__ = ["ProcessPool", "Processes"]

Method = Literal["fork", "spawn", "forkserver"]


@dataclass(frozen=True)
class _OfProcesses(Model):
    """What both ways have in common.

    Attributes:
        method: how a process is started, see `multiprocessing`; `None` for the platform's own way.
    """

    method: Method | None = None

    worker: ClassVar[WorkerKind] = "process"
    called: ClassVar[str] = "process {}"
    starts_others: ClassVar[bool] = True

    def __post_init__(self) -> None:
        known = multiprocessing.get_all_start_methods()
        if self.method is not None and self.method not in known:
            raise ModelError(
                f"expected a way to start processes that this platform has, {', '.join(known)}, got {self.method!r}: "
                "leave it out for the platform's own"
            )

    @property
    def title(self) -> str:
        return f"{self.name} ({self.method})" if self.method else self.name

    @property
    def context(self) -> BaseContext:
        return multiprocessing.get_context(self.method)


@dataclass(frozen=True)
class Processes(_OfProcesses):
    """`multiprocessing`: a process for each job, which sends its result through a pipe."""

    name: ClassVar[str] = "processes"

    def drive(self, jobs: Jobs) -> None:
        context: Any = self.context
        sent = Sent(jobs)
        started: dict[Connection, tuple[int, Any]] = {}
        for number in jobs.numbers:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_one, args=(theirs, sent, jobs.submit(number)))
            process.start()
            theirs.close()
            started[ours] = number, process
        waiting = set(started)
        while waiting:
            for pipe in wait(waiting):
                assert isinstance(pipe, Connection)
                waiting.discard(pipe)
                _take(jobs, pipe, *started[pipe])


def _one(pipe: Connection, sent: Sent, number: int) -> None:
    pipe.send(sent.jobs.work(number, time.sleep))
    pipe.close()


def _take(jobs: Jobs, pipe: Connection, number: int, process: Any) -> None:
    """What a process sent; or that it ended without."""
    try:
        outcome: Outcome | None = pipe.recv()
    except EOFError:
        outcome = None
    pipe.close()
    process.join()
    if outcome is None:
        jobs.lost(number, _death(process.exitcode))
    else:
        jobs.back(outcome)


def _death(code: int) -> ModelError:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return ModelError(f"expected the job's process to send a result, got none: it {how}")


@dataclass(frozen=True)
class ProcessPool(_OfProcesses):
    """`concurrent.futures`: processes that take the next job when they are done with one."""

    name: ClassVar[str] = "process_pool"

    def drive(self, jobs: Jobs) -> None:
        with ProcessPoolExecutor(self.workers, self.context, settle, (Sent(jobs),)) as pool:
            futures: dict[Future[Outcome], int] = {}
            for number in jobs.numbers:
                try:
                    futures[pool.submit(work_here, jobs.submit(number))] = number
                except BrokenProcessPool as error:
                    jobs.lost(number, error)
            for future in as_completed(futures):
                try:
                    jobs.back(future.result())
                except BrokenProcessPool as error:  # one of the processes died, and the pool gives up all jobs
                    jobs.lost(futures[future], error)
