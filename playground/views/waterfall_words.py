"""How a waterfall reads: what is said of each state of a request, of its layers, its calls and its messages.

It decides words, colours and shapes. Which moments are in which state is for `spent` to say, and what is shown of them
for `waterfall`.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

from playground.trace import Message, Trace
from playground.views.findings import Part, code, plain, text
from playground.views.held import actor
from playground.views.kinds import (
    BLOCKED,
    FRAME,
    FUTURE,
    IO,
    KINDS,
    LOCK,
    OFFLOAD,
    OTHER,
    READY,
    RUN,
    THREAD,
    TIMER,
    Kind,
    Shape,
)
from playground.views.spent import STATES, Piece, Spent, State
from playground.views.wording import counted, duration, one_line, place

__all__ = ["COLOURS", "LOOKS", "MESSAGE", "SHAPES", "WORKER", "Words", "message_words", "moment"]

# What each is called in the legend, how it is said of one stretch, its colour (the number of the kind that has it),
# its shape, and its character in a text. As in the timeline, full bars run, half bars are ready and queue, lines wait.
# A low bar is a half one that is drawn as what holds it up.
_LOOKS: Final[dict[State, tuple[str, str, int, Shape | Literal["low"], str]]] = {
    "blocked": ("blocks the loop", "holding the loop", BLOCKED, "hatched", "X"),
    "run": ("runs", "running", RUN, "full", "█"),
    "frame": ("runs in middleware, routing", "running", FRAME, "full", "▓"),
    "thread": ("in a worker thread", "in a worker thread", OFFLOAD, "thin", "·"),
    "to thread": ("queued for a thread", "queued for a thread", OFFLOAD, "half", ":"),
    "held up": ("ready, another holds the loop", "ready", BLOCKED, "low", "x"),
    "woken": ("thread done, not woken yet", "waiting to be woken", READY, "half", "░"),
    "ready": ("ready, queued", "ready, queued for the loop", READY, "half", "░"),
    "timer": ("waits: timer", "waiting for a timer", TIMER, "thin", "─"),
    "io": ("waits: I/O", "waiting for I/O", IO, "thin", "~"),
    "lock": ("waits: lock", "waiting for a lock", LOCK, "thin", "="),
    "for thread": ("waits: thread", "waiting for a thread", OFFLOAD, "thin", "·"),
    "queue": ("waits: queue", "waiting for a queue", LOCK, "thin", "="),
    "event": ("waits: event", "waiting for an event", LOCK, "thin", "="),
    "future": ("waits: future", "waiting for a future", FUTURE, "dashed", "-"),
    "task": ("waits: task", "waiting for a task", FUTURE, "dashed", "-"),
    "unknown": ("not recorded", "in a way that was not recorded", OTHER, "dashed", "?"),
}
LOOKS: Final = (
    *(
        Kind(words, told, "hatched" if shape == "low" else shape, KINDS[colour].light, mark)
        for words, told, colour, shape, mark in (_LOOKS[state] for state in STATES)
    ),
    Kind("worker thread", "running in a worker thread", "full", KINDS[THREAD].light, "■"),
)
"""How each state is drawn, in the order of `STATES`, and after them what a thread itself does."""
COLOURS: Final = (*(_LOOKS[state][2] for state in STATES), THREAD)
"""Which kind's colour each has."""
SHAPES: Final = (*(_LOOKS[state][3] for state in STATES), "full")
"""Each one's shape, where low ones are told from those that are as high as a bar."""
WORKER: Final = len(STATES)
MESSAGE: Final = WORKER + 1
"""Of marks that are no state: a message has no length."""

_OF_A_CALL: Final[dict[State, str]] = {"thread": ", in ", "to thread": " to run ", "woken": " after "}
_LONGEST_NAME: Final = 60
_UNITS: Final = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))
_MINUTE_NS: Final = 60_000_000_000


def moment(at_ns: int) -> str:
    """A moment, counted from the request's start, in a digit more than a duration has: `at 12.34 ms`."""
    for size, unit in _UNITS:
        if size <= at_ns < _MINUTE_NS:
            return f"at {float(f'{at_ns / size:.4g}'):g} {unit}"
    return f"at {duration(at_ns)}"


class Words:
    """What is said of a request's time.

    Args:
        spent: its time.
    """

    def __init__(self, trace: Trace, spent: Spent, start_ns: int) -> None:
        self._trace = trace
        self._spent = spent
        self._start_ns = start_ns
        self._owners = spent.owners
        self._blocks = {block.step: block for block in spent.holds}

    def layer(self, span: int | None) -> list[Part]:
        """In which layer something was: ` in the handler `, `export`."""
        if span is None:
            return [text(" outside of the app's layers")] if self._spent.layers.spans else []
        row = self._spent.layers.spans[span]
        return [text(f" in the {row.kind} "), code(row.name)]

    def holder(self, step: int) -> list[Part]:
        """Whose step held the loop: `GET /report`, ` (request 25)`."""
        block = self._blocks[step]
        request = self._owners.at(block.task, block.start_ns, block.end_ns)
        name = actor(self._trace, self._owners, block)
        if request is not None:
            return [code(name), text(f" (request {self._trace.requests[request].number})")]
        kind = "a callback" if block.task is None else "the task"
        return [text(f"{kind} "), code(name)] if name else [text(kind)]

    def share(self, piece: Piece) -> tuple[Part, ...]:
        """What is said of a stretch, after `spent 20 ms`: `in a worker thread, in `, `render_pdf`."""
        told = text(LOOKS[STATES.index(piece.state)].told)
        if piece.state in ("run", "frame"):
            return told, *self.layer(piece.span)
        if piece.state == "blocked" and piece.row is not None:
            call = self._call(piece.row, piece.start_ns, piece.end_ns)
            return told, *([text(" with "), code(call)] if call else []), *self.layer(piece.span)
        if piece.state == "held up" and piece.row is not None:
            call = self._blocks[piece.row].call
            seen = [text(" with "), code(call)] if call else []
            return told, text(", while "), *self.holder(piece.row), text(" held the loop"), *seen
        if piece.state in _OF_A_CALL and piece.row is not None:
            return told, text(_OF_A_CALL[piece.state]), code(self._trace.handoffs[piece.row].function)
        return (told,)

    def _call(self, step: int, start_ns: int, end_ns: int) -> str:
        """What a step was seen in for the longest time from one moment to another; empty if nobody looked."""
        seen: Counter[str] = Counter()
        for look in self._trace.inside(step):
            seen[look.call] += max(0, min(look.end_ns, end_ns) - max(look.start_ns, start_ns))
        return seen.most_common(1)[0][0] if seen else ""

    def bar(self, piece: Piece) -> str:
        """A stretch in a few words, to be read or heard: `waiting for I/O, 4.2 ms, at 310 µs, cell 3, line 6`."""
        length, where = duration(piece.end_ns - piece.start_ns), ""
        if piece.site is not None and piece.site.file:
            # of what ran it is known where it stopped
            where = f", {'up to ' if piece.state in ('run', 'frame') else ''}{place(piece.site)}"
        return f"{plain(self.share(piece))}, {length}, {moment(piece.start_ns - self._start_ns)}{where}"


def message_words(messages: Sequence[Message], start_ns: int, most: int) -> tuple[str, list[str]]:
    """Messages that lie close together: in a few words, and one by one as far as `most`; the rest is counted."""
    lines = [
        f"{one_line(each.type, _LONGEST_NAME)}{f': {one_line(each.detail)}' if each.detail else ''}, "
        f"{moment(each.at_ns - start_ns)}"
        for each in messages[:most]
    ]
    if len(messages) == 1:
        return lines[0], []
    if len(messages) > most:
        lines.append(f"and {len(messages) - most:,} more, up to {duration(messages[-1].at_ns - start_ns)}")
    return f"{counted(len(messages), 'message')} from {duration(messages[0].at_ns - start_ns)} on", lines
