"""One request from top to bottom: lanes, shares, sentence, tables, text, picture, packet; of runs by hand and real."""

import asyncio
import json
import re
import time
from collections import Counter
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from playground import App, Lab
from playground.errors import TraceError
from playground.trace import Message, Request, Sample, Site, Span, SpanKind, Trace
from playground.trace.columns import unpack
from playground.views.findings import plain, text
from playground.views.kinds import KINDS
from playground.views.spent import STATES
from playground.views.waterfall import Waterfall, part_words, percent, waterfall, waterfall_packet
from playground.views.waterfall_svg import waterfall_svg
from playground.views.waterfall_text import waterfall_text
from playground.views.waterfall_words import COLOURS, LOOKS, MESSAGE, SHAPES, WORKER
from tests.by_hand import LINE, MS, handoff, looks, ns, request, step, task, wait
from tests.recordings import blocked_run, healthy_run
from tests.trace.test_store import traces

NASTY = "<img src=x onerror=alert(1)></script><b>&\"'\x1b[31m\u202e\udce9"
"""Markup, control characters, a mark that turns words around, and half of a surrogate pair, as of a path no UTF-8."""


def span(
    kind: SpanKind, name: str, start_ms: float, end_ms: float | None, *, parent: int | None = None, task: int = 0
) -> Span:
    return Span(0, kind, name, ns(start_ms), None if end_ms is None else ns(end_ms), parent, task, None)


def message(way: str, kind: str, at_ms: float, detail: str = "") -> Message:
    return Message("receive" if way == "receive" else "send", kind, ns(at_ms), detail)


def export() -> Trace:
    """A request through two middlewares, whose handler hands a call to a thread and is held up by another request."""
    row = request(25, 100, 352, task=0, path="/export", route="/export", handoffs=(0,))
    told = (
        message("receive", "http.request", 101, "0 bytes"),
        message("send", "http.response.start", 350, "status 200"),
        message("send", "http.response.body", 350.5, "48,000 bytes"),
    )
    return Trace(
        tasks=[task(100), task(90)],
        steps=[step(0, 100, 10, site=Site("cell 3", 33, "export")), step(1, 115, 225), step(0, 341, 11, "returned")],
        waits=[wait(0, 110, 339, "thread")],
        samples=looks(1, 200, 300),
        handoffs=[handoff(111, 112, 130, 341, task=0, queued_ms=1)],
        requests=[replace(row, messages=told), request(26, 90, 345, task=1, path="/report")],
        spans=[
            span("middleware", "TimingMiddleware", 101, 351),
            span("middleware", "AuthMiddleware", 102, 350, parent=0),
            span("routing", "Router", 103, 104, parent=1),
            span("handler", "export", 104, 348, parent=1),
            span("response", "PlainTextResponse", 348, 350, parent=1),
        ],
    )


def lines(fall: Waterfall) -> list[tuple[str, str, int, str]]:
    return [(lane.group, lane.name, lane.depth, lane.aside) for lane in fall.lanes]


def bars(fall: Waterfall, name: str) -> list[str]:
    (lane,) = [lane for lane in fall.lanes if lane.name == name and lane.group != "call"]
    return [bar.words for bar in lane.bars]


# -- shares and sentence ------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(traces())
@settings(max_examples=60)
def test_the_shares_add_up_to_the_nanosecond_whatever_the_rows_say(trace: Trace) -> None:
    for index in range(len(trace.requests)):
        fall = waterfall(trace, index)
        assert sum(share.ns for share in fall.shares) == fall.duration_ns
        assert all(share.ns > 0 for share in fall.shares)


@pytest.mark.parametrize("trace", [blocked_run(), healthy_run(), export()])
def test_the_shares_of_each_request_of_a_run_add_up(trace: Trace) -> None:
    for index, row in enumerate(trace.requests):
        fall = waterfall(trace, index)
        assert row.end_ns is not None
        assert sum(share.ns for share in fall.shares) == fall.duration_ns == row.end_ns - row.start_ns
        assert [share.ns for share in fall.shares] == sorted((share.ns for share in fall.shares), reverse=True)


def told_shares(fall: Waterfall) -> list[tuple[str, str, float]]:
    return [(part_words(share), percent(share.ns, fall.duration_ns), share.ns / MS) for share in fall.shares]


def test_it_says_where_the_time_went() -> None:
    fall = waterfall(export(), 0)
    assert told_shares(fall) == [
        ("Ready, while `GET /report` (request 26) held the loop with `df.to_csv()`", "83%", 210),
        ("In a worker thread, in `render_pdf`", "7%", 18),
        ("Running in the handler `export`", "5%", 13),
        ("Running in the response `PlainTextResponse`", "1%", 2),
        ("Running outside of the app's layers", "1%", 2),
        ("Running in the middleware `TimingMiddleware`", "1%", 2),
        ("Queued for a thread to run `render_pdf`", "1%", 2),
        ("Running in the middleware `AuthMiddleware`", "<1%", 1),
        ("Running in the routing `Router`", "<1%", 1),
        ("Waiting to be woken after `render_pdf`", "<1%", 1),
    ]
    assert plain(fall.sentence) == (
        "The request spent 210 of 252 ms ready, while `GET /report` (request 26) held the loop with `df.to_csv()`; "
        "18 ms in a worker thread, in `render_pdf`; and 24 ms otherwise."
    )


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (
            Trace(tasks=[task()], steps=[step(0, 0, 9, "returned")], requests=[request(0, 0, 9, task=0)]),
            "The request spent 9 of 9 ms running.",
        ),
        (
            Trace(
                tasks=[task()],
                steps=[step(0, 0, 9)],
                waits=[wait(0, 9, 20, "lock")],
                requests=[request(0, 0, None, task=0)],
                duration_ns=ns(20),
            ),
            "The request is not over; so far it spent 11 of 20 ms waiting for a lock; 9 ms running.",
        ),
        (
            Trace(requests=[request(0, 3, 3)], clock="virtual"),
            "The request took no time. In virtual time, what only computes takes no time.",
        ),
        (Trace(requests=[request(0, 3, 3)]), "The request took no time."),
        (
            Trace(requests=[request(0, 0, 8)]),
            "The request spent 8 of 8 ms in a way that was not recorded.",
        ),
        (
            Trace(
                tasks=[task()],
                steps=[step(0, 0, 60, "returned", site=LINE)],
                samples=looks(0, 10, 30),
                requests=[request(0, 0, 60, task=0)],
            ),
            "The request spent 60 of 60 ms holding the loop with `df.to_csv()`.",
        ),
    ],
)
def test_the_sentence_is_true_of_every_kind_of_request(trace: Trace, expected: str) -> None:
    assert plain(waterfall(trace, 0).sentence) == expected


@pytest.mark.parametrize(
    ("owner", "site", "expected"),
    [
        (1, LINE, "Ready, while the task `heartbeat` held the loop"),
        (None, LINE, "Ready, while a callback `report` held the loop"),
        (None, None, "Ready, while a callback held the loop"),
    ],
)
def test_what_held_the_loop_and_is_no_request_is_named_as_what_it_is(
    owner: int | None, site: Site | None, expected: str
) -> None:
    trace = Trace(
        tasks=[task(), task(coroutine="heartbeat")],
        steps=[step(owner, 0, 60, site=site), step(0, 60, 2, "returned")],
        requests=[request(0, 0, 62, task=0)],
    )
    assert part_words(waterfall(trace, 0).shares[0]) == expected


def test_many_shares_become_few_and_nothing_is_lost() -> None:
    count = 40
    calls = [handoff(n, n, n + 0.5, n + 0.75, task=0, function=f"f{n}") for n in range(count)]
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 0.01)],
        waits=[wait(0, 0.01, 40, "thread")],
        handoffs=calls,
        requests=[request(0, 0, 40, task=0, handoffs=tuple(range(count)))],
    )
    fall = waterfall(trace, 0)
    assert len(fall.shares) <= 12 + len(STATES)
    assert sum(share.ns for share in fall.shares) == ns(40)
    assert ("Waiting to be woken, in 40 smaller shares", ns(10)) in [(part_words(s), s.ns) for s in fall.shares]


# -- lanes ----------------------------------------------------------------------------------------------------------


def test_the_layers_stand_one_within_the_other_with_their_ways_in_and_out() -> None:
    assert lines(waterfall(export(), 0)) == [
        ("receive", "receive", 0, "1 message"),
        ("request", "GET /export", 0, "252 ms"),
        ("layer", "TimingMiddleware", 1, "in 1 ms, out 1 ms"),
        ("layer", "AuthMiddleware", 2, "in 1 ms, out 0 ms"),
        ("layer", "Router", 3, "1 ms"),
        ("layer", "export", 3, "244 ms"),
        ("layer", "PlainTextResponse", 3, "2 ms"),
        ("call", "render_pdf", 0, "18 ms"),
        ("send", "send", 0, "2 messages"),
    ]


def test_each_lane_holds_what_went_on_in_its_layer_and_in_no_other() -> None:
    fall = waterfall(export(), 0)
    assert bars(fall, "TimingMiddleware") == [
        "running in the middleware `TimingMiddleware`, 1 ms, at 1 ms",
        "running in the middleware `TimingMiddleware`, 1 ms, at 250 ms",
    ]
    assert bars(fall, "export") == [
        "running in the handler `export`, 6 ms, at 4 ms, up to cell 3, line 33",
        "queued for a thread to run `render_pdf`, 2 ms, at 10 ms",
        "in a worker thread, in `render_pdf`, 18 ms, at 12 ms",
        "ready, while `GET /report` (request 26) held the loop with `df.to_csv()`, 210 ms, at 30 ms",
        "waiting to be woken after `render_pdf`, 1 ms, at 240 ms",
        "running in the handler `export`, 7 ms, at 241 ms",
    ]
    drawn = sum(
        bar.end_ns - bar.start_ns for lane in fall.lanes if lane.group in ("request", "layer") for bar in lane.bars
    )
    assert drawn == fall.duration_ns


def test_a_call_shows_its_queue_its_run_and_the_time_until_it_was_woken() -> None:
    (lane,) = [lane for lane in waterfall(export(), 0).lanes if lane.group == "call"]
    assert lane.kind == "worker-0"
    assert [(bar.start_ns / MS, bar.end_ns / MS, bar.look) for bar in lane.bars] == [
        (10, 12, STATES.index("to thread")),
        (12, 30, WORKER),
        (30, 241, STATES.index("woken")),
    ]
    assert [bar.words for bar in lane.bars] == [
        "queued for a thread, 2 ms, at 10 ms",
        "running in a worker thread, 18 ms, at 12 ms",
        "waiting to be woken, 211 ms, at 30 ms",
    ]


def test_a_call_that_has_not_begun_says_so() -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 1)],
        handoffs=[handoff(1, None, None, None, task=0, thread=None)],
        requests=[request(0, 0, None, task=0, handoffs=(0,))],
        duration_ns=ns(9),
    )
    (lane,) = [lane for lane in waterfall(trace, 0).lanes if lane.group == "call"]
    assert (lane.kind, lane.aside) == ("no thread yet", "not begun")


def test_a_layer_that_is_not_over_tells_its_way_in_only() -> None:
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 5)],
        requests=[request(0, 0, None, task=0)],
        spans=[span("middleware", "Outer", 1, None), span("handler", "h", 3, None, parent=0)],
        duration_ns=ns(10),
    )
    assert [line for line in lines(waterfall(trace, 0)) if line[0] == "layer"] == [
        ("layer", "Outer", 1, "in 2 ms"),
        ("layer", "h", 2, "7 ms"),
    ]


def test_each_message_is_a_mark_and_those_that_are_near_share_one() -> None:
    received, *_, sent = waterfall(export(), 0).lanes
    assert [(bar.start_ns / MS, bar.look, bar.words, list(bar.lines)) for bar in received.bars] == [
        (1, MESSAGE, "http.request: 0 bytes, at 1 ms", [])
    ]
    assert [(bar.start_ns / MS, bar.end_ns / MS, bar.words, list(bar.lines)) for bar in sent.bars] == [
        (
            250,
            250.5,
            "2 messages from 250 ms on",
            ["http.response.start: status 200, at 250 ms", "http.response.body: 48,000 bytes, at 250.5 ms"],
        )
    ]


# -- bounds ---------------------------------------------------------------------------------------------------------


def streaming(count: int) -> Trace:
    """A response of many parts, each sent in a step of its own."""
    sent = tuple(message("send", "http.response.body", n, "10 bytes, more to come") for n in range(count))
    return Trace(
        tasks=[task()],
        steps=[step(0, n, 0.5) for n in range(count)],
        waits=[wait(0, n + 0.5, n + 0.9, "timer") for n in range(count)],
        requests=[replace(request(0, 0, count, task=0), messages=sent)],
    )


def size(fall: Waterfall) -> int:
    return sum(len(lane.bars) + sum(len(bar.lines) for bar in lane.bars) for lane in fall.lanes)


@pytest.mark.slow
def test_a_stream_of_ten_thousand_messages_is_few_marks_and_all_are_counted() -> None:
    trace = streaming(10_000)
    fall = waterfall(trace, 0)
    sent = fall.lanes[-1]
    assert sent.aside == "10,000 messages"
    assert len(sent.bars) <= 51
    counts = [int(bar.words.split()[0].replace(",", "")) for bar in sent.bars]
    assert sum(counts) == 10_000
    assert all(len(bar.lines) <= 21 for bar in sent.bars)
    assert sent.bars[0].lines[-1] == "and 181 more, up to 200 ms"
    assert size(fall) < 2_000
    (sheet,) = [sheet for sheet in fall.sheets if sheet.caption == "ASGI messages"]
    assert len(sheet.rows) == 201
    assert sheet.rows[-1] == ("", "9,800 more", "", "")
    assert len(waterfall_packet(trace, 0)) < 200_000
    assert len(waterfall_svg(trace, fall)) < 200_000


def test_a_lane_of_many_pieces_draws_those_of_each_stretch_together_and_loses_none() -> None:
    fall = waterfall(streaming(1_000), 0)
    lane = fall.lanes[1]
    assert len(lane.bars) <= 300
    sums = Counter[str]()
    for bar in lane.bars:
        sums[LOOKS[bar.look].told] += bar.end_ns - bar.start_ns
    assert dict(sums) == {plain(share.words): share.ns for share in fall.shares}
    assert (
        "Not drawn: each of the 3,000 pieces of a lane by itself; those near each other are drawn together."
        in fall.notes
    )
    assert lane.bars[0].words == "running, 6.5 ms in 13 pieces within 12.5 ms, at 0 ms"
    assert [before.end_ns <= after.start_ns for before, after in pairwise(lane.bars)] == [True] * (len(lane.bars) - 1)
    assert told_shares(fall) == [
        ("Running", "50%", 500),
        ("Waiting for a timer", "40%", 400),
        ("Ready, queued for the loop", "10%", 99.9),
        ("In a way that was not recorded", "<1%", 0.1),
    ]


def test_of_five_hundred_layers_few_are_drawn_and_their_time_is_all_there() -> None:
    spans = [span("middleware", f"m{n}", n, 1_000 - n, parent=n - 1 if n else None) for n in range(500)]
    trace = Trace(
        tasks=[task()], steps=[step(0, 0, 1_000, "returned")], requests=[request(0, 0, 1_000, task=0)], spans=spans
    )
    fall = waterfall(trace, 0)
    layers = [lane for lane in fall.lanes if lane.group == "layer"]
    assert len(layers) == 24
    assert "Not drawn: 476 more layers (their time is in the lane of the one around them)." in fall.notes
    assert [share.words for share in fall.shares[12:]] == [(text("running, in 488 smaller shares"),)]
    innermost = layers[-1]  # it has the time of all those within
    assert innermost.name == "m23"
    assert innermost.bars[0].start_ns / MS == pytest.approx(23, abs=4)
    assert innermost.bars[-1].end_ns / MS == pytest.approx(977, abs=4)


def test_of_five_hundred_calls_the_longest_are_drawn_and_the_rest_is_counted() -> None:
    calls = [handoff(n, n, n + 1 + n / 1000, n + 2, task=0, function=f"f{n}") for n in range(500)]
    row = request(0, 0, 600, task=0, handoffs=tuple(range(500)))
    trace = Trace(tasks=[task()], steps=[step(0, 0, 1)], handoffs=calls, requests=[row])
    fall = waterfall(trace, 0)
    assert len([lane for lane in fall.lanes if lane.group == "call"]) == 12
    assert "Not drawn: 488 more calls in worker threads, shorter than these." in fall.notes


def test_among_many_pieces_a_long_one_is_drawn_and_named_by_itself() -> None:
    many = streaming(400)
    trace = Trace(
        tasks=[*many.tasks, task()],
        steps=[*many.steps, step(1, 400, 60, site=LINE), step(0, 460, 1, "returned")],
        waits=many.waits,
        samples=looks(400, 420, 440),
        requests=[replace(many.requests[0], end_ns=ns(461))],
    )
    words = [bar.words for bar in waterfall(trace, 0).lanes[1].bars]
    assert "ready, while the task `main` held the loop with `df.to_csv()`, 60 ms, at 400 ms" in words
    assert len(words) < 300


# -- what is not known -----------------------------------------------------------------------------------------------

NOT_RECORDED = "The query, the headers, the client and the contents of bodies are not recorded."


def test_what_the_recording_does_not_hold_is_said() -> None:
    trace = Trace(
        tasks=[task(), task(1, parent=0)],
        steps=[step(0, 0, 2), step(1, 2, 2, "returned")],
        requests=[request(0, 0, 9, task=0)],
        dropped=3,
    )
    assert waterfall(trace, 0).notes == [
        "The layers of this app are not known: what is shown is what the request's tasks did.",
        (
            "2 tasks worked for this request. Each moment is counted once: as what ran, or else what a thread did, or "
            "else what was ready, or else a wait."
        ),
        "The recorder dropped 3 events, the oldest: what they told of this request is missing.",
        NOT_RECORDED,
    ]
    assert waterfall(Trace(requests=[request(0, 0, 9)]), 0).notes == [
        "Which task called the app was not recorded, so nothing is known of what it did.",
        NOT_RECORDED,
    ]


def test_input_that_may_have_come_while_another_held_the_loop_is_told_of() -> None:
    def held(on: Any) -> list[str]:
        trace = Trace(
            tasks=[task(), task()],
            steps=[step(0, 0, 1), step(1, 1, 60, site=LINE), step(0, 70, 1, "returned")],
            waits=[wait(0, 1, 70, on)],
            requests=[request(0, 0, 71, task=0)],
        )
        return waterfall(trace, 0).notes[:-2]

    (told,) = held("io")
    assert told == (
        "60 ms of the wait for I/O went by while other steps held the loop. When in that time it was there could not "
        "be seen."
    )
    assert held("timer") == []  # when a timer is due is known


def test_what_the_diagnosis_does_not_count_of_a_held_loop_is_told_beside_the_whole() -> None:
    def held(away_ms: float) -> Waterfall:
        told = [Sample(0, ns(20), 0, LINE, "time.sleep(0.2)"), Sample(0, ns(230), ns(away_ms), None)]
        trace = Trace(
            tasks=[task()],
            steps=[step(0, 0, 230, "returned")],
            samples=told,
            requests=[request(0, 0, 230, task=0)],
        )
        return waterfall(trace, 0)

    assert plain(held(30).sentence).startswith(
        "The request spent 230 of 230 ms holding the loop with `time.sleep(0.2)`"
    )
    assert held(30).notes[0] == (
        "The step that held the loop took 230 ms, with 30 ms in which the system did not run the thread."
    )
    assert held(10).notes[0].startswith("The layers of this app"), "a small part changes nothing that is seen"


def test_steps_of_others_that_held_the_loop_are_told_together() -> None:
    trace = Trace(
        tasks=[task(), task(), task()],
        steps=[step(1, 0, 100, "returned"), step(2, 100, 100, "returned"), step(0, 200, 1, "returned")],
        samples=[
            Sample(0, ns(50), 0, LINE, "time.sleep(0.1)"),
            Sample(0, ns(100), ns(40), None),
            Sample(1, ns(150), 0, LINE, "time.sleep(0.1)"),
            Sample(1, ns(200), 0, None, "", ns(20)),
        ],
        requests=[request(number, 0, 201, task=number) for number in range(3)],
    )
    assert waterfall(trace, 0).notes[0] == (
        "The 2 steps that held the loop took 200 ms, with 40 ms in which the system did not run the thread and 20 ms "
        "in which other threads had the interpreter."
    )


def test_time_in_which_it_was_ready_and_nothing_ran_is_told_of() -> None:
    trace = Trace(
        tasks=[task(), task()],
        steps=[step(0, 0, 1), step(1, 14, 2), step(0, 20, 1, "returned")],
        waits=[wait(0, 1, 10, "timer")],
        requests=[request(0, 0, 21, task=0)],
    )
    assert waterfall(trace, 0).notes[0] == (
        "Of the 10 ms in which it was ready and no step held the loop, other steps ran for 2 ms. In the rest the loop "
        "did its own work, or the system woke it late."
    )
    busy = replace(trace.steps[1], start_ns=ns(10), duration_ns=ns(9.5))
    queued = Trace(tasks=trace.tasks, steps=[trace.steps[0], busy, trace.steps[2]], waits=trace.waits,
                   requests=trace.requests)  # fmt: skip
    assert not waterfall(queued, 0).notes[0].startswith("Of the")


def test_the_scope_is_what_was_recorded() -> None:
    fall = waterfall(export(), 0)
    assert fall.scope == [
        ("method", "GET"),
        ("path", "/export"),
        ("route", "/export"),
        ("status", "200"),
        ("came in", "100 ms after the run began"),
    ]
    assert (fall.title, fall.summary, fall.failure) == ("#25 GET /export", "200 · 252 ms", "")


def test_a_request_that_failed_tells_its_exception_and_one_without_an_answer_that_it_has_none() -> None:
    row = replace(request(3, 0, 5), status=None, error="ValueError: no luck")
    fall = waterfall(Trace(requests=[row]), 0)
    assert fall.scope[2:5] == [
        ("route", "not told by the app"),
        ("status", "none sent"),
        ("exception", "ValueError: no luck"),
    ]
    assert (fall.failure, fall.summary) == ("error", "error · 5 ms")


def test_a_websocket_has_no_status_and_one_that_is_not_over_says_so() -> None:
    row = Request(0, "WEBSOCKET", "/ws", "/ws", None, 0, None, None, (), (), None)
    fall = waterfall(Trace(requests=[row], duration_ns=ns(40)), 0)
    assert [term for term, _ in fall.scope] == ["method", "path", "route", "came in"]
    assert (fall.title, fall.summary) == ("#0 WEBSOCKET /ws", "40 ms so far, not over")
    pending = waterfall(Trace(requests=[replace(row, route=None)], duration_ns=ns(40)), 0)
    assert pending.scope[2] == ("route", "not known before the request is over")


@pytest.mark.parametrize("index", [2, -3])
def test_a_request_that_is_not_there_is_refused(index: int) -> None:
    trace = Trace(requests=[request(0, 0, 1), request(1, 0, 1)])
    expected = f"expected the index of one of 2 requests, got {index}: give one of trace.requests"
    with pytest.raises(TraceError, match=f"^{re.escape(expected)}$"):
        waterfall(trace, index)


def test_an_index_may_count_from_the_end() -> None:
    assert waterfall(export(), -2) == waterfall(export(), 0)


# -- tables, text, picture, packet ----------------------------------------------------------------------------------


def test_the_tables_hold_the_same_with_exact_sums() -> None:
    sheets = {sheet.caption: sheet for sheet in waterfall(export(), 0).sheets}
    assert list(sheets) == ["Where the time went", "Layers", "Calls in worker threads", "ASGI messages"]
    spent = sheets["Where the time went"].rows
    assert spent[0] == (
        "Ready, while `GET /report` (request 26) held the loop with `df.to_csv()`",
        "83%",
        "210,000,000",
    )
    assert spent[-1] == ("in all", "100%", "252,000,000")
    assert sum(int(row[2].replace(",", "")) for row in spent[:-1]) == ns(252)
    assert sheets["Layers"].rows[1] == ("  AuthMiddleware", "middleware", "at 2 ms", "in 1 ms, out 0 ms")
    assert sheets["Calls in worker threads"].rows[0][:2] == ("render_pdf", "worker-0")
    assert sheets["ASGI messages"].rows[2] == ("send", "http.response.body", "48,000 bytes", "at 250.5 ms")


def test_a_table_of_nothing_is_left_out() -> None:
    assert [sheet.caption for sheet in waterfall(Trace(requests=[request(0, 0, 1)]), 0).sheets] == [
        "Where the time went"
    ]


def test_the_text_shows_all_of_it() -> None:
    trace = export()
    shown = waterfall_text(waterfall(trace, 0))
    assert shown.splitlines()[0] == "#25 GET /export: 200 · 252 ms"
    for expected in (
        "    AuthMiddleware          in 1 ms, out 0 ms ▓",
        "render_pdf                              18 ms   :■■■░░░",
        "receive                             1 message o",
        "     210 ms   83%  Ready, while `GET /report` (request 26) held the loop with `df.to_csv()`",
        "x ready, another holds the loop",
        NOT_RECORDED,
    ):
        assert expected in shown
    assert max(map(len, shown.splitlines())) <= 100


@pytest.mark.parametrize("width", [66, 100, 160])
def test_the_text_keeps_to_its_width(width: int) -> None:
    for trace in (export(), blocked_run(), streaming(300)):
        assert max(map(len, waterfall_text(waterfall(trace, 0), width=width).splitlines())) <= width


def drawn(trace: Trace, index: int = 0, **options: Any) -> ElementTree.Element:
    return ElementTree.fromstring(waterfall_svg(trace, waterfall(trace, index), **options))


PENDING = Trace(requests=[request(0, 0, None)], clock="virtual", dropped=5)


@pytest.mark.parametrize("trace", [export(), blocked_run(), streaming(300), PENDING])
@pytest.mark.parametrize("width", [640, 1000])
def test_the_picture_has_presentation_attributes_only_and_keeps_within_its_edges(trace: Trace, width: int) -> None:
    root = drawn(trace, width=width)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "rect", "path", "text", "tspan", "circle"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not attributes & {"id", "class", "style", "href"}
    height = float(root.get("height", "nan"))
    assert root.get("width") == str(width)
    for element in root.iter():
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        assert 0 <= x <= width
        assert 0 <= y <= height
        assert x + float(element.get("width", 0)) <= width


def test_the_picture_says_in_words_what_it_shows() -> None:
    root = drawn(export())
    assert root.get("role") == "img"
    told = root.get("aria-label", "")
    assert told.startswith("Waterfall of request #25 GET /export: 200 · 252 ms. The request spent 210 of 252 ms ready")
    words = ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text")]
    for expected in (
        "TimingMiddleware",
        "in 1 ms, out 1 ms",
        "render_pdf",
        "send",
        "Where the 252 ms went",
        NOT_RECORDED,
    ):
        assert expected in words
    assert LOOKS[STATES.index("held up")].light in {element.get("stroke") for element in root.iter()}


def nasty() -> Trace:
    """A request all of whose names, messages and errors hold markup."""
    row = Request(
        0, "GET", f"/{NASTY}", NASTY, 500, 0, ns(70), 0, (0,), (message("send", NASTY, 5, NASTY),), f"E: {NASTY}"
    )
    site = Site(NASTY, 1, NASTY, NASTY)
    return Trace(
        tasks=[task(coroutine=NASTY, name=NASTY), task(coroutine=NASTY)],
        steps=[step(0, 0, 1, site=site), step(1, 1, 60, site=site), step(0, 65, 5, "returned", site=site)],
        waits=[wait(0, 1, 40, "io", site)],
        samples=looks(1, 20, 40, site=site, call=NASTY),
        handoffs=[handoff(1, 2, 5, 6, task=0, function=NASTY)],
        requests=[row],
        spans=[span("handler", NASTY, 0, 70)],
        title=NASTY,
    )


def test_markup_in_an_apps_names_is_text_in_the_picture_and_one_line_in_the_text() -> None:
    trace = nasty()
    fall = waterfall(trace, 0)
    picture = waterfall_svg(trace, fall)
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture).iter()}
    assert tags <= {"svg", "title", "rect", "path", "text", "tspan", "circle"}
    assert "<img" not in picture
    assert len(picture.encode()) > len(picture)  # a file can hold it
    assert all(line.isprintable() for line in waterfall_text(fall).splitlines())


@pytest.mark.parametrize("trace", [export(), nasty(), PENDING, blocked_run()])
def test_the_packet_holds_what_was_laid_out(trace: Trace) -> None:
    header, columns = unpack(waterfall_packet(trace, 0))
    fall = waterfall(trace, 0)
    assert columns == {}
    assert header["view"] == "waterfall"
    assert (header["title"], header["duration_ns"]) == (fall.title, fall.duration_ns)
    assert [share[4] for share in header["shares"]] == [share.ns for share in fall.shares]
    assert header["lanes"] == json.loads(json.dumps([
        (lane.group, lane.name, lane.kind, lane.depth, lane.start_ns, lane.end_ns, lane.aside, lane.bars)
        for lane in fall.lanes
    ]))  # fmt: skip
    assert all(0 <= bar[2] <= len(header["looks"]) for lane in header["lanes"] for bar in lane[7])
    assert all(colour < len(KINDS) for _, colour, _ in header["looks"])


def test_every_state_has_a_look_and_no_two_that_run_or_queue_are_told_by_colour_alone() -> None:
    assert len(LOOKS) == len(COLOURS) == len(SHAPES) == len(STATES) + 1
    assert (SHAPES[STATES.index("held up")], SHAPES[STATES.index("ready")]) == ("low", "half")


# -- real runs ------------------------------------------------------------------------------------------------------


def falls(app: Any, *paths: str, clock: Any = "virtual") -> list[Waterfall]:
    with Lab(app, clock=clock) as lab:
        trace = lab.burst(lambda index: paths[index], len(paths)).trace
    found = [waterfall(trace, index) for index in range(len(trace.requests))]
    for fall in found:
        assert sum(share.ns for share in fall.shares) == fall.duration_ns
    return found


def shop(framework: Any) -> Any:
    """An app of three middlewares, in a toolkit with Starlette's names."""

    class Slow:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(0.002)
            await self.app(scope, receive, send)
            await asyncio.sleep(0.003)

    def export(request: Any) -> Any:
        time.sleep(0.02)
        return framework.PlainTextResponse("done")

    middleware = [framework.Middleware(framework.GZipMiddleware), framework.Middleware(Slow)]
    middleware.append(framework.Middleware(framework.CORSMiddleware, allow_origins=["*"]))
    return framework.Starlette(routes=[framework.Route("/export", export)], middleware=middleware)


NAMES = {
    "applications": ["Starlette"],
    "middleware": ["Middleware"],
    "middleware.cors": ["CORSMiddleware"],
    "middleware.gzip": ["GZipMiddleware"],
    "responses": ["PlainTextResponse"],
    "routing": ["Route"],
}


def toolkit(package: str) -> Any:
    """What an app is made of, from a toolkit with Starlette's names."""
    pytest.importorskip(package)
    modules = {import_module(f"{package}.{module}"): names for module, names in NAMES.items()}
    return SimpleNamespace(**{name: getattr(module, name) for module, names in modules.items() for name in names})


@pytest.mark.parametrize("package", ["playground.web", "starlette"])
def test_a_real_run_shows_its_middlewares_its_handler_and_its_thread(package: str) -> None:
    (fall,) = falls(shop(toolkit(package)), "/export")
    layers = {lane.name: (lane.kind, lane.aside) for lane in fall.lanes if lane.group == "layer"}
    assert layers["GZipMiddleware"] == ("middleware", "in 0 ms, out 0 ms")
    assert layers["shop.<locals>.Slow"] == ("middleware", "in 2 ms, out 3 ms")
    assert layers["shop.<locals>.export"] == ("handler", "20 ms")
    assert [(lane.name, lane.aside) for lane in fall.lanes if lane.group == "call"] == [
        ("shop.<locals>.export", "20 ms")
    ]
    assert told_shares(fall) == [
        ("In a worker thread, in `shop.<locals>.export`", "80%", 20),
        ("Waiting for a timer", "20%", 5),
    ]
    assert fall.duration_ns == ns(25)


def test_fastapis_dependencies_and_handler_have_their_time() -> None:
    fastapi: Any = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    def database() -> int:
        time.sleep(0.005)
        return 1

    async def user(number: int = fastapi.Depends(database)) -> int:
        await asyncio.sleep(0.01)
        return number

    @app.get("/export")  # type: ignore[untyped-decorator]
    def export(who: int = fastapi.Depends(user)) -> int:
        time.sleep(0.02)
        return who

    (fall,) = falls(app, "/export")
    layers = {lane.kind: (lane.name, lane.aside) for lane in fall.lanes if lane.group == "layer"}
    assert layers["dependency"][1] == "15 ms"
    assert layers["handler"][1] == "20 ms"
    assert [share[2] for share in told_shares(fall)] == [20, 10, 5]


def test_a_bare_app_without_layers_shows_its_messages_and_what_its_task_did() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    (fall,) = falls(app, "/x")
    assert [lane.group for lane in fall.lanes] == ["receive", "request", "send"]
    assert [lane.aside for lane in fall.lanes] == ["1 message", "10 ms", "2 messages"]
    assert told_shares(fall) == [("Waiting for a timer", "100%", 10)]


def test_a_request_held_up_by_another_names_it() -> None:
    app = App()

    @app.get("/slow")
    async def slow() -> str:
        time.sleep(0.2)
        return "slow"

    @app.get("/quick")
    async def quick() -> str:
        return "quick"

    first, second = falls(app, "/slow", "/quick")
    assert plain(first.sentence) == (
        "The request spent 200 of 200 ms holding the loop with `time.sleep(0.2)` in the handler "
        "`test_a_request_held_up_by_another_names_it.<locals>.slow`."
    )
    assert part_words(second.shares[0]) == "Ready, while `GET /slow` (request 0) held the loop with `time.sleep(0.2)`"
