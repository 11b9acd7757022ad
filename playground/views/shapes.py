"""SVG shapes for a row of spans: bars, hatching and lines as path data, in presentation attributes only.

A notebook's page may hold many pictures and its viewer may strip styles, so there is no `<style>`, no id and
no script: hatching is drawn stroke by stroke. Many stretches of one look share one `<path>`. It knows
coordinates and colours, and nothing of recordings.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from playground.views.findings import Part
from playground.views.wording import one_line

__all__ = ["SANS", "Stretch", "bars", "cross", "hatch", "label", "rect", "rich_lines", "text_width"]

# from and to, in pixels
Stretch = tuple[float, float]

SANS: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
MONO: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

_FAILED: Final = "#A40E26"

# Average advance of a character in the widest of the usual fonts (DejaVu, Verdana), as a part of its size:
# there is no way to measure text while writing it, and text that is cut is worse than text that is loose.
_ADVANCE: Final = {"sans": 0.58, "bold": 0.66, "mono": 0.61}
_FACE: Final = {"text": "sans", "strong": "bold", "code": "mono"}
_ATTRIBUTES: Final = {
    "text": "",
    "strong": ' font-weight="600"',
    "code": f' font-family={quoteattr(MONO)} fill="#12386E"',
}


def number(value: float) -> str:
    """A coordinate with one decimal at most: a tenth of a pixel is not seen."""
    return f"{value:.1f}".removesuffix(".0")


def text_width(words: str, size: float, style: str = "sans") -> float:
    """About how wide a text is, in pixels; rather too much than too little."""
    return len(words) * size * _ADVANCE[style]


def label(
    x: float,
    y: float,
    words: str,
    *,
    size: float = 12,
    fill: str = "#1B2430",
    bold: bool = False,
    anchor: str = "start",
) -> str:
    """Text at a baseline; whatever the app put into it arrives as text."""
    more = ' font-weight="600"' if bold else ""
    more += f' text-anchor="{anchor}"' if anchor != "start" else ""
    words = escape(one_line(words, 300))
    return f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" fill="{fill}"{more}>{words}</text>'


def rich_lines(parts: Iterable[Part], size: float, room: float) -> list[str]:
    """A sentence as `<tspan>` elements, in as many lines as it takes to fit `room` pixels.

    Lines break at spaces of the text. Code breaks nowhere, so a long name may stand in a line of its own.
    """
    lines = [""]
    used = 0.0
    for word in _words(parts):
        width = sum(text_width(piece, size, _FACE[style]) for style, piece in word)
        if used and used + width > room:
            lines.append("")
            used = 0.0
        lines[-1] += "".join(_tspan(style, piece) for style, piece in word)
        used += width
    return lines


def _words(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """A sentence in stretches that a line break must not divide: up to each space, that included."""
    word: list[Part] = []
    for style, words in parts:
        for piece in [one_line(words)] if style == "code" else re.split(r"(?<= )", words):
            word.append((style, piece))
            if style != "code" and piece.endswith(" "):
                yield word
                word = []
    yield word


def _tspan(style: str, words: str) -> str:
    return f"<tspan{_ATTRIBUTES[style]}>{escape(words)}</tspan>" if words else ""


def rect(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect {place} fill="{fill}"{f" {more}" if more else ""}/>'


def bars(stretches: Iterable[Stretch], middle: float, height: float, colour: str, more: str = "") -> str:
    """Bars of one height and colour on one row, as a single path of thick strokes."""
    data = "".join(f"M{number(x)} {number(middle)}h{number(end - x)}" for x, end in stretches)
    if not data:
        return ""
    return f'<path d="{data}" stroke="{colour}" stroke-width="{number(height)}"{f" {more}" if more else ""}/>'


def cross(x: float, y: float, size: float) -> str:
    """What marks a failure, around a point."""
    left, top, across = number(x - size / 2), number(y - size / 2), number(size)
    data = f"M{left} {top}l{across} {across}m0-{across}l-{across} {across}"
    return f'<path d="{data}" stroke="{_FAILED}" stroke-width="1.8"/>'


def hatch(stretches: Iterable[Stretch], middle: float, height: float, colour: str, *, gap: float, width: float) -> str:
    """Diagonal strokes over bars, each cut at its bar's edges; together one path."""
    data = "".join(_strokes(x, end, middle - height / 2, height, gap) for x, end in stretches)
    return f'<path d="{data}" stroke="{colour}" stroke-width="{number(width)}"/>' if data else ""


def _strokes(x: float, end: float, top: float, height: float, gap: float) -> str:
    """Strokes that rise to the right at 45 degrees, over the box from (x, top) to (end, top + height)."""
    strokes = []
    foot = (x // gap) * gap - height // gap * gap  # on one grid, so that neighbouring bars match
    while foot < end:
        left, right = max(x, foot), min(end, foot + height)
        if right > left:
            rise = right - left
            strokes.append(f"M{number(left)} {number(top + height - (left - foot))}l{number(rise)}-{number(rise)}")
        foot += gap
    return "".join(strokes)
