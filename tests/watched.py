"""A small program to be watched, and whom its recording names."""

import asyncio
import time

from playground import Trace


async def child() -> None:
    await asyncio.sleep(0.001)


async def main() -> str:
    async with asyncio.TaskGroup() as group:
        group.create_task(child(), name="first")
        group.create_task(child(), name="second")
    await asyncio.to_thread(time.sleep, 0.001)
    return "done"


def named(trace: Trace) -> list[str]:
    return [row.coroutine for row in trace.tasks if not row.coroutine.startswith(("BaseEventLoop.", "Loop."))]
