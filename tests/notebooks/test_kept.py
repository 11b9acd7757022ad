"""What a notebook keeps of its views, and what whoever opens it sees where no kernel runs."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from tests.notebooks.kernel import Kernel, separate_kernel

pytestmark = pytest.mark.slow

WIDGET_TYPE = "application/vnd.jupyter.widget-view+json"
FIRST = """
from playground import App, Lab, compare
from tests.recordings import blocked_run, large_run
run = blocked_run()
"""
SHOWN = {
    "trace": "run",
    "timeline": "run.timeline()",
    "theatre": "run.theatre()",
    "waterfall": "run.waterfall(25)",
    "comparison": "compare(run, run)",
    "a hundred thousand spans": "large_run()",
    "live timeline": "Lab(App()).timeline()",
}


@pytest.fixture(scope="module")
def kept() -> nbformat.NotebookNode:
    """A notebook as nbclient leaves it, which nbconvert and papermill run notebooks with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SERVER_SOFTWARE", raising=False)
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(code) for code in (FIRST, *SHOWN.values())]
        )
        NotebookClient(
            notebook, timeout=120, resources={"metadata": {"path": str(Path(__file__).parents[2])}}
        ).execute()
    return notebook


def bundles(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    cells = notebook.cells[1:]
    return {name: cell.outputs[0].data for name, cell in zip(SHOWN, cells, strict=True)}


def test_a_program_that_runs_notebooks_keeps_texts_and_pictures_and_no_widget(kept: nbformat.NotebookNode) -> None:
    assert {name: set(data) for name, data in bundles(kept).items()} == {
        name: {"text/plain", "image/svg+xml"} for name in SHOWN
    }
    assert "widgets" not in kept.metadata


def test_a_view_takes_no_more_of_a_notebook_than_a_picture_does(kept: nbformat.NotebookNode) -> None:
    """Of a recording of a hundred thousand spans not a bit more than of one of a thousand."""
    sizes = {name: len(json.dumps(data)) for name, data in bundles(kept).items()}
    assert max(sizes.values()) < 80_000
    assert len(nbformat.writes(kept)) < sum(sizes.values()) + 10_000


def test_a_converted_notebook_shows_the_pictures(kept: nbformat.NotebookNode) -> None:
    html, _ = HTMLExporter().from_notebook_node(kept)  # type: ignore[no-untyped-call]
    pictures = [b64decode(each).decode() for each in re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", html)]
    wanted = [data["image/svg+xml"] for data in bundles(kept).values()]
    assert [picture for picture in pictures if 'role="img"' in picture] == wanted  # the rest are JupyterLab's icons
    assert WIDGET_TYPE not in html
    assert "Waiting for the recording" not in html


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with separate_kernel(tmp_path_factory) as kernel:
        kernel.run(FIRST)
        yield kernel


def shown(kernel: Kernel, code: str) -> tuple[set[str], int]:
    """The types of a cell's value, and how many widgets were told of."""
    cell = kernel.cell(code)
    ((_, result),) = cell.of_type("execute_result")
    return set(result["data"]), len(cell.of_type("comm_open"))


@pytest.mark.parametrize("code", ["run", "run.timeline()", "compare(run, run)"])
def test_a_front_end_gets_the_widget_beside_them(kernel: Kernel, code: str) -> None:
    types, opened = shown(kernel, code)
    assert types == {"text/plain", "image/svg+xml", WIDGET_TYPE}
    assert opened >= 1


def test_a_notebook_that_a_front_end_saved_is_converted_to_pictures_too(kernel: Kernel) -> None:
    """JupyterLab saves no widget's state unless told to, so nbconvert takes the picture."""
    cell = nbformat.v4.new_code_cell("run")
    ((_, result),) = kernel.cell("run").of_type("execute_result")
    cell.outputs = [nbformat.v4.new_output("execute_result", data=result["data"], execution_count=1)]
    html, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))  # type: ignore[no-untyped-call]
    assert "data:image/svg+xml;base64," in html
    assert WIDGET_TYPE not in html


def test_voila_runs_cells_as_such_a_program_and_yet_shows_widgets(kernel: Kernel) -> None:
    kernel.run("import os; os.environ['SERVER_SOFTWARE'] = 'voila/0.5.8'")
    asked = "__import__('playground.widgets.audience').widgets.audience.kept_by_a_program()"
    kernel.client.allow_stdin = False
    try:
        said = [kernel.run(f"print({asked})")]
        kernel.run("del os.environ['SERVER_SOFTWARE']")
        said.append(kernel.run(f"print({asked})"))
    finally:
        kernel.client.allow_stdin = True
    assert said == ["False\n", "True\n"]
