"""The timeline as bytes for the browser: columns of spans and arrows behind a header of names and findings.

It encodes what `lanes` laid out and `diagnosis` found, and decides nothing about either. Times travel in ticks: for
each span the gap since the one before it in its row, and its length, as u4. So the columns deflate well (where spans
touch, there is no gap) and a page reads them without 64-bit integers. Pointers are as wide as they need be; that of no
request is all ones. What is told of each request is columns too, and its path is in `paths`, a list in JSON, in ASCII.
The wire itself is `playground.trace.columns`.
"""

import json
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from operator import floordiv, sub
from typing import Any, Final

from playground.collecting import without_collecting
from playground.trace import Trace
from playground.trace.columns import pack
from playground.views.details import details
from playground.views.diagnosis import Finding, diagnose
from playground.views.lanes import Arrows, Lanes, RequestFacts, lanes
from playground.views.wording import summary

__all__ = ["LEVEL", "encoded", "packet"]

_U4_LIMIT: Final = 1 << 32

# zlib's level: of a run of 1e6 spans, 1 makes 4.1 bytes a span in 0.13 s, 3 makes 3.8 in 0.21 s
LEVEL: Final = 1


def packet(trace: Trace, *, instead: str = "") -> bytes:
    """Pack a recording's timeline, diagnosis included, for `playground/widgets/src`.

    Args:
        trace: the recording.
        instead: words to show in the place of its lanes and its summary, because there was no run.
    """
    with without_collecting():
        laid = lanes(trace)
        header, columns = encoded(trace, laid, diagnose(trace))
        told, behind = details(trace, laid)
        if instead:
            told = {**told, "summary": instead, "nothing": True}
        return pack({**header, **told}, {**columns, **behind}, level=LEVEL)


def encoded(trace: Trace, laid: Lanes, findings: Iterable[Finding]) -> "tuple[dict[str, Any], dict[str, array[int]]]":
    """The header and the columns of a timeline that shows these rows, for a packet that may hold several."""
    tick_ns = _tick_ns(_last_ns(laid))
    told, requests = _requests(laid.requests)
    columns = {**_span_columns(laid, tick_ns), **_arrow_columns(laid.arrows, tick_ns), **requests}
    return {**_header(trace, laid, findings, tick_ns), "requests": told}, columns


def _header(trace: Trace, laid: Lanes, findings: Iterable[Finding], tick_ns: int) -> dict[str, Any]:
    offsets = [0]
    for row in laid.rows:
        offsets.append(offsets[-1] + len(row))
    return {
        "view": "timeline",
        "title": trace.title,
        "clock": trace.clock,
        "duration_ns": trace.duration_ns,
        "tick_ns": tick_ns,
        "dropped": trace.dropped,
        "summary": summary(trace),
        "kinds": [(kind.words, kind.told) for kind in laid.kinds],
        "failed": laid.failed_words,
        "noun": laid.noun,
        "heading": laid.heading,
        "rows": [{"group": row.group, "lane": row.lane, "name": row.name} for row in laid.rows],
        "offsets": offsets,
        "whats": laid.whats,
        "findings": [_finding(finding) for finding in findings],
    }


def _finding(finding: Finding) -> Mapping[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "parts": finding.parts,
        "start_ns": finding.start_ns,
        "end_ns": finding.end_ns,
    }


def _last_ns(laid: Lanes) -> int:
    """The last moment that must fit into a u4 of ticks: the run's end, or a row's where that is later."""
    ends = (row.ends[-1] for row in laid.rows if row.ends)
    return max(chain([laid.duration_ns], ends, laid.arrows.ends), default=0)


def _tick_ns(last_ns: int) -> int:
    tick_ns = 1
    while last_ns // tick_ns >= _U4_LIMIT:
        tick_ns *= 10
    return tick_ns


def _requests(requests: Sequence[RequestFacts]) -> "tuple[Mapping[str, Any], dict[str, array[int]]]":
    """What is told of each: in columns what all have, by name what few have."""
    labels = {request.label: None for request in requests}
    statuses = {request.status: None for request in requests}
    label_of, status_of = ({known: place for place, known in enumerate(each)} for each in (labels, statuses))
    failures = [(place, each.error, each.failure) for place, each in enumerate(requests) if each.error or each.failure]
    paths = json.dumps([request.path for request in requests], separators=(",", ":")) if requests else ""
    columns = {
        # numbers count up from the first that the recorder kept: what is beyond the place is often 0
        "request_number": _narrow(
            array("I", [(each.number - place) % _U4_LIMIT for place, each in enumerate(requests)])
        ),
        "request_label": _narrow(array("I", [label_of[request.label] for request in requests])),
        "request_status": _narrow(array("I", [status_of[request.status] for request in requests])),
        "paths": array("B", paths.encode("ascii")),
    }
    return {"labels": list(labels), "statuses": list(statuses), "failures": failures}, columns


def _span_columns(laid: Lanes, tick_ns: int) -> "dict[str, array[int]]":
    gaps, durations = array("I"), array("I")
    kinds, whats, requests = array("B"), array("I"), array("I")
    for row in laid.rows:
        starts: Sequence[int] = row.starts
        ends: Sequence[int] = row.ends
        if tick_ns > 1:  # both are rounded down, so that no two spans overlap
            starts, ends = (list(map(floordiv, moments, repeat(tick_ns))) for moments in (starts, ends))
        gaps.extend(map(sub, starts, chain((0,), ends)))
        durations.extend(map(sub, ends, starts))
        kinds.extend(row.kinds)
        whats.extend(row.whats)
        requests.extend(row.requests)
    return {
        "gap": gaps,
        "duration": durations,
        "kind": kinds,
        "what": _narrow(whats, len(laid.whats)),
        "request": _narrow(requests, len(laid.requests) + 1),
    }


def _narrow(column: "array[int]", count: int | None = None) -> "array[int]":
    """A column of u4 in the smallest type that holds so many values; all ones stay all ones."""
    most = count if count is not None else max(column, default=0) + 1
    code, width = ("B", 1) if most <= 1 << 8 else ("H", 2) if most <= 1 << 16 else ("I", 4)
    if width == column.itemsize:
        return column
    wide, narrow = column.tobytes(), bytearray(width * len(column))
    for byte in range(width):  # of each value the lowest bytes
        lowest = byte if sys.byteorder == "little" else byte - width
        narrow[byte::width] = wide[lowest % column.itemsize :: column.itemsize]
    return array(code, bytes(narrow))


def _arrow_columns(arrows: Arrows, tick_ns: int) -> "dict[str, array[int]]":
    return {
        "arrow_start": array("I", [moment // tick_ns for moment in arrows.starts]),
        "arrow_end": array("I", [moment // tick_ns for moment in arrows.ends]),
        "arrow_from": _narrow(array("I", arrows.from_rows)),
        "arrow_to": _narrow(array("I", arrows.to_rows)),
        "arrow_request": array("I", arrows.requests),
        "arrow_back": array("B", arrows.backs),
    }
