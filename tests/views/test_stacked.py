"""Ways to run the same jobs: lanes that hold each segment once, words that are counted, packets."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Segment, Trace
from playground.trace.columns import unpack
from playground.trace.store import dump, restore
from playground.views.kinds import BLOCKED, KINDS, SEGMENT_KIND
from playground.views.stacked import Stack, stack
from playground.views.stacked_packet import packed
from playground.views.stacked_svg import svg
from playground.views.stacked_text import text
from playground.views.stacked_words import core_each, told_of
from tests.by_hand import job, ns, segment, step, task, worker
from tests.stacks import asyncio_way, every_way, pool_way, processes_way, sequential_way, threads_way
from tests.views.ways import THREE, spans, ways

PARALLEL = "could run in parallel 100% of the time"
HAD = "had a processor {}% of the time they wanted one"


def drawn_as(segments: list[Segment]) -> Counter[tuple[int, int, int, int]]:
    return Counter((each.start_ns, each.end_ns, SEGMENT_KIND[each.kind], each.job) for each in segments)


# -- lanes ------------------------------------------------------------------------------------------------


@given(ways())
def test_each_segment_of_a_job_is_drawn_once_as_it_was_recorded(trace: Trace) -> None:
    (way,) = stack({"way": trace}).ways
    assert Counter(spans(way.rows, "request")) == drawn_as(list(trace.segments))


@given(ways())
def test_no_job_stands_in_two_lanes_of_a_worker_and_no_lane_holds_two_at_once(trace: Trace) -> None:
    (way,) = stack({"way": trace}).ways
    lives = [life for life in way.lives for _ in life.starts]
    assert len(lives) == len(trace.jobs)
    for life in way.lives:
        assert all(end <= start for end, start in zip(life.ends, list(life.starts)[1:], strict=False))
    for row, life in zip([row for row in way.rows if row.group == "request"], way.lives, strict=True):
        assert row.lane == life.lane
        assert set(row.requests) == set(life.requests)


@given(st.lists(ways(), min_size=1, max_size=3))
def test_lanes_of_jobs_are_numbered_through_all_ways(traces: list[Trace]) -> None:
    stacked = stack({f"way {at}": trace for at, trace in enumerate(traces)})
    assert [row.lane for row in stacked.laid.of("life")] == list(range(len(stacked.laid.of("life"))))
    assert [row.lane for row in stacked.laid.of("request")] == [row.lane for row in stacked.laid.of("life")]
    named = [stacked.laid.requests[request].label for row in stacked.laid.of("life") for request in row.requests]
    assert Counter(named) == Counter({f"way {at}": len(trace.jobs) for at, trace in enumerate(traces)})


def test_a_worker_whose_jobs_overlap_has_a_lane_of_what_keeps_it_busy_above_theirs() -> None:
    (way,) = stack({"asyncio": asyncio_way(3)}).ways
    assert [(row.group, row.name) for row in way.rows] == [
        ("worker", "event loop"),
        *[("request", "event loop")] * 3,
    ]
    busy = [each for each in asyncio_way(3).segments if each.kind == "run"]
    assert Counter(spans(way.rows, "worker")) == drawn_as(busy)


def test_twenty_jobs_that_wait_at_once_on_one_loop_stand_in_twenty_lanes() -> None:
    trace = asyncio_way(20)
    (way,) = stack({"asyncio": trace}).ways
    at_ns = ns(51)
    waits = [row for row in way.rows if row.group == "request" for span in spans((row,), "request") if
             span[0] <= at_ns < span[1] and KINDS[span[2]].shape == "thin"]  # fmt: skip
    assert len(waits) == len({row.lane for row in waits}) == 20


def test_a_wait_within_one_step_of_a_loop_is_drawn_as_the_loop_held() -> None:
    loop = worker(1, 1, "loop", "event loop")
    waits = [
        segment(0, "run", 0, 2),
        segment(0, "wait", 2, 32),
        segment(0, "run", 32, 34),
        segment(1, "run", 34, 36),
        segment(1, "wait", 36, 66),
        segment(1, "run", 66, 68),
    ]
    steps = [step(0, 0, 34, "returned"), step(1, 34, 2), step(1, 66, 2, "returned")]
    tasks = [task(), task()]
    trace = Trace(workers=[loop], jobs=[job(0, 0, 34), job(1, 34, 68)], segments=waits, steps=steps, tasks=tasks)
    first = stack({"mixed": trace}).laid.rows[0]
    assert (first.group, first.name) == ("worker", "event loop")
    drawn = list(zip(first.starts, first.ends, first.kinds, strict=True))
    assert [span for span in drawn if span[2] == BLOCKED] == [(ns(2), ns(32), BLOCKED)]
    assert "X" in text(stack({"mixed": trace}), width=100)


def test_a_worker_whose_jobs_follow_one_another_has_one_lane() -> None:
    (way,) = stack({"threads": threads_way()}).ways
    assert [(row.group, row.name) for row in way.rows] == [("request", "thread 1"), ("request", "thread 2")]
    assert len(stack({"sequential": sequential_way()}).ways[0].rows) == 1


def test_a_way_with_very_many_lanes_tells_how_many_are_not_drawn() -> None:
    trace = processes_way(250)
    (way,) = stack({"processes": trace}).ways
    assert (len(way.rows), way.left_out) == (200, 50)
    assert way.note.endswith(" · 50 more lanes not drawn")


# -- words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        (
            threads_way(),
            f"80 ms · 2 jobs at once on 2 threads · {HAD.format(52)} · never in parallel · 48% waiting for the GIL",
        ),
        (asyncio_way(), "102 ms · 20 jobs at once on 1 event loop · taking turns"),
        (sequential_way(), "1.1 s · 20 jobs, one at a time on 1 thread"),
        (
            pool_way(),
            f"282 ms · 20 jobs, up to 4 at once on 4 processes · {HAD.format(100)} · {PARALLEL}",
        ),
        (
            processes_way(2),
            f"71 ms · 2 jobs at once on 2 processes · {HAD.format(100)} · never in parallel",
        ),
        (Trace(jobs=[job(0, 0, 5)]), "5 ms · 1 job"),
        (
            Trace(jobs=[job(0, 0, 5, error="ValueError: no"), job(1, 1, None), job(2, 1, 4, outcome="cancelled")]),
            "5 ms · 3 jobs at once · 1 raised · 1 cancelled · 1 not over",
        ),
    ],
)
def test_a_way_is_told_in_a_line(trace: Trace, words: str) -> None:
    assert told_of(trace) == words


def test_what_a_system_does_not_tell_is_said_and_not_guessed() -> None:
    rows = [segment(0, "run", 0, 5), segment(1, "off_cpu", 0, 5, worker=1), segment(1, "run", 5, 9, worker=1)]
    trace = Trace(workers=[worker(1, 1), worker(1, 2)], jobs=[job(0, 0, 5), job(1, 0, 9)], segments=rows)
    assert told_of(trace) == (
        "9 ms · 2 jobs at once on 2 threads · had a processor 64% of the time they wanted one · "
        "parallel or not cannot be told from what was recorded"
    )
    unknown = Trace(
        workers=trace.workers, jobs=trace.jobs, segments=[replace(each, cpu_ns=None) for each in trace.segments]
    )
    assert core_each(unknown) is None
    assert "processor" not in told_of(unknown)


def test_a_way_that_was_killed_says_so_first_and_is_never_called_the_fastest() -> None:
    ending = "timed out after 2 s, 0 of 1 job over"
    killed = Trace(
        workers=[worker(1, 1)],
        jobs=[job(0, 0, None)],
        segments=[segment(0, "wait", 0, 2)],
        duration_ns=ns(2),
        ending=ending,
    )
    assert told_of(killed) == f"{ending} · stopped at 2 ms · 1 job on 1 thread"
    assert told_of(Trace(ending="crashed: killed by SIGSEGV, 0 of 2 jobs over")).startswith(
        "crashed: killed by SIGSEGV, 0 of 2 jobs over · 0 jobs"
    )
    assert stack({"a": killed, **THREE}).summary == (
        "4 ways · threads 80 ms to processes 215 ms · a did not come to its end"
    )
    assert stack({"a": killed, "threads": THREE["threads"]}).summary == (
        "2 ways · threads 80 ms · a did not come to its end"
    )
    assert stack({"a": killed, "b": killed, **THREE}).summary == (
        "5 ways · threads 80 ms to processes 215 ms · 2 did not come to their ends"
    )
    both = stack({"a": killed, "b": killed})
    assert both.summary == "2 ways · none of them came to its end"
    picture = " ".join(ElementTree.fromstring(svg(both)).itertext())
    for told in (text(both, width=200), picture, str(unpack(packed(both))[0]["rows"])):
        assert ending in told


def test_several_ways_are_summed_up_by_the_fastest_and_the_slowest() -> None:
    assert stack(THREE).summary == "3 ways · threads 80 ms to processes 215 ms"
    assert stack({"threads": THREE["threads"]}).summary == told_of(THREE["threads"])


# -- text -------------------------------------------------------------------------------------------------


def test_two_threads_and_a_loop_in_plain_text() -> None:
    told = text(stack({"threads": threads_way(2, 20), "asyncio": asyncio_way(3)}), title="Jobs", width=80)
    assert told.splitlines() == [
        "Jobs: 2 ways · threads 40 ms to asyncio 60 ms",
        "",
        "                    |0 ms               |20 ms              |40 ms",
        "",
        "threads: 40 ms · 2 jobs at once on 2 threads · had a processor 53% of the time",
        "they wanted one · never in parallel · 47% waiting for the GIL",
        "thread 1            █████GGGGG█████GGGGG█████GGGGG█████",
        "thread 2            GGGGG█████GGGGG█████GGGGG█████GGGGG█████",
        "",
        "asyncio: 60 ms · 3 jobs at once on 1 event loop · taking turns",
        "event loop          ████████                                            ████████",
        "                    ███~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~███",
        "                    --███~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~███",
        "                    -----███~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~███",
        "",
        "█ job runs   ~ waits: sleep, I/O   - queued, not begun   G wants the GIL",
        "One column is 1 ms.",
    ]


@given(st.integers(46, 140))
def test_no_line_is_longer_than_asked(width: int) -> None:
    assert max(map(len, text(stack(THREE), width=width).splitlines())) <= width


def test_fourteen_ways_are_a_text_of_a_screen_or_two() -> None:
    told = text(stack(every_way()))
    assert len(told.splitlines()) < 160
    assert told.count("more lanes not drawn.") == 12


# -- packet -----------------------------------------------------------------------------------------------


def header_of(stacked: Stack) -> dict[str, Any]:
    header, _ = unpack(packed(stacked))
    return json.loads(json.dumps(header))  # type: ignore[no-any-return]


def test_a_packet_is_a_timelines_with_headings() -> None:
    header = header_of(stack(THREE))
    assert (header["view"], header["noun"], header["heading"]) == ("timeline", "job", "Jobs")
    headings = [row for row in header["rows"] if row["group"] == "heading"]
    assert [(row["name"], row["note"]) for row in headings] == [(name, told_of(trace)) for name, trace in THREE.items()]
    assert {row["note"] for row in header["rows"] if row["group"] == "life"} == set(THREE)


@given(ways())
def test_what_is_told_of_a_job_fits_its_segments(trace: Trace) -> None:
    stacked = stack({"way": trace})
    for life in stacked.laid.of("life"):
        for what, request, start_ns, end_ns in zip(life.whats, life.requests, life.starts, life.ends, strict=True):
            its = [each for each in trace.segments if each.job == request]
            assert stacked.laid.whats[what].name == f"job {request}"
            assert (start_ns, end_ns) == (min(each.start_ns for each in its), max(each.end_ns for each in its))


def test_processor_time_stands_beside_the_time_on_the_wall() -> None:
    rows = [segment(0, "run", 0, 8, cpu_ms=5), segment(0, "wait", 8, 10)]
    stacked = stack({"way": Trace(workers=[worker()], jobs=[job(0, 0, 10)], segments=rows)})
    told = [what.text for what in stacked.laid.whats]
    assert sorted(told) == ["", "5 of 10 ms on a processor", "5 of 8 ms on a processor"]


def test_a_file_that_was_loaded_is_drawn_as_what_was_saved() -> None:
    again = {name: restore(Trace, dump(trace)) for name, trace in THREE.items()}
    assert packed(stack(again)) == packed(stack(THREE))
    assert svg(stack(again)) == svg(stack(THREE))


def test_a_single_way_needs_no_heading_for_its_title_and_summary_tell_all() -> None:
    stacked = stack({"threads": threads_way()})
    header = header_of(stacked)
    assert [row["group"] for row in header["rows"]] == ["request", "request", "life", "life"]
    assert {row["note"] for row in header["rows"]} == {"threads"}
    assert header["summary"] == told_of(threads_way())
    assert text(stacked).count(told_of(threads_way())[:60]) == 1
    assert "".join(ElementTree.fromstring(svg(stacked)).itertext()).count("48% waiting for the GIL") == 2  # and a title
