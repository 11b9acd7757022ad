"""Waits for the lock, written by hand, of which the threads have queued for a processor so long."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from playground.models.kinds import SEGMENTS, Moment
from playground.models.queued import parted
from playground.models.rows import Row

MS = 1_000_000
KINDS = {number: kind for kind, number in SEGMENTS.items()}
Told = list[tuple[str, float, float]]


def stretch(kind: str, start_ms: float, end_ms: float, queued_ms: float = 0, *, thread: int = 1) -> Row:
    return Row(SEGMENTS[kind], thread, round(start_ms * MS), round(end_ms * MS), round(queued_ms * MS), 1, thread, 0)


def told(*rows: Row, thread: int = 1) -> Told:
    """What became of a thread's waits."""
    done = parted(sorted(rows, key=lambda row: row.start_ns), lambda row: (row.process,))
    return [(KINDS[row.kind], row.start_ns / MS, row.end_ns / MS) for row in done if row.thread == thread]


def test_while_another_thread_has_the_lock_a_wait_is_for_the_lock() -> None:
    assert told(stretch("gil", 0, 10, 6), stretch("run", 0, 10, thread=2)) == [("gil", 0, 10)]
    assert told(stretch("gil", 0, 10, 6), stretch("preempt", 0, 10, thread=2)) == [("gil", 0, 10)]


def test_when_the_lock_is_free_who_has_queued_did_so_then() -> None:
    assert told(stretch("gil", 0, 10, 4), stretch("run", 0, 6, thread=2)) == [("gil", 0, 6), ("preempt", 6, 10)]
    assert told(stretch("gil", 0, 10, 9), stretch("run", 2, 6, thread=2)) == [
        ("preempt", 0, 2),
        ("gil", 2, 6),
        ("preempt", 6, 10),
    ]


def test_who_has_queued_for_less_did_so_as_late_as_can_be() -> None:
    assert told(stretch("gil", 0, 10, 3), stretch("run", 0, 6, thread=2)) == [("gil", 0, 7), ("preempt", 7, 10)]
    assert told(stretch("gil", 0, 10, 4.5), stretch("run", 2, 6, thread=2)) == [
        ("gil", 0, 1.5),
        ("preempt", 1.5, 2),
        ("gil", 2, 6),
        ("preempt", 6, 10),
    ]


def test_who_has_not_queued_waited_for_the_lock_whoever_had_it() -> None:
    assert told(stretch("gil", 0, 10)) == [("gil", 0, 10)]
    assert told(stretch("gil", 0, 10, 0.09)) == [("gil", 0, 10)]


def test_an_edge_shorter_than_a_unit_of_work_is_none() -> None:
    assert told(stretch("gil", 0, 10, 5), stretch("run", 0.05, 9.95, thread=2)) == [("gil", 0, 10)]


def test_another_interpreters_threads_have_another_lock() -> None:
    other = stretch("run", 0, 10, thread=2)._replace(process=2)
    assert told(stretch("gil", 0, 10, 4), other) == [("gil", 0, 6), ("preempt", 6, 10)]


def test_what_is_no_wait_for_the_lock_stays_as_it_is() -> None:
    rows = [stretch(kind, 0, 5, 2) for kind in SEGMENTS if kind != "gil"] + [Row(Moment.BEGAN, 0, 1, 1, 7, 1, 1, 0)]
    assert sorted(parted(rows, lambda row: (row.process,))) == sorted(rows)


some_rows = st.lists(
    st.tuples(
        st.sampled_from(["gil", "run", "preempt", "wait"]),
        st.integers(0, 40),
        st.integers(0, 15),
        st.integers(0, 20),
        st.integers(1, 3),
    ),
    max_size=12,
)


@given(some_rows)
def test_no_time_is_lost_or_made_and_none_is_taken_from_who_had_the_lock(
    drawn: list[tuple[str, int, int, int, int]],
) -> None:
    rows = [stretch(kind, start, start + long, queued, thread=thread) for kind, start, long, queued, thread in drawn]
    for gap in [row for row in rows if row.kind == SEGMENTS["gil"]]:
        others = [row for row in rows if row.kind in (SEGMENTS["run"], SEGMENTS["preempt"])]
        pieces = [row for row in parted([gap, *others], lambda row: (row.process,)) if row not in others]
        edges = [(row.start_ns, row.end_ns) for row in pieces]
        assert edges[0][0] == gap.start_ns
        assert edges[-1][1] == gap.end_ns
        assert all(end == start for (_, end), (start, _) in pairwise(edges))
        free_ms = {
            moment
            for moment in range(gap.start_ns // MS, gap.end_ns // MS)
            if not any(other.start_ns <= moment * MS < other.end_ns for other in others)
        }
        taken_ns = sum(row.end_ns - row.start_ns for row in pieces if row.kind == SEGMENTS["preempt"])
        assert taken_ns == min(gap.cpu_ns, len(free_ms) * MS)
