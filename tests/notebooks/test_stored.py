"""How the notebooks are stored: without outputs, in one format, each idea in a short cell of its own."""

import re
import statistics
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


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
