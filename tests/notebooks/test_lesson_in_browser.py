"""A student works through the whole of lesson 9 in a real JupyterLab in a real browser.

They read each cell, run it, predict in the theatre, answer the exercises, one of them wrong at first; they read what
the check says, and mend their answer. What a lesson says is tested in `test_run` and `tests/course`; here it is that
somebody can go the whole way with a keyboard and a mouse.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from tests.browser import chromium_page
from tests.conftest import own_settings
from tests.jupyterlab import running_lab
from tests.notebooks.lessons import holes, lesson, released

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PATIENCE_MS = 60_000  # a kernel starts in a few seconds; on a busy machine it may take many
NAME = "lesson.ipynb"

# The mistake of which the lesson speaks, made once more.
STALLS = """@mended.get("/report")
async def report_mended():
    time.sleep(0.2)
    return "reported"
"""


class Student:
    """Somebody with a notebook in front of them.

    Args:
        page: the page on which it is open.
        notebook: what they were given.
    """

    def __init__(self, page: "Page", notebook: nbformat.NotebookNode) -> None:
        self.page = page
        self._places = {cell.id: place for place, cell in enumerate(notebook.cells)}

    def cell(self, name: str) -> "Locator":
        return self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{self._places[name]}"]')

    def read_and_go_on(self, name: str) -> None:
        """Run the cell that is active, which is that one, and have the next one active."""
        cell = self.cell(name)
        assert "jp-mod-active" in (cell.get_attribute("class") or ""), name
        self.page.keyboard.press("Shift+Enter")
        if "jp-CodeCell" in (cell.get_attribute("class") or ""):
            cell.locator(".jp-InputPrompt", has_text=re.compile(r"^\[\d+\]:$")).wait_for()
        assert cell.locator(".jp-OutputArea [data-mime-type='application/vnd.jupyter.stderr']").count() == 0

    def write(self, name: str, text: str) -> None:
        """Write a text in place of a cell's."""
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def run_again(self, name: str) -> None:
        """Run the cell in which the cursor is, and have it still active."""
        before = self.cell(name).locator(".jp-InputPrompt").inner_text()
        self.page.keyboard.press("Control+Enter")
        fresh = re.compile(rf"^(?!{re.escape(before)})\[\d+\]:$")
        self.cell(name).locator(".jp-InputPrompt", has_text=fresh).wait_for()

    def select(self, name: str) -> None:
        self.cell(name).locator(".jp-InputPrompt").click()

    def told(self, name: str) -> str:
        """What stands below a cell, also where it is not in sight now."""
        return self.cell(name).locator(".jp-OutputArea-output").last.text_content() or ""


@pytest.fixture
def student(tmp_path: Path) -> Iterator[Student]:
    notebook = released(lesson("09"))
    folder = tmp_path / "given"
    folder.mkdir()
    nbformat.write(notebook, folder / NAME)
    options = (f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True")
    with (
        chromium_page(viewport={"width": 1400, "height": 1000}) as page,
        own_settings(tmp_path),
        running_lab(*options) as address,
    ):
        page.set_default_timeout(PATIENCE_MS)
        try:
            page.goto(re.sub(r"/lab[^?]*", f"/lab/tree/{NAME}", address))
            page.get_by_text(re.compile(r"^Python 3 .*\| Idle$")).wait_for()
            yield Student(page, notebook)
        except BaseException:
            page.screenshot(path=tmp_path / "failed.png")
            raise


def test_a_student_gets_an_exercise_wrong_reads_why_mends_it_and_passes(student: Student) -> None:
    source = lesson("09")
    solutions = {hole.code.id: hole.code.source for hole in holes(source)}
    stub = next(cell.source for cell in released(source).cells if cell.id == "ex-2-code")
    wrong = {"ex-2-code": stub.replace("...\n", STALLS)}
    student.select("title")
    for cell in source.cells:
        if cell.id in solutions:
            student.write(cell.id, wrong.get(cell.id, solutions[cell.id]))
        student.read_and_go_on(cell.id)
        if cell.id == "play":
            predict(student)
        if cell.id == "ex-2-check":
            assert "not yet, 2 of 4 points" in student.told(cell.id)
            mend(student, solutions["ex-2-code"])
    points = {hole.id: float(student.told(hole.points.id)) for hole in holes(source)}
    assert points == {hole.id: float(hole.points.metadata.nbgrader.points) for hole in holes(source)}


def predict(student: Student) -> None:
    """Say what runs next, in the theatre."""
    theatre = student.cell("play").get_by_test_id("theatre")
    asked = theatre.locator(".asked")
    asked.wait_for()
    before = theatre.get_attribute("data-step")
    asked.get_by_role("button").first.click()
    moved = "([host, before]) => host.dataset.step !== before"
    student.page.wait_for_function(moved, arg=[theatre.element_handle(), before])
    student.select("see-theatre")


def mend(student: Student, solution: str) -> None:
    """Read what the check says, go back to the answer, and write another."""
    told = student.told("ex-2-check")
    assert "✗ nobody holds the loop: it was held 1 time" in told
    assert "only an await lets others run" in told
    assert "Hint 1 of 3: Which line kept the loop in the old /report?" in told
    student.write("ex-2-code", solution)
    student.run_again("ex-2-code")
    student.select("ex-2-check")
    student.run_again("ex-2-check")
    student.cell("ex-2-check").locator(".jp-OutputArea", has_text="4 of 4").wait_for()
    student.select("ex-2-points")
