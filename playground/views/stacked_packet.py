"""Ways to run the same jobs as bytes for the browser, which paints them with what paints a timeline.

A packet is a timeline's, whose lanes stand below headings: a heading's note is what its way did, that of any other row
is the way's name. It encodes what `stacked` laid out and decides nothing but which findings travel: those that are bad.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from playground.trace import Trace
from playground.trace.columns import pack
from playground.views.findings import Finding, Part
from playground.views.packet import LEVEL, encoded
from playground.views.stacked import TITLE, Stack, stack

__all__ = ["packed", "stacked_packet"]


def stacked_packet(traces: Mapping[str, Trace], title: str = TITLE) -> bytes:
    """Pack recordings of jobs, by their names, for `playground/widgets/src`; `title` is shown above them."""
    return packed(stack(traces), title)


def packed(stacked: Stack, title: str = TITLE) -> bytes:
    """The same, of what is laid out already."""
    whole = Trace(title=title, duration_ns=stacked.duration_ns)
    header, columns = encoded(whole, stacked.laid, _findings(stacked))
    rows = [{**row, "note": note} for row, note in zip(header["rows"], _notes(stacked), strict=True)]
    dropped = sum(way.trace.dropped for way in stacked.ways)
    told: dict[str, Any] = {"endings": [], "causes": [], "outcomes": []}
    header |= {"summary": stacked.summary, "rows": rows, "dropped": dropped, "told": told}
    empty = columns["paths"][:0]
    return pack(header, {**columns, "details": empty, "texts": empty}, level=LEVEL)


def _notes(stacked: Stack) -> Iterator[str]:
    for way in stacked.ways:
        yield from [way.note] if len(stacked.ways) > 1 else []
        yield from (way.name for _ in way.rows)
    for way in stacked.ways:
        yield from (way.name for _ in way.lives)


def _findings(stacked: Stack) -> Iterator[Finding]:
    """What is broken, each with the way's name before it."""
    for way in stacked.ways:
        for finding in way.broken:
            name: tuple[Part, ...] = () if len(stacked.ways) == 1 else (("strong", f"{way.name}: "),)
            yield replace(finding, parts=(*name, *finding.parts))
