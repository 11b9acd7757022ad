"""A loop without a thread of its own: whoever calls into it runs it, until the call is answered.

In a browser a notebook's cell runs within the kernel's own loop, and there is nobody else to run the lab's. So that
loop steps aside: for the time of a call the lab's is the running one, on the same thread, and then everything is as
before. It does what a `LoopThread` does, as far as one thread can.
"""

import asyncio
import concurrent.futures
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, TypeVar

from playground.clock.aside import loop_aside
from playground.clock.calls import Call
from playground.clock.life import _main, tell, wind_up
from playground.clock.runner import current, outside
from playground.clock.simulated_loop import SimulatedLoop
from playground.clock.thread import LoopThread
from playground.errors import LabClosed, NotInVirtualTime

__all__ = ["LoopHere"]

T = TypeVar("T")

_KEEPS: Final[Any] = asyncio.base_events._run_until_complete_cb  # type: ignore[attr-defined]

_TICK_S = 1 / 15
"""How often who waits looks up, as in `thread`."""

_TURNS: Final = 1_000
"""Turns of the loop within which whoever was interrupted has told those who wait for it."""


class LoopHere(LoopThread):
    """See `LoopThread`; `call` runs the loop on the calling thread.

    Args:
        loop: a virtual loop with simulated workers.
    """

    loop: SimulatedLoop

    def _begin(self, name: str, on_start: Callable[[], object]) -> None:
        loop = self.loop
        loop.set_exception_handler(tell)
        loop.attend(self._calls.waiting, self._calls.break_off)
        # anyio ties its workers to a task that was given to run_until_complete: this is how it knows one
        ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        loop.keeper = loop.create_task(_main(self._stop, on_start, ready), name="lab")
        loop.keeper.add_done_callback(_KEEPS)
        with self._running(None):
            loop.run_forever()
        ready.result()

    @property
    def inside(self) -> bool:
        """Whether the caller is a step of this loop."""
        return current() is self.loop.runner

    def _wait_for(self, call: Call[T], meanwhile: Callable[[], object] | None) -> T:
        self._calls.begin(call)
        raised: list[BaseException] = []

        def look_up() -> None:
            if meanwhile is not None and not raised:
                try:
                    meanwhile()
                except BaseException as error:  # noqa: BLE001 (it is raised when the call has unwound)
                    raised.append(error)
                    call.abort()

        with self._running(look_up):
            try:
                self._run()
            except (KeyboardInterrupt, SystemExit):
                self._settle()  # it is for the task in whose step it came, which may be this call's
                if not call.done():
                    call.abort()
                    self._run()
                    raise
        if raised:
            raise raised[0]
        return call.result()

    def call_last(self, function: Callable[..., Coroutine[Any, Any, object]], limit_s: float) -> None:
        """The same before closing; in virtual time, it takes as long as it takes."""
        self.call(function)

    def tidy(self, function: Callable[..., Coroutine[Any, Any, object]], *args: Any) -> None:
        """The same for cleaning up."""
        self.call(function, *args)

    async def call_async(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """The same for who awaits on another loop, which does nothing else meanwhile."""
        if asyncio.get_running_loop() is self.loop:
            return await function(*args)
        return self.call(function, *args)

    def close(self) -> None:
        """Cancel all that runs there, and close the loop. May be called twice; by itself, it only asks for the end."""
        if self._calls.refused:
            return
        self._calls.refuse(LabClosed("expected an open lab, got one that was closed: make a new Lab(app)"))
        if self.loop.is_running():
            return
        self._stop.set()
        with self._running(None):
            while not (self.loop.keeper is None or self.loop.keeper.done()):
                self.loop.run_forever()
            self.loop.attend(None, None)
            self.loop.run_until_complete(wind_up(self.loop))
        self._calls.end()
        self.loop.close()

    # -- inside ---------------------------------------------------------------------------------------------

    def _new_call(self, function: Callable[..., Coroutine[Any, Any, T]], args: tuple[Any, ...]) -> Call[T]:
        me = current()
        if me is not None and me.baton is self.loop.baton and not self.inside:
            raise NotInVirtualTime(
                "expected a worker that waits for time only, got one that calls its own lab: this Python has no "
                "threads (as in a browser), so the event loop cannot go on while a simulated worker waits for it. "
                "Make the handler an async def, which awaits lab.client."
            )
        return super()._new_call(function, args)

    def _run(self) -> None:
        """Let the loop run until nobody waits for it and nothing is ready."""
        self.loop.run_forever()
        while self._calls.waiting():  # the app has stopped the loop
            self.loop.run_forever()

    def _settle(self) -> None:
        """Let the loop run as long as that takes no time, but not for ever."""
        self.loop.waited_for = _nobody_waits
        self.loop.turns_left = _TURNS
        try:
            self.loop.run_forever()
        finally:
            self.loop.waited_for = self._calls.waiting
            self.loop.turns_left = None

    @contextlib.contextmanager
    def _running(self, meanwhile: Callable[[], object] | None) -> Iterator[None]:
        """Let this loop be the running one; the other is so again afterwards, in the task that it was in."""
        self.loop.meanwhile = None if meanwhile is None else _now_and_then(meanwhile)
        try:
            with loop_aside(), outside():
                yield
        finally:
            self.loop.meanwhile = None


def _nobody_waits() -> bool:
    return False


_real_monotonic = time.monotonic


def _now_and_then(function: Callable[[], object]) -> Callable[[], None]:
    """Call a function no more often than every fifteenth of a second of real time."""
    next_s = _real_monotonic() + _TICK_S

    def look_up() -> None:
        nonlocal next_s
        if _real_monotonic() >= next_s:
            with outside():
                function()
            next_s = _real_monotonic() + _TICK_S

    return look_up
