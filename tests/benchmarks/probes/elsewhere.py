"""A coroutine of another file than the program's that runs it."""

import asyncio

__all__ = ["elsewhere"]


async def elsewhere() -> None:
    await asyncio.sleep(0)
