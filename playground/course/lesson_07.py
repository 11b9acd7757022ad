"""Lesson 7, green threads: who gives the turn to whom, and what it takes for the others to have theirs.

All of it runs in processes of its own: what gevent replaces is not replaced here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.experiments import try_models
from playground.course.programs import Program
from playground.course.rules import broke
from playground.course.takes import a_plain_function, texts
from playground.course.trials import Tried
from playground.errors import ModelError
from playground.models.workload import Workload
from playground.views.wording import counted

__all__ = ["EXERCISES"]

_LIMIT_S: Final = 5.0
"""Real time for what takes a few milliseconds."""


def _try_apart(function: Callable[..., Any], *args: Any) -> Tried:
    from playground.models.apart import run_apart  # where there are no processes, it may not be there

    try:
        apart = run_apart(function, *args, timeout_s=_LIMIT_S)
    except ModelError as error:
        return Tried(None, error=error)
    failed = None if apart.error is None else apart.error.exception()
    return Tried(None, apart.result, (), failed, apart.ending == "timed out")


def _differs(real: list[str], told: list[str]) -> str | None:
    """The first line in which what was told is not what was said, with its number."""
    for number, (line, other) in enumerate(zip(real, told, strict=False), start=1):
        if line != other:
            return f"line {number} is {line!r}, and not {other!r}."
    return None if len(real) == len(told) else f"there are {counted(len(real), 'line')}, and not {len(told)}."


# -- 07.1 -----------------------------------------------------------------------------------------------------


def passes(say: Callable[[str], object]) -> None:
    from greenlet import greenlet

    def first() -> None:
        say("first begins")
        there.switch()
        say("first goes on")

    def second() -> None:
        say("second begins")
        here.switch()
        say("second goes on")

    here, there = greenlet(first), greenlet(second)
    here.switch()
    say("main goes on")


def _lines() -> list[str]:
    said: list[str] = []
    passes(said.append)
    return said


def _predicted(order: list[str]) -> Attempt:
    return Attempt((order,), [_try_apart(_lines)])


def _right_lines(attempt: Attempt) -> str | None:
    return _differs(attempt.tried.result, list(attempt.given[0]))


def _switch_is_later(attempt: Attempt) -> str | None:
    if list(attempt.given[0][:2]) != ["first begins", "first goes on"]:
        return None
    return (
        "`switch` is not put off until the function has ended: `first` is left at once, in the midst of its line, and "
        "goes on from there when somebody switches back to it."
    )


def _all_get_done(attempt: Attempt) -> str | None:
    if "second goes on" not in attempt.given[0]:
        return None
    return (
        "Nobody switches to `second` again. A green thread does not go on by itself: `first` ends, and then whoever "
        "made it goes on, which is `main`."
    )


_PASSES: Final = Exercise(
    id="07.1",
    question="Which lines does `passes` say, and in what order? Not all of the five need be among them.",
    takes=(texts("order", "lines"),),
    attempt=_predicted,
    rules=(
        Rule("greenlet can be run here", broke, 0),
        Rule("these are its lines, in order", _right_lines, 2),
    ),
    mistakes=(Mistake("switch-is-later", _switch_is_later), Mistake("all-get-done", _all_get_done)),
    hints=(
        "Put a finger on the line that runs. At each `switch`, the finger goes to where the other one was left.",
        "`second` is left at its `switch`. Is there anybody who switches to it after that?",
    ),
    program=Program(passes),
)

# -- 07.2 -----------------------------------------------------------------------------------------------------

_TURNS: Final = {"a": 3, "b": 1, "c": 2}
_IN_TURNS: Final = ["a 1", "b 1", "c 1", "a 2", "c 2", "a 3"]


def _played(take_turns: Callable[[list[Any]], object]) -> list[str]:
    from greenlet import getcurrent, greenlet

    said: list[str] = []
    hub = getcurrent()

    def counting(name: str) -> Callable[[], None]:
        def count() -> None:
            for turn in range(1, _TURNS[name] + 1):
                said.append(f"{name} {turn}")
                if turn < _TURNS[name]:
                    hub.switch()

        return count

    take_turns([greenlet(counting(name)) for name in _TURNS])
    return said


def _turns(function: Any) -> Attempt:
    return Attempt((function,), [_try_apart(_played, function)])


def _some_run(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    return None if attempt.tried.result else "no green thread has run: its hole is still open, or it never switches."


def _all_over(attempt: Attempt) -> str | None:
    missing = [line for line in _IN_TURNS if line not in attempt.tried.result]
    return f"{missing[0]!r} was not said." if missing else None


def _take_turns(attempt: Attempt) -> str | None:
    said = attempt.tried.result
    told = _differs(said, _IN_TURNS)
    return None if told is None else f"{told} All that was said: {', '.join(said)}."


def _one_round(attempt: Attempt) -> str | None:
    if attempt.tried.result != _IN_TURNS[: len(_TURNS)]:
        return None
    return (
        "Each has had one turn. Who gives way is not over: it has stopped in the midst of its function, and waits "
        "until somebody switches to it again."
    )


def _to_the_end(attempt: Attempt) -> str | None:
    if attempt.tried.result != sorted(_IN_TURNS):
        return None
    return (
        "It switches to the same one until that is over, and only then to the next. Each of them gives way, and "
        "nobody else has anything of it."
    )


_HUB: Final = Exercise(
    id="07.2",
    question="`take_turns(greens)` is given a list of green threads. Switch to the first; if it is not `dead` after "
    "that, it goes to the end of the line; and so on until all are over.",
    takes=(a_plain_function("take_turns", "def take_turns(greens)"),),
    attempt=_turns,
    rules=(
        Rule("it comes to its end, and green threads have run", _some_run),
        Rule("all of them are over", _all_over),
        Rule("they take turns", _take_turns, 2),
    ),
    mistakes=(Mistake("one-round", _one_round), Mistake("to-the-end", _to_the_end)),
    hints=(
        "`greens.pop(0)` takes the first out of the line, and `greens.append(green)` puts it at the end.",
        "`while greens:` take the first, `green.switch()`, and if `not green.dead`, to the end with it.",
    ),
)

# -- 07.3 -----------------------------------------------------------------------------------------------------

_JOBS: Final = 4
_PIECES: Final = 5
_ROUNDS: Final = 50_000
_SWITCHES: Final = _JOBS * _PIECES - 1


@dataclass(frozen=True)
class _InPieces:
    """A job of somebody's, which is lent a piece of work; it gives how often that was done."""

    share: Callable[[int, Callable[[], int]], object]

    def __call__(self, number: int) -> int:
        done: list[int] = []

        def piece() -> int:
            done.append(sum(range(_ROUNDS)))
            return len(done)

        self.share(number, piece)
        return len(done)


def _shared(function: Any) -> Attempt:
    return Attempt((function,), try_models(Workload(_InPieces(function), jobs=_JOBS), "gevent"))


def _all_pieces(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    wrong = [done for done in attempt.tried.result if done != _PIECES]
    return f"expected {_PIECES} calls of `piece` by each job, got {wrong[0]}." if wrong else None


def _all_begun(attempt: Attempt) -> str | None:
    most = attempt.trace.max_overlap
    return None if most == _JOBS else f"expected {_JOBS} jobs begun and not over, got {most} at most."


def _in_turns(attempt: Attempt) -> str | None:
    switches = attempt.trace.switches
    if switches >= _SWITCHES:
        return None
    return f"expected {_SWITCHES} switches from one job to another at least, got {switches}."


def _never_gives_way(attempt: Attempt) -> str | None:
    if _all_pieces(attempt) or attempt.trace.max_overlap > 1:
        return None
    return (
        "Nothing in it waits, so nothing in it gives way: each job has the thread until it is over. No system takes "
        "it away from a green thread, as it would from a thread."
    )


def _gives_way_once(attempt: Attempt) -> str | None:
    if _all_pieces(attempt) or attempt.trace.max_overlap < _JOBS or _in_turns(attempt) is None:
        return None
    return "It gives way, but not after each piece: in between, all the others stand still for several pieces."


_SHARES: Final = Exercise(
    id="07.3",
    question=f"{_JOBS} green threads of gevent compute: each calls `piece()` {_PIECES} times. Have it give the others "
    "their turn after each piece.",
    takes=(a_plain_function("share", "def share(number, piece)"),),
    attempt=_shared,
    rules=(
        Rule(f"each job does its {_PIECES} pieces", _all_pieces),
        Rule("all of them are begun before one is over", _all_begun),
        Rule("the turn goes on after each piece", _in_turns, 2),
    ),
    mistakes=(Mistake("never-gives-way", _never_gives_way), Mistake("gives-way-once", _gives_way_once)),
    hints=(
        "Which call of Python's own has gevent replaced by one that lets others run?",
        "`time.sleep(0)` waits for no time, and gives way all the same.",
    ),
)

EXERCISES: Final = (_PASSES, _HUB, _SHARES)
