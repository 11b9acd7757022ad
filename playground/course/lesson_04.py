"""Lesson 4, races: what may come in between, tried with a schedule drawn from many seeds."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import anyio

from playground.course import lesson_04_threads
from playground.course.calls import Calls
from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.mistakes import asyncio_run, blocking, forgotten_await, made_outside
from playground.course.rules import broke
from playground.course.seeds import fewest_at_once, in_random_order, judged_by
from playground.course.takes import a_function
from playground.course.trials import outcome
from playground.course.words import seconds, shown
from playground.errors import Deadlock

__all__ = ["EXERCISES", "Account", "Stock"]

# -- 04.1 -----------------------------------------------------------------------------------------------------


class Stock:
    """Tickets.

    Attributes:
        left: how many are left.
    """

    def __init__(self, left: int) -> None:
        self.left = left

    def __repr__(self) -> str:
        return f"<Stock: {self.left} left>"


_TICKETS: Final = 3
_BUYERS: Final = 8


def _sell(buy: Callable[..., Any]) -> Attempt:
    payments: list[Calls] = []
    stocks: list[Stock] = []

    async def main() -> list[Any]:
        stocks.append(stock := Stock(_TICKETS))
        payments.append(calls := Calls())
        calls.start()
        sold: list[Any] = []

        async def pay() -> None:
            await calls.waits("pay", 1.0, None)

        async def come() -> None:
            sold.append(await outcome(buy, stock, pay))

        come.__qualname__ = "buy"  # as a task's name stands in the picture
        async with asyncio.TaskGroup() as group:
            for number in range(_BUYERS):
                group.create_task(come(), name=f"buyer {number}")
        return sold

    return judged_by(_all_sold_once, (buy,), in_random_order(main), {"calls": payments, "stocks": stocks})


def _all_sold_once(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    for tried, stock in zip(attempt.tries, attempt.facts["stocks"], strict=True):
        if any(type(each) is not bool for each in tried.result):
            return f"expected True or False for each buyer, got {shown(tried.result)}."
        if sum(tried.result) != _TICKETS or stock.left:
            return f"{_TICKETS} tickets, {sum(tried.result)} sold, and {stock.left} left."
    return None


def _paid_side_by_side(attempt: Attempt) -> str | None:
    most, last_s = fewest_at_once(attempt)
    if most >= _TICKETS:
        return None
    return f"expected {_TICKETS} payments at once, got {most} at most; the last was made after {seconds(last_s)}."


def _oversold(attempt: Attempt) -> str | None:
    worst = min((stock.left for stock in attempt.facts["stocks"]), default=0)
    if broke(attempt) or worst >= 0:
        return None
    return (
        f"A lost update: all who looked before the first had paid saw the same {_TICKETS} tickets, and {-worst} too "
        "many were sold. Between the look at `stock.left` and its change stands an `await`, and there others run."
    )


def _one_lock(attempt: Attempt) -> str | None:
    if broke(attempt) or _all_sold_once(attempt) or _paid_side_by_side(attempt) is None:
        return None
    return (
        "Nobody is sold what is not there, but the lock is held while somebody pays, so all others wait for that. A "
        "lock is to cover the look and the change, and no waiting in between."
    )


_TICKETS_ONCE: Final = Exercise(
    id="04.1",
    question=f"{_BUYERS} come at once for {_TICKETS} tickets, and paying takes 1 s: sell each ticket once, and let all "
    "pay side by side. `buy` returns whether it has sold one.",
    takes=(a_function("buy", "async def buy(stock, pay)"),),
    attempt=_sell,
    rules=(
        Rule("each ticket is sold once, whoever runs first", _all_sold_once, 2),
        Rule("those who buy pay side by side", _paid_side_by_side),
    ),
    mistakes=(
        asyncio_run,
        forgotten_await,
        made_outside,
        blocking(0.5),
        Mistake("lost-update", _oversold),
        Mistake("lock-held-too-long", _one_lock),
    ),
    hints=(
        "On one loop, nothing comes in between two lines unless there is an `await` between them.",
        "Take the ticket first, `stock.left -= 1`, and pay for it then.",
    ),
)


# -- 04.3 -----------------------------------------------------------------------------------------------------


class Account:
    """Money, and a lock to hold while it is moved.

    Attributes:
        name: a letter.
        balance: how much there is.
        lock: an `anyio.Lock`.
    """

    def __init__(self, name: str, balance: int) -> None:
        self.name = name
        self.balance = balance
        self.lock = anyio.Lock()

    def __repr__(self) -> str:
        return f"<Account {self.name}: {self.balance}>"


# two pairs that have nothing to do with each other, each in both directions
_ORDERS: Final = (("a", "b", 10), ("b", "a", 5), ("c", "d", 20), ("d", "c", 1))
_AFTER: Final = {"a": 95, "b": 105, "c": 81, "d": 119}


def _move(transfer: Callable[..., Any]) -> Attempt:
    journals: list[Calls] = []
    unlocked: list[str] = []

    async def main() -> dict[str, int]:
        accounts = {name: Account(name, 100) for name in "abcd"}
        journals.append(calls := Calls())
        calls.start()

        def journal_for(source: str, target: str) -> Callable[[], Any]:
            async def journal() -> None:
                unlocked.extend(name for name in (source, target) if not accounts[name].lock.locked())
                await calls.waits(f"{source}{target}", 0.1, None)

            return journal

        async def move(source: str, target: str, amount: int) -> None:
            await outcome(transfer, accounts[source], accounts[target], amount, journal_for(source, target))

        move.__qualname__ = "transfer"
        async with asyncio.TaskGroup() as group:
            for source, target, amount in _ORDERS:
                group.create_task(move(source, target, amount), name=f"{source} to {target}")
        return {name: account.balance for name, account in accounts.items()}

    return judged_by(_balances, (transfer,), in_random_order(main), {"calls": journals, "unlocked": unlocked})


def _balances(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    wrong = [tried.result for tried in attempt.tries if tried.result != _AFTER]
    if wrong:
        return f"expected {shown(_AFTER)}, got {shown(wrong[0])}."
    wanted = len(_ORDERS)
    made = min(len(calls.made) for calls in attempt.facts["calls"])
    return (
        None if made == wanted else f"expected `journal` to be awaited once for each transfer, got {made} of {wanted}."
    )


def _both_locked(attempt: Attempt) -> str | None:
    unlocked = sorted(set(attempt.facts["unlocked"]))
    return f"nobody held the lock of {' and '.join(unlocked)} while the journal was written." if unlocked else None


def _pairs_overlap(attempt: Attempt) -> str | None:
    most, last_s = fewest_at_once(attempt)
    if most >= 2:
        return None
    return f"expected two transfers at once, got one after another, for {seconds(last_s)}."


def _in_a_ring(attempt: Attempt) -> str | None:
    if not any(isinstance(tried.error, Deadlock) for tried in attempt.tries):
        return None
    return (
        "A deadlock: one holds the lock of a and waits for that of b, the other holds b and waits for a. It takes two "
        "who take the same locks in opposite orders."
    )


def _one_big_lock(attempt: Attempt) -> str | None:
    if _balances(attempt) or _pairs_overlap(attempt) is None:
        return None
    return (
        "All transfers go through one lock, so a transfer from c to d waits for one from a to b, with which it has "
        "nothing to do. Lock the two accounts, and only these."
    )


_TRANSFER: Final = Exercise(
    id="04.3",
    question="Move money between two accounts: hold both `account.lock`s while you `await journal()` and change both "
    "balances. Four transfers go at once, in both directions.",
    takes=(a_function("transfer", "async def transfer(source, target, amount, journal)"),),
    attempt=_move,
    rules=(
        Rule("every transfer is made, and no money is lost", _balances, 2),
        Rule("both accounts are locked while the journal is written", _both_locked),
        Rule("transfers between other accounts go on meanwhile", _pairs_overlap),
    ),
    mistakes=(
        asyncio_run,
        forgotten_await,
        made_outside,
        Mistake("opposite-orders", _in_a_ring),
        Mistake("one-big-lock", _one_big_lock),
    ),
    hints=(
        "Who takes two locks has to take them in the same order as everybody else.",
        "Any order will do that does not depend on the direction: by name, for instance.",
        "`first, second = sorted((source, target), key=lambda account: account.name)`, and then two `async with`.",
    ),
)

EXERCISES: Final = (_TICKETS_ONCE, lesson_04_threads.COUNTER, _TRANSFER)
