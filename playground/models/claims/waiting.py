"""Jobs that compute and wait, awaited one after another and all together, for waits of several lengths.

It measures in a child of its own, on an event loop of the standard library, and judges nothing. Computing is a fixed
count of units, so that a job that is held up takes longer and does not do less.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter_ns
from typing import Literal

from playground.models.claims.rounds import in_turn, uncollected
from playground.models.units import loops_of_a_unit, unit, units_of

__all__ = ["Way", "time_waits"]

Way = Literal["in a row", "together"]


@dataclass(frozen=True, slots=True)
class _Job:
    """Half of the computing, the wait, the other half."""

    loops: int
    wait_s: float

    async def __call__(self) -> None:
        unit(self.loops)
        await asyncio.sleep(self.wait_s)
        unit(self.loops)


async def _timed(way: Way, job: _Job, jobs: int) -> float:
    start_ns = perf_counter_ns()
    if way == "together":
        await asyncio.gather(*(job() for _ in range(jobs)))
    else:
        for _ in range(jobs):
            await job()
    return perf_counter_ns() - start_ns


def time_waits(
    jobs: int, cpu_s: float, waits_s: Sequence[float], rounds: int, tell: Callable[[], object] | None = None
) -> dict[tuple[Way, float], list[float]]:
    """What all jobs took in each round, in ns, by the way they were awaited and the length of their waits.

    After each measurement, `tell` is called.
    """
    loops = loops_of_a_unit() * units_of(cpu_s / 2)
    loop = asyncio.new_event_loop()
    ways: tuple[Way, Way] = ("in a row", "together")

    def timed(way: Way, wait_s: float) -> float:
        return loop.run_until_complete(_timed(way, _Job(loops, wait_s), jobs))

    measures: dict[tuple[Way, float], Callable[[], float]] = {
        (way, wait_s): partial(timed, way, wait_s) for wait_s in waits_s for way in ways
    }
    try:
        with uncollected():
            return in_turn(measures, rounds, tell)
    finally:
        loop.close()
