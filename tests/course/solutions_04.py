"""Reference solutions of lesson 4, to be pasted into its notebook."""

import threading
import time
from collections.abc import Awaitable, Callable

from playground import App
from playground.course.lesson_04 import Account, Stock
from tests.course.answers import Given


async def buy(stock: Stock, pay: Callable[[], Awaitable[None]]) -> bool:
    if stock.left == 0:
        return False
    stock.left -= 1
    await pay()
    return True


def make_app() -> App:
    app = App()
    lock = threading.Lock()
    visits = 0

    @app.get("/visit")
    def visit() -> str:
        nonlocal visits
        time.sleep(0.1)
        with lock:
            visits += 1
        return "welcome"

    @app.get("/count")
    def count() -> str:
        return str(visits)

    return app


async def transfer(source: Account, target: Account, amount: int, journal: Callable[[], Awaitable[None]]) -> None:
    first, second = sorted((source, target), key=lambda account: account.name)
    async with first.lock, second.lock:
        await journal()
        source.balance -= amount
        target.balance += amount


SOLUTIONS: dict[str, Given] = {
    "04.1": lambda: (buy,),
    "04.2": lambda: (make_app,),
    "04.3": lambda: (transfer,),
}
