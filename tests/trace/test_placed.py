"""Requests know their recording, and nobody can tell by looking at them."""

import copy
import pickle
import re
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from weakref import ref

import pytest

from playground.errors import TraceError
from playground.trace import Request, Trace
from playground.trace.placed import place_of
from playground.trace.store import dump
from tests.by_hand import request, step, task
from tests.recordings import blocked_run
from tests.trace.traces import of_columns


def by_hand() -> Trace:
    requests = [request(number, number, number + 1, task=number) for number in range(3)]
    return Trace(tasks=[task()] * 3, steps=[step(0, 0, 1)], requests=requests, dropped=7, title="By hand")


TRACES = [by_hand(), of_columns(by_hand())]


@pytest.mark.parametrize("trace", TRACES)
def test_each_request_knows_its_trace_and_its_index(trace: Trace) -> None:
    for rows in (trace.requests, [trace.requests[index] for index in range(3)], list(trace.requests[:])):
        assert [(place_of(row).origin(), place_of(row).at) for row in rows] == [(trace, 0), (trace, 1), (trace, 2)]
    assert place_of(trace.requests[1:][1]).at == 2


@pytest.mark.parametrize("trace", TRACES)
def test_a_request_outlives_its_trace_and_still_gives_the_same_recording(trace: Trace) -> None:
    gone = copy.copy(trace)
    row, there = gone.requests[1], ref(gone)
    del gone
    assert there() is None  # at once: a live look is as large as what it looks at, and ten are taken a second
    origin, index = place_of(row)
    again = origin()
    assert again is not trace
    assert vars(again).keys() == vars(trace).keys()
    assert dump(again) == dump(trace)
    assert again.requests[index] == row


def test_rows_of_a_slice_have_the_index_of_their_own_trace() -> None:
    whole = of_columns(by_hand())
    part = Trace(tasks=whole.tasks, requests=whole.requests[1:])
    assert [(place_of(row).origin(), place_of(row).at) for row in part.requests] == [(part, 0), (part, 1)]
    assert place_of(whole.requests[1]).origin() is whole


def test_a_row_given_to_two_traces_is_of_neither_and_each_has_its_own() -> None:
    row = request(0, 1, 2)
    first, second = Trace(requests=(row,)), Trace(requests=[row])
    assert (first.requests, second.requests) == ((row,), [row])
    assert place_of(first.requests[0]).origin() is first
    assert place_of(second.requests[0]).origin() is second
    with pytest.raises(TraceError):
        row.waterfall()


@pytest.mark.parametrize("trace", TRACES)
def test_a_place_is_no_part_of_a_row(trace: Trace) -> None:
    row = trace.requests[0]
    plain = Request(**{field.name: getattr(row, field.name) for field in fields(Request)})
    assert row == plain
    assert hash(row) == hash(plain)
    assert repr(row) == repr(plain)
    assert asdict(row) == asdict(plain)
    assert pickle.dumps(row) == pickle.dumps(plain)


def unplaced(row: Request) -> Sequence[Request]:
    return [request(0, 1, 2), replace(row, path="/else"), copy.copy(row), pickle.loads(pickle.dumps(row))]


@pytest.mark.parametrize("row", unplaced(TRACES[0].requests[0]))
def test_a_row_of_no_recording_says_so(row: Request) -> None:
    expected = (
        "expected a request of a recording, got one that was made or copied by hand: take it from the recording's own, "
        "such as trace.requests[0]"
    )
    with pytest.raises(TraceError, match=f"^{re.escape(expected)}$"):
        row.waterfall()


@pytest.mark.parametrize("trace", [blocked_run(), of_columns(blocked_run())])
def test_the_requests_of_a_trace_that_was_sent_elsewhere_know_it(trace: Trace) -> None:
    sent = pickle.loads(pickle.dumps(trace))
    assert sent.requests == trace.requests
    assert place_of(sent.requests[4]).origin() is sent
