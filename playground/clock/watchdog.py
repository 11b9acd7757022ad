"""The watchdog of virtual time: it notices when whoever holds the baton really waits, and so holds up everybody.

Virtual time knows of waits that go through Python's own functions while they are borrowed. A lock made before the
lab, a socket read in C, a database driver wait past it. From outside that looks like work, so a thread of real time
looks every quarter of a second whether the baton moves; where it does not, the processor time of the thread that
holds it tells "really blocked" from "burning CPU". What follows is for the loop to decide.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from playground.clock.lines import place_of
from playground.clock.native import cpu_s, sleeps
from playground.clock.runner import Runner, outside

__all__ = ["Watchdog"]

TICK_S: Final = 0.25
_TICKS: Final = 3
"""Looks that must agree: a page fault or a busy disk holds a thread up for less than three quarters of a second."""
_IDLE_SHARE: Final = 0.05
"""Processor time, as a share of a tick, below which a thread may be waiting. On a busy machine one that wants to run
may get less, so where the system tells, it must also sleep."""
_TOLD_AFTER_S: Final = 5.0
"""How long a step may compute before it is worth a word."""

log: Final = logging.getLogger("playground.clock")


class _Look(NamedTuple):
    progress: int
    ident: int
    cpu_s: float | None
    sleeps: bool | None

    def waits_since(self, last: "_Look") -> bool:
        """Whether the thread really waits, as far as these two looks tell."""
        if self.sleeps is not None and not (self.sleeps and last.sleeps):
            return False
        return self.cpu_s is None or last.cpu_s is None or self.cpu_s - last.cpu_s < _IDLE_SHARE * TICK_S


class Watchdog:
    """Looks at the holder of the baton while virtual time goes on.

    Args:
        progress: a number that changes whenever the baton or the loop moves.
        holder: who holds the baton.
        on_blocked: told, once, of a runner that really waits.

    Its thread starts with the first `resume` and sleeps while it is paused.
    """

    def __init__(
        self, progress: Callable[[], int], holder: Callable[[], Runner], on_blocked: Callable[[Runner], None]
    ) -> None:
        self._progress = progress
        self._holder = holder
        self._on_blocked = on_blocked
        with outside():
            self._awake = threading.Event()
            self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def resume(self) -> None:
        """Virtual time goes on."""
        self._awake.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="playground watchdog", daemon=True)
            with outside():
                self._thread.start()

    def pause(self) -> None:
        """Nobody waits for virtual time: there is nothing to look at."""
        self._awake.clear()

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._awake.set()
        if self._thread is not None:
            with outside():
                self._thread.join()

    def _watch(self) -> None:
        last: _Look | None = None
        still = computing_s = 0.0
        while not self._over.wait(TICK_S):
            if not self._awake.is_set():
                last = None
                self._awake.wait()
                continue
            look = self._look()
            if last is None or look[:2] != last[:2]:
                still = computing_s = 0
            elif look.waits_since(last):
                still += 1
                if still == _TICKS:
                    self._on_blocked(self._holder())
            else:
                still = 0
                computing_s += TICK_S
                if computing_s == _TOLD_AFTER_S:
                    self._tell(look.ident)
            last = look

    def _look(self) -> _Look:
        holder = self._holder()
        return _Look(self._progress(), holder.ident, cpu_s(holder.ident), sleeps(holder.native_id))

    def _tell(self, ident: int) -> None:
        log.warning(
            "Burning CPU for %g s now, at %s: virtual time stands still meanwhile, for it counts waits, and work only "
            "where playground.work(seconds) says how much.",
            _TOLD_AFTER_S,
            place_of(ident),
        )
