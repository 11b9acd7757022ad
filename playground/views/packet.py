"""The timeline as bytes for the browser: columns of spans and arrows behind a header of names and findings.

It encodes what `lanes` laid out and `diagnosis` found, and decides nothing about either. Times travel in
ticks, as u4 differences from span to span, so that the columns deflate well and a page reads them without
64-bit integers. The wire itself is `playground.trace.columns`.
"""

from array import array
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final

from playground.trace import Trace
from playground.trace.columns import pack
from playground.views.details import details
from playground.views.diagnosis import Finding, diagnose
from playground.views.lanes import Arrows, Lanes, Row, lanes
from playground.views.wording import FAILED_WORDS, summary

__all__ = ["LEVEL", "encoded", "packet"]

_U2_LIMIT: Final = 1 << 16
_U4_LIMIT: Final = 1 << 32

# zlib's level: on a run of 1.1e5 spans, 6 takes twice as long as 3 (64 ms, 31 ms) and saves 3 % of the bytes
LEVEL: Final = 3


def packet(trace: Trace) -> bytes:
    """Pack a recording's timeline, diagnosis included, for `playground/widgets/src`."""
    laid = lanes(trace)
    header, columns = encoded(trace, laid, diagnose(trace))
    told, behind = details(trace, laid)
    return pack({**header, **told}, {**columns, **behind}, level=LEVEL)


def encoded(trace: Trace, laid: Lanes, findings: Iterable[Finding]) -> "tuple[dict[str, Any], dict[str, array[int]]]":
    """The header and the columns of a timeline that shows these rows, for a packet that may hold several."""
    tick_ns = _tick_ns(_last_ns(laid))
    columns = {**_span_columns(laid, tick_ns), **_arrow_columns(laid.arrows, tick_ns)}
    return _header(trace, laid, findings, tick_ns), columns


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
        "failed": FAILED_WORDS,
        "rows": [{"group": row.group, "lane": row.lane, "name": row.name} for row in laid.rows],
        "offsets": offsets,
        "whats": laid.whats,
        "requests": laid.requests,
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


def _span_columns(laid: Lanes, tick_ns: int) -> "dict[str, array[int]]":
    starts, durations = array("I"), array("I")
    for row in laid.rows:
        row_starts, row_durations = _ticks(row, tick_ns)
        starts.extend(row_starts)
        durations.extend(row_durations)
    what_type = "H" if len(laid.whats) <= _U2_LIMIT else "I"
    return {
        "start": starts,
        "duration": durations,
        "kind": _joined("B", (row.kinds for row in laid.rows)),
        "what": _joined(what_type, (row.whats for row in laid.rows)),
        "request": _joined("I", (row.requests for row in laid.rows)),
    }


def _ticks(row: Row, tick_ns: int) -> "tuple[list[int], list[int]]":
    """Starts as differences, and durations; both ends are rounded down, so that no two spans overlap."""
    starts, ends = row.starts.tolist(), row.ends.tolist()
    if tick_ns > 1:
        starts = [start // tick_ns for start in starts]
        ends = [end // tick_ns for end in ends]
    deltas = [start - before for start, before in zip(starts, [0, *starts], strict=False)]
    return deltas, [end - start for start, end in zip(starts, ends, strict=True)]


def _joined(typecode: str, columns: "Iterable[array[int]]") -> "array[int]":
    joined: array[int] = array(typecode)
    for column in columns:
        joined.extend(column.tolist())
    return joined


def _arrow_columns(arrows: Arrows, tick_ns: int) -> "dict[str, array[int]]":
    return {
        "arrow_start": array("I", [moment // tick_ns for moment in arrows.starts]),
        "arrow_end": array("I", [moment // tick_ns for moment in arrows.ends]),
        "arrow_from": array("H", arrows.from_rows),
        "arrow_to": array("H", arrows.to_rows),
        "arrow_request": array("I", arrows.requests),
        "arrow_back": array("B", arrows.backs),
    }
