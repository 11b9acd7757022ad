"""The rules that find jobs of a workload that came to no good end: those that raised, and those that never ended.

It says what the recording holds: how many, and what the first of them raised. Why, it does not hold.
"""

from collections.abc import Sequence

from playground.trace import Trace
from playground.views.findings import Evidence, Finding, Part, Rule, code, plain, strong, text
from playground.views.wording import counted, one_line

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
    told = [strong(f"{_never(trace, indexes)}; {_begun(trace, indexes)}."), text(" ")]
    if trace.ending:
        told.append(text(f"The whole of it ended so: {one_line(trace.ending)}. "))
    return _finding(trace, "job-pending", indexes, told, [text("See "), code("run.ending"), text(".")])


def _never(trace: Trace, indexes: Sequence[int]) -> str:
    """`The job never ended`, `Neither of the 2 jobs ended`, `None of the 3 jobs ended`, `1 of 3 jobs never ended`."""
    total = len(trace.jobs)
    if total == 1 or len(indexes) < total:
        return f"{_of(trace, indexes)} never ended"
    return f"{'Neither' if total == 2 else 'None'} of the {total:,} jobs ended"


def _begun(trace: Trace, indexes: Sequence[int]) -> str:
    begun, total = sum(trace.jobs[at].started_ns is not None for at in indexes), len(indexes)
    if total == 1:
        return "it had begun" if begun else "it had not begun"
    if begun == total:
        return "both had begun" if total == 2 else "all had begun"
    if not begun:
        return "neither had begun" if total == 2 else "none had begun"
    return f"{begun:,} of them had begun"


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
