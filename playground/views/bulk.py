"""A field of all rows of a table: numbers, and what they stand for, whether a trace holds columns or rows.

A view that goes through a million rows asks for fields, since a row is made for whoever asks and costs a microsecond.
It knows tables and fields, and nothing of what they mean.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import sub
from typing import Any

from playground.trace import Trace
from playground.trace.table import Table, column
from playground.trace.tables import TABLES, WORDS, kind_of

__all__ = ["handed_over", "message_counts", "messages", "numbers", "values"]


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


def message_counts(trace: Trace) -> list[int]:
    """How many messages each request exchanged."""
    rows = trace.requests
    if not (isinstance(rows, Table) and rows.whole):
        return [len(request.messages) for request in rows]
    return list(map(sub, rows.columns["messages_until"], rows.columns["messages_from"]))


def messages(trace: Trace, count: int) -> Iterator[list[tuple[str, str, int, str]]]:
    """Direction, type, moment and detail of each message that each of the first `count` requests exchanged."""
    rows = trace.requests
    if not (isinstance(rows, Table) and rows.whole):
        for request in rows[:count]:
            yield [(each.direction, each.type, each.at_ns, each.detail) for each in request.messages]
        return
    columns, strings, words = rows.parts["messages"].columns, rows.names.strings, WORDS["Direction"]
    fields = (columns[field] for field in ("direction", "type", "at_ns", "detail"))
    ranges = zip(rows.columns["messages_from"], rows.columns["messages_until"], strict=True)
    stop = max(rows.columns["messages_until"][:count], default=0)
    all_of = list(islice(zip(*fields, strict=True), stop))
    for first, until in islice(ranges, count):
        yield [
            (words[way], strings[kind] or "", at_ns, strings[told] or "")
            for way, kind, at_ns, told in all_of[first:until]
        ]
