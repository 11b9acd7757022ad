"""A step that took long, as a block: how much of it counts, and at which line it stood for the longest time.

What counts is wall time less the time in which the thread could not run. It knows one step and the looks at it, and
which waits of jobs lie within one; others decide how long is too long.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence

from playground.trace.job_rows import Segment, Worker
from playground.trace.looks import Look, inside
from playground.trace.rows import Block, Sample, Site, Step

__all__ = ["block_of", "waits_held"]


def waits_held(
    segments: Iterable[Segment], workers: Sequence[Worker], starts: Sequence[int], durations: Sequence[int]
) -> dict[int, int]:
    """Waits within which a loop did nothing else, since it was in one step all the while.

    Args:
        segments, workers: the tables.
        starts, durations: of all steps, in nanoseconds.

    Returns:
        the step's index, by the segment's.
    """
    held: dict[int, int] = {}
    for index, segment in enumerate(segments):
        if segment.kind == "wait" and workers[segment.worker].kind == "loop":
            step = bisect_right(starts, segment.start_ns) - 1
            if step >= 0 and segment.end_ns <= starts[step] + durations[step]:
                held[index] = step
    return held


def block_of(index: int, step: Step, samples: Sequence[Sample], slept_ns: int = 0) -> Block:
    """What a step is as a block.

    Args:
        index: its own in `trace.steps`.
        step: the step.
        samples: the looks at it, in order.
        slept_ns: how long it is known to have waited within it. A sleep ends when it was to end, though the thread had
            queued for a processor before it slept: of that time, queueing took nothing that the sleep would not have.
    """
    delays = [sample.delay_ns for sample in samples if sample.delay_ns is not None]
    delayed_ns = max(0, min(delays[-1] - delays[0], step.duration_ns - slept_ns)) if delays else 0
    lock_ns = max((sample.lock_ns for sample in samples if sample.lock_ns is not None), default=0)
    lock_ns = max(0, min(lock_ns, step.duration_ns - slept_ns - delayed_ns))
    collected_ns = max((sample.collected_ns for sample in samples if sample.collected_ns is not None), default=0)
    collected_ns = max(0, min(collected_ns, step.duration_ns - slept_ns - delayed_ns - lock_ns))
    duration_ns = step.duration_ns - delayed_ns - lock_ns - collected_ns
    looks = list(inside(step, samples))
    site, call, seen_ns = _longest(looks) if looks else (step.site, "", 0)
    return Block(
        task=step.task,
        start_ns=step.start_ns,
        duration_ns=duration_ns,
        woken_by=step.woken_by,
        outcome=step.outcome,
        site=site,
        step=index,
        delayed_ns=delayed_ns,
        samples=sum(sample.site is not None for sample in samples),
        call=call,
        held_ns=min(seen_ns, duration_ns),
        lock_ns=lock_ns,
        collected_ns=collected_ns,
    )


def _longest(looks: list[Look]) -> tuple[Site, str, int]:
    """The line at which most time was spent, the call that took most of it there, and how long that line had."""
    lines: Counter[Site] = Counter()
    calls: Counter[tuple[Site, str]] = Counter()
    for look in looks:
        lines[look.site] += look.ran_ns
        calls[look.site, look.call] += look.ran_ns
    ((site, held_ns),) = lines.most_common(1)
    return site, max((call for call in calls if call[0] == site), key=calls.__getitem__)[1], held_ns
