"""Events: what the loop writes on its hot path, packed at once, in a ring that counts what it drops.

An event is ten integers, packed by one call, whose 28 bytes one more appends to a list: together hardly dearer than
to append the integers, and packing them later costs as much again. An event is:

    gap, duration, task, waker, ready, left, outcome, kind, code, offset

`gap` is the time since the last event's end (mostly 0), `duration` the step's, `ready` how long the callback
had been in the ready queue; all in nanoseconds. `task` and `waker` are numbers from 1 (0: none), `left` is the
length of the ready queue, `offset` the instruction at which the task stopped. When the loop is idle, events are
joined to chunks. This module does not know what the numbers stand for.
"""

import struct
import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from threading import Lock
from typing import Any, Final, NamedTuple

__all__ = ["DEFAULT_LIMIT", "FIELDS", "EventLog", "Fields", "pack_event", "pack_stop"]

FIELDS: Final = ("gap", "duration", "task", "waker", "ready", "left", "outcome", "kind", "code", "offset")
DEFAULT_LIMIT: Final = 2_000_000
"""Events kept before the oldest are dropped: 56 MB packed."""

_CHUNK: Final = 2048
"""Events joined at a time: large enough to make a chunk cheap by the event, small enough (0.1 ms) to fit into an
idle moment."""

_ONE: Final = struct.Struct("<IIIIIHBBHH")
_TOPS: Final = tuple((1 << 32) - 1 if code == "I" else (1 << 16) - 1 if code == "H" else 255 for code in "IIIIIHBBHH")
_WORDS: Final = _ONE.size // 4
_PLACE: Final = FIELDS.index("code")

_Chunk = tuple[bytes, "array[int]"]
"""Packed events, and the values among them that were too large (see `_cut_to_fit`)."""
_NOTHING_ODD: Final = array("q")

pack_event: Final[Callable[..., bytes]] = _ONE.pack
"""The ten integers of an event, packed; a `struct.error` if one does not fit into its field."""
pack_stop: Final[Callable[..., bytes]] = struct.Struct("<IIIIIHIH").pack
"""The same, with outcome, kind and code in one integer, as they lie side by side: see `clock.recorder.parted`."""


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
        pending: packed events, which the loop appends.
        dropped: how many events were dropped.
        dropped_ns: how much time the dropped events covered.

    One thread appends and packs; others may `read` meanwhile.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT, on_drop: Callable[[Fields], None] | None = None) -> None:
        self.pending: list[bytes] = []
        self.dropped = 0
        self.dropped_ns = 0
        self._limit = max(limit, _CHUNK)
        self._on_drop = on_drop
        self._lock = Lock()
        self._chunks: deque[_Chunk] = deque()
        self._odd = array("q")  # what was too large among the pending
        self._packed = 0  # in chunks so far, the dropped ones included
        self._closed = False

    def __len__(self) -> int:
        """How many events are kept."""
        return self._packed - self.dropped + len(self.pending)

    def write(self, event: Iterable[int]) -> None:
        """Append an event of any size."""
        values = list(event)
        odd = _cut_to_fit(values)
        packed = _ONE.pack(*values)
        with self._lock:
            if not self._closed:
                for at in range(0, len(odd), 2):
                    self._odd.extend((len(self.pending), *odd[at : at + 2]))
                self.pending.append(packed)

    def close(self) -> None:
        """Take no more events: not through `write`, nor from whoever still holds on to the `pending` of now."""
        with self._lock:
            self._closed = True
            self.pending = list(self.pending)

    def task_of(self, number: int) -> int:
        """The task of the event with this number, counted from 1; 0 if it is not kept."""
        _, _, pieces = self.read(number - 1) if self.dropped < number <= self.dropped + len(self) else (0, 0, iter(()))
        return next((piece.task[0] for piece in pieces), 0)

    def pack(self) -> None:
        """Join whole chunks of pending events."""
        while len(self.pending) >= _CHUNK:
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
            if self.pending:
                if not chunks:
                    rest = first - self._packed
                chunks.append((b"".join(self.pending), self._odd[:]))
            before_ns = self.dropped_ns
        return first, before_ns, _pieces(chunks, rest)

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        for piece in self.read()[2]:
            for *rest, place in zip(*piece, strict=True):
                yield (*rest, place & 0xFFFF, place >> 16)

    def _pack_chunk(self) -> Fields | None:
        """Pack one chunk of pending events; gives the chunk that had to go for it, if one had."""
        with self._lock:
            packed = b"".join(self.pending[:_CHUNK])
            del self.pending[:_CHUNK]
            self._chunks.append((packed, self._take_odd() if self._odd else _NOTHING_ODD))
            self._packed += _CHUNK
            return self._drop() if len(self._chunks) * _CHUNK > self._limit else None

    def _take_odd(self) -> "array[int]":
        """What was too large among the first chunk of the pending; the rest moves up."""
        odd, rest = array("q"), array("q")
        for at in range(0, len(self._odd), 3):
            place, field, value = self._odd[at : at + 3]
            if place < _CHUNK:
                odd.extend((place, field, value))
            else:
                rest.extend((place - _CHUNK, field, value))
        self._odd = rest
        return odd

    def _drop(self) -> Fields:
        events = _unpacked(*self._chunks.popleft())
        self.dropped_ns += sum(events.gap) + sum(events.duration)
        self.dropped += _CHUNK
        return events


def _cut_to_fit(event: list[int]) -> "array[int]":
    """Cut the values that do not fit into their packed fields, such as the gap of a virtual clock that jumps far.

    Returns:
        for each such value two numbers: the field, and the whole value.
    """
    odd = array("q")
    for field, top in enumerate(_TOPS):
        if not 0 <= event[field] <= top:
            odd.extend((field, event[field]))
            event[field] = 0
    return odd


def _pieces(chunks: "list[_Chunk]", rest: int) -> Iterator[Fields]:
    """Events from the `rest`th of the first chunk on."""
    for packed, odd in chunks:
        piece = _unpacked(packed, odd)
        yield Fields(*(column[rest:] for column in piece)) if rest else piece
        rest = 0


def _unpacked(packed: bytes, odd: "array[int]") -> Fields:
    """Packed events as columns: each 28 bytes are seven words, of which the sixth holds three fields."""
    words = array("I", packed)
    halves = array("H", packed)
    if sys.byteorder == "big":  # pragma: no cover (no such machine here)
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
