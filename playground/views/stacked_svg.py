"""Ways to run the same jobs as a static picture: a heading for each, and its lanes on the axis of the longest.

It draws what `stacked` laid out, with the shapes of the timeline's picture, on a light ground of its own. The more
lanes there are, the thinner: ways are to be compared at a glance, and a lane is read in the interactive view. What it
leaves out it counts.
"""

from collections.abc import Sequence
from typing import Final

from playground.views.kinds import KINDS
from playground.views.lanes import Row
from playground.views.scale import cells, marks
from playground.views.shapes import bars, cross, label, text_width
from playground.views.sheet import GREY, INK, MARGIN, Sheet
from playground.views.stacked import TITLE, Stack, Way
from playground.views.svg_rows import Plot, legend, row_shapes
from playground.views.wording import counted, duration, one_line

__all__ = ["svg"]

_GUTTER: Final = 146
_ALL: Final = frozenset(range(len(KINDS)))

# A picture of fourteen ways with twenty jobs each stays as high as a page that is scrolled once.
_LANES_HEIGHT: Final = 800
_THINNEST: Final = 3.5
_THICKEST: Final = 11.0
_NAMED_FROM: Final = 9.0
_MOST_LANES: Final = 48
# A thin lane's shapes: shares of its height.
_SHARES: Final = {"full": 1.0, "hatched": 1.0, "half": 0.6, "thin": 0.3, "dashed": 0.2}


class _Lanes(Sheet):
    """The sheet, how high its lanes are, and where time runs on it."""

    def __init__(self, stacked: Stack, width: int) -> None:
        super().__init__(width)
        self.stacked = stacked
        self.plot = Plot(_GUTTER, width - _GUTTER - MARGIN, stacked.duration_ns)
        shown = sum(min(len(way.rows), _MOST_LANES) for way in stacked.ways)
        self.lane = max(_THINNEST, min(_THICKEST, _LANES_HEIGHT / max(1, shown) - 1))


def svg(stacked: Stack, *, title: str = TITLE, width: int = 1000) -> str:
    """Draw it as an SVG picture, `width` pixels wide (at least 480) and as high as it needs."""
    sheet = _Lanes(stacked, max(480, width))
    sheet.over.append(label(MARGIN, 28, title, size=15, bold=True))
    sheet.y = 28
    sheet.lines(stacked.summary, gap=4)
    top = _axis(sheet)
    for way in stacked.ways:
        _way(sheet, way)
    _grid(sheet, top)
    legend(sheet, stacked.laid, {kind for way in stacked.ways for row in way.rows for kind in set(row.kinds)})
    sheet.y += 8
    pixel = duration(round(sheet.plot.duration_ns / sheet.plot.width))
    sheet.lines(f"A static picture: a pixel is {pixel} and shows what took most of it.", size=11, gap=4)
    sheet.y += 10
    return _document(sheet, title)


def _document(sheet: _Lanes, title: str) -> str:
    stacked = sheet.stacked
    name = f"{one_line(title)}: {stacked.summary}"
    told = " ".join([f"{name}.", *(f"{way.name}: {way.note}." for way in stacked.ways)])
    return sheet.document(name, told)


def _axis(sheet: _Lanes) -> float:
    """The marks of the axis; returns where the rows below it begin."""
    sheet.y += 24
    for moment in marks(sheet.plot.duration_ns, sheet.plot.width // 90):
        x, words = sheet.plot.x(moment), duration(moment)
        if x + text_width(words, 11) / 2 < sheet.width - 4:
            sheet.over.append(label(x, sheet.y, words, size=11, fill=GREY, anchor="middle"))
    sheet.y += 8
    return sheet.y


def _grid(sheet: _Lanes, top: float) -> None:
    height = sheet.y - top
    grid = [
        (sheet.plot.x(moment), sheet.plot.x(moment) + 1)
        for moment in marks(sheet.plot.duration_ns, sheet.plot.width // 90)
    ]
    sheet.under.insert(0, bars(grid, top + height / 2, height, "#E9EDF1"))


# -- a way ------------------------------------------------------------------------------------------------


def _way(sheet: _Lanes, way: Way) -> None:
    sheet.rule()
    sheet.y += 3
    start = max(_GUTTER, MARGIN + text_width(way.name, 12, "bold") + 10)
    if len(sheet.stacked.ways) > 1:
        sheet.over.append(label(MARGIN, sheet.y + 15, way.name, size=12, bold=True))
        sheet.lines(_note(way), size=11, left=start, gap=4)
    for words in way.troubles:
        sheet.over.append(cross(start + 4, sheet.y + 11, 7))
        sheet.lines(words, size=11, fill=INK, left=start + 13, gap=4)
    sheet.y += 6
    shown = way.rows[:_MOST_LANES]
    if sheet.lane < _NAMED_FROM:
        _thin_lanes(sheet, shown)
    else:
        _lanes(sheet, shown)
    sheet.y += 7


def _note(way: Way) -> str:
    more = max(0, len(way.rows) - _MOST_LANES) + way.left_out
    return f"{way.told} · {counted(more, 'more lane')} not drawn" if more else way.told


def _lanes(sheet: _Lanes, rows: Sequence[Row]) -> None:
    last = ""
    for row in rows:
        middle = sheet.y + sheet.lane / 2
        if row.name != last:
            letters = int((_GUTTER - MARGIN - 14) / text_width("x", 10))
            sheet.over.append(label(MARGIN + 8, middle + 3.5, one_line(row.name, letters), size=10, fill=GREY))
        last = row.name
        sheet.over += row_shapes(row, sheet.plot, middle, sheet.lane)
        sheet.over += _crosses(sheet, row, middle)
        sheet.y += sheet.lane + 1


def _thin_lanes(sheet: _Lanes, rows: Sequence[Row]) -> None:
    """Lanes too thin for strokes: of each kind one path through all, in its colour and a share of the height."""
    paths: dict[int, list[str]] = {}
    crosses: list[str] = []
    for row in rows:
        middle = sheet.y + sheet.lane / 2
        most = cells(row, sheet.plot.duration_ns, sheet.plot.width).most(_ALL)
        for kind, stretches in sheet.plot.stretches(most).items():
            paths.setdefault(kind, []).extend(f"M{x:g} {middle:.1f}h{end - x:g}" for x, end in stretches)
        crosses += _crosses(sheet, row, middle)
        sheet.y += sheet.lane + 1
    for kind, moves in sorted(paths.items()):
        height = max(1.0, sheet.lane * _SHARES[KINDS[kind].shape])
        dashes = ' stroke-dasharray="4 3"' if KINDS[kind].shape == "dashed" else ""
        stroke = f'stroke="{KINDS[kind].light}" stroke-width="{height:.2g}"{dashes}'
        sheet.over.append(f'<path d="{"".join(moves)}" {stroke}/>')
    sheet.over += crosses


def _crosses(sheet: _Lanes, row: Row, middle: float) -> list[str]:
    """A mark where each job of a lane ended that raised."""
    if row.group != "request":
        return []
    facts = sheet.stacked.laid.requests
    ends = dict(zip(row.requests, row.ends, strict=True))  # of each job the last
    size = max(4.0, min(6.0, sheet.lane))
    return [cross(sheet.plot.x(end_ns) + 5, middle, size) for job, end_ns in ends.items() if facts[job].failure]
