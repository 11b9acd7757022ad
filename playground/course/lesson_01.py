"""Lesson 1, what takes how long: the latency ladder, and what of a job's time is computing and what is waiting."""

import time
from collections.abc import Callable
from typing import Final

from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.experiments import a_workload, computing_s, named_ways, try_models, waiting_s
from playground.course.programs import Program
from playground.course.rules import broke
from playground.course.takes import texts
from playground.models.workload import Workload
from playground.views.claims_axis import figure_words
from playground.views.wording import code_text, duration

__all__ = ["EXERCISES"]

# -- 01.1 -----------------------------------------------------------------------------------------------------

_CALL: Final = "function call"
_READ: Final = "4 KiB read, cached file"
_LOOPBACK: Final = "byte over loopback and back"
_SLEEP: Final = "sleep of 1 ms"
_PYTHON: Final = "Python, started and ended"
_RUNGS: Final = (_CALL, _READ, _LOOPBACK, _SLEEP, _PYTHON)

_BUDGET_S: Final = 0.2
"""The slow rungs are measured five times whatever it is, and those that are asked for are far apart."""


def _measure(order: list[str]) -> Attempt:
    if sorted(order) != sorted(_RUNGS):
        return Attempt((order,))
    from playground.models.claims.ladder import latency_ladder  # where there are no processes, it may not be there

    claim = latency_ladder(_BUDGET_S)
    rows = {row.name: row for row in claim.rows if row.median is not None}
    return Attempt((order,), facts={"rows": rows, "sentence": claim.sentence})


def _each_once(attempt: Attempt) -> str | None:
    (order,) = attempt.given
    missing = [name for name in _RUNGS if name not in order]
    if missing:
        return f"{code_text(missing[0])} is not there: copy the names from the list."
    return None if len(order) == len(_RUNGS) else f"expected {len(_RUNGS)} names, got {len(order)}."


def _ascending(attempt: Attempt) -> str | None:
    (order,), rows = attempt.given, attempt.facts["rows"]
    known = [name for name in order if name in rows]
    if len(known) < 2:
        return f"nothing could be measured here: {attempt.facts['sentence']}"
    for at, first in enumerate(known):
        for second in known[at + 1 :]:
            if _slower(attempt, first, second):
                took = [figure_words(rows[name].median, "ns") for name in (first, second)]
                return f"{code_text(first)} took {took[0]}, and {code_text(second)} {took[1]}."
    return None


def _slower(attempt: Attempt, one: str, other: str) -> bool:
    """Whether one took longer than another, by the middle half of the rounds: what is in doubt counts as right."""
    rows = attempt.facts["rows"]
    return one in rows and other in rows and bool(rows[one].low > rows[other].high)


def _too_late(one: str, *others: str) -> Callable[[Attempt], bool]:
    """Whether one was put behind another that took longer."""

    def found(attempt: Attempt) -> bool:
        order = attempt.given[0]
        return any(order.index(one) > order.index(other) and _slower(attempt, other, one) for other in others)

    return found


def _when(found: Callable[[Attempt], bool], text: str) -> Callable[[Attempt], str | None]:
    return lambda attempt: text if found(attempt) else None


def _slowest_first(attempt: Attempt) -> bool:
    return tuple(attempt.given[0]) == _RUNGS[::-1] and _too_late(_CALL, _PYTHON)(attempt)


_ORDER: Final = Exercise(
    id="01.1",
    question="Put the five in order, the quickest first. It is measured on this machine.",
    takes=(texts("order", "names"),),
    attempt=_measure,
    rules=(
        Rule("each of the five is there once", _each_once, 0),
        Rule("each takes longer than the one before it", _ascending, 2),
    ),
    mistakes=(
        Mistake("slowest-first", _when(_slowest_first, "That is the order from the slowest to the quickest.")),
        Mistake(
            "a-file-is-a-disk",
            _when(
                _too_late(_READ, _SLEEP, _PYTHON),
                "A disk would be slow. But this file was written a moment ago, so the system still has it in memory, "
                "and to read it is to copy a page.",
            ),
        ),
        Mistake(
            "a-sleep-is-long",
            _when(
                _too_late(_SLEEP, _PYTHON),
                "A millisecond of sleep does nothing, and still is short. To start a Python means a new process, and "
                "dozens of files and modules to load before the first line of yours.",
            ),
        ),
        Mistake(
            "asking-is-calling",
            _when(
                _too_late(_CALL, _READ, _LOOPBACK),
                "To read and to send are calls too, and in each Python has to ask the operating system: it does all "
                "that a call does, and more.",
            ),
        ),
    ),
    hints=(
        "Which of them never leaves the program? Which have to ask the operating system?",
        "A byte over loopback is sent twice and received twice; the file is only read. And both are far from 1 ms.",
        "To start a Python takes some ten times 1 ms.",
    ),
)

# -- 01.2 -----------------------------------------------------------------------------------------------------


def report(number: int) -> int:
    return sum(n * n for n in range(300_000))


def fetch(number: int) -> str:
    time.sleep(0.1)
    return f"order {number}"


def poll(number: int) -> int:
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        pass
    return number


_FUNCTIONS: Final = {"report": report, "fetch": fetch, "poll": poll}


def _alone(computing: list[str]) -> Attempt:
    tries = [
        tried for function in _FUNCTIONS.values() for tried in try_models(Workload(function, jobs=1), "sequential")
    ]
    return Attempt((computing,), tries, ways=named_ways(_FUNCTIONS, tries))


def _of_these(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    odd = [name for name in attempt.given[0] if name not in _FUNCTIONS]
    return f"{code_text(odd[0])} is none of the three." if odd else None


def _belongs(name: str) -> Callable[[Attempt], str | None]:
    def judge(attempt: Attempt) -> str | None:
        trace = attempt.tries[list(_FUNCTIONS).index(name)].trace
        assert trace is not None
        computed_s, waited_s = computing_s(trace), waiting_s(trace)
        if (computed_s > waited_s) == (name in attempt.given[0]):
            return None
        return f"it computed for {duration(round(computed_s * 1e9))} and waited for {duration(round(waited_s * 1e9))}."

    return judge


def _left_out(name: str, text: str) -> Callable[[Attempt], str | None]:
    return lambda attempt: text if name not in attempt.given[0] else None


_BOUND: Final = Exercise(
    id="01.2",
    question="Which of the three functions keep a processor busy for most of their time, if nobody else wants it?",
    takes=(texts("computing", "names"),),
    attempt=_alone,
    rules=(
        Rule("they are names of the three", _of_these, 0),
        *(Rule(f"`{name}` is where it belongs", _belongs(name)) for name in _FUNCTIONS),
    ),
    mistakes=(
        Mistake(
            "waiting-by-asking",
            _left_out(
                "poll",
                "`poll` only wants time to pass, and still it computes: it asks the clock over and over. Waiting means "
                "that the system knows of it, and gives the processor to others.",
            ),
        ),
        Mistake(
            "sleeping-computes",
            lambda attempt: (
                "While it sleeps, a program is not on the processor at all: the system wakes it when its time has come."
                if "fetch" in attempt.given[0]
                else None
            ),
        ),
        Mistake(
            "sums-are-free", _left_out("report", "Squares and sums are made by the processor, and by nothing else.")
        ),
    ),
    hints=(
        "Look for the lines at which a function stands still, and somebody else is to wake it.",
        "Only `time.sleep` is such a line here: `while` goes round as fast as it can.",
    ),
    program=Program(report, fetch, poll),
)

# -- 01.3 -----------------------------------------------------------------------------------------------------

_JOB: Final = Workload(jobs=1, cpu_s=0.01, wait_s=0.09)
_QUICKER: Final = {
    "computing": Workload(jobs=1, cpu_s=0.005, wait_s=0.09),
    "waiting": Workload(jobs=1, cpu_s=0.01, wait_s=0.045),
}


def _halved(workload: Workload) -> str | None:
    """Which of the job's parts was halved; `None` if it is another job."""
    return next((name for name, each in _QUICKER.items() if _alike(each, workload)), None)


def _alike(one: Workload, other: Workload) -> bool:
    if not other.is_ours or one.jobs != other.jobs:
        return False
    return abs(one.cpu_s - other.cpu_s) < 1e-9 and abs(one.wait_s - other.wait_s) < 1e-9


def _both(workload: Workload) -> Attempt:
    chosen = _halved(workload)
    if chosen is None:
        return Attempt((workload,))
    other = next(each for name, each in _QUICKER.items() if name != chosen)
    tries = [tried for each in (workload, other) for tried in try_models(each, "sequential")]
    names = [f"half the {name}" for name in (chosen, *(name for name in _QUICKER if name != chosen))]
    return Attempt((workload,), tries, {"chosen": chosen}, ways=named_ways(names, tries))


def _one_halved(attempt: Attempt) -> str | None:
    if attempt.tries:
        return broke(attempt)
    workload = attempt.given[0]
    return (
        f"expected 1 job, with half of {_JOB.cpu_s} as its cpu_s or half of {_JOB.wait_s} as its wait_s and the other "
        f"as it was, got jobs={workload.jobs}, cpu_s={workload.cpu_s:g}, wait_s={workload.wait_s:g}."
    )


def _takes_s(attempt: Attempt, index: int) -> float:
    """What a job takes that is not held up: a busy machine adds to neither."""
    trace = attempt.tries[index].trace
    assert trace is not None
    return computing_s(trace) + waiting_s(trace)


def _soonest(attempt: Attempt) -> str | None:
    ours, theirs = (_takes_s(attempt, index) for index in (0, 1))
    if ours <= theirs:
        return None
    took = [duration(round(each * 1e9)) for each in (ours, theirs)]
    return f"it has {took[0]} to compute and to wait; with the other half it would be {took[1]}."


def _halved_both(attempt: Attempt) -> str | None:
    workload = attempt.given[0]
    if not _alike(Workload(jobs=1, cpu_s=_JOB.cpu_s / 2, wait_s=_JOB.wait_s / 2), workload):
        return None
    return "Both are halved. There is time for one: that is why one measures before one makes anything quicker."


def _halved_computing(attempt: Attempt) -> str | None:
    if attempt.facts.get("chosen") != "computing":
        return None
    return (
        "It computes for 10 ms of its 100: if that took no time at all, 90 ms would be left. What is quick already is "
        "not worth making quicker."
    )


_HALVE: Final = Exercise(
    id="01.3",
    question="A job computes for 10 ms and waits for 90 ms: `Workload(jobs=1, cpu_s=0.01, wait_s=0.09)`. You may make "
    "one of the two take half of its time. Choose that with which the job is over soonest.",
    takes=(a_workload("quicker"),),
    attempt=_both,
    rules=(
        Rule("one of the two is halved, and the other is as it was", _one_halved, 0),
        Rule(
            "it has less to compute and to wait in all than with the other half, whatever others took of the processor",
            _soonest,
            2,
        ),
    ),
    mistakes=(Mistake("quicker-computing", _halved_computing), Mistake("both-halved", _halved_both)),
    hints=(
        "Add up what is left, once with the one half and once with the other.",
        "10 and 45, or 5 and 90?",
    ),
)

EXERCISES: Final = (_ORDER, _BOUND, _HALVE)
