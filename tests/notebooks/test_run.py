"""Every notebook runs from top to bottom in a fresh kernel, with its solutions and without."""

import ast
import re
from pathlib import Path

import pytest

from tests.notebooks.conftest import Run
from tests.notebooks.lessons import NOTEBOOKS, holes, read, released, texts, value

pytestmark = pytest.mark.slow

named = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


@named
def test_a_notebook_runs_in_a_fresh_kernel_and_its_solutions_get_full_marks(path: Path, run: Run) -> None:
    notebook = read(path)
    cells = run(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert {cell.id: texts(cell, "stderr") for cell in code} == {cell.id: "" for cell in code}  # it warns of nothing

    meant = [cell.id for cell in code if "raises-exception" in cell.metadata.get("tags", [])]
    assert [cell.id for cell in code if any(output.output_type == "error" for output in cell.outputs)] == meant

    full = {hole.id: float(hole.points.metadata.nbgrader.points) for hole in holes(notebook)}
    assert {hole.id: ast.literal_eval(value(cells[hole.points.id])) for hole in holes(notebook)} == full


@named
def test_without_solutions_a_notebook_runs_too_and_each_check_says_what_is_missing(path: Path, run: Run) -> None:
    notebook = released(read(path))
    cells = run(notebook)
    shown = {
        name: [each.get("data", {}).get("text/plain") for each in cell.get("outputs", ())]
        for name, cell in cells.items()
    }
    assert [name for name, texts_of_it in shown.items() if "Ellipsis" in texts_of_it] == []  # a hole that shows itself
    for hole in holes(notebook):
        told = value(cells[hole.check.id])
        assert re.match(rf"Exercise {hole.id}: (nothing to check yet|not yet, 0 of)", told), told
        assert re.search(r"^Missing: .|^  ✗ .+: .", told, re.MULTILINE), told
        assert value(cells[hole.points.id]) == "0.0"
