"""What a workload's segments say of a way to run it: was it parallel, what did the lock cost, how often did it switch.

Pure functions over rows: counts and shares of one recording, so that no answer depends on how fast a machine is. What
cannot be known is `None`. On a system that does not tell why a thread stood still (its segments are `off_cpu`), a wait
for the interpreter's lock and a processor taken away look the same; then neither share is known, and none is guessed.
It refuses to know how segments were recorded and what is said of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from playground.trace.job_rows import Segment, Worker

__all__ = ["gil_share", "parallel_share", "switches"]

_Change = tuple[int, int, str, int]
"""A moment, an interpreter or `_PRESENT`, what changes there, and by how many."""

_PRESENT: Final = -1
"""In an interpreter's place, where it is how many workers are there that changes."""


def parallel_share(segments: Sequence[Segment], workers: Sequence[Worker]) -> float | None:
    """Of the time in which at least one worker could compute, the share in which two or more could.

    A worker could compute while it ran, and while the system had taken its processor away: what eight other programs
    leave over says nothing of the model. But of one interpreter, a thread whose processor was taken away counts only
    while none of its other threads ran or was taken away too: it may have had the lock, and they may have not.
    What counts is the stretch in which at least two workers were there, from a worker's first such segment to its
    last; for two workers, that is the stretch common to both.

    Returns:
        0 to 1; 0 where no two workers were there at once; `None` where no segments were recorded, some are `off_cpu`,
        or of threads that share an interpreter the processor time is not known.
    """
    if not segments or _cannot_tell(segments) or _may_have_waited(segments, workers):
        return None
    could = [each for each in segments if each.kind in ("run", "preempt") and each.start_ns < each.end_ns]
    one_ns = two_ns = 0
    for length_ns, present, able in _stretches(could, workers):
        if present >= 2:
            one_ns += length_ns * (able >= 1)
            two_ns += length_ns * (able >= 2)
    return two_ns / one_ns if one_ns else 0.0


def gil_share(segments: Sequence[Segment]) -> float | None:
    """Of the time in which jobs computed or waited for their interpreter's lock, the share of that wait.

    Returns:
        0 to 1; `None` where no segments were recorded, some are `off_cpu`, or a run's processor time is not known.
    """
    runs = [segment.cpu_ns for segment in segments if segment.kind == "run"]
    known = [cpu_ns for cpu_ns in runs if cpu_ns is not None]
    if not segments or _cannot_tell(segments) or len(known) < len(runs):
        return None
    waited_ns = sum(segment.end_ns - segment.start_ns for segment in segments if segment.kind == "gil")
    return waited_ns / (waited_ns + sum(known)) if waited_ns else 0.0


def switches(segments: Iterable[Segment], workers: Sequence[Worker]) -> int:
    """How often an interpreter went from one job to another: by its jobs' runs, in order of their start."""
    jobs: dict[int, list[int]] = defaultdict(list)
    for segment in sorted((each for each in segments if each.kind == "run"), key=lambda each: each.start_ns):
        jobs[workers[segment.worker].process].append(segment.job)
    return sum(job != following for each in jobs.values() for job, following in pairwise(each))


def _may_have_waited(segments: Iterable[Segment], workers: Sequence[Worker]) -> bool:
    """Whether some that are said to have run may have waited for each other, for all that is known."""
    unknown = {each.worker for each in segments if each.kind == "run" and each.cpu_ns is None}
    threads = Counter(workers[worker].process for worker in unknown)
    return any(count > 1 for count in threads.values())


def _cannot_tell(segments: Iterable[Segment]) -> bool:
    return any(segment.kind == "off_cpu" for segment in segments)


def _stretches(could: Sequence[Segment], workers: Sequence[Worker]) -> Iterator[tuple[int, int, int]]:
    """Stretches of time, each with how many workers were there and how many of them could compute."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    able = 0
    for (moment_ns, process, what, by), (next_ns, *_) in pairwise(sorted(_changes(could, workers))):
        count = counts[process]
        able -= _able(count)
        count[what] += by
        able += _able(count)
        if next_ns > moment_ns:
            yield next_ns - moment_ns, counts[_PRESENT]["here"], able


def _changes(could: Sequence[Segment], workers: Sequence[Worker]) -> Iterator[_Change]:
    here: dict[int, tuple[int, int]] = {}
    for segment in could:
        process = workers[segment.worker].process
        yield segment.start_ns, process, segment.kind, 1
        yield segment.end_ns, process, segment.kind, -1
        first, last = here.get(segment.worker, (segment.start_ns, segment.end_ns))
        here[segment.worker] = min(first, segment.start_ns), max(last, segment.end_ns)
    for first, last in here.values():
        yield first, _PRESENT, "here", 1
        yield last, _PRESENT, "here", -1


def _able(count: "Counter[str]") -> int:
    """How many workers of one interpreter could compute: all that ran, else one of those that were interrupted."""
    return count["run"] or min(1, count["preempt"])
