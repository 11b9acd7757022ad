"""The first notebook in a real JupyterLab in a real browser: from the kernel to the screen, and back.

What a view computes and how the widget behaves are tested nearer to them; here the whole chain is, once: cells
run, the timeline paints, zooms, names what is pointed at, and Python hears what was selected.
"""

import ast
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.browser import chromium_page
from tests.jupyterlab import running_lab

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
HANDLER, WORKER, BLOCKED = "#0447A3", "#DC5E02", "#A40E26"  # the light palette of the design
PATIENCE_MS = 60_000  # a kernel starts in a few seconds; on a busy machine it may take many

# For each colour: how many pixels of the canvas have exactly it, and where the middle one of them is on the page.
FIND_COLOURS = """
(canvas, colours) => {
  const {width, height} = canvas;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  const hex = at => '#' + [0, 1, 2].map(i => data[at + i].toString(16).padStart(2, '0')).join('').toUpperCase();
  const found = Object.fromEntries(colours.map(colour => [colour, []]));
  for (let at = 0; at < data.length; at += 4) found[hex(at)]?.push(at / 4);
  const box = canvas.getBoundingClientRect(), scale = box.width / width;
  return Object.fromEntries(Object.entries(found).map(([colour, pixels]) => {
    const middle = pixels[Math.floor(pixels.length / 2)] ?? 0;
    const x = box.x + (middle % width) * scale, y = box.y + Math.floor(middle / width) * scale;
    return [colour, {count: pixels.length, x, y}];
  }));
}
"""


@dataclass
class Shown:
    """The timeline of the fifty requests, painted, in a notebook of which every cell has run."""

    page: "Page"
    host: "Locator"
    connection: Path

    def colours(self) -> Any:
        return self.host.get_by_test_id("timeline-canvas").evaluate(FIND_COLOURS, [HANDLER, WORKER, BLOCKED])

    def point_at(self, colour: str) -> None:
        place = self.colours()[colour]
        self.page.mouse.move(place["x"], place["y"])

    def visible_ns(self) -> tuple[int, int]:
        start, end = (self.host.get_attribute(f"data-visible-{edge}-ns") for edge in ("start", "end"))
        return int(start or 0), int(end or 0)

    def ask_python(self, expression: str) -> Any:
        """The value of an expression in the notebook's kernel, by way of JSON."""
        client = BlockingKernelClient(connection_file=str(self.connection))
        client.load_connection_file()
        client.start_channels()
        try:
            wanted = {"it": f"__import__('json').dumps({expression})"}
            reply = client.execute_interactive("", user_expressions=wanted, timeout=30)
        finally:
            client.stop_channels()
        it = reply["content"]["user_expressions"]["it"]
        assert it["status"] == "ok", it
        return json.loads(ast.literal_eval(it["data"]["text/plain"]))


@contextmanager
def pictured(page: "Page", path: Path) -> Iterator[None]:
    """Leave a picture of the page where a failure is to be understood."""
    try:
        yield
    except Exception as error:
        page.screenshot(path=path)
        error.add_note(f"the page looked so: {path}")
        raise


@pytest.fixture
def shown(jupyter_folders: Path, tmp_path: Path) -> Iterator[Shown]:
    """The first notebook's copy, opened by `playground lab` and run from top to bottom."""
    folder = shutil.copytree(NOTEBOOKS, tmp_path / "notebooks")
    options = (f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True")
    with chromium_page(viewport={"width": 1400, "height": 1000}) as page, running_lab(*options) as address:
        page.set_default_timeout(PATIENCE_MS)
        with pictured(page, tmp_path / "failed.png"):
            page.goto(address)
            page.get_by_text(re.compile(r"^Python 3 .*\| Idle$")).wait_for()
            page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)")
            host = page.locator(".jp-CodeCell").filter(has_text="lab.burst(fifty").get_by_test_id("timeline")
            host.scroll_into_view_if_needed()
            page.locator("[data-painted=true]").and_(host).wait_for()
            (connection,) = (jupyter_folders / "jupyter_runtime_dir").glob("kernel-*.json")
            yield Shown(page, host, connection)


def zoom_in(page: "Page") -> None:
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")


def test_the_first_notebook_paints_zooms_names_and_tells_python(shown: Shown) -> None:
    painted = {colour: place["count"] for colour, place in shown.colours().items()}
    assert painted[BLOCKED] > 1000
    assert painted[WORKER] > 1000
    assert painted[HANDLER] > 20  # its steps take microseconds: a few bars, a pixel wide

    shown.point_at(BLOCKED)
    tip = shown.host.get_by_test_id("timeline-tip")
    tip.wait_for()
    assert re.match(r"GET /report\s+blocking the loop\s+20\d ms\b", tip.inner_text())
    assert shown.host.get_attribute("data-hover") == "GET /report"

    start_ns, end_ns = shown.visible_ns()
    zoom_in(shown.page)
    shown.page.wait_for_function(
        "([host, end]) => Number(host.dataset.visibleEndNs) < end", arg=[shown.host.element_handle(), end_ns]
    )
    zoomed_start_ns, zoomed_end_ns = shown.visible_ns()
    assert start_ns < zoomed_start_ns < zoomed_end_ns < end_ns

    shown.page.mouse.down()
    shown.page.mouse.up()
    shown.page.locator("[data-selected]").and_(shown.host).wait_for()
    (selection,) = shown.ask_python(
        "[view.selection for view in __import__('gc').get_objects()"
        " if type(view).__name__ == 'Timeline' and view.selection]"
    )
    (block,) = shown.ask_python("[(block.start_ns, run.requests[10].number) for block in run.trace.blocks()]")
    assert (selection["label"], selection["kind"]) == ("GET /report", "blocked")
    assert [selection["start_ns"], selection["request"]] == block


def test_keys_in_the_timeline_are_no_commands_of_jupyterlab_and_enter_goes_to_the_line(shown: Shown) -> None:
    cells = shown.page.locator(".jp-Notebook .jp-Cell")
    before = cells.count()
    lanes = shown.host.get_by_role("application")
    lanes.focus()
    # to JupyterLab: insert a cell below, delete one, cut, paste, insert above, undo, make it Markdown
    for key in ("b", "d", "d", "x", "v", "a", "z", "m", "b"):
        shown.page.keyboard.press(key)
    shown.page.keyboard.press("/")
    shown.page.keyboard.type("report b dd x 10")
    shown.page.keyboard.press("Escape")
    assert cells.count() == before
    assert lanes.evaluate("lanes => lanes.getRootNode().activeElement === lanes")
    assert shown.host.get_attribute("data-selected") == "GET /report"

    shown.page.keyboard.press("Enter")
    note = shown.host.get_by_test_id("timeline-detail").locator(".outcome")
    note.wait_for()
    (block,) = shown.ask_python("[(block.site.file, block.site.line, block.site.text) for block in run.trace.blocks()]")
    assert note.inner_text() == f"{block[0]}, line {block[1]} is marked in its cell."
    prompt = shown.page.locator(".jp-InputPrompt", has_text=f"[{block[0].removeprefix('cell ')}]:")
    marked = shown.page.locator(".jp-CodeCell").filter(has=prompt).locator(".cm-line").nth(block[1] - 1)
    assert marked.inner_text().strip() == block[2]
    box, height = marked.bounding_box(), shown.page.viewport_size
    assert box is not None
    assert height is not None
    assert 0 < box["y"] < height["height"]
    assert cells.count() == before
    (opened,) = shown.ask_python(
        "[view.opened for view in __import__('gc').get_objects() if type(view).__name__ == 'Timeline' and view.opened]"
    )
    assert list(opened.values()) == block
