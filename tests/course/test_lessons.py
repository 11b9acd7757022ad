"""Every exercise: its reference solution gets full marks; each plausible wrong answer loses some, and is told why."""

import linecache
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from playground.course import check, exercises
from tests.course.answers import Wrong
from tests.course.solutions import SOLUTIONS

_HERE = Path(__file__).parent


def each_lesson() -> list[ModuleType]:
    """The modules of wrong answers, in the order of the lessons."""
    return [import_module(f"tests.course.{path.stem}") for path in sorted(_HERE.glob("wrong_*.py"))]


WRONG: list[Wrong] = [wrong for each in each_lesson() for wrong in each.WRONG]


def with_lines(text: str) -> str:
    """A text with the lines that it names in place of their numbers."""

    def line(found: re.Match[str]) -> str:
        path = Path(found[1]).resolve()
        return f"(at {linecache.getline(str(path), int(found[2])).strip()})"

    return re.sub(r"\(([^()]+\.py), line (\d+)\)", line, text)


@pytest.mark.slow
@pytest.mark.parametrize("exercise_id", SOLUTIONS)
def test_a_reference_solution_gets_full_marks_each_time(exercise_id: str) -> None:
    for _ in range(2):
        checked = check(exercise_id, *SOLUTIONS[exercise_id]())
        assert checked.passed, str(checked)
        assert checked.points == checked.of > 0
        assert (checked.hint, checked.why, checked.mistake) == (None, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_a_wrong_answer_loses_marks_and_is_explained(wrong: Wrong) -> None:
    checked = check(wrong.exercise, *wrong.given())
    assert not checked
    assert checked.points < checked.of
    assert (checked.mistake, checked.points) == (wrong.mistake, wrong.points), str(checked)
    assert with_lines(checked.why) == wrong.why


def test_every_exercise_has_a_solution_and_a_wrong_answer() -> None:
    ids = [exercise.id for exercise in exercises()]
    assert list(SOLUTIONS) == ids
    assert sorted({wrong.exercise for wrong in WRONG}) == ids


def test_every_mistake_of_an_exercises_own_is_made_by_a_wrong_answer() -> None:
    made = {(wrong.exercise, wrong.mistake) for wrong in WRONG}
    shared = {
        "asyncio-run",
        "forgotten-await",
        "blocking",
        "one-after-another",
        "no-handler",
        "no-start",
        "text-for-bytes",
        "returned",
        "made-outside",
    }
    own = {(exercise.id, mistake.name) for exercise in exercises() for mistake in exercise.mistakes}
    assert {(name, mistake) for name, mistake in own if mistake not in shared} - made == set()
    assert shared <= {mistake for _, mistake in made}


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong", [wrong for wrong in WRONG if wrong.exercise.startswith("04")], ids=lambda wrong: wrong.name
)
def test_a_random_schedule_judges_an_answer_the_same_each_time(wrong: Wrong) -> None:
    first, second = (check(wrong.exercise, *wrong.given()) for _ in range(2))
    assert first.judged == second.judged
    assert first.attempt is not None
    assert second.attempt is not None
    assert first.attempt.shown == second.attempt.shown
    assert first.attempt.trace.summary == second.attempt.trace.summary
