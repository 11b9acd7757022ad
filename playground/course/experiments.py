"""Trying somebody's jobs in one way or in several: each in a process of its own, recorded in real time.

What is asked of such a try is a count, an order or a share of its recording, so that no answer depends on how fast a
machine is or who else works on it. Where a system does not tell a share, the shape of the recording is asked instead.
This module knows nothing of exercises.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

from playground.course.exercise import Attempt, Judge
from playground.course.takes import Take
from playground.course.trials import Tried
from playground.errors import ModelError
from playground.models.workload import Workload
from playground.trace import Segment, Trace
from playground.views.wording import duration

__all__ = [
    "LIMIT_S",
    "a_workload",
    "computes_in_parallel",
    "computing_s",
    "jobs_take",
    "most_computing",
    "named_ways",
    "try_models",
    "waiting_s",
]

LIMIT_S: Final = 20.0
"""Real time for one try. What an exercise asks for takes half a second at most, on a machine that has nothing else to
do."""

_IN_PARALLEL: Final = 0.1
"""Of the time in which one could compute, the share in which two could: threads that take turns do not come near it,
and processes do, though each is begun a while after the one before it."""
_LEAST_SHARE: Final = 0.05
"""Of the time of all computing: what is less is where one stops and the next goes on, known to half a unit of work."""


def a_workload(name: str) -> Take:
    """A workload."""
    advice = "write it as Workload(jobs=1, cpu_s=0.01, wait_s=0.09)."
    return Take(name, "a Workload", lambda value: isinstance(value, Workload), advice)


def try_models(workload: Any, *models: str, workers: int | None = None, limit_s: float | None = None) -> list[Tried]:
    """Carry out a workload in these ways; see `playground.experiment`.

    Returns:
        a try for each, its result the list of the jobs' results; one that failed if it could not be begun at all.
    """
    from playground.models.experiment import experiment  # where there are no processes, it may not be there

    try:
        runs = experiment(workload, models, timeout_s=limit_s or LIMIT_S, workers=workers)
    except ModelError as error:
        return [Tried(None, error=error)]
    return [_tried(run) for run in runs.values()]


def named_ways(names: Iterable[str], tries: Iterable[Tried]) -> dict[str, Trace]:
    """The tries' recordings by these names: for a picture of all of them."""
    return {name: tried.trace for name, tried in zip(names, tries, strict=False) if tried.trace is not None}


def _tried(run: Any) -> Tried:
    failures = [*([run.failure] if run.failure else []), *run.errors.values()]
    error, place = (failures[0].exception(), failures[0].place) if failures else (None, "")
    return Tried(run.trace, run.results, (), error, run.ending == "timed out", place)


def waiting_s(trace: Trace) -> float:
    """How long jobs waited, asleep or for I/O, all together."""
    return sum(each.end_ns - each.start_ns for each in trace.segments if each.kind == "wait") / 1e9


def computing_s(trace: Trace) -> float:
    """The processor time of the jobs, all together."""
    return sum(each.cpu_ns or 0 for each in trace.segments if each.kind == "run") / 1e9


def computes_in_parallel(trace: Trace) -> bool:
    """Whether two jobs could compute at one moment, for a tenth of the time at least.

    A system that does not tell why a thread stood still cannot say. Then it goes by what two interpreters can do.
    """
    share = trace.parallel_share
    if share is not None:
        return share >= _IN_PARALLEL
    interpreters = {trace.workers[each.worker].process for each in trace.segments}
    return len(interpreters) > 1 and trace.max_overlap > 1


def most_computing(trace: Trace) -> int:
    """How many jobs computed at one moment, at most; what takes no time to speak of is left out."""
    lasted_ns = _lasted_ns(each for each in trace.segments if each.kind == "run")
    least_ns = _LEAST_SHARE * sum(lasted_ns.values())
    return max((count for count in lasted_ns if _as_many(lasted_ns, count) >= least_ns), default=0)


def _as_many(lasted_ns: dict[int, int], count: int) -> int:
    return sum(each_ns for many, each_ns in lasted_ns.items() if many >= count)


def _lasted_ns(runs: Iterable[Segment]) -> dict[int, int]:
    """For how long so many ran at once, by how many."""
    moves = sorted(move for each in runs for move in ((each.start_ns, 1), (each.end_ns, -1)))
    lasted: dict[int, int] = {}
    running = 0
    for (at_ns, change), (next_ns, _) in pairwise(moves):
        running += change
        if running and next_ns > at_ns:
            lasted[running] = lasted.get(running, 0) + next_ns - at_ns
    return lasted


def jobs_take(least_s: float) -> Judge:
    """Each job is there for so long: on a slow machine it is longer, and never shorter."""

    def judge(attempt: Attempt) -> str | None:
        took_ns = min((job.ended_ns or 0) - (job.started_ns or 0) for job in attempt.trace.jobs)
        return None if took_ns / 1e9 >= least_s else f"the shortest was over after {duration(took_ns)}."

    return judge
