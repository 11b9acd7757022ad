"""A sleep of one thread that another puts off, again and again, without waking it.

A thread that sleeps with a timeout and must be told to sleep on has to wake for it, which needs the interpreter; where
another thread is busy, it is woken in vain a hundred times before it has it. Linux has a timer that can be set anew
while somebody waits for it. It decides nothing of when to wake and what for. Where the system has no such timer, the
sleep cannot be put off.
"""

import ctypes
import os
import sys
import threading
from typing import Any, Final

__all__ = ["Alarm"]

_MONOTONIC: Final = 1  # CLOCK_MONOTONIC, in <time.h>
_CLOEXEC: Final = 0o2000000  # TFD_CLOEXEC, which is O_CLOEXEC (asm-generic/fcntl.h)
_COUNT_BYTES: Final = 8  # what a read of the timer gives: how often it has gone off


def _timers() -> Any:
    """The C library's functions: os.timerfd_create is there from 3.13 on only. Calls keep the interpreter."""
    if sys.platform != "linux":  # pragma: no cover (Linux only is tested)
        return None
    library = ctypes.PyDLL(None)
    if not hasattr(library, "timerfd_settime"):  # pragma: no cover (the C library of no Linux here lacks it)
        return None
    library.timerfd_settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    return library


_library: Final = _timers()


class Alarm:
    """Wakes one thread after a while.

    Args:
        delay_ns: how long a sleep takes that nobody puts off; less than a second.

    Attributes:
        can_be_put_off: whether the system has what that takes.
    """

    def __init__(self, delay_ns: int) -> None:
        self._delay_s = delay_ns / 1e9
        self._over = threading.Event()
        self._timer = -1 if _library is None else _library.timerfd_create(_MONOTONIC, _CLOEXEC)
        self.can_be_put_off = self._timer >= 0
        # seconds and nanoseconds, first of how often to go off again (never), then of when
        self._later = (ctypes.c_long * 4)(0, 0, 0, delay_ns)
        self._now = (ctypes.c_long * 4)(0, 0, 0, 1)

    def sleep(self) -> bool:
        """Sleep for the delay, or for longer if it is put off; gives `False` once it has rung for the last time."""
        if not self.can_be_put_off:
            return not self._over.wait(self._delay_s)
        if not self._over.is_set():
            self.put_off()
            os.read(self._timer, _COUNT_BYTES)
        return not self._over.is_set()

    def put_off(self) -> None:
        """Begin the delay anew for who sleeps; called where it `can_be_put_off`, and before the alarm is closed."""
        _library.timerfd_settime(self._timer, 0, self._later, None)

    def ring(self) -> None:
        """Wake who sleeps, for the last time, or who is about to, after the delay at most."""
        self._over.set()
        if self.can_be_put_off:
            _library.timerfd_settime(self._timer, 0, self._now, None)

    def close(self) -> None:
        """Give the timer back; nobody may sleep any more."""
        if self.can_be_put_off:
            self.can_be_put_off = False
            os.close(self._timer)

    def __del__(self) -> None:
        # whose thread was interrupted as it was started cannot wait for it to end
        self.close()
