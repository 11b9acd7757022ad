"""What a way to run jobs did, in words: how long it took, how many went on at once, and what became of the processor.

Each number is counted from the recording's segments; what these do not tell is said, or left out. How they are drawn is
for others to know.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from playground.trace import JobOutcome, SegmentKind, Trace, WorkerKind
from playground.views.wording import counted, duration, one_line

__all__ = ["core_each", "told_of"]

_WANTED: Final[frozenset[SegmentKind]] = frozenset({"run", "ready", "gil", "preempt", "off_cpu"})
"""Segments in which a job would run if it could."""

_NOUNS: Final[dict[WorkerKind, str]] = {
    "process": "process",
    "thread": "thread",
    "loop": "event loop",
    "green": "thread of green threads",
}
_PLURALS: Final = {"process": "processes", "thread of green threads": "threads of green threads"}
_OUTCOMES: Final[dict[JobOutcome, str]] = {"raised": "raised", "cancelled": "cancelled", "pending": "not over"}

# Shares are told to a hundredth; what is less than half of one is none.
_LEAST: Final = 0.005


def told_of(trace: Trace) -> str:
    """A line: `80 ms · 2 jobs at once on 2 threads · had a processor 52% of the time they wanted one · ...`."""
    return " · ".join([*_time(trace), *_told(trace)])


def _time(trace: Trace) -> Iterator[str]:
    """How long it took; of a way that did not come to its end, first why not."""
    if trace.ending:
        yield one_line(trace.ending)
    if trace.duration_ns or not trace.ending:
        yield f"stopped at {duration(trace.duration_ns)}" if trace.ending else duration(trace.duration_ns)


def _told(trace: Trace) -> Iterator[str]:
    yield f"{_at_once(trace)}{_on(trace)}"
    workers = len({segment.worker for segment in trace.segments})
    if trace.max_overlap > 1 and workers == 1:
        yield "taking turns"
    elif trace.max_overlap > 1 and (share := core_each(trace)) is not None:
        yield f"had a processor {share:.0%} of the time they wanted one"
    if workers > 1:
        yield _parallel(trace.parallel_share)
    if trace.gil_share is not None and trace.gil_share >= _LEAST:
        yield f"{trace.gil_share:.0%} waiting for the GIL"
    ends = Counter(job.outcome for job in trace.jobs)
    known = {"pending"} if trace.ending else set()  # how many were over stands in the ending
    yield from (f"{ends[each]:,} {words}" for each, words in _OUTCOMES.items() if ends[each] and each not in known)
    if trace.dropped:
        yield f"{counted(trace.dropped, 'row')} lost"


def _at_once(trace: Trace) -> str:
    jobs, most = len(trace.jobs), trace.max_overlap
    told = counted(jobs, "job")
    if jobs < 2:
        return told
    if most == jobs:
        return f"{told} at once"
    return f"{told}, one at a time" if most == 1 else f"{told}, up to {most:,} at once"


def _on(trace: Trace) -> str:
    """Who carried them out, by kind."""
    used = sorted({segment.worker for segment in trace.segments})
    nouns = Counter(_NOUNS[trace.workers[worker].kind] for worker in used)
    told = [f"{count:,} {noun if count == 1 else _PLURALS.get(noun, f'{noun}s')}" for noun, count in nouns.items()]
    return f" on {' and '.join(told)}" if told else ""


def core_each(trace: Trace) -> float | None:
    """Of the time in which jobs wanted to run, the share in which they had a processor: 0 to 1; `None` if not known."""
    wanted_ns = sum(each.end_ns - each.start_ns for each in trace.segments if each.kind in _WANTED)
    spent = [segment.cpu_ns for segment in trace.segments if segment.kind == "run"]
    known = [cpu_ns for cpu_ns in spent if cpu_ns is not None]
    return min(1.0, sum(known) / wanted_ns) if wanted_ns and len(known) == len(spent) else None


def _parallel(share: float | None) -> str:
    if share is None:
        return "parallel or not cannot be told from what was recorded"
    return f"could run in parallel {share:.0%} of the time" if share >= _LEAST else "never in parallel"
