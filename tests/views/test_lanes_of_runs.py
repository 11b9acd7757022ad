"""Rows of spans of whole runs and of any recording: sorted, without overlap, and all time accounted for."""

from collections import Counter

import pytest
from hypothesis import given

from playground.trace import Request, Sample, Site, Step, Task, Trace
from playground.views.kinds import FUTURE, READY, RUN
from playground.views.lanes import Row, lanes
from tests.by_hand import request, step, task, wait
from tests.plans import recordings
from tests.recordings import blocked_run, healthy_run, large_run
from tests.views.rows import names, one, spans

# -- whole runs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("trace", [blocked_run(), healthy_run(), large_run(300), Trace()])
def test_spans_are_sorted_and_no_two_of_a_row_overlap(trace: Trace) -> None:
    for row in lanes(trace).rows:
        assert all(start <= end for start, end in zip(row.starts, row.ends, strict=True))
        assert all(end <= start for end, start in zip(row.ends, row.starts[1:], strict=False))


def test_no_time_of_a_request_is_unaccounted_for() -> None:
    laid = lanes(blocked_run())
    for states, lives in zip(laid.of("request"), laid.of("life"), strict=True):
        assert sum(states.ends) - sum(states.starts) == sum(lives.ends) - sum(lives.starts)


def test_rows_come_in_drawing_order() -> None:
    groups = [row.group for row in lanes(blocked_run()).rows]
    assert groups == ["loop", "inside", *["worker"] * 4, *["request"] * 38, *["life"] * 38]


def test_a_row_cuts_off_what_its_last_span_covers() -> None:
    row = Row("loop", 0, "")
    for start, end in ((-5, 3), (2, 6), (4, 5), (6, 6), (5, 9)):
        row.add(start, end, RUN, 0, None)
    assert list(zip(row.starts, row.ends, strict=True)) == [(0, 3), (3, 6), (6, 6), (6, 9)]


def test_a_blocking_step_is_drawn_with_the_line_that_blocked_not_the_one_where_it_stopped() -> None:
    blocking = Site("cell 3", 24, "report", "df.to_csv()")
    stopped = Site("cell 3", 25, "report", "await anyio.sleep(0)")
    trace = Trace(
        tasks=[Task("GET /report", "report", None, 0, None, "pending")],
        steps=[Step(0, 0, 80_000_000, None, "waits", stopped)],
        samples=[Sample(0, 10_000_000, None, blocking, "df.to_csv()")],
        requests=[Request(0, "GET", "/report", None, None, 0, None, 0, (), (), None)],
    )
    laid = lanes(trace)
    drawn = [laid.whats[one(laid, group).whats[0]] for group in ("loop", "inside", "request")]
    assert [(what.file, what.line) for what in drawn] == [("cell 3", 24)] * 3
    # and with the call that it was seen in; inside the step that is the name
    assert [(what.name, what.call) for what in drawn] == [
        ("GET /report", "df.to_csv()"), ("df.to_csv()", ""), ("GET /report", "df.to_csv()"),
    ]  # fmt: skip


# -- any recording --------------------------------------------------------------------------------------


@pytest.mark.slow
@given(recordings())
def test_no_two_spans_of_a_row_overlap_and_each_lies_in_its_request(trace: Trace) -> None:
    laid = lanes(trace)
    lives = {
        request: (row.starts[at], row.ends[at]) for row in laid.of("life") for at, request in enumerate(row.requests)
    }
    assert sorted(lives) == list(range(len(trace.requests)))
    for row in laid.rows:
        assert all(start <= end for start, end in zip(row.starts, row.ends, strict=True))
        assert all(end <= start for end, start in zip(row.ends, row.starts[1:], strict=False))
    for row in laid.of("request"):
        for start_ns, end_ns, owner in zip(row.starts, row.ends, row.requests, strict=True):
            assert lives[owner][0] <= start_ns <= end_ns <= lives[owner][1]


@pytest.mark.slow
@given(recordings())
def test_the_loop_shows_each_step_whole_and_nothing_else(trace: Trace) -> None:
    laid = lanes(trace)
    loop = laid.rows[0]
    firsts = [*laid.turns, len(loop)]
    assert firsts == sorted(firsts)
    for index, turn in enumerate(trace.steps):
        first, stop = firsts[index], firsts[index + 1]
        assert (loop.starts[first], loop.ends[stop - 1]) == (turn.start_ns, turn.end_ns)
        assert all(loop.ends[at] == loop.starts[at + 1] for at in range(first, stop - 1))


@pytest.mark.slow
@given(recordings())
def test_a_request_that_had_its_task_to_itself_was_ready_when_the_trace_says_so(trace: Trace) -> None:
    laid = lanes(trace)
    calls = Counter(call.task for call in trace.requests)
    parents = {task.parent for task in trace.tasks}
    for row in laid.of("request"):
        for index in set(row.requests):
            call = trace.requests[index]
            if call.task is None or calls[call.task] > 1 or call.task in parents:
                continue
            shown = [
                (start_ns, end_ns)
                for start_ns, end_ns, kind, owner in zip(row.starts, row.ends, row.kinds, row.requests, strict=True)
                if kind == READY and owner == index
            ]
            until_ns = trace.duration_ns if call.end_ns is None else call.end_ns
            known = ((start, min(end, until_ns)) for start, end in trace.ready_spans(call.task))
            assert shown == [(start, end) for start, end in known if start < end]


def test_a_child_belongs_to_the_call_in_which_it_was_made() -> None:
    trace = Trace(
        tasks=[task(), task(3, parent=0, coroutine="fetch")],
        steps=[step(0, 0, 4), step(1, 6, 1), step(0, 10, 2), step(1, 13, 1, "returned")],
        waits=[wait(0, 4, 10, "task"), wait(1, 7, 13, "io"), wait(0, 12, 30, "task")],
        requests=[request(0, 1, 11, task=0, path="/a"), request(1, 12, 20, task=0, path="/b")],
    )
    laid = lanes(trace)
    assert list(one(laid, "loop").requests) == [0, 0, 0, 0]
    row = one(laid, "request")
    assert [*zip(spans(row), row.requests, strict=True)] == [
        ((1, 4, RUN), 0), ((4, 6, FUTURE), 0), ((6, 7, RUN), 0), ((7, 10, FUTURE), 0), ((10, 11, RUN), 0),
        ((12, 20, FUTURE), 1),
    ]  # fmt: skip
    assert names(laid, row)[2] == "fetch"


def test_a_call_made_by_a_task_below_one_that_made_several_is_its_own() -> None:
    trace = Trace(
        tasks=[task(), task(3, parent=0)],
        steps=[step(0, 0, 1), step(1, 5, 1)],
        requests=[request(0, 0, 2, task=0), request(1, 3, 9, task=0), request(2, 4, 7, task=1, path="/own")],
    )
    assert list(one(lanes(trace), "loop").requests) == [0, 2]
