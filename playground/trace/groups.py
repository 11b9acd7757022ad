"""Which rows belong to whom: for each task, the indexes of its steps, without a list for each.

Two columns of numbers hold it for all, whatever their number, and a list is made for whoever asks.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

__all__ = ["Groups"]


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
        found = self._slice(owner).tolist()
        if not found:
            raise KeyError(owner)
        return found

    def first(self, owner: int) -> int | None:
        """The first row of an owner, or `None`."""
        return next(iter(self._slice(owner)), None)

    def __iter__(self) -> Iterator[int]:
        until = self._until
        return (owner for owner in range(len(until) - 1) if until[owner] < until[owner + 1])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _slice(self, owner: int) -> "array[int]":
        if type(owner) is not int or not 0 <= owner < len(self._until) - 1:
            return array("I")
        return self._rows[self._until[owner] : self._until[owner + 1]]
