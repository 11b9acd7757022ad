"""Every notebook runs from top to bottom in a fresh kernel, and says what its prose promises."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

pytestmark = pytest.mark.slow


@pytest.fixture
def run(jupyter_folders: Path) -> Any:
    """Runs a notebook in a fresh kernel; gives its cells by id, with the outputs that they made."""

    def run(path: Path) -> dict[str, nbformat.NotebookNode]:
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(jupyter_folders)}})
        client.execute()
        return {cell.id: cell for cell in notebook.cells}

    return run


def texts(cell: nbformat.NotebookNode, stream: str) -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == stream)


def milliseconds(sentence: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"([\d,.]+) ms", sentence)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_in_a_fresh_kernel_and_warns_of_nothing(path: Path, run: Any) -> None:
    cells = run(path)
    assert {name: texts(cell, "stderr") for name, cell in cells.items() if cell.cell_type == "code"} == {
        name: "" for name, cell in cells.items() if cell.cell_type == "code"
    }


def test_the_first_notebook_shows_a_timeline_and_names_the_line_that_blocks(run: Any) -> None:
    cells = run(NOTEBOOKS[0])
    (shown,) = (output.data for output in cells["send-fifty"].outputs if output.output_type == "execute_result")
    assert {"text/plain", "image/svg+xml", "application/vnd.jupyter.widget-view+json"} <= set(shown)

    sentence = texts(cells["diagnosis"], "stdout")
    assert "time.sleep(0.2)" in sentence
    line = 1 + cells["define-app"].source.splitlines().index("    time.sleep(0.2)")
    assert re.search(rf"cell \d+, line {line}\b", sentence)
    assert 200 <= milliseconds(sentence)[0] < 205

    assert "time.sleep" not in texts(cells["compare"], "stdout")
