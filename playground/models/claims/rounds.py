"""The same things measured in turn, over and over, and what may be said of how far apart they are.

It decides when figures tell two things apart, on a machine that does other work too: by ranks alone, so that one round
that was held up for a second says no more than one that was held up for a moment. It knows nothing of what is measured.
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import comb
from random import Random
from statistics import quantiles
from typing import Final, Literal, TypeVar

__all__ = ["FEWEST", "Side", "Spread", "in_turn", "ratios", "side", "spread", "uncollected"]

Key = TypeVar("Key")
Side = Literal["above", "below", "unsure"]

# A verdict is one word that a class repeats: at most one in fifty of what lies at the level may pass for above it.
# Of twelve rounds, two may then have been held up by others.
_WRONG: Final = 0.02
FEWEST: Final = 6
"""Rounds that tell anything: five throws of a coin come out alike more often than one time in fifty."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What rounds came to, in the unit of what was measured.

    Attributes:
        median: the middle one.
        low, high: the first and the third quartile, between which lies the middle half.
        rounds: how many there were.
    """

    median: float
    low: float
    high: float
    rounds: int


def spread(values: Sequence[float]) -> Spread:
    """The median and the quartiles of at least one round."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1)
    low, median, high = quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high, len(values))


def side(values: Sequence[float], level: float) -> Side:
    """On which side of a level the median lies that ever more rounds would come to, or `unsure`.

    No more of the rounds lie on the other side than a coin would leave there once in fifty times: the sign test. It
    needs six rounds to be sure of anything.
    """
    others = _left_by_a_coin(len(values))
    above, below = sum(value > level for value in values), sum(value < level for value in values)
    if len(values) - above <= others:
        return "above"
    return "below" if len(values) - below <= others else "unsure"


def _left_by_a_coin(rounds: int) -> int:
    """The most heads of so many throws that so few or fewer come at most once in fifty times; -1 if not even none."""
    heads, weight = -1, 0
    while (weight := weight + comb(rounds, heads + 1)) <= _WRONG * 2**rounds:
        heads += 1
    return heads


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Round by round, so that what slowed a whole round down falls out."""
    return [one / other for one, other in zip(over, under, strict=True)]


def in_turn(
    measures: Mapping[Key, Callable[[], float]], rounds: int, tell: Callable[[], object] | None = None
) -> dict[Key, list[float]]:
    """Measure each once in every round, in an order that is drawn anew each time; after each, `tell` is called.

    A system on which others are at work gives more to who has just slept: none may always come after the same one.
    """
    names = list(measures)
    found: dict[Key, list[float]] = {name: [] for name in names}
    draw = Random(0)  # the same orders in each run
    for _ in range(rounds):
        draw.shuffle(names)
        for name in names:
            found[name].append(measures[name]())
            if tell is not None:
                tell()
    return found


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is collected meanwhile: one round would pay for what others left."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
