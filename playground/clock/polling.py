"""What a turn of the loop does before it runs anything: wait if nothing is ready, then collect what is due.

As asyncio's own, but that the recorder is told when the loop is idle, and that cancelled timers are counted out
where the attributes are another loop's (see `foreign`). In virtual time all of it is another matter (see `virtual`).
"""

import asyncio
import heapq
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from playground.clock.handles import Timer
from playground.clock.recorder import Recorder

__all__ = ["Polling"]

if TYPE_CHECKING:
    _Loop = asyncio.SelectorEventLoop  # what it is mixed into, or stands for
else:
    _Loop = object

# Beyond a day, select's timeout may overflow on some platforms; asyncio bounds it likewise.
_MAX_SELECT_S: Final = 86_400.0


class Polling(_Loop):
    """Fills the ready queue."""

    # asyncio's own, not in the type stubs
    _ready: "deque[Any]"
    _scheduled: list[Timer]
    _selector: Any
    _stopping: bool
    _clock_resolution: float
    _timer_cancelled_count: int

    def _poll(self, recorder: Recorder) -> None:
        """Fill the ready queue: wait if it is empty, then take what is due. Where time is virtual, this differs."""
        ready = self._ready
        events = self._selector.select(0 if ready or self._stopping else self._idle_s(recorder))
        if events:
            self._process_events(events)  # type: ignore[attr-defined]
        if self._scheduled:
            self._collect_due()

    def _idle_s(self, recorder: Recorder) -> float | None:
        """How long there is nothing to do but to wait for I/O, in seconds; `None` for ever."""
        recorder.idle()
        if self._scheduled:
            self._drop_cancelled()
        if not self._scheduled:
            return None
        return min(max(0.0, self._scheduled[0].when() - self.time()), _MAX_SELECT_S)

    def _collect_due(self) -> None:
        """Put the timers that are due into the ready queue."""
        self._drop_cancelled()
        scheduled = self._scheduled
        due = self.time() + self._clock_resolution
        while scheduled and scheduled[0].when() < due:
            timer = heapq.heappop(scheduled)
            timer._scheduled = False  # type: ignore[attr-defined]
            self._ready.append(timer)

    def _drop_cancelled(self) -> None:
        """Forget cancelled timers at the heap's head, and all of them when they are more than half of many."""
        scheduled = self._scheduled
        if len(scheduled) > 100 and self._timer_cancelled_count > len(scheduled) // 2:
            for timer in scheduled:
                if timer.cancelled():
                    timer._scheduled = False  # type: ignore[attr-defined]
            self._scheduled = scheduled = [timer for timer in scheduled if not timer.cancelled()]
            heapq.heapify(scheduled)
            self._timer_cancelled_count = 0
        while scheduled and scheduled[0].cancelled():
            self._timer_cancelled_count -= 1
            heapq.heappop(scheduled)._scheduled = False  # type: ignore[attr-defined]
