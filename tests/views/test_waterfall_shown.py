"""A waterfall as tables, as text, as a picture and as a packet: all show the same."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from playground.trace import Trace
from playground.trace.columns import unpack
from playground.views.kinds import KINDS
from playground.views.spent import STATES
from playground.views.waterfall import waterfall, waterfall_packet
from playground.views.waterfall_svg import waterfall_svg
from playground.views.waterfall_text import waterfall_text
from playground.views.waterfall_words import COLOURS, LOOKS, SHAPES
from tests.by_hand import ns, request
from tests.recordings import blocked_run
from tests.views.falls import NOT_RECORDED, PENDING, export, nasty, streaming


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
