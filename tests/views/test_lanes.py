"""Rows of spans from recordings written by hand: who is drawn where, when and as what."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Sample, Site, Trace
from playground.views import kinds
from playground.views.kinds import BLOCKED, FUTURE, IO, LOCK, OFFLOAD, OTHER, READY, RUN, THREAD, TIMER
from playground.views.lanes import NO_REQUEST, lanes
from tests.by_hand import LINE, MS, handoff, looks, ns, request, step, task, wait
from tests.views.rows import names, one, spans

# -- the loop -------------------------------------------------------------------------------------------


def test_the_loop_shows_every_step_as_a_requests_another_or_blocking() -> None:
    trace = Trace(
        tasks=[task(), task(coroutine="heartbeat")],
        steps=[
            step(0, 0, 1),
            step(1, 2, 1),
            step(None, 4, 1, "callback", site=Site("cell 1", 3, "tick")),
            step(None, 5, 1, "callback"),
            step(0, 7, 60, site=LINE),
        ],
        requests=[request(0, 0, 70, task=0, path="/a")],
    )
    laid = lanes(trace)
    loop = one(laid, "loop")
    assert spans(loop) == [(0, 1, RUN), (2, 3, OTHER), (4, 5, OTHER), (5, 6, OTHER), (7, 67, BLOCKED)]
    assert names(laid, loop) == ["GET /a", "heartbeat", "tick", "callback", "GET /a"]
    assert list(loop.requests) == [0, NO_REQUEST, NO_REQUEST, NO_REQUEST, 0]
    assert laid.whats[loop.whats[4]][1:] == ("cell 3", 24, "report", "body = df.to_csv()", "")


def test_a_task_that_called_the_app_twice_belongs_to_each_call_in_turn() -> None:
    trace = Trace(
        tasks=[task(), task(12, parent=0)],
        steps=[step(0, 0, 1), step(0, 3, 3), step(0, 8, 1), step(0, 11, 1), step(1, 13, 1), step(0, 30, 1)],
        requests=[request(0, 2, 5, task=0), request(1, 10, 15, task=0)],
    )
    assert list(one(lanes(trace), "loop").requests) == [NO_REQUEST, 0, NO_REQUEST, 1, 1, NO_REQUEST]


def test_a_step_in_which_the_next_call_began_belongs_to_that() -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 6, 3)],
        requests=[request(0, 2, 5, task=0), request(1, 8, 15, task=0)],
    )
    assert list(one(lanes(trace), "loop").requests) == [1]


# -- inside ---------------------------------------------------------------------------------------------


def test_equal_looks_make_one_segment_and_unlike_ones_meet_half_way() -> None:
    other = Site("cell 3", 25, "helper", "x = slow()")
    samples = [*looks(0, 10, 20, 30), *looks(0, 40, site=other, call=""), *looks(0, 50), *looks(0, 60, site=None)]
    laid = lanes(Trace(steps=[step(None, 0, 60)], samples=samples))
    inside = one(laid, "inside")
    assert spans(inside) == [(0, 35, BLOCKED), (35, 45, BLOCKED), (45, 60, BLOCKED)]
    assert names(laid, inside) == ["df.to_csv()", "helper", "df.to_csv()"]


def test_a_long_step_that_is_no_block_has_its_own_kind_inside() -> None:
    trace = Trace(tasks=[task()], steps=[step(0, 0, 20)], samples=looks(0, 10), requests=[request(0, 0, 20, task=0)])
    assert spans(one(lanes(trace), "inside")) == [(0, 20, RUN)]


def test_a_step_that_nobody_looked_at_has_nothing_inside() -> None:
    trace = Trace(steps=[step(None, 0, 60)], samples=[Sample(0, ns(60), 0, None)])
    assert len(one(lanes(trace), "inside")) == 0


# -- workers --------------------------------------------------------------------------------------------


def test_a_hand_off_is_a_span_on_its_thread_and_an_arrow_each_way() -> None:
    trace = Trace(
        handoffs=[handoff(1, 2, 9, 12, thread=1), handoff(3, 4, 6, 7, thread=0, function="hash")],
        requests=[request(0, 0, 13, handoffs=(0,))],
    )
    laid = lanes(trace)
    first, second = laid.of("worker")
    assert (first.name, second.name) == ("worker-0", "worker-1")
    assert (spans(first), spans(second)) == ([(4, 6, THREAD)], [(2, 9, THREAD)])
    assert names(laid, second) == ["render_pdf"]
    assert list(second.requests) == [0]
    arrows = laid.arrows
    assert [(s / MS, e / MS) for s, e in zip(arrows.starts, arrows.ends, strict=True)] == [
        (1, 2), (9, 12), (3, 4), (6, 7),
    ]  # fmt: skip
    assert list(zip(arrows.from_rows, arrows.to_rows, arrows.backs, strict=True)) == [
        (0, 3, 0), (3, 0, 1), (0, 2, 0), (2, 0, 1),
    ]  # fmt: skip
    assert list(arrows.requests) == [0, 0, NO_REQUEST, NO_REQUEST]
    assert laid.rows[3] is second


def test_a_call_that_did_not_end_lasts_and_has_no_arrow_back() -> None:
    laid = lanes(Trace(handoffs=[handoff(1, 2, None, None)], duration_ns=ns(10)))
    assert spans(one(laid, "worker")) == [(2, 10, THREAD)]
    assert list(laid.arrows.backs) == [0]


def test_a_call_that_never_started_is_not_drawn() -> None:
    laid = lanes(Trace(handoffs=[handoff(1, None, None, None, thread=None)]))
    assert laid.of("worker") == []
    assert len(laid.arrows.starts) == 0


def test_a_result_that_nobody_took_up_has_no_arrow_back() -> None:
    assert list(lanes(Trace(handoffs=[handoff(1, 2, 3, None)])).arrows.backs) == [0]


def test_a_hand_off_finds_its_request_through_its_task() -> None:
    trace = Trace(
        tasks=[task(), task(parent=0)],
        handoffs=[handoff(1, 2, 3, 4, task=1)],
        requests=[request(0, 0, 5, task=0)],
    )
    assert list(one(lanes(trace), "worker").requests) == [0]


# -- requests -------------------------------------------------------------------------------------------


def test_a_request_runs_waits_and_is_ready_in_turn() -> None:
    trace = Trace(
        tasks=[task(1)],
        steps=[step(0, 2, 1), step(0, 10, 1), step(0, 20, 1, "returned")],
        waits=[wait(0, 3, 8, "io", LINE), wait(0, 11, 20, "timer")],
        requests=[request(0, 1, 21, task=0, path="/a")],
    )
    laid = lanes(trace)
    row = one(laid, "request")
    assert spans(row) == [
        (1, 2, READY), (2, 3, RUN), (3, 8, IO), (8, 10, READY), (10, 11, RUN), (11, 20, TIMER), (20, 21, RUN),
    ]  # fmt: skip
    assert set(names(laid, row)) == {"GET /a"}
    assert laid.whats[row.whats[2]].line == 24


@pytest.mark.parametrize(
    ("on", "kind"),
    [("timer", TIMER), ("io", IO), ("lock", LOCK), ("queue", LOCK), ("event", LOCK), ("thread", OFFLOAD),
     ("task", FUTURE), ("future", FUTURE)],
)  # fmt: skip
def test_each_wait_has_its_kind(on: str, kind: int) -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 1)],
        waits=[wait(0, 1, 5, on)],  # type: ignore[arg-type]
        requests=[request(0, 0, None, task=0)],
    )
    assert spans(one(lanes(trace), "request")) == [(0, 1, RUN), (1, 5, kind)]
    assert kinds.KINDS[kind].shape in ("thin", "dashed")


def test_a_blocking_step_shows_in_its_request_too() -> None:
    trace = Trace(tasks=[task()], steps=[step(0, 0, 60, "returned")], requests=[request(0, 0, 60, task=0)])
    assert spans(one(lanes(trace), "request")) == [(0, 60, BLOCKED)]


def test_a_child_that_runs_while_its_request_waits_shows_as_run() -> None:
    trace = Trace(
        tasks=[task(), task(1, parent=0, coroutine="fetch")],
        steps=[step(0, 0, 2), step(1, 4, 1), step(1, 8, 1, "returned"), step(0, 12, 1, "returned")],
        waits=[wait(0, 2, 9, "task"), wait(1, 5, 8, "io")],
        requests=[request(0, 0, 13, task=0)],
    )
    laid = lanes(trace)
    row = one(laid, "request")
    assert spans(row) == [
        (0, 2, RUN), (2, 4, FUTURE), (4, 5, RUN), (5, 8, FUTURE), (8, 9, RUN), (9, 12, READY), (12, 13, RUN),
    ]  # fmt: skip
    assert names(laid, row)[2] == "fetch"


def test_steps_whose_line_holds_the_loop_again_and_again_are_blocks_everywhere() -> None:
    trace = Trace(
        tasks=[task(), task()],
        steps=[step(0, 0, 30, "returned"), step(1, 30, 30, "returned"), step(None, 60, 30, "callback")],
        samples=[*looks(0, 10), *looks(1, 40)],
        requests=[request(0, 0, 30, task=0), request(1, 0, 60, task=1)],
    )
    laid = lanes(trace)
    assert spans(one(laid, "loop")) == [(0, 30, BLOCKED), (30, 60, BLOCKED), (60, 90, OTHER)]
    assert spans(one(laid, "inside")) == [(0, 30, BLOCKED), (30, 60, BLOCKED)]
    assert [spans(row) for row in laid.of("request")] == [[(0, 30, BLOCKED)], [(0, 30, READY), (30, 60, BLOCKED)]]


def test_a_request_lasts_from_when_it_came_in_to_its_end() -> None:
    trace = Trace(
        tasks=[task(1), task(1)],
        steps=[step(0, 5, 2, "returned"), step(1, 8, 1, "yields"), step(1, 20, 1, "returned")],
        requests=[request(0, 1, 7, task=0), request(1, 20.5, 21, task=1)],
    )
    # the second called the app in its second step only: what it did before is not the request's
    laid = lanes(trace)
    assert spans(one(laid, "life")) == [(1, 7, RUN), (20.5, 21, RUN)]
    assert spans(one(laid, "request")) == [(1, 5, READY), (5, 7, RUN), (20.5, 21, RUN)]


def test_the_facts_of_a_request_say_how_it_failed() -> None:
    rows = [request(n, 0, 9) for n in range(5)]
    for place, changes in enumerate([{}, {"status": 404}, {"status": 500, "error": "E"}, {"error": "E"}], 1):
        rows[place] = replace(rows[place], **changes)  # type: ignore[arg-type]
    rows[0] = replace(rows[0], status=None, error="CancelledError")
    assert [facts.failure for facts in lanes(Trace(requests=rows)).requests] == ["", "", "404", "500", "error"]


def test_what_a_task_did_outside_its_request_is_not_the_requests() -> None:
    trace = Trace(
        tasks=[task(0)],
        steps=[step(0, 0, 1), step(0, 5, 4), step(0, 20, 1)],
        waits=[wait(0, 1, 5), wait(0, 9, 20)],
        requests=[request(0, 6, 12, task=0)],
    )
    assert spans(one(lanes(trace), "request")) == [(6, 9, RUN), (9, 12, IO)]


def test_a_request_without_a_task_has_a_life_and_no_segments() -> None:
    laid = lanes(Trace(requests=[request(0, 1, 5)]))
    assert spans(one(laid, "life")) == [(1, 5, RUN)]
    assert len(one(laid, "request")) == 0


def test_requests_share_a_lane_when_they_do_not_overlap() -> None:
    lives: list[tuple[float, float | None]] = [(0, 10), (1, 4), (4, 6), (5, 8), (10, None)]
    trace = Trace(requests=[request(n, a, b) for n, (a, b) in enumerate(lives)], duration_ns=ns(12))
    rows = lanes(trace).of("life")
    assert [list(row.requests) for row in rows] == [[0, 4], [1, 2], [3]]
    assert spans(rows[0])[-1] == (10, 12, RUN)


def test_a_lane_of_a_single_request_has_its_name_and_a_shared_one_its_number() -> None:
    lives = [("/a", 0, 10), ("/b", 1, 4), ("/c", 4, 6), ("/d", 5, 8)]
    trace = Trace(requests=[request(n, a, b, path=path) for n, (path, a, b) in enumerate(lives)])
    laid = lanes(trace)
    for group in ("request", "life"):
        assert [row.name for row in laid.rows if row.group == group] == ["GET /a", "lane 2", "GET /d"]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=25))
def test_lanes_are_as_few_as_requests_at_once_and_never_overlap(lives: list[tuple[int, int]]) -> None:
    starts = sorted(lives)
    trace = Trace(requests=[request(n, a, a + length) for n, (a, length) in enumerate(starts)])
    rows = lanes(trace).of("life")
    assert len(rows) == trace.max_overlap
    assert sorted(index for row in rows for index in row.requests) == list(range(len(lives)))
    for row in rows:
        assert all(end <= start for end, start in zip(row.ends, row.starts[1:], strict=False))
