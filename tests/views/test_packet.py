"""The packet that the page reads: decoded here by the wire's own reader, and held against the rows."""

import json
import time
from array import array
from dataclasses import replace
from itertools import accumulate, chain, pairwise
from typing import Any

import pytest

from playground.trace import Trace
from playground.trace.columns import unpack
from playground.views.diagnosis import diagnose
from playground.views.kinds import KINDS, RUN
from playground.views.lanes import NO_REQUEST, lanes
from playground.views.packet import packet
from tests.by_hand import handoff, ns, request, step
from tests.recordings import blocked_run, large_run

TYPES = {
    "gap": "I", "duration": "I", "kind": "B", "what": "B", "request": "B",
    "arrow_start": "I", "arrow_end": "I", "arrow_from": "B", "arrow_to": "B", "arrow_request": "I", "arrow_back": "B",
    "request_number": "B", "request_label": "B", "request_status": "B", "paths": "B",
    "details": "B", "texts": "B",
}  # fmt: skip


def decoded(trace: Trace) -> "tuple[dict[str, Any], dict[str, array[int]]]":
    return unpack(packet(trace))


def requests_of(header: dict[str, Any], columns: "dict[str, array[int]]") -> list[tuple[Any, ...]]:
    """Number, label, path, status, error and failure of each request."""
    told, paths = header["requests"], json.loads(bytes(columns["paths"]) or b"[]")
    failures = {place: (error, failure) for place, error, failure in told["failures"]}
    return [
        (
            (place + columns["request_number"][place]) % 2**32,
            told["labels"][columns["request_label"][place]],
            path,
            told["statuses"][columns["request_status"][place]],
            *failures.get(place, (None, "")),
        )
        for place, path in enumerate(paths)
    ]


def moments(header: dict[str, Any], columns: "dict[str, array[int]]") -> list[list[tuple[int, int]]]:
    """Start and end of each span of each row, in ticks."""
    rows = []
    for first, end in pairwise(header["offsets"]):
        lengths = zip(columns["gap"][first:end], columns["duration"][first:end], strict=True)
        edges = list(accumulate(chain.from_iterable(lengths)))
        rows.append(list(zip(edges[0::2], edges[1::2], strict=True)))
    return rows


def test_spans_arrive_as_they_were_laid_out() -> None:
    trace = blocked_run()
    laid = lanes(trace)
    header, columns = decoded(trace)
    assert header["tick_ns"] == 1
    assert moments(header, columns) == [list(zip(row.starts, row.ends, strict=True)) for row in laid.rows]
    for name, field in (("kind", "kinds"), ("what", "whats")):
        assert columns[name].tolist() == [value for row in laid.rows for value in getattr(row, field)]
    none = {0xFF: NO_REQUEST}
    assert [none.get(one, one) for one in columns["request"]] == [one for row in laid.rows for one in row.requests]
    assert columns["arrow_start"].tolist() == laid.arrows.starts.tolist()
    assert columns["arrow_end"].tolist() == laid.arrows.ends.tolist()
    assert columns["arrow_to"].tolist() == laid.arrows.to_rows.tolist()


def test_columns_have_the_names_and_types_that_the_page_expects() -> None:
    _, columns = decoded(blocked_run())
    assert {name: column.typecode for name, column in columns.items()} == TYPES


def test_the_header_says_what_the_run_was() -> None:
    trace = blocked_run()
    header, columns = decoded(trace)
    told = {key: header[key] for key in ("view", "title", "clock", "duration_ns", "dropped", "summary")}
    assert told == {
        "view": "timeline",
        "title": "Run 1",
        "clock": "real",
        "duration_ns": trace.duration_ns,
        "dropped": 0,
        "summary": "414 ms · 62 requests (median 73.7 ms, longest 243 ms) · 240 steps",
    }
    assert header["rows"][:3] == [
        {"group": "loop", "lane": 0, "name": "Event loop"},
        {"group": "inside", "lane": 0, "name": "inside steps"},
        {"group": "worker", "lane": 0, "name": "worker-0"},
    ]
    assert requests_of(header, columns)[25] == (25, "GET /report", "/report", 200, None, "")
    assert ["GET /items", "cell 3", 6, "list_items", "rows = await db.fetch(LIST)", ""] in header["whats"]
    assert ["GET /report", "cell 3", 24, "report", "body = df.to_csv()", "df.to_csv()"] in header["whats"]
    assert [(one["rule"], one["start_ns"], one["end_ns"]) for one in header["findings"]] == [
        (one.rule, one.start_ns, one.end_ns) for one in diagnose(trace)
    ]
    assert header["findings"][0]["severity"] == "bad"
    assert header["findings"][0]["parts"][0] == ["strong", "The event loop stood still for 230 ms."]


def test_the_words_of_the_kinds_travel_with_them() -> None:
    header, _ = decoded(Trace())
    assert header["kinds"] == [[kind.words, kind.told] for kind in KINDS]
    # which code of a request ran is not recorded, so no word may claim that it was the handler
    assert header["kinds"][RUN] == ["runs for a request", "running for a request"]
    assert "handler" not in " ".join(word for pair in header["kinds"] for word in pair)


def test_how_requests_failed_travels_with_the_words_for_the_mark() -> None:
    header, columns = decoded(Trace(requests=[replace(request(0, 0, 1), status=404)]))
    assert requests_of(header, columns) == [(0, "GET /items", "/items", 404, None, "404")]
    assert header["failed"] == "failed: 4xx, 5xx or an exception"


def test_an_empty_run_is_a_packet_too() -> None:
    header, columns = decoded(Trace())
    assert header["offsets"] == [0, 0, 0]
    assert all(len(column) == 0 for column in columns.values())


@pytest.mark.parametrize(
    ("duration_ns", "tick_ns"), [(2**32 - 1, 1), (2**32, 10), (10 * 2**32 - 1, 10), (3_600_000_000_000, 1_000)]
)
def test_a_tick_is_the_smallest_power_of_ten_that_fits(duration_ns: int, tick_ns: int) -> None:
    assert decoded(Trace(duration_ns=duration_ns))[0]["tick_ns"] == tick_ns


def test_rows_that_go_beyond_the_run_still_fit() -> None:
    trace = Trace(steps=[step(None, 9_000, 1)], handoffs=[handoff(9_000, 9_000, 9_001, 9_002)], duration_ns=ns(1))
    header, columns = decoded(trace)
    assert header["tick_ns"] == 10
    assert moments(header, columns)[0] == [(900_000_000, 900_100_000)]


def test_rounding_to_ticks_makes_no_two_spans_overlap() -> None:
    # five nanoseconds past a tick: rounding a length up would run into the next step
    steps = [step(None, at + 0.000_005, 0.000_994) for at in range(10)]
    header, columns = decoded(Trace(steps=steps, duration_ns=3_600_000_000_000))
    (loop, *_) = moments(header, columns)
    assert [start for start, _ in loop] == [at * 1_000 for at in range(10)]
    assert all(end <= start for (_, end), (start, _) in pairwise(loop))


@pytest.mark.slow
def test_more_names_than_two_bytes_can_count_take_four() -> None:
    requests = [request(n, n, n + 1, path=f"/{n}") for n in range(65_537)]
    header, columns = decoded(Trace(requests=requests))
    assert columns["what"].typecode == "I"
    assert header["whats"][columns["what"][-1]][0] == "GET /65536"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("requests", "code", "none"), [(255, "B", 0xFF), (256, "H", 0xFFFF), (65_536, "I", NO_REQUEST)]
)
def test_no_request_is_all_ones_in_a_pointer_of_any_width(requests: int, code: str, none: int) -> None:
    rows = [request(number, number, number + 1) for number in range(requests)]
    column = decoded(Trace(steps=[step(None, 0, 1)], requests=rows))[1]["request"]
    assert (column.typecode, column[0], column[-1]) == (code, none, requests - 1)


def test_requests_come_as_they_are_told_of() -> None:
    rows = [
        replace(request(7, 0, 1), path="/ü\ud800", error="ValueError: <b>no</b>", status=500),
        replace(request(9, 1, 2), method="POST", route="/a/{b}"),
        replace(request(8, 2, None), status=None),
    ]
    assert requests_of(*decoded(Trace(requests=rows))) == [
        tuple(facts) for facts in lanes(Trace(requests=rows)).requests
    ]


@pytest.mark.slow
def test_a_hundred_thousand_spans_take_little_time() -> None:
    trace = large_run()
    started_s = time.process_time()
    _, columns = unpack(packet(trace))
    assert len(columns["gap"]) > 100_000
    # 0.4 s of processor time where this was written; five times that leaves room for a slow machine
    assert time.process_time() - started_s < 2
