"""What came of trying a claim: what was claimed, whether it held on this machine, the figures, and their picture.

It decides what every claim tells and how it is shown as the value of a cell. It measures nothing and judges nothing:
each claim does that in a module of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playground import files

__all__ = ["Claim", "Measured", "Picture", "Unit", "Verdict"]

Verdict = Literal["holds", "does not hold", "not here"]
"""`not here`: this machine, platform or Python cannot tell, or the figures are too far apart to; never a guess."""

Unit = Literal["ns", "bytes", "times", "a second", "count"]
PictureKind = Literal["ladder", "bars", "curve"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One thing that was measured, several times over: a rung, a bar, or a point of a curve.

    All figures are in the unit of the picture.

    Attributes:
        name: what was measured; of a point, the name of its curve.
        median: the middle one of the rounds; `None` if it was not measured here, and `note` then says why.
        low: the first quartile of the rounds.
        high: the third quartile of the rounds.
        rounds: how often it was measured.
        group: rows of one group stand together, under its name.
        note: what stands beside the figure, in words: `230 function calls`.
        at: where a point lies along the curve, in the unit of the picture's `along_unit`.
    """

    name: str
    median: float | None
    low: float | None = None
    high: float | None = None
    rounds: int = 1
    group: str = ""
    note: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """How the rows of a claim are drawn.

    Attributes:
        kind: `ladder`: marks on a logarithmic axis; `bars`: bars from zero on a linear one; `curve`: `at` across,
            the figure upwards, a line for each name.
        unit: what the figures are counted in.
        axis: what the figures are, in words: `time of one operation`.
        along: what `at` is, in words; for curves.
        along_unit: what `at` is counted in.
        level: a figure that a line is drawn at, because the verdict turns on it: 1 of a ratio.
    """

    kind: PictureKind
    unit: Unit
    axis: str
    along: str = ""
    along_unit: Unit = "ns"
    level: float | None = None


@dataclass(frozen=True)
class Claim:
    """What came of trying one claim here; shown as the value of a cell, and `str` of it is all of it as text.

    Attributes:
        statement: what is claimed.
        verdict: `holds`, `does not hold`, or `not here`.
        sentence: why, with what was measured and how far the rounds were apart.
        figures: what was measured by name, with its unit in the name: `thread_bytes`, `speed_up_in_threads`.
        rows: what the picture is made of.
        picture: how.
        notes: what one has to know to trust it: what was left out, and why.
    """

    statement: str
    verdict: Verdict
    sentence: str
    figures: Mapping[str, float]
    rows: Sequence[Measured]
    picture: Picture
    notes: Sequence[str] = ()

    def to_svg(self, path: str | Path | None = None, *, width: int = 1000) -> str:
        """The picture as SVG, `width` pixels wide; also written to `path` if one is given."""
        drawn = self._drawn(width)
        if path is not None:
            files.write_text(path, drawn)
        return drawn

    def _drawn(self, width: int) -> str:
        from playground.views.claims_svg import svg  # who only measures draws nothing

        return svg(self, width=width)

    def __str__(self) -> str:
        from playground.views.claims import text  # as above

        return text(self)

    def __repr__(self) -> str:
        return f"<Claim: {self.statement!r} {self.verdict}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from playground.views.claims_sheet import in_a_cell  # as above

        return {"text/plain": str(self), "image/svg+xml": in_a_cell(self.to_svg())}
