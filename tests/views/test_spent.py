"""A request's life in pieces: each moment once, and what is said of it is what comes first of all that is known."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Request, Span, SpanKind, Step, StepOutcome, Task, Trace, Wait, WaitOn
from playground.trace.tables import WORDS
from playground.views.segments import life
from playground.views.spent import STATES, Piece, State, spent
from tests.by_hand import LINE, MS, handoff, looks, ns, request, span, step, task, wait
from tests.recordings import blocked_run, healthy_run, large_run
from tests.trace.traces import traces


def told(trace: Trace, index: int = 0) -> list[tuple[State, float, float]]:
    return [(piece.state, piece.start_ns / MS, piece.end_ns / MS) for piece in spent(trace, index).pieces]


# -- each moment once ---------------------------------------------------------------------------------------------


def check(trace: Trace, index: int) -> None:
    """The pieces cover the life without a gap, none is empty, and ticks lie within it."""
    start_ns, end_ns = life(trace, index)
    time = spent(trace, index)
    edges = [start_ns, *(piece.end_ns for piece in time.pieces)]
    assert [piece.start_ns for piece in time.pieces] == edges[:-1]
    assert all(before < after for before, after in pairwise(edges))
    assert edges[-1] == end_ns
    assert all(start_ns <= tick.start_ns == tick.end_ns <= end_ns for tick in time.ticks)


@pytest.mark.slow
@given(traces())
def test_whatever_the_rows_say_the_pieces_cover_the_requests_life(trace: Trace) -> None:
    for index in range(len(trace.requests)):
        check(trace, index)


@pytest.mark.parametrize("trace", [blocked_run(), healthy_run(), large_run(200)])
def test_the_pieces_of_each_request_of_a_run_cover_its_life(trace: Trace) -> None:
    for index in range(len(trace.requests)):
        check(trace, index)


spans_of_time = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted)


@st.composite
def small(draw: st.DrawFn) -> Trace:
    """A request from 2 to 10, with steps, waits and layers of its task and of a child, of any kind at any time."""
    steps: list[Step] = []
    waits: list[Wait] = []
    spans: list[Span] = []
    free = 0
    for start, end in sorted(draw(st.lists(spans_of_time, max_size=4))):
        begin = max(start, free)  # one loop runs one step at a time
        free = max(begin, end)
        outcome: StepOutcome = draw(st.sampled_from(("waits", "yields")))
        steps.append(Step(draw(st.sampled_from((0, 1))), begin, free - begin, None, outcome, None))
    for start, end in draw(st.lists(spans_of_time, max_size=4)):
        on: WaitOn = draw(st.sampled_from(WORDS["WaitOn"]))
        waits.append(Wait(draw(st.sampled_from((0, 1))), start, end, on, None))
    for start, end in draw(st.lists(spans_of_time, max_size=2)):
        kind: SpanKind = draw(st.sampled_from(("handler", "middleware")))
        spans.append(Span(0, kind, kind, start, end, len(spans) - 1 if spans else None, 0, None))
    tasks = [Task("t", "t", None, 0, None, "pending"), Task("c", "c", 0, 1, None, "pending")]
    waits.sort(key=lambda each: each.start_ns)
    spans.sort(key=lambda each: each.start_ns)
    row = Request(0, "GET", "/", None, 200, 2, 10, 0, (), (), None)
    return Trace(steps=steps, tasks=tasks, waits=waits, requests=[row], spans=spans, duration_ns=12)


@given(small())
def test_each_moment_tells_what_comes_first_of_all_that_goes_on_then(trace: Trace) -> None:
    indirect = {"queue", "event", "future", "task"}
    for piece in spent(trace, 0).pieces:
        for moment in range(piece.start_ns, piece.end_ns):
            on = {each.on for each in trace.waits if each.start_ns <= moment < each.end_ns}
            if any(each.start_ns <= moment < each.end_ns for each in trace.steps):
                assert piece.state in ("run", "frame")
            elif any(start <= moment < end for task in (0, 1) for start, end in trace.ready_spans(task)):
                assert piece.state == "ready"
            elif direct := on - indirect:
                named = {"thread": "for thread"}
                states: list[State] = [named.get(each, each) for each in direct]  # type: ignore[misc]
                assert piece.state == min(states, key=STATES.index)
            else:
                assert piece.state in on or (piece.state == "unknown" and not on)


# -- what is said of a moment ---------------------------------------------------------------------------------------


def test_a_request_runs_waits_is_ready_and_what_is_not_recorded_is_said_so() -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 1, 2), step(0, 7, 1, "waits")],
        waits=[wait(0, 3, 5, "timer")],
        requests=[request(0, 0, 10, task=0)],
    )
    assert told(trace) == [("ready", 0, 1), ("run", 1, 3), ("timer", 3, 5), ("ready", 5, 7), ("run", 7, 8),
                           ("unknown", 8, 10)]  # fmt: skip


def test_another_requests_step_that_held_the_loop_is_what_a_ready_request_waited_for() -> None:
    trace = Trace(
        tasks=[task(), task(), task()],
        steps=[step(1, 10, 60, site=LINE), step(2, 70, 5), step(0, 80, 5, "returned")],
        samples=looks(0, 20, 30, 40),
        requests=[request(0, 0, 85, task=0), request(1, 0, 70, task=1, path="/report")],
    )
    assert told(trace) == [("ready", 0, 10), ("held up", 10, 70), ("ready", 70, 80), ("run", 80, 85)]
    (piece,) = [piece for piece in spent(trace, 0).pieces if piece.state == "held up"]
    assert piece.row == 0
    assert [block.step for block in spent(trace, 0).holds] == [0]


def test_a_step_of_its_own_that_held_the_loop_is_no_other() -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 10, 60, "returned", site=LINE)],
        samples=looks(0, 20, 30),
        requests=[request(0, 0, 70, task=0)],
    )
    assert told(trace) == [("ready", 0, 10), ("blocked", 10, 70)]
    assert spent(trace, 0).holds == []


def test_only_the_layer_that_held_the_loop_is_told_to_have_held_it() -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 80, "returned", site=LINE)],
        requests=[request(0, 0, 80, task=0)],
        spans=[span("middleware", 1, 79), span("routing", 2, 3, parent=0), span("handler", 3, 60, parent=0)],
    )
    found = [(piece.state, piece.span) for piece in spent(trace, 0).pieces]
    assert found == [("frame", None), ("frame", 0), ("frame", 1), ("blocked", 2), ("blocked", 0), ("frame", None)]


def test_a_call_in_a_thread_is_queued_runs_and_waits_to_be_woken() -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 1), step(0, 20, 1, "returned")],
        waits=[wait(0, 1, 18, "thread")],
        handoffs=[handoff(4, 6, 15, 20, task=0, queued_ms=3)],
        requests=[request(0, 0, 21, task=0, handoffs=(0,))],
    )
    assert told(trace) == [("run", 0, 1), ("to thread", 1, 6), ("thread", 6, 15), ("woken", 15, 20), ("run", 20, 21)]
    assert [piece.row for piece in spent(trace, 0).pieces] == [None, 0, 0, 0, None]


def test_a_thread_that_is_done_while_another_holds_the_loop_is_held_up() -> None:
    trace = Trace(
        tasks=[task(), task()],
        steps=[step(0, 0, 1), step(1, 1, 60, site=LINE), step(0, 70, 1, "returned")],
        waits=[wait(0, 1, 65, "thread")],
        handoffs=[handoff(1, 1, 15, 70, task=0)],
        requests=[request(0, 0, 71, task=0, handoffs=(0,)), request(1, 0, 70, task=1)],
    )
    assert told(trace) == [("run", 0, 1), ("thread", 1, 15), ("held up", 15, 61), ("woken", 61, 70), ("run", 70, 71)]


@pytest.mark.parametrize(
    ("started_ms", "ended_ms", "expected"),
    [
        (None, None, [("run", 0, 1), ("to thread", 1, 30)]),
        (5, None, [("run", 0, 1), ("to thread", 1, 5), ("thread", 5, 30)]),
        (5, 9, [("run", 0, 1), ("to thread", 1, 5), ("thread", 5, 9), ("unknown", 9, 30)]),
    ],
)
def test_a_call_that_did_not_come_back_lasts_as_long_as_it_is_known_to(
    started_ms: float | None, ended_ms: float | None, expected: list[tuple[State, float, float]]
) -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 1)],
        handoffs=[handoff(1, started_ms, ended_ms, None, task=0)],
        requests=[request(0, 0, None, task=0, handoffs=(0,))],
        duration_ns=ns(30),
    )
    assert told(trace) == expected


def test_what_a_child_waits_for_is_told_and_not_that_its_parent_waits_for_the_child() -> None:
    trace = Trace(
        tasks=[task(), task(1, parent=0)],
        steps=[step(0, 0, 1), step(1, 1, 1), step(1, 8, 1, "returned"), step(0, 9, 1, "returned")],
        waits=[wait(0, 1, 9, "task"), wait(1, 2, 8, "io")],
        requests=[request(0, 0, 10, task=0)],
    )
    assert told(trace) == [("run", 0, 2), ("io", 2, 8), ("run", 8, 10)]


def test_the_deeper_layer_is_told_where_several_tasks_wait_for_one_another() -> None:
    trace = Trace(
        tasks=[task(), task(1, parent=0)],
        steps=[step(0, 0, 1), step(1, 1, 1)],
        waits=[wait(0, 1, 20, "event"), wait(1, 2, 20, "future")],
        requests=[request(0, 0, 20, task=0)],
        spans=[span("middleware", 0, 20), span("handler", 1, 20, task=1, parent=0)],
    )
    assert [(piece.state, piece.span) for piece in spent(trace, 0).pieces][-1] == ("future", 1)


def test_a_child_works_for_the_layer_in_which_it_was_made() -> None:
    trace = Trace(
        tasks=[task(), task(3, parent=0)],
        steps=[step(0, 0, 5), step(1, 5, 5, "returned")],
        requests=[request(0, 0, 10, task=0)],
        spans=[span("middleware", 1, 10), span("handler", 2, 9, parent=0)],
    )
    assert [(piece.span, piece.start_ns / MS) for piece in spent(trace, 0).pieces] == [(None, 0), (0, 1), (1, 2)]


def test_requests_of_one_task_each_have_their_own_time_and_children() -> None:
    trace = Trace(
        tasks=[task(), task(2, parent=0), task(22, parent=0)],
        steps=[step(0, 0, 3), step(1, 3, 2), step(0, 20, 3), step(2, 23, 2)],
        requests=[request(0, 1, 10, task=0), request(1, 20, 30, task=0)],
    )
    assert spent(trace, 0).tasks == [0, 1]
    assert spent(trace, 1).tasks == [0, 2]
    assert told(trace, 0) == [("run", 1, 5), ("unknown", 5, 10)]
    assert told(trace, 1) == [("run", 20, 25), ("unknown", 25, 30)]


def test_of_a_request_without_a_task_nothing_is_known() -> None:
    trace = Trace(requests=[request(0, 5, 9)])
    assert told(trace) == [("unknown", 5, 9)]
    assert spent(trace, 0).tasks == []


def test_a_request_that_is_not_over_lasts_to_the_end_of_the_run() -> None:
    trace = Trace(tasks=[task()], steps=[step(0, 0, 2)], requests=[request(0, 0, None, task=0)], duration_ns=ns(5))
    assert told(trace) == [("run", 0, 2), ("unknown", 2, 5)]


def test_where_events_were_dropped_the_time_before_the_first_step_kept_is_not_known() -> None:
    trace = Trace(tasks=[task()], steps=[step(0, 4, 2, "returned")], requests=[request(0, 0, 6, task=0)], dropped=3)
    assert told(trace) == [("unknown", 0, 4), ("run", 4, 6)]


def test_what_ran_and_took_no_time_is_a_tick() -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 0), step(0, 5, 0, "returned")],
        waits=[wait(0, 0, 5, "timer")],
        requests=[request(0, 0, 5, task=0)],
        clock="virtual",
    )
    assert told(trace) == [("timer", 0, 5)]
    assert [(tick.state, tick.start_ns) for tick in spent(trace, 0).ticks] == [("run", 0), ("run", ns(5))]


def test_a_request_of_no_length_has_no_pieces() -> None:
    trace = Trace(tasks=[task()], steps=[step(0, 0, 0, "returned")], requests=[request(0, 0, 0, task=0)])
    assert spent(trace, 0).pieces == []
    assert len(spent(trace, 0).ticks) == 1


def test_neighbours_that_say_the_same_are_one_piece() -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 2, "yields"), step(0, 2, 2, "returned")],
        requests=[replace(request(0, 0, 4, task=0), status=None)],
    )
    assert spent(trace, 0).pieces == [Piece(0, ns(4), "run")]
