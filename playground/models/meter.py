"""One job's clock: it writes down when the job ran, when it waited, and when it was ready and had not gone on.

A job that computes in units is told apart from its gaps (see `units`). A function of somebody else's can only be told
by its sleeps, and by its switches where it is a green thread: in between it runs, its processor time beside its wall
time. It decides which stretch is what; it refuses to know which model carries the job out.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from threading import get_ident
from time import perf_counter_ns
from typing import Final

from playground.clock.native import get_native_id, thread_time_ns
from playground.models.kinds import SEGMENTS, Moment
from playground.models.rows import Rows
from playground.models.units import GAP_NS, UNKNOWN, Senses, burn
from playground.trace.swap import swap

__all__ = ["Meter", "current_meter", "current_sleeper", "sleeping_by", "sleeps_recorded"]

_RUN: Final = SEGMENTS["run"]
_WAIT: Final = SEGMENTS["wait"]
_READY: Final = SEGMENTS["ready"]
_OFF_CPU: Final = SEGMENTS["off_cpu"]


class Meter:
    """The clock of one job, used by one thread at a time.

    Args:
        rows: where to write.
        job: its number.
        known: what the system tells.

    Attributes:
        sleeps_in: the thread of whose sleeps alone it tells, where another tells when the job runs.
    """

    sleeps_in: int | None = None

    def __init__(self, rows: Rows, job: int, known: Senses) -> None:
        self._add = rows.add
        self._job = job
        self._known = known
        self._running: tuple[int, int] | None = None
        self._paused_ns: int | None = None
        self._due_ns: int | None = None

    def mark(self, moment: Moment) -> None:
        """Write down that a moment has come."""
        now_ns = perf_counter_ns()
        thread = get_native_id() if moment == Moment.BEGAN else 0
        self._add(moment, self._job, now_ns, now_ns, thread)

    # -- a job of ours -------------------------------------------------------------------------------------------

    def burn(self, units: int, loops: int) -> None:
        """Compute."""
        burn(units, loops, self._known, self._tell)

    def rests(self) -> int:
        """The job sleeps from now on; gives the moment. Who kills it finds written that it does."""
        now_ns = perf_counter_ns()
        self._add(Moment.ASLEEP, self._job, now_ns, now_ns, 0)
        return now_ns

    def rested(self, start_ns: int, seconds: float) -> None:
        """The job has slept from a moment until now, and was to sleep for so long."""
        now_ns = perf_counter_ns()
        due_ns = min(now_ns, start_ns + round(seconds * 1e9))
        self._add(_WAIT, self._job, start_ns, due_ns, 0)
        self._add(_READY, self._job, due_ns, now_ns, 0)

    # -- a function's job ----------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """The job runs from now on, in the calling thread; nothing changes if it does already."""
        if self._running is None:
            now_ns = perf_counter_ns()
            if self._paused_ns is not None:
                due_ns = now_ns if self._due_ns is None else min(now_ns, self._due_ns)
                self._add(_WAIT, self._job, self._paused_ns, due_ns, 0)
                self._add(_READY, self._job, due_ns, now_ns, 0)
            self._paused_ns = self._due_ns = None
            self._running = now_ns, thread_time_ns()

    def pause(self, seconds: float | None = None) -> None:
        """The job does not run from now on; for so long, if that is known."""
        if self._running is not None:
            now_ns, cpu_ns = perf_counter_ns(), thread_time_ns()
            start_ns, start_cpu_ns = self._running
            self._ran(start_ns, now_ns, cpu_ns - start_cpu_ns)
            self._running, self._paused_ns = None, now_ns
        if seconds is not None and self._paused_ns is not None:
            self._due_ns = self._paused_ns + round(seconds * 1e9)
            self._add(Moment.ASLEEP, self._job, self._paused_ns, self._paused_ns, 0)

    def _ran(self, start_ns: int, end_ns: int, cpu_ns: int) -> None:
        """A stretch between two sleeps. Where nobody can look on, and it was held up, when that was is not known."""
        away_ns = end_ns - start_ns - cpu_ns
        if not self._known.cpu:
            self._add(_RUN, self._job, start_ns, end_ns, UNKNOWN)
        elif self._known.why or away_ns < GAP_NS:
            self._add(_RUN, self._job, start_ns, end_ns, cpu_ns)
        else:  # it is put at the end
            self._add(_RUN, self._job, start_ns, end_ns - away_ns, cpu_ns)
            self._add(_OFF_CPU, self._job, end_ns - away_ns, end_ns, 0)

    def _tell(self, kind: str, start_ns: int, end_ns: int, cpu_ns: int) -> None:
        self._add(SEGMENTS[kind], self._job, start_ns, end_ns, cpu_ns)


_meter: ContextVar[Meter | None] = ContextVar("playground_meter", default=None)
"""Of the job that is being carried out here: threads, tasks and green threads each have a context of their own."""


@contextlib.contextmanager
def current_meter(meter: Meter) -> Iterator[None]:
    """Within this, what a function's job does goes by this clock."""
    token = _meter.set(meter)
    meter.go_on()
    try:
        yield
    finally:
        meter.pause()
        _meter.reset(token)


@contextlib.contextmanager
def current_sleeper(meter: Meter) -> Iterator[None]:
    """Within this, what a job's task sleeps by `time.sleep`, and so its loop, goes by this clock."""
    meter.sleeps_in = get_ident()
    token = _meter.set(meter)
    try:
        yield
    finally:
        _meter.reset(token)


_sleeps: Final[list[Callable[[float], None]]] = []
"""What sleeps when a job calls `time.sleep`: the last of these, or the one that was there."""


_recorded: Final[list[Callable[[float], None]]] = []
"""What was put in the place of `time.sleep`."""


@contextlib.contextmanager
def sleeping_by(sleep: Callable[[float], None]) -> Iterator[None]:
    """Within this, a job's `time.sleep` is this one, as if a library had put it there."""
    _sleeps.append(sleep)
    try:
        yield
    finally:
        _sleeps.remove(sleep)


def sleeps_recorded() -> Callable[[], None]:
    """From now on `time.sleep` within a job is recorded as a wait. Gives what puts the former one back."""
    found = time.sleep
    if found in _recorded:  # a process that was forked from one that had done so
        return _nothing

    def recorded(seconds: float) -> None:
        meter = _meter.get()
        if meter is None:
            return found(seconds)
        if meter.sleeps_in is not None:
            if meter.sleeps_in != get_ident():
                return found(seconds)
            start_ns = meter.rests()
            found(seconds)
            return meter.rested(start_ns, seconds)
        meter.pause(seconds)
        try:
            (_sleeps[-1] if _sleeps else found)(seconds)
        finally:
            meter.go_on()

    # by these it is found in its place again, when a function that holds it is sent on to another process
    recorded.__module__, recorded.__qualname__, recorded.__name__ = "time", "sleep", "sleep"
    _recorded.append(recorded)
    return swap(time, "sleep", recorded)


def _nothing() -> None:
    pass
