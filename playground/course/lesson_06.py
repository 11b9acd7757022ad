"""Lesson 6, what a process costs: whose memory is whose, what comes back from one, and what a pool pays once."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from playground.course.exercise import Attempt, Exercise, Judge, Mistake, Rule
from playground.course.experiments import named_ways, try_models
from playground.course.programs import Program
from playground.course.rules import broke, gives, said
from playground.course.takes import a_number, a_plain_function
from playground.course.words import shown
from playground.models.workload import Workload
from playground.views.wording import counted

__all__ = ["EXERCISES", "seen"]

# -- 06.1 -----------------------------------------------------------------------------------------------------

_NOTES: Final = 4
_WAYS: Final = ("processes", "process_pool")

seen: Final[list[int]] = []


def note(number: int) -> int:
    seen.append(number)
    return len(seen)


def _noted(in_processes: float, in_pool: float, here: float) -> Attempt:
    tries = try_models(Workload(note, jobs=_NOTES), *_WAYS, workers=1)
    real = [max((each for each in tried.result or () if each is not None), default=0) for tried in tries]
    names = ("a process for each", "a pool of one process")
    given = (in_processes, in_pool, here)
    return Attempt(given, tries, {"real": [*real, len(seen)]}, ways=named_ways(names, tries))


def _right(index: int) -> Judge:
    def judge(attempt: Attempt) -> str | None:
        said, real = attempt.given[index], attempt.facts["real"][index]
        return None if said == real else f"it is {real}, you said {said:g}."

    return judge


_WHOSE: Final = Exercise(
    id="06.1",
    question=f"{_NOTES} jobs put their number into a list `seen`, and return how many are in it. Which is the greatest "
    "number that one returns, with a process for each job, and with a pool of one process? And how many are in the "
    "notebook's `seen` afterwards?",
    takes=(a_number("in_processes", "entries"), a_number("in_pool", "entries"), a_number("here", "entries")),
    attempt=_noted,
    rules=(
        Rule("both ways can be run here", broke, 0),
        Rule("that is the greatest number with a process for each", _right(0)),
        Rule("that is the greatest number with a pool of one process", _right(1)),
        Rule("so many are in the notebook's list", _right(2)),
    ),
    mistakes=(
        Mistake(
            "one-memory",
            said(
                0,
                range(2, 1000),
                "There is no list that they have in common. Each process has a memory of its own, and in each `seen` "
                "is empty when its only job begins.",
            ),
        ),
        Mistake(
            "anew-for-each-job",
            said(
                1,
                range(1, 2),
                "A pool's process does not end with a job: it takes the next, and finds in its memory what the one "
                "before has left there.",
            ),
        ),
        Mistake(
            "comes-back",
            said(
                2,
                range(1, 1000),
                "Only what a job returns is sent back. What it changed, it changed in the memory of its own process, "
                "and that has ended.",
            ),
        ),
    ),
    hints=(
        "Count the processes in the picture. How many jobs has each of them done?",
        "One process, one memory: a list is as long as the jobs of its own process have made it.",
    ),
    program=Program(note),
)

# -- 06.2 -----------------------------------------------------------------------------------------------------


def squares(number: int) -> Iterator[int]:
    return (each * each for each in range(number))


_SQUARES: Final = [[each * each for each in range(number)] for number in range(4)]


def _sent(function: Any) -> Attempt:
    return Attempt((function,), try_models(Workload(function, jobs=len(_SQUARES)), "processes"))


def _all_there(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    here = sum(each is not None for each in attempt.tried.result)
    if here == len(_SQUARES):
        return None
    return f"expected {len(_SQUARES)} results, got {here}: its hole is still open, or it has no `return`."


def _cannot_travel(attempt: Attempt) -> str | None:
    if "result that can be sent back" not in str(attempt.tried.error or ""):
        return None
    return (
        "The job was done, and then what it returned could not be made into bytes. A generator is a function that has "
        "stopped half-way: what it is goes on only in its own process. So it is with an open file, and with a lock."
    )


def _left_there(attempt: Attempt) -> str | None:
    if broke(attempt) or any(each is not None for each in attempt.tried.result):
        return None
    return (
        "Nothing was returned, and nothing else comes back. A list that the notebook has, the process has too, but as "
        "its own: whatever is put into that is gone when the process ends."
    )


_TRAVELS: Final = Exercise(
    id="06.2",
    question="Mend `squares`, so that its jobs run in processes of their own and the notebook gets from each a list of "
    "the squares below its number.",
    takes=(a_plain_function("squares", "def squares(number)"),),
    attempt=_sent,
    rules=(
        Rule("something comes back from each process", _all_there),
        Rule("it is the list of squares", gives(_SQUARES)),
    ),
    mistakes=(Mistake("cannot-travel", _cannot_travel), Mistake("left-there", _left_there)),
    hints=(
        "What a job returns is made into bytes by `pickle`. Which kinds of value are nothing but data?",
        "Numbers, strings and lists of them can travel. `[... for ... in ...]` makes a list, where `(...)` does not.",
    ),
    program=Program(squares),
)

# -- 06.3 -----------------------------------------------------------------------------------------------------

_ENTRIES: Final = [7, 11, 13, 17, 19, 23, 29, 31]
_POOL: Final = 2
_LOADING_S: Final = 0.05
_ELSE_S: Final = 0.02
"""What each job does besides: long enough for the pool's second process to get some of them."""
_TRIES: Final = 3
"""On a busy machine one process may have done all before the other has begun. That says nothing of the answer."""

_loads: Final[list[int]] = []
"""Of this process, one entry for each time that the table was loaded."""


def _load() -> list[int]:
    _loads.append(os.getpid())
    time.sleep(_LOADING_S)
    return list(_ENTRIES)


@dataclass(frozen=True)
class _Looks:
    """A job of somebody's; it gives which process did it, after how many loads, and what it returned."""

    look_up: Callable[[int, Callable[[], list[int]]], Any]

    def __call__(self, number: int) -> tuple[int, int, Any]:
        before = len(_loads)
        time.sleep(_ELSE_S)
        value = self.look_up(number, _load)
        return os.getpid(), len(_loads) - before, value


def _looked_up(function: Any) -> Attempt:
    for _ in range(_TRIES):
        (tried,) = try_models(Workload(_Looks(function), jobs=len(_ENTRIES)), "process_pool", workers=_POOL)
        if tried.error is not None or len({process for process, _, _ in tried.result}) == _POOL:
            break
    return Attempt((function,), [tried])


def _loads_of(attempt: Attempt) -> Counter[int]:
    """How often each process loaded the table, also of those that never did."""
    loads: Counter[int] = Counter()
    for process, count, _ in attempt.tried.result:
        loads[process] += count
    return loads


def _right_entries(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    wrong = [
        (number, value, entry)
        for number, ((_, _, value), entry) in enumerate(zip(attempt.tried.result, _ENTRIES, strict=True))
        if type(value) is not int or value != entry
    ]
    if not wrong:
        return None
    number, value, entry = wrong[0]
    hint = ": its hole is still open, or it has no `return`" if value is None else ""
    return f"expected {entry} from job {number}, got {shown(value)}{hint}."


def _loaded_once(attempt: Attempt) -> str | None:
    loads = _loads_of(attempt)
    if set(loads.values()) == {1}:
        return None
    told = " and ".join(str(count) for count in sorted(loads.values()))
    return f"expected one load in each process, got {told} for {counted(len(_ENTRIES), 'job')}."


def _each_time(attempt: Attempt) -> str | None:
    if broke(attempt) or sum(_loads_of(attempt).values()) != len(_ENTRIES):
        return None
    return (
        "Every job loads the table, though the process that it comes to has done so before. A pool's process stays, "
        "and so does what stands in a variable outside of the function."
    )


def _brought_along(attempt: Attempt) -> str | None:
    if broke(attempt) or _right_entries(attempt) or any(_loads_of(attempt).values()):
        return None
    return (
        "The entries are right, and no process has loaded them: they came along with the function. That is sent to "
        "each process as well, and for a table that is worth loading it is the dearer way."
    )


_ONCE: Final = Exercise(
    id="06.3",
    question=f"{len(_ENTRIES)} jobs in a pool of {_POOL} processes each return their entry of a table, "
    "`load()[number]`. To load it takes a while: each process shall do so once, whatever the number of its jobs.",
    takes=(a_plain_function("look_up", "def look_up(number, load)"),),
    attempt=_looked_up,
    rules=(
        Rule("each job returns its entry", _right_entries),
        Rule("each process loads the table, and no more than once", _loaded_once, 2),
    ),
    mistakes=(Mistake("each-time", _each_time), Mistake("brought-along", _brought_along)),
    hints=(
        "What is there still when a job has ended, and the same process begins the next?",
        "A list outside of the function, `tables = []`: if it is empty, load the table and put it there.",
    ),
)

EXERCISES: Final = (_WHOSE, _TRAVELS, _ONCE)
