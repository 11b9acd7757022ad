"""Time laid out over a width of cells: where axis marks stand, and what each cell of a row shows.

A cell is a pixel of a static picture or a column of a text timeline. Where many spans fall into one cell, it
shows what took most of its time; so the size of a picture is bounded by its width and not by the recording.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from itertools import compress, groupby, islice
from math import inf
from operator import sub
from typing import Final, NamedTuple

from playground.views.kinds import KINDS
from playground.views.lanes import Row

__all__ = ["FULL", "UNDER", "Cells", "Run", "cells", "marks", "runs"]

# Kinds drawn as full bars lie on top; half bars and lines show through where there is none of these.
FULL: Final = frozenset(kind for kind, drawn in enumerate(KINDS) if drawn.shape in ("full", "hatched"))
UNDER: Final = frozenset(range(len(KINDS))) - FULL

_ONLY: Final = [bytes(other == kind for other in range(256)) for kind in range(256)]
"""For each number that a kind may have (a waterfall has kinds of its own) the table that says where a column has it."""

_S: Final = 1_000_000_000
# Past a second people count in sixties.
_LONG_STEPS: Final = tuple(
    seconds * _S for seconds in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
)
# Time that a span of no length counts for in its cell, so that it is seen where nothing else is.
_TRACE_OF_NS: Final = 1e-3


def marks(duration_ns: int, at_most: int) -> list[int]:
    """Moments for the marks of an axis, from 0, at most `at_most + 1` of them, evenly and roundly spaced."""
    least = duration_ns / max(1, at_most)
    step = next((long for long in _LONG_STEPS if long >= least), 0) if least > _S / 2 else 0
    if not step:
        power = 10 ** max(0, len(str(int(least))) - 1)
        step = next(power * digit for digit in (1, 2, 5, 10, 20) if power * digit >= least)
    return list(range(0, duration_ns + 1, step))


class Cells(NamedTuple):
    """Time in nanoseconds that each kind took of each cell: `of[kind][cell]`; only kinds that occur."""

    of: "dict[int, array[float]]"
    width_ns: float
    size: int

    def share(self, kind: int, cell: int) -> float:
        """The part of a cell that a kind took, from 0 to 1."""
        return min(1.0, self.of[kind][cell] / self.width_ns) if kind in self.of else 0.0

    def used(self, kinds: "frozenset[int]") -> list[float]:
        """For each cell, the part of it that these kinds took together."""
        columns = [column for kind, column in self.of.items() if kind in kinds]
        if not columns:
            return [0.0] * self.size
        return [sum(took) / self.width_ns for took in zip(*columns, strict=True)]

    def most(self, kinds: "frozenset[int]") -> list[int | None]:
        """For each cell, the one of `kinds` that took most of it, or `None`."""
        found = [(kind, self.of[kind]) for kind in sorted(self.of) if kind in kinds]
        best: list[int | None] = [None] * self.size
        for cell in range(self.size):
            most_ns = 0.0
            for kind, column in found:
                if column[cell] > most_ns:
                    most_ns, best[cell] = column[cell], kind
        return best


def cells(row: Row, duration_ns: int, count: int) -> Cells:
    """Share a row's spans out to `count` cells that cover `duration_ns`."""
    width_ns = max(1, duration_ns) / count
    kinds, starts = row.kinds.tobytes(), row.starts
    laid = Cells({kind: array("d", bytes(8 * count)) for kind in set(kinds)}, width_ns, count)
    lengths = list(map(sub, row.ends, starts))
    of_kind = {kind: iter([*compress(lengths, kinds.translate(_ONLY[kind]))]) for kind in laid.of}
    at = 0
    while at < len(kinds):  # those that begin in one cell are summed up together
        first = min(count - 1, int(starts[at] / width_ns))
        edge_ns = (first + 1) * width_ns if first < count - 1 else inf
        stop = bisect_left(starts, edge_ns, at + 1)
        beyond_ns = max(0.0, row.ends[stop - 1] - edge_ns)  # of the last alone: none overlaps another
        for kind in set(kinds[at:stop]):
            many = kinds.count(kind, at, stop)
            taken_ns = sum(islice(of_kind[kind], many)) - (beyond_ns if kind == kinds[stop - 1] else 0)
            laid.of[kind][first] += max(_TRACE_OF_NS * many, taken_ns)
        if beyond_ns:
            _spread(laid.of[kinds[stop - 1]], first + 1, row.ends[stop - 1], width_ns)
        at = stop
    return laid


def _spread(column: "array[float]", first: int, end_ns: int, width_ns: float) -> None:
    """Share what a span takes from a cell on up to its end."""
    last = min(len(column) - 1, int(end_ns / width_ns))
    for cell in range(first, last):
        column[cell] += width_ns
    if last >= first:
        column[last] += max(0.0, end_ns - last * width_ns)


class Run(NamedTuple):
    """Neighbouring cells that show the same: from `first` up to, not including, `end`."""

    first: int
    end: int
    value: int


def runs(values: "list[int | None]") -> Iterator[Run]:
    """The runs of equal values in a list, without the empty ones."""
    at = 0
    for value, group in groupby(values):
        end = at + sum(1 for _ in group)
        if value is not None:
            yield Run(at, end, value)
        at = end
