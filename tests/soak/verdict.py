"""Whether a row of readings grows: the slope of its second half, and how sure that slope is.

The slope is Theil's and Sen's (the median of the slopes between all pairs), which a garbage collection or a burst at a
reading does not move, and its bounds are Sen's (1968), from the variance of Kendall's rank correlation. The first half
is not judged: there caches fill and pools reach their size. What is read, this module does not know.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

__all__ = ["MIN_READINGS", "Verdict", "judged"]

MIN_READINGS: Final = 12
"""Fewer leave a second half of less than six, of which almost nothing can be said at this confidence."""
_Z: Final = 1.96
"""Quantile of the normal distribution for a confidence of 95 % on two sides."""


@dataclass(frozen=True)
class Verdict:
    """What the second half of a row of readings did, in the readings' own unit.

    Attributes:
        drift: by how much it grew from its first to its last reading, by the slope.
        low: the least growth that its noise allows, with 95 % confidence.
        high: the most.
        allowed: what passes as flat.
    """

    drift: float
    low: float
    high: float
    allowed: float

    @property
    def word(self) -> Literal["flat", "grows", "unclear"]:
        """`flat` if it surely grows by no more than is allowed, `grows` if it surely grows and by more than that."""
        if self.high <= self.allowed:
            return "flat"
        return "grows" if self.low > 0 and self.drift > self.allowed else "unclear"


def judged(readings: Sequence[float], allowed: float) -> Verdict:
    """The verdict on readings at even intervals.

    Raises:
        ValueError: there are fewer than `MIN_READINGS`.
    """
    if len(readings) < MIN_READINGS:
        raise ValueError(f"expected at least {MIN_READINGS} readings to judge, got {len(readings)}: soak for longer")
    half = list(enumerate(readings))[len(readings) // 2 :]
    count = len(half)
    slopes = sorted((b - a) / (j - i) for (i, a), (j, b) in combinations(half, 2))
    pairs = len(slopes)
    spread = _Z * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = slopes[max(0, math.floor((pairs - spread) / 2))]
    high = slopes[min(pairs - 1, math.ceil((pairs + spread) / 2))]
    length = count - 1
    return Verdict(statistics.median(slopes) * length, low * length, high * length, allowed)
