"""Every notebook runs from top to bottom in a fresh kernel, with its solutions and without, as its prose promises."""

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks.lessons import NOTEBOOKS, holes, released

pytestmark = pytest.mark.slow

Run = Callable[..., dict[str, nbformat.NotebookNode]]

named = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


@pytest.fixture
def run(jupyter_folders: Path) -> Run:
    """Runs a notebook in a fresh kernel; gives its cells by id, with the outputs that they made.

    A cell that raises ends it, but those tagged `raises-exception`, whose error is what they are there for.
    """

    def run(notebook: nbformat.NotebookNode, *, probe: str = "") -> dict[str, nbformat.NotebookNode]:
        notebook.cells.append(nbformat.v4.new_code_cell(probe, id="probe"))
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(jupyter_folders)}})
        client.execute()
        return {cell.id: cell for cell in notebook.cells}

    return run


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def of_lesson(name: str) -> nbformat.NotebookNode:
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(name))
    return read(path)


def texts(cell: nbformat.NotebookNode, stream: str) -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == stream)


def value(cell: nbformat.NotebookNode) -> str:
    """The cell's value as plain text."""
    (shown,) = (output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result")
    return str(shown)


def median_ms(line: str) -> float:
    """The median that a run's summary tells, which these runs tell in milliseconds."""
    return float(re.findall(r"median ([\d.]+) ms", line)[0])


# -- every notebook -------------------------------------------------------------------------------------------


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
    for hole in holes(notebook):
        told = value(cells[hole.check.id])
        assert re.match(rf"Exercise {hole.id}: (nothing to check yet|not yet, 0 of)", told), told
        assert re.search(r"^Missing: .|^  ✗ .+: .", told, re.MULTILINE), told
        assert value(cells[hole.points.id]) == "0.0"


# -- 00 -------------------------------------------------------------------------------------------------------

PROBE = """
import json
blocks = [(block.duration_ns, block.site.line, block.call) for block in run.trace.blocks()]
print(json.dumps({"handoffs": len(run.trace.handoffs), "blocks": blocks, "mended": len(mended.diagnosis)}))
"""


def test_the_first_notebook_shows_a_timeline_and_names_the_line_that_blocks(run: Run) -> None:
    cells = run(of_lesson("00"), probe=PROBE)
    (shown,) = (output.data for output in cells["send-fifty"].outputs if output.output_type == "execute_result")
    assert set(shown) == {"text/plain", "image/svg+xml"}  # nbclient shows no widget: see `widgets.audience`

    line = 1 + cells["define-app"].source.splitlines().index("    time.sleep(0.2)")
    assert f"`time.sleep(0.2)` on the loop (cell 1, line {line})" in " ".join(value(cells["diagnosis"]).split())

    facts = json.loads(texts(cells["probe"], "stdout"))
    ((blocked_ns, blocked_line, call),) = facts["blocks"]
    assert (blocked_line, call) == (line, "time.sleep(0.2)")
    assert blocked_ns == pytest.approx(200e6, abs=5e6)
    exports = [index for index in range(50) if index % 10 == 0 and index != 10]
    assert facts["handoffs"] == len(exports)
    assert facts["mended"] == 0


def test_the_first_notebook_answers_its_predictions_with_numbers(run: Run) -> None:
    probe = "print(sum(step.duration_ns for step in one.trace.steps) / one.trace.duration_ns)"
    cells = run(of_lesson("00"), probe=probe)
    assert float(texts(cells["probe"], "stdout")) < 0.15  # "a few per cent"; with air for a busy machine
    before, after = texts(cells["compare"], "stdout").splitlines()
    assert median_ms(before) > 200
    assert 20 <= median_ms(after) < 100  # "about 30 ms", likewise
    assert value(cells["compare"]).startswith("No findings: nothing held the event loop for long")
