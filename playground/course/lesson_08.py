"""Lesson 8, coroutines and the loop: in what order things run, and what is going on at once."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from playground.course.calls import Calls
from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.mistakes import asyncio_run, blocking, forgotten_await, one_after_another
from playground.course.programs import Program
from playground.course.rules import all_at_once, broke, calls_of, gives, gives_by_calling
from playground.course.takes import a_function, texts
from playground.course.trials import outcome, try_function
from playground.course.words import seconds

__all__ = ["EXERCISES", "relay"]


async def relay(say: Callable[[str], object]) -> None:
    async def runner(name: str) -> None:
        say(f"{name} starts")
        await asyncio.sleep(0)
        say(f"{name} ends")

    task = asyncio.create_task(runner("b"))
    say("main goes on")
    await runner("a")
    await task
    say("main ends")


# -- 08.1 -----------------------------------------------------------------------------------------------------


def _predict(order: list[str]) -> Attempt:
    said: list[str] = []
    tried = try_function(lambda: relay(said.append))
    return Attempt((order,), [tried], {"said": said, "order": list(order)})


def _right_order(attempt: Attempt) -> str | None:
    said, order = attempt.facts["said"], attempt.facts["order"]
    for number, (real, guessed) in enumerate(zip(said, order, strict=False), start=1):
        if real != guessed:
            return f"line {number} is {real!r}, you said {guessed!r}."
    return None if len(said) == len(order) else f"it says {len(said)} lines, you gave {len(order)}."


def _task_runs_at_once(attempt: Attempt) -> str | None:
    if attempt.facts["order"][:1] != ["b starts"]:
        return None
    return (
        "`create_task` runs nothing yet: it puts the new task in the loop's queue, and `main` goes on. The task has "
        "its first turn when `main` awaits something that is not ready."
    )


def _await_keeps_the_turn(attempt: Attempt) -> str | None:
    order = attempt.facts["order"]
    if order[1:3] != ["a starts", "a ends"]:
        return None
    return (
        "`await asyncio.sleep(0)` waits for no time, but it gives up the turn: all who are ready run once before this "
        "task goes on, and `b` is ready."
    )


def _await_makes_a_task(attempt: Attempt) -> str | None:
    order = attempt.facts["order"]
    if order[1:2] != ["b starts"]:
        return None
    return (
        '`await runner("a")` runs at once, in the task that awaits it, up to the first thing that is not ready; only '
        "then has `b` its turn."
    )


_PREDICTION: Final = Exercise(
    id="08.1",
    question="In what order does `relay` say its six lines?",
    takes=(texts("order", "the lines, in order"),),
    attempt=_predict,
    rules=(Rule("the lines come in your order", _right_order, 2),),
    mistakes=(
        Mistake("task-runs-at-once", _task_runs_at_once),
        Mistake("await-keeps-the-turn", _await_keeps_the_turn),
        Mistake("await-makes-a-task", _await_makes_a_task),
    ),
    hints=(
        "Only one thing runs at a time, and it runs until it awaits something that is not ready.",
        "Keep a list of who is ready: `create_task` puts `b` at its end, and `sleep(0)` puts at its end who awaits it.",
        'Run it: `await program("08.1")(print)`, and compare line by line.',
    ),
    program=Program(relay),
)


# -- 08.2 -----------------------------------------------------------------------------------------------------

_NAMES: Final = ["ant", "bee", "cat", "dog", "eel", "fox"]


def _fetch_all(fetch_all: Callable[..., Any]) -> Attempt:
    calls = Calls()

    async def fetch(name: str) -> str:
        return str(await calls.waits(name, 1.0, name.upper()))

    async def main() -> Any:
        calls.start()
        pages = await outcome(fetch_all, fetch, list(_NAMES))
        calls.finish()
        return pages

    return Attempt((fetch_all,), [try_function(main)], {"calls": calls})


_ALL_AT_ONCE: Final = Exercise(
    id="08.2",
    question="Fetch all pages at once: `await fetch(name)` takes 1 s each, and all six shall take 1 s.",
    takes=(a_function("fetch_all", "async def fetch_all(fetch, names)"),),
    attempt=_fetch_all,
    rules=(
        Rule(
            "it returns the list of pages, in the order of the names",
            gives_by_calling([name.upper() for name in _NAMES], _NAMES),
        ),
        Rule("all six are fetched at once", all_at_once(6), 2),
    ),
    mistakes=(asyncio_run, forgotten_await, blocking(0.5), one_after_another("fetch")),
    hints=(
        "What is awaited line by line happens line by line. Begin all of them before you wait for the first.",
        "`asyncio.gather(...)` takes several coroutines, runs them at once and gives their results in order.",
        "Unpack them: `await asyncio.gather(*(fetch(name) for name in names))`, which gives a list.",
    ),
)


# -- 08.3 -----------------------------------------------------------------------------------------------------


def _breakfast(breakfast: Callable[..., Any]) -> Attempt:
    calls = Calls()

    async def boil() -> str:
        return str(await calls.waits("boil", 3.0, "tea"))

    async def cut() -> str:
        return str(await calls.waits("cut", 2.0, "bread"))

    async def main() -> Any:
        calls.start()
        table = await outcome(breakfast, boil, cut)
        calls.finish()
        return table

    return Attempt((breakfast,), [try_function(main)], {"calls": calls})


def _boils_first(attempt: Attempt) -> str | None:
    began_s = {call.name: call.began_s for call in reversed(calls_of(attempt).made)}
    if set(began_s) != {"boil", "cut"}:
        return f"expected both to be done, got {' and '.join(began_s) or 'neither'}."
    if began_s["boil"] <= began_s["cut"]:
        return None
    return f"the bread is cut from {seconds(began_s['cut'])} on, and the water is put on at {seconds(began_s['boil'])}."


def _in_three_seconds(attempt: Attempt) -> str | None:
    over_s = calls_of(attempt).over_s
    return None if over_s is not None and over_s <= 3 else f"expected 3 s in all, got {seconds(over_s or 0)}."


def _not_begun(attempt: Attempt) -> str | None:
    made = calls_of(attempt).made
    if broke(attempt) or [call.name for call in made] != ["cut", "boil"] or made[1].began_s < (made[0].ended_s or 0):
        return None
    return (
        f"The water was put on only at {seconds(made[1].began_s)}, when the bread was cut. `boil()` makes a coroutine, "
        "and a coroutine does not begin by being made: it waits to be awaited, or to be made a task."
    )


_BREAKFAST: Final = Exercise(
    id="08.3",
    question="Put the water on (`boil`, 3 s), cut the bread meanwhile (`cut`, 2 s), and return both results in 3 s.",
    takes=(a_function("breakfast", "async def breakfast(boil, cut)"),),
    attempt=_breakfast,
    rules=(
        Rule("it returns the tea and the bread, as a tuple", gives(("tea", "bread"))),
        Rule("the water is put on no later than the bread is cut", _boils_first),
        Rule("both are done after 3 s", _in_three_seconds, 2),
    ),
    mistakes=(
        asyncio_run,
        forgotten_await,
        blocking(0.5),
        Mistake("not-begun", _not_begun),
        one_after_another("job"),
    ),
    hints=(
        "The water boils by itself once it is on: begin it, and do not wait for it yet.",
        "`task = asyncio.create_task(boil())` begins it; `await task` later gives its result.",
    ),
)

EXERCISES: Final = (_PREDICTION, _ALL_AT_ONCE, _BREAKFAST)
