"""Rows of spans, as a test reads them."""

from playground.views.lanes import Lanes, Row
from tests.by_hand import MS

Span = tuple[float, float, int]


def spans(row: Row) -> list[Span]:
    """Spans as (start, end, kind), in milliseconds."""
    return [(s / MS, e / MS, kind) for s, e, kind in zip(row.starts, row.ends, row.kinds, strict=True)]


def names(laid: Lanes, row: Row) -> list[str]:
    return [laid.whats[what].name for what in row.whats]


def one(laid: Lanes, group: str) -> Row:
    (row,) = (row for row in laid.rows if row.group == group)
    return row
