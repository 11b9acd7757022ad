"""Trails: all that was noted of requests on their ways through an app, and the spans that it makes when asked for.

Notes are taken off the trails in one go, and told one trail after the other; what they mean is `spans`' business, and
who notes what that of `standins`. It makes no difference to a span when or how often somebody asks, nor to its number:
spans are numbered in the order in which they began, and those of one moment in that of their trails. In virtual time
many begin at one moment, so a moment that is not over yet is left for the next time.
"""

import copy

# by its own name: while a virtual loop is open, `threading` has another, for which the loop would park
from _thread import allocate_lock
from collections.abc import Callable
from types import CodeType

from playground.trace.kept import Kept
from playground.trace.spans import SpanRecord, Trail, Walk

__all__ = ["Trails"]


class Trails:
    """All trails of a recording, and their spans.

    Args:
        number: gives a code object's number in the recording.
        now: the recorder's clock, in nanoseconds.
    """

    def __init__(self, number: Callable[[CodeType], int], now: Callable[[], int]) -> None:
        self.begin: Callable[[Trail], None]
        """Have one more trail read from now on."""
        self._begun: list[Trail] = []
        self.begin = self._begun.append
        self._walks: list[Walk] = []
        self._number = number
        self._now = now
        self._told: Kept[SpanRecord] = Kept()
        self._lock = allocate_lock()
        self._is_closed = False

    @property
    def under_way(self) -> int:
        """How many trails there are of which more may come."""
        return len(self._begun) + len(self._walks)

    def spans(self) -> Kept[SpanRecord]:
        """The spans that began before this moment. May be called from any thread."""
        with self._lock:
            if not self._is_closed:
                self._read(self._now())  # asked first: what is noted from here on is no earlier
            return self._told

    def close(self) -> None:
        """From now on, what still runs cannot change them."""
        with self._lock:
            self._read(None)
            self._is_closed = True
        self._told = self._told.mapped(lambda span: copy.copy(span) if span.end_ns is None else span)

    def _read(self, until_ns: int | None) -> None:
        """Read what was noted, and number the spans that began before a moment; all of them if it is `None`."""
        begun = len(self._begun)
        self._walks += [Walk(trail, self._number) for trail in self._begun[:begun]]
        del self._begun[:begun]
        for walk in reversed(self._walks):  # a branch before what it branches off, which so has the note of it
            walk.take()
        new: list[SpanRecord] = []
        for walk in self._walks:
            walk.tell()
            new += _taken(walk.begun, until_ns)
        self._walks = [walk for walk in self._walks if walk.begun or not walk.is_over]
        new.sort(key=lambda span: span.start_ns)
        for span in new:
            span.number = self._told.append(span)


def _taken(begun: list[SpanRecord], until_ns: int | None) -> list[SpanRecord]:
    """Take off the spans that began before a moment."""
    until = len(begun)
    while until_ns is not None and until and begun[until - 1].start_ns >= until_ns:
        until -= 1
    taken = begun[:until]
    del begun[:until]
    return taken
