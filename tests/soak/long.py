"""A recording that goes on for as long as the soak does, in a ring so small that it was full soon after it began.

A run of the labs' is over after a round, and all of it may go; here what is too old must go while the rest stays. The
loop is one of our own in a thread; what it runs is a few requests at a time, and somebody looks at it meanwhile.
"""

import asyncio
import contextlib
import threading
from typing import Final

import httpx

from playground.clock.loop import LabLoop
from playground.trace.build import Live
from playground.trace.recorder import recording
from playground.trace.requests import recorded_app
from playground.transport import ASGITransport
from tests.soak.apps import starlette_app

__all__ = ["LongRecording"]

LIMIT: Final = 2048
"""Events kept: one of the ring's chunks, the fewest that it can keep."""


class LongRecording:
    """The loop, its recording, and a client of an app on it.

    Args:
        limit: how many events to keep.

    Attributes:
        seen: the dropped events and the steps of the last look.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.seen = (0, 0)
        self._limit = limit
        self._loop = LabLoop()
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._live, name="soak, long recording")
        self._thread.start()
        self._ready.wait()

    def feed(self) -> None:
        """Requests until the ring has dropped something, so that it is as full as the last time, and looks at it."""
        look, before = Live(self._recorder), self._recorder.log.dropped
        while self._recorder.log.dropped == before:
            look.trace()
            asyncio.run_coroutine_threadsafe(self._ask(), self._loop).result()
        trace = look.trace()
        self.seen = (trace.dropped, len(trace.steps))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        with recording(self._loop, limit=self._limit) as self._recorder:
            app = recorded_app(starlette_app("playground.web"), lambda: self._recorder)
            async with httpx.AsyncClient(transport=ASGITransport(app), base_url="http://long") as self._client:
                self._ready.set()
                await self._over.wait()

    async def _ask(self) -> None:
        paths = ("/quick", "/thread", "/stream", "/late", "/behind", "/wrong")
        async with asyncio.TaskGroup() as group:
            for path in paths * 4:
                group.create_task(self._one(path))

    async def _one(self, path: str) -> None:
        with contextlib.suppress(ValueError):
            await self._client.get(path)
