"""Trails: all that was noted of requests on their ways through an app, and the spans that it makes when asked for.

Notes are taken off the trails in one go, and told one trail after the other; what they mean is `spans`' business, and
who notes what that of `standins`. A span has its number from when it is first asked for, in the order in which those
that are new began. It makes no difference to a span when or how often somebody asks.
"""

import copy
import threading
from collections.abc import Callable
from types import CodeType

from playground.trace.kept import Kept
from playground.trace.spans import SpanRecord, Trail, Walk

__all__ = ["Trails"]


class Trails:
    """All trails of a recording, and their spans.

    Args:
        number: gives a code object's number in the recording.
    """

    def __init__(self, number: Callable[[CodeType], int]) -> None:
        self.begin: Callable[[Trail], None]
        """Have one more trail read from now on."""
        self._begun: list[Trail] = []
        self.begin = self._begun.append
        self._walks: list[Walk] = []
        self._number = number
        self._told: Kept[SpanRecord] = Kept()
        self._new: list[SpanRecord] = []
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def under_way(self) -> int:
        """How many trails there are of which more may come."""
        return len(self._begun) + len(self._walks)

    def spans(self) -> Kept[SpanRecord]:
        """The spans so far. May be called from any thread."""
        with self._lock:
            if not self._is_closed:
                self._read()
            return self._told

    def close(self) -> None:
        """From now on, what still runs cannot change them."""
        spans = self.spans()
        self._is_closed = True
        self._told = spans.mapped(lambda span: copy.copy(span) if span.end_ns is None else span)

    def _read(self) -> None:
        begun = len(self._begun)
        self._walks += [Walk(trail, self._new, self._number) for trail in self._begun[:begun]]
        del self._begun[:begun]
        for walk in reversed(self._walks):  # a branch before what it branches off, which so has the note of it
            walk.take()
        for walk in self._walks:
            walk.tell()
        self._walks = [walk for walk in self._walks if not walk.is_over]
        self._new.sort(key=lambda span: span.start_ns)
        for span in self._new:
            span.number = self._told.append(span)
        self._new.clear()
