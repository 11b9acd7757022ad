"""Reference solutions, by exercise: read out of the lesson's notebook, which is their one place."""

import importlib
from functools import cache
from pathlib import Path

from playground.course import exercises
from tests.course.answers import Given
from tests.notebooks.lessons import NOTEBOOKS, answer, holes, read

__all__ = ["SOLUTIONS"]


@cache
def _of_lesson(lesson: str) -> dict[str, Given]:
    """Its solutions; of a lesson that has no notebook yet, out of a module."""
    found = [path for path in NOTEBOOKS if path.name.startswith(f"{lesson}_")]
    if found:
        return _in_notebook(found[0])
    if (Path(__file__).parent / f"solutions_{lesson}.py").exists():
        solutions: dict[str, Given] = importlib.import_module(f"tests.course.solutions_{lesson}").SOLUTIONS
        return solutions
    return {}


def _in_notebook(path: Path) -> dict[str, Given]:
    notebook = read(path)
    return {hole.id: lambda hole=hole: answer(notebook, hole) for hole in holes(notebook)}  # type: ignore[misc]


SOLUTIONS: dict[str, Given] = {
    each.id: _of_lesson(each.id[:2])[each.id] for each in exercises() if each.id in _of_lesson(each.id[:2])
}
