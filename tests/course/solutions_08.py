"""Reference solutions of lesson 8, to be pasted into its notebook."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tests.course.answers import Given

order = ["main goes on", "a starts", "b starts", "a ends", "b ends", "main ends"]


async def fetch_all(fetch: Callable[[str], Coroutine[Any, Any, str]], names: list[str]) -> list[str]:
    return await asyncio.gather(*(fetch(name) for name in names))


Job = Callable[[], Coroutine[Any, Any, str]]


async def breakfast(boil: Job, cut: Job) -> tuple[str, str]:
    water = asyncio.create_task(boil())
    bread = await cut()
    return await water, bread


SOLUTIONS: dict[str, Given] = {
    "08.1": lambda: (order,),
    "08.2": lambda: (fetch_all,),
    "08.3": lambda: (breakfast,),
}
