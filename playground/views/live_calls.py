"""Calls to worker threads, in a recording that goes on: a lane for each thread, and the arrows there and back.

A call is looked at until it is over and the loop has heard of it. It counts as well what the recording says of
threads at the moment: how many are at work, and how many calls wait for one.
"""

from typing import TYPE_CHECKING, NamedTuple

from playground.trace.tables import NO_INT
from playground.trace.threads import HandoffRecord
from playground.views.kinds import THREAD
from playground.views.live_rows import LiveRow

if TYPE_CHECKING:
    from playground.views.live import LiveLanes

__all__ = ["LiveCalls"]


class _Ended(NamedTuple):
    """A call that is over: when, on which row, for which request, and the pointer to the step that gave it away."""

    at_ns: int
    row: int
    request: int | None
    given: int


class LiveCalls:
    """The calls of one live picture.

    Attributes:
        busy: how many workers are at work.
        queued: how many calls wait for a thread.
        unheard: by task, the calls that are over and of which it has not heard yet.
    """

    def __init__(self, lanes: "LiveLanes") -> None:
        self.busy = 0
        self.queued = 0
        self._lanes = lanes
        self._origin_ns = lanes.reading.origin_ns
        self._next: int | None = None
        self._asked: list[HandoffRecord] = []
        self._started: list[tuple[HandoffRecord, int]] = []  # each with its row
        self._rows: dict[int, int] = {}  # by thread, as the recorder counts them
        self.unheard: dict[int, list[_Ended]] = {}

    def take(self) -> None:
        """Read what became of calls since. To be called before the steps are laid out, which may be woken by them."""
        kept = self._lanes.reading.recorder.handoffs
        first, self._next = kept.first if self._next is None else self._next, kept.next
        self._asked += filter(None, map(kept.get, range(first, self._next)))
        begun = [(started_ns, record) for record in self._asked if (started_ns := record.started_ns) is not None]
        if begun:
            self._asked = [record for record in self._asked if record.started_ns is None]
        for _, record in sorted(begun, key=lambda pair: (pair[0], pair[1].thread)):
            self._begin(record)
        self._started = [(record, row) for record, row in self._started if not self._is_over(record, row)]
        self._asked = [record for record in self._asked if self._waits(record)]
        self.busy, self.queued = len(self._started), len(self._asked)

    def ran(self, task: int, step: int, start_ns: int) -> None:
        """A task ran a step: if a call of its was over before, it has heard of it now."""
        calls = self.unheard.pop(task, None)
        if calls is None:
            return
        # by the number of a step too: in virtual time that which gave the call away may share its moment
        left = [call for call in calls if call.given >= step or call.at_ns > start_ns]
        if left:
            self.unheard[task] = left
        for call in calls:
            if call not in left:
                self._lanes.arrows.add(call.at_ns, start_ns, call.row, 0, call.request)

    def draw(self, now_ns: int) -> None:
        """The calls that are not over, up to now."""
        for record, row in self._started:
            self._draw(record, row, now_ns)

    def _begin(self, record: HandoffRecord) -> None:
        if record.thread not in self._rows:
            number = len(self._rows)
            self._rows[record.thread] = len(self._lanes.rows)
            self._lanes.row(LiveRow("worker", number, f"worker-{number}"))
        row = self._rows[record.thread]
        if record.started_ns is not None and record.submitted_ns is not None:
            submitted_ns, started_ns = record.submitted_ns - self._origin_ns, record.started_ns - self._origin_ns
            self._lanes.arrows.add(submitted_ns, started_ns, 0, row, self._request(record))
        self._started.append((record, row))

    def _is_over(self, record: HandoffRecord, row: int) -> bool:
        if record.ended_ns is None:
            return False
        ended_ns = record.ended_ns - self._origin_ns
        self._draw(record, row, ended_ns)
        task = self._task(record)
        if task:
            given = self._lanes.steps.pointer(record.step)
            self.unheard.setdefault(task, []).append(_Ended(ended_ns, row, self._request(record), given))
        return True

    def _draw(self, record: HandoffRecord, row: int, end_ns: int) -> None:
        if record.started_ns is not None:
            lanes = self._lanes
            what = lanes.what(lanes.reading.names.string(record.function), lanes.reading.places[record.code])
            lanes.rows[row].add(record.started_ns - self._origin_ns, end_ns, THREAD, what, self._request(record))

    def _waits(self, record: HandoffRecord) -> bool:
        """Whether a call that has not begun may still begin: not if it was cancelled, or its task is over."""
        task, future = self._task(record), record.future
        gone = task and self._lanes.steps.ended_ns[task] != NO_INT
        return record.outcome == "pending" and not gone and not (future is not None and future.cancelled())

    def _task(self, record: HandoffRecord) -> int:
        return self._lanes.reading.tasks.pointer(record.task)

    def _request(self, record: HandoffRecord) -> int | None:
        task = self._task(record)
        at_ns = (record.asked_ns if record.submitted_ns is None else record.submitted_ns) - self._origin_ns
        return self._lanes.owners.at(task, at_ns, at_ns) if task else None
