"""Whether a recording that somebody sent can have happened: what every one that was recorded keeps to.

Every view trusts that a loop takes one step after the other, that nothing ends before it begins, and that threads are
counted by the calls that they ran; a file that says otherwise would make them draw nonsense, or fill the memory with
lanes of threads that never were. It looks at columns only, and knows nothing of files.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from operator import add, le, lt
from typing import Any, Final

from playground.trace.checked import damaged
from playground.trace.table import Table
from playground.trace.tables import NO_INT, WORDS

__all__ = ["check_plausible"]

_LATEST_NS: Final = 1 << 62
"""146 years: sums of two moments still fit into 64 bits."""

_IN_ORDER: Final = {
    "tasks": ("created_ns", "ended_ns"),
    "waits": ("start_ns", "end_ns"),
    "handoffs": ("submitted_ns", "started_ns", "ended_ns", "woken_ns"),
    "requests": ("start_ns", "end_ns"),
    "spans": ("start_ns", "end_ns"),
    "jobs": ("submitted_ns", "started_ns", "ended_ns"),
    "segments": ("start_ns", "end_ns"),
    "messages": ("at_ns",),
    "samples": ("at_ns",),
    "losses": ("at_ns",),
}
"""The moments of each table's rows, in the order in which they come."""

_CALLBACK: Final = WORDS["StepOutcome"].index("callback")


def check_plausible(tables: "Mapping[str, Table[Any]]", duration_ns: int) -> None:
    """Refuse a recording that cannot have happened.

    Args:
        tables: all of its tables, by name.
        duration_ns: its length.

    Raises:
        TraceError: it cannot.
    """
    if not 0 <= duration_ns <= _LATEST_NS:
        raise damaged(f"a run of 0 to {_LATEST_NS:,} ns", f"one of {duration_ns:,}")
    _check_steps(tables["steps"].columns)
    for table, fields in _IN_ORDER.items():
        columns = tables[table].columns
        for field in fields:
            _check_moments(columns[field], f"{table}.{field}")
        for begins, ends in pairwise(fields):
            if not _is_in_order(columns[begins], columns[ends]):
                raise damaged(f"{table} whose {ends} comes after {begins}", "one that ends before it begins")
    for table in ("requests", "jobs"):
        if min(tables[table].columns["number"], default=0) < 0:
            raise damaged(f"{table} that are counted from 0", "a number below it")
    threads = tables["handoffs"].columns["thread"]
    if any(thread != NO_INT and not 0 <= thread < len(threads) for thread in threads):
        raise damaged(f"threads that {len(threads):,} hand-offs can have used", "another")


def _check_steps(columns: "Mapping[str, array[int]]") -> None:
    starts, durations, wakers = columns["start_ns"], columns["duration_ns"], columns["woken_by"]
    _check_moments(starts, "steps.start_ns")
    _check_moments(durations, "steps.duration_ns")
    if not all(map(le, map(add, starts, durations), starts[1:])):
        raise damaged("steps one after the other", "one that begins before another ends")
    if not all(map(lt, wakers, range(1, len(wakers) + 1))):
        raise damaged("steps that earlier ones made ready", "one that a later one did")
    if any(bool(task) == (outcome == _CALLBACK) for task, outcome in _pairs(columns["task"], columns["outcome"])):
        raise damaged("steps of tasks, and callbacks of none", "a step that is neither")


def _pairs(first: Sequence[int], second: Sequence[int]) -> Iterable[tuple[int, int]]:
    return zip(first, second, strict=True)


def _check_moments(column: "array[int]", name: str) -> None:
    earliest = min(column, default=0)
    if earliest == NO_INT:
        earliest = min((each for each in column if each != NO_INT), default=0)
    if earliest < 0 or max(column, default=0) > _LATEST_NS:
        raise damaged(f"moments from 0 to {_LATEST_NS:,} in {name}", "another")


def _is_in_order(begins: "array[int]", ends: "array[int]") -> bool:
    if all(map(le, begins, ends)):
        return True
    return all(NO_INT in (begin, end) or begin <= end for begin, end in _pairs(begins, ends))
