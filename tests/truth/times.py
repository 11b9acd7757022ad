"""What every recording must hold to, whatever was recorded: no row lies outside the run.

It looks at moments only, as columns, so that a recording of a million steps can be held to it too.
"""

from collections.abc import Iterator, Sequence
from operator import add, sub
from typing import Any, Final

from playground.trace import Trace
from playground.trace.table import column
from playground.trace.tables import NO_INT

__all__ = ["check_times"]

_MOMENTS: Final = {
    "steps": ("start_ns",),
    "samples": ("at_ns",),
    "waits": ("start_ns", "end_ns"),
    "tasks": ("created_ns", "ended_ns"),
    "handoffs": ("submitted_ns", "started_ns", "ended_ns", "woken_ns"),
    "requests": ("start_ns", "end_ns"),
    "spans": ("start_ns", "end_ns"),
}


def check_times(trace: Trace) -> None:
    """No moment of any row lies before the run's start or after its end; raises `AssertionError` if one does."""
    for name, moments in _all(trace):
        known = [moment for moment in moments if moment != NO_INT]
        earliest, latest = min(known, default=0), max(known, default=0)
        assert earliest >= 0, f"{name}: expected no moment before the run, found {earliest}"
        assert latest <= trace.duration_ns, f"{name}: expected none after {trace.duration_ns}, found {latest}"


def _all(trace: Trace) -> Iterator[tuple[str, Sequence[int]]]:
    def numbers(table: str, field: str) -> Sequence[int]:
        rows: Any = getattr(trace, table)
        return column(rows, table, field)

    for table, fields in _MOMENTS.items():
        for field in fields:
            yield f"{table}.{field}", numbers(table, field)
    steps = map(add, numbers("steps", "start_ns"), numbers("steps", "duration_ns"))
    yield "the ends of steps", list(steps)
    calls = map(sub, numbers("handoffs", "submitted_ns"), numbers("handoffs", "limiter_wait_ns"))
    yield "the beginnings of queues for a thread", list(calls)
    yield "messages.at_ns", [message.at_ns for request in trace.requests for message in request.messages]
