"""Trying an answer with many random schedules: races show with some seeds only, and so each is tried with all.

It decides with which, and of which of the tries the picture is. What is raced for is the lessons' affair.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from playground.course.calls import most_at_once
from playground.course.exercise import Attempt, Judge
from playground.course.trials import Tried, try_each, try_function

__all__ = ["SEEDS", "fewest_at_once", "first_broken", "in_random_order", "judged_by"]

SEEDS: Final = range(1, 13)
"""Schedules that each answer is tried with. The races of this lesson show in every other of them, so a dozen leaves
one in four thousand; and the seeds are always the same, so that an answer is judged the same each time."""


def in_random_order(function: Callable[[], Any]) -> list[Tried]:
    return try_each(partial(try_function, function, schedule="random", seed=seed) for seed in SEEDS)


def first_broken(tries: Sequence[Tried]) -> int:
    """Which try failed first: the picture that is wanted most; the first, if none failed."""
    return next((number for number, tried in enumerate(tries) if tried.error is not None), 0)


def judged_by(rule: Judge, given: tuple[Any, ...], tries: list[Tried], facts: dict[str, Any]) -> Attempt:
    """An attempt whose picture is of the first try that does not keep a rule, each looked at alone."""
    shown = first_broken(tries)
    if not shown and tries[0].error is None:
        alone = (
            Attempt(given, [tried], {key: each[at : at + 1] for key, each in facts.items()})
            for at, tried in enumerate(tries)
        )
        shown = next((number for number, each in enumerate(alone) if rule(each)), 0)
    return Attempt(given, tries, facts, shown)


def fewest_at_once(attempt: Attempt) -> tuple[int, float]:
    """How many of the lent calls went on at once, in the try with the fewest; and when the last of that was over."""
    each = [calls.made for calls in attempt.facts["calls"]]
    fewest = min(each, key=most_at_once)
    return most_at_once(fewest), max((call.ended_s or 0 for call in fewest), default=0)
