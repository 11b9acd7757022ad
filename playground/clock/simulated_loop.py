"""The virtual loop where there are no threads: nothing comes from outside, and its workers are simulated.

What is left out here is what only a thread could do: to look whether another really waits, to wake a loop that rests,
to lose one's turn in the middle of a line.
"""

import asyncio
import selectors
from collections.abc import Callable, Mapping
from contextvars import Context
from functools import partial
from typing import Any

from playground.clock.simulated import SimulatedBaton
from playground.clock.simulated_lives import LIVES
from playground.clock.virtual import VirtualLoop
from playground.errors import NotInVirtualTime

__all__ = ["SimulatedLoop"]


class _NoWatchdog:
    """Nobody can look at a thread from another where there is none."""

    def resume(self) -> None: ...

    def pause(self) -> None: ...

    def close(self) -> None: ...


class _NoSelector(selectors.BaseSelector):
    """There is nothing outside to wait for."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        raise NotInVirtualTime("expected nothing to wait for outside virtual time, got a socket or pipe")

    unregister = register  # type: ignore[assignment]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}


class SimulatedLoop(VirtualLoop):
    """A virtual loop that needs no thread but the one that runs it; see `VirtualLoop`.

    Attributes:
        meanwhile: called now and then while it runs.
        turns_left: after how many turns it stops; `None` for any number.
    """

    baton: SimulatedBaton

    def __init__(self, **settings: Any) -> None:
        self.meanwhile: Callable[[], object] | None = None
        self.turns_left: int | None = None
        super().__init__(**settings)
        self._selector.close()
        self._selector = _NoSelector()

    def _new_baton(self, charge_cpu: bool) -> SimulatedBaton:
        return SimulatedBaton(self._may_pass, self._blocked_for_ever, self._rng, lives=LIVES, refuse=self._refuse)

    def _refuse(self, words: str) -> NotInVirtualTime:
        """The error to be raised at its line; and the same for who waits for all this, whatever the app makes of it."""
        self._refusal = self._refusal or NotInVirtualTime(words)
        return NotInVirtualTime(words)

    def _new_watchdog(self) -> Any:
        return _NoWatchdog()

    def _new_preemption(self) -> None:
        """A worker cannot be left in the middle of its code; with a random schedule there is none (see `simulated`)."""

    def _make_self_pipe(self) -> None:
        """Nobody outside could write into it."""
        self._ssock = self._csock = None
        self._internal_fds = 0

    def _close_self_pipe(self) -> None:
        pass

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        call = partial(super().call_soon_threadsafe, callback, *args, context=context)
        worker = self.baton.playing
        if worker is None or worker.script is None or self.baton.now_ns == worker.began_ns:
            return call()
        handle = asyncio.Handle(callback, args, self, context)  # for who wants to cancel it
        worker.script.append(lambda: None if handle.cancelled() else call())
        return handle

    def _poll(self, recorder: Any) -> None:
        if self.meanwhile is not None:
            self.meanwhile()
        if self.turns_left is not None:
            self.turns_left -= 1
            if self.turns_left < 0:
                self.stop()
        super()._poll(recorder)

    def _wait_outside(self, timeout_s: float | None) -> bool:
        if timeout_s is None:  # nobody waits for the loop any more: whoever runs it goes on
            self.stop()
        return False
