"""Rows that go on growing, and what is kept of each request and each call to a worker while it is not over.

A span that ends at "now" is taken back and told anew each time; all before it stands. Each row knows from which span
on it was not told yet, so that what is sent costs what is new in it, and what was not sent is sent with what comes
next. It knows spans, and nothing of how a recording is read.
"""

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

from playground.views.kinds import READY
from playground.views.lanes import Row

__all__ = ["NEVER", "Going", "LiveRow", "Places", "Telling"]

NEVER: Final = (1 << 63) - 1
"""Later than any moment: the end of what is not over."""


@dataclass(slots=True)
class LiveRow(Row):
    """A row of which some spans may be taken back.

    Attributes:
        firm: how many spans stand; those after them end at the last look.
        told: how many spans were told, and have not changed since.
        sent: how many were there when it was told last.
    """

    firm: int = 0
    told: int = 0
    sent: int = 0

    def cut(self, length: int) -> None:
        """Take back the spans from that one on."""
        for column in (self.starts, self.ends, self.kinds, self.whats, self.requests):
            del column[length:]
        self.told = min(self.told, length)
        self.firm = min(self.firm, length)

    def span(self, index: int) -> tuple[int, int, int, int, int]:
        """Start, end, kind, what and request of one span."""
        return (
            self.starts[index],
            self.ends[index],
            self.kinds[index],
            self.whats[index],
            self.requests[index],
        )


@dataclass(slots=True)
class Telling:
    """The state in which a request's task stands between two of its steps.

    Attributes:
        since_ns: when its last step ended, or it was made; `None` if that is not known.
        wait: the pointer to the wait in which it stands; 0 for none.
        kind, what: of that wait, if there is one.
        ready: whether it is ready where it does not wait. If not, nothing is known of it.
    """

    since_ns: int | None = None
    wait: int = 0
    kind: int = READY
    what: int = 0
    ready: bool = True


@dataclass(slots=True)
class Going:
    """A request whose spans are not all there yet.

    Attributes:
        index: its number among the requests.
        task: the pointer to its task.
        start_ns, end_ns: its life; `NEVER` while it goes on.
        label: what it is called.
        row, life: its rows.
        own: how its task stands; `None` until it has run a step since the request came in.
        floor: how many spans its row had when its task's last step was over.
    """

    index: int
    task: int
    start_ns: int
    end_ns: int
    label: int
    row: LiveRow
    life: LiveRow
    own: Telling | None = None
    floor: int = 0

    def is_past(self, start_ns: int) -> bool:
        """Whether a step of its task is none of its: in virtual time it may be over in one that begins at its end."""
        stood_ns = None if self.own is None else self.own.since_ns
        return self.end_ns < start_ns or self.end_ns == start_ns == stood_ns

    def add(self, start_ns: int, end_ns: int, kind: int, what: int) -> None:
        """Add what falls into its life."""
        start, end = max(start_ns, self.start_ns), min(end_ns, self.end_ns)
        if start < end or (start == end and start_ns == end_ns):
            self.row.add(start, end, kind, what, self.index)

    def stand(self, until_ns: int, ended_ns: int, ready_what: int) -> None:
        """Fill its row up to a moment with how its task stands.

        Args:
            ended_ns: when its wait was over; `NEVER` if it is not.
            ready_what: what to call the time in which it is ready.
        """
        own, row = self.own, self.row
        if own is None or own.since_ns is None:
            return
        from_ns = max(own.since_ns, row.ends[-1]) if len(row) > self.floor else own.since_ns
        if own.wait and (from_ns < min(until_ns, ended_ns) or own.since_ns == ended_ns == from_ns):
            self.add(from_ns, min(until_ns, ended_ns), own.kind, own.what)
        from_ns = max(from_ns, ended_ns) if own.wait else from_ns
        if own.ready and from_ns < until_ns:
            self.add(from_ns, until_ns, READY, ready_what)

    def correct(self, ended_ns: int, ready_what: int) -> None:
        """What was told of a wait while others ran for the request, until it was known when it was over."""
        row, at, own = self.row, len(self.row), self.own
        if own is None or not own.wait:
            return
        while at > self.floor and row.ends[at - 1] > ended_ns:
            at -= 1
        if at == len(row):
            return
        taken = [row.span(index) for index in range(at, len(row))]
        row.cut(at)
        for start_ns, end_ns, kind, what, _ in taken:
            if (kind, what) != (own.kind, own.what):
                self.stand(start_ns, ended_ns, ready_what)
                row.add(start_ns, end_ns, kind, what, self.index)


class Places:
    """Which lane a request has: the lowest that is free when it begins, as `lanes` packs them."""

    def __init__(self) -> None:
        self.count = 0
        self._free: list[int] = []
        self._ending: list[tuple[int, int]] = []

    def place(self, start_ns: int) -> int:
        """A lane for a request that begins no earlier than those before it."""
        while self._ending and self._ending[0][0] <= start_ns:
            heappush(self._free, heappop(self._ending)[1])
        if self._free:
            return heappop(self._free)
        self.count += 1
        return self.count - 1

    def ends(self, lane: int, end_ns: int) -> None:
        """The request in a lane is over."""
        heappush(self._ending, (end_ns, lane))
