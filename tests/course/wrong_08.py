"""Plausible wrong answers to lesson 8's exercises."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tests.course.answers import Wrong

Fetch = Callable[[str], Coroutine[Any, Any, str]]
Job = Callable[[], Coroutine[Any, Any, str]]


async def one_by_one(fetch: Fetch, names: list[str]) -> list[str]:
    return [await fetch(name) for name in names]


async def all_at_once(fetch: Fetch, names: list[str]) -> list[str]:
    return await asyncio.gather(*(fetch(name) for name in names))


async def forgets_to_await(fetch: Fetch, names: list[str]) -> list[object]:
    return [fetch(name) for name in names]


async def drops_them(fetch: Fetch, names: list[str]) -> list[str]:
    for name in names:
        fetch(name)  # type: ignore[unused-coroutine]
    return [name.upper() for name in names]


async def runs_a_loop_in_the_loop(fetch: Fetch, names: list[str]) -> list[str]:
    coroutine = all_at_once(fetch, names)
    try:
        return asyncio.run(coroutine)
    finally:
        coroutine.close()


async def sleeps_for_it(fetch: Fetch, names: list[str]) -> list[str]:
    pages = []
    for name in names:
        time.sleep(1)
        pages.append(name.upper())
    return pages


async def makes_a_coroutine_first(boil: Job, cut: Job) -> tuple[str, str]:
    water = boil()
    bread = await cut()
    return await water, bread


async def waits_for_the_water(boil: Job, cut: Job) -> tuple[str, str]:
    return await boil(), await cut()


NEVER_RAN = (
    "was called, and what that made was never awaited. Calling an async function runs nothing of it: it only makes a "
    "coroutine, which runs when it is awaited, or made a task."
)

WRONG = [
    Wrong(
        "08.1",
        "task-runs-at-once",
        lambda: (["b starts", "main goes on", "a starts", "b ends", "a ends", "main ends"],),
        0,
        "`create_task` runs nothing yet: it puts the new task in the loop's queue, and `main` goes on. The task has "
        "its first turn when `main` awaits something that is not ready.",
    ),
    Wrong(
        "08.1",
        "await-keeps-the-turn",
        lambda: (["main goes on", "a starts", "a ends", "b starts", "b ends", "main ends"],),
        0,
        "`await asyncio.sleep(0)` waits for no time, but it gives up the turn: all who are ready run once before this "
        "task goes on, and `b` is ready.",
    ),
    Wrong(
        "08.1",
        "await-makes-a-task",
        lambda: (["main goes on", "b starts", "a starts", "b ends", "a ends", "main ends"],),
        0,
        '`await runner("a")` runs at once, in the task that awaits it, up to the first thing that is not ready; only '
        "then has `b` its turn.",
    ),
    Wrong(
        "08.2",
        "one-after-another",
        lambda: (one_by_one,),
        1,
        "Each fetch begins when the one before it is over: 6 s in all. `await` waits until what it awaits has ended, "
        "so in a loop, or line by line, the next is not even begun until then.",
    ),
    Wrong("08.2", "forgotten-await", lambda: (forgets_to_await,), 0, f"`fetch` {NEVER_RAN}"),
    Wrong(
        "08.2",
        "forgotten-await",
        lambda: (drops_them,),
        0,
        f"`fetch` (at fetch(name)  # type: ignore[unused-coroutine]) {NEVER_RAN}",
    ),
    Wrong(
        "08.2",
        "asyncio-run",
        lambda: (runs_a_loop_in_the_loop,),
        0,
        "`asyncio.run` makes a new event loop, and one already runs here, as it does in every cell of a notebook. Two "
        "cannot run in one thread: in a cell, or in a coroutine, write `await` in its place.",
    ),
    Wrong(
        "08.2",
        "blocking",
        lambda: (sleeps_for_it,),
        0,
        "In `async def`, `time.sleep(1)` (at time.sleep(1)) runs on the event loop's own thread and keeps it for 6 s. "
        "`async` does not make it wait politely: only an `await` lets others run, so meanwhile nobody else does.",
    ),
    Wrong(
        "08.3",
        "not-begun",
        lambda: (makes_a_coroutine_first,),
        1,
        "The water was put on only at 2 s, when the bread was cut. `boil()` makes a coroutine, and a coroutine does "
        "not begin by being made: it waits to be awaited, or to be made a task.",
    ),
    Wrong(
        "08.3",
        "one-after-another",
        lambda: (waits_for_the_water,),
        2,
        "Each job begins when the one before it is over: 5 s in all. `await` waits until what it awaits has ended, so "
        "in a loop, or line by line, the next is not even begun until then.",
    ),
]
