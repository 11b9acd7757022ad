"""The lanes of a waterfall: what came in, the layers one within the other, calls in threads, what went out.

It decides what gets a lane and what lies in it, and keeps both within what a page bears and an eye follows; what is
left out is counted. Times are nanoseconds since the request came in.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal, NamedTuple

from playground.trace import Handoff, Message, Trace
from playground.views.spent import STATES, Piece, Spent, moments
from playground.views.waterfall_words import LOOKS, MESSAGE, WORKER, Words, message_words, moment
from playground.views.wording import counted, duration, request_label

__all__ = ["Bar", "Lane", "lanes_of"]

Group = Literal["receive", "request", "layer", "call", "send"]

# What fits on a screen: an app of a dozen middlewares, and the calls of a handler that uses threads a lot.
_MOST_LAYERS: Final = 24
_MOST_CALLS: Final = 12
# A lane is a few hundred pixels wide: more bars than this would each be less than two of them.
_MOST_BARS: Final = 300
# Where there are more, short ones of each of so many stretches are drawn together: about three states in ten pixels.
_STRETCHES: Final = 80
# Messages nearer than this part of the request's time would hide each other's marks, 12 pixels wide.
_MARKS: Final = 50
# Of messages that share a mark, so many are listed.
_LISTED: Final = 20


class Bar(NamedTuple):
    """A stretch in a lane: how it looks is an index into `LOOKS`; `lines` are the messages that share a mark."""

    start_ns: int
    end_ns: int
    look: int
    words: str
    lines: Sequence[str] = ()


@dataclass(slots=True)
class Lane:
    """One lane.

    Attributes:
        group: what kind of lane it is.
        name: what it is called; for a layer, by the app.
        kind: what a layer is; whose thread ran a call; empty for the rest.
        depth: of a layer, how many are around it.
        start_ns, end_ns: from when to when it lasted.
        aside: how long that was; of a layer that holds others, its way in and its way out.
        bars: what lies in it, in order.
    """

    group: Group
    name: str
    kind: str
    depth: int
    start_ns: int
    end_ns: int
    aside: str
    bars: list[Bar] = field(default_factory=list)


class Drawn(NamedTuple):
    """The lanes in drawing order, and what is not among them, in words."""

    lanes: list[Lane]
    omitted: list[str]


def lanes_of(trace: Trace, index: int, spent: Spent, words: Words, start_ns: int, end_ns: int) -> Drawn:
    """The lanes of a request; `start_ns` and `end_ns` are its life, in the run's time."""
    layers, omitted = _layers(trace, index, spent, words, start_ns, end_ns)
    calls, more = _calls(trace, index, start_ns, end_ns)
    received, sent = (_messages(trace, index, way, start_ns, end_ns) for way in ("receive", "send"))
    return Drawn([received, *layers, *calls, sent], [*omitted, *more])


# -- layers -------------------------------------------------------------------------------------------------------


def _layers(
    trace: Trace, index: int, spent: Spent, words: Words, start_ns: int, end_ns: int
) -> tuple[list[Lane], list[str]]:
    pieces: dict[int | None, list[Piece]] = defaultdict(list)
    drawn = _drawn_layers(spent)
    for piece in sorted((*spent.pieces, *spent.ticks), key=lambda piece: piece[:2]):
        pieces[_nearest(spent, piece.span, drawn)].append(piece)
    length_ns = end_ns - start_ns
    whole = Lane("request", request_label(trace.requests[index]), "", 0, 0, length_ns, duration(length_ns))
    whole.bars = _bars(pieces[None], words, start_ns, length_ns)
    lanes = [whole]
    inner = in_and_out(spent)
    for at in sorted(drawn):
        span = spent.layers.spans[at]
        until_ns = min(end_ns, end_ns if span.end_ns is None else span.end_ns)
        aside = duration(max(0, until_ns - span.start_ns))
        if at in inner and inner[at][1] is not None:
            aside = f"in {duration(inner[at][0])}, out {duration(inner[at][1] or 0)}"
        elif at in inner:
            aside = f"in {duration(inner[at][0])}"
        since_ns = max(0, span.start_ns - start_ns)
        depth = spent.layers.depth[at] + 1
        lane = Lane("layer", span.name, span.kind, depth, since_ns, max(since_ns, until_ns - start_ns), aside)
        lane.bars = _bars(pieces[at], words, start_ns, length_ns)
        lanes.append(lane)
    left = len(spent.layers.spans) - len(drawn)
    omitted = [f"{counted(left, 'more layer')} (their time is in the lane of the one around them)"] if left else []
    if most := max((len(held) for held in pieces.values() if len(held) > _MOST_BARS), default=0):
        omitted.append(f"each of the {most:,} pieces of a lane by itself; those near each other are drawn together")
    return lanes, omitted


def in_and_out(spent: Spent) -> dict[int, tuple[int, int | None]]:
    """For each layer that holds others, by its index: from its start to the first of them, and from the end of the
    last to its own; `None` for what was not over."""
    held: dict[int, list[int]] = defaultdict(list)
    spans = spent.layers.spans
    for at, span in spans.items():
        if span.parent in spans:
            held[span.parent].append(at)
    found: dict[int, tuple[int, int | None]] = {}
    for at, inner in held.items():
        ends = [spans[each].end_ns for each in inner]
        last_ns = max((end_ns for end_ns in ends if end_ns is not None), default=None)
        end_ns = spans[at].end_ns
        out_ns = None if last_ns is None or end_ns is None or None in ends else max(0, end_ns - last_ns)
        found[at] = max(0, spans[inner[0]].start_ns - spans[at].start_ns), out_ns
    return found


def _drawn_layers(spent: Spent) -> set[int]:
    """The layers that get a lane: those in which most of the time was spent; then the outer before the inner."""
    time_ns: dict[int | None, int] = defaultdict(int)
    for piece in spent.pieces:
        time_ns[piece.span] += piece.end_ns - piece.start_ns
    ranked = sorted(spent.layers.spans, key=lambda at: (-time_ns[at], spent.layers.depth[at], at))
    return set(ranked[:_MOST_LAYERS])


def _nearest(spent: Spent, span: int | None, drawn: set[int]) -> int | None:
    """A layer, or the nearest around it that has a lane; `None` for the request's own."""
    while span is not None and span not in drawn:
        span = spent.layers.spans[span].parent if span in spent.layers.spans else None
    return span


def _bars(pieces: Sequence[Piece], words: Words, start_ns: int, length_ns: int) -> list[Bar]:
    if len(pieces) <= _MOST_BARS:
        return [_bar(piece, words, start_ns) for piece in pieces]
    width_ns = max(1, length_ns // _STRETCHES)

    def kin(piece: Piece) -> object:
        """What is drawn together: the short pieces of a stretch of time."""
        return piece if piece.end_ns - piece.start_ns >= width_ns else (piece.start_ns - start_ns) // width_ns

    groups = [list(run) for _, run in groupby(pieces, key=kin)]
    return [bar for group in groups for bar in _gathered(group, words, start_ns)]


def _bar(piece: Piece, words: Words, start_ns: int) -> Bar:
    look = STATES.index(piece.state)
    return Bar(piece.start_ns - start_ns, piece.end_ns - start_ns, look, words.bar(piece))


def _gathered(pieces: Sequence[Piece], words: Words, start_ns: int) -> Iterator[Bar]:
    """A bar for each state of some pieces, as long as those are together, one after the other."""
    if len(pieces) == 1:
        yield _bar(pieces[0], words, start_ns)
        return
    at_ns, whole = pieces[0].start_ns - start_ns, duration(pieces[-1].end_ns - pieces[0].start_ns)
    where = moment(at_ns)
    for state in sorted({piece.state for piece in pieces}, key=STATES.index):
        lengths_ns = [piece.end_ns - piece.start_ns for piece in pieces if piece.state == state]
        look = STATES.index(state)
        length = f"{duration(sum(lengths_ns))} in {counted(len(lengths_ns), 'piece')} within {whole}"
        yield Bar(at_ns, at_ns + sum(lengths_ns), look, f"{LOOKS[look].told}, {length}, {where}")
        at_ns += sum(lengths_ns)


# -- calls and messages -------------------------------------------------------------------------------------------


def _calls(trace: Trace, index: int, start_ns: int, end_ns: int) -> tuple[list[Lane], list[str]]:
    calls = [trace.handoffs[at] for at in trace.requests[index].handoffs]
    longest = sorted(range(len(calls)), key=lambda at: calls[at].submitted_ns - _end_ns(trace, calls[at]))
    lanes = [_call(trace, calls[at], start_ns, end_ns) for at in sorted(longest[:_MOST_CALLS])]
    left = len(calls) - len(lanes)
    return lanes, [f"{counted(left, 'more call')} in worker threads, shorter than these"] if left else []


def _end_ns(trace: Trace, call: Handoff) -> int:
    return trace.duration_ns if call.ended_ns is None else call.ended_ns if call.woken_ns is None else call.woken_ns


def _call(trace: Trace, call: Handoff, start_ns: int, end_ns: int) -> Lane:
    """A call in a thread: queued, running there, waiting to be woken. It may outlast its request, and is cut there."""
    bars = []
    for state, from_ns, to_ns in moments(trace, call):
        look = WORKER if state == "thread" else STATES.index(state)
        told = f"{LOOKS[look].told}, {duration(to_ns - from_ns)}, {moment(from_ns - start_ns)}"
        since_ns, until_ns = (min(max(at_ns, start_ns), end_ns) - start_ns for at_ns in (from_ns, to_ns))
        bars.append(Bar(since_ns, until_ns, look, told))
    thread = "no thread yet" if call.thread is None else f"worker-{call.thread}"
    ran = [to_ns - from_ns for state, from_ns, to_ns in moments(trace, call) if state == "thread"]
    aside = duration(ran[0]) if ran else "not begun"
    return Lane("call", call.function, thread, 0, bars[0].start_ns, bars[-1].end_ns, aside, bars)


def _messages(trace: Trace, index: int, way: Literal["receive", "send"], start_ns: int, end_ns: int) -> Lane:
    messages = [message for message in trace.requests[index].messages if message.direction == way]
    lane = Lane(way, way, "", 0, 0, end_ns - start_ns, counted(len(messages), "message"))
    for near in _near(messages, (end_ns - start_ns) // _MARKS):
        words, lines = message_words(near, start_ns, _LISTED)
        since_ns, until_ns = (min(max(near[at].at_ns, start_ns), end_ns) - start_ns for at in (0, -1))
        lane.bars.append(Bar(since_ns, until_ns, MESSAGE, words, lines))
    return lane


def _near(messages: Iterable[Message], apart_ns: int) -> Iterator[list[Message]]:
    """Messages in groups that last no longer than that."""
    group: list[Message] = []
    for message in messages:
        if group and message.at_ns - group[0].at_ns > apart_ns:
            yield group
            group = []
        group.append(message)
    if group:
        yield group
