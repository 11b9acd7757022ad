"""A table is the sequence of its rows, whichever way it is asked, though it holds columns."""

import pickle
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Request, Step, Trace
from playground.trace.groups import Groups
from playground.trace.table import Table, column
from playground.trace.tables import NO_INT
from tests.by_hand import LINE, request, step, task
from tests.recordings import blocked_run
from tests.trace.traces import TABLES, of_columns, traces

indexes = st.integers(-9, 9)
bounds = st.none() | indexes


@pytest.mark.slow
@given(traces(), st.sampled_from(TABLES), st.slices(6), st.slices(6))
def test_a_table_is_the_sequence_of_its_rows(trace: Trace, name: str, part: slice, again: slice) -> None:
    rows: Any = tuple(getattr(trace, name))
    table = getattr(of_columns(trace), name)
    assert isinstance(table, Table)
    assert len(table) == len(rows)
    assert tuple(table) == rows
    assert [table[index] for index in range(-len(rows), len(rows))] == [*rows, *rows]
    assert tuple(reversed(table)) == rows[::-1]
    assert table == rows
    assert list(rows) == table
    assert hash(table) == hash(rows)
    assert tuple(table[part]) == rows[part]
    assert table[part] == rows[part]
    assert table[part][again] == rows[part][again]
    assert all(row in table and table.index(row) == rows.index(row) for row in rows)


def test_a_table_equals_no_other_rows_and_nothing_that_is_no_sequence_of_rows() -> None:
    steps = of_columns(Trace(steps=[step(None, 0, 1), step(None, 2, 1)])).steps
    assert steps != (step(None, 0, 1),)
    assert steps != (step(None, 0, 1), step(None, 2, 2))
    assert (steps == object()) is False
    assert steps != ()


def test_a_place_beyond_the_rows_is_an_index_error() -> None:
    steps = of_columns(Trace(steps=[step(None, 0, 1)])).steps
    for index in (1, -2):
        with pytest.raises(IndexError, match=rf"^expected the index of one of 1 steps, got {index}$"):
            steps[index]


def test_a_long_table_shows_its_first_rows_and_how_many_more_there_are() -> None:
    one = step(None, 0, 1)
    shown = of_columns(Trace(steps=[one] * 1_200)).steps
    assert repr(shown) == f"[{one!r}, {one!r}, {one!r}, and 1,197 more]"
    assert repr(shown[:2]) == f"[{one!r}, {one!r}]"


def test_equal_places_are_one_object() -> None:
    steps = of_columns(Trace(steps=[step(None, 0, 1, site=LINE), step(None, 1, 1, site=LINE)])).steps
    assert steps[0].site is steps[1].site


def test_a_requests_row_is_made_once() -> None:
    requests = of_columns(blocked_run()).requests
    assert requests[3] is requests[3]
    assert requests[2:][1] is requests[3]


def test_a_table_can_be_sent_to_another_process() -> None:
    trace = of_columns(blocked_run())
    trace.steps[0], trace.requests[0]
    for name in TABLES:
        assert pickle.loads(pickle.dumps(getattr(trace, name))) == getattr(trace, name)


@pytest.mark.slow
@given(traces(), st.sampled_from([("steps", "task"), ("steps", "outcome"), ("tasks", "ended_ns"), ("waits", "on")]))
def test_a_field_is_the_same_column_with_and_without_rows(trace: Trace, field: tuple[str, str]) -> None:
    table, name = field
    of_rows = column(getattr(trace, table), table, name)
    assert list(column(getattr(of_columns(trace), table), table, name)) == list(of_rows)


def test_none_is_no_moment_and_no_row() -> None:
    trace = Trace(tasks=[task(), task(parent=0)])
    assert list(column(trace.tasks, "tasks", "parent")) == [0, 1]
    assert list(column(trace.tasks, "tasks", "ended_ns")) == [NO_INT, NO_INT]


def test_what_is_asked_of_a_trace_has_the_same_answer_from_rows_and_from_columns() -> None:
    rows = blocked_run()
    table = of_columns(rows)
    assert table.blocks() == rows.blocks()
    assert table.blocks(0.001) == rows.blocks(0.001)
    assert table.max_overlap == rows.max_overlap
    assert table.steps_of == rows.steps_of
    assert table.waits_of == rows.waits_of
    assert table.request_of == rows.request_of
    assert [table.ready_spans(task) for task in range(len(table.tasks))] == [
        rows.ready_spans(task) for task in range(len(rows.tasks))
    ]


def test_a_trace_of_another_traces_rows_is_saved_with_its_own_names() -> None:
    whole = of_columns(blocked_run())
    late = Trace(tasks=whole.tasks, steps=whole.steps[5:9], requests=[request(0, 1, 2), *whole.requests])
    kept = Trace(steps=[Step(None, 0, 0, None, "callback", LINE)], waits=whole.waits[:0], requests=late.requests[:1])
    assert [one.path for one in of_columns(kept).requests] == [late.requests[0].path]
    assert of_columns(kept).steps == kept.steps
    with_parts = Trace(tasks=whole.tasks, handoffs=whole.handoffs, requests=whole.requests[2:5])
    assert of_columns(with_parts).requests == whole.requests[2:5]
    assert all(isinstance(one, Request) for one in of_columns(with_parts).requests)


# -- groups ---------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 5), max_size=30))
def test_groups_are_what_a_dictionary_of_lists_would_be(owners: list[int]) -> None:
    expected: dict[int, list[int]] = {}
    for row, owner in enumerate(owners):
        if owner:
            expected.setdefault(owner - 1, []).append(row)
    groups = Groups(owners)
    assert groups == expected
    assert len(groups) == len(expected)
    assert sorted(groups) == sorted(expected)
    for owner in range(-1, 7):
        assert groups.get(owner, ()) == expected.get(owner, ())
        assert (owner in groups) == (owner in expected)


def test_groups_of_a_run_hold_each_step_once() -> None:
    trace = blocked_run()
    found = sorted(index for indexes in trace.steps_of.values() for index in indexes)
    assert found == [index for index, one in enumerate(trace.steps) if one.task is not None]
    assert all(before < after for indexes in trace.steps_of.values() for before, after in pairwise(indexes))
