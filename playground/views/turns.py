"""The steps of a recording as all views draw them: whose each is, what kind of work, what it is called, from where on.

One pass, field by field, since a long run has a million steps. It decides what is true of a step wherever it is drawn;
in which rows that is, is decided in `lanes`.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import Final

from playground.trace import Block, Trace
from playground.trace.tables import WORDS
from playground.views.bulk import numbers, values
from playground.views.kinds import BLOCKED
from playground.views.parts import Parts, Piece
from playground.views.segments import OwnersLike
from playground.views.whats import Whats

__all__ = ["Turns", "turns"]

_WAITS: Final = WORDS["StepOutcome"].index("waits")


@dataclass(frozen=True, slots=True)
class Turns:
    """The steps, field by field, in order.

    Attributes:
        tasks: pointers to their tasks.
        starts, ends: in nanoseconds.
        waits: whether the task waited for something afterwards.
        owners: the requests for which they ran; `NO_REQUEST` for none.
        kinds: what kind of work, where it was for a request; those that held the loop are `BLOCKED`.
        cuts: by a step's index, its pieces, where it was of several kinds.
        places: where they point to, as numbers of `Whats`; for one that held the loop that is the line that did.
    """

    tasks: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    waits: Sequence[bool]
    owners: Sequence[int]
    kinds: Sequence[int]
    cuts: Mapping[int, list[Piece]]
    places: Sequence[int]


def turns(trace: Trace, owners: OwnersLike, blocked: Mapping[int, Block], parts: Parts, whats: Whats) -> Turns:
    """Find out what is true of each step; `blocked` are those that held the loop, by their indexes."""
    tasks, starts = numbers(trace, "steps", "task"), numbers(trace, "steps", "start_ns")
    ends = array("q", map(add, starts, numbers(trace, "steps", "duration_ns")))
    kinds, cuts = parts.of_steps(tasks, starts, ends)
    sites, known = values(trace, "steps", "site")
    numbered = list(map(whats.place, known))
    places = [numbered[site] for site in sites]
    for step, block in blocked.items():
        kinds[step] = BLOCKED
        cuts.pop(step, None)
        places[step] = whats.place(block.site, block.call)
    waits = [outcome == _WAITS for outcome in numbers(trace, "steps", "outcome")]
    return Turns(tasks, starts, ends, waits, owners.of_steps(tasks, starts, ends), kinds, cuts, places)
