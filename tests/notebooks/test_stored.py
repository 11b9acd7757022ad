"""How the notebooks are stored: without outputs, in one format, each idea in a short cell of its own."""

import ast
import json
import re
import statistics
from pathlib import Path

import nbformat
import pytest

from playground.course import exercise, exercises
from tests.notebooks.lessons import NOTEBOOKS, holes, imports, read, released

LESSONS = [path for path in NOTEBOOKS if re.match(r"(0[1-9]|1\d)_", path.name)]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=nbformat.NO_CONVERT)


def test_there_is_a_first_notebook() -> None:
    assert NOTEBOOKS[0].name == "00_start_here.ipynb"


def test_a_notebook_is_valid_and_in_the_format_with_cell_ids(notebook: nbformat.NotebookNode) -> None:
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


def test_a_notebook_asks_for_whatever_python_it_finds(notebook: nbformat.NotebookNode) -> None:
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_a_notebook_is_stored_without_outputs_or_counts(notebook: nbformat.NotebookNode) -> None:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count is not None] == []


def test_cell_ids_are_words_so_that_a_change_can_be_read(notebook: nbformat.NotebookNode) -> None:
    assert [cell.id for cell in notebook.cells if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", cell.id)] == []


def test_prose_is_short(notebook: nbformat.NotebookNode) -> None:
    """One idea a cell: the design's example has a median of 24 words."""
    words = [len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown"]
    assert statistics.median(words) <= 30
    assert max(words) <= 100


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_written_as_jupyter_writes_it_so_that_saving_it_unchanged_changes_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"


# -- lessons and their exercises ------------------------------------------------------------------------------


@pytest.fixture(params=LESSONS, ids=lambda path: path.name)
def lesson(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_a_lesson_is_a_question_and_has_two_to_four_exercises_all_that_the_course_has_of_it(lesson: Path) -> None:
    notebook = read(lesson)
    assert re.match(r"# [^\n]+\?\n\n", notebook.cells[0].source)
    ids = [hole.id for hole in holes(notebook)]
    assert 2 <= len(ids) <= 4
    assert ids == [each.id for each in exercises() if each.id.startswith(lesson.name[:2])]


def test_a_lesson_imports_the_checks_first_and_no_helper_code(lesson: Path) -> None:
    notebook = read(lesson)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert re.search(r"^from playground\.course import .*\bcheck\b.*\bpoints\b", first.source, re.MULTILINE)
    lines = [line for line in imports(notebook).body if isinstance(line, ast.ImportFrom)]
    assert [line.module for line in lines if line.level or (line.module or "").startswith("tests")] == []


def test_an_exercise_has_four_cells_that_nbgrader_knows(lesson: Path) -> None:
    for hole in holes(read(lesson)):
        name = hole.id.replace(".", "-")
        common = {"schema_version": 3, "task": False}
        assert (hole.asked.cell_type, hole.asked.metadata) == ("markdown", {"tags": ["exercise"]})
        graded = {**common, "grade": False, "grade_id": f"ex-{name}", "locked": False, "solution": True}
        assert hole.code.metadata == {"nbgrader": graded, "tags": ["exercise", "solution"]}
        assert hole.check.metadata == {"tags": ["check"]}
        worth = {"grade": True, "grade_id": f"points-{name}", "points": exercise(hole.id).points}
        graded = {**common, **worth, "locked": True, "solution": False}
        assert hole.points.metadata == {"nbgrader": graded, "tags": ["points"]}
        assert hole.points.source == f'points("{hole.id}")'


def test_a_solution_stands_between_marks_and_a_students_copy_has_a_hole_there(lesson: Path) -> None:
    notebook = read(lesson)
    for whole, open_ in zip(holes(notebook), holes(released(notebook)), strict=True):
        assert whole.code.source.count("### BEGIN SOLUTION") == whole.code.source.count("### END SOLUTION") >= 1
        assert "SOLUTION" not in open_.code.source
        assert re.search(r"^ *\.\.\.$", open_.code.source, re.MULTILINE)
        ast.parse(open_.code.source)
