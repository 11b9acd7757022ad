"""A step that took long, as a block: how much of it counts, and at which line it stood for the longest time.

What counts is wall time less the time in which the thread could not run. It knows one step and the looks at it; others
decide how long is too long.
"""

from collections import Counter
from collections.abc import Sequence

from playground.trace.looks import Look, inside
from playground.trace.rows import Block, Sample, Site, Step

__all__ = ["block_of"]


def block_of(index: int, step: Step, samples: Sequence[Sample]) -> Block:
    """What a step is as a block; `index` is its own in `trace.steps`, `samples` are the looks at it, in order."""
    delays = [sample.delay_ns for sample in samples if sample.delay_ns is not None]
    delayed_ns = delays[-1] - delays[0] if delays else 0
    lock_ns = max((sample.lock_ns for sample in samples if sample.lock_ns is not None), default=0)
    lock_ns = max(0, min(lock_ns, step.duration_ns - delayed_ns))
    collected_ns = max((sample.collected_ns for sample in samples if sample.collected_ns is not None), default=0)
    collected_ns = max(0, min(collected_ns, step.duration_ns - delayed_ns - lock_ns))
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
