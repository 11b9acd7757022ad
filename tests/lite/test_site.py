"""The site that needs no server, in a real browser that can reach nothing but its files."""

import functools
import http.server
import importlib.util
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat.v4 as nb
import pytest

from playground import __main__ as cli
from tests.browser import chromium_page, skip_or_fail

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PATIENCE_MS = 120_000  # Python begins in ten seconds here; on a busy machine it may take many
WORKER = [220, 94, 2]  # #DC5E02, the light palette's worker thread

APP = """
import asyncio, sys, time
from playground import App, Lab
from playground.course import check

def app_with(report):
    app = App()
    app.get("/report")(report)

    @app.get("/hello")
    async def hello():
        await asyncio.sleep(0.02)
        return "hello"

    return app

async def stalls():
    time.sleep(0.2)
    return "reported"

def in_a_worker():
    time.sleep(0.2)
    return "reported"

sys.platform
"""
LESSON = (
    APP,
    "lab = Lab(app_with(in_a_worker), clock='virtual')\n(await lab.client.get('/report')).text",
    "run = lab.burst('/report', n=50)\nrun",
    "print(len(run.responses), 'answers after', run.trace.duration_ns / 1e6, 'ms on', lab.made_with['threads'])",
    "check('09.2', app_with(stalls))",
    "check('09.2', app_with(in_a_worker))",
    "lab.timeline()",
    "lab.burst('/hello', n=3).summary",
    "Lab(app_with(in_a_worker))",
)
# What stands below each cell, the text within a view's own tree too.
OUTPUTS = """
() => {
  const text = node => node.nodeType === Node.TEXT_NODE ? node.data
    : node.nodeName === 'STYLE' ? ''
    : [...(node.shadowRoot ?? node).childNodes].map(text).join('');
  return [...document.querySelectorAll('.jp-CodeCell')].map(cell =>
    [...cell.querySelectorAll('.jp-OutputArea-output')].map(output => text(output).trim()).join('\\n'));
}
"""
# How many pixels of a canvas have exactly this colour.
COUNT = """
(canvas, [red, green, blue]) => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4)
    count += data[at] === red && data[at + 1] === green && data[at + 2] === blue;
  return count;
}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one notebook, built by the command line as a reader would."""
    for module in ("jupyterlite_core", "jupyterlite_pyodide_kernel"):
        if importlib.util.find_spec(module) is None:
            skip_or_fail(f"{module} is not installed: pip install 'playground[lite]'")
    if shutil.which("npm") is None:
        skip_or_fail("there is no npm, to fetch Pyodide with: install Node.js")
    folder = tmp_path_factory.mktemp("lite")
    (folder / "notebooks").mkdir()
    lesson = nb.new_notebook(cells=[nb.new_code_cell(source.strip()) for source in LESSON])
    (folder / "notebooks" / "lesson.ipynb").write_text(json.dumps(lesson))
    assert cli.main(["lite", str(folder / "site"), "--notebooks", str(folder / "notebooks")]) == 0
    return folder / "site"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing of it."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name that it has)
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a folder's files are."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def run_all(page: "Page", address: str, notebook: str, cells: int) -> list[str]:
    """Open a notebook, run its cells, and give what stands below each when the timeline is there."""
    page.goto(f"{address}/notebooks/index.html?path={notebook}")
    page.locator(".jp-Notebook .jp-CodeCell").nth(cells - 1).wait_for(state="attached", timeout=PATIENCE_MS)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=PATIENCE_MS)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(f".jp-InputPrompt:has-text('[{cells}]:')").wait_for(timeout=PATIENCE_MS)
    page.get_by_text("calls queued for a worker thread").first.wait_for(timeout=PATIENCE_MS)  # the view was told of it
    outputs: list[str] = page.evaluate(OUTPUTS)
    return outputs


def here_in_threads() -> str:
    """What the lesson's last run says of itself where there are threads."""
    names: dict[str, Any] = {}
    exec(APP, names)
    with names["Lab"](names["app_with"](names["in_a_worker"]), clock="virtual") as lab:
        summary: str = lab.burst("/hello", n=3).summary
    return summary


def test_a_lesson_shows_its_timeline_and_passes_a_check_with_no_network_but_its_files(site: Path) -> None:
    elsewhere: list[str] = []
    problems: list[str] = []
    with served(site) as address, chromium_page(viewport={"width": 1300, "height": 2400}) as page:

        def refuse(route: Any) -> None:
            elsewhere.append(route.request.url)
            route.abort()

        page.context.route(lambda url: not url.startswith((f"{address}/", "data:", "blob:")), refuse)
        page.on("pageerror", lambda error: problems.append(str(error)))
        said = run_all(page, address, "lesson.ipynb", len(LESSON))
        painted = page.locator("canvas[data-testid=timeline-canvas]").first.evaluate(COUNT, WORKER)
    assert said[0] == "'emscripten'"
    assert said[1] == "'reported'"
    assert "10 of 50 calls queued for a worker thread" in said[2]
    assert painted > 1_000
    assert said[3] == "50 answers after 400.0 ms on 40"
    assert "not yet" in said[4]
    assert "passed" in said[5]
    assert said[7] == repr(here_in_threads())
    assert "expected clock='virtual' where Python has no threads (as in a browser), got clock='real'" in said[8]
    assert elsewhere == []
    assert problems == []
