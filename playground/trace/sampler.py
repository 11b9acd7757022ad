"""The sampler: looks at the loop's thread from outside while a step holds it, and notes the line it stands at.

A blocking call gives the loop no chance to say where it is, so another thread looks, every 5 ms, and only
notes something when it finds the same step running as at its last look. It decides nothing: what counts as a
block is for the trace to say. Where the system tells (Linux), it also reads how long the thread has queued for
a processor, so that a busy machine is not mistaken for a busy handler.
"""

import os
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Final, Protocol

from playground.code import is_own

__all__ = ["TICK_S", "Look", "RunDelay", "Sampler", "place_of"]

TICK_S: Final = 0.005
"""Time between two looks: at most 200 a second, each about 10 µs, so 0.2 % of one core."""

_TURNS: Final = ("_recorded_turn", "_run_once", "recorded_step", "unrolled_run")
"""Functions of loops, the last one of trio's, that call a step; what lies further out is not the step's."""

_OVERSLEPT_NS: Final = round(2 * TICK_S * 1e9)
_OURS: Final = tuple(
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), room, "") for room in ("clock", "trace")
)

Look = tuple[int, int, int | None, CodeType | None, int]
"""Step, time in ns, run delay in ns, code (`None`: taken by the loop itself), instruction offset."""


class _Steps(Protocol):
    step: int


class RunDelay:
    """How long a thread has queued for a processor, from Linux's schedstat (its second number, in ns)."""

    def __init__(self, native_id: int) -> None:
        try:
            self._file: int | None = os.open(f"/proc/self/task/{native_id}/schedstat", os.O_RDONLY)
        except OSError:
            self._file = None

    def read_ns(self) -> int | None:
        """Nanoseconds since the thread began; `None` where the system does not tell."""
        if self._file is None:
            return None
        fields = os.pread(self._file, 64, 0).split()
        # a kernel without CONFIG_SCHED_INFO reports no run time at all
        return int(fields[1]) if len(fields) == 3 and fields[0] != b"0" else None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Sampler:
    """Looks at one thread until it is closed.

    Args:
        loop: whose `step` tells which step is running (0: none).
        now: the recorder's clock, in nanoseconds.
        looks: where to append what was seen.

    To be made on the loop's own thread.
    """

    def __init__(self, loop: _Steps, now: Callable[[], int], looks: list[Look]) -> None:
        self._loop = loop
        self._now = now
        self._looks = looks
        self._ident = threading.get_ident()
        self._delay = RunDelay(threading.get_native_id())
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="playground sampler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking; returns when the thread has ended."""
        self._over.set()
        self._thread.join()
        self._delay.close()

    def end_of(self, step: int) -> None:
        """Note that a long step has just ended. Called on the loop's thread."""
        self._looks.append((step, self._now(), self._delay.read_ns(), None, 0))

    def _watch(self) -> None:
        last = 0
        before = self._now()
        while not self._over.wait(TICK_S):
            after = self._now()
            step = self._loop.step
            # a call that holds the interpreter's lock lets nobody look until it lets go: then look at once
            if step and (step == last or after - before > _OVERSLEPT_NS):
                self._look(step, after)
            last = step
            before = after

    def _look(self, step: int, at_ns: int) -> None:
        frame = sys._current_frames().get(self._ident)
        if frame is None:
            return
        place = place_of(frame)
        if place is None or self._loop.step != step:
            return
        # read before anything that lets other threads run, after which the frame would stand elsewhere
        code, offset = place.f_code, place.f_lasti
        self._looks.append((step, at_ns, self._delay.read_ns(), code, offset))


def place_of(frame: FrameType) -> FrameType | None:
    """The innermost frame of the user's own code within the step; the innermost of all where there is none.

    `None` where the step is over and the loop, or the recorder, is at its own work.
    """
    own: FrameType | None = frame
    while own is not None and own.f_code.co_name not in _TURNS:
        if is_own(own.f_code.co_filename):
            return own
        own = own.f_back
    return None if frame.f_code.co_filename.startswith(_OURS) else frame
