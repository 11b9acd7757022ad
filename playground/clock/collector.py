"""The garbage collector at fixed points: when Python runs it of itself, no two runs meet it at the same moment.

What it finds may wake somebody (an executor that is dropped, a generator that is closed), so in virtual time it runs
when the loop has taken a number of turns, which is the same in every run.
"""

import gc
from typing import Final

from playground.collecting import without_collecting

__all__ = ["Collector"]

_YOUNG: Final = 2_048
"""Turns of the loop between two collections of what is young: 1 % of the time of an empty turn."""
_ALL: Final = 64
"""Collections of the young between two of everything."""


class Collector:
    """Context manager: while it is open, garbage is collected when `turn` has been called often enough."""

    def __init__(self) -> None:
        self._turns = 0
        self._rest = without_collecting()

    def __enter__(self) -> "Collector":
        gc.collect()
        self._rest.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._rest.__exit__(None, None, None)

    def turn(self) -> None:
        """The loop has taken a turn."""
        self._turns += 1
        if self._turns % _YOUNG == 0:
            gc.collect(2 if self._turns % (_YOUNG * _ALL) == 0 else 1)
