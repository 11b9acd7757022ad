"""Computing in units that are counted, and what became of a thread between two of them.

A job's computing is a fixed number of units of about 0.1 ms, so that a thread which is held up shows it by the time
that it takes. After each unit the thread looks at two clocks. If more time has passed than it has computed, it was not
on the processor: a gap. Linux says whether it went to sleep then, which a thread that only computes does for one reason
alone, to wait for the interpreter's lock; and for how long it queued for a processor. Where that is not told, a gap is
a gap, and why is not known. It decides what a gap is; it refuses to know whose job it was.

Who waits for the lock queues for a processor, too; how much of the wait that was is told from the rows of all threads
together (see `queued`).

Where no other thread of the jobs' has the interpreter, a thread waits for none of them. It is our own recording that
has the lock then, for some 10 µs every few ms, and for longer only if the system takes the processor from it: so such a
gap is the system's doing.
"""

import functools
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from time import perf_counter_ns
from typing import Any, Final

from playground.clock.native import thread_time_ns
from playground.trace.lockout import Queueing

__all__ = [
    "GAP_NS",
    "UNIT_NS",
    "UNKNOWN",
    "Gauge",
    "Senses",
    "Stretch",
    "burn",
    "loops_of_a_unit",
    "senses",
    "unit",
    "units_of",
]

UNIT_NS: Final = 100_000
_ROUNDS: Final = 50
"""Of which the fastest counts, for others may run meanwhile: 5 ms."""
_FIRST_LOOPS: Final = 1500

GAP_NS: Final = 1_000_000
"""What is shorter may be an interrupt, or another program for a moment."""
_SLEPT_NS: Final = 100_000
"""A wait for the interpreter's lock is known for one, however short. Below this it is not worth a look: 2 µs."""

UNKNOWN: Final = -1
"""In the place of a processor time that is not known."""

Stretch = Callable[[str, int, int, int], None]
"""Takes a segment's kind, its start and end by `perf_counter_ns`, and the processor time in it, perhaps `UNKNOWN`; of a
gap, the time in it in which the thread queued for a processor."""


@dataclass(frozen=True)
class Senses:
    """What this system tells a thread about itself, and whom it may have to wait for.

    Attributes:
        cpu: its processor time, finer than a gap.
        why: how often it went to sleep, and for how long it has queued for a processor.
        shares_lock: whether jobs compute in other threads of its interpreter, too.
    """

    cpu: bool
    why: bool
    shares_lock: bool = True


def senses() -> Senses:
    """What can be told here. Windows counts a thread's time in ticks of 15.6 ms; the rest is Linux' own."""
    return Senses(cpu=sys.platform != "win32", why=sys.platform == "linux")


def unit(loops: int) -> int:
    """One unit of work: in the interpreter, for that is what its lock is about."""
    total = 0
    for number in range(loops):
        total += number * number
    return total


@functools.cache
def loops_of_a_unit() -> int:
    """How many turns a unit takes on this machine. Measured once: every job of every model does the same work."""
    clock = thread_time_ns if senses().cpu else perf_counter_ns
    fastest_ns = min(_timed_ns(clock) for _ in range(_ROUNDS))
    return max(1, _FIRST_LOOPS * UNIT_NS // max(1, fastest_ns))


def _timed_ns(clock: Callable[[], int]) -> int:
    before_ns = clock()
    unit(_FIRST_LOOPS)
    return clock() - before_ns


def units_of(cpu_s: float) -> int:
    """How many units so much processor time is; at least one, if it is any."""
    return max(1, round(cpu_s * 1e9 / UNIT_NS)) if cpu_s else 0


class Gauge:
    """What Linux says of the calling thread so far. Each thread has its own, see `_gauge`."""

    def __init__(self) -> None:
        from resource import RUSAGE_THREAD, getrusage  # which only Unix has, and the first only Linux

        self.process = os.getpid()
        self._usage: Callable[[], Any] = lambda: getrusage(RUSAGE_THREAD)
        self._queueing = Queueing("thread-self")

    def slept(self) -> int:
        """How often it has gone to sleep by itself."""
        return self._usage().ru_nvcsw  # type: ignore[no-any-return]

    def queued_ns(self) -> int:
        """How long it has queued for a processor; always 0 where a container hides it."""
        # read without letting go of the interpreter: else others would take it, and each gap would make another
        return self._queueing.ns() or 0

    def __del__(self) -> None:
        self._queueing.close()


_gauges = threading.local()


def _gauge() -> Gauge:
    """The calling thread's own; after a fork it is another thread."""
    found: Gauge | None = getattr(_gauges, "own", None)
    if found is None or found.process != os.getpid():
        found = _gauges.own = Gauge()
    return found


def burn(units: int, loops: int, known: Senses, tell: Stretch) -> None:
    """Do so many units of work, of so many turns each, and tell how the time went: runs, and the gaps between them.

    Where in its unit a gap lay is not known: it is put in the middle, and so is off by half a unit at most.
    """
    if not units:
        return
    watch = _Watch(known, tell)
    clock = thread_time_ns if known.cpu else count(0, UNIT_NS).__next__
    least_ns = _SLEPT_NS if known.why else GAP_NS
    last_ns, last_cpu_ns = perf_counter_ns(), clock()
    watch.starts(last_ns, last_cpu_ns)
    for _ in range(units):
        unit(loops)
        end_ns, cpu_ns = perf_counter_ns(), clock()
        if end_ns - last_ns - (cpu_ns - last_cpu_ns) > least_ns:
            watch.away(last_ns, last_cpu_ns, end_ns, cpu_ns)
        last_ns, last_cpu_ns = end_ns, cpu_ns
    watch.ran(last_ns, last_cpu_ns)


class _Watch:
    """Judges the gaps of one thread that computes."""

    def __init__(self, known: Senses, tell: Stretch) -> None:
        self._known = known
        self._tell = tell
        self._gauge = _gauge() if known.why else None
        self._slept, self._queued_ns = self._read()

    def starts(self, at_ns: int, cpu_ns: int) -> None:
        self._since_ns, self._since_cpu_ns = at_ns, cpu_ns

    def ran(self, until_ns: int, cpu_ns: int) -> None:
        used_ns = cpu_ns - self._since_cpu_ns if self._known.cpu else UNKNOWN
        self._tell("run", self._since_ns, until_ns, used_ns)

    def away(self, start_ns: int, start_cpu_ns: int, end_ns: int, cpu_ns: int) -> None:
        """In this unit more time has passed than was computed."""
        half_ns = (cpu_ns - start_cpu_ns) // 2
        gap_ns = end_ns - start_ns - (cpu_ns - start_cpu_ns)
        slept, queued_ns = self._read()
        if gap_ns > GAP_NS or slept > self._slept:
            from_ns, from_cpu_ns = start_ns + half_ns, start_cpu_ns + half_ns
            self.ran(from_ns, from_cpu_ns)
            kind = self._kind(has_slept=slept > self._slept)
            self._tell(kind, from_ns, from_ns + gap_ns, queued_ns - self._queued_ns)
            self.starts(from_ns + gap_ns, from_cpu_ns)
        self._slept, self._queued_ns = slept, queued_ns

    def _kind(self, *, has_slept: bool) -> str:
        if self._gauge is None:
            return "off_cpu"
        return "gil" if has_slept and self._known.shares_lock else "preempt"

    def _read(self) -> tuple[int, int]:
        return (self._gauge.slept(), self._gauge.queued_ns()) if self._gauge else (0, 0)
