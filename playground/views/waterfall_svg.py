"""A request's waterfall as a static picture: what a saved notebook shows where there is no kernel.

It draws what `waterfall` laid out, on a light ground of its own, in presentation attributes only. Its size is bounded
as the lanes are, and by its width: a pixel shows what took most of it.
"""

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from playground.trace import Trace
from playground.views.findings import plain
from playground.views.lanes import Row
from playground.views.scale import cells, marks
from playground.views.shapes import Stretch, bars, cross, label, rect, rich_lines, text_width
from playground.views.sheet import GREY, INK, MARGIN, RULE, Sheet
from playground.views.spent import STATES
from playground.views.svg_rows import Plot, stretch_shapes
from playground.views.waterfall import Waterfall, part_words, percent
from playground.views.waterfall_lanes import Bar, Lane
from playground.views.waterfall_words import LOOKS, MESSAGE, SHAPES
from playground.views.wording import duration, one_line

__all__ = ["waterfall_svg"]

_GUTTER: Final = 300
_LANE_PX: Final = 24
_CAPSULE: Final = "#E7ECF2"
_MESSAGE: Final = "#0447A3"
_ALL: Final = frozenset(range(len(LOOKS)))
# Pixels that a stretch is wide at least, so that the way into a layer is seen.
_LEAST_PX: Final = 2


class _Picture(Sheet):
    """The sheet with the waterfall that is drawn on it, and where time runs."""

    def __init__(self, fall: Waterfall, width: int) -> None:
        super().__init__(width)
        self.fall = fall
        self.plot = Plot(_GUTTER, width - _GUTTER - MARGIN - 8, fall.duration_ns)

    def write(self, x: float, words: str, *, size: float = 12, fill: str = INK, bold: bool = False) -> None:
        self.over.append(label(x, self.y, words, size=size, fill=fill, bold=bold))


def waterfall_svg(trace: Trace, fall: Waterfall, *, width: int = 1000) -> str:
    """Draw a waterfall as an SVG picture, `width` pixels wide (at least 640) and as high as it needs."""
    picture = _Picture(fall, max(640, width))
    _head(picture, trace)
    _axis(picture)
    for lane in fall.lanes:
        _lane(picture, lane)
    _legend(picture)
    _shares(picture)
    _foot(picture)
    return _document(picture)


def _document(picture: _Picture) -> str:
    title = f"Waterfall of request {picture.fall.title}: {picture.fall.summary}"
    return picture.document(title, f"{title}. {plain(picture.fall.sentence)}")


def _head(picture: _Picture, trace: Trace) -> None:
    fall = picture.fall
    picture.y = 28
    title = one_line(fall.title)
    picture.write(MARGIN, title, size=15, bold=True)
    x = MARGIN + text_width(title, 15, "bold") + 10
    if fall.failure:
        picture.over.append(cross(x + 4, picture.y - 5, 8))
        x += 16
    clock = " · virtual time" if trace.clock == "virtual" else ""
    picture.write(x, f"{fall.summary}{clock}", fill=GREY)
    for line in rich_lines(fall.sentence, 12, picture.width - 2 * MARGIN):
        picture.y += 20
        picture.over.append(f'<text x="{MARGIN}" y="{picture.y:g}" font-size="12" fill="{INK}">{line}</text>')
    picture.y += 28


def _axis(picture: _Picture) -> None:
    plot = picture.plot
    for moment in marks(plot.duration_ns, plot.width // 90):
        x, words = plot.x(moment), duration(moment)
        half = text_width(words, 11) / 2
        picture.over.append(rect(x, picture.y + 6, 1, _LANE_PX * len(picture.fall.lanes), RULE))
        if x + half < picture.width - 4:
            picture.over.append(label(x, picture.y, words, size=11, fill=GREY, anchor="middle"))
    picture.y += 8


# -- lanes --------------------------------------------------------------------------------------------------------


def _lane(picture: _Picture, lane: Lane) -> None:
    middle = picture.y + _LANE_PX / 2
    picture.y = middle + 4
    indent = 10 * min(lane.depth, 8)
    room = _GUTTER - MARGIN - indent - text_width(lane.aside, 11) - 14
    name = one_line(lane.name, max(4, int(room / text_width("x", 12))))
    picture.write(MARGIN + indent, name, bold=lane.group == "request")
    picture.over.append(label(_GUTTER - 10, picture.y, lane.aside, size=11, fill=GREY, anchor="end"))
    plot = picture.plot
    if lane.group in ("request", "layer"):
        x, end = plot.x(lane.start_ns), plot.x(lane.end_ns)
        picture.over.append(bars([(x, max(end, x + _LEAST_PX))], middle, 16, _CAPSULE))
    if lane.group in ("receive", "send"):
        picture.over += [_message(plot.x(bar.start_ns), middle) for bar in lane.bars]
    else:
        _bars(picture, lane.bars, middle)
    picture.y = middle + _LANE_PX / 2


def _message(x: float, middle: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{middle:g}" r="4" fill="{_MESSAGE}"/>'


def _bars(picture: _Picture, lane: list[Bar], middle: float) -> None:
    row = Row("request", 0, "")
    for bar in lane:
        row.add(bar.start_ns, bar.end_ns, bar.look, 0, None)
    plot = picture.plot
    most = cells(row, plot.duration_ns, plot.width).most(_ALL)
    for look, stretches in plot.stretches(most).items():
        wide = [(x, max(end, x + _LEAST_PX)) for x, end in stretches]
        picture.over += _shapes(look, wide, middle)


def _shapes(look: int, stretches: list[Stretch], middle: float, height: float = 14) -> Iterator[str]:
    yield from stretch_shapes(LOOKS[look], stretches, middle, height / 2 if SHAPES[look] == "low" else height)


# -- below --------------------------------------------------------------------------------------------------------


def _legend(picture: _Picture) -> None:
    looks = sorted({bar.look for lane in picture.fall.lanes for bar in lane.bars} - {MESSAGE})
    picture.y += 22
    x = float(MARGIN)
    picture.over.append(_message(x + 12, picture.y - 4))
    picture.write(x + 30, "a message or more", size=11, fill=GREY)
    x += 44 + text_width("a message or more", 11)
    for look in looks:
        width = 34 + text_width(LOOKS[look].words, 11) + 10
        if x + width > picture.width - MARGIN:
            x, picture.y = float(MARGIN), picture.y + 20
        picture.over += _shapes(look, [(x, x + 24)], picture.y - 4, 12)
        picture.write(x + 30, LOOKS[look].words, size=11, fill=GREY)
        x += width


def _shares(picture: _Picture) -> None:
    fall = picture.fall
    picture.y += 30
    picture.write(MARGIN, f"Where the {duration(fall.duration_ns)} went", bold=True)
    for share in fall.shares:
        picture.y += 20
        length = f"{duration(share.ns)} · {percent(share.ns, fall.duration_ns)}"
        picture.over.append(label(MARGIN + 90, picture.y, length, size=12, anchor="end"))
        width = 140 * share.ns / max(1, fall.duration_ns)
        x = MARGIN + 100
        stretch = x, x + max(_LEAST_PX, width)
        picture.over += _shapes(STATES.index(share.state), [stretch], picture.y - 4, 12)
        picture.write(x + 150, part_words(share))


def _foot(picture: _Picture) -> None:
    letters = int((picture.width - 2 * MARGIN) / text_width("x", 11))
    picture.y += 12
    for term, words in picture.fall.scope:
        picture.y += 16
        picture.write(MARGIN, one_line(f"{term}: {words}", letters), size=11, fill=GREY)
    for note in picture.fall.notes:
        for line in wrap(one_line(note, 500), letters):
            picture.y += 16
            picture.write(MARGIN, line, size=11, fill=GREY)
    picture.y += 14
