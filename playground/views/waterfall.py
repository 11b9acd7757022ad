"""One request from top to bottom: what came in, the layers it passed through, the threads it used, what went out.

A pure function from a `Trace` and a request to lanes, to shares that add up to the request's duration, and to words;
and the same as bytes for the browser. It puts together what others decide: `spent` what each moment was spent on,
`waterfall_lanes` what is shown, `waterfall_shares` how it is summed up, `waterfall_words` how that reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from playground.errors import TraceError
from playground.trace import Request, Trace
from playground.trace.columns import pack
from playground.views.findings import Part, plain
from playground.views.segments import life
from playground.views.spent import STATES, spent
from playground.views.waterfall_lanes import Lane, lanes_of
from playground.views.waterfall_notes import notes
from playground.views.waterfall_shares import Share, sentence, shares_of
from playground.views.waterfall_words import COLOURS, LOOKS, SHAPES, Words, moment
from playground.views.wording import counted, duration, failure, one_line, request_label

__all__ = ["Sheet", "Waterfall", "packed", "part_words", "percent", "waterfall", "waterfall_packet"]

# A table of more messages is not read; their number is told.
_MOST_MESSAGES: Final = 200


class Sheet(NamedTuple):
    """A table: its caption, its head, and its rows of texts."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Waterfall:
    """What is shown of one request. Times are nanoseconds since it came in.

    Attributes:
        title: its number, method and route.
        summary: what it was answered and how long it took.
        failure: how it failed, as `wording.failure` says it, or empty.
        duration_ns: how long it took; so far, if it is not over.
        sentence: where the time went.
        shares: the same in full: they add up to `duration_ns`.
        lanes: what is drawn.
        scope: what is known of what was asked, in terms and texts.
        notes: what is not known, not shown, or to be read with care.
        sheets: the same as tables.
    """

    title: str
    summary: str
    failure: str
    duration_ns: int
    sentence: tuple[Part, ...]
    shares: list[Share]
    lanes: list[Lane]
    scope: list[tuple[str, str]]
    notes: list[str]
    sheets: list[Sheet]


def waterfall(trace: Trace, index: int) -> Waterfall:
    """Lay out one request.

    Args:
        index: its index in `trace.requests`; from the end, if it is negative.

    Raises:
        TraceError: there is no such request.
    """
    index = _checked(trace, index)
    request = trace.requests[index]
    start_ns, end_ns = life(trace, index)
    time = spent(trace, index)
    words = Words(trace, time, start_ns)
    shares = shares_of(time, words)
    drawn = lanes_of(trace, index, time, words, start_ns, end_ns)
    told = sentence(shares, end_ns - start_ns, is_over=request.end_ns is not None, virtual=trace.clock == "virtual")
    return Waterfall(
        title=f"#{request.number} {one_line(request_label(request))}",
        summary=_summary(request, end_ns - start_ns),
        failure=failure(request),
        duration_ns=end_ns - start_ns,
        sentence=told,
        shares=shares,
        lanes=drawn.lanes,
        scope=_scope(request),
        notes=[*notes(trace, request, time), *(f"Not drawn: {omitted}." for omitted in drawn.omitted)],
        sheets=_sheets(request, shares, drawn.lanes, start_ns, end_ns),
    )


def _checked(trace: Trace, index: int) -> int:
    try:
        return range(len(trace.requests))[index]
    except IndexError:
        raise TraceError(
            f"expected the index of one of {counted(len(trace.requests), 'request')}, got {index}: "
            "give one of trace.requests"
        ) from None


def _summary(request: Request, length_ns: int) -> str:
    answer = str(request.status) if request.status is not None else failure(request)
    if request.end_ns is None:
        return " · ".join(part for part in (answer, f"{duration(length_ns)} so far, not over") if part)
    return " · ".join(part for part in (answer, duration(length_ns)) if part)


def _scope(request: Request) -> list[tuple[str, str]]:
    scope = [("method", request.method), ("path", request.path)]
    unknown = "not told by the app" if request.end_ns is not None else "not known before the request is over"
    scope.append(("route", unknown if request.route is None else request.route))
    if request.method != "WEBSOCKET":
        scope.append(("status", "none sent" if request.status is None else str(request.status)))
    if request.error is not None:
        scope.append(("exception", request.error))
    scope.append(("came in", f"{duration(request.start_ns)} after the run began"))
    return scope


# -- the same as tables -----------------------------------------------------------------------------------------------


def _sheets(request: Request, shares: list[Share], lanes: list[Lane], start_ns: int, end_ns: int) -> list[Sheet]:
    length_ns = end_ns - start_ns
    spent_rows = [(part_words(share), percent(share.ns, length_ns), f"{share.ns:,}") for share in shares]
    sheets = [
        Sheet("Where the time went", ("spent", "share", "ns"), [*spent_rows, ("in all", "100%", f"{length_ns:,}")]),
        _layer_sheet(lanes),
        _call_sheet(lanes),
        _message_sheet(request, start_ns),
    ]
    return [sheet for sheet in sheets if sheet.rows]


def _layer_sheet(lanes: list[Lane]) -> Sheet:
    rows = [
        ("  " * (lane.depth - 1) + lane.name, lane.kind, moment(lane.start_ns), lane.aside)
        for lane in lanes
        if lane.group == "layer"
    ]
    return Sheet("Layers", ("layer", "kind", "entered", "time"), rows)


def _call_sheet(lanes: list[Lane]) -> Sheet:
    rows = [(lane.name, lane.kind, "; ".join(bar.words for bar in lane.bars)) for lane in lanes if lane.group == "call"]
    return Sheet("Calls in worker threads", ("function", "thread", "moments"), rows)


def _message_sheet(request: Request, start_ns: int) -> Sheet:
    messages = request.messages
    rows: list[Sequence[str]] = [
        (each.direction, each.type, each.detail, moment(each.at_ns - start_ns)) for each in messages[:_MOST_MESSAGES]
    ]
    if len(messages) > _MOST_MESSAGES:
        rows.append(("", f"{len(messages) - _MOST_MESSAGES:,} more", "", ""))
    return Sheet("ASGI messages", ("way", "type", "says", "when"), rows)


def part_words(share: Share) -> str:
    """A share's words as plain text, the first letter large."""
    words = plain(share.words)
    return words[:1].upper() + words[1:]


def percent(part_ns: int, all_ns: int) -> str:
    """A share in whole percent; of what is there but less than half of one, so much."""
    return "<1%" if 0 < part_ns * 200 < all_ns else f"{part_ns / max(1, all_ns):.0%}"


# -- bytes ------------------------------------------------------------------------------------------------------------


def waterfall_packet(trace: Trace, index: int) -> bytes:
    """Pack a request's waterfall for `playground/widgets/src/waterfall.js`; arguments and errors as of `waterfall`."""
    return packed(trace, waterfall(trace, index))


def packed(trace: Trace, fall: Waterfall) -> bytes:
    """The same, of a request of that trace that is laid out already."""
    return pack(_header(trace, fall), {})


def _header(trace: Trace, fall: Waterfall) -> Mapping[str, Any]:
    return {
        "view": "waterfall",
        "title": fall.title,
        "clock": trace.clock,
        "dropped": trace.dropped,
        "summary": fall.summary,
        "failure": fall.failure,
        "duration_ns": fall.duration_ns,
        "sentence": fall.sentence,
        "shares": [
            (STATES.index(share.state), share.words, duration(share.ns), percent(share.ns, fall.duration_ns), share.ns)
            for share in fall.shares
        ],
        "looks": [(look.words, colour, shape) for look, colour, shape in zip(LOOKS, COLOURS, SHAPES, strict=True)],
        "lanes": [
            (lane.group, lane.name, lane.kind, lane.depth, lane.start_ns, lane.end_ns, lane.aside, lane.bars)
            for lane in fall.lanes
        ],
        "scope": fall.scope,
        "notes": fall.notes,
        "sheets": fall.sheets,
    }
