"""`compare`: runs side by side, as the value of a cell, as text, as a picture or as a page.

It decides what may be compared and what each run is called; what differs is counted in `playground.views.compare`,
which is loaded when somebody looks.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from playground import files
from playground.errors import ComparisonError
from playground.run import Run
from playground.trace import Trace

if TYPE_CHECKING:
    from playground.views.compare import Compared
    from playground.widgets import Comparison

__all__ = ["SideBySide", "compare"]

_MOST: Final = 8
"""Runs that can be compared: beyond, nobody tells their marks apart."""


class SideBySide:
    """Runs side by side; shown as the value of a cell, and `str` of it is all of it as text.

    Attributes:
        traces: the recordings by their names, in order; the first is what the others are held against.
    """

    def __init__(self, traces: Mapping[str, Trace]) -> None:
        self.traces = dict(traces)

    @property
    def conclusion(self) -> str:
        """What differs, in one sentence that is counted from the requests which the runs have in common."""
        return self._compared.conclusion

    @property
    def notes(self) -> list[str]:
        """What one has to know to trust the conclusion: what is noise, what could not be compared and why."""
        return self._compared.notes

    def view(self) -> "Comparison":
        """The interactive comparison, as a widget."""
        from playground.widgets import Comparison

        return Comparison(self.traces)

    def to_svg(self, path: str | Path | None = None) -> str:
        """The comparison as a static SVG picture; also written to `path` if one is given."""
        from playground.views.comparison_svg import svg

        text = svg(self._compared)
        if path is not None:
            files.write_text(path, text)
        return text

    def to_html(self, path: str | Path) -> None:
        """Write the interactive comparison as one HTML file that needs no network."""
        from playground.widgets.page import comparison_page

        files.write_text(path, comparison_page(self.traces))

    def __repr__(self) -> str:
        return f"<SideBySide of {', '.join(self.traces)}>"

    def __str__(self) -> str:
        from playground.views.comparison import text

        return text(self._compared)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from playground.widgets.display import comparison_mimebundle

        return comparison_mimebundle(self.traces)

    @cached_property
    def _compared(self) -> "Compared":
        from playground.views.compare import Compared

        return Compared(self.traces)


def compare(*runs: "Run | Trace | Mapping[str, Run | Trace]", **named: "Run | Trace") -> SideBySide:
    """Set runs side by side: their event loops and worker threads on one axis, their requests in pairs.

    The first run is what the others are held against. Requests are paired by their numbers.

    Args:
        runs: two to eight runs or recordings, each called by its title; or one mapping from names to them.
        named: more of them, called by the keyword: `compare(before=a, after=b)`.

    Raises:
        ComparisonError: fewer than two runs, more than eight, something that is none, or ways to run jobs, which have
            no requests to pair.
    """
    given: list[tuple[str, object]] = []
    for run in runs:
        given += list(run.items()) if isinstance(run, Mapping) else [(getattr(run, "title", ""), run)]
    given += named.items()
    if not 2 <= len(given) <= _MOST:
        raise ComparisonError(
            f"expected two to eight runs to compare, got {len(given)}: give them one by one, as in "
            "compare(before, after), or as a mapping from names to runs"
        )
    traces: dict[str, Trace] = {}
    for name, one in given:
        traces[_unused(str(name), traces)] = _trace(one)
    _refuse_jobs(traces)
    return SideBySide(traces)


def _trace(run: object) -> Trace:
    if isinstance(run, Run):
        return run.trace
    if isinstance(run, Trace):
        return run
    raise ComparisonError(
        f"expected runs or recordings to compare, got an object of type {type(run).__name__}: give what lab.burst, "
        "lab.load, lab.run, watch or Trace.load returned"
    )


def _refuse_jobs(traces: Mapping[str, Trace]) -> None:
    names = [name for name, trace in traces.items() if trace.jobs]
    if names:
        ways = ", ".join(f"{name!r}: ..." for name in names[:2])
        raise ComparisonError(
            f"expected runs with requests to compare, got jobs of a workload in {names[0]!r}: show the experiment "
            "itself, which sets its models below one another on one axis; for runs of several experiments, "
            f"playground.widgets.Stacked({{{ways}}}) does so with their traces"
        )


def _unused(name: str, taken: Mapping[str, Trace]) -> str:
    """The name, with a number where another run bears it already."""
    unused, number = name, 2
    while unused in taken:
        unused, number = f"{name} ({number})", number + 1
    return unused
