"""What was seen inside a long step: the looks at its line, each with the stretch of time that it stands for.

Looks are not evenly spaced: a thread that sleeps is seen every 5 ms, one that computes lets the sampler in less
often. So it is time that counts and not looks. It knows one step and its samples, and judges nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from playground.trace.rows import Sample, Site, Step

__all__ = ["Look", "inside"]


class Look(NamedTuple):
    """A stretch of a long step in which every look found the same line and call."""

    start_ns: int
    end_ns: int
    site: Site
    call: str

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns


def inside(step: Step, samples: Sequence[Sample]) -> Iterator[Look]:
    """What was seen inside one step: a run of equal looks becomes one stretch, and these cover the step.

    A look tells what ran at its moment and nothing of the time between two looks. So two different stretches
    meet half-way between the looks that differ, where the edge is wrong by no more than half that distance;
    the first reaches back to the step's start and the last on to its end. A call shorter than the distance
    between two looks may be missing.
    """
    looks = [(sample.site, sample.call, sample.at_ns) for sample in samples if sample.site is not None]
    runs = [list(run) for _, run in groupby(looks, key=lambda look: look[:2])]
    start_ns = step.start_ns
    for place, run in enumerate(runs, 1):
        site, call, last_ns = run[-1]
        end_ns = (last_ns + runs[place][0][2]) // 2 if place < len(runs) else step.end_ns
        yield Look(start_ns, max(start_ns, end_ns), site, call)
        start_ns = max(start_ns, end_ns)
