"""Events: what the loop writes on its hot path, packed when it is idle, in a ring that counts what it drops.

An event is ten integers in a flat list, for that is the cheapest thing that Python can append:

    gap, duration, task, waker, ready, left, outcome, kind, code, offset

`gap` is the time since the last event's end (mostly 0), `duration` the step's, `ready` how long the callback
had been in the ready queue; all in nanoseconds. `task` and `waker` are numbers from 1 (0: none), `left` is the
length of the ready queue, `offset` the instruction at which the task stopped. Packed, an event takes 28 bytes.
This module does not know what the numbers stand for.
"""

import struct
import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from threading import Lock
from typing import Any, Final, NamedTuple

__all__ = ["DEFAULT_LIMIT", "FIELDS", "EventLog", "Fields"]

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
_WORDS: Final = _ONE.size // 4
_PLACE: Final = FIELDS.index("code")

_Chunk = tuple[bytes, "array[int]"]
"""Packed events, and the values among them that were too large (see `_cut_to_fit`)."""
_NOTHING_ODD: Final = array("q")


class Fields(NamedTuple):
    """Some events that follow one another, a column a field; `place` is the code, and the offset times 65,536."""

    gap: Sequence[int]
    duration: Sequence[int]
    task: Sequence[int]
    waker: Sequence[int]
    ready: Sequence[int]
    left: Sequence[int]
    outcome: Sequence[int]
    kind: Sequence[int]
    place: Sequence[int]


class EventLog:
    """The events of one recording.

    Args:
        limit: how many events to keep; older ones are dropped in chunks of 2,048, and counted.
        on_drop: told of each chunk that was dropped, on the thread that packs.

    Attributes:
        pending: the flat list that the loop extends.
        dropped: how many events were dropped.
        dropped_ns: how much time the dropped events covered.

    One thread appends and packs; others may `read` meanwhile.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT, on_drop: Callable[[Fields], None] | None = None) -> None:
        self.pending: list[int] = []
        self.dropped = 0
        self.dropped_ns = 0
        self._limit = max(limit, _CHUNK)
        self._on_drop = on_drop
        self._lock = Lock()
        self._chunks: deque[_Chunk] = deque()
        self._packed = 0  # packed so far, the dropped ones included

    def __len__(self) -> int:
        """How many events are kept."""
        return self._packed - self.dropped + len(self.pending) // _WIDTH

    def pack(self) -> None:
        """Pack whole chunks of pending events."""
        while len(self.pending) >= _CHUNK * _WIDTH:
            dropped = self._pack_chunk()
            if dropped is not None and self._on_drop is not None:
                self._on_drop(dropped)

    def read(self, since: int = 0) -> "tuple[int, int, Iterator[Fields]]":
        """The kept events from number `since` on, counted from 0; any thread may ask.

        Returns:
            the number of the first of them (greater than `since` if that was dropped), how much time those before
            the oldest kept event covered, and the events in pieces.
        """
        with self._lock:
            first = max(since, self.dropped)
            skipped, rest = divmod(min(first, self._packed) - self.dropped, _CHUNK)
            chunks = list(islice(self._chunks, skipped, None))
            pending = self.pending[max(0, first - self._packed) * _WIDTH :]
            before_ns = self.dropped_ns
        return first, before_ns, _pieces(chunks, pending, rest)

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        for piece in self.read()[2]:
            for *rest, place in zip(*piece, strict=True):
                yield (*rest, place & 0xFFFF, place >> 16)

    def _pack_chunk(self) -> Fields | None:
        """Pack one chunk of pending events; gives the chunk that had to go for it, if one had."""
        with self._lock:
            pending = self.pending
            events = pending[: _CHUNK * _WIDTH]
            try:
                packed, odd = _MANY.pack(*events), _NOTHING_ODD
            except struct.error:
                odd = _cut_to_fit(events)
                packed = _MANY.pack(*events)
            del pending[: _CHUNK * _WIDTH]
            self._chunks.append((packed, odd))
            self._packed += _CHUNK
            return self._drop() if len(self._chunks) * _CHUNK > self._limit else None

    def _drop(self) -> Fields:
        events = _unpacked(*self._chunks.popleft())
        self.dropped_ns += sum(events.gap) + sum(events.duration)
        self.dropped += _CHUNK
        return events


def _cut_to_fit(events: list[int]) -> "array[int]":
    """Cut the values that do not fit into their packed fields, such as the gaps of a virtual clock that jumps far.

    Returns:
        for each such value three numbers: the event's place in the chunk, the field, and the whole value.
    """
    odd = array("q")
    for field, top in enumerate(_TOPS):
        column = events[field::_WIDTH]
        if min(column) < 0 or max(column) > top:
            for at, value in enumerate(column):
                if not 0 <= value <= top:
                    odd.extend((at, field, value))
                    events[at * _WIDTH + field] = 0
    return odd


def _pieces(chunks: "list[_Chunk]", pending: list[int], rest: int) -> Iterator[Fields]:
    """Events from the `rest`th of the first chunk on."""
    for packed, odd in chunks:
        piece = _unpacked(packed, odd)
        yield Fields(*(column[rest:] for column in piece)) if rest else piece
        rest = 0
    if pending:
        *columns, code, offset = (pending[index::_WIDTH] for index in range(_WIDTH))
        places = [low | high << 16 for low, high in zip(code, offset, strict=True)]
        yield Fields._make([*columns, places])


def _unpacked(packed: bytes, odd: "array[int]") -> Fields:
    """Packed events as columns: each 28 bytes are seven words, of which the sixth holds three fields."""
    words = array("I", packed)
    halves = array("H", packed)
    if sys.byteorder == "big":
        words.byteswap()
        halves.byteswap()
    columns: list[Any] = [words[index::_WORDS] for index in range(5)]
    columns += [halves[10 :: 2 * _WORDS], packed[22 :: _ONE.size], packed[23 :: _ONE.size], words[6::_WORDS]]
    for field in sorted(set(odd[1::3])):
        columns[min(field, _PLACE)] = list(columns[min(field, _PLACE)])
    for at, field, value in zip(odd[0::3], odd[1::3], odd[2::3], strict=True):
        if field <= _PLACE:  # the code, which is the place's low half
            columns[field][at] = value if field < _PLACE else columns[field][at] & ~0xFFFF | value
        else:
            columns[_PLACE][at] = columns[_PLACE][at] & 0xFFFF | value << 16
    return Fields(*columns)
