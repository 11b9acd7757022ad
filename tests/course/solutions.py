"""Reference solutions, by exercise: read out of the lessons' notebooks, which are their one place."""

from pathlib import Path

from tests.course.answers import Given
from tests.notebooks.lessons import NOTEBOOKS, answer, holes, read

__all__ = ["SOLUTIONS"]


def _in_notebook(path: Path) -> dict[str, Given]:
    notebook = read(path)
    return {hole.id: lambda hole=hole: answer(notebook, hole) for hole in holes(notebook)}  # type: ignore[misc]


SOLUTIONS: dict[str, Given] = {name: given for path in NOTEBOOKS for name, given in _in_notebook(path).items()}
