"""Lesson 2, sequential, concurrent, parallel: who is begun and not over, who could compute at once, who takes turns."""

import time
from collections.abc import Callable
from typing import Any, Final

from playground.course.exercise import Attempt, Exercise, Judge, Mistake, Rule
from playground.course.experiments import computes_in_parallel, jobs_take, named_ways, try_models
from playground.course.mistakes import forgotten_await
from playground.course.programs import Program
from playground.course.rules import broke, gives, said
from playground.course.takes import a_number, an_async_function, texts
from playground.course.words import shown
from playground.models.workload import Workload
from playground.trace import Trace
from playground.views.wording import code_text, counted

__all__ = ["EXERCISES"]

# -- 02.1 -----------------------------------------------------------------------------------------------------

_TURNS: Final = Workload(jobs=5, cpu_s=0.01, wait_s=0.05)
_WAYS: Final = ("sequential", "asyncio", "processes")


def _switched(in_a_row: float, on_a_loop: float, in_processes: float) -> Attempt:
    tries = try_models(_TURNS, *_WAYS)
    return Attempt((in_a_row, on_a_loop, in_processes), tries, ways=named_ways(_WAYS, tries))


def _trace(attempt: Attempt, index: int) -> Trace:
    trace = attempt.tries[index].trace
    assert trace is not None
    return trace


def _right(index: int) -> Judge:
    def judge(attempt: Attempt) -> str | None:
        said, real = attempt.given[index], _trace(attempt, index).switches
        return None if said == real else f"in the recording it does so {counted(real, 'time')}, you said {said:g}."

    return judge


_SWITCHES: Final = Exercise(
    id="02.1",
    question="Five jobs compute, wait and compute again. How often does an interpreter go from one job to another: one "
    "by one, on one event loop, and in a process for each?",
    takes=(a_number("in_a_row", "switches"), a_number("on_a_loop", "switches"), a_number("in_processes", "switches")),
    attempt=_switched,
    rules=(
        Rule("all three ways can be run here", broke, 0),
        Rule("so many are one by one", _right(0)),
        Rule("so many are on one event loop", _right(1)),
        Rule("so many are in processes", _right(2)),
    ),
    mistakes=(
        Mistake(
            "gives-way-in-a-row",
            said(
                0,
                (9, 10),
                "One by one, a job's wait is everybody's wait: the next is not begun before the job is over, so an "
                "interpreter only goes on to another job where one ends.",
            ),
        ),
        Mistake(
            "once-a-job",
            said(
                1,
                (4, 5),
                "Each job computes twice, before its wait and after. On the loop others come in between, so it has to "
                "be come back to: twice five stretches, and a switch from each to the next.",
            ),
        ),
        Mistake(
            "processes-take-turns",
            said(
                2,
                (4, 5, 9, 10),
                "Each process has an interpreter of its own, and here one job. It is the system that goes from one "
                "process to another; no interpreter has a second job to go to.",
            ),
        ),
    ),
    hints=(
        "Write down the order in which they compute: one by one it begins with job 0, job 0, job 1.",
        "On the loop all compute once, and then all compute again: ten stretches, each another job than the last.",
        "And how many jobs does the interpreter of one process have?",
    ),
)

# -- 02.2 -----------------------------------------------------------------------------------------------------

_BOTH: Final = Workload(jobs=4, cpu_s=0.06, wait_s=0.06)
_MODELS: Final = ("sequential", "threads", "processes", "asyncio")
_AT_ONCE, _PARALLEL = 0, 1


def _sorted_out(at_once: list[str], parallel: list[str]) -> Attempt:
    tries = try_models(_BOTH, *_MODELS)
    return Attempt((at_once, parallel), tries, ways=named_ways(_MODELS, tries))


def _names_of_these(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    odd = [name for names in attempt.given for name in names if name not in _MODELS]
    return f"{shown(odd[0])} is none of the four." if odd else None


def _are_those(which: int, holds: Callable[[Trace], bool], yes: str, no: str) -> Judge:
    def judge(attempt: Attempt) -> str | None:
        for index, name in enumerate(_MODELS):
            really = holds(_trace(attempt, index))
            if really != (name in attempt.given[which]):
                return f"{code_text(name)}: in the recording {yes if really else no}."
        return None

    return judge


def _more_than_one(trace: Trace) -> bool:
    return trace.max_overlap > 1


def _named(which: int, name: str, text: str) -> Judge:
    return lambda attempt: text if name in attempt.given[which] else None


_SORTED: Final = Exercise(
    id="02.2",
    question="Four jobs compute, wait and compute again, in each of the four ways. Which ways have more than one job "
    "begun and not over? In which could two jobs compute at the same moment?",
    takes=(texts("at_once", "names"), texts("parallel", "names")),
    attempt=_sorted_out,
    rules=(
        Rule("they are names of the four", _names_of_these, 0),
        Rule(
            "these have more than one job begun and not over",
            _are_those(
                _AT_ONCE, _more_than_one, "several jobs are begun and not over", "one job is over before the next"
            ),
        ),
        Rule(
            "in these two jobs could compute at the same moment",
            _are_those(
                _PARALLEL, computes_in_parallel, "two jobs could compute at once", "no two jobs could compute at once"
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "one-loop-in-parallel",
            _named(
                _PARALLEL,
                "asyncio",
                "An event loop is one thread, and one thread does one thing at a time. Its jobs wait together, but "
                "they compute in turns: concurrent, and not parallel.",
            ),
        ),
        Mistake(
            "threads-in-parallel",
            _named(
                _PARALLEL,
                "threads",
                "Threads of one Python share its interpreter's lock, and only who has it can compute. So they wait "
                "together and compute in turns; lesson 3 looks at that lock.",
            ),
        ),
        Mistake(
            "one-by-one-at-once",
            _named(_AT_ONCE, "sequential", "One by one is the way in which a job is over before the next is begun."),
        ),
    ),
    hints=(
        "Begun and not over at once: look for jobs that lie above one another in the picture.",
        "Two jobs compute at once only if two interpreters run them: which of the four ways has more than one?",
    ),
)

# -- 02.3 -----------------------------------------------------------------------------------------------------


def fetch(number: int) -> int:
    time.sleep(0.05)
    return number * 10


_FETCHES: Final = 5
_RETURNS: Final = gives([number * 10 for number in range(_FETCHES)])
_LEAST_S: Final = 0.049
"""A loop's clock may be a little ahead of its timer."""


def _awaited(function: Any) -> Attempt:
    return Attempt((function,), try_models(Workload(function, jobs=_FETCHES), "asyncio"))


_takes_its_time: Final = jobs_take(_LEAST_S)


def _all_at_once(attempt: Attempt) -> str | None:
    most = attempt.trace.max_overlap
    return None if most == _FETCHES else f"expected {_FETCHES} begun and not over at once, got {most} at most."


def _holds_the_loop(attempt: Attempt) -> str | None:
    if _takes_its_time(attempt) or _all_at_once(attempt) is None:
        return None
    return (
        "`async def` alone makes nothing wait politely: this keeps the loop's only thread for as long as it sleeps, "
        "and meanwhile no other job can even be begun. What waits has to be awaited."
    )


def _never_waits(attempt: Attempt) -> str | None:
    if _RETURNS(attempt) or _takes_its_time(attempt) is None:
        return None
    return "It returns the right number, and does not wait for it: nothing was fetched in that time."


_ASYNC: Final = Exercise(
    id="02.3",
    question="Write `fetch` for an event loop: the same number after the same 50 ms, but all five shall wait together.",
    takes=(an_async_function("fetch", "async def fetch(number)"),),
    attempt=_awaited,
    rules=(
        Rule("each returns its number times ten", _RETURNS),
        Rule("each takes its 50 ms", _takes_its_time),
        Rule("all five are begun and not over at once", _all_at_once),
    ),
    mistakes=(
        forgotten_await,
        Mistake("holds-the-loop", _holds_the_loop),
        Mistake("never-waits", _never_waits),
    ),
    hints=(
        "Where does the plain one wait? That line has a counterpart in `asyncio`.",
        "`await asyncio.sleep(0.05)`.",
    ),
    program=Program(fetch),
)

EXERCISES: Final = (_SWITCHES, _SORTED, _ASYNC)
