"""The handler and what is around it, painted apart: by the innermost span that was open in the step's own task."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Span, SpanKind, Trace
from playground.views.kinds import FRAME, KINDS, OTHER, RUN, kinds_of
from playground.views.lanes import lanes
from playground.views.parts import Parts
from playground.views.text import text
from tests.by_hand import MS, ns, request, span, step, task
from tests.views.rows import one, spans


def pieces(trace: Trace, task: int | None, start_ms: float, end_ms: float) -> list[tuple[float, float, int]]:
    return [(s / MS, e / MS, kind) for s, e, kind in Parts(trace).pieces(task, ns(start_ms), ns(end_ms))]


ONION = (
    span("middleware", 1, 20),
    span("middleware", 2, 18, parent=0),
    span("routing", 3, 4, parent=1),
    span("handler", 4, 10, parent=1),
    span("response", 10, 12, parent=1),
)


def test_a_step_is_cut_where_the_handler_begins_and_the_response_ends() -> None:
    trace = Trace(tasks=[task()], requests=[request(0, 0, 25, task=0)], spans=ONION)
    assert pieces(trace, 0, 0, 25) == [(0, 4, FRAME), (4, 12, RUN), (12, 25, FRAME)]
    assert pieces(trace, 0, 5, 9) == [(5, 9, RUN)]
    assert pieces(trace, 0, 12, 13) == [(12, 13, FRAME)]
    assert pieces(trace, 0, 10, 12) == [(10, 12, RUN)]


def test_a_moment_of_no_length_is_one_piece() -> None:
    trace = Trace(tasks=[task()], requests=[request(0, 0, 25, task=0)], spans=ONION)
    assert [pieces(trace, 0, at, at) for at in (0, 5, 20)] == [[(0, 0, FRAME)], [(5, 5, RUN)], [(20, 20, FRAME)]]


def test_dependencies_are_the_handlers_and_a_span_that_did_not_end_lasts() -> None:
    trace = Trace(
        tasks=[task()],
        requests=[request(0, 0, None, task=0)],
        spans=[span("middleware", 0, None), span("dependency", 2, 5, parent=0), span("handler", 6, None, parent=0)],
    )
    assert pieces(trace, 0, 0, 50) == [(0, 2, FRAME), (2, 5, RUN), (5, 6, FRAME), (6, 50, RUN)]


def test_a_task_works_for_the_span_in_which_it_was_made_until_it_has_its_own() -> None:
    trace = Trace(
        tasks=[task(), task(2, parent=0), task(6, parent=1), task(15, parent=0)],
        requests=[request(0, 0, 25, task=0)],
        spans=[span("middleware", 1, 20), span("handler", 5, 10, task=1, parent=0)],
    )
    assert pieces(trace, 0, 5, 9) == [(5, 9, FRAME)]  # the layer's own task, while the handler runs in another
    assert pieces(trace, 1, 2, 12) == [(2, 5, FRAME), (5, 10, RUN), (10, 12, FRAME)]
    assert pieces(trace, 2, 7, 30) == [(7, 30, RUN)]  # made by the handler, and outlives it
    assert pieces(trace, 3, 16, 17) == [(16, 17, FRAME)]


def test_where_a_request_has_no_spans_nothing_is_said_of_its_parts() -> None:
    trace = Trace(
        tasks=[task(), task()],
        requests=[request(0, 0, 9, task=0), request(1, 0, 9, task=1)],
        spans=[span("handler", 2, 4)],
    )
    assert pieces(trace, 1, 0, 9) == [(0, 9, RUN)]
    assert pieces(trace, 0, 0, 9) == [(0, 2, FRAME), (2, 4, RUN), (4, 9, FRAME)]
    assert pieces(trace, None, 0, 9) == [(0, 9, RUN)]


def test_the_loop_and_the_request_are_painted_in_the_same_parts() -> None:
    trace = Trace(
        tasks=[task(), task(coroutine="heartbeat")],
        steps=[step(0, 0, 8), step(1, 8, 1), step(0, 9, 12)],
        requests=[request(0, 0, 21, task=0)],
        spans=ONION,
    )
    laid = lanes(trace)
    assert spans(one(laid, "loop")) == [
        (0, 4, FRAME),
        (4, 8, RUN),
        (8, 9, OTHER),
        (9, 12, RUN),
        (12, 21, FRAME),
    ]
    ran = [piece for piece in spans(one(laid, "request")) if piece[2] in (RUN, FRAME)]
    assert ran == [(0, 4, FRAME), (4, 8, RUN), (9, 12, RUN), (12, 21, FRAME)]


@pytest.mark.parametrize(
    ("requests", "told", "words"),
    [
        (0, 0, "runs for a request"),
        (3, 0, "runs for a request"),
        (3, 2, "runs for a request"),
        (3, 3, "handler, response"),
    ],
)
def test_only_where_every_request_has_spans_is_a_handler_spoken_of(requests: int, told: int, words: str) -> None:
    kinds = kinds_of(requests, told)
    assert kinds[RUN].words == words
    assert kinds[1:] == KINDS[1:]
    assert (kinds[RUN].light, kinds[RUN].mark, kinds[RUN].shape) == (
        KINDS[RUN].light,
        KINDS[RUN].mark,
        KINDS[RUN].shape,
    )


def test_the_legend_speaks_of_the_handler_where_it_is_known() -> None:
    steps = [step(0, 0, 8)]
    told = Trace(tasks=[task()], steps=steps, requests=[request(0, 0, 21, task=0)], spans=ONION)
    untold = Trace(tasks=[task()], steps=steps, requests=[request(0, 0, 21, task=0)])
    assert "█ handler, response   ▓ middleware, routing" in text(told)
    assert "█ runs for a request" in text(untold)
    assert "handler" not in text(untold)


Tree = list[tuple[SpanKind, Any]]  # spans, each with those inside it
nested: st.SearchStrategy[Tree] = st.recursive(
    st.just([]), lambda inner: st.lists(st.tuples(st.sampled_from(["middleware", "handler"]), inner), max_size=3)
)


def grow(tree: Tree, at: int, made: list[Span], innermost: dict[int, int]) -> int:
    """Make spans of a tree, each a moment within the one around it; return when the last has ended."""
    for kind, inner in tree:
        began, index = at, len(made)
        made.append(span(kind, 0, None))
        at = grow(inner, at + 1, made, innermost) + 1
        made[index] = Span(0, kind, kind, began, at, None, 0, None)
        for moment in range(began, at):
            innermost.setdefault(moment, FRAME if kind == "middleware" else RUN)
    return at


@given(nested, st.integers(0, 40), st.integers(0, 40))
def test_pieces_cover_a_step_and_each_is_of_the_innermost_span(tree: Tree, start: int, length: int) -> None:
    made: list[Span] = []
    innermost: dict[int, int] = {}
    grow(tree, 2, made, innermost)
    trace = Trace(tasks=[task()], requests=[request(0, 0, 1, task=0)], spans=made)
    cut = list(Parts(trace).pieces(0, start, start + length))
    assert (cut[0][0], cut[-1][1]) == (start, start + length)
    assert all(before[1] == after[0] and before[2] != after[2] for before, after in pairwise(cut))
    assert all(begin < end for begin, end, _ in cut) or length == 0
    outside = FRAME if made else RUN
    for begin, end, kind in cut:
        assert {innermost.get(moment, outside) for moment in range(begin, end)} <= {kind}
