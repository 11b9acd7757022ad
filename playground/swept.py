"""What came of a sweep: a row for each scenario, in the order of the grid, and how that reads as a table.

It knows parameters and figures by their names, and nothing of what was swept or where it ran.
"""

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Row", "Sweep"]


@dataclass(frozen=True)
class Row:
    """One scenario.

    Attributes:
        parameters: what it was called with.
        figures: what it returned, by name; empty if it failed.
        error: type and text of what it raised, and its line; empty if it did not fail.
    """

    parameters: Mapping[str, Any]
    figures: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


class Sweep:
    """What came of a sweep: a row for each scenario, in the order of the grid, shown as a table.

    Going through it gives its rows.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = tuple(rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Row:
        return self._rows[index]

    @property
    def failed(self) -> list[Row]:
        """The rows of scenarios that raised something."""
        return [row for row in self._rows if row.error]

    @property
    def columns(self) -> list[str]:
        """The names of all parameters, of all figures, and `error` if a scenario failed."""
        names = dict.fromkeys(name for row in self._rows for name in row.parameters)
        names |= dict.fromkeys(name for row in self._rows for name in row.figures)
        return [*names, *(["error"] if self.failed else [])]

    def to_rows(self) -> list[dict[str, Any]]:
        """Each row as a dict, as `pandas.DataFrame` takes them; what a scenario has no figure for is not in it."""
        return [{**row.parameters, **row.figures, **({"error": row.error} if row.error else {})} for row in self._rows]

    def __repr__(self) -> str:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"<Sweep: {len(self)} scenarios{failed}>"

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
        return "\n".join(line.rstrip() for line in lines)

    def _cells(self) -> list[list[str]]:
        """The table as text, the names of its columns first."""
        columns = self.columns
        return [columns, *([_text(row.get(name, "")) for name in columns] for row in self.to_rows())]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        head, *body = self._cells()
        rows = [_html_row("th", head), *(_html_row("td", row) for row in body)]
        return {"text/plain": str(self), "text/html": f"<table>{''.join(rows)}</table>"}


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return " ".join(str(value).split())


def _html_row(tag: str, cells: list[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
