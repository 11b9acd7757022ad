"""Where a request's time went, summed up: shares that add up to its duration to the nanosecond, and a sentence.

It adds and ranks what `spent` tells. However many there are, few are shown; the others are added up, so that nothing
is lost.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from playground.views.findings import Part, strong, text
from playground.views.spent import STATES, Spent, State
from playground.views.waterfall_words import LOOKS, Words
from playground.views.wording import duration, part_of

__all__ = ["Share", "sentence", "shares_of"]

# More than these are no summary.
_MOST_SHARES: Final = 12
# The sentence tells of no more than three, and of no more than it takes to tell of nine tenths of the time.
_MOST_TOLD: Final = 3
_ENOUGH: Final = 0.9


class Share(NamedTuple):
    """What one thing took of a request's time, in all; `words` follow on `spent 20 ms`."""

    state: State
    words: tuple[Part, ...]
    ns: int


def shares_of(spent: Spent, words: Words) -> list[Share]:
    """The shares, the greatest first. They add up to the request's duration."""
    sums: dict[tuple[State, tuple[Part, ...]], int] = {}
    said: dict[tuple[State, int | None, int | None], tuple[Part, ...]] = {}
    for piece in spent.pieces:
        key = piece.state, piece.span, piece.row
        if key not in said:
            said[key] = words.share(piece)
        share = piece.state, said[key]
        sums[share] = sums.get(share, 0) + piece.end_ns - piece.start_ns
    ranked = sorted(sums.items(), key=lambda item: (-item[1], STATES.index(item[0][0])))
    shares = [Share(state, told, ns) for (state, told), ns in ranked]
    return shares if len(shares) <= _MOST_SHARES else _gathered(shares)


def _gathered(shares: list[Share]) -> list[Share]:
    """The greatest, and the others added up by their state."""
    kept, rest = shares[:_MOST_SHARES], shares[_MOST_SHARES:]
    for state in STATES:
        alike = [share for share in rest if share.state == state]
        if len(alike) > 1:
            told = f"{LOOKS[STATES.index(state)].told}, in {len(alike):,} smaller shares"
            alike = [Share(state, (text(told),), sum(share.ns for share in alike))]
        kept += alike
    return kept


def sentence(shares: Sequence[Share], duration_ns: int, *, is_over: bool, virtual: bool) -> tuple[Part, ...]:
    """Where the time went, in one sentence."""
    if duration_ns == 0:
        why = " In virtual time, what only computes takes no time." if virtual else ""
        return strong("The request took no time."), text(why)
    told = [text("The request spent " if is_over else "The request is not over; so far it spent ")]
    told_ns = 0
    for place, share in enumerate(shares[:_MOST_TOLD]):
        if place and told_ns >= _ENOUGH * duration_ns:
            break
        length = duration(share.ns) if place else part_of(share.ns, duration_ns)
        told += [*([text("; ")] if place else []), strong(length), text(" "), *share.words]
        told_ns += share.ns
    rest_ns = duration_ns - told_ns
    return *told, text(f"; and {duration(rest_ns)} otherwise." if rest_ns else ".")
