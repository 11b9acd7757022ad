"""The sampler: looks at the loop's thread from outside while a step holds it, and notes the line it stands at.

A blocking call gives the loop no chance to say where it is, so another thread looks, every 5 ms, and only
notes something when it finds the same step running as at its last look. It decides nothing: what counts as a
block is for the trace to say. Where the system tells (Linux), it also reads how long the thread has queued for
a processor, and how it waited, so that neither a busy machine nor another thread that computes is mistaken for a busy
handler (see `lockout`). A loop that is busy with short steps says so itself, and puts off the next look: to wake up
only to learn that would cost more than all else. The garbage collector is no fault of the line over which it comes; it
says itself when it runs.
"""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from time import sleep  # by its own name: in virtual time another stands in the module
from types import CodeType, FrameType
from typing import Final, NamedTuple, Protocol

from playground.code import is_own
from playground.trace.alarm import Alarm
from playground.trace.lockout import STARTS, Outside, Reading, starts_a_thread

__all__ = ["BEFORE", "TICK_S", "Look", "Pause", "Sampler", "called_by", "place_of"]

TICK_S: Final = 0.005
"""Time between two looks: at most 200 a second, each about 10 µs, so 0.2 % of one core."""

_TURNS: Final = ("_recorded_turn", "_run_once", "recorded_step", "unrolled_run")
"""Functions of loops, the last one of trio's, that call a step; what lies further out is not the step's."""

_TICK_NS: Final = round(TICK_S * 1e9)
_OVERSLEPT_NS: Final = 2 * _TICK_NS
_PUT_OFF_NS: Final = _TICK_NS // 2
"""How often a loop puts off the next look. Twice in its time: so none comes as long as each turn is shorter than this,
and none as long as each turn is longer, but shorter than a tick."""
_LET_IN_S: Final = 1e-5
"""How long the loop stands aside for a sampler that is awake: as short as can be asked for. On Linux it takes some
60 µs, in which a thread that waits for the interpreter has it."""
_NEVER_NS: Final = 1 << 63
_PROMPT_NS: Final = 200_000
"""A look takes about 10 µs; one that took longer than this was itself kept waiting in the middle."""

_OURS: Final = tuple(
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), room, "")
    for room in ("clock", "trace", "models")
)
"""Rooms whose own work is nobody's line: it comes before and after that of a loop's callbacks, or of a model's job."""


class Pause(NamedTuple):
    """How a collection ended: when, how long the thread had queued by then, and the processor time that it used."""

    ended_ns: int
    delay_ns: int | None
    used_ns: int


Look = tuple[int, int, int | None, CodeType | None, int, Reading | Pause | int | None, CodeType | None]
"""Step, time in ns, run delay in ns, code (`None`: nobody looked at the line), instruction offset (`BEFORE`: it is
what was known before the step began, and its time the one up to which the run delay is known to be told in full),
what `lockout.Lockouts` needs to know, and the code that was called there (see `called_by`)."""

BEFORE: Final = -1
COLLECTED: Final = -2
"""In the place of an offset: the garbage collector began. It may do so as a step is being noted, so which step it fell
into is told by its time."""

_COLLECTED_NS: Final = 1_000_000
"""Collections that took less are not worth a note: most do, and there are hundreds a second."""

_Tick = tuple[int, int, int | None, Reading | None]
"""Step, time in ns up to which the run delay is told in full, run delay in ns, reading."""


class _Steps(Protocol):
    step: int


class Sampler:
    """Looks at one thread until it is closed.

    Args:
        loop: whose `step` tells which step is running (0: none).
        now: the recorder's clock, in nanoseconds.
        looks: where to append what was seen.

    Attributes:
        due_ns: when the loop should say that it has `moved_on`, on that clock; see `playground.clock.recorder.Looker`.

    To be made on the loop's own thread.
    """

    def __init__(self, loop: _Steps, now: Callable[[], int], looks: list[Look]) -> None:
        self._loop = loop
        self._now = now
        self._looks = looks
        self._ident = threading.get_ident()
        self._outside = Outside()
        self._tick: _Tick = (0, now(), None, None)
        self._before: _Tick = self._tick
        """The last tick, and the last that found another step than that."""
        self._ended: _Tick = self._tick
        """What the loop's thread itself read last: at the end of a long step, or as it put off the next look."""
        self._looked = 0
        self._ticked_ns = self._tick[1]
        self._awaits_ns = self._ticked_ns
        """Since when the sampler's thread sleeps."""
        self.due_ns = self._ticked_ns + _PUT_OFF_NS
        # since when, how much of the processor the thread had used then, and how long it had queued for one
        self._collecting: tuple[int, int, int | None] = 0, 0, None
        self._alarm = Alarm(_TICK_NS)
        gc.callbacks.append(self._collects)
        self._thread = threading.Thread(target=self._watch, name="playground sampler", daemon=True)
        try:
            self._thread.start()
        except BaseException:  # the system has no thread left, or an interrupt came
            gc.callbacks.remove(self._collects)
            self._alarm.ring()
            self._outside.close()
            raise

    def close(self) -> None:
        """Stop looking; returns when the thread has ended."""
        gc.callbacks.remove(self._collects)
        self.due_ns = _NEVER_NS
        self._alarm.ring()
        self._thread.join()
        self._alarm.close()
        self._outside.close()

    def end_of(self, step: int) -> None:
        """Note that a long step has just ended. Called on the loop's thread."""
        self._begin(step)
        ended_ns = self._now()
        delay_ns, reading = self._outside.delay_ns(), self._outside.reading()
        self._ended = step, ended_ns, delay_ns, reading
        # the time comes last: what queued after the step is then no longer than the time that has passed since
        self._looks.append((step, self._now(), delay_ns, None, 0, reading, None))

    def moved_on(self) -> None:
        """Note that the loop has come to another step, and put off the next look. Called on its thread, when due.

        A sampler that has woken up already waits for the interpreter, and is let in. A busy loop lets go of it only
        while it looks for I/O, and has it back before a thread that must first be woken can take it: so that one would
        be woken in vain each time, at a cost to both, and not get to look.
        """
        now_ns = self._now()
        self.due_ns = now_ns + _PUT_OFF_NS
        if now_ns - self._awaits_ns >= _TICK_NS:
            sleep(_LET_IN_S)
        elif self._alarm.can_be_put_off:
            self._alarm.put_off()
            self._awaits_ns = now_ns
            if now_ns - self._ended[1] >= _TICK_NS:  # no older than a tick's: that is often enough
                self._ended = 0, now_ns, self._outside.delay_ns(), self._outside.reading()

    def _collects(self, phase: str, info: dict[str, int]) -> None:
        """The garbage collector runs in the thread that made it necessary, on whatever line that is."""
        if info["generation"] == 0 or threading.get_ident() != self._ident:  # the youngest are few, and soon looked at
            return
        if phase == "start":
            self._collecting = self._now(), time.thread_time_ns(), self._outside.delay_ns()
            return
        began_ns, before_ns, delay_ns = self._collecting
        used_ns = time.thread_time_ns() - before_ns
        step = self._loop.step
        if step and used_ns >= _COLLECTED_NS:
            pause = Pause(self._now(), self._outside.delay_ns(), used_ns)
            self._looks.append((step, began_ns, delay_ns, None, COLLECTED, pause, None))

    def _watch(self) -> None:
        self._outside.leave_out()
        self._awaits_ns = self._now()
        while self._alarm.sleep():
            after = self._now()
            step = self._loop.step
            # a call that holds the interpreter's lock lets nobody look until it lets go: then look at once
            if step and (step == self._tick[0] or after - self._awaits_ns > _OVERSLEPT_NS):
                self._look(step, after)
            if step != self._tick[0]:
                self._before = self._tick
            self._tick = self._ticked(step, after)
            self._ticked_ns = after
            self._awaits_ns = self._now()

    def _ticked(self, step: int, at_ns: int) -> _Tick:
        """What is known now.

        The system tells of a delay only when it is over. So a thread that may be queueing has been at it, untold,
        since the last moment at which it is known to have slept or run: it has run if anything read of it differs.
        """
        waking = self._outside.wakes()  # first: if it wakes up after this, its delay began after `at_ns`
        delay_ns, reading = self._outside.delay_ns(), self._outside.reading()
        _, told_ns, last_delay_ns, last = self._tick
        ran = delay_ns != last_delay_ns or (reading and reading.cpu_ns) != (last and last.cpu_ns)
        if not waking:
            told_ns = at_ns
        elif ran:
            told_ns = self._ticked_ns
        return step, told_ns, delay_ns, reading

    def _look(self, step: int, at_ns: int) -> None:
        frame = sys._current_frames().get(self._ident)
        if frame is None:
            return
        place = place_of(frame)
        if place is None:
            return
        code, offset, called = place.f_code, place.f_lasti, called_by(place, frame)
        reading = self._outside.looked(self._outside.reading())
        delay_ns = self._outside.delay_ns()
        if self._now() - at_ns > _PROMPT_NS:  # what was read is of a later moment, maybe after the recording's end
            reading = delay_ns = None
        if starts_a_thread(frame):
            called = STARTS
            reading = None if reading is None else reading._replace(asleep=False)
        if self._loop.step != step:  # asked last, for who looks may be kept waiting anywhere above
            return
        self._begin(step)
        self._looks.append((step, at_ns, delay_ns, code, offset, reading, called))

    def _begin(self, step: int) -> None:
        """Before the first look at a step, note what was known before it began."""
        if self._looked != step:
            self._looked = step
            before = self._before if self._tick[0] == step else self._tick
            if self._ended[0] != step and self._ended[1] > before[1]:
                before = self._ended
            if before[3] is not None:
                self._looks.append((step, before[1], before[2], None, BEFORE, before[3], None))


def place_of(frame: FrameType) -> FrameType | None:
    """The innermost frame of the user's own code within the step; the innermost of all where there is none.

    `None` where the step is over, or what ran in it, and the loop, the recorder or a model is at its own work.
    """
    own: FrameType | None = frame
    while own is not None and own.f_code.co_name not in _TURNS:
        if is_own(own.f_code.co_filename):
            return own
        own = own.f_back
    return None if frame.f_code.co_filename.startswith(_OURS) else frame


def called_by(place: FrameType, frame: FrameType | None) -> CodeType | None:
    """What `place` had called when `frame`, the innermost, was seen; `None` if it was that one, or called itself."""
    inner = None
    while frame is not None and frame is not place:
        inner, frame = frame, frame.f_back
    return None if inner is None or frame is None else inner.f_code
