"""Every notebook runs from top to bottom in a fresh kernel, and says what its prose promises."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

pytestmark = pytest.mark.slow


Run = Callable[..., dict[str, nbformat.NotebookNode]]


@pytest.fixture
def run(jupyter_folders: Path) -> Run:
    """Runs a notebook in a fresh kernel; gives its cells by id, with the outputs that they made."""

    def run(path: Path, *, probe: str = "") -> dict[str, nbformat.NotebookNode]:
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(probe, id="probe"))
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(jupyter_folders)}})
        client.execute()
        return {cell.id: cell for cell in notebook.cells}

    return run


def texts(cell: nbformat.NotebookNode, stream: str) -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == stream)


def value(cell: nbformat.NotebookNode) -> str:
    """The cell's value as plain text."""
    (shown,) = (output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result")
    return str(shown)


def median_ms(line: str) -> float:
    """The median that a run's summary tells, which these runs tell in milliseconds."""
    return float(re.findall(r"median ([\d.]+) ms", line)[0])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_in_a_fresh_kernel_and_warns_of_nothing(path: Path, run: Run) -> None:
    cells = run(path)
    assert {name: texts(cell, "stderr") for name, cell in cells.items() if cell.cell_type == "code"} == {
        name: "" for name, cell in cells.items() if cell.cell_type == "code"
    }


PROBE = """
import json
blocks = [(block.duration_ns, block.site.line, block.call) for block in run.trace.blocks()]
print(json.dumps({"handoffs": len(run.trace.handoffs), "blocks": blocks, "mended": len(mended.diagnosis)}))
"""


def test_the_first_notebook_shows_a_timeline_and_names_the_line_that_blocks(run: Run) -> None:
    cells = run(NOTEBOOKS[0], probe=PROBE)
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
    cells = run(NOTEBOOKS[0], probe="print(sum(step.duration_ns for step in one.trace.steps) / one.trace.duration_ns)")
    assert float(texts(cells["probe"], "stdout")) < 0.15  # "a few per cent"; with air for a busy machine
    before, after = texts(cells["compare"], "stdout").splitlines()
    assert median_ms(before) > 200
    assert 20 <= median_ms(after) < 100  # "about 30 ms", likewise
    assert value(cells["compare"]).startswith("No findings: nothing held the event loop for long")
