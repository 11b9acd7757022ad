"""Recordings of the same jobs run in several ways, made by small models of who gets the processor: exact and at once.

Each job computes for `CPU_MS`, waits for `WAIT_MS`, and computes again. The models know one processor for each
interpreter and nothing of a machine; so what a view says of them can be told by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from playground.trace import Job, Segment, Trace, Worker
from tests.by_hand import job, segment, worker

__all__ = [
    "CPU_MS",
    "WAIT_MS",
    "asyncio_way",
    "every_way",
    "pool_way",
    "processes_way",
    "sequential_way",
    "threads_way",
]

CPU_MS = 2.5
WAIT_MS = 50.0


@dataclass
class _Told:
    """A recording being put together."""

    workers: Sequence[Worker]
    segments: list[Segment] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    def trace(self, title: str) -> Trace:
        ordered = sorted(self.segments, key=lambda each: (each.start_ns, each.job))
        return Trace(workers=self.workers, jobs=self.jobs, segments=ordered, title=title)


def sequential_way(jobs: int = 20) -> Trace:
    told = _Told([worker(1, 1, "thread", "main thread")])
    at = 0.0
    for number in range(jobs):
        _whole(told, number, 0, at)
        at += 2 * CPU_MS + WAIT_MS
    return told.trace("sequential")


def processes_way(jobs: int = 20, start_ms: float = 8) -> Trace:
    """Each in a process of its own, which take a while to come up, one after the other; with a processor each."""
    told = _Told([worker(1 + number, 1, "process", f"process {1 + number}") for number in range(jobs)])
    for number in range(jobs):
        began = start_ms * (1 + number)
        told.segments.append(segment(number, "queue", 0, began, worker=number))
        _whole(told, number, number, began)
    return told.trace("processes")


def pool_way(jobs: int = 20, places: int = 4) -> Trace:
    """A pool of processes: a job queues until a place is free."""
    told = _Told([worker(1 + place, 1, "process", f"process {1 + place}") for place in range(places)])
    free = [5.0] * places
    for number in range(jobs):
        place = number % places
        told.segments.append(segment(number, "queue", 0, free[place], worker=place))
        _whole(told, number, place, free[place])
        free[place] += 2 * CPU_MS + WAIT_MS + 0.4
    return told.trace("process_pool")


def _whole(told: _Told, number: int, by: int, at: float) -> None:
    """A job that nobody gets in the way of."""
    wait, again, end = at + CPU_MS, at + CPU_MS + WAIT_MS, at + 2 * CPU_MS + WAIT_MS
    told.segments += [
        segment(number, "run", at, wait, worker=by),
        segment(number, "wait", wait, again, worker=by),
        segment(number, "run", again, end, worker=by),
    ]
    told.jobs.append(job(number, at, end))


def asyncio_way(jobs: int = 20, title: str = "asyncio") -> Trace:
    """One loop: who is ready queues for it, and goes on when it is free."""
    told = _Told([worker(1, 1, "loop", "event loop")])
    ready: list[tuple[float, int, bool]] = [(0.0, number, False) for number in range(jobs)]
    free, began = 0.0, [0.0] * jobs
    while ready:
        since, number, waited = heappop(ready)
        start = max(free, since)
        free = start + CPU_MS
        if start > since:
            told.segments.append(segment(number, "ready" if waited else "queue", since, start))
        told.segments.append(segment(number, "run", start, free))
        if waited:
            told.jobs.append(job(number, began[number], free))
        else:
            began[number] = start
            told.segments.append(segment(number, "wait", free, free + WAIT_MS))
            heappush(ready, (free + WAIT_MS, number, True))
    told.jobs.sort(key=lambda each: each.number)
    return told.trace(title)


def threads_way(jobs: int = 2, cpu_ms: float = 40, title: str = "threads") -> Trace:
    """Threads that only compute and share a lock: it goes round every 5 ms."""
    told = _Told([worker(1, 1 + number, "thread", f"thread {1 + number}") for number in range(jobs)])
    left, at, ended = [cpu_ms] * jobs, 0.0, [0.0] * jobs
    while any(left):
        for number in range(jobs):
            if left[number]:
                length = min(5, left[number])
                waited = ended[number]
                if at > waited:
                    told.segments.append(segment(number, "gil", waited, at, worker=number))
                told.segments.append(segment(number, "run", at, at + length, worker=number))
                left[number] -= length
                at += length
                ended[number] = at
    told.jobs += [job(number, 0, ended[number]) for number in range(jobs)]
    return told.trace(title)


def every_way(jobs: int = 20) -> dict[str, Trace]:
    """Fourteen recordings by the names of the models."""
    ways = {
        "sequential": sequential_way(jobs),
        "threads": threads_way(jobs, 10),
        "thread_pool": threads_way(8, 25),
        "processes": processes_way(jobs),
        "process_pool": pool_way(jobs),
        "asyncio_blocking": sequential_way(jobs),
    }
    loops = ("asyncio", "anyio", "trio", "to_thread", "greenlet", "gevent", "eventlet", "interpreters")
    return ways | {name: asyncio_way(jobs, name) for name in loops}
