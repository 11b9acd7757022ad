"""The jobs of a recording as tracks of a Chrome trace: one for each lane that the stacked view has.

It decides which tracks there are and what a slice tells; how a file is put together is the affair of `chrome`.
"""

from collections.abc import Iterator
from typing import Any

from playground.trace import Trace
from playground.views.kinds import kinds_of_jobs
from playground.views.lanes import Row
from playground.views.stacked import stack
from playground.views.whats import What

__all__ = ["job_tracks"]

_Slice = tuple[int, dict[str, Any]]
"""The moment in nanoseconds, and the event without it, but for its length, which is `dur_ns`."""


def job_tracks(trace: Trace) -> list[tuple[str, Iterator[_Slice]]]:
    """The name of each track, and what stands on it, in order of time; none where there are no jobs."""
    if not trace.jobs:
        return []
    stacked = stack({trace.title: trace})
    whats, (way,) = stacked.laid.whats, stacked.ways
    return [(row.name, _slices(trace, row, whats)) for row in way.rows]


def _slices(trace: Trace, row: Row, whats: tuple[What, ...]) -> Iterator[_Slice]:
    kinds = kinds_of_jobs()
    columns = (row.starts, row.ends, row.kinds, row.whats, row.requests)
    for start_ns, end_ns, kind, what, job in zip(*columns, strict=True):
        args: dict[str, Any] = {"state": kinds[kind].words, "job": trace.jobs[job].number}
        if told := whats[what].text:
            args["processor"] = told
        yield start_ns, {"ph": "X", "name": whats[what].name, "cat": "job", "dur_ns": end_ns - start_ns, "args": args}
