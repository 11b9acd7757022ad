"""Time shared out to cells, and the marks of an axis."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.views.kinds import BLOCKED, IO, KINDS, RUN, TIMER
from playground.views.lanes import Row
from playground.views.scale import FULL, UNDER, Run, cells, marks, runs

ALL = frozenset(range(len(KINDS)))


def row(*spans: tuple[int, int, int]) -> Row:
    made = Row("loop", 0, "")
    for start, end, kind in spans:
        made.add(start, end, kind, 0, None)
    return made


def test_each_cell_holds_the_time_that_each_kind_took_of_it() -> None:
    laid = cells(row((0, 15, RUN), (15, 38, IO)), 40, 4)
    assert laid.of[RUN].tolist() == [10, 5, 0, 0]
    assert laid.of[IO].tolist() == [0, 5, 10, 8]
    assert laid.share(IO, 3) == 0.8
    assert laid.share(BLOCKED, 3) == 0


def test_a_cell_shows_what_took_most_of_it() -> None:
    laid = cells(row((0, 4, RUN), (4, 10, IO), (10, 16, RUN), (16, 20, IO)), 30, 3)
    assert laid.most(ALL) == [IO, RUN, None]
    assert laid.most(frozenset({RUN})) == [RUN, RUN, None]


def test_a_span_of_no_length_shows_where_nothing_else_is() -> None:
    laid = cells(row((5, 5, RUN), (5, 20, IO), (30, 30, RUN)), 40, 4)
    assert laid.most(ALL) == [IO, IO, None, RUN]


def test_a_run_of_no_length_has_cells_too() -> None:
    assert cells(row((0, 0, RUN)), 0, 3).most(ALL) == [RUN, None, None]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 50), st.sampled_from([RUN, IO, TIMER])), max_size=20))
def test_no_time_is_lost_or_made(lengths: list[tuple[int, int, int]]) -> None:
    spans, at = [], 0
    for gap, length, kind in lengths:
        spans.append((at + gap, at + gap + length, kind))
        at += gap + length
    laid = cells(row(*spans), max(1, at), 7)
    for kind, column in laid.of.items():
        # a span that ends on an edge leaves a mere trace in the next cell
        assert sum(column) == pytest.approx(sum(end - start for start, end, k in spans if k == kind), abs=0.05)


def test_neighbours_that_show_the_same_are_one_run() -> None:
    assert list(runs([None, 1, 1, 2, None, 1])) == [Run(1, 3, 1), Run(3, 4, 2), Run(5, 6, 1)]


def test_every_kind_is_drawn_over_or_under() -> None:
    assert FULL | UNDER == ALL
    assert not FULL & UNDER


def test_kinds_are_told_apart_without_colour() -> None:
    assert len({kind.mark for kind in KINDS}) == len(KINDS)
    assert len({kind.words for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    ("duration_ms", "at_most", "step_ms"),
    [(463, 10, 50), (463, 4, 200), (1_000, 10, 100), (1_001, 1, 2_000), (60_000, 8, 10_000), (600_000, 8, 120_000),
     (3_600_000, 8, 600_000), (0.05, 5, 0.01)],
)  # fmt: skip
def test_marks_stand_at_round_moments(duration_ms: float, at_most: int, step_ms: float) -> None:
    found = marks(round(duration_ms * 1e6), at_most)
    assert found[:2] == [0, round(step_ms * 1e6)] or (found == [0] and step_ms > duration_ms)


@given(st.integers(0, 10**15), st.integers(1, 20))
def test_there_are_never_more_marks_than_asked_for(duration_ns: int, at_most: int) -> None:
    found = marks(duration_ns, at_most)
    assert found[0] == 0
    assert found[-1] <= duration_ns
    assert len(found) <= at_most + 1


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60), st.sampled_from([0, 4, 9])), max_size=40),
    st.integers(1, 30),
)
def test_cells_hold_the_time_of_each_kind_whole_and_in_its_place(spans: list[tuple[int, int, int]], count: int) -> None:
    drawn, at = row(), 0
    for gap, length, kind in spans:
        drawn.add(at + gap, at + gap + length, kind, 0, None)
        at += gap + length
    laid = cells(drawn, at, count)
    edges = [cell * laid.width_ns for cell in range(count + 1)]
    for kind in set(drawn.kinds):
        mine = [(s, e) for s, e, of in zip(drawn.starts, drawn.ends, drawn.kinds, strict=True) if of == kind]
        for cell, (left, right) in enumerate(pairwise(edges)):
            within = sum(max(0.0, min(end, right) - max(start, left)) for start, end in mine)
            assert abs(laid.of[kind][cell] - within) <= 0.1  # spans of no length leave a trace
        assert all(laid.of[kind][min(count - 1, int(start / laid.width_ns))] > 0 for start, _ in mine)
