"""What tests of notebooks share: to run one in a fresh kernel."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

__all__ = ["Run"]

Run = Callable[..., dict[str, nbformat.NotebookNode]]


@pytest.fixture
def run(jupyter_folders: Path) -> Run:
    """Runs a notebook in a fresh kernel; gives its cells by id, with the outputs that they made.

    A cell that raises ends it, but those tagged `raises-exception`, whose error is what they are there for. `probe` is
    a cell to be run after the others, of that id.
    """

    def run(notebook: nbformat.NotebookNode, *, probe: str = "") -> dict[str, nbformat.NotebookNode]:
        notebook.cells.append(nbformat.v4.new_code_cell(probe, id="probe"))
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(jupyter_folders)}})
        client.execute()
        return {cell.id: cell for cell in notebook.cells}

    return run
