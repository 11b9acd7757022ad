"""What was seen inside a long step: the looks at its line, each with the stretch of time that it stands for.

Looks are not evenly spaced: a thread that sleeps is seen every 5 ms, one that computes lets the sampler in less
often. So it is time that counts and not looks. It knows one step and its samples, and judges nothing.
"""

import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from playground.code import is_own
from playground.trace.rows import Sample, Site, Step

__all__ = ["STARTING", "Look", "inside", "is_library"]


STARTING: Final = "threading.Thread.start"
"""What is told in a library's place where the thread waited for a new one to come up: the system lets that wait."""

_ELSEWHERE: Final = re.compile(r"[/\\](site-packages|dist-packages|python3\.\d+)[/\\]")
"""Where libraries stand on the machine on which a recording was made, if it was another."""
_DEMO: Final = re.compile(r"[/\\]playground[/\\]demo\.py$")
"""The demo's app stands in for a user's, also where we are installed as a library."""


def is_library(site: Site) -> bool:
    """Whether a line is a library's, and not the user's own; one below the working directory has a relative path."""
    if _DEMO.search(site.file):
        return False
    return not is_own(os.path.abspath(site.file)) or _ELSEWHERE.search(site.file) is not None


class Look(NamedTuple):
    """A stretch of a long step in which every look found the same line and call.

    `delayed_ns` is the part of it in which the thread could not run, as far as that is known: because the system did
    not run it, because another thread had the interpreter, or because the garbage collector ran.
    """

    start_ns: int
    end_ns: int
    site: Site
    call: str
    delayed_ns: int = 0

    @property
    def ran_ns(self) -> int:
        """How long the thread ran or slept there."""
        return max(0, self.end_ns - self.start_ns - self.delayed_ns)


def inside(step: Step, samples: Sequence[Sample]) -> Iterator[Look]:
    """What was seen inside one step: a run of equal looks becomes one stretch, and these cover the step.

    A look tells what ran at its moment and nothing of the time between two looks. So two different stretches
    meet half-way between the looks that differ, where the edge is wrong by no more than half that distance;
    the first reaches back to the step's start and the last on to its end. A call shorter than the distance
    between two looks may be missing.
    """
    delays = [(sample.at_ns, sample.delay_ns) for sample in samples if sample.delay_ns is not None]
    locks = [(sample.at_ns, sample.lock_ns) for sample in samples if sample.lock_ns is not None]
    locks = [(step.start_ns, 0), *locks] if locks else []
    collections = [(sample.at_ns, sample.collected_ns) for sample in samples if sample.collected_ns is not None]
    looks = [(sample.site, sample.call, sample.at_ns) for sample in samples if sample.site is not None]
    runs = [list(run) for _, run in groupby(looks, key=lambda look: look[:2])]
    start_ns = step.start_ns
    for place, run in enumerate(runs, 1):
        site, call, last_ns = run[-1]
        end_ns = max(start_ns, (last_ns + runs[place][0][2]) // 2 if place < len(runs) else step.end_ns)
        delayed_ns = sum(_sum_at(sums, end_ns) - _sum_at(sums, start_ns) for sums in (delays, locks, collections))
        yield Look(start_ns, end_ns, site, call, delayed_ns)
        start_ns = end_ns


def _sum_at(readings: list[tuple[int, int]], moment_ns: int) -> int:
    """What would have been read of a sum of delays at a moment: between two readings, in proportion."""
    after = bisect_right(readings, moment_ns, key=lambda reading: reading[0])
    if after in (0, len(readings)):
        return readings[after - bool(after)][1] if readings else 0
    (from_ns, low), (to_ns, high) = readings[after - 1], readings[after]
    return low + (high - low) * (moment_ns - from_ns) // (to_ns - from_ns)
