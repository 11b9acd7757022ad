"""What the differences between two runs come to, in words: who answered sooner, how often, by how much.

The threshold that the words name is taken from the differences: of the round figures 1, 2 and 5, the greatest that at
least half of those beyond the noise reach. It decides what may be concluded from numbers; which numbers are
differences, and how much is noise, is decided in `pairs`.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final

from playground.views.wording import duration

__all__ = ["round_down_ns", "round_up_ns", "verdict"]

_CHANCE: Final = 20
"""Of so many differences one may exceed the noise by chance: see `playground.views.pairs.noise_ns`."""


def verdict(first: str, other: str, later_ns: Sequence[int], noise_ns: int, link: str = "; ") -> str:
    """What the differences of one run to the first say, without a full stop.

    Args:
        first, other: the letters of the runs.
        later_ns: for each pair of requests, how much later the other run answered it.
        noise_ns: up to what difference nothing is concluded.
        link: what stands before what is said of the few that went the other way.
    """
    sooner = [-ns for ns in later_ns if ns < -noise_ns]
    later = [ns for ns in later_ns if ns > noise_ns]
    if _CHANCE * (len(sooner) + len(later)) <= len(later_ns) if noise_ns else not (sooner or later):
        return _alike(first, other, later_ns, noise_ns)
    if (len(later), sum(later)) > (len(sooner), sum(sooner)):
        return _moved(first, other, later, "later", [-ns for ns in later_ns], "sooner", noise_ns, link)
    return _moved(first, other, sooner, "sooner", list(later_ns), "later", noise_ns, link)


def _alike(first: str, other: str, later_ns: Sequence[int], noise_ns: int) -> str:
    if not any(later_ns):
        return f"{other} answers {_all(len(later_ns))} exactly as fast as {first}"
    noise = f"the recordings' own noise, {duration(noise_ns)}"
    beyond = [abs(ns) for ns in later_ns if abs(ns) > noise_ns]
    if not beyond:
        return f"{other} answers {_all(len(later_ns))} as fast as {first}: no difference exceeds {noise}"
    who = f"{len(later_ns) - len(beyond):,} of {len(later_ns):,} requests"
    most = duration(max(beyond))
    more = f"1 differs by more, {most}" if len(beyond) == 1 else f"{len(beyond):,} differ by more, {most} at most"
    return f"{other} answers {who} as fast as {first}, within {noise}; {more}, which is no more than chance"


def _moved(
    first: str,
    other: str,
    moved_ns: Sequence[int],
    way: str,
    back_ns: Sequence[int],
    other_way: str,
    noise_ns: int,
    link: str,
) -> str:
    """Most went one way; `back_ns` are all differences, counted the other way."""
    if len(back_ns) == 1:
        return f"{other} answers the one request {duration(moved_ns[0])} {way} than {first}"
    least_ns = max(noise_ns, round_down_ns(round(median(moved_ns))))
    count = sum(ns >= least_ns for ns in moved_ns)
    who = _all(count) if count == len(back_ns) else f"{count:,} of {len(back_ns):,} requests"
    lead = f"{other} answers {who} at least {duration(least_ns)} {way} than {first}"
    return lead if count == len(back_ns) else f"{lead}{link}{_back(back_ns, other_way, noise_ns)}"


def _back(back_ns: Sequence[int], way: str, noise_ns: int) -> str:
    """What is said of those that went the other way."""
    worst_ns = max(back_ns)
    if worst_ns <= 0:
        return f"none is {way}"
    if worst_ns <= noise_ns:
        return f"none is {way} by more than {duration(round_up_ns(worst_ns))}"
    count = sum(ns > noise_ns for ns in back_ns)
    if count == 1:
        return f"1 is {way}, by {duration(worst_ns)}"
    return f"{count:,} are {way}, by {duration(worst_ns)} at most"


def _all(count: int) -> str:
    return "the one request" if count == 1 else "both requests" if count == 2 else f"all {count:,} requests"


def round_down_ns(ns: int) -> int:
    """The greatest of 1, 2 and 5 times a power of ten that is no greater."""
    power: int = 10 ** (len(str(max(1, ns))) - 1)
    return max(power * digit for digit in (1, 2, 5) if power * digit <= max(1, ns))


def round_up_ns(ns: int) -> int:
    """The least of 1, 2 and 5 times a power of ten that is no less."""
    power: int = 10 ** (len(str(max(1, ns))) - 1)
    return min(power * digit for digit in (1, 2, 5, 10) if power * digit >= max(1, ns))
