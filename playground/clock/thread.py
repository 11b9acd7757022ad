"""An event loop in a thread of its own, that other threads and other loops may call.

A notebook's main thread runs the kernel's loop, and a loop cannot be run inside another; so a lab's loop gets a
thread. This module decides how one calls into it, how a keyboard interrupt reaches what was called, and how the
thread ends. It knows nothing of apps or recordings.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, TypeVar

from playground.clock.afterwards import catch_up
from playground.clock.calls import Call, Calls
from playground.clock.held import busy_workers, is_worker, running_task, where
from playground.clock.life import live, say_nothing_of
from playground.clock.loop import LabLoop
from playground.clock.runner import current
from playground.errors import LabClosed, LabError, NotInVirtualTime

__all__ = ["LoopThread"]

T = TypeVar("T")

log = logging.getLogger("playground.lab")

_UNWIND_S: Final = 0.15
"""How long an interrupted call may take to unwind: with `_AFTER_S`, well under what a person takes for "at once"
(0.5 s), for the kernel needs some of that too."""
_AFTER_S: Final = 0.05
"""How much longer it may take after it was thrown out of a step that held the loop."""
_ROUND_S: Final = 0.002
_ROUNDS_S: Final = 0.1
"""How long what follows is thrown at too, one after another, and how long each is given."""
_TICK_S: Final = 1 / 15
"""How often a waiting caller looks up. A signal that arrives just before a thread begins to wait does not wake it; an
awaiting caller's loop runs a signal handler that asyncio does not know of only when it wakes."""
_CLOSE_S: Final = 2.0
"""How long closing waits for a loop that is held by a blocking call."""


_HELD: Final = (
    "The call is cancelled, but its code still holds the event loop and cannot be stopped from outside; "
    "the lab goes on when it returns. It stands at:\n"
)
_WORKERS: Final = (
    "A thread cannot be stopped from outside: these worker threads of the lab go on to the end of what they do. "
    "They stand at:\n"
)
_CLOSED_HELD: Final = (
    "The lab is closed, but code of its app still holds the event loop and cannot be stopped from outside; the loop's "
    "thread ends when it returns. It stands at:\n"
)
_CLOSED_WORKERS: Final = "The lab is closed. " + _WORKERS


class _Overdue(Exception):
    """A call before closing has had its time."""


class LoopThread:
    """A running `LabLoop` and its thread.

    Args:
        name: the thread's name.
        on_start: called once on the loop's thread, before anything else runs there.
        loop: the loop to run, which nobody has run yet and which is closed here; a new one if there is none.
    """

    def __init__(self, name: str, on_start: Callable[[], object] = lambda: None, loop: LabLoop | None = None) -> None:
        if current() is not None:
            if loop is not None:
                loop.close()
            raise NotInVirtualTime(
                "expected labs to be made outside of virtual time, got one made by code that runs in it, where its "
                "thread could not start: make it before, or make the outer lab with clock='real'"
            )
        self.loop = LabLoop() if loop is None else loop
        self._calls = Calls(self.loop)
        self._stop = asyncio.Event()
        self._stuck: Call[Any] | None = None  # given up last, without having ended
        self._process = os.getpid()
        self._begin(name, on_start)

    def _begin(self, name: str, on_start: Callable[[], object]) -> None:
        ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=live, args=(self.loop, self._calls, self._stop, on_start, ready), name=name, daemon=True
        )
        self._thread.start()
        ready.result()

    @property
    def closed(self) -> bool:
        return self._calls.refused

    @property
    def inside(self) -> bool:
        """Whether the caller is on the loop's own thread."""
        return threading.current_thread() is self._thread

    @property
    def within(self) -> bool:
        """Whether the caller is in this loop's time, as a step of it or one of its workers, or in another's virtual
        time: there, nobody can wait for this loop to end."""
        return current() is not None or self.inside or is_worker(self.loop, threading.current_thread())

    @property
    def forked(self) -> bool:
        """Whether this is a process forked from that of the loop, whose thread is not in it."""
        return self._process != os.getpid()

    @property
    def reachable(self) -> bool:
        """Whether the caller may call: the loop is open, of this process, and not the caller's own."""
        return not (self.closed or self.inside or self.forked)

    def check_open(self) -> None:
        """Raise what a call would raise: `LabClosed` if the loop has ended, `LabError` in a forked process."""
        self._check_process()
        self._calls.check()

    def call(
        self,
        function: Callable[..., Coroutine[Any, Any, T]],
        *args: Any,
        meanwhile: Callable[[], object] | None = None,
    ) -> T:
        """Run `function(*args)` on the loop and wait for its result, from a thread that may be interrupted.

        `meanwhile` is called now and then while it waits.

        Raises:
            LabError: called from the loop's own thread, which would wait for itself.
            LabClosed: the loop has ended.
            KeyboardInterrupt: the waiting thread was interrupted; the call has been cancelled.
        """
        if self.inside:
            raise LabError(
                "expected a call from outside the lab's loop, got one from within it, which would wait for itself "
                "for ever: inside a handler or lab.run(), await lab.client instead"
            )
        call = self._new_call(function, args)
        try:
            return self._wait_for(call, meanwhile)
        finally:
            if _passing() is None:
                catch_up()

    def _wait_for(self, call: Call[T], meanwhile: Callable[[], object] | None) -> T:
        try:
            # within the `try`: the loop may be at it long before this thread, interrupted meanwhile, has its turn
            self._calls.begin(call)
            while not call.wait(_TICK_S):
                self._throw_again()
                if meanwhile is not None:
                    meanwhile()
            return call.result()
        except BaseException as interrupt:
            if not call.done():  # it is the wait that was interrupted, not the call that failed
                self._give_up(call, interrupt)
            raise

    def call_last(self, function: Callable[..., Coroutine[Any, Any, object]], limit_s: float) -> None:
        """The same before closing. A step that holds the loop is ended for it, or else this is not waited for.

        Args:
            function: what to run, which should have a limit of its own.
            limit_s: what that is; a loop that is held knows of no time.
        """
        began_s = time.monotonic()
        call = self._new_call(function, ())

        def hurry() -> None:
            left_s = began_s + _CLOSE_S - time.monotonic()
            if left_s < 0 and not call.running():
                self.loop.break_in(running_task(self.loop))
            if left_s < -(limit_s if call.running() else _UNWIND_S):
                raise _Overdue

        with contextlib.suppress(_Overdue):
            self._wait_for(call, hurry)

    def tidy(self, function: Callable[..., Coroutine[Any, Any, object]], *args: Any) -> None:
        """The same for cleaning up, which is not waited for long while a KeyboardInterrupt passes by.

        Of a loop that was closed, and in a process forked from its own, nothing is left to be cleaned up.
        """
        if self.forked:
            return
        if _passing() is None:
            with contextlib.suppress(LabClosed):
                self.call(function, *args)
            return
        call = self._new_call(function, args)
        try:
            self._calls.begin(call)
        except LabClosed:
            return
        if self._is_stuck or call.wait(_AFTER_S):
            return  # the interrupt is what the caller raises, whatever comes of this
        call.abort()
        call.wait(_AFTER_S)

    async def call_async(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """The same, awaited from any asyncio loop; on the lab's own it is a plain await."""
        if asyncio.get_running_loop() is self.loop:
            return await function(*args)
        call = self._new_call(function, args)
        waiter = asyncio.wrap_future(call)
        # where the call is refused, or its caller has gone, what it raises is nobody's who would ask for it here
        waiter.add_done_callback(lambda over: over.cancelled() or over.exception())
        try:
            self._calls.begin(call)
            while not waiter.done():
                await asyncio.wait({waiter}, timeout=_TICK_S)
                self._throw_again()
            return waiter.result()
        except BaseException as interrupt:
            if not call.done():
                call.abort()
                for patience_s in self._stages(call, interrupt):
                    await asyncio.wait({waiter}, timeout=patience_s)
            raise
        finally:
            if _passing() is None:
                catch_up()

    def close(self) -> None:
        """Cancel all that runs there, end the thread, close the loop. May be called twice, and from `atexit`.

        It takes some 2 s at most: what cannot be stopped is named in a warning of the log `playground.lab`.
        On the loop's own thread (a lab that is garbage-collected there) it only asks for the end.
        """
        if self.forked:
            # they have no loop to end them here, and each such process would say so as it ends
            say_nothing_of(asyncio.all_tasks(self.loop))
            return
        if self._calls.refused:
            return
        self._calls.refuse(LabClosed("expected an open lab, got one that was closed: make a new Lab(app)"))
        self.loop.call_soon_threadsafe(self._stop.set)
        if self.inside:
            return
        # who interrupts is not made to wait, nor who has waited already
        hurried = self._is_stuck or _passing() is not None
        try:
            self._thread.join(_AFTER_S if hurried else _CLOSE_S)
        finally:
            if self._thread.is_alive():
                # a step that holds the loop will end the thread when it returns; nobody should wait for that
                self.loop.break_in(running_task(self.loop))
                self._thread.join(_AFTER_S)
            if self._thread.is_alive():
                self._calls.end()
                self._say_what_holds()

    # -- inside ---------------------------------------------------------------------------------------------

    def _new_call(self, function: Callable[..., Coroutine[Any, Any, T]], args: tuple[Any, ...]) -> Call[T]:
        self._check_process()
        me = current()
        if me is not None and me.baton.loop is not self.loop.runner:
            raise NotInVirtualTime(
                "expected calls from virtual time to stay in it, got one of another lab, which would answer at a "
                "random virtual moment: let the handler talk to an app in this process (ASGITransport), or make the "
                "lab with clock='real'"
            )
        return Call(self.loop, function, args)

    def _check_process(self) -> None:
        if self.forked:
            raise LabError(
                f"expected a call from process {self._process}, which made the lab, got one from process "
                f"{os.getpid()}, which was forked from it and has no loop: make a lab of its own there"
            )

    def _give_up(self, call: Call[Any], interrupt: BaseException) -> None:
        """Cancel an interrupted call and wait, not long, until it has unwound."""
        call.abort()
        for patience_s in self._stages(call, interrupt):
            call.wait(patience_s)

    def _stages(self, call: Call[Any], interrupt: BaseException) -> Iterator[float]:
        """Give up a call in stages: yields how long to wait before the next, and notes what cannot be ended."""
        held_by = running_task(self.loop)
        yield _UNWIND_S
        task = None if call.done() or call.cancelling else running_task(self.loop)
        # a loop that is at work, and only slow, goes from task to task and will come to cancel this call
        mine = task is not None and task is held_by and not self._calls.concerns_others(task, call)
        hit = self.loop.break_in(task if mine else None, call.mark, not call.done())
        until = time.monotonic() + _ROUNDS_S if hit else 0
        while not call.done() and time.monotonic() < until:  # others that work for it may now hold the loop
            yield _ROUND_S
            self._throw_at(call, orphans=not call.done())
        if not call.done():
            yield _AFTER_S
        if not call.done():
            self._stuck = call
            self._calls.forsake(call)
            if not call.cancelling:
                interrupt.add_note(_HELD + where(self.loop.holder_ident))
        self.loop.let_go(call.mark, not call.done())
        if workers := busy_workers(self.loop):
            interrupt.add_note(_WORKERS + workers)

    def _throw_at(self, call: Call[Any], orphans: bool) -> None:
        """End the step that holds the loop, if it is one of a call that was given up."""
        task = None if call.done() else running_task(self.loop)
        mine = task is not None and self._calls.is_for(task, call)
        self.loop.break_in(task if mine else None, call.mark, orphans)

    def _throw_again(self) -> None:
        """What was given up may have gone on, on a machine so busy that it was not to be hit in that time."""
        if (call := self._stuck) is not None and not call.done():
            self._throw_at(call, orphans=False)

    def _say_what_holds(self) -> None:
        if _passing() is not None:
            return  # the interrupt's notes have said so
        if task := running_task(self.loop):
            log.warning("%s%s", _CLOSED_HELD, where(self.loop.holder_ident).rstrip() + f"  (in {task.get_name()})")
        if workers := busy_workers(self.loop):
            log.warning("%s%s", _CLOSED_WORKERS, workers.rstrip())

    @property
    def _is_stuck(self) -> bool:
        return self._stuck is not None and not self._stuck.done()


def _passing() -> KeyboardInterrupt | None:
    """The interrupt because of which the calling code is cleaning up."""
    error = sys.exc_info()[1]
    return error if isinstance(error, KeyboardInterrupt) else None
