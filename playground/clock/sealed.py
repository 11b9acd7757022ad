"""What a virtual loop does about the world outside: its threads may wake the loop, and nothing else comes from there.

Data of a socket or a pipe would come at a random virtual moment, so that nothing can be awaited from one; the loop's
own pipe, through which it is woken, is there before the door is shut. Which thread is outside, `runner` knows.
"""

from collections.abc import Callable
from typing import Any

from playground.clock.baton import Baton
from playground.clock.loop import LabLoop
from playground.clock.runner import current, outside
from playground.errors import NotInVirtualTime

__all__ = ["Sealed"]


class Sealed(LabLoop):
    """The part of a virtual loop that looks out."""

    baton: Baton

    _sealed = False
    """From when on there is nothing more to wait for outside."""

    def _wait_outside(self, timeout_s: float | None) -> bool:
        """Wait in real time for a thread outside; whether one came."""
        with outside():
            events = self._selector.select(timeout_s)
            if events:
                self._process_events(events)  # type: ignore[attr-defined]
        return bool(events)

    def _write_to_self(self) -> None:
        me = current()
        if me is None or me.baton is not self.baton:
            self.baton.knock(self.baton.wake_loop)
            super()._write_to_self()  # type: ignore[misc]
        elif me is not self.baton.loop:
            self.baton.wake_loop()

    def _read_from_self(self) -> None:
        with outside():
            super()._read_from_self()

    def _add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:
        return self._watch(super()._add_reader, fd, callback, *args)  # type: ignore[misc]

    def _add_writer(self, fd: Any, callback: Any, *args: Any) -> Any:
        return self._watch(super()._add_writer, fd, callback, *args)  # type: ignore[misc]

    def _watch(self, add: Callable[..., Any], fd: Any, *args: Any) -> Any:
        if self._sealed:
            raise NotInVirtualTime(
                "expected nothing from outside in virtual time, got a socket or pipe to wait for: its data would come "
                "at a random virtual moment. Make the lab with clock='real'."
            )
        return add(fd, *args)
