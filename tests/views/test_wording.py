"""Durations, counts and names as they read in sentences."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Site, Trace
from playground.views.wording import (
    code_text,
    counted,
    duration,
    let_go,
    one_line,
    part_of,
    place,
    request_label,
    summary,
)
from tests.by_hand import request, step, task

S = 1_000_000_000
MS = 1_000_000


@pytest.mark.parametrize(
    ("ns", "words"),
    [
        (0, "0 ms"),
        (1, "1 ns"),
        (999, "999 ns"),
        (84_000, "84 µs"),
        (999_499, "999 µs"),
        (999_500, "1 ms"),
        (5_120_000, "5.12 ms"),
        (21_749_000, "21.7 ms"),
        (463_000_000, "463 ms"),
        (999_600_000, "1 s"),
        (1_200_000_000, "1.2 s"),
        (59_940_000_000, "59.9 s"),
        (59_960_000_000, "1 min"),
        (125 * S, "2 min 5 s"),
        (3600 * S, "1 h"),
        (4321 * S, "1 h 12 min"),
        (90_061 * S, "25 h 1 min"),
        (-84_000, "-84 µs"),
    ],
)
def test_a_duration_reads_with_three_digits_and_its_unit(ns: int, words: str) -> None:
    assert duration(ns) == words


UNITS = {"ns": 1, "µs": 1_000, "ms": 1_000_000, "s": S, "min": 60 * S, "h": 3600 * S}


@given(st.integers(1, 10**16))
def test_a_duration_is_never_off_by_more_than_its_last_digit(ns: int) -> None:
    words = duration(ns).split()
    told = sum(float(value) * UNITS[unit] for value, unit in zip(words[::2], words[1::2], strict=True))
    # half of the third digit; from a minute on, half a second, and from an hour on, whole minutes
    bound = 0.005001 * ns if ns < 59 * S else 60 * S if ns > 3599 * S else 0.5 * S
    assert abs(told - ns) <= bound


def test_counts_take_an_s_unless_there_is_one() -> None:
    assert [counted(n, "step") for n in (0, 1, 1143)] == ["0 steps", "1 step", "1,143 steps"]


def test_a_request_is_called_by_its_route_or_else_its_path() -> None:
    assert request_label(request(0, 0, 1, path="/items/7", route="/items/{id}")) == "GET /items/{id}"
    assert request_label(request(0, 0, 1, path="/items/7")) == "GET /items/7"


def test_text_from_an_app_fits_on_one_line() -> None:
    assert one_line("a\nb\t\x1b[31mc\ud800  d") == "a b [31mc d"
    assert one_line("x" * 100, 10) == "xxxxxxxxx…"
    assert code_text("f(\n x)") == "`f( x)`"


def test_a_place_is_file_and_line_and_of_a_long_path_the_end() -> None:
    assert place(Site("cell 3", 24, "report")) == "cell 3, line 24"
    assert place(Site("/home/ada/\nprojects/app.py", 1, "f"), 20) == "…ada/ projects/app.py, line 1".replace(
        "ada", "da"
    )


def test_a_part_shares_the_unit_of_its_whole_where_it_can() -> None:
    assert part_of(80 * MS, 230 * MS) == "80 of 230 ms"
    assert part_of(950 * MS, 2 * S) == "950 ms of 2 s"
    assert part_of(65 * S, 125 * S) == "1 min 5 s of 2 min 5 s"


def test_a_run_is_summed_up_in_a_line() -> None:
    steps = [step(0, 0, 463)]
    assert summary(Trace(steps=steps, requests=[request(0, 2, 9)])) == "463 ms · 1 request (7 ms) · 1 step"
    assert summary(Trace(steps=steps, tasks=[task(), task()])) == "463 ms · 2 tasks · 1 step"
    kept = [replace(task(), name="lab", coroutine="_main"), replace(task(), name="lifespan", coroutine="_Life._run")]
    assert summary(Trace(duration_ns=463_000_000, tasks=[*kept, task()])) == "463 ms · 1 task · 0 steps"
    assert summary(Trace(steps=steps, dropped=1234)) == "463 ms · 0 tasks · 1 step · 1,234 events dropped"


@pytest.mark.parametrize(
    ("forgotten", "told"),
    [
        ({}, "1,234 events, the oldest"),
        ({"tasks": 1}, "1,234 events, the oldest, and with them 1 task"),
        ({"tasks": 12, "requests": 3}, "1,234 events, the oldest, and with them 3 requests and 12 tasks"),
        (
            {"tasks": 12, "requests": 3, "handoffs": 4_000, "spans": 9, "samples": 1},
            "1,234 events, the oldest, and with them 3 requests, 12 tasks and 4,000 hand-offs",
        ),
    ],
)
def test_what_was_dropped_is_told_with_what_went_with_it(forgotten: dict[str, int], told: str) -> None:
    assert let_go(Trace(dropped=1234, forgotten=forgotten)) == told


def test_of_many_requests_the_summary_tells_median_and_longest() -> None:
    requests = [request(n, n, n + length) for n, length in enumerate([3, 1, 20, 5])]
    assert summary(Trace(requests=requests)) == "22 ms · 4 requests (median 4 ms, longest 20 ms) · 0 steps"
    requests[2] = request(2, 2, None)
    assert summary(Trace(requests=requests)) == "8 ms · 4 requests, 1 not over (median 3 ms, longest 5 ms) · 0 steps"
    assert summary(Trace(requests=requests[2:3])) == "2 ms · 1 request, 1 not over · 0 steps"


def answered(*statuses: int | None, error: str | None = None) -> Trace:
    return Trace(requests=[replace(request(0, 0, 5), status=status, error=error) for status in statuses])


@pytest.mark.parametrize(
    ("trace", "told"),
    [
        (answered(200, 301, 399), "3 requests"),
        (answered(*[404] * 50), "50 requests, 50 answered 404"),
        (answered(500, 200, 404, 404), "4 requests, 2 answered 404, 1 answered 500"),
        (answered(400, 404, 500, 503, 200), "5 requests, 4 failed"),
        (answered(500, error="ValueError: no"), "1 request, 1 answered 500"),
        (answered(None, None, error="ValueError"), "2 requests, 2 failed"),
        (answered(200, error="ValueError"), "1 request, 1 failed"),
        (answered(None, error="CancelledError: left"), "1 request"),
    ],
)
def test_the_summary_says_what_failed(trace: Trace, told: str) -> None:
    assert summary(trace).split(" · ")[1].split(" (")[0] == told
