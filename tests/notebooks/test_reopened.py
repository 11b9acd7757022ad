"""A notebook that was saved with views in it, opened again in JupyterLab, where their widgets are gone."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from tests.browser import chromium_page
from tests.jupyterlab import running_lab
from tests.notebooks.first_notebook import PATIENCE_MS, pictured
from tests.notebooks.kernel import Kernel

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PICTURE = ".jp-OutputArea-output :is(svg, img)"
SHOWN = {
    "run": "from tests.recordings import blocked_run\nrun = blocked_run()\nrun",
    "comparison": "from playground import compare\ncompare(before=run, after=run)",
    "slider": "import ipywidgets\nipywidgets.IntSlider()",
}


def saved(folder: Path) -> Path:
    """A notebook as JupyterLab saves it: with what the cells showed, and no widget's state; signed by its user."""
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    )
    with Kernel() as kernel:
        for name, code in SHOWN.items():
            ((_, result),) = kernel.cell(code).of_type("execute_result")
            output = nbformat.v4.new_output("execute_result", data=result["data"], execution_count=1)
            notebook.cells.append(nbformat.v4.new_code_cell(code, id=name, outputs=[output]))
    path = folder / "00_start_here.ipynb"
    nbformat.write(notebook, path)
    subprocess.run([sys.executable, "-m", "jupyter", "trust", str(path)], check=True, capture_output=True, timeout=60)
    return path


def picture_in(cell: Locator) -> str:
    """The words of the picture that a cell shows, as an image or as a part of the page."""
    picture = cell.locator(PICTURE)
    picture.wait_for()
    return str(
        picture.evaluate("async it => it.src === undefined ? it.textContent : await (await fetch(it.src)).text()")
    )


def test_a_saved_view_shows_its_picture_where_its_widget_is_gone(jupyter_folders: Path, tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    path = saved(folder)
    before = path.read_bytes()
    with (
        chromium_page(viewport={"width": 1200, "height": 1000}) as page,
        running_lab(f"--ServerApp.root_dir={folder}") as address,
    ):
        page.set_default_timeout(PATIENCE_MS)
        with pictured(page, tmp_path / "failed.png"):
            page.goto(address)
            run, comparison, slider = (page.locator(".jp-CodeCell").nth(at) for at in range(3))
            assert "The event loop stood still for 230 ms." in picture_in(run)
            assert "as fast as A" in picture_in(comparison)
            # what has no picture is as JupyterLab shows it
            expect(slider.locator(".jp-OutputArea-output")).to_have_text("Error displaying widget: model not found")
            for cell in (run, comparison):
                expect(cell.locator(".jp-OutputArea-output")).not_to_contain_text("model not found")
                picture, room = cell.locator(PICTURE).bounding_box(), cell.locator(".jp-OutputArea").bounding_box()
                assert picture is not None
                assert room is not None
                assert picture["width"] <= room["width"]
    assert path.read_bytes() == before
