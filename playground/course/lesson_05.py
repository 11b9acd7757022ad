"""Lesson 5, pools and futures: how many at once, who queues, and for how long."""

import time
from collections.abc import Callable
from typing import Any, Final

from playground.app import App
from playground.course.calls import Calls, idle_s, most_at_once
from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.mistakes import asyncio_run, blocking, forgotten_await, made_outside, one_after_another
from playground.course.programs import Program
from playground.course.rules import all_at_once, calls_of, gives_by_calling, last_answer_s, never_held
from playground.course.takes import a_function, a_number, whole_number
from playground.course.trials import outcome, try_burst, try_function
from playground.course.words import seconds
from playground.views.wording import counted

__all__ = ["EXERCISES", "counter"]

# -- 05.1 and 05.2 --------------------------------------------------------------------------------------------

counter = App()


@counter.get("/stamp")
def stamp() -> str:
    time.sleep(0.2)
    return "stamped"


_FOUR: Final = 4


def _predict(last_s: float) -> Attempt:
    tried = try_burst(counter, "/stamp", 10, threads=_FOUR)
    return Attempt((last_s,), [tried], {"last_s": last_answer_s(tried)})


def _right_end(attempt: Attempt) -> str | None:
    (said_s,), last_s = attempt.given, attempt.facts["last_s"]
    if abs(said_s - last_s) < 0.001:
        return None
    return f"the last was answered after {seconds(last_s)}, you said {seconds(said_s)}."


def _said(moment_s: float, text: str) -> Callable[[Attempt], str | None]:
    return lambda attempt: text if abs(attempt.given[0] - moment_s) < 0.001 else None


_QUEUE: Final = Exercise(
    id="05.1",
    question="Ten requests for `/stamp` come at once, and there are 4 worker threads: after how many seconds is the "
    "last answered?",
    takes=(a_number("last_s", "seconds"),),
    attempt=_predict,
    rules=(Rule("it is the moment of the last answer", _right_end, 2),),
    mistakes=(
        Mistake(
            "no-queue",
            _said(0.2, "Each takes 200 ms once it has a thread. Only four have one at a time; the others queue."),
        ),
        Mistake(
            "one-at-a-time",
            _said(
                2.0, "That would be one thread. Four requests are in threads side by side; the others queue for these."
            ),
        ),
        Mistake(
            "parts-of-a-round",
            _said(
                0.5,
                "Ten among four is two rounds and a half, but no request is halved: the last two take a whole round.",
            ),
        ),
    ),
    hints=(
        "Draw four lanes, and put the requests on them, each as soon as a lane is free.",
        "Four, four and two: how many rounds is that?",
    ),
    program=Program(stamp),
)

_CROWD: Final = 60
_GOAL_S: Final = 0.6


def _smallest(threads: int) -> Attempt:
    return Attempt((threads,), [try_burst(counter, "/stamp", _CROWD, threads=n) for n in (threads, threads - 1) if n])


def _in_time(attempt: Attempt) -> str | None:
    last_s = last_answer_s(attempt.tried)
    if last_s <= _GOAL_S:
        return None
    return f"with {counted(attempt.given[0], 'thread')} the last is answered after {seconds(last_s)}."


def _none_fewer(attempt: Attempt) -> str | None:
    if len(attempt.tries) < 2 or last_answer_s(attempt.tries[1]) > _GOAL_S:
        return None
    return f"with {attempt.given[0] - 1} the last is answered after {seconds(last_answer_s(attempt.tries[1]))} too."


def _default(attempt: Attempt) -> str | None:
    if attempt.given[0] != 40:
        return None
    return (
        "40 threads is what you have if nobody says otherwise, and not what is needed: a second round of 20 leaves "
        "half of them without work."
    )


def _one_each(attempt: Attempt) -> str | None:
    if attempt.given[0] < _CROWD:
        return None
    return "A thread for each request leaves nobody queueing, and was not asked for: there is time for three rounds."


def _too_few(attempt: Attempt) -> str | None:
    if _in_time(attempt) is None:
        return None
    rounds = -(-_CROWD // attempt.given[0])
    return (
        f"With {counted(attempt.given[0], 'thread')} the {_CROWD} requests take {counted(rounds, 'round')} of 200 ms, "
        "and there is time for three."
    )


_POOL: Final = Exercise(
    id="05.2",
    question=f"{_CROWD} requests for `/stamp` come at once. What is the smallest number of threads with which the last "
    f"is answered within {seconds(_GOAL_S)}?",
    takes=(whole_number("threads", "threads"),),
    attempt=_smallest,
    rules=(
        Rule(f"the last is answered within {seconds(_GOAL_S)}", _in_time),
        Rule("no smaller number would do", _none_fewer, 2),
    ),
    mistakes=(Mistake("too-few", _too_few), Mistake("forty-threads", _default), Mistake("a-thread-each", _one_each)),
    hints=(
        "How many rounds of 200 ms are there in that time?",
        f"{_CROWD} requests in that many rounds: how many in each?",
    ),
    program=Program(stamp),
)


# -- 05.3 -----------------------------------------------------------------------------------------------------

_NUMBERS: Final = [3, 1, 4, 1, 5, 9]


def _in_threads(squares: Callable[..., Any]) -> Attempt:
    calls = Calls()

    def slow(number: int) -> int:
        return int(calls.blocks(str(number), 0.1, number * number))

    async def main() -> Any:
        calls.start()
        found = await outcome(squares, slow, list(_NUMBERS))
        calls.finish()
        return found

    return Attempt((squares,), [try_function(main)], {"calls": calls})


_FUTURES: Final = Exercise(
    id="05.3",
    question="`slow(number)` blocks for 100 ms. Call it for all numbers in worker threads, all at once, and return the "
    "list of results.",
    takes=(a_function("squares", "async def squares(slow, numbers)"),),
    attempt=_in_threads,
    rules=(
        Rule(
            "it returns the list of results, in the order of the numbers",
            gives_by_calling([each**2 for each in _NUMBERS], map(str, _NUMBERS)),
        ),
        Rule("nobody holds the loop", never_held(0.01)),
        Rule("all are called at once", all_at_once(len(_NUMBERS))),
    ),
    mistakes=(asyncio_run, forgotten_await, blocking(0.01), one_after_another("call")),
    hints=(
        "`asyncio.to_thread(slow, number)` calls it in a worker thread, and is to be awaited.",
        "Awaited one by one, they are called one by one: gather them.",
    ),
)


# -- 05.4 -----------------------------------------------------------------------------------------------------

_PLACES: Final = 3
# uneven, so that who waits for a whole batch waits for its slowest
_TAKES_S: Final = {"ant": 4.0, "bee": 1.0, "cat": 1.0, "dog": 2.0, "eel": 1.0, "fox": 3.0, "gnu": 1.0, "hen": 1.0}


def _bounded(fetch_all: Callable[..., Any]) -> Attempt:
    calls = Calls()

    async def fetch(name: str) -> str:
        return str(await calls.waits(name, _TAKES_S[name], name.upper()))

    async def main() -> Any:
        calls.start()
        pages = await outcome(fetch_all, fetch, list(_TAKES_S))
        calls.finish()
        return pages

    return Attempt((fetch_all,), [try_function(main)], {"calls": calls})


def _three_at_most(attempt: Attempt) -> str | None:
    most = most_at_once(calls_of(attempt).made)
    return None if most <= _PLACES else f"expected {_PLACES} at once at most, got {most}."


def _never_idle(attempt: Attempt) -> str | None:
    idle = idle_s(calls_of(attempt).made, _PLACES)
    return None if idle <= 0 else f"places stood empty for {seconds(idle)} in all while pages were still to be begun."


def _unbounded(attempt: Attempt) -> str | None:
    most = most_at_once(calls_of(attempt).made)
    if most <= _PLACES:
        return None
    return (
        f"All that are begun go on at once: here {most}. `gather` and tasks set no limit; a server at the other end, "
        "or a pool of connections, would have to."
    )


def _batches(attempt: Attempt) -> str | None:
    made = calls_of(attempt).made
    if most_at_once(made) != _PLACES or _never_idle(attempt) is None:
        return None
    return (
        "They go in batches: the next three begin only when the slowest of the last three is over, and until then the "
        "places of the others stand empty. Let each take a place when one is free."
    )


_BOUNDED: Final = Exercise(
    id="05.4",
    question=f"Fetch all pages, {_PLACES} at once at most, and let no place stand empty while a page is to be begun.",
    takes=(a_function("fetch_all", "async def fetch_all(fetch, names)"),),
    attempt=_bounded,
    rules=(
        Rule(
            "it returns the list of pages, in the order of the names",
            gives_by_calling([name.upper() for name in _TAKES_S], _TAKES_S),
        ),
        Rule(f"{_PLACES} go on at once at most", _three_at_most),
        Rule("no place stands empty while a page is to be begun", _never_idle, 2),
    ),
    mistakes=(
        asyncio_run,
        forgotten_await,
        made_outside,
        blocking(0.5),
        Mistake("unbounded", _unbounded),
        Mistake("batches", _batches),
        one_after_another("fetch"),
    ),
    hints=(
        "Begin them all, but let each wait for a free place before it fetches.",
        "`asyncio.Semaphore(3)` has three places; `async with places:` takes one, and gives it back.",
        "Write an inner `async def one(name)` that fetches within `async with places:`, and gather those.",
    ),
)

EXERCISES: Final = (_QUEUE, _POOL, _FUTURES, _BOUNDED)
