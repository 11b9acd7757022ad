"""How long a thread waited for the interpreter's lock (the GIL), told from outside; and how long for a processor.

A thread that runs no code is asleep in a call, queues for a processor, or waits for the interpreter while another
thread computes. The first holds up the loop by what the user wrote; the last is another thread's doing. The system
knows the first from the others: while a thread sleeps, it tells in which call, and on what address if it waits for a
lock; the interpreter's own lock lies within the interpreter. It decides how much of a stretch of time went on that
wait and on queueing, never more than the readings bear: where they leave it open, the step is said to have held the
loop for less time than it waited, never the other way about. Where the system does not tell all of this (it is Linux
that does), nothing is said.
"""

import ctypes
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

__all__ = ["STARTS", "Lockouts", "Outside", "Queueing", "Reading", "starts_a_thread", "waits_in_runtime"]

_RUNTIME_BYTES: Final = 1 << 17
"""Of `_PyRuntime`, which holds the lock; by its ELF symbol it has 167 kB in CPython 3.11 and more in 3.12 and 3.13,
and the lock lies 440, 78 kB and 96 kB from its start."""

STARTS: Final[CodeType] = threading.Thread.start.__code__
_DEPTH: Final = 5
"""`Thread.start` waits for an `Event`, which waits for a `Condition`, which waits for a lock."""


_CROWD: Final = 10
"""Who has the interpreter may share the processors with so many programs: a wait of up to so many times what other
threads computed is believed, for it was seen not to be a call. A longer one only to their measure."""


class Reading(NamedTuple):
    """What was known of a thread at a moment.

    Attributes:
        cpu_ns, others_ns: processor time that it, and that all other threads of the process, have used; without that
            of the thread that looks.
        asleep: whether it slept in a call; `None` if nobody looked.
        queued: whether it may have been queueing for a processor, of which the system tells only when it is over.
    """

    cpu_ns: int
    others_ns: int
    asleep: bool | None = None
    queued: bool = False


class Queueing:
    """How long a thread has queued for a processor since it began (schedstat's second number), if that is known.

    Args:
        thread: what stands for it below `/proc`.
    """

    def __init__(self, thread: str) -> None:
        self._file = _opened(f"/proc/{thread}/schedstat")

    def ns(self) -> int | None:
        """So many nanoseconds."""
        fields = _read(self._file).split()
        # a kernel without CONFIG_SCHED_INFO reports no run time at all
        return int(fields[1]) if len(fields) == 3 and fields[0] != b"0" else None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = None


class Outside:
    """Reads one thread from another. To be made on the thread that is to be read."""

    def __init__(self) -> None:
        task = f"self/task/{threading.get_native_id()}"
        self._queueing, self._syscall = Queueing(task), _opened(f"/proc/{task}/syscall")
        self._clock: int | None = None
        if self._syscall is not None and _runtime is not None:
            self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._looker: int | None = None

    def leave_out(self) -> None:
        """Do not count the calling thread, which is the one that looks, among the others."""
        if self._clock is not None:
            self._looker = time.pthread_getcpuclockid(threading.get_ident())

    def delay_ns(self) -> int | None:
        """How long it has queued for a processor since it began, if that is known."""
        return self._queueing.ns()

    def reading(self) -> Reading | None:
        """Its processor time and that of others; `None` where the system does not tell."""
        if self._clock is None:
            return None
        cpu_ns = time.clock_gettime_ns(self._clock)
        looker_ns = 0 if self._looker is None else time.clock_gettime_ns(self._looker)
        return Reading(cpu_ns, time.process_time_ns() - cpu_ns - looker_ns)

    def looked(self, reading: Reading | None) -> Reading | None:
        """The same, with whether it sleeps in a call."""
        if reading is None:
            return None
        fields = _read(self._syscall).split()
        if not fields:
            return None
        asleep = len(fields) > 3 and not waits_in_runtime(fields)
        return reading._replace(asleep=asleep, queued=len(fields) == 1)

    def wakes(self) -> bool:
        """Whether it runs or queues for a processor, as far as is known, and does not sleep."""
        return len(_read(self._syscall).split()) <= 1

    def close(self) -> None:
        self._queueing.close()
        if self._syscall is not None:
            os.close(self._syscall)
        self._syscall = self._clock = self._looker = None


def _read(file: int | None) -> bytes:
    if file is None:
        return b""
    buffer = _Buffer()  # one for each time: two threads read here
    # os.pread would let go of the interpreter, and what is read be over when others let the reader in again
    size = _pread(file, buffer, len(buffer), 0)
    return buffer.raw[: max(0, size)]


_Buffer: Final = ctypes.c_char * 256
"""Kept, for ctypes makes such a type anew when it has been forgotten, which takes 40 µs."""


def _opened(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY)
    except OSError:
        return None


def _reader() -> Any:
    if sys.platform != "linux":  # pragma: no cover (Linux only is tested)
        return None
    pread = ctypes.PyDLL(None).pread
    pread.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long)
    pread.restype = ctypes.c_ssize_t
    return pread


def _runtime_address() -> int | None:
    try:
        return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    except ValueError:  # pragma: no cover (another implementation than CPython)
        return None


_pread: Final = _reader()
_runtime: Final = _runtime_address()


def waits_in_runtime(fields: Sequence[bytes]) -> bool:
    """Whether a call in which a thread sleeps, by the system's words for it, is on an address of the interpreter's.

    Of another process it is told if that was forked from this one, or this one from it.
    """
    if _runtime is None or len(fields) < 2:
        return False
    return _runtime <= int(fields[1], 16) < _runtime + _RUNTIME_BYTES


def starts_a_thread(frame: FrameType | None) -> bool:
    """Whether a thread that sleeps does so in `Thread.start`: until the new thread has had the interpreter."""
    for _ in range(_DEPTH):
        if frame is None:
            return False
        if frame.f_code is STARTS:
            return True
        frame = frame.f_back
    return False


class Lockouts:
    """For each step, how long its thread has waited for the interpreter so far, from one look to the next.

    Args:
        within: for some steps, what the thread itself first read of its delay within the step: it had no more before.
    """

    def __init__(self, within: Mapping[int, int] | None = None) -> None:
        self._within = within or {}
        self._last: dict[int, tuple[int, Reading, int]] = {}
        self._first: dict[int, int] = {}
        self._sums: dict[int, int] = {}
        self._delays: dict[int, int] = {}

    def at(self, step: int, at_ns: int, start_ns: int, known: Reading | int | None, delay_ns: int | None) -> int | None:
        """The sum at a look, in nanoseconds; `None` if it is not known.

        Args:
            step: the step's number.
            at_ns, start_ns: when the look was taken, and when the step began; a look before that is the last before
                it, from which on time is accounted for.
            known: what was read; or, where it is exact, the thread's waits since it began, in nanoseconds.
            delay_ns: how long the thread has queued for a processor since it began.
        """
        if known is None:
            return None
        if isinstance(known, int):
            return known - self._first.setdefault(step, known)
        if step in self._last:
            if known.queued:  # what it queues now is told later: it would be counted here and there
                return self._sums[step]
            before_ns, before, before_delay_ns = self._last[step]
            wall_ns = at_ns - max(before_ns, start_ns)
            delayed_ns = 0 if delay_ns is None else delay_ns - before_delay_ns
            self._sums[step] += _waited_ns(before, known, wall_ns - delayed_ns)
        self._sums.setdefault(step, 0)
        self._last[step] = at_ns, known, delay_ns or 0
        return self._sums[step]

    def delay_ns(self, step: int, at_ns: int, start_ns: int, end_ns: int, delay_ns: int | None) -> int | None:
        """What to take for a thread's delay at a look, so that no difference within a step is too great.

        Of a delay that began before the step or was read after it, it is not known how much fell into the step: what
        the time before and after cannot have held.

        Args:
            step: the step's number.
            at_ns: when the look was taken; of a look before the step, up to when the delay is told in full.
            start_ns, end_ns: when the step began and ended.
            delay_ns: how long the thread had queued for a processor since it began, as it was read.
        """
        if delay_ns is None:
            return None
        first_ns = delay_ns + max(0, start_ns - at_ns)
        least_ns = self._delays.setdefault(step, min(first_ns, self._within.get(step, first_ns)))
        return max(least_ns, delay_ns - max(0, at_ns - end_ns))


def _waited_ns(before: Reading, after: Reading, wall_ns: int) -> int:
    """How much of a stretch went on waiting for the interpreter: nothing if the thread was seen to sleep in it.

    What was used before the step began is taken off too, so it may be less than the truth. Who waits, waits for
    somebody who computes; that one may itself queue for a processor, for how long is not known.
    """
    if before.asleep or after.asleep:
        return 0
    idle_ns = wall_ns - (after.cpu_ns - before.cpu_ns)
    others_ns = after.others_ns - before.others_ns
    return max(0, idle_ns if idle_ns <= _CROWD * others_ns else others_ns)
