"""What an exercise lends to somebody's code: functions to call that note when they were called, and until when.

They wait as a request to another server would, on the loop or in a thread, in the time of the lab they run in, so
what they note is exact. Judging it is for others; here it is only counted.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Call", "Calls", "idle_s", "most_at_once"]


@dataclass
class Call:
    """One call.

    Attributes:
        name: what was called, or with what.
        began_s, ended_s: when it began and ended, in seconds since the first; `None` if it had not ended.
    """

    name: str
    began_s: float
    ended_s: float | None = None
    outcome: Literal["pending", "returned", "cancelled"] = "pending"


class Calls:
    """The calls of one try, in the order in which they began.

    Attributes:
        made: the calls.
        over_s: when the function that made them had returned; `None` if it had not.
    """

    def __init__(self) -> None:
        self.made: list[Call] = []
        self.over_s: float | None = None
        self._origin_s = 0.0

    def start(self) -> None:
        """Count time from here."""
        self._origin_s = time.monotonic()

    def finish(self) -> None:
        """The function that calls has returned."""
        self.over_s = self._now_s()

    async def waits(self, name: str, delay_s: float, value: Any) -> Any:
        """Wait on the loop, as for a server's answer, and give `value`."""
        call = self._begin(name)
        try:
            await asyncio.sleep(delay_s)
        except asyncio.CancelledError:
            call.outcome, call.ended_s = "cancelled", self._now_s()
            raise
        call.outcome, call.ended_s = "returned", self._now_s()
        return value

    def blocks(self, name: str, delay_s: float, value: Any) -> Any:
        """Wait in the calling thread, as a library that knows no loop does, and give `value`."""
        call = self._begin(name)
        time.sleep(delay_s)
        call.outcome, call.ended_s = "returned", self._now_s()
        return value

    @property
    def names(self) -> list[str]:
        """What was called, in order."""
        return [call.name for call in self.made]

    def _begin(self, name: str) -> Call:
        call = Call(name, self._now_s())
        self.made.append(call)
        return call

    def _now_s(self) -> float:
        return round(time.monotonic() - self._origin_s, 9)


def most_at_once(calls: Iterable[Call]) -> int:
    """How many went on at one moment, at most; one that ends as another begins is not beside it."""
    moves = []
    for call in calls:
        moves.append((call.began_s, 1))
        if call.ended_s is not None:
            moves.append((call.ended_s, -1))
    going = most = 0
    for _, change in sorted(moves):  # at one moment, ends come first
        going += change
        most = max(most, going)
    return most


def idle_s(calls: Sequence[Call], places: int) -> float:
    """How long places stood empty, in all, while there were calls that had not begun yet."""
    last_s = max((call.began_s for call in calls), default=0.0)
    used_s = sum(min(call.ended_s or last_s, last_s) - min(call.began_s, last_s) for call in calls)
    return round(places * last_s - used_s, 9)
