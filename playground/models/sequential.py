"""One job after another, in one thread: what all else is measured against."""

import time
from dataclasses import dataclass
from typing import ClassVar

from playground.models.base import Model
from playground.models.jobs import Jobs
from playground.trace import WorkerKind

__all__ = ["Sequential"]


@dataclass(frozen=True)
class Sequential(Model):
    """A for loop."""

    name: ClassVar[str] = "sequential"
    worker: ClassVar[WorkerKind] = "thread"
    called: ClassVar[str] = "main thread"

    def drive(self, jobs: Jobs) -> None:
        for number in jobs.numbers:
            jobs.keep(jobs.work(jobs.submit(number), time.sleep))
