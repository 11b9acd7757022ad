"""Interpreters: several in one process, each with a lock of its own, so that its threads compute at once.

`concurrent.futures` has a pool of them from Python 3.14 on. What Python 3.13 and before have of it is private.
"""

import sys
from concurrent import futures
from dataclasses import dataclass
from typing import ClassVar, Final

from playground.models.base import Model
from playground.models.jobs import Jobs, Sent, settle, work_here
from playground.models.rows import Row
from playground.trace import WorkerKind

__all__ = ["Interpreters"]

_SINCE: Final = (3, 14)


@dataclass(frozen=True)
class Interpreters(Model):
    """`concurrent.futures.InterpreterPoolExecutor`."""

    name: ClassVar[str] = "interpreters"
    worker: ClassVar[WorkerKind] = "thread"
    called: ClassVar[str] = "interpreter {}"
    starts_others: ClassVar[bool] = True

    def missing(self) -> str | None:
        if sys.version_info < _SINCE:
            return (
                f"expected Python 3.14 or later, whose concurrent.futures has a pool of interpreters, got Python "
                f"{sys.version_info.major}.{sys.version_info.minor}: use process_pool, which has an interpreter in "
                "each process"
            )
        return super().missing()  # pragma: no cover (Python 3.14 only)

    def interpreter_of(self, row: Row) -> tuple[int, ...]:  # pragma: no cover (Python 3.14 only)
        return row.process, row.thread

    def drive(self, jobs: Jobs) -> None:  # pragma: no cover (Python 3.14 only)
        pools = futures.InterpreterPoolExecutor  # type: ignore[attr-defined, unused-ignore]  # of Python 3.14
        with pools(self.workers, initializer=settle, initargs=(Sent(jobs),)) as pool:
            asked = [pool.submit(work_here, jobs.submit(number)) for number in jobs.numbers]
            for future in futures.as_completed(asked):
                jobs.back(future.result())
