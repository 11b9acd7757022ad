"""Plausible wrong answers to lesson 5's exercises."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from playground.course import check
from tests.course.answers import Wrong

Fetch = Callable[[str], Awaitable[str]]
Slow = Callable[[int], int]


async def all_of_them(fetch: Fetch, names: list[str]) -> list[str]:
    return await asyncio.gather(*(fetch(name) for name in names))


async def in_batches(fetch: Fetch, names: list[str]) -> list[str]:
    pages: list[str] = []
    for start in range(0, len(names), 3):
        pages += await asyncio.gather(*(fetch(name) for name in names[start : start + 3]))
    return pages


async def one_by_one(fetch: Fetch, names: list[str]) -> list[str]:
    return [await fetch(name) for name in names]


def with_places_of_another_loop() -> Callable[..., Any]:
    places = asyncio.Semaphore(3)

    async def fetch_all(fetch: Fetch, names: list[str]) -> list[str]:
        async def one(name: str) -> str:
            async with places:
                return await fetch(name)

        return await asyncio.gather(*(one(name) for name in names))

    assert check("05.4", fetch_all).passed  # the first time it is all right
    return fetch_all


async def on_the_loop(slow: Slow, numbers: list[int]) -> list[int]:
    return [slow(number) for number in numbers]


async def each_awaited(slow: Slow, numbers: list[int]) -> list[int]:
    return [await asyncio.to_thread(slow, number) for number in numbers]


async def never_awaited(slow: Slow, numbers: list[int]) -> list[object]:
    return [asyncio.to_thread(slow, number) for number in numbers]


async def waits_for_the_pool(slow: Slow, numbers: list[int]) -> list[int]:
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(slow, number) for number in numbers]
        return [future.result() for future in futures]


WRONG = [
    Wrong(
        "05.4",
        "unbounded",
        lambda: (all_of_them,),
        3,
        "All that are begun go on at once: here 8. `gather` and tasks set no limit; a server at the other end, or a "
        "pool of connections, would have to.",
    ),
    Wrong(
        "05.4",
        "batches",
        lambda: (in_batches,),
        2,
        "They go in batches: the next three begin only when the slowest of the last three is over, and until then the "
        "places of the others stand empty. Let each take a place when one is free.",
    ),
    Wrong(
        "05.4",
        "one-after-another",
        lambda: (one_by_one,),
        2,
        "Each fetch begins when the one before it is over: 14 s in all. `await` waits until what it awaits has ended, "
        "so in a loop, or line by line, the next is not even begun until then.",
    ),
    Wrong(
        "05.4",
        "made-outside",
        lambda: (with_places_of_another_loop(),),
        0,
        "A lock, semaphore or event of asyncio's belongs to the loop on which somebody first waited with it, and each "
        "run is on a loop of its own. This one was made outside and is used by a second run: make it inside the "
        "function.",
    ),
    Wrong(
        "05.1",
        "no-queue",
        lambda: (0.2,),
        0,
        "Each takes 200 ms once it has a thread. Only four have one at a time; the others queue.",
    ),
    Wrong(
        "05.1",
        "one-at-a-time",
        lambda: (2,),
        0,
        "That would be one thread. Four requests are in threads side by side; the others queue for these.",
    ),
    Wrong(
        "05.1",
        "parts-of-a-round",
        lambda: (0.5,),
        0,
        "Ten among four is two rounds and a half, but no request is halved: the last two take a whole round.",
    ),
    Wrong(
        "05.2",
        "forty-threads",
        lambda: (40,),
        1,
        "40 threads is what you have if nobody says otherwise, and not what is needed: a second round of 20 leaves "
        "half of them without work.",
    ),
    Wrong(
        "05.2",
        "a-thread-each",
        lambda: (60,),
        1,
        "A thread for each request leaves nobody queueing, and was not asked for: there is time for three rounds.",
    ),
    Wrong(
        "05.2",
        "too-few",
        lambda: (15,),
        0,
        "With 15 threads the 60 requests take 4 rounds of 200 ms, and there is time for three.",
    ),
    Wrong(
        "05.3",
        "blocking",
        lambda: (on_the_loop,),
        1,
        "In `async def`, `slow(number)` (at return [slow(number) for number in numbers]) runs on the event loop's own "
        "thread and keeps it for 600 ms. `async` does not make it wait politely: only an `await` lets others run, so "
        "meanwhile nobody else does.",
    ),
    Wrong(
        "05.3",
        "blocking",
        lambda: (waits_for_the_pool,),
        2,
        "In `async def`, `future.result()` (at return [future.result() for future in futures]) runs on the event "
        "loop's own thread and keeps it for 100 ms. `async` does not make it wait politely: only an `await` lets "
        "others run, so meanwhile nobody else does.",
    ),
    Wrong(
        "05.3",
        "one-after-another",
        lambda: (each_awaited,),
        2,
        "Each call begins when the one before it is over: 0.6 s in all. `await` waits until what it awaits has ended, "
        "so in a loop, or line by line, the next is not even begun until then.",
    ),
    Wrong(
        "05.3",
        "forgotten-await",
        lambda: (never_awaited,),
        0,
        "`to_thread` was called, and what that made was never awaited. Calling an async function runs nothing of it: "
        "it only makes a coroutine, which runs when it is awaited, or made a task.",
    ),
]
