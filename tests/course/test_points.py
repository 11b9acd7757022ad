"""What a grading cell shows: `points`, the last check's, whatever else has happened; or a check's own `grade`."""

import json
import math
from typing import Any

import pytest

from playground.course import check, checking, exercise, points, restart
from playground.course.checked import Checked
from tests.course.fetching import all_at_once, one_by_one


@pytest.fixture(autouse=True)
def nothing_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_points", {})


def test_an_exercise_that_was_not_checked_has_no_points() -> None:
    assert points("08.2") == 0.0


def test_the_last_check_counts_and_not_the_best() -> None:
    given = []
    for answer in (one_by_one, all_at_once, one_by_one, ...):
        check("08.2", answer)
        given.append(points("08.2"))
    full = exercise("08.2").points
    assert given == [1.0, float(full), 1.0, 0.0]


def test_each_exercise_has_points_of_its_own() -> None:
    check("08.2", all_at_once)
    assert points("08.1") == 0.0
    assert points("08.2") == exercise("08.2").points


def test_to_begin_with_the_hints_again_takes_no_points_away() -> None:
    check("08.2", all_at_once)
    restart("08.2")
    restart()
    assert points("08.2") == exercise("08.2").points


@pytest.mark.parametrize("asked", ["99.9", "", None, 8.2, math.nan, [], {}], ids=repr)
def test_whatever_it_is_asked_it_gives_a_number_because_nbgrader_takes_anything_else_for_full_marks(asked: Any) -> None:
    assert points(asked) == 0.0
    assert type(points(asked)) is float


def test_what_is_checked_in_vain_leaves_the_points_of_others() -> None:
    check("08.2", all_at_once)
    check("99.9")
    check(None)  # type: ignore[arg-type]
    assert points("08.2") == exercise("08.2").points


def test_a_grade_is_a_plain_number_and_shows_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.display

    shown: list[Checked] = []
    monkeypatch.setattr(IPython.display, "display", shown.append)
    grade = check("08.2", one_by_one).grade()
    assert json.dumps(grade) == "1"
    assert [each.id for each in shown] == ["08.2"]
