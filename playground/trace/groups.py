"""Which rows belong to whom, what is inherited, how many are there at once: answers from columns of pointers.

Two columns of numbers say for each task which steps are its own, whatever their number, and a list is made for
whoever asks. A pointer is one more than an index, and 0 is none. Nothing here knows what the rows are.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from playground.trace.tables import NO_INT

__all__ = ["Groups", "during", "inherited", "most_at_once"]


_NONE: Final = array("I")


class Groups(Mapping[int, list[int]]):
    """For each owner that has rows, the rows' indexes in order.

    Args:
        owners: for each row a pointer to its owner, which is one more than the owner's index; 0 for none.
    """

    def __init__(self, owners: Sequence[int]) -> None:
        counts = [0] * (max(owners, default=0) + 1)
        for owner in owners:
            counts[owner] += 1
        counts[0] = 0
        self._until = array("I", accumulate(counts))
        self._rows = array("I", bytes(4 * self._until[-1]))
        free = [0, *self._until[:-1]]
        rows = self._rows
        for row, owner in enumerate(owners):
            if owner:
                rows[free[owner]] = row
                free[owner] += 1

    def __getitem__(self, owner: int) -> list[int]:
        found = self.of(owner).tolist() if type(owner) is int and owner >= 0 else []
        if not found:
            raise KeyError(owner)
        return found

    def of(self, owner: int) -> "array[int]":
        """The rows of an owner, of which there may be none: for views that ask for a hundred thousand."""
        return self._rows[self._until[owner] : self._until[owner + 1]] if owner + 1 < len(self._until) else _NONE

    def __iter__(self) -> Iterator[int]:
        until = self._until
        return (owner for owner in range(len(until) - 1) if until[owner] < until[owner + 1])

    def __len__(self) -> int:
        return sum(1 for _ in self)


def inherited(own: Mapping[int, int], parents: Iterable[int]) -> dict[int, int]:
    """What tasks have of their own, or else of the nearest ancestor that has it.

    Args:
        own: what some tasks have, by a pointer to the task, which is its index and one more.
        parents: pointers to each task's parent, 0 for none, in the order of the tasks: parents come before their
            children.
    """
    found: dict[int, int] = {}
    for task, parent in enumerate(parents, 1):
        if task in own:
            found[task] = own[task]
        elif parent in found:
            found[task] = found[parent]
    return found


def during(rows: Sequence[int], starts: Sequence[int], ends: Sequence[int], start_ns: int, end_ns: int) -> int | None:
    """Of rows one after the other, that which a stretch of time began in, or else the first that began within it.

    Args:
        rows: their indexes, in order of their starts.
        starts, ends: of all rows of their table; an end of `NO_INT` has not come.
        start_ns, end_ns: of the stretch, which may be a moment.
    """
    at = bisect_right(rows, start_ns, key=starts.__getitem__)
    if at > 0:
        ended_ns = ends[rows[at - 1]]
        if ended_ns == NO_INT or ended_ns >= start_ns:
            return rows[at - 1]
    return rows[at] if at < len(rows) and starts[rows[at]] <= end_ns else None


def most_at_once(lives: Iterable[tuple[int, int]]) -> int:
    """The greatest number of lives, each from a start to an end, that went on at one moment.

    Lives that touch do not overlap. One that began and ended at a moment (in virtual time) overlaps those that were
    in progress then, and no other that began and ended there: of these none is known to have overlapped another.
    """
    starts, ends, points = [], [], set()
    for start, end in lives:
        if start == end:
            points.add(start)
        else:
            starts.append(start)
            ends.append(end)
    starts.sort()
    ends.sort()
    most = over = 0
    for begun, start in enumerate(starts, 1):
        while over < len(ends) and ends[over] <= start:
            over += 1
        most = max(most, begun - over)
    for point in points:
        most = max(most, bisect_left(starts, point) - bisect_right(ends, point) + 1)
    return most
