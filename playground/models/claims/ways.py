"""Jobs that only wait and jobs that only compute, in a row, in threads and in processes: how long, and how parallel.

Each is carried out by `experiment`, round by round in turn, each time in a process of its own. It also tells how many
processors this process may use. It judges nothing.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from playground.errors import ModelError
from playground.models.claims.away import NotTriedError
from playground.models.claims.rounds import in_turn
from playground.models.claims.shown import Measuring
from playground.models.experiment import experiment
from playground.models.run import ModelRun
from playground.models.workload import Workload

__all__ = ["CPU", "IO", "WAYS", "Timed", "has_lock", "processors", "time_ways"]

IO: Final = "I/O-bound"
CPU: Final = "CPU-bound"
WAYS: Final = ("sequential", "threads", "processes")
_TIMEOUT_S: Final = 60.0
_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True)
class Timed:
    """What the rounds of one way with one kind of job came to.

    Attributes:
        walls_ns: how long all jobs took, for each round.
        parallel_share: of the time in which somebody could compute, the share in which two could; the median of the
            rounds, or `None` where it is not known.
        gil_share: of the time in which jobs wanted to compute, the share that they waited for the interpreter's lock.
        processors: how many processors the jobs had on average; `None` where that is not known.
    """

    walls_ns: list[float]
    parallel_share: float | None
    gil_share: float | None
    processors: float | None


def processors(quota: Path = _QUOTA) -> float:
    """How many processors this process may use: those of the machine, of its mask, or of its container's share."""
    found = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    try:
        share, period = quota.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return found
    return found if share == "max" else min(found, int(share) / int(period))


def has_lock() -> bool:
    """Whether threads of this Python take turns: a free-threaded one has no lock of the interpreter's."""
    enabled: Callable[[], bool] | None = getattr(sys, "_is_gil_enabled", None)  # from 3.13 on
    return True if enabled is None else enabled()


def time_ways(jobs: int, cpu_s: float, wait_s: float, rounds: int) -> dict[tuple[str, str], Timed]:
    """Carry out both kinds of job in all ways, by (kind, way); how far that has got is shown.

    Raises:
        NotTriedError: a way does not work here, or did not come to its end.
    """
    kinds = {IO: Workload(jobs=jobs, cpu_s=0, wait_s=wait_s), CPU: Workload(jobs=jobs, cpu_s=cpu_s, wait_s=0)}
    runs: dict[tuple[str, str], list[ModelRun]] = {(kind, way): [] for kind in kinds for way in WAYS}

    def timed(kind: str, way: str) -> float:
        run = _carried_out(kinds[kind], way)
        runs[kind, way].append(run)
        return run.wall_s * 1e9

    with Measuring(len(runs) * rounds) as shown:
        found = in_turn({key: partial(timed, *key) for key in runs}, rounds, shown.one_more)
    return {key: _summed(found[key], runs[key]) for key in runs}


def _carried_out(workload: Workload, way: str) -> ModelRun:
    try:
        run = experiment(workload, [way], timeout_s=_TIMEOUT_S)[way]
    except ModelError as error:
        raise NotTriedError(f"This cannot be tried here: {error}.") from error
    if run.ending != "returned" or run.errors:
        why = run.failure or next(iter(run.errors.values()), "")
        raise NotTriedError(f"The jobs were not all done in the model {way}, which {run.ending}: {why}")
    return run


def _summed(walls_ns: list[float], runs: list[ModelRun]) -> Timed:
    return Timed(
        walls_ns,
        _median([run.parallel_share for run in runs]),
        _median([run.gil_share for run in runs]),
        _median([_processors_had(run) for run in runs]),
    )


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if len(known) == len(values) else None


def _processors_had(run: ModelRun) -> float | None:
    """Processor time over time, from the first job's start to the last one's end."""
    cpu = [segment.cpu_ns for segment in run.trace.segments if segment.kind == "run"]
    known = [cpu_ns for cpu_ns in cpu if cpu_ns is not None]
    return sum(known) / (run.wall_s * 1e9) if len(known) == len(cpu) and run.wall_s else None
