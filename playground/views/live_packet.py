"""What is new in a live picture as bytes for the browser: rows, spans from the first that changed on, names, requests.

Spans travel as in `packet`, a stretch a row: how many of the row's spans stand, and what follows them. A packet says
what was not told yet; what was not sent in time is in the next one, so none need ever wait in a queue.
"""

from array import array
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from playground.trace.columns import pack
from playground.views.live import LiveLanes
from playground.views.live_rows import LiveRow
from playground.views.wording import counted, duration

__all__ = ["Teller", "counters"]

FIRST_ROWS: Final = 2
"""The rows that an empty recording has too: the loop's, and what is inside its steps."""
_LEVEL: Final = 1
"""zlib's: what is sent ten times a second is sent to a browser that is near, mostly."""
_LIMIT: Final = 1 << 32
_COLUMNS: Final = ("start", "duration", "kind", "what", "request")


class Counter(NamedTuple):
    """A number that the recording tells of the moment: its name, its value in words, and what it means."""

    name: str
    value: str
    told: str


class Teller:
    """Tells one live picture, bit by bit.

    Attributes:
        tick_ns: the unit of time; while it lasts, packets follow on one another.
    """

    def __init__(self, lanes: LiveLanes) -> None:
        self.tick_ns = 1
        self._lanes = lanes
        self._rows = FIRST_ROWS
        self._whats = 0
        self._arrows = 0

    def outgrown(self) -> bool:
        """Whether moments no longer fit: then the unit of time becomes ten times as long, and the whole is due."""
        before = self.tick_ns
        while self._lanes.duration_ns // self.tick_ns >= _LIMIT:
            self.tick_ns *= 10
        return self.tick_ns > before

    def new(self, **more: Any) -> bytes:
        """What was not told yet, which then is.

        Args:
            more: what else its header says.
        """
        lanes = self._lanes
        changed = [(number, row.told) for number, row in enumerate(lanes.rows) if row.told < max(len(row), row.sent)]
        said = self._packet(changed, self._rows, self._whats, sorted(lanes.changed), self._arrows, more)
        for row in lanes.rows:
            row.told = row.sent = len(row)
        self._rows, self._whats, self._arrows = len(lanes.rows), len(lanes.whats), len(lanes.arrows.starts)
        lanes.changed.clear()
        return said

    def whole(self, **more: Any) -> bytes:
        """All that was told, for who has an empty picture."""
        rows = [(number, 0) for number, row in enumerate(self._lanes.rows) if len(row)]
        return self._packet(rows, FIRST_ROWS, 0, range(len(self._lanes.requests)), 0, more)

    def _packet(
        self,
        changed: list[tuple[int, int]],
        rows: int,
        whats: int,
        requests: Iterable[int],
        arrows: int,
        more: dict[str, Any],
    ) -> bytes:
        """A packet of some rows, each from one of its spans on, and of all else from the first so many on."""
        lanes = self._lanes
        header = {
            "view": "more",
            "tick_ns": self.tick_ns,
            "duration_ns": lanes.duration_ns,
            "dropped": lanes.reading.dropped,
            "summary": live_summary(lanes),
            "rows": [{"group": row.group, "lane": row.lane, "name": row.name} for row in lanes.rows[rows:]],
            "patches": [(number, first, len(lanes.rows[number]) - first) for number, first in changed],
            "whats": lanes.whats[whats:],
            "requests": [(index, lanes.requests[index]) for index in requests],
            "at_once": lanes.at_once,
            **more,
        }
        return pack(header, {**self._spans(changed), **self._sent(arrows)}, level=_LEVEL)

    def _spans(self, changed: list[tuple[int, int]]) -> "dict[str, array[int]]":
        columns = {name: array(code) for name, code in zip(_COLUMNS, "IIBII", strict=True)}
        for number, first in changed:
            row = self._lanes.rows[number]
            starts, durations = self._ticks(row, first)
            columns["start"].extend(starts)
            columns["duration"].extend(durations)
            for name, column in (("kind", row.kinds), ("what", row.whats), ("request", row.requests)):
                columns[name].extend(column[first:].tolist())
        return columns

    def _ticks(self, row: LiveRow, first: int) -> tuple[list[int], list[int]]:
        """Starts as differences, the first from 0, and durations; both ends are rounded down."""
        starts, ends = row.starts[first:].tolist(), row.ends[first:].tolist()
        if self.tick_ns > 1:
            starts, ends = ([moment // self.tick_ns for moment in moments] for moments in (starts, ends))
        gaps = [start - before for start, before in zip(starts, [0, *starts], strict=False)]
        return gaps, [end - start for start, end in zip(starts, ends, strict=True)]

    def _sent(self, first: int) -> "dict[str, array[int]]":
        arrows, tick_ns = self._lanes.arrows, self.tick_ns
        return {
            "arrow_start": array("I", [moment // tick_ns for moment in arrows.starts[first:]]),
            "arrow_end": array("I", [moment // tick_ns for moment in arrows.ends[first:]]),
            "arrow_from": array("I", arrows.from_rows[first:]),
            "arrow_to": array("I", arrows.to_rows[first:]),
            "arrow_request": array("I", arrows.requests[first:]),
        }


def live_summary(lanes: LiveLanes) -> str:
    """One line on a run so far: `1.2 s so far · 30 requests, 12 not over · 4,210 steps`."""
    told = counted(len(lanes.requests), "request")
    if going := lanes.not_over:
        told += f", {going:,} not over"
    line = f"{duration(lanes.duration_ns)} so far · {told} · {counted(len(lanes.steps), 'step')}"
    if lanes.reading.dropped:
        line += f" · {counted(lanes.reading.dropped, 'event')} dropped"
    return line


def counters(lanes: LiveLanes) -> list[Counter]:
    """What the recording tells of the loop and the threads at the moment; `unknown` where it does not."""
    lag_ns, queue = lanes.lag_ns, lanes.queue
    standing = lanes.held.standing()
    lag = "unknown" if lag_ns is None else duration(lag_ns)
    if standing is not None:
        lag = f"held for {duration(max(0, lanes.duration_ns - standing.since_ns))} or more"
    return [
        Counter("loop lag", lag, "the longest that a step which ended since the last update had been ready"),
        Counter(
            "ready queue",
            "unknown" if queue is None else f"{queue:,}",
            "the most steps that queued behind another since the last update",
        ),
        Counter("busy workers", f"{lanes.calls.busy:,}", "threads that run a call just now"),
        Counter("queue for threads", f"{lanes.calls.queued:,}", "calls that no thread has begun yet"),
    ]
