"""Plausible wrong answers to lesson 4's exercises."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from playground import App
from playground.course.lesson_04 import Account, Stock
from tests.course.answers import Wrong

Pay = Callable[[], Awaitable[None]]


async def looks_and_then_pays(stock: Stock, pay: Pay) -> bool:
    if stock.left > 0:
        await pay()
        stock.left -= 1
        return True
    return False


async def pays_under_a_lock(stock: Stock, pay: Pay) -> bool:
    async with vars(stock).setdefault("lock", asyncio.Lock()):
        return await looks_and_then_pays(stock, pay)


async def forgets_to_await(stock: Stock, pay: Pay) -> bool:
    if stock.left == 0:
        return False
    stock.left -= 1
    pay()
    return True


def counter(visit: Callable[[list[int], threading.Lock], Any]) -> Callable[[], App]:
    def make_app() -> App:
        app, visits, lock = App(), [0], threading.Lock()
        app.get("/visit", name="visit")(visit(visits, lock))

        @app.get("/count")
        def count() -> str:
            return str(visits[0])

        return app

    return make_app


def without_a_lock(visits: list[int], lock: threading.Lock) -> Any:
    def visit() -> str:
        time.sleep(0.1)
        visits[0] += 1
        return "welcome"

    return visit


def sleeps_under_a_lock(visits: list[int], lock: threading.Lock) -> Any:
    def visit() -> str:
        with lock:
            time.sleep(0.1)
            visits[0] += 1
        return "welcome"

    return visit


def on_the_loop(visits: list[int], lock: threading.Lock) -> Any:
    async def visit() -> str:
        time.sleep(0.1)
        visits[0] += 1
        return "welcome"

    return visit


async def source_first(source: Account, target: Account, amount: int, journal: Pay) -> None:
    async with source.lock, target.lock:
        await journal()
        source.balance -= amount
        target.balance += amount


def one_big_lock() -> Any:
    locks: list[anyio.Lock] = []

    async def transfer(source: Account, target: Account, amount: int, journal: Pay) -> None:
        if not locks:
            locks.append(anyio.Lock())
        async with locks[0]:
            await journal()
            source.balance -= amount
            target.balance += amount

    return transfer


WRONG = [
    Wrong(
        "04.1",
        "lost-update",
        lambda: (looks_and_then_pays,),
        0,
        "A lost update: all who looked before the first had paid saw the same 3 tickets, and 5 too many were sold. "
        "Between the look at `stock.left` and its change stands an `await`, and there others run.",
    ),
    Wrong(
        "04.1",
        "lock-held-too-long",
        lambda: (pays_under_a_lock,),
        2,
        "Nobody is sold what is not there, but the lock is held while somebody pays, so all others wait for that. A "
        "lock is to cover the look and the change, and no waiting in between.",
    ),
    Wrong(
        "04.1",
        "forgotten-await",
        lambda: (forgets_to_await,),
        2,
        "`pay` (at pay()) was called, and what that made was never awaited. Calling an async function runs nothing of "
        "it: it only makes a coroutine, which runs when it is awaited, or made a task.",
    ),
    Wrong(
        "04.2",
        "lost-update",
        lambda: (counter(without_a_lock),),
        2,
        "A lost update: two threads read the same count, each adds one to it, and the second writes over what the "
        "first wrote. `count += 1` reads, adds and writes, and a thread may lose its turn in between.",
    ),
    Wrong(
        "04.2",
        "lock-held-too-long",
        lambda: (counter(sleeps_under_a_lock),),
        3,
        "The lock is held for the whole visit, the 100 ms that it sleeps too, so a visit waits for all before it. Hold "
        "it for the line that counts, and for nothing else.",
    ),
    Wrong(
        "04.2",
        "blocking",
        lambda: (counter(on_the_loop),),
        3,
        "In `async def`, `time.sleep(0.1)` (at time.sleep(0.1)) runs on the event loop's own thread and keeps it for "
        "100 ms. `async` does not make it wait politely: only an `await` lets others run, so meanwhile nobody else "
        "does.",
    ),
    Wrong(
        "04.3",
        "opposite-orders",
        lambda: (source_first,),
        0,
        "A deadlock: one holds the lock of a and waits for that of b, the other holds b and waits for a. It takes two "
        "who take the same locks in opposite orders.",
    ),
    Wrong(
        "04.3",
        "one-big-lock",
        lambda: (one_big_lock(),),
        2,
        "All transfers go through one lock, so a transfer from c to d waits for one from a to b, with which it has "
        "nothing to do. Lock the two accounts, and only these.",
    ),
]
