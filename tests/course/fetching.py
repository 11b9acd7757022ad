"""Two answers to exercise 08.2: one that waits for each in turn, and one that is right."""

import asyncio
from collections.abc import Callable
from typing import Any

Fetch = Callable[[str], Any]


async def one_by_one(fetch: Fetch, names: list[str]) -> list[Any]:
    return [await fetch(name) for name in names]


async def all_at_once(fetch: Fetch, names: list[str]) -> list[Any]:
    return await asyncio.gather(*map(fetch, names))
