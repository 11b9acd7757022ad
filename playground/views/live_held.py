"""What holds the loop, in a recording that goes on: long steps that are over, and the one that is not.

A step is told of when it is over. That one goes on is known from the looks that were taken at it meanwhile, and no
more than these tell. Which steps blocked, and where they stood, is what the trace of those few steps alone says.
"""

from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

from playground.trace import Trace
from playground.trace.build import Reading
from playground.trace.rows import Step
from playground.trace.table import Table
from playground.views.held import NOTICED_NS

__all__ = ["Held", "LiveHeld", "Standing"]

_LATEST: Final = 64
"""Looks among which the last that tells of a line is: some tell of waits, or of a collection."""


class Held(NamedTuple):
    """Where a step held the loop: pointers to a site and to the call there."""

    site: int
    call: int


class Standing(NamedTuple):
    """A step that is not over: since when it is known to go on, and pointers to where it stood at the last look."""

    since_ns: int
    site: int
    call: int

    def is_long(self, now_ns: int) -> bool:
        return now_ns - self.since_ns >= NOTICED_NS


class LiveHeld:
    """The long steps of one `Reading`."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._blocked: dict[int, Held] = {}
        self._looks: list[tuple[int, int, int, int, int]] = []
        self._since = 0, 0  # the step that was found standing last, and when it was first looked at

    def blocks(self, first: int) -> dict[int, Held]:
        """The steps after the first so many that blocked the loop each by itself, by pointer."""
        steps, names = self._reading.steps, self._reading.names
        assert steps is not None
        starts, durations = steps.columns["start_ns"], steps.columns["duration_ns"]
        columns = self._reading.samples(first)
        seen = {step - 1 for step in columns["step"]}
        long = [at for at, lasted_ns in enumerate(durations[first:], first) if lasted_ns >= NOTICED_NS or at in seen]
        self._looks, self._blocked = [], {}
        if not long:
            return {}
        place = {at + 1: pointer for pointer, at in enumerate(long, 1)}
        columns["step"] = array("I", map(place.__getitem__, columns["step"]))
        sites = steps.columns["site"]
        rows = [Step(None, starts[at], durations[at], None, "callback", names.sites[sites[at]]) for at in long]
        trace = Trace(steps=rows, samples=Table("samples", columns, names))
        for index in sorted({step - 1 for step in columns["step"]}):
            for look in trace.inside(index):
                call = names.string(look.call)
                self._looks.append((long[index] + 1, look.start_ns, look.end_ns, names.site(look.site), call))
        for block in trace.blocks(NOTICED_NS / 1e9):
            self._blocked[long[block.step] + 1] = Held(names.site(block.site), names.string(block.call))
        return self._blocked

    def is_block(self, step: int) -> bool:
        """Whether a step is one of those that were just given."""
        return step in self._blocked

    def inside(self) -> Iterator[tuple[int, int, int, int, int]]:
        """What was seen inside the same steps: step, start, end, site and call."""
        return iter(self._looks)

    def standing(self) -> Standing | None:
        """The step that goes on, if the loop is known to be held by one."""
        reading = self._reading
        assert reading.steps is not None
        running = reading.dropped + len(reading.steps) + 1
        last = reading.recorder.looks[-_LATEST:]
        places = [(look[3], look[4]) for look in last if look[0] == running and look[3] is not None]
        if not places or reading.recorder.ended_ns is not None:
            return None
        site, call = reading.seen(*places[-1])
        if self._since[0] != running:  # looked for once a step: a long one is looked at 200 times a second
            looks = (look for look in reading.recorder.looks.copy() if look[0] == running and look[3] is not None)
            self._since = running, min((look[1] for look in looks), default=last[-1][1])
        return Standing(self._since[1] - reading.origin_ns, site, call)
