"""What Linux tells of one of this process's threads: its state, the processor that it is on, the time it has used.

Read from outside, by the thread's numbers. Elsewhere, and of a thread that is gone, nothing is known: `None`.
"""

import _thread
import time
from collections.abc import Callable
from typing import Final

__all__ = ["cpu_s", "get_native_id", "processor", "sleeps", "thread_time_ns"]

thread_time_ns: Final[Callable[[], int]] = getattr(time, "thread_time_ns", time.process_time_ns)
"""The calling thread's processor time. A browser's Python has one thread, and no other word for it than the process."""

get_native_id: Final[Callable[[], int]] = getattr(_thread, "get_native_id", _thread.get_ident)
"""The system's number of the calling thread, where the system knows of threads."""

_STATE: Final = 0
_PROCESSOR: Final = 36
"""Where a thread's state and its processor stand among the fields of /proc/.../stat that follow its name: they are the
3rd and the 39th of all (proc(5))."""


def sleeps(native_id: int) -> bool | None:
    """Whether a thread sleeps, and does not only queue for a processor."""
    state = _stat(native_id, _STATE)
    return None if state is None else state in "SD"


def processor(native_id: int) -> int | None:
    """The number of the processor that a thread was last on."""
    number = _stat(native_id, _PROCESSOR)
    return None if number is None else int(number)


def cpu_s(ident: int) -> float | None:
    """A thread's processor time, in seconds, by `threading.get_ident`."""
    if not hasattr(time, "pthread_getcpuclockid") or not ident:
        return None
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(ident))
    except OSError:
        return None


def _stat(native_id: int, field: int) -> str | None:
    try:
        with open(f"/proc/self/task/{native_id}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(") ")[2].split()
    except OSError:
        return None
    return fields[field] if field < len(fields) else None
