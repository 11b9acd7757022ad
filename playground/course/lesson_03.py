"""Lesson 3, threads and the interpreter's lock: who computes, who wants to, and what waits without wanting anything."""

import time
from typing import Any, Final

from playground.course.exercise import Attempt, Exercise, Judge, Mistake, Rule
from playground.course.experiments import (
    computes_in_parallel,
    computing_s,
    jobs_take,
    most_computing,
    try_models,
    waiting_s,
)
from playground.course.programs import Program
from playground.course.rules import broke, gives, said
from playground.course.takes import Take, a_plain_function, whole_number
from playground.models.workload import Workload
from playground.views.wording import counted, duration

__all__ = ["EXERCISES"]

_THREADS: Final = 4
_COMPUTING: Final = Workload(jobs=_THREADS, cpu_s=0.1, wait_s=0)
_RETURNS: Final = gives(list(range(_THREADS)))

# -- 03.1 -----------------------------------------------------------------------------------------------------

_TRIES: Final = 3
"""A thread that the system begins too late finds the first one at its end. It is rare, and says nothing of threads."""


def _four_threads(begun: int, computing: int) -> Attempt:
    for _ in range(_TRIES):
        (tried,) = try_models(_COMPUTING, "threads")
        if tried.trace is None or tried.trace.max_overlap == _THREADS:
            break
    return Attempt((begun, computing), [tried])


def _right_begun(attempt: Attempt) -> str | None:
    most = attempt.trace.max_overlap
    return None if attempt.given[0] == most else f"in the recording {most} are, you said {attempt.given[0]}."


def _right_computing(attempt: Attempt) -> str | None:
    most = most_computing(attempt.trace)
    return None if attempt.given[1] == most else f"in the recording {most} at most, you said {attempt.given[1]}."


_AT_ONCE: Final = Exercise(
    id="03.1",
    question=f"{_THREADS} threads compute for 100 ms each. How many of them are begun and not over at one moment, at "
    "most? And how many compute at one moment, at most?",
    takes=(whole_number("begun", "threads"), whole_number("computing", "threads")),
    attempt=_four_threads,
    rules=(
        Rule("the threads can be run here", broke, 0),
        Rule("so many are begun and not over at once", _right_begun),
        Rule("so many compute at once", _right_computing),
    ),
    mistakes=(
        Mistake(
            "all-compute",
            said(
                1,
                range(_THREADS, 1000),
                "That they are all begun does not mean that they all compute: only the thread that has the "
                "interpreter's lock does, and the others want it.",
            ),
        ),
        Mistake(
            "a-processor-each",
            said(
                1,
                range(2, _THREADS),
                "It does not matter how many processors there are: there is one interpreter's lock, and only who has "
                "it computes.",
            ),
        ),
        Mistake(
            "one-after-another",
            said(
                0,
                range(1, 2),
                "That would be one by one. A thread has to give the lock away after some milliseconds if others want "
                "it, so all of them get on, in turns, and none is over before the others are begun.",
            ),
        ),
    ),
    hints=(
        "Begun and not over: count the lanes that lie above one another.",
        "Draw a line from the top down through the picture: how many full bars does it cross?",
    ),
)

# -- 03.2 -----------------------------------------------------------------------------------------------------


def wait(number: int) -> int:
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        pass
    return number


_LEAST_S: Final = 0.099
_LITTLE: Final = 0.2
"""Of their sleep, what they may compute beside it: to look at the clock now and then takes a hundredth."""


def _waiting(function: Any) -> Attempt:
    return Attempt((function,), try_models(Workload(function, jobs=_THREADS), "threads"))


_takes_its_time: Final = jobs_take(_LEAST_S)


def _rather_waits(attempt: Attempt) -> str | None:
    computed_s, waited_s = computing_s(attempt.trace), waiting_s(attempt.trace)
    if computed_s < _LITTLE * waited_s:
        return None
    told = [duration(round(each_s * 1e9)) for each_s in (computed_s, waited_s)]
    return f"the {counted(_THREADS, 'thread')} computed for {told[0]} in all, and slept for {told[1]}."


def _asks_the_clock(attempt: Attempt) -> str | None:
    if broke(attempt) or _takes_its_time(attempt) or _rather_waits(attempt) is None:
        return None
    return (
        "It waits by asking the clock, and to ask is to compute: each thread wants the lock all the time, and takes it "
        "from those that have something to do. A thread that sleeps wants nothing."
    )


def _too_short(attempt: Attempt) -> str | None:
    if _RETURNS(attempt) or _takes_its_time(attempt) is None:
        return None
    return "It returns before its 100 ms are over: whoever relies on that wait finds nothing ready."


_POLLING: Final = Exercise(
    id="03.2",
    question="Write `wait` anew: it returns its number after the same 100 ms, but its threads leave the interpreter's "
    "lock to others meanwhile.",
    takes=(a_plain_function("wait", "def wait(number)"),),
    attempt=_waiting,
    rules=(
        Rule("each returns its number", _RETURNS),
        Rule("each takes its 100 ms", _takes_its_time),
        Rule("they sleep meanwhile, and hardly compute", _rather_waits),
    ),
    mistakes=(Mistake("asks-the-clock", _asks_the_clock), Mistake("too-short", _too_short)),
    hints=(
        "Who is to wake the thread? If it looks itself, it has to stay awake.",
        "`time.sleep` gives the lock back before it sleeps.",
    ),
    program=Program(wait),
)

# -- 03.3 -----------------------------------------------------------------------------------------------------

_LOOPS: Final = ("asyncio", "asyncio_blocking", "anyio", "trio")
_IN_THREADS: Final = ("threads", "thread_pool", "to_thread")


def _name() -> Take:
    return Take(
        "model",
        "the name of a model",
        lambda value: type(value) is str,
        'give its name as a string, such as "threads".',
    )


def _in_this_way(model: str) -> Attempt:
    return Attempt((model,), try_models(_COMPUTING, model, workers=_THREADS))


def _several(attempt: Attempt) -> str | None:
    most = attempt.trace.max_overlap
    return None if most > 1 else f"expected more than one job begun and not over, got {most}."


def _parallel(attempt: Attempt) -> str | None:
    if computes_in_parallel(attempt.trace):
        return None
    share = attempt.trace.parallel_share
    return (
        "no two interpreters had jobs." if share is None else f"in the recording two could for {share:.0%} of the time."
    )


def _of_kind(models: tuple[str, ...], text: str) -> Judge:
    return lambda attempt: text if broke(attempt) is None and attempt.given[0] in models else None


_PARALLEL: Final = Exercise(
    id="03.3",
    question=f"{_THREADS} jobs only compute. Name a model in which two of them can compute at the same moment.",
    takes=(_name(),),
    attempt=_in_this_way,
    rules=(
        Rule("its jobs are done", _RETURNS, 0),
        Rule("more than one job is begun and not over", _several),
        Rule("two jobs can compute at the same moment", _parallel, 2),
    ),
    mistakes=(
        Mistake(
            "threads-share-a-lock",
            _of_kind(
                _IN_THREADS,
                "These are threads of one interpreter, which has one lock: they only compute in turns, and pass the "
                "lock around besides.",
            ),
        ),
        Mistake(
            "one-loop",
            _of_kind(
                _LOOPS, "An event loop is one thread. It has nothing to gain from jobs that compute: they never wait."
            ),
        ),
        Mistake(
            "green-threads",
            _of_kind(
                ("greenlet", "gevent", "eventlet"),
                "Green threads take turns in one thread of the system, and only where one of them waits.",
            ),
        ),
        Mistake("in-a-row", _of_kind(("sequential",), "One by one, a job is over before the next is begun.")),
    ),
    hints=(
        "One interpreter has one lock. So there has to be more than one interpreter.",
        "Each process has an interpreter of its own.",
    ),
)

EXERCISES: Final = (_AT_ONCE, _POLLING, _PARALLEL)
