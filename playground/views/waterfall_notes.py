"""What is to be said beside a waterfall: what of it is not known, and what is to be read with care.

Every note is counted from the recording, and is left out where it would change nothing that is seen.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

from playground.trace import Request, Trace
from playground.trace.table import column
from playground.views.evidence import away
from playground.views.held import held_steps
from playground.views.spent import Piece, Spent
from playground.views.wording import duration, let_go

__all__ = ["NOT_RECORDED", "notes"]

NOT_RECORDED: Final = "The query, the headers, the client and the contents of bodies are not recorded."

# What is a smaller part than this is not worth a line.
_ONE_IN: Final = 10


def notes(trace: Trace, request: Request, time: Spent) -> list[str]:
    """The notes on a request's time, each a sentence or two."""
    told = [*_away(trace, time), *_held_io(time), *_late(trace, time)]
    if request.task is None:
        told.append("Which task called the app was not recorded, so nothing is known of what it did.")
    elif not time.layers.spans:
        told.append("The layers of this app are not known: what is shown is what the request's tasks did.")
    if len(time.tasks) > 1:
        told.append(
            f"{len(time.tasks):,} tasks worked for this request. Each moment is counted once: as what ran, or else "
            "what a thread did, or else what was ready, or else a wait."
        )
    if trace.dropped:
        told.append(f"The recorder dropped {let_go(trace)}: what they told of this request is missing.")
    return [*told, NOT_RECORDED]


def _away(trace: Trace, time: Spent) -> list[str]:
    """A step is drawn from its start to its end, and not all of that is its doing: the diagnosis does not count it."""
    held = held_steps(trace)
    steps = {piece.row for piece in time.pieces if piece.state in ("blocked", "held up") and piece.row is not None}
    blocks = [held[step] for step in sorted(steps)]
    whole_ns = sum(block.end_ns - block.start_ns for block in blocks)
    if (whole_ns - sum(block.duration_ns for block in blocks)) * _ONE_IN < max(1, whole_ns):
        return []
    told = " and ".join(f"{duration(ns)} in which {why}" for ns, why in away(blocks))
    took = "The step that held the loop" if len(blocks) == 1 else f"The {len(blocks):,} steps that held the loop"
    return [f"{took} took {duration(whole_ns)}, with {told}."] if told else []


def _held_io(time: Spent) -> list[str]:
    """I/O may have been ready while another's step held the loop, and nobody could see it. (A timer's due time is
    known, and what waits for another task is ready when that says so.)"""
    waits = [piece for piece in time.pieces if piece.state == "io"]
    held_ns = sum(
        max(0, min(piece.end_ns, block.end_ns) - max(piece.start_ns, block.start_ns))
        for piece in waits
        for block in time.holds
    )
    if not held_ns or held_ns * _ONE_IN < _length_ns(waits):
        return []
    told = f"{duration(held_ns)} of the wait for I/O went by while other steps held the loop"
    return [f"{told}. When in that time it was there could not be seen."]


def _late(trace: Trace, time: Spent) -> list[str]:
    """Being ready is not always queueing behind others: the system may have woken the loop late."""
    ready = [piece for piece in time.pieces if piece.state in ("ready", "woken")]
    ready_ns = _length_ns(ready)
    ran_ns = _ran_ns(trace, ready)
    if (ready_ns - ran_ns) * _ONE_IN < max(1, _length_ns(time.pieces)):
        return []
    told = f"Of the {duration(ready_ns)} in which it was ready and no step held the loop, other steps ran for "
    return [f"{told}{duration(ran_ns)}. In the rest the loop did its own work, or the system woke it late."]


def _ran_ns(trace: Trace, pieces: Sequence[Piece]) -> int:
    """For how long steps ran within pieces that follow one another."""
    starts, lengths = (column(trace.steps, "steps", field) for field in ("start_ns", "duration_ns"))
    ran_ns = 0
    for piece in pieces:
        first = max(0, bisect_right(starts, piece.start_ns) - 1)
        last = bisect_left(starts, piece.end_ns)
        within = range(first, last)
        ends = (min(starts[at] + lengths[at], piece.end_ns) - max(starts[at], piece.start_ns) for at in within)
        ran_ns += min(sum(max(0, length) for length in ends), piece.end_ns - piece.start_ns)
    return ran_ns


def _length_ns(pieces: Sequence[Piece]) -> int:
    return sum(piece.end_ns - piece.start_ns for piece in pieces)
