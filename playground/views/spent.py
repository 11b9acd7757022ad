"""Where a request's time went: its life cut into pieces, each with the one thing that is said of that moment.

The pieces follow one another without a gap, so they add up to the request's duration to the nanosecond. Where several
tasks, or a task and a thread, were at work for it at one moment, the piece tells what comes first in `STATES`: what
ran, then what a thread did, then what was ready, then what was waited for. What the recording does not tell is a piece
too, and says so. It knows rows and moments; words and pictures are for those who draw.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import chain, pairwise
from typing import Final, Literal, NamedTuple

from playground.trace import Block, Handoff, Request, Site, SpanKind, Trace, WaitOn
from playground.trace.table import column
from playground.views.held import held_steps
from playground.views.layers import Layers
from playground.views.segments import Owners, life, owners_of

__all__ = ["STATES", "Piece", "Spent", "State", "moments", "spent"]

# fmt: off
State = Literal[
    "blocked", "run", "frame", "thread", "to thread", "held up", "woken", "ready",
    "timer", "io", "lock", "for thread", "queue", "event", "future", "task", "unknown",
]
# fmt: on

STATES: Final[tuple[State, ...]] = (
    "blocked",  # a step of its own held the loop for too long
    "run",
    "frame",  # the same, in middleware and routing
    "thread",
    "to thread",  # a call queues for a thread
    "held up",  # ready, or its thread done, while a step that is not its own held the loop for too long
    "woken",  # its thread is done, and the loop has not come to it yet
    "ready",
    "timer",
    "io",
    "lock",
    "for thread",  # and for which call is not known
    "queue",
    "event",
    "future",
    "task",
    "unknown",
)

_FRAME_KINDS: Final[frozenset[SpanKind]] = frozenset(("middleware", "routing"))
# What is waited for tells the more the less it is another's doing: these four are told only where nothing else is, and
# among them the deepest in the app's layers comes first.
_INDIRECT: Final = frozenset(("queue", "event", "future", "task"))
_WAIT_STATE: Final[dict[WaitOn, State]] = {
    "timer": "timer",
    "io": "io",
    "lock": "lock",
    "queue": "queue",
    "event": "event",
    "thread": "for thread",
    "task": "task",
    "future": "future",
}
_LONG_NS: Final = 10_000_000
"""Of a step that held the loop, what is no shorter is told as holding it: the least that `held` counts."""
_PLACE: Final = {state: place for place, state in enumerate(STATES)}


class Piece(NamedTuple):
    """A stretch of a request's life in which one thing is said of it.

    Attributes:
        start_ns, end_ns: from when to when, in nanoseconds of the run; a tick is of no length.
        state: what is said.
        span: the layer that it was in, an index into `trace.spans`; `None` outside of all, or where none is known.
        row: what else it is about: of `held up` and `blocked` the step that held the loop, of `thread`, `to thread`
            and `woken` the hand-off, as an index into its table.
        site: the line at which its task stood, where that is known; of what ran, the line up to which it did.
    """

    start_ns: int
    end_ns: int
    state: State
    span: int | None = None
    row: int | None = None
    site: Site | None = None


class Spent(NamedTuple):
    """A request's time.

    Attributes:
        pieces: its life from start to end, without a gap; empty if that is of no length.
        ticks: what ran for it and took no time, as everything in virtual time does that only computes.
        tasks: those that worked for it, as indexes into `trace.tasks`.
        layers: the spans that it passed through.
        owners: which request each task worked for.
        holds: steps of others that held the loop for too long within its life, in order.
    """

    pieces: list[Piece]
    ticks: list[Piece]
    tasks: list[int]
    layers: Layers
    owners: Owners
    holds: list[Block]


def spent(trace: Trace, index: int) -> Spent:
    """Where the time of a request went; `index` indexes `trace.requests`."""
    start_ns, end_ns = life(trace, index)
    owners = owners_of(trace)
    tasks = _tasks(trace, index, owners)
    layers = Layers(trace, index, tasks)
    held = held_steps(trace)
    own = set(tasks)
    holds = [block for block in held.values() if block.task not in own and _within(block, start_ns, end_ns)]
    holds.sort(key=lambda block: block.start_ns)
    told = [*_told(trace, tasks, held, start_ns, end_ns), *_calls(trace, trace.requests[index])]
    clipped = list(_clipped(_cut(told, layers), start_ns, end_ns))
    pieces = list(_joined(_under(_first(clipped, layers, start_ns, end_ns), holds)))
    ticks = [each.piece for each in clipped if each.piece.start_ns == each.piece.end_ns and _ran(each.piece)]
    ticks.sort(key=lambda piece: piece.start_ns)
    return Spent(pieces, ticks, tasks, layers, owners, holds)


def _ran(piece: Piece) -> bool:
    return piece.state in ("run", "frame", "blocked")


def _within(block: Block, start_ns: int, end_ns: int) -> bool:
    return block.start_ns < end_ns and block.end_ns > start_ns


def _tasks(trace: Trace, index: int, owners: Owners) -> list[int]:
    """The tasks that worked for a request, parents before their children."""
    request = trace.requests[index]
    if request.task is None:
        return []
    tasks = [request.task]
    # of several requests in one task (a test client's) each has the tasks that were made while it was in progress
    calls = enumerate(column(trace.requests, "requests", "task"))
    shared = {at for at, pointer in calls if pointer == request.task + 1}
    for task, owner in trace.request_of.items():
        if task != request.task and owner in shared:
            made_ns = trace.tasks[task].created_ns
            if owners.at(task, made_ns, made_ns) == index:
                tasks.append(task)
    return sorted(tasks)


# -- what the rows tell -------------------------------------------------------------------------------------------


class _Told(NamedTuple):
    """What one row tells of one task: see `Piece`."""

    piece: Piece
    task: int | None


def _told(trace: Trace, tasks: Sequence[int], held: dict[int, Block], start_ns: int, end_ns: int) -> Iterator[_Told]:
    for task in tasks:
        steps = trace.steps_of.get(task, [])
        first = bisect_left(steps, start_ns, key=lambda at: trace.steps[at].end_ns)
        last = bisect_right(steps, end_ns, key=lambda at: trace.steps[at].start_ns)
        for at in steps[first:last]:
            step, block = trace.steps[at], held.get(at)
            if block is None:
                yield _Told(Piece(step.start_ns, step.end_ns, "run", site=step.site), task)
            else:
                seen = block.site if block.samples else None
                yield _Told(Piece(step.start_ns, step.end_ns, "blocked", None, at, seen), task)
        for since_ns, until_ns in trace.ready_spans(task):
            yield _Told(Piece(since_ns, until_ns, "ready"), task)
        for at in trace.waits_of.get(task, ()):
            wait = trace.waits[at]
            yield _Told(Piece(wait.start_ns, wait.end_ns, _WAIT_STATE[wait.on], site=wait.site), task)


def _calls(trace: Trace, request: Request) -> Iterator[_Told]:
    """The moments of the calls that were handed to threads."""
    for at in request.handoffs:
        call = trace.handoffs[at]
        for state, start_ns, end_ns in moments(trace, call):
            yield _Told(Piece(start_ns, end_ns, state, None, at, call.site), call.task)


def moments(trace: Trace, call: Handoff) -> Iterator[tuple[State, int, int]]:
    """What became of a call that was handed to a thread, from when to when: queued, run, waited to be woken."""
    end_ns = trace.duration_ns
    yield "to thread", call.submitted_ns - call.limiter_wait_ns, _or(call.started_ns, end_ns)
    if call.started_ns is not None:
        yield "thread", call.started_ns, _or(call.ended_ns, end_ns)
    if call.ended_ns is not None and call.woken_ns is not None:
        yield "woken", call.ended_ns, call.woken_ns


def _or(moment_ns: int | None, end_ns: int) -> int:
    return end_ns if moment_ns is None else moment_ns


def _cut(told: Iterable[_Told], layers: Layers) -> Iterator[_Told]:
    """The same, each cut where its task goes from one layer into another."""
    for piece, task in told:
        cuts = list(layers.pieces(task, piece.start_ns, max(piece.start_ns, piece.end_ns)))
        # of a step that held the loop, the layers that it passed through on its way held nothing
        most_ns = max(end_ns - start_ns for start_ns, end_ns, _ in cuts)
        for place, (start_ns, end_ns, span) in enumerate(cuts, 1):
            state, row, site = piece.state, piece.row, piece.site
            if state == "run" and place < len(cuts):
                site = None  # it stopped in the last of them
            if state == "blocked" and end_ns - start_ns < min(most_ns, _LONG_NS):
                state, row, site = "run", None, None
            if state == "run" and (layers.spans if span is None else layers.spans[span].kind in _FRAME_KINDS):
                state = "frame"  # with layers, what is outside of all of them is the server's or the transport's
            yield _Told(Piece(start_ns, end_ns, state, span, row, site), task)


def _clipped(told: Iterable[_Told], start_ns: int, end_ns: int) -> Iterator[_Told]:
    """What lies within a request's life; what has no length is within on both edges."""
    for piece, task in told:
        since_ns, until_ns = max(piece.start_ns, start_ns), min(piece.end_ns, end_ns)
        if since_ns < until_ns or (since_ns == until_ns and piece.start_ns == piece.end_ns):
            yield _Told(piece._replace(start_ns=since_ns, end_ns=until_ns), task)


# -- one thing at a time ------------------------------------------------------------------------------------------


def _first(told: list[_Told], layers: Layers, start_ns: int, end_ns: int) -> Iterator[Piece]:
    """Of each stretch, from the start to the end, what comes first of all that is told of it."""
    told = sorted((each for each in told if each.piece.start_ns < each.piece.end_ns), key=lambda each: each.piece[:2])
    edges = sorted({start_ns, end_ns, *chain.from_iterable(each.piece[:2] for each in told)})
    open_: list[tuple[int, int, int, Piece]] = []
    at = 0
    for since_ns, until_ns in pairwise(edges):
        while at < len(told) and told[at].piece.start_ns <= since_ns:
            piece = told[at].piece
            heappush(open_, (*_order(piece, layers), at, piece))
            at += 1
        while open_ and open_[0][3].end_ns <= since_ns:
            heappop(open_)
        first = open_[0][3] if open_ else Piece(0, 0, "unknown")
        yield first._replace(start_ns=since_ns, end_ns=until_ns)


def _order(piece: Piece, layers: Layers) -> tuple[int, int]:
    """What comes first is the least; the deeper layer where there is nothing to choose."""
    depth = -1 if piece.span is None else layers.depth[piece.span]
    return _PLACE["queue"] if piece.state in _INDIRECT else _PLACE[piece.state], -depth


def _under(pieces: Iterable[Piece], holds: list[Block]) -> Iterator[Piece]:
    """The same pieces; where it could have gone on while another's step held the loop, that is said instead."""
    for piece in pieces:
        if piece.state not in ("ready", "woken"):
            yield piece
            continue
        at_ns = piece.start_ns
        for block in holds[bisect_right(holds, at_ns, key=lambda block: block.end_ns) :]:
            if block.start_ns >= piece.end_ns:
                break
            start_ns, end_ns = max(at_ns, block.start_ns), min(piece.end_ns, block.end_ns)
            if at_ns < start_ns:
                yield piece._replace(start_ns=at_ns, end_ns=start_ns)
            yield piece._replace(start_ns=start_ns, end_ns=end_ns, state="held up", row=block.step)
            at_ns = end_ns
        if at_ns < piece.end_ns:
            yield piece._replace(start_ns=at_ns)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same pieces, neighbours of which the same is said made one."""
    last: Piece | None = None
    for piece in pieces:
        if last is not None and last[2:] == piece[2:]:
            last = last._replace(end_ns=piece.end_ns)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last
