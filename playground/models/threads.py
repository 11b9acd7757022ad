"""Threads: one for each job, or a pool of them. They share an interpreter, and so its lock."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import ClassVar

from playground.models.base import Model
from playground.models.jobs import Jobs
from playground.models.rows import Row
from playground.trace import WorkerKind

__all__ = ["ThreadPool", "Threads"]


@dataclass(frozen=True)
class Threads(Model):
    """`threading`: a thread for each job."""

    name: ClassVar[str] = "threads"
    worker: ClassVar[WorkerKind] = "thread"
    called: ClassVar[str] = "thread {}"
    starts_others: ClassVar[bool] = True
    shares_lock: ClassVar[bool] = True

    def drive(self, jobs: Jobs) -> None:
        def one(number: int) -> None:
            jobs.keep(jobs.work(number, time.sleep))

        threads = [threading.Thread(target=one, args=(number,)) for number in jobs.numbers]
        for number, thread in zip(jobs.numbers, threads, strict=True):
            jobs.submit(number)
            thread.start()
        for thread in threads:
            thread.join()

    def worker_of(self, row: Row) -> tuple[int, ...]:
        return row.process, row.thread, row.job  # the system gives a thread that is over its number to the next one


@dataclass(frozen=True)
class ThreadPool(Model):
    """`concurrent.futures`: threads that take the next job when they are done with one."""

    name: ClassVar[str] = "thread_pool"
    worker: ClassVar[WorkerKind] = "thread"
    called: ClassVar[str] = "thread {}"
    starts_others: ClassVar[bool] = True
    shares_lock: ClassVar[bool] = True

    def drive(self, jobs: Jobs) -> None:
        with ThreadPoolExecutor(self.workers) as pool:
            futures = [pool.submit(jobs.work, jobs.submit(number), time.sleep) for number in jobs.numbers]
            for future in as_completed(futures):
                jobs.back(future.result())
