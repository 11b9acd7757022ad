"""Where a figure of a claim lies on its axis, and how it reads: from zero evenly, or by powers.

It knows figures and units. Pixels and characters belong to the pictures, and what the figures are to the claims.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log
from typing import Final, Literal

from playground.views.wording import duration

__all__ = ["Axis", "UnitName", "axis_by_powers", "axis_from_zero", "figure_words"]

UnitName = Literal["ns", "bytes", "times", "a second", "count"]

_SIZES: Final = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
# Times and counts grow by tens; memory is handed out by powers of two.
_BASE: Final[dict[UnitName, int]] = {"bytes": 4}
# Below, three digits are told in parts of a nanosecond, which only a median of many operations has.
_WHOLE_NS: Final = 100
# Round steps of an axis from zero; of memory, which is counted in 1,024, the powers of two.
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)


def figure_words(value: float, unit: UnitName) -> str:
    """A figure in three digits, with its unit: `84 µs`, `1.5 KiB`, `3.2 ×`, `1,240 a second`; nothing is `0`."""
    if value == 0:
        return "0"
    if unit == "ns":
        return duration(round(value)) if abs(value) >= _WHOLE_NS else f"{value:.3g} ns"
    if unit == "bytes":
        return _bytes_words(value)
    return f"{_three_digits(value)}{' ×' if unit == 'times' else ' a second' if unit == 'a second' else ''}"


def _bytes_words(value: float) -> str:
    for size, name in _SIZES:
        if abs(value) >= size:
            return f"{_three_digits(value / size)} {name}"
    return f"{_three_digits(value)} bytes"


def _three_digits(value: float) -> str:
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 1000 else f"{rounded:g}"


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, with its marks.

    Attributes:
        low, high: the ends, in the figures' unit.
        marks: where to write a figure, in order.
        by_powers: whether equal distances are equal ratios.
    """

    low: float
    high: float
    marks: tuple[float, ...]
    by_powers: bool

    def share(self, value: float) -> float:
        """Where a figure lies: 0 at the low end, 1 at the high one; what lies beyond an end lies on it."""
        value = min(self.high, max(self.low, value))
        if self.by_powers:
            return log(value / self.low) / log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def axis_by_powers(values: Iterable[float], unit: UnitName, at_most: int) -> Axis:
    """An axis that holds all `values` above zero, from one power to another, with `at_most` marks or few more."""
    known = [value for value in values if value > 0] or [1.0]
    base = _BASE.get(unit, 10)
    first = floor(_power(min(known), base))
    last = max(first + 1, ceil(_power(max(known), base)))
    step = max(1, ceil((last - first) / max(1, at_most)))
    marks = tuple(float(base) ** power for power in range(first, last + 1, step))
    return Axis(float(base) ** first, float(base) ** last, marks, True)


def _power(value: float, base: int) -> float:
    # the logarithm of 1000 to base 10 is a little less than 3 in floating point, which would add a decade
    return round(log(value, base), 9)


def axis_from_zero(values: Iterable[float], unit: UnitName, at_most: int) -> Axis:
    """An axis from zero to the highest of `values`, with `at_most` marks, zero not counted, at round distances."""
    highest = max([value for value in values if value > 0], default=1.0)
    step = _round_step(highest / max(1, at_most), unit)
    return Axis(0.0, highest, tuple(step * number for number in range(floor(round(highest / step, 9)) + 1)), False)


def _round_step(least: float, unit: UnitName) -> float:
    if unit == "bytes":
        return 2.0 ** ceil(log(least, 2))
    power = 10.0 ** floor(round(log(least, 10), 9))
    return next(power * step for step in _STEPS if power * step >= least * (1 - 1e-9))
