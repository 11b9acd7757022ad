"""How the figures of a claim read in its sentence, its rows and its notes; one spelling for all claims."""

from collections.abc import Sequence

from playground.models.claims.claim import Measured, Unit
from playground.models.claims.rounds import FEWEST, Spread
from playground.views.claims_axis import figure_words

__all__ = ["listed", "measured", "missing", "told", "unsure"]


def told(found: Spread, unit: Unit) -> str:
    """A figure with its spread: `44 ns (43 to 46 ns)`; alone where the spread is not seen in three digits."""
    median, low, high = (figure_words(value, unit) for value in (found.median, found.low, found.high))
    if low == median == high:
        return median
    number, _, low_unit = low.rpartition(" ")
    between = f"{number} to {high}" if number and high.endswith(f" {low_unit}") else f"{low} to {high}"
    return f"{median} ({between})"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([*([", ".join(words[:-1])] if words[:-1] else []), *words[-1:]])


def measured(name: str, found: Spread, *, group: str = "", note: str = "", at: float | None = None) -> Measured:
    """A row of what was measured."""
    return Measured(name, found.median, found.low, found.high, found.rounds, group, note, at)


def missing(name: str, why: str) -> Measured:
    """A row of what was not."""
    return Measured(name, None, rounds=0, note=f"not measured here: {why}")


def unsure(rounds: int, otherwise: str) -> str:
    """Why so many rounds leave it open: that they are too few to tell anything, or what else is the matter."""
    if rounds >= FEWEST:
        return otherwise
    return f"To tell, it takes at least {FEWEST} rounds, and there {'was' if rounds == 1 else 'were'} {rounds}."
