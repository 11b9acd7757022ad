"""What a check answers: what was asked, what the run did, what differs, why, and the next hint.

It decides how that reads, as text and as HTML with the run's own picture. Everything that came from somebody's code
is text here, never markup: it is escaped, and the picture is an image of its own.
"""

import base64
import html
import re
from dataclasses import dataclass
from typing import Any, Final

from playground.course.exercise import Attempt, Exercise
from playground.views.stacked import stack
from playground.views.stacked_svg import svg as stacked_svg
from playground.views.svg import svg
from playground.views.wording import counted

__all__ = ["Checked", "Judged"]

_MARKS: Final = {True: "✓", False: "✗", None: "·"}
_STYLE: Final = "margin:2px 0 2px 1em;white-space:pre-wrap"
_BREAK: Final = "\n"
_INDENTED: Final = "\n      "


@dataclass(frozen=True)
class Judged:
    """What came of one rule.

    Attributes:
        asks: what was asked.
        points: what keeping it is worth.
        kept: whether it was kept; `None` if it was not judged, because what it rests on was not kept.
        finding: what differs; empty if nothing does.
    """

    asks: str
    points: int
    kept: bool | None
    finding: str = ""


@dataclass(frozen=True, repr=False)
class Checked:
    """The answer of `check`.

    Attributes:
        exercise: what was checked; `None` if there is no such exercise.
        id: its id, as it was asked for.
        judged: what came of each rule; none if something was missing.
        missing: what has to be there before anything can be tried; empty if it is.
        mistake: the name of the mistake that was recognised; empty if none was.
        why: that mistake, explained.
        hint: the next hint; `None` if there is none.
        hint_number: its number, from 1.
        attempt: what was given and what came of it.
    """

    exercise: Exercise | None
    id: str
    judged: tuple[Judged, ...] = ()
    missing: str = ""
    mistake: str = ""
    why: str = ""
    hint: str | None = None
    hint_number: int = 0
    attempt: Attempt | None = None

    @property
    def points(self) -> int:
        """How many points it is worth."""
        return sum(each.points for each in self.judged if each.kept)

    @property
    def of(self) -> int:
        """How many points there are."""
        return 0 if self.exercise is None else self.exercise.points

    @property
    def passed(self) -> bool:
        """Whether every rule was kept."""
        return bool(self.judged) and all(each.kept for each in self.judged)

    def __bool__(self) -> bool:
        return self.passed

    def grade(self) -> int:
        """Show this and give the points: for a cell that is graded in parts, as its last line.

        nbgrader reads a number that is a cell's value as its points, and takes any other value for full marks.
        """
        from IPython.display import display

        display(self)
        return self.points

    # -- how it reads -------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """How it went, in a line."""
        if self.exercise is None:
            return f"There is no exercise {self.id}."
        if self.missing:
            return f"Exercise {self.id}: nothing to check yet."
        verdict = "passed" if self.passed else "not yet"
        return f"Exercise {self.id}: {verdict}, {self.points} of {counted(self.of, 'point')}."

    def __repr__(self) -> str:
        return f"<Checked {self.title}>"

    def __str__(self) -> str:
        lines = [self.title]
        lines += [f"{name}: {text}" for name, text in self._paragraphs(before=True)]
        for each in self.judged:
            told = f"{each.asks}: {each.finding}" if each.finding else each.asks
            lines.append(f"  {_MARKS[each.kept]} {told.replace(_BREAK, _INDENTED)}")
        lines += [f"{name}: {text}" for name, text in self._paragraphs(before=False)]
        return "\n".join(lines)

    def _paragraphs(self, *, before: bool) -> list[tuple[str, str]]:
        """What is told before and after the rules, each with its name."""
        if before:
            run = self._run
            told = [("Asked", self.exercise.question if self.exercise else ""), ("Your run", run)]
        else:
            number = f"Hint {self.hint_number} of {len(self.exercise.hints)}" if self.exercise else ""
            told = [("Missing", self.missing), ("Why", self.why), (number, self.hint or "")]
        return [(name, text) for name, text in told if text]

    @property
    def _run(self) -> str:
        """What the run did, in a line; empty if there was none."""
        if self.attempt is not None and self.attempt.ways:
            return stack(self.attempt.ways).summary
        if self.attempt is None or not self.attempt.tries or self.attempt.tried.trace is None:
            return ""
        number, runs = self.attempt.shown + 1, len(self.attempt.tries)
        return self.attempt.trace.summary + (f" (run {number} of {runs})" if runs > 1 else "")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._html()}

    def _html(self) -> str:
        rows = [f"<strong>{html.escape(self.title)}</strong>"]
        rows += [_paragraph(*each) for each in self._paragraphs(before=True)]
        rows.append(self._picture())
        for each in self.judged:
            finding = f": {each.finding}" if each.finding else ""
            rows.append(f'<div style="{_STYLE}">{_MARKS[each.kept]} {_marked_up(each.asks + finding)}</div>')
        rows += [_paragraph(*each) for each in self._paragraphs(before=False)]
        return f"<div>{''.join(rows)}</div>"

    def _picture(self) -> str:
        if not self._run:
            return ""
        assert self.attempt is not None
        # as an image of its own, nothing in it can reach the page; the diagnosis would say more than the next hint does
        ways = self.attempt.ways
        picture = stacked_svg(stack(ways), title="Your run") if ways else svg(self.attempt.trace, findings=False)
        data = base64.b64encode(picture.encode()).decode()
        alt = html.escape(f"Timeline of your run: {self._run}", quote=True)
        return f'<img src="data:image/svg+xml;base64,{data}" alt="{alt}" style="max-width:100%">'


def _marked_up(text: str) -> str:
    """Text as HTML: escaped, and what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _paragraph(name: str, text: str) -> str:
    return f'<div style="margin:4px 0"><em>{html.escape(name)}:</em> {_marked_up(text)}</div>'
