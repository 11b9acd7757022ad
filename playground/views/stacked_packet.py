"""Ways to run the same jobs as bytes for the browser, which paints them with what paints a timeline.

A packet is a timeline's, whose lanes stand below headings: a heading's note is what its way did, that of any other row
is the way's name. It encodes what `stacked` laid out and decides nothing but which findings travel: those that are bad.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from playground.trace import Trace
from playground.trace.columns import pack
from playground.views.findings import Finding, Part
from playground.views.packet import LEVEL, encoded
from playground.views.stacked import TITLE, Stack

__all__ = ["packed"]


def packed(stacked: Stack, title: str = TITLE) -> bytes:
    """Pack recordings of jobs, laid out, for `playground/widgets/src`; `title` is shown above them."""
    whole = Trace(title=title, duration_ns=stacked.duration_ns)
    header, columns = encoded(whole, stacked.laid, _findings(stacked))
    rows = [{**row, "note": note} for row, note in zip(header["rows"], _notes(stacked), strict=True)]
    dropped = sum(way.trace.dropped for way in stacked.ways)
    findings = [{**each, "row": row} for each, row in zip(header["findings"], _places(stacked), strict=True)]
    told: dict[str, Any] = {"endings": [], "causes": [], "outcomes": []}
    header |= {"summary": stacked.summary, "rows": rows, "findings": findings, "dropped": dropped, "told": told}
    empty = columns["paths"][:0]
    return pack(header, {**columns, "details": empty, "texts": empty}, level=LEVEL)


def _notes(stacked: Stack) -> Iterator[str]:
    for way in stacked.ways:
        yield from [way.note] if len(stacked.ways) > 1 else []
        yield from (way.name for _ in way.rows)
    for way in stacked.ways:
        yield from (way.name for _ in way.lives)


def _places(stacked: Stack) -> Iterator[int]:
    """For each finding the lane to bring into sight, as an index: its first job's, else the first of its way."""
    at = jobs = 0
    for way in stacked.ways:
        first = at + (len(stacked.ways) > 1)
        for finding in way.broken:
            job = next((jobs + index for table, index in finding.evidence if table == "jobs"), -1)
            yield next((first + lane for lane, row in enumerate(way.rows) if job in row.requests), at)
        at, jobs = first + len(way.rows), jobs + len(way.trace.jobs)


def _findings(stacked: Stack) -> Iterator[Finding]:
    """What is broken, each with the way's name before it."""
    for way in stacked.ways:
        for finding in way.broken:
            name: tuple[Part, ...] = () if len(stacked.ways) == 1 else (("strong", f"{way.name}: "),)
            yield replace(finding, parts=(*name, *finding.parts))
