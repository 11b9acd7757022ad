"""What a loop keeps in mind while it is recorded, on an object beside the loop.

Not on the loop itself: CPython (3.11 to 3.13) looks an instance's attributes and methods up the fast way only while
the instance has no more than 30 of its own. A selector loop has 26, and a recording puts four more methods on it.
"""

# by its own name: while a virtual loop is open, `threading` has another
from _thread import RLock
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from playground.clock.recorder import Recorder

__all__ = ["Piece", "Tally", "kept", "offset_ns"]

Piece = tuple[int, int, int, int, int, int]
"""The end of a part of a step, and its event's task, outcome, kind, code and offset (see `eager`)."""


class Tally:
    """The state of a recording loop. Times are nanoseconds of the recorder's clock.

    Attributes:
        recorder: who is told of each step; `None` while nothing records.
        step: the number of the step that is running now, from 1; 0 while none is.
        steps: how many steps the recorder was told of.
        last_ns: when the last of these ended.
        offset_ns: the recorder's clock less the loop's.
        rest_at: the number of steps after which the recorder is told to pack, however busy the loop.
        pieces: the parts into which the running step is cut so far.
        sender: for whose task the running callback was sent.
        serial: how many timers were set.
        home: the loop whose turns are recorded.
        order: held by who puts something before all that is ready, from any thread, and by who goes through what is
            ready by index.
    """

    __slots__ = (
        "home",
        "last_ns",
        "offset_ns",
        "order",
        "pieces",
        "recorder",
        "rest_at",
        "sender",
        "serial",
        "step",
        "steps",
    )

    def __init__(self) -> None:
        self.recorder: Recorder | None = None
        self.step = self.steps = self.rest_at = self.serial = 0
        self.last_ns = self.offset_ns = 0
        self.pieces: list[Piece] = []
        self.sender: Any = None
        self.home: Any = None
        self.order = RLock()


def kept(name: str) -> Any:
    """A property of a loop that stands on its tally."""

    def put(self: Any, value: Any) -> None:
        setattr(self.tally, name, value)

    return property(attrgetter(f"tally.{name}"), put)


def offset_ns(now: Callable[[], int], time: Callable[[], float]) -> int:
    """The recorder's clock (in ns) less the loop's (in seconds), from the closest of three readings: between the two,
    the thread may have lost the processor."""
    readings = []
    for _ in range(3):
        before, at, after = now(), time(), now()
        readings.append((after - before, (before + after) // 2 - round(at * 1e9)))
    return min(readings)[1]
