"""The one program that all recorders are shown: tasks, steps, a queue, hand-offs of two libraries, and a blocked loop.

It stands in a file of its own, and calls a coroutine of another, for some look at the functions of one file only.
"""

import asyncio
import time
from typing import Any, Final

import anyio
import anyio.to_thread

from tests.benchmarks.probes.elsewhere import elsewhere

__all__ = ["QUEUED", "STEPS", "blocking", "called", "main", "on_any_library"]

STEPS: Final = 4
"""Steps of `child`: its sleeps, and the one in which it ends."""
QUEUED: Final = 5
BLOCK_S: Final = 0.06


def called() -> int:
    return sum(range(3))


def handed() -> None:
    time.sleep(0.001)


async def child() -> int:
    for _ in range(STEPS - 1):
        await asyncio.sleep(0.001)
    return called()


async def alone() -> None:
    """A task of no group."""
    await asyncio.sleep(0.001)


async def waits_for(event: asyncio.Event) -> None:
    await event.wait()


async def main() -> Any:
    """Everything but the blocking."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    event = asyncio.Event()
    await asyncio.create_task(alone())
    async with asyncio.TaskGroup() as group:
        group.create_task(child(), name="the child")
        group.create_task(waits_for(event), name="the waiter")
        group.create_task(elsewhere(), name="the stranger")
        for number in range(QUEUED):
            queue.put_nowait(number)
            await queue.get()
        await asyncio.to_thread(handed)
        await anyio.to_thread.run_sync(handed)
        event.set()


async def blocking(block_s: float = BLOCK_S) -> None:
    await asyncio.sleep(0)
    time.sleep(block_s)
    await asyncio.sleep(0)


async def on_any_library() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0.001)
        group.start_soon(anyio.sleep, 0.001)
