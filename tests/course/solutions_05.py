"""Reference solutions of lesson 5, to be pasted into its notebook."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.course.answers import Given


async def fetch_all(fetch: Callable[[str], Awaitable[str]], names: list[str]) -> list[str]:
    places = asyncio.Semaphore(3)

    async def one(name: str) -> str:
        async with places:
            return await fetch(name)

    return await asyncio.gather(*(one(name) for name in names))


last_s = 0.6

threads = 20


async def squares(slow: Callable[[int], int], numbers: list[int]) -> list[int]:
    return await asyncio.gather(*(asyncio.to_thread(slow, number) for number in numbers))


SOLUTIONS: dict[str, Given] = {
    "05.4": lambda: (fetch_all,),
    "05.1": lambda: (last_s,),
    "05.2": lambda: (threads,),
    "05.3": lambda: (squares,),
}
