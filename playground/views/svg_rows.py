"""The rows of the static picture: bars, hatching, lines, labels and arrows at their pixels.

It knows how a row of spans looks and where its pixels are. What stands above and below the rows, and how many
of them there is room for, is decided in `svg`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from playground.views.kinds import BLOCKED, KINDS, Kind
from playground.views.lanes import Lanes, Row
from playground.views.scale import FULL, UNDER, cells, runs
from playground.views.shapes import Stretch, bars, cross, hatch, label, rect, text_width
from playground.views.sheet import MARGIN, Sheet
from playground.views.wording import duration

__all__ = ["ARROW", "Plot", "arrows", "bar_labels", "capsules", "legend", "row_shapes", "stretch_shapes"]

ARROW: Final = "#5B6675"
_CAPSULE: Final = "#EFF2F6"
# Under the strokes of a hatched half bar, by its colour.
_TINTS: Final = {"#781099": "#E3CBEA", "#6E7582": "#DCDFE4", "#5895DE": "#D3E3F6"}
_TINT: Final = "#EAD9B4"
# A cell that is hardly used is drawn paler, so that a row of ticks does not pass for one busy bar.
_OPACITY: Final = (0.35, 0.55, 0.8, 1.0)
# Below this many pixels a span gets no name and no edge of its own.
_NAMED_PX: Final = 26
_EDGED_PX: Final = 3
# How large the largest names are.
_NAME: Final = 11
# Half of what the shortest label takes: `0 ms` after two spaces.
_LABELLED_PX: Final = text_width("  0 ms", 10) / 2
# Fewer letters of a name than this tell nobody what it was.
_LEAST_LETTERS: Final = 5
_LABEL_INK: Final = "#303A48"
_LEGEND: Final = 11


@dataclass(frozen=True, slots=True)
class Plot:
    """The part of the picture in which time runs: from `left`, `width` pixels for `duration_ns`."""

    left: int
    width: int
    duration_ns: int

    def x(self, moment_ns: int) -> float:
        return self.left + min(1.0, moment_ns / max(1, self.duration_ns)) * self.width

    def wide(self, row: Row, pixels: float) -> list[int]:
        """Indexes of the spans of a row that take up so many pixels, or little less."""
        least_ns = int(pixels * self.duration_ns / self.width) - 1
        spans = zip(row.starts, row.ends, strict=True)
        return [at for at, (start_ns, end_ns) in enumerate(spans) if end_ns - start_ns >= least_ns]

    def stretches(self, values: list[int | None]) -> dict[int, list[Stretch]]:
        """Runs of equal cells, by value."""
        found: dict[int, list[Stretch]] = {}
        for first, end, value in runs(values):
            found.setdefault(value, []).append((self.left + first, self.left + end))
        return found


def row_shapes(row: Row, plot: Plot, middle: float, height: float) -> Iterator[str]:
    """A row of spans around the line y = `middle`: lines and half bars first, full bars over them."""
    laid = cells(row, plot.duration_ns, plot.width)
    for kind, stretches in plot.stretches(laid.most(UNDER)).items():
        yield from stretch_shapes(KINDS[kind], stretches, middle, height)
    full: list[int | None] = [
        None if kind is None else kind * len(_OPACITY) + _level(kind, used)
        for kind, used in zip(laid.most(FULL), laid.used(FULL), strict=True)
    ]
    for value, stretches in plot.stretches(full).items():
        kind, level = divmod(value, len(_OPACITY))
        yield from stretch_shapes(KINDS[kind], stretches, middle, height, _OPACITY[level])


def _level(kind: int, used: float) -> int:
    if kind == BLOCKED:
        return len(_OPACITY) - 1
    return min(len(_OPACITY) - 1, int(used * len(_OPACITY)))


def stretch_shapes(
    kind: Kind, stretches: list[Stretch], middle: float, height: float, opacity: float = 1.0
) -> Iterator[str]:
    """Stretches of one kind, in that kind's shape."""
    if kind.shape in ("full", "hatched"):
        yield bars(stretches, middle, height, kind.light, "" if opacity == 1 else f'opacity="{opacity}"')
        if kind.shape == "hatched":
            wide = [stretch for stretch in stretches if stretch[1] - stretch[0] > _EDGED_PX]
            yield hatch(wide, middle, height, "#E58A97", gap=8, width=1.6)
    elif kind.shape == "half":
        yield bars(stretches, middle, height / 2, _TINTS.get(kind.light, _TINT))
        yield hatch(stretches, middle, height / 2, kind.light, gap=5, width=1.8)
    else:
        yield bars(stretches, middle, 2.5, kind.light, 'stroke-dasharray="4 3"' if kind.shape == "dashed" else "")


def bar_labels(row: Row, laid: Lanes, plot: Plot, middle: float, height: float) -> Iterator[str]:
    """Names upon spans that are wide enough, and thin edges between neighbours."""
    edges = []
    for at in plot.wide(row, _EDGED_PX):
        start_ns, end_ns, kind, what = row.starts[at], row.ends[at], row.kinds[at], row.whats[at]
        x, end = plot.x(start_ns), plot.x(end_ns)
        if end - x > _EDGED_PX:
            edges.append((x - 0.5, x + 0.5))
        if end - x >= _NAMED_PX:
            told = _fitted(laid.whats[what].name, duration(end_ns - start_ns), end - x - 10)
            yield from _bar_label(told, x, middle, height, kind) if told else ()
    yield bars(edges, middle, height, "#FFFFFF")


def _bar_label(told: str, x: float, middle: float, height: float, kind: int) -> Iterator[str]:
    size = 11 if height > 15 else 10
    if kind == BLOCKED:  # the hatching would run through the words
        yield rect(x + 3, middle - size * 0.75, text_width(told, size) + 4, size * 1.5, KINDS[BLOCKED].light)
    yield label(x + 5, middle + size * 0.36, told, size=size, fill=KINDS[kind].ink)


def _fitted(name: str, length: str, room: float) -> str:
    """A name with its duration, or the name alone, or the start of it; empty if not even that fits."""
    for told in (f"{name}  {length}", name):
        if text_width(told, _NAME) <= room:
            return told
    letters = int(room / text_width("x", _NAME)) - 1
    return f"{name[:letters]}…" if letters >= _LEAST_LETTERS else ""


def capsules(lives: Row, laid: Lanes, plot: Plot, top: float, height: float) -> Iterator[str]:
    """The ground under each request's life, and its label where there is room up to the next."""
    ground = cells(lives, plot.duration_ns, plot.width)
    stretches = plot.stretches(ground.most(FULL)).values()
    yield from (bars(found, top + height / 2, height, _CAPSULE) for found in stretches)
    failed = [at for at, request in enumerate(lives.requests) if laid.requests[request].failure]
    for at in sorted({*plot.wide(lives, _LABELLED_PX), *failed}):
        start_ns, end_ns, facts = lives.starts[at], lives.ends[at], laid.requests[lives.requests[at]]
        x, end = plot.x(start_ns), plot.x(end_ns)
        limit = plot.x(lives.starts[at + 1]) if at + 1 < len(lives) else float(plot.left + plot.width)
        told = f"{facts.label}  {duration(end_ns - start_ns)}"
        needed = text_width(told, 10) + (text_width(facts.failure, 10) + 18 if facts.failure else 0)
        if end - x >= needed / 2 and x + needed <= limit:
            yield label(x + 2, top + 9.5, told, size=10, fill=_LABEL_INK)
            x += text_width(told, 10) + 6
        elif facts.failure:
            x = end + 3
        if facts.failure:
            yield from _failure(facts.failure, x, top, limit)


def _failure(words: str, x: float, top: float, limit: float) -> Iterator[str]:
    """A cross and how the request failed, as far as there is room up to the lane's next request."""
    yield cross(min(x + 4, limit - 4), top + 6, 6)
    if x + 10 + text_width(words, 10) <= limit:
        yield label(x + 10, top + 9.5, words, size=10, fill="#1B2430", bold=True)


def arrows(laid: Lanes, plot: Plot, bottom: float, tops: dict[int, float]) -> Iterator[str]:
    """Hand-offs between the loop, whose rows end at y = `bottom`, and workers, whose rows begin at `tops`."""
    lines, heads = [], []
    table = laid.arrows
    for start_ns, end_ns, from_row, to_row, back in zip(
        table.starts, table.ends, table.from_rows, table.to_rows, table.backs, strict=True
    ):
        worker = from_row if back else to_row
        if worker not in tops:
            continue
        x, end = plot.x(start_ns), plot.x(end_ns)
        y, goal = (tops[worker], bottom) if back else (bottom, tops[worker])
        lines.append(_line(x, y, end, goal))
        heads.append(f"M{end:.1f} {goal:.1f}l-2.5 {5 if back else -5}h5z")
    if lines:
        yield f'<path d="{"".join(lines)}" stroke="{ARROW}" opacity="0.65"/>'
        yield f'<path d="{"".join(heads)}" fill="{ARROW}" stroke="none"/>'


def _line(x: float, y: float, end: float, goal: float) -> str:
    if abs(end - x) < 3:
        return f"M{x:.1f} {y:.1f}L{end:.1f} {goal:.1f}"
    middle = (y + goal) / 2
    return f"M{x:.1f} {y:.1f}C{x:.1f} {middle:.1f} {end:.1f} {middle:.1f} {end:.1f} {goal:.1f}"


def legend(sheet: Sheet, laid: Lanes, kinds: Iterable[int]) -> None:
    """What the shape of each of these kinds says, below a rule, and the cross of what failed, if anything did."""
    sheet.rule()
    sheet.y += 18
    x = float(MARGIN)
    for kind in sorted(kinds):
        words = laid.kinds[kind].words
        x = _legend_place(sheet, x, words)
        sheet.over += stretch_shapes(KINDS[kind], [(x, x + 24)], sheet.y, 12)
        sheet.over.append(label(x + 30, sheet.y + 4, words, size=_LEGEND, fill=_LABEL_INK))
        x += 34 + text_width(words, _LEGEND) + 8
    if any(request.failure for request in laid.requests):
        x = _legend_place(sheet, x, laid.failed_words)
        sheet.over.append(cross(x + 12, sheet.y, 8))
        sheet.over.append(label(x + 30, sheet.y + 4, laid.failed_words, size=_LEGEND, fill=_LABEL_INK))


def _legend_place(sheet: Sheet, x: float, words: str) -> float:
    """Where the next entry begins: here, or on a new line if it would run into the margin."""
    if x == MARGIN or x + 34 + text_width(words, _LEGEND) <= sheet.width - MARGIN:
        return x
    sheet.y += 20
    return float(MARGIN)
