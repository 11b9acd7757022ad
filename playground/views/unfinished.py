"""The rules that find jobs of a workload that came to no good end: those that raised, and those that never ended.

It says what the recording holds: how many, and what the first of them raised. Why, it does not hold.
"""

from collections.abc import Sequence

from playground.trace import Trace
from playground.views.findings import Evidence, Finding, Part, Rule, code, plain, strong, text
from playground.views.wording import counted

__all__ = ["unfinished"]


def unfinished(trace: Trace) -> list[Finding]:
    """At most two findings: on the jobs that raised, and on those that had not ended when the recording did."""
    found = []
    if raised := [at for at, job in enumerate(trace.jobs) if job.outcome == "raised"]:
        found.append(_raised(trace, raised))
    if pending := [at for at, job in enumerate(trace.jobs) if job.outcome == "pending"]:
        found.append(_pending(trace, pending))
    return found


def _raised(trace: Trace, indexes: Sequence[int]) -> Finding:
    first = trace.jobs[indexes[0]]
    told = [strong(f"{_of(trace, indexes)} raised an exception."), text(" ")]
    if first.error is not None:
        head = "It was " if len(indexes) == 1 else "The first was "
        told += [text(head), code(first.error), text(". ")]
    see = [text("Where it was raised is told by the run: "), code(f"run.errors[{first.number}]"), text(".")]
    return _finding(trace, "job-raised", indexes, told, see)


def _pending(trace: Trace, indexes: Sequence[int]) -> Finding:
    begun = sum(trace.jobs[at].started_ns is not None for at in indexes)
    told = [strong(f"{_of(trace, indexes)} never ended."), text(f" Of these, {_count(begun)} had begun. ")]
    see = [text("How the whole of it ended is told by the run: "), code("run.ending"), text(".")]
    return _finding(trace, "job-pending", indexes, told, see)


def _count(number: int) -> str:
    return f"{number:,}" if number else "none"


def _of(trace: Trace, indexes: Sequence[int]) -> str:
    """`3 of 20 jobs`, `Each of 20 jobs`, `The job`."""
    total = len(trace.jobs)
    if total == 1:
        return "The job"
    return f"Each of {total:,} jobs" if len(indexes) == total else f"{len(indexes):,} of {counted(total, 'job')}"


def _finding(trace: Trace, rule: Rule, indexes: Sequence[int], told: list[Part], see: list[Part]) -> Finding:
    jobs = [trace.jobs[at] for at in indexes]
    starts = (job.submitted_ns if job.started_ns is None else job.started_ns for job in jobs)
    ends = (trace.duration_ns if job.ended_ns is None else job.ended_ns for job in jobs)
    evidence: tuple[Evidence, ...] = tuple(("jobs", at) for at in indexes)
    return Finding(rule, "bad", (*told, *see), min(starts), max(ends), evidence, plain(see))
