"""A field of all rows of a table: numbers, and what they stand for, whether a trace holds columns or rows.

A view that goes through a million rows asks for fields, since a row is made for whoever asks and costs a microsecond.
It knows tables and fields, and nothing of what they mean.
"""

from collections.abc import Sequence
from typing import Any

from playground.trace import Trace
from playground.trace.table import Table, column
from playground.trace.tables import TABLES, kind_of

__all__ = ["handed_over", "numbers", "values"]


def numbers(trace: Trace, table: str, field: str) -> Sequence[int]:
    """A field that is a number, a word or a pointer to a row: see `playground.trace.table.column`."""
    return column(getattr(trace, table), table, field)


def values(trace: Trace, table: str, field: str) -> tuple[Sequence[int], Sequence[Any]]:
    """A field that is a string or a site: for each row a place in the list that comes second."""
    rows = getattr(trace, table)
    if isinstance(rows, Table) and rows.whole:
        is_site = kind_of(TABLES[table][field])[0] == "site"
        return rows.columns[field], rows.names.sites if is_site else rows.names.strings
    known: dict[Any, int] = {}
    places = [known.setdefault(getattr(row, field), len(known)) for row in rows]
    return places, list(known)


def handed_over(trace: Trace) -> dict[int, int]:
    """For each hand-off that was made for a request, the index of that request."""
    rows = trace.requests
    if not (isinstance(rows, Table) and rows.whole):
        return {call: index for index, request in enumerate(rows) for call in request.handoffs}
    calls = rows.parts["made"].columns["handoff"]
    ranges = zip(rows.columns["handoffs_from"], rows.columns["handoffs_until"], strict=True)
    return {calls[at] - 1: index for index, (first, stop) in enumerate(ranges) for at in range(first, stop)}
