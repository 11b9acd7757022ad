"""Which exercises there are, by their ids, in the order of the lessons."""

from typing import Final

from playground.course import (
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_08,
    lesson_09,
    lesson_10,
    lesson_11,
    lesson_12,
)
from playground.course.exercise import Exercise
from playground.course.programs import Program
from playground.errors import CourseError

__all__ = ["EXERCISES", "exercise", "exercises", "program"]

_LESSONS: Final = (
    *(lesson_01, lesson_02, lesson_03),
    *(lesson_04, lesson_05, lesson_06, lesson_07),
    *(lesson_08, lesson_09, lesson_10, lesson_11, lesson_12),
)

EXERCISES: Final[dict[str, Exercise]] = {each.id: each for lesson in _LESSONS for each in lesson.EXERCISES}


def exercises() -> list[Exercise]:
    """All exercises, in the order of the lessons."""
    return list(EXERCISES.values())


def exercise(exercise_id: str) -> Exercise:
    """One exercise, by its id.

    Raises:
        CourseError: there is none of that id.
    """
    if exercise_id not in EXERCISES:
        known = ", ".join(EXERCISES)
        raise CourseError(f"expected the id of an exercise, got {exercise_id!r}: there are {known}")
    return EXERCISES[exercise_id]


def program(exercise_id: str) -> Program:
    """The program that a prediction is about: shown as a cell's value, and run when it is called.

    Raises:
        CourseError: there is no such exercise, or it is about no program.
    """
    found = exercise(exercise_id).program
    if found is None:
        told = ", ".join(each.id for each in exercises() if each.program is not None)
        raise CourseError(f"expected an exercise about a program, got {exercise_id!r}: those are {told}")
    return found
