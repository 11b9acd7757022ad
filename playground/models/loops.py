"""Event loops: one thread, in which jobs take turns wherever they wait; and the two ways of calling a plain function.

The built-in ways to wait are each library's own, and so are the groups in which the tasks are made. Tasks are called
`job 3`, by which the recording of the loop finds them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final

from playground.models.base import Calls, Model
from playground.models.jobs import Jobs, Outcome
from playground.models.tasks import task_name
from playground.trace import WorkerKind

__all__ = ["AnyIO", "Asyncio", "AsyncioBlocking", "ToThread", "Trio"]

_MAIN: Final = "main"
"""What a recording calls the coroutine that makes the jobs' tasks, as a student would who wrote it."""


@dataclass(frozen=True)
class _OfLoops(Model):
    worker: ClassVar[WorkerKind] = "loop"
    called: ClassVar[str] = "event loop"
    is_loop: ClassVar[bool] = True


@dataclass(frozen=True)
class Asyncio(_OfLoops):
    """`asyncio`: a task for each job."""

    name: ClassVar[str] = "asyncio"
    calls: ClassVar[Calls] = "coroutine"

    def drive(self, jobs: Jobs) -> None:
        asyncio.run(_named_main(_tasks(jobs, lambda number: jobs.task(number, asyncio.sleep))))


@dataclass(frozen=True)
class AsyncioBlocking(_OfLoops):
    """The mistake: tasks that call what waits, and hold the loop."""

    name: ClassVar[str] = "asyncio_blocking"

    def drive(self, jobs: Jobs) -> None:
        async def one(number: int) -> None:
            if jobs.workload.is_ours:
                await jobs.task(number, time.sleep)
            else:
                jobs.keep(jobs.work(number, time.sleep))

        asyncio.run(_named_main(_tasks(jobs, one)))


@dataclass(frozen=True)
class ToThread(_OfLoops):
    """`asyncio.to_thread`: tasks that hand what waits to a thread."""

    name: ClassVar[str] = "to_thread"
    worker: ClassVar[WorkerKind] = "thread"
    called: ClassVar[str] = "thread {}"
    starts_others: ClassVar[bool] = True
    shares_lock: ClassVar[bool] = True

    def drive(self, jobs: Jobs) -> None:
        async def one(number: int) -> None:
            jobs.back(await asyncio.to_thread(partial(_worked, jobs, number, job=jobs.function)))

        async def main() -> None:
            if self.workers is not None:
                asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(self.workers))
            await _tasks(jobs, one)

        asyncio.run(_named_main(main()))


def _named_main(coroutine: Any) -> Any:
    coroutine.__qualname__ = _MAIN
    return coroutine


def _worked(jobs: Jobs, number: int, *, job: Callable[[int], Any]) -> Outcome:
    """A job that is called in a thread; a recording of the loop says that it is `job` (see `trace.sites`)."""
    return jobs.work(number, time.sleep)


async def _tasks(jobs: Jobs, one: Callable[[int], Awaitable[None]]) -> None:
    async def job(number: int) -> None:
        await one(number)

    async with asyncio.TaskGroup() as group:
        for number in jobs.numbers:
            group.create_task(job(jobs.submit(number)), name=task_name(number))


@dataclass(frozen=True)
class AnyIO(_OfLoops):
    """`anyio` on asyncio."""

    name: ClassVar[str] = "anyio"
    calls: ClassVar[Calls] = "coroutine"

    def drive(self, jobs: Jobs) -> None:
        _anyio(jobs, "asyncio")


@dataclass(frozen=True)
class Trio(_OfLoops):
    """`anyio` on trio."""

    name: ClassVar[str] = "trio"
    calls: ClassVar[Calls] = "coroutine"
    needs: ClassVar[tuple[str, ...]] = ("trio",)

    def drive(self, jobs: Jobs) -> None:
        _anyio(jobs, "trio")


def _anyio(jobs: Jobs, backend: str) -> None:
    import anyio

    async def job(number: int) -> None:
        await jobs.task(number, anyio.sleep)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in jobs.numbers:
                group.start_soon(job, jobs.submit(number), name=task_name(number))

    main.__qualname__ = _MAIN
    anyio.run(main, backend=backend)
