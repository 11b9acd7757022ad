"""A check goes on whatever raises: a student's own `__repr__` and `__str__`, an attempt, a rule, a known mistake."""

from dataclasses import replace
from typing import Any, NoReturn

import pytest

from playground.course import checking, exercise
from playground.course.exercise import Attempt, Exercise
from playground.course.words import named_error, shown


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def raises(*given: Any) -> NoReturn:
    raise ValueError("nobody thought of this")


@pytest.fixture
def known() -> Exercise:
    """An exercise with rules, mistakes and hints, of which nothing is ever tried."""
    return replace(exercise("08.2"), attempt=lambda *given: Attempt(given))


def test_what_cannot_show_itself_is_named_by_its_type() -> None:
    lists = type("list", (), {})()  # what shortens lists takes it for one, up to Python 3.11, and finds no length
    assert shown(MuteError()).startswith("`<MuteError ")
    assert shown(lists).startswith("`<list")
    assert named_error(MuteError()) == "`MuteError`"
    assert named_error(KeyError("x")) == "`KeyError: 'x'`"


def test_an_attempt_that_cannot_be_made_keeps_no_rule_and_gives_a_hint(known: Exercise) -> None:
    checked = checking._judge(replace(known, attempt=raises), (None,))
    assert checked.judged[0].finding == "the check could not be made: `ValueError: nobody thought of this`."
    assert [each.kept for each in checked.judged] == [False, *(None for _ in known.rules[1:])]
    assert (checked.points, checked.hint) == (0, known.hints[0])


def test_a_rule_that_cannot_judge_is_not_kept(known: Exercise) -> None:
    rules = (replace(known.rules[0], judge=raises), *known.rules[1:])
    checked = checking._judge(replace(known, rules=rules), (None,))
    assert checked.judged[0].finding == "this could not be judged: `ValueError: nobody thought of this`."


def test_a_mistake_that_cannot_be_looked_for_hides_none_that_can(known: Exercise) -> None:
    rules = (replace(known.rules[0], judge=lambda attempt: "not so."), *known.rules[1:])
    first, *_ = known.mistakes
    found = replace(first, name="another", explain=lambda attempt: "because of this.")
    mistakes = (replace(first, explain=raises), found)
    checked = checking._judge(replace(known, rules=rules, mistakes=mistakes), (None,))
    assert (checked.mistake, checked.why) == ("another", "because of this.")
