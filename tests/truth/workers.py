"""What a program hands to worker threads, and what the workers do: the threaded half of the interpreter.

Each way to a thread is a coroutine function of its own, so that the line at which it waits is its own too.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread

from tests.truth import program as p
from tests.truth.notes import Call, Gap
from tests.truth.witness import Witness

__all__ = ["Boom", "Workers"]


class Boom(Exception):
    """What a program raises on purpose."""


class Workers(ABC):
    """Hands calls to worker threads, and tells `witness` of it."""

    def __init__(self, witness: Witness) -> None:
        self.w = witness
        self.loop = witness.loop
        self.token = anyio.lowlevel.current_token()
        self.limiter = anyio.CapacityLimiter(1)
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.at_work = 0
        self.given_up = False
        self.lock = threading.Lock()

    @abstractmethod
    async def run(self, body: p.Body) -> None:
        """Run a body."""

    @abstractmethod
    def name(self) -> str:
        """A name for a task."""

    @abstractmethod
    def ring(self, index: int) -> None:
        """Set an event."""

    @contextlib.contextmanager
    def at_both_ends(self, *keys: tuple[str, int]) -> Iterator[None]:
        for key in keys:
            self.w.wakes(key)
        try:
            yield
        finally:
            for key in keys:
                self.w.wakes(key)

    async def in_thread(self, way: str, errands: tuple[p.Errand, ...]) -> None:
        try:
            await getattr(self, f"by_{way}")(errands)
        except Boom:
            pass
        except asyncio.CancelledError:
            self.given_up = True
            raise

    async def by_to_thread(self, errands: tuple[p.Errand, ...]) -> None:
        with self.w.waits("thread") as gap:
            await asyncio.to_thread(self.worker, gap, errands)

    async def by_executor(self, errands: tuple[p.Errand, ...]) -> None:
        with self.w.waits("thread") as gap:
            await self.loop.run_in_executor(None, functools.partial(self.worker, gap), errands)

    async def by_own(self, errands: tuple[p.Errand, ...]) -> None:
        with self.w.waits("thread") as gap:
            await self.loop.run_in_executor(self.pool, self.worker, gap, errands)

    async def by_anyio(self, errands: tuple[p.Errand, ...]) -> None:
        with self.w.waits("thread") as gap:
            await anyio.to_thread.run_sync(self.worker, gap, errands)

    async def by_abandoned(self, errands: tuple[p.Errand, ...]) -> None:
        with self.w.waits("thread") as gap:
            await anyio.to_thread.run_sync(self.worker, gap, errands, abandon_on_cancel=True)

    async def by_limited(self, errands: tuple[p.Errand, ...]) -> None:
        with self.at_both_ends(("limiter", 0)), self.w.waits("thread", ("limiter", 0)) as gap:
            await anyio.to_thread.run_sync(self.worker, gap, errands, limiter=self.limiter)

    def worker(self, gap: Gap, errands: tuple[p.Errand, ...]) -> None:
        with self.lock:
            self.at_work += 1
        call = Call("Workers.worker", threading.current_thread(), self.w.now())
        gap.calls.append(call)
        try:
            for errand in errands:
                self.run_errand(gap, errand)
            call.outcome = "returned"
        except BaseException:
            call.outcome = "raised"
            raise
        finally:
            call.end_ns = self.w.now()
            with self.lock:
                self.at_work -= 1

    def run_errand(self, gap: Gap, errand: p.Errand) -> None:
        match errand:
            case p.Nap(delay_ms):
                time.sleep(delay_ms / 1000)
            case p.Post(index):
                self.loop.call_soon_threadsafe(self.ring, index)
            case p.Back(way, body):
                self.back(gap, way, body)
            case p.Trip():
                raise Boom

    def back(self, gap: Gap, way: str, body: p.Body) -> None:
        run = functools.partial(self.run_for, gap, body)
        try:
            if way == "anyio":
                anyio.from_thread.run(run, token=self.token)
            else:
                asyncio.run_coroutine_threadsafe(run(), self.loop).result()
        except concurrent.futures.CancelledError:
            raise Boom from None

    async def run_for(self, gap: Gap, body: p.Body) -> None:
        """The body of a task that a worker made: its parent is the task that the worker works for."""
        note = self.w.current()
        note.parent = gap.task
        if note.task is not None:
            note.task.set_name(self.name())
        await self.run(body)
