"""How the tests run something in virtual time, on a loop of its own."""

import asyncio
import concurrent.futures
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from playground.clock.virtual import VirtualLoop
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording

T = TypeVar("T")


class Ran(NamedTuple):
    result: Any
    time_s: float


def virtually(main: Callable[[], Coroutine[Any, Any, Any]], **settings: Any) -> Ran:
    """What `main()` returns, and the virtual time at its end."""
    loop = VirtualLoop(**settings)

    async def timed() -> Ran:
        return Ran(await main(), loop.time())

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(timed())


def recorded_virtually(main: Callable[[], Coroutine[Any, Any, Any]], **settings: Any) -> Trace:
    """The recording of `main()` in a task of its own."""
    loop = VirtualLoop(**settings)

    async def record() -> Recorder:
        with recording(loop) as recorder:
            await asyncio.create_task(main(), name="main")
        return recorder

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return build(runner.run(record()))


def borrowed() -> list[object]:
    """What virtual time borrows, as it stands now."""
    from anyio._backends import _asyncio

    names = ("sleep", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time", "time_ns")
    found: list[object] = [getattr(time, name) for name in names]
    found += [threading.Lock, threading.RLock, threading.Thread.start, threading.Thread.join, queue.SimpleQueue]
    found += [vars(_asyncio).get("set"), vars(_asyncio).get("Queue"), asyncio.BaseEventLoop.run_forever]
    found += [concurrent.futures.ThreadPoolExecutor.submit]
    return found
