"""How a check goes: is all there, try it, judge it, look for a mistake that is known, and give the next hint.

It never raises for what it was given: a check is asked by somebody who may have done anything. How far somebody has
got with the hints, and what the last check gave, is kept in this process and nowhere else.
"""

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playground.course.checked import Checked, Judged
from playground.course.exercise import Attempt, Exercise, Rule
from playground.course.table import EXERCISES
from playground.course.words import named_error, shown

__all__ = ["check", "points", "restart"]

_failed: Final[Counter[str]] = Counter()
"""How many checks of each exercise have failed."""

_points: Final[dict[str, int]] = {}
"""What the last check of each exercise gave."""


def check(exercise_id: str, *given: Any) -> Checked:
    """Check an exercise: what was asked, what your run did, what differs, and the next hint.

    Args:
        exercise_id: such as `09.1`.
        *given: what the exercise takes: an app, a function, a number …

    Returns:
        the answer, which is shown as a cell's value; it is true if all is right. Each failing check of an exercise
        gives one more of its hints.
    """
    exercise = EXERCISES.get(exercise_id) if isinstance(exercise_id, str) else None
    if exercise is None:
        known = ", ".join(EXERCISES)
        return Checked(None, shown(exercise_id), missing=f"the id of an exercise: there are {known}.")
    missing = _missing(exercise, given)
    checked = Checked(exercise, exercise.id, missing=missing) if missing else _judge(exercise, given)
    _points[exercise.id] = checked.points
    return checked


def points(exercise_id: str) -> float:
    """The points of an exercise's last check in this process; 0.0 if it was not checked, or is none.

    It is for the cell that grades: nbgrader takes a cell's number as its points, and anything else for full marks.
    That is why this raises nothing, and gives a number whatever it is asked.
    """
    return float(_points.get(exercise_id, 0)) if isinstance(exercise_id, str) else 0.0


def restart(exercise_id: str | None = None) -> None:
    """Begin with the hints from the first again: those of one exercise, or of all."""
    if exercise_id is None:
        _failed.clear()
    else:
        _failed.pop(exercise_id, None)


def _missing(exercise: Exercise, given: tuple[Any, ...]) -> str:
    told = [text for take, value in zip(exercise.takes, given, strict=False) if (text := take.missing(value))]
    if told:
        return told[0]
    if len(given) != len(exercise.takes):
        wanted = " and ".join(take.wants for take in exercise.takes)
        return f"expected {wanted}, got {len(given)} of {len(exercise.takes)}: write {exercise.call}."
    return ""


def _judge(exercise: Exercise, given: tuple[Any, ...]) -> Checked:
    try:
        with _no_complaints():
            attempt = exercise.attempt(*given)
    except Exception as error:  # noqa: BLE001 (what was given may behave in ways that nobody thought of)
        failed = f"the check could not be made: {named_error(error)}."
        judged = _unjudged(exercise.rules, failed)
        return _failing(exercise, judged, "", "", None)
    judged = _kept(exercise.rules, attempt)
    if all(each.kept for each in judged):
        return Checked(exercise, exercise.id, judged, attempt=attempt)
    name, why = _recognised(exercise, attempt)
    return _failing(exercise, judged, name, why, attempt)


def _failing(
    exercise: Exercise, judged: tuple[Judged, ...], mistake: str, why: str, attempt: Attempt | None
) -> Checked:
    _failed[exercise.id] += 1
    number = min(_failed[exercise.id], len(exercise.hints))
    hint = exercise.hints[number - 1] if exercise.hints else None
    return Checked(exercise, exercise.id, judged, "", mistake, why, hint, number, attempt)


def _kept(rules: tuple[Rule, ...], attempt: Attempt) -> tuple[Judged, ...]:
    """What comes of the rules: of the first, and of the others if that is kept."""
    ground = _one(rules[0], attempt)
    if not ground.kept:
        return _unjudged(rules, ground.finding)
    return (ground, *(_one(rule, attempt) for rule in rules[1:]))


def _unjudged(rules: tuple[Rule, ...], finding: str) -> tuple[Judged, ...]:
    """The first is not kept, so nobody looks at the others."""
    first = Judged(rules[0].asks, rules[0].points, False, finding)
    return (first, *(Judged(rule.asks, rule.points, None) for rule in rules[1:]))


def _one(rule: Rule, attempt: Attempt) -> Judged:
    try:
        finding = rule.judge(attempt)
    except Exception as error:  # noqa: BLE001 (as above)
        finding = f"this could not be judged: {named_error(error)}."
    return Judged(rule.asks, rule.points, finding is None, finding or "")


def _recognised(exercise: Exercise, attempt: Attempt) -> tuple[str, str]:
    """The first mistake that was made, and its explanation; empty if it is none that is known."""
    for mistake in exercise.mistakes:
        try:
            why = mistake.explain(attempt)
        except Exception:  # noqa: BLE001 (a mistake that cannot be looked for was not recognised)
            why = None
        if why:
            return mistake.name, why
    return "", ""


@contextmanager
def _no_complaints() -> Iterator[None]:
    """Python's own complaints of coroutines that nobody awaited: the check says so itself, and better."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        yield
