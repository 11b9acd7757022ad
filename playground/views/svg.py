"""The timeline as a static picture: what a saved notebook shows where there is no kernel, and what one prints.

It draws what `lanes` laid out and `diagnosis` found, on a light ground of its own so that it reads in a dark
theme too. Its size is bounded by its width and its number of rows; what it leaves out it counts at the foot.
"""

from itertools import compress
from typing import Final

from playground.trace import Trace
from playground.views.choice import left_out, ranked
from playground.views.diagnosis import diagnose
from playground.views.findings import Finding
from playground.views.kinds import BLOCKED, KINDS
from playground.views.lanes import Lanes, Row, lanes
from playground.views.scale import cells, marks
from playground.views.shapes import bars, label, rect, rich_lines, text_width
from playground.views.sheet import GREY, MARGIN, RULE, Sheet
from playground.views.stacked import stack
from playground.views.stacked_svg import svg as stacked_svg
from playground.views.svg_rows import Plot, arrows, bar_labels, capsules, legend, row_shapes
from playground.views.wording import counted, duration, let_go, one_line, summary

__all__ = ["svg"]

_GUTTER: Final = 168
_RED: Final = KINDS[BLOCKED].light
_SEVERITY: Final = {"bad": _RED, "warn": "#A47B23", "note": "#52626C"}

# What fits on a projected slide: a picture with more rows is no longer looked at, only scrolled past.
_MOST_WORKERS: Final = 8
_MOST_LANES: Final = 16
_MOST_FINDINGS: Final = 3
# More arrows than this cross each other until none can be followed.
_MOST_ARROWS: Final = 160


class _Picture(Sheet):
    """The sheet with what is drawn on it, where time runs, and what there was no room for."""

    def __init__(self, trace: Trace, findings: list[Finding], width: int) -> None:
        super().__init__(width)
        self.trace = trace
        self.laid = lanes(trace)
        self.findings = findings
        self.plot = Plot(_GUTTER, width - _GUTTER - MARGIN, trace.duration_ns)
        self.omitted: list[str] = []


def svg(trace: Trace, *, width: int = 1000, findings: bool = True) -> str:
    """Draw a recording as an SVG picture, `width` pixels wide (at least 480) and as high as it needs.

    Without `findings`, it shows what happened and leaves it to its reader what went wrong.
    """
    if trace.jobs:
        return stacked_svg(stack({trace.title: trace}), title=trace.title, width=width)
    picture = _Picture(trace, diagnose(trace) if findings else [], max(480, width))
    _head(picture)
    _findings(picture)
    top = _axis(picture)
    _loop_and_workers(picture)
    _requests(picture)
    _behind(picture, top)
    legend(picture, picture.laid, {kind for row in picture.laid.rows if row.group != "life" for kind in set(row.kinds)})
    picture.y += 12
    _foot(picture)
    return _document(picture)


def _document(picture: _Picture) -> str:
    title = f"Timeline of {one_line(picture.trace.title)}: {summary(picture.trace)}"
    told = " ".join([f"{title}.", *(str(finding) for finding in picture.findings)])
    return picture.document(title, told)


# -- above the rows ---------------------------------------------------------------------------------------


def _head(picture: _Picture) -> None:
    title = one_line(picture.trace.title)
    x = MARGIN + text_width(title, 15, "bold") + 10
    picture.over.append(label(MARGIN, 28, title, size=15, bold=True))
    if picture.trace.clock == "virtual":
        picture.over.append(rect(x, 14, 86, 20, "#FFFFFF", f'stroke="{RULE}" rx="10"'))
        picture.over.append(label(x + 43, 28, "virtual time", size=11, fill=GREY, anchor="middle"))
        x += 96
    words = summary(picture.trace)
    fits = x + text_width(words, 12) <= picture.width - MARGIN
    picture.over.append(label(x if fits else MARGIN, 28 if fits else 47, words, size=12, fill=GREY))
    picture.y = 44 if fits else 62


def _findings(picture: _Picture) -> None:
    for finding in picture.findings[:_MOST_FINDINGS]:
        lines = rich_lines(finding.parts, 12, picture.width - 2 * MARGIN - 30)
        height = 17 * len(lines) + 12
        picture.over.append(rect(MARGIN, picture.y, picture.width - 2 * MARGIN, height, "#F5F7F9"))
        picture.over.append(rect(MARGIN, picture.y, 3, height, _SEVERITY[finding.severity]))
        for number, line in enumerate(lines):
            at = f'x="{MARGIN + 14}" y="{picture.y + 19 + 17 * number:g}"'
            picture.over.append(f'<text {at} font-size="12" fill="#1B2430">{line}</text>')
        picture.y += height + 6
    if len(picture.findings) > _MOST_FINDINGS:
        picture.omitted.append(counted(len(picture.findings) - _MOST_FINDINGS, "more finding"))


def _axis(picture: _Picture) -> float:
    """Draw the axis; returns where the rows below it begin."""
    plot = picture.plot
    picture.y += 20
    taken = _stamps(picture)
    for moment in marks(plot.duration_ns, plot.width // 90):
        x, words = plot.x(moment), duration(moment)
        picture.under.append(rect(x, picture.y + 6, 1, 0, RULE))
        half = text_width(words, 11) / 2
        if x + half > picture.width - 4 or any(x + half > start and x - half < end for start, end in taken):
            continue
        picture.over.append(label(x, picture.y, words, size=11, fill=GREY, anchor="middle"))
    picture.y += 8
    return picture.y


def _stamps(picture: _Picture) -> list[tuple[float, float]]:
    """Write what blocked the loop on the axis, where there is room; returns what room that took."""
    taken = []
    blocks = _blocks(picture.laid.rows[0])
    for x, end in _blocked_stretches(picture):
        lengths = [
            step_end - start
            for start, step_end in blocks
            if x <= picture.plot.x(start) + 1 and picture.plot.x(start) < end
        ]
        times = "" if len(lengths) == 1 else f" {len(lengths)} times,"
        words = f"loop blocked{times} {duration(sum(lengths))}"
        width = text_width(words, 11) + 16
        if width > end - x or not lengths:
            continue
        left = (x + end - width) / 2
        picture.over.append(rect(left, picture.y - 14, width, 19, _RED, 'rx="9.5"'))
        picture.over.append(label((x + end) / 2, picture.y, words, size=11, fill="#FFFFFF", anchor="middle"))
        taken.append((left - 4, left + width + 4))
    return taken


def _blocks(loop: Row) -> list[tuple[int, int]]:
    """Start and end of each step that held the loop."""
    blocked = loop.kinds.tobytes().translate(bytes(kind == BLOCKED for kind in range(256)))
    return list(zip(compress(loop.starts, blocked), compress(loop.ends, blocked), strict=True))


def _blocked_stretches(picture: _Picture) -> list[tuple[float, float]]:
    if BLOCKED not in picture.laid.rows[0].kinds.tobytes():
        return []
    shares = cells(picture.laid.rows[0], picture.plot.duration_ns, picture.plot.width)
    return picture.plot.stretches(shares.most(frozenset({BLOCKED}))).get(BLOCKED, [])


# -- rows -----------------------------------------------------------------------------------------------


def _loop_and_workers(picture: _Picture) -> None:
    laid, plot = picture.laid, picture.plot
    loop, seen = laid.rows[:2]
    busy_ns = sum(loop.ends) - sum(loop.starts)
    busy = f"{busy_ns / laid.duration_ns:.0%} busy" if laid.duration_ns else ""
    picture.over.append(label(MARGIN, picture.y + 22, "Event loop", bold=True))
    picture.over.append(label(_GUTTER - 10, picture.y + 22, busy, size=11, fill=GREY, anchor="end"))
    picture.over += row_shapes(loop, plot, picture.y + 18, 24)
    picture.over += bar_labels(loop, laid, plot, picture.y + 18, 24)
    picture.y += 32
    if len(seen):
        picture.over.append(label(MARGIN, picture.y + 12, "seen inside steps", size=11, fill=GREY))
        picture.over += row_shapes(seen, plot, picture.y + 8, 14)
        picture.over += bar_labels(seen, laid, plot, picture.y + 8, 14)
        picture.y += 17
    _workers(picture)


def _workers(picture: _Picture) -> None:
    laid, plot = picture.laid, picture.plot
    workers = laid.of("worker")
    if not workers:
        return
    bottom = picture.y
    picture.y += 16
    _section(picture, "Worker threads", f"{len(workers):,}")
    tops = {}
    for index, row in enumerate(workers[:_MOST_WORKERS], 2):
        tops[index] = picture.y + 2
        picture.over.append(label(MARGIN + 8, picture.y + 14, row.name, size=11, fill=GREY))
        picture.over += row_shapes(row, plot, picture.y + 10, 16)
        picture.over += bar_labels(row, laid, plot, picture.y + 10, 16)
        picture.y += 19
    if len(workers) > _MOST_WORKERS:
        picture.omitted.append(counted(len(workers) - _MOST_WORKERS, "more worker thread"))
    if len(laid.arrows.starts) <= _MOST_ARROWS:
        picture.over += arrows(laid, plot, bottom, tops)
    else:
        picture.omitted.append(counted(len(laid.arrows.starts), "arrow") + " between the loop and its workers")


def _section(picture: _Picture, name: str, more: str) -> None:
    picture.rule()
    picture.over.append(label(MARGIN, picture.y + 17, name, bold=True))
    picture.over.append(label(_GUTTER - 10, picture.y + 17, more, size=11, fill=GREY, anchor="end"))
    picture.y += 22


def _requests(picture: _Picture) -> None:
    laid, plot = picture.laid, picture.plot
    states, lives = laid.of("request"), laid.of("life")
    if not lives:
        return
    picture.y += 6
    _section(picture, laid.heading, f"{len(lives):,} at once")
    picture.y -= 14
    drawn = _drawn_lanes(laid, lives)
    for lane in drawn:
        state, life = states[lane], lives[lane]
        picture.under += capsules(life, laid, plot, picture.y, 22)
        picture.over += row_shapes(state, plot, picture.y + 16, 9)
        picture.y += 24
    rest = [request for lane, row in enumerate(lives) if lane not in drawn for request in row.requests]
    if rest:
        held = f"with {counted(len(rest), laid.noun)} ({left_out(laid, rest)})"
        picture.omitted.append(f"{counted(len(lives) - len(drawn), 'more lane')} {held}")


def _drawn_lanes(laid: Lanes, lives: list[Row]) -> list[int]:
    """As many lanes as there is room for, from the top down: those of the requests that matter most."""
    lane_of = {request: lane for lane, row in enumerate(lives) for request in row.requests}
    return sorted(list(dict.fromkeys(lane_of[request] for request in ranked(laid)))[:_MOST_LANES])


def _behind(picture: _Picture, top: float) -> None:
    """Grid lines and the stretches in which the loop was blocked, from the axis down to here."""
    plot, height = picture.plot, picture.y + 4 - top
    grid = [(plot.x(moment), plot.x(moment) + 1) for moment in marks(plot.duration_ns, plot.width // 90)]
    behind = [bars(grid, top + height / 2, height, "#E9EDF1")]
    stretches = _blocked_stretches(picture)
    behind.append(bars(stretches, top + height / 2, height, _RED, 'opacity="0.07"'))
    for x, end in stretches:
        if end - x >= 8:
            edges = f"M{x:g} {top:g}v{height:g}M{end:g} {top:g}v{height:g}"
            behind.append(f'<path d="{edges}" stroke="{_RED}" stroke-dasharray="3 3" opacity="0.6"/>')
    picture.under += behind
    picture.y += 10


# -- below the rows ---------------------------------------------------------------------------------------


def _foot(picture: _Picture) -> None:
    lines = [f"Not drawn: {', '.join(picture.omitted)}."] if picture.omitted else []
    if picture.trace.dropped:
        lines.append(f"The recorder dropped {let_go(picture.trace)}: not here.")
    pixel = duration(round(picture.trace.duration_ns / picture.plot.width))
    lines.append(f"A static picture: a pixel is {pixel} and shows what took most of it, paler for less.")
    picture.y -= 2
    for line in lines:
        picture.lines(line, size=11)
    picture.y += 12
