"""A claim with the timeline of a run that bears it out: both pictures on one sheet, both texts one below the other.

It knows claims and recordings by what is drawn of them elsewhere, and only puts them together.
"""

import re

from playground.trace import Trace
from playground.views.claims import ClaimLike
from playground.views.claims import text as claim_text
from playground.views.claims_svg import svg as claim_svg
from playground.views.svg import svg as timeline_svg
from playground.views.text import report

__all__ = ["svg", "text"]


def text(claim: ClaimLike, trace: Trace | None, *, width: int = 100) -> str:
    """The claim, and below it the run's report."""
    told = claim_text(claim, width=width)
    return told if trace is None else f"{told}\n\n{report(trace, width=width)}"


def svg(claim: ClaimLike, trace: Trace | None, *, width: int = 1000) -> str:
    """The claim's picture, and below it the run's timeline, `width` pixels wide (at least 480)."""
    above = claim_svg(claim, width=width)
    if trace is None:
        return above
    below = timeline_svg(trace, width=width)
    (wide, high), (_, more) = _size(above), _size(below)
    size = f'viewBox="0 0 {wide} {high + more}" width="{wide}" height="{high + more}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{above}<g transform="translate(0 {high})">{below}</g></svg>'


def _size(picture: str) -> tuple[int, int]:
    found = re.search(r'viewBox="0 0 (\d+) (\d+)"', picture)
    assert found is not None  # ours all begin with one
    return int(found[1]), int(found[2])
