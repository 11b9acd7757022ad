"""Recordings: one at a time on a lab's loop, begun and ended there, and looked at while it goes on.

It knows nothing of requests; what it records is whatever coroutine it is given.
"""

import asyncio
import contextlib
import time

# by its own name: while a virtual loop is open, `threading` has another, for which the loop would park
from _thread import allocate_lock
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, Protocol, TypeVar

from playground.clock.collector import Collector
from playground.clock.loop import LabLoop
from playground.clock.thread import LoopThread
from playground.clock.virtual import VirtualLoop
from playground.errors import LabError
from playground.flag import Flag
from playground.trace import Trace
from playground.trace.build import Live
from playground.trace.recorder import Recorder, recording

T = TypeVar("T")

__all__ = ["Follower", "Recordings"]

_UNWIND_S: Final = 0.25
"""How long the end of what was broken off is waited for, to keep its recording: half of what is "at once"."""


class Follower(Protocol):
    """Who looks at recordings while they go on, on a thread of its own."""

    @property
    def closed(self) -> bool:
        """Whether it looks at no more of them."""

    def prepare(self, title: str) -> None:
        """A recording is about to begin. Called by the thread that asks for it."""

    def begins(self, recorder: Recorder) -> None:
        """It has begun. Called on the loop's thread, which is not to be kept."""

    def ends(self, trace: Callable[[], Trace] | None) -> None:
        """It is over, and this gives its trace; `None` if it was broken off and may not have ended yet."""


class Recordings:
    """What is recorded on one loop.

    Args:
        thread: the loop's thread.
        wanted: whether anything is recorded at all.

    Attributes:
        wanted: whether anything is recorded.
        followers: those who look.
    """

    def __init__(self, thread: LoopThread, wanted: bool) -> None:
        self._thread = thread
        self.wanted = wanted
        self._busy = allocate_lock()
        self._looking = allocate_lock()
        self._live: tuple[Recorder, Live] | None = None
        self.followers: list[Follower] = []
        self._stopped = False
        self._stop_at_s = float("inf")

    def make(
        self,
        function: Callable[[], Coroutine[Any, Any, T]],
        broken_off: Callable[[Recorder], object],
        title: str,
        meanwhile: Callable[[], object] | None = None,
    ) -> tuple[Recorder | None, T]:
        """Await `function()` on the loop, recorded; the waiting thread calls `meanwhile` now and then.

        Raises:
            LabError: another recording goes on; or the lab is not open (`LabClosed`), or of another process.
            whatever the function raises, and KeyboardInterrupt; `broken_off` is given what was recorded until then.
        """
        self._thread.check_open()
        if not self._busy.acquire(blocking=False):
            raise LabError(
                "expected one run at a time, got a second while the first goes on: wait for it, or make a second Lab"
            )
        self._stopped = False
        begun, over = Flag(), Flag()
        recorders: list[Recorder] = []
        self.followers[:] = [follower for follower in self.followers if not follower.closed]

        def look_up() -> None:
            if self._stopped or time.monotonic() >= self._stop_at_s:
                raise KeyboardInterrupt
            if meanwhile is not None:
                meanwhile()

        try:
            for follower in self.followers:
                follower.prepare(title)
            return self._thread.call(self._record, function, recorders, begun, over, meanwhile=look_up)
        except BaseException:
            if begun.up and over.wait(_UNWIND_S):
                for recorder in recorders:
                    broken_off(recorder)
            self.kept(None)
            raise
        finally:
            if not begun.up:
                self._busy.release()

    def stop(self, after_s: float | None = None) -> None:
        """Break off the recording that goes on: the thread that waits for it gets a KeyboardInterrupt.

        Args:
            after_s: not now, but whichever goes on after so many seconds of real time.
        """
        if after_s is None:
            self._stopped = True
        else:
            self._stop_at_s = time.monotonic() + after_s

    def kept(self, trace: Callable[[], Trace] | None) -> None:
        """Tell the followers that a recording is over; what they are told first counts."""
        for follower in self.followers:
            follower.ends(trace)

    def snapshot(self, title: str) -> Trace:
        """What has happened so far in the recording that goes on. Raises `LabError` if none does."""
        self._thread.check_open()
        with self._looking:
            recorder = self._thread.loop.recorder
            if not isinstance(recorder, Recorder):
                raise LabError(
                    "expected a recorded run that goes on, got none: ask from another thread while lab.burst, lab.load "
                    "or lab.run goes on; when it is over, its Run has the trace"
                )
            live = self._live
            if live is None or live[0] is not recorder:
                live = self._live = recorder, Live(recorder)
            return live[1].trace(title)

    async def _record(
        self,
        function: Callable[[], Coroutine[Any, Any, T]],
        recorders: list[Recorder],
        begun: Flag,
        over: Flag,
    ) -> tuple[Recorder | None, T]:
        begun.set()
        try:
            if not self.wanted:
                return None, await function()
            with _steady(self._thread.loop), recording(self._thread.loop) as recorder:
                recorders.append(recorder)
                for follower in self.followers:
                    follower.begins(recorder)
                # in a task of its own, what it does is recorded from its first step on
                result = await asyncio.create_task(function(), name="experiment")
            return recorder, result
        finally:
            self._live = None
            # here and not by the caller, who may have been interrupted long before this has unwound
            self._busy.release()
            over.set()


@contextlib.contextmanager
def _steady(loop: LabLoop) -> Iterator[None]:
    """In virtual time, let the garbage collector run at the same moments in every run."""
    if not isinstance(loop, VirtualLoop):
        yield
        return
    with Collector() as collector:
        loop.collector = collector
        try:
            yield
        finally:
            loop.collector = None
