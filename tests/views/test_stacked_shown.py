"""Ways to run the same jobs as a picture, as a Chrome trace, and as the timeline of a recording of jobs."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given

from playground.trace import Request, SegmentKind, Trace, Worker
from playground.trace.columns import unpack
from playground.trace.tables import WORDS
from playground.views.chrome import chrome_lines
from playground.views.kinds import FUTURE, KINDS, OFF_CPU, SEGMENT_KIND
from playground.views.stacked import stack
from playground.views.stacked_packet import packed
from playground.views.stacked_svg import svg
from playground.views.stacked_text import text
from playground.views.stacked_words import told_of
from playground.views.svg import svg as svg_of
from playground.views.text import report
from playground.widgets.page import stacked_page
from tests.by_hand import job, ns, segment, worker
from tests.stacks import asyncio_way, every_way, threads_way
from tests.views.ways import THREE, spans, ways

# -- picture ----------------------------------------------------------------------------------------------


def elements(picture: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(picture).iter())


@pytest.mark.parametrize("traces", [THREE, every_way(), {"threads": threads_way()}, {}])
def test_the_picture_is_plain_svg_that_any_viewer_shows(traces: dict[str, Trace]) -> None:
    picture = svg(stack(traces))
    names = {element.tag.rpartition("}")[2] for element in elements(picture)}
    assert names <= {"svg", "title", "rect", "text", "path", "tspan"}
    assert not any("style" in element.attrib or "class" in element.attrib for element in elements(picture))
    shown = "".join(ElementTree.fromstring(picture).itertext())
    for name, trace in traces.items():
        assert name in shown
        assert told_of(trace)[:20] in shown


def test_the_picture_of_fourteen_ways_is_small() -> None:
    assert len(svg(stack(every_way()))) < 60_000
    height = float(ElementTree.fromstring(svg(stack(every_way()))).attrib["height"])
    assert height < 1_800


def test_the_legend_names_every_kind_that_occurs_and_no_other() -> None:
    stacked = stack(THREE)
    shown = [element.text for element in elements(svg(stacked))]
    occurring = {kind for way in stacked.ways for row in way.rows for kind in row.kinds}
    words = {kind.words for kind in stacked.laid.kinds}
    assert words & set(shown) == {stacked.laid.kinds[kind].words for kind in occurring}


def test_all_kinds_of_segments_look_different() -> None:
    looks = {(KINDS[kind].shape, KINDS[kind].light) for kind in SEGMENT_KIND.values()}
    marks = {KINDS[kind].mark for kind in SEGMENT_KIND.values()}
    assert len(looks) == len(marks) == len(WORDS["SegmentKind"])


def test_why_the_first_job_failed_stands_in_the_picture_and_in_the_text() -> None:
    trace = Trace(
        workers=[worker()], jobs=[job(0, 0, 5, error="ValueError: no <b>good</b>")], segments=[segment(0, "run", 0, 5)]
    )
    stacked = stack({"threads": trace})
    assert "× Job 0 raised ValueError: no <b>good</b>" in text(stacked)
    assert "Job 0 raised ValueError: no <b>good</b>" in [element.text for element in elements(svg(stacked))]


def test_each_job_that_raised_is_marked_where_it_ended_and_the_legend_says_so() -> None:
    whole = asyncio_way()
    jobs = [replace(each, outcome="raised") if each.number in (0, 7) else each for each in whole.jobs]
    failed = stack({"asyncio": Trace(workers=whole.workers, jobs=jobs, segments=whole.segments)})
    for stacked, count in ((failed, 3), (stack({"asyncio": whole}), 0)):
        crosses = [each for each in elements(svg(stacked)) if each.get("stroke") == "#A40E26"]
        assert len(crosses) == count
        assert ("raised an exception" in [each.text for each in elements(svg(stacked))]) == bool(count)


# -- chrome -----------------------------------------------------------------------------------------------


@given(ways())
def test_a_chrome_trace_holds_each_segment_of_a_job_on_a_track_of_its_lane(trace: Trace) -> None:
    told = json.loads("".join(chrome_lines(trace)))["traceEvents"]
    slices = [event for event in told if event.get("cat") == "job"]
    tracks = {
        event["tid"]: event["args"]["name"] for event in told if event["pid"] == 3 and event["name"] == "thread_name"
    }
    (way,) = stack({"way": trace}).ways
    assert list(tracks.values()) == [row.name for row in way.rows]
    for at, row in enumerate(way.rows, 1):
        mine = [event for event in slices if event["tid"] == at]
        assert [(round(each["ts"] * 1000), round(each["dur"] * 1000)) for each in mine] == [
            (start, end - start) for start, end in zip(row.starts, row.ends, strict=True)
        ]
        assert [each["args"]["job"] for each in mine] == list(row.requests)


# -- a recording of jobs by itself ------------------------------------------------------------------------


def test_a_recording_of_jobs_speaks_of_jobs() -> None:
    trace = asyncio_way()
    assert trace.summary == "102 ms · 20 jobs, up to 20 at once, on 1 worker"
    assert report(trace) == text(stack({"asyncio": trace}), title="asyncio") == str(trace)
    assert svg_of(trace) == svg(stack({"asyncio": trace}), title="asyncio")
    assert "0 requests" not in str(trace) + trace.summary + repr(trace)


def test_a_page_of_ways_holds_them_and_a_picture() -> None:
    told = stacked_page(THREE, "Three ways")
    assert "<title>Three ways</title>" in told
    assert "noscript" in told
    assert "48% waiting for the GIL" in told


@pytest.mark.parametrize("kind", WORDS["SegmentKind"])
def test_each_kind_is_drawn_whatever_else_there_is(kind: SegmentKind) -> None:
    trace = Trace(workers=[Worker(1, 1, "thread", "t")], jobs=[job(0, 0, 5)], segments=[segment(0, kind, 0, 5)])
    stacked = stack({"way": trace})
    assert stacked.laid.kinds[SEGMENT_KIND[kind]].words in text(stacked)
    assert KINDS[SEGMENT_KIND[kind]].light in svg(stacked)


def test_a_recording_of_requests_has_no_jobs_to_draw() -> None:
    trace = Trace(requests=[Request(0, "GET", "/", None, 200, 0, 9, None, (), (), None)])
    (way,) = stack({"app": trace}).ways
    assert (way.rows, way.told) == ((), "9 ns · 0 jobs")


@pytest.mark.parametrize(("cpu_ms", "first_ms"), [(3, 3), (0, 0)])
def test_a_run_that_had_a_processor_for_less_than_half_of_it_is_no_solid_bar(cpu_ms: float, first_ms: float) -> None:
    rows = [segment(0, "run", 0, 8, cpu_ms=cpu_ms)]
    stacked = stack({"way": Trace(workers=[worker()], jobs=[job(0, 0, 8)], segments=rows)})
    (row,) = stacked.ways[0].rows
    drawn = list(zip(row.starts, row.ends, row.kinds, strict=True))
    ran = [(0, ns(first_ms), SEGMENT_KIND["run"])] if first_ms else []
    assert drawn == [*ran, (ns(first_ms), ns(8), OFF_CPU)]
    told = {stacked.laid.whats[what].text for what in row.whats}
    assert told == {f"{cpu_ms} of 8 ms on a processor; when is not known, and it is drawn first"}
    assert stacked.laid.kinds[OFF_CPU].told == "not running, and why is not known"


@pytest.mark.parametrize(("length_ms", "cpu_ms"), [(8, 4), (1, 0), (8, None)])
def test_a_run_is_a_solid_bar_if_it_had_a_processor_or_that_is_not_known(
    length_ms: float, cpu_ms: float | None
) -> None:
    rows = [replace(segment(0, "run", 0, length_ms), cpu_ns=None if cpu_ms is None else ns(cpu_ms))]
    (way,) = stack({"way": Trace(workers=[worker()], jobs=[job(0, 0, length_ms)], segments=rows)}).ways
    assert spans(way.rows, "request") == [(0, ns(length_ms), SEGMENT_KIND["run"], 0)]


def test_what_is_queued_is_dashed_however_thin_its_lane() -> None:
    rows = [each for at in range(200) for each in (segment(at, "queue", 0, 5, worker=at),)]
    trace = Trace(
        workers=[worker(1, 1 + at) for at in range(200)], jobs=[job(at, 0, 5) for at in range(200)], segments=rows
    )
    lanes = [each for each in ElementTree.fromstring(svg(stack({"a": trace, "b": trace}))).iter() if
             each.get("stroke") == KINDS[FUTURE].light]  # fmt: skip
    assert lanes
    assert all(each.get("stroke-dasharray") for each in lanes)


def test_a_finding_names_the_lane_of_its_first_job() -> None:
    failed = Trace(
        workers=[worker(1, 1), worker(1, 2)],
        jobs=[job(0, 0, 5), job(1, 0, 5, error="ValueError: no")],
        segments=[segment(0, "run", 0, 5), segment(1, "run", 0, 5, worker=1)],
    )
    several, _ = unpack(packed(stack({**THREE, "a": failed, "b": failed})))
    for way, finding in zip(("a", "b"), several["findings"], strict=True):
        row = several["rows"][finding["row"]]
        assert (row["note"], row["name"]) == (way, failed.workers[1].name)
    alone, _ = unpack(packed(stack({"a": failed})))
    assert [finding["row"] for finding in alone["findings"]] == [1]
