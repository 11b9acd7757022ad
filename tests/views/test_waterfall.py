"""One request from top to bottom: which lanes it has, what lies in each, and how few are drawn of many."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from playground.trace import Trace
from playground.views.findings import plain, text
from playground.views.spent import STATES
from playground.views.waterfall import Waterfall, waterfall, waterfall_packet
from playground.views.waterfall_svg import waterfall_svg
from playground.views.waterfall_words import LOOKS, MESSAGE, WORKER
from tests.by_hand import LINE, MS, handoff, looks, ns, request, step, task
from tests.views.falls import export, span, streaming, told_shares


def lines(fall: Waterfall) -> list[tuple[str, str, int, str]]:
    return [(lane.group, lane.name, lane.depth, lane.aside) for lane in fall.lanes]


def bars(fall: Waterfall, name: str) -> list[str]:
    (lane,) = [lane for lane in fall.lanes if lane.name == name and lane.group != "call"]
    return [bar.words for bar in lane.bars]


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
