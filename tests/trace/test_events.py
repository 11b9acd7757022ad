"""Events survive packing, whatever their size, and the ring counts what it drops."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace.events import EventLog, Fields

Event = tuple[int, ...]

CHUNK = 2048

# every field within its packed width, and every field beyond it
NARROW = st.tuples(
    *[st.integers(0, 2**32 - 1)] * 5,
    st.integers(0, 2**16 - 1),
    *[st.integers(0, 255)] * 2,
    *[st.integers(0, 2**16 - 1)] * 2,
)
WIDE = st.tuples(
    *[st.integers(0, 2**40)] * 5,
    st.integers(0, 2**20),
    *[st.integers(0, 255)] * 2,
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**17),
)


def log_of(events: Sequence[Event], limit: int = 10**9) -> EventLog:
    log = EventLog(limit)
    for event in events:
        log.write(event)
        if len(log.pending) >= CHUNK:
            log.pack()
    return log


def events_of(log: EventLog, since: int = 0) -> list[Event]:
    """The kept events, put together again from their columns."""
    _, _, pieces = log.read(since)
    return [(*rest, place & 0xFFFF, place >> 16) for piece in pieces for *rest, place in zip(*piece, strict=True)]


@pytest.mark.slow
# code numbers never exceed 16 bits: a recording gives out no more
@given(
    start=st.lists(NARROW, max_size=20), odd=st.lists(st.one_of(NARROW, WIDE), max_size=20), since=st.integers(0, 99)
)
def test_events_come_back_as_they_went_in(start: list[Event], odd: list[Event], since: int) -> None:
    filler = [(index, 2, 3, 4, 5, 6, 2, 1, 7, 8) for index in range(CHUNK)]
    events = [*start, *odd, *filler]
    log = log_of(events)
    assert len(log) == len(events)
    assert events_of(log) == events
    assert events_of(log, since) == events[since:]
    assert events_of(log, CHUNK + since) == events[CHUNK + since :]


def test_what_is_read_is_not_changed_by_what_is_packed_and_dropped_meanwhile() -> None:
    events: list[Event] = [(0, index, 0, 0, 0, 2**17 * (index == 9), 0, 0, 0, 0) for index in range(3 * CHUNK)]
    log = log_of(events[: 2 * CHUNK - 1], limit=CHUNK)
    first, before_ns, pieces = log.read(5)
    for event in events[2 * CHUNK - 1 :]:
        log.write(event)
    log.pack()
    assert (log.dropped, first, before_ns) == (2 * CHUNK, 5, 0)
    assert [duration for piece in pieces for duration in piece.duration] == list(range(5, 2 * CHUNK - 1))
    assert log.read(5)[:2] == (2 * CHUNK, sum(range(2 * CHUNK)))


def test_packed_events_take_28_bytes() -> None:
    log = log_of([(0, 1000, 1, 1, 0, 1, 2, 1, 3, 4)] * (10 * CHUNK))
    assert log.pending == []
    assert sum(len(packed) + 8 * len(odd) for packed, odd in log._chunks) == 28 * 10 * CHUNK


def test_a_value_too_large_for_its_field_takes_24_bytes_more() -> None:
    log = log_of([(2**40, 1000, 1, 1, 0, 1, 2, 1, 3, 4)] * (2 * CHUNK))
    assert sum(len(packed) + 8 * len(odd) for packed, odd in log._chunks) == (28 + 24) * 2 * CHUNK


def test_the_ring_drops_the_oldest_events_and_counts_them_and_their_time() -> None:
    events: list[Event] = [(index % 3, index, 0, 0, 0, 0, 0, 0, 0, 0) for index in range(4 * CHUNK)]
    events[5] = (2**40, *events[5][1:])  # too wide to pack: dropped whole all the same
    log = log_of(events, limit=2 * CHUNK)
    assert log.dropped == 2 * CHUNK
    assert log.dropped_ns == sum(event[0] + event[1] for event in events[: 2 * CHUNK])
    assert events_of(log) == events[2 * CHUNK :]
    assert len(log) == 2 * CHUNK


def test_whoever_wants_to_know_is_told_what_was_dropped() -> None:
    told: list[Fields] = []
    log = EventLog(CHUNK, told.append)
    for index in range(3 * CHUNK):
        log.write((0, index, 0, 0, 0, 0, 2**9 * (index == 7), 0, 0, 0))
    log.pack()
    assert [duration for piece in told for duration in piece.duration] == list(range(2 * CHUNK))
    assert told[0].outcome[7] == 2**9
