"""Plausible wrong answers to lesson 9's exercises."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from playground import App
from tests.course.answers import Wrong

Add = Callable[[int, int], int]


def with_report(report: Any) -> App:
    app = App()
    app.get("/report", name="report")(report)

    @app.get("/hello")
    async def hello() -> str:
        await asyncio.sleep(0.02)
        return "hello"

    return app


async def blocks() -> str:
    time.sleep(0.2)
    return "reported"


async def forgets_to_await() -> str:
    asyncio.to_thread(time.sleep, 0.2)  # type: ignore[unused-coroutine]
    return "reported"


async def does_nothing() -> str:
    return "reported"


async def in_a_row(parts: list[int], add: Add) -> int:
    total = 0
    for part in parts:
        total = add(total, part)
    return total


async def every_tenth(parts: list[int], add: Add) -> int:
    total = 0
    for number, part in enumerate(parts, start=1):
        total = add(total, part)
        if number % 10 == 0:
            await asyncio.sleep(0)
    return total


WRONG = [
    Wrong(
        "09.1",
        "not-stalled",
        lambda: (0.02,),
        0,
        "That is what `/hello` takes by itself. `async def` gives it no loop of its own: it has its first turn when "
        "the three reports have given the one loop back.",
    ),
    Wrong(
        "09.1",
        "reports-overlap",
        lambda: (0.22,),
        0,
        "That would be so if the three reports waited side by side. `time.sleep` keeps the loop's one thread, so they "
        "come one after another.",
    ),
    Wrong(
        "09.1",
        "own-time-left-out",
        lambda: (0.6,),
        0,
        "That is when `/hello` has its first turn. Then it still waits by itself, for 20 ms.",
    ),
    Wrong(
        "09.2",
        "blocking",
        lambda: (with_report(blocks),),
        2,
        "In `async def`, `time.sleep(0.2)` (at time.sleep(0.2)) runs on the event loop's own thread and keeps it for "
        "200 ms. `async` does not make it wait politely: only an `await` lets others run, so meanwhile nobody else "
        "does.",
    ),
    Wrong(
        "09.2",
        "no-handler",
        lambda: (App(),),
        0,
        "No handler of the app answers `/report`: it is still to be written, or its path is another.",
    ),
    Wrong(
        "09.2",
        "forgotten-await",
        lambda: (with_report(forgets_to_await),),
        3,
        "`to_thread` (at asyncio.to_thread(time.sleep, 0.2)  # type: ignore[unused-coroutine]) was called, and what "
        "that made was never awaited. Calling an async function runs nothing of it: it only makes a coroutine, which "
        "runs when it is awaited, or made a task.",
    ),
    Wrong(
        "09.2",
        "work-is-gone",
        lambda: (with_report(does_nothing),),
        3,
        "The loop is free because the report is not made any more. What takes 200 ms still has to be waited for, only "
        "somewhere else than on the loop's thread, or by `await`.",
    ),
    Wrong(
        "09.3",
        "computes-in-a-row",
        lambda: (in_a_row,),
        1,
        "It computes for 400 ms without giving up its turn. That it is `async def` does not help: only an `await` that "
        "gives up the turn lets the loop run others.",
    ),
    Wrong(
        "09.3",
        "slices-too-long",
        lambda: (every_tenth,),
        1,
        "It does let others run, but not before it has computed for 100 ms at a stretch. Others have to wait for as "
        "long as the longest stretch between two `await`s that give up the turn.",
    ),
    Wrong(
        "09.4",
        "named-/b",
        lambda: (["/b"],),
        0,
        "`/b` is a plain `def`: it is called in a worker thread, and blocks only that.",
    ),
    Wrong(
        "09.4",
        "named-/a",
        lambda: (["/a", "/c"],),
        0,
        "`/a` awaits its sleep: the loop sets a timer, and runs others until it is due.",
    ),
    Wrong(
        "09.4",
        "named-/d",
        lambda: (["/c", "/d"],),
        0,
        "`/d` awaits a thread: what sleeps there is the thread, and the loop goes on.",
    ),
    Wrong(
        "09.4",
        "computing-overlooked",
        lambda: ([],),
        0,
        "`/c` does not sleep, it computes, and on the loop's thread: for the others that comes to the same.",
    ),
]
