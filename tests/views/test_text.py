"""The text timeline: golden files of whole runs, and what it says when it leaves something out.

To renew the golden files after a change that is meant: `python -m tests.views.test_text`, then read the diff.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from playground.trace import Site, Trace
from playground.views.text import report, text
from tests.by_hand import LINE, handoff, looks, ns, request, step, task, wait
from tests.recordings import blocked_run, healthy_run, large_run

GOLDEN = Path(__file__).parent.parent / "golden"
RUNS = {"blocked": blocked_run, "healthy": healthy_run}


def drawn(trace: Trace, *, width: int = 66, most_lanes: int = 16) -> list[str]:
    """The lines of a timeline of 40 columns."""
    return text(trace, width=width, most_lanes=most_lanes).splitlines()


@pytest.mark.parametrize("name", RUNS)
def test_a_run_reads_as_in_its_golden_file(name: str) -> None:
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert report(RUNS[name](), width=100) + "\n" == golden


def test_a_small_run_is_drawn_to_scale() -> None:
    trace = Trace(
        tasks=[task(10)],
        steps=[step(0, 20, 20), step(0, 100, 80), step(0, 380, 20, "returned")],
        waits=[wait(0, 40, 80, "io"), wait(0, 180, 360, "thread")],
        samples=looks(1, 120),
        requests=[request(0, 10, 400, task=0, route="/report")],
        handoffs=[handoff(180, 200, 360, 380, task=0)],
    )
    assert drawn(trace) == [
        "                          |0 ms               |200 ms",
        "Event loop            30%   ██      XXXXXXXX                    ██",
        "seen inside                         [df.to…]",
        "worker-0                                      ■■■■■■■■■■■■■■■■",
        "GET /report        390 ms  ░██~~~~░░XXXXXXXX··················░░██",
        "",
        "▁ to █ how busy the loop was   █ runs for a request",
        "■ worker thread   ░ ready, queued   ~ waits: I/O   · waits: thread",
        "X blocks the loop",
        "One column is 10 ms and shows what took most of it.",
    ]


def test_the_loop_shows_how_busy_it_was() -> None:
    steps = [step(None, 10 * n, 10 * n / 8, "callback") for n in range(1, 8)]
    assert drawn(Trace(steps=steps, duration_ns=ns(400)))[1] == "Event loop             9%  ▂▃▄▅▆▇█"


def test_what_took_most_of_a_column_is_what_it_shows() -> None:
    trace = Trace(
        tasks=[task(0)],
        steps=[step(0, 0, 4), step(0, 16, 2), step(0, 38, 2)],
        waits=[wait(0, 4, 16), wait(0, 18, 38)],
        requests=[request(0, 0, 40, task=0)],
        duration_ns=ns(400),
    )
    line = next(line for line in drawn(trace) if line.startswith("GET"))
    assert line[26:] == "~~~~"


def test_spans_of_no_length_are_still_seen() -> None:
    trace = Trace(
        tasks=[task(100)],
        steps=[step(0, 100, 0), step(0, 300, 0, "returned")],
        waits=[wait(0, 100, 300, "timer")],
        requests=[request(0, 100, 300, task=0)],
        clock="virtual",
        duration_ns=ns(400),
    )
    lines = drawn(trace)
    assert lines[1][26:] == " " * 10 + "▁" + " " * 19 + "▁"
    assert lines[2][26:] == " " * 10 + "─" * 20 + "█"
    assert lines[-2:] == ["One column is 10 ms of virtual time and shows what took most of", "it."]


def test_only_the_longest_requests_are_drawn_and_the_others_counted() -> None:
    requests = [request(n, 10 * n, 10 * n + (30 if n in (3, 7) else 5), path=f"/{n}") for n in range(10)]
    lines = drawn(Trace(requests=requests), most_lanes=2)
    assert [line.split()[1] for line in lines if line.startswith("GET")] == ["/3", "/7"]
    assert "8 more requests not drawn (the longest took 5 ms)." in lines


def test_whoever_held_the_loop_is_drawn_before_those_that_waited_longer() -> None:
    # the second request blocks for 60 ms, the fourth for 90 ms, and all that come between wait for longer
    tasks = [task(n) for n in range(6)]
    steps = [step(1, 10, 60, "returned"), step(3, 80, 90, "returned")]
    requests = [request(n, n, {1: 70, 3: 170}.get(n, 180 + n), task=n, path=f"/{n}") for n in range(6)]
    trace = Trace(tasks=tasks, steps=steps, requests=requests)
    for most, drawn_paths, left in [
        (1, ["/3"], "5 more requests not drawn (1 blocked the loop; the longest took 180 ms)."),
        (2, ["/1", "/3"], "4 more requests not drawn (none blocked the loop; the longest took 180 ms)."),
        (5, ["/0", "/1", "/2", "/3", "/4"], "1 more request not drawn (it did not block the loop; it took 180 ms)."),
    ]:
        lines = drawn(trace, width=100, most_lanes=most)
        assert [line.split()[1] for line in lines if line.startswith("GET")] == drawn_paths
        assert left in lines


def test_requests_that_failed_bear_a_mark_and_are_drawn_before_longer_ones() -> None:
    requests = [request(n, n, n + 50, path="/a/long/path/of/an/app") for n in range(6)]
    requests[2] = replace(requests[2], end_ns=ns(3), status=404)
    requests[4] = replace(requests[4], end_ns=ns(5), status=None, error="ValueError: no")
    lines = drawn(Trace(requests=requests), width=100, most_lanes=3)
    assert [line[:26].rstrip() for line in lines if line.startswith("GET")] == [
        "GET /a/long/path/o… 50 ms",
        "GET /a/long/p… × 404 1 ms",
        "GET /a/long… × error 1 ms",
    ]
    assert "× failed: 4xx, 5xx or an exception" in "\n".join(lines)
    assert "failed" not in "\n".join(drawn(Trace(requests=requests[:2])))


def test_of_requests_left_out_it_is_said_how_many_failed() -> None:
    requests = [replace(request(n, n, n + 9 - n, path=f"/{n}"), status=404) for n in range(3)]
    for most, left in [
        (1, "2 more requests not drawn (2 failed; the longest took 8 ms)."),
        (2, "1 more request not drawn (it failed; it took 7 ms)."),
    ]:
        assert left in drawn(Trace(requests=requests), width=100, most_lanes=most)


def test_a_single_request_left_out_that_blocked_is_said_to_have() -> None:
    steps = [step(0, 0, 90, "returned"), step(1, 90, 60, "returned")]
    requests = [request(0, 0, 90, task=0), request(1, 1, 150, task=1)]
    lines = drawn(Trace(tasks=[task(0), task(1)], steps=steps, requests=requests), width=100, most_lanes=1)
    assert "1 more request not drawn (it blocked the loop; it took 149 ms)." in lines


def test_more_worker_threads_than_lanes_are_counted() -> None:
    calls = [handoff(n, n + 1, n + 5, n + 6, thread=n) for n in range(5)]
    lines = drawn(Trace(handoffs=calls), most_lanes=4)
    assert [line.split()[0] for line in lines if line.startswith("worker")] == [f"worker-{n}" for n in range(4)]
    assert "1 more worker thread not drawn." in lines


def test_dropped_events_are_admitted() -> None:
    assert drawn(Trace(dropped=1234, duration_ns=ns(400)), width=90)[-1] == (
        "The recorder dropped 1,234 events, the oldest: they are missing here."
    )


def test_an_empty_run_is_drawn_too() -> None:
    assert drawn(Trace()) == [
        "                          |0 ms",
        "Event loop",
        "",
        "▁ to █ how busy the loop was",
        "One column is 0 ms and shows what took most of it.",
    ]


@pytest.mark.parametrize("width", [46, 80, 133])
def test_no_line_of_the_timeline_is_wider_than_asked(width: int) -> None:
    for make in (blocked_run, healthy_run, lambda: large_run(300)):
        assert all(len(line) <= width for line in text(make(), width=width).splitlines())


def test_names_from_the_app_cannot_break_lines_or_steer_the_terminal() -> None:
    evil = Site("cell 1", 1, "f\n\x1b[2J", "x")
    trace = Trace(
        title="a\nb",
        steps=[step(None, 0, 60, "callback")],
        samples=looks(0, 30, site=evil, call=""),
        requests=[request(0, 0, 50, path="/\r\n\x1b[31m" + "x" * 200)],
    )
    told = report(trace)
    assert "\x1b" not in told
    assert "\r" not in told
    assert told.startswith("a b: ")
    assert next(line for line in told.splitlines() if line.startswith("GET")) == "GET / [31mxxxxxxxx… 50 ms"


def test_a_report_is_summary_findings_and_timeline() -> None:
    trace = Trace(steps=[step(None, 0, 60, site=LINE)], samples=looks(0, 30))
    first, second, third = report(trace).split("\n\n", 2)
    assert first == "Run: 60 ms · 0 tasks · 1 step"
    assert second.startswith("* The event loop stood still for 60 ms.")
    assert third == text(trace)


if __name__ == "__main__":
    for golden, make in RUNS.items():
        (GOLDEN / f"{golden}.txt").write_text(report(make(), width=100) + "\n", encoding="utf-8")
