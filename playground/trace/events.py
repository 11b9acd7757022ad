"""Events: what the loop writes on its hot path, packed when it is idle, in a ring that counts what it drops.

An event is ten integers in a flat list, for that is the cheapest thing that Python can append:

    gap, duration, task, waker, ready, left, outcome, kind, code, offset

`gap` is the time since the last event's end (mostly 0), `duration` the step's, `ready` how long the callback
had been in the ready queue; all in nanoseconds. `task` and `waker` are numbers from 1 (0: none), `left` is the
length of the ready queue, `offset` the instruction at which the task stopped. Packed, an event takes 28 bytes.
This module does not know what the numbers stand for.
"""

import struct
from array import array
from collections import deque
from collections.abc import Iterator
from typing import Final

__all__ = ["DEFAULT_LIMIT", "FIELDS", "EventLog"]

FIELDS: Final = ("gap", "duration", "task", "waker", "ready", "left", "outcome", "kind", "code", "offset")
DEFAULT_LIMIT: Final = 2_000_000
"""Events kept before the oldest are dropped: 56 MB packed."""

_WIDTH: Final = len(FIELDS)
_CHUNK: Final = 2048
"""Events packed at a time: large enough to make one pack call cheap by the event, small enough (0.3 ms) to fit
into an idle moment."""

_ONE: Final = struct.Struct("<IIIIIHBBHH")
_MANY: Final = struct.Struct("<" + "IIIIIHBBHH" * _CHUNK)
_TOPS: Final = tuple((1 << 32) - 1 if code == "I" else (1 << 16) - 1 if code == "H" else 255 for code in "IIIIIHBBHH")


class EventLog:
    """The events of one recording.

    Args:
        limit: how many events to keep; older ones are dropped in chunks of 2,048, and counted.

    Attributes:
        pending: the flat list that the loop extends.
        dropped: how many events were dropped.
        dropped_ns: how much time the dropped events covered.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.pending: list[int] = []
        self.dropped = 0
        self.dropped_ns = 0
        self._limit = max(limit, _CHUNK)
        self._chunks: deque[bytes] = deque()
        self._wide: dict[int, tuple[int, ...]] = {}  # events with a value too large for its packed field
        self._packed = 0  # packed so far, the dropped ones included

    def __len__(self) -> int:
        """How many events are kept."""
        return self._packed - self.dropped + len(self.pending) // _WIDTH

    def pack(self) -> None:
        """Pack whole chunks of pending events."""
        pending = self.pending
        size = _CHUNK * _WIDTH
        while len(pending) >= size:
            events = pending[:size]
            del pending[:size]
            try:
                packed = _MANY.pack(*events)
            except struct.error:
                packed = self._pack_wide(events)
            self._chunks.append(packed)
            self._packed += _CHUNK
            if len(self._chunks) * _CHUNK > self._limit:
                self._drop(self._chunks.popleft())

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        """The kept events, oldest first."""
        number = self.dropped
        for chunk in self._chunks:
            for event in _ONE.iter_unpack(chunk):
                yield self._wide.get(number, event)
                number += 1
        pending = self.pending
        for at in range(0, len(pending), _WIDTH):
            yield tuple(pending[at : at + _WIDTH])

    def columns(self) -> dict[str, "array[int]"]:
        """The kept events as one array of signed 64-bit integers a field."""
        flat = array("q")
        for event in self:
            flat.extend(event)
        return {name: flat[index::_WIDTH] for index, name in enumerate(FIELDS)}

    def _pack_wide(self, events: list[int]) -> bytes:
        packed = []
        for at in range(_CHUNK):
            event = tuple(events[at * _WIDTH : (at + 1) * _WIDTH])
            clipped = tuple(max(0, min(value, top)) for value, top in zip(event, _TOPS, strict=True))
            if clipped != event:
                self._wide[self._packed + at] = event
            packed.append(_ONE.pack(*clipped))
        return b"".join(packed)

    def _drop(self, chunk: bytes) -> None:
        for event in _ONE.iter_unpack(chunk):
            whole = self._wide.pop(self.dropped, event)
            self.dropped_ns += whole[0] + whole[1]
            self.dropped += 1
