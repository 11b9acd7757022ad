"""What the timeline costs from a recording to the screen: in Python, on the wire, in a browser, through JupyterLab.

Recordings are the simulation's of `tests.recordings`, some eleven spans a request. All times are wall time, each the
best of several rounds, for what disturbs a measurement only ever adds to it; and each round begins with a recording
that was just read from a file, so that nothing that was worked out before helps. The browser is headless Chromium
without a graphics processor. Between a frame's first line of script and its end lies all that its thread does for it,
drawing included.
"""

import gc
import gzip
import os
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import nbformat

from playground.__main__ import FIRST_NOTEBOOK
from playground.trace import Trace
from playground.trace.columns import unpack
from playground.views.diagnosis import diagnose
from playground.views.lanes import lanes
from playground.views.packet import packet
from playground.widgets.page import page as page_of
from playground.widgets.still import still
from tests.benchmarks.harness import verdict
from tests.browser import chromium_page
from tests.conftest import own_settings
from tests.jupyterlab import running_lab
from tests.recordings import large_run

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

__all__ = ["main"]

REQUESTS: Final = {"1e4": 910, "1e5": 9_100, "1e6": 90_600}
"""For each size, how many requests make at least so many spans."""

BUNDLE: Final = Path(__file__).parents[2] / "playground" / "widgets" / "static" / "views.js"
SPANS: Final = ("gap", "duration", "kind", "what", "request")
VIEWPORT: Final = {"width": 1200, "height": 800}
MOVES: Final = 120  # each makes a frame
PATIENCE_MS: Final = 120_000

TARGETS: Final = {
    "first paint, 1e4": (150, "ms"),
    "first paint, 1e5": (300, "ms"),
    "first paint, 1e6": (600, "ms"),
    "JupyterLab, 1e5": (1000, "ms"),
    "JupyterLab, 1e6": (3000, "ms"),
    "zoom, p50": (10, "ms"),
    "zoom, p95": (16, "ms"),
    "pan, p50": (10, "ms"),
    "pan, p95": (16, "ms"),
    "in the browser": (24, "bytes a span"),
    "on the wire, raw": (16, "bytes a span"),
    "on the wire, compressed": (5, "bytes a span"),
    "bundle": (45, "kB"),
    "network requests": (0, ""),
}
"""From the issue: the most that each may be."""


@dataclass
class Figures:
    """What was measured, by what it is called, in the order of measuring."""

    found: dict[str, tuple[float, str]] = field(default_factory=dict)

    def put(self, name: str, value: float, unit: str) -> None:
        """Keep the best of what was measured."""
        self.found[name] = min(self.found.get(name, (value, unit)), (value, unit))

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        gc.collect()
        begin = time.perf_counter()
        yield
        self.put(name, (time.perf_counter() - begin) * 1000, "ms")


def main(rounds: int, only: str = "") -> int:
    """Measure, print the table and what it misses; the number of a process's end."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        saved = {size: _saved(Path(folder), size, requests) for size, requests in REQUESTS.items()}
        parts = {"python": _python, "page": _pages, "frames": _frames, "jupyterlab": _jupyterlab}
        for name, part in parts.items():
            if only in name:
                part(figures, saved, rounds)
    figures.put("bundle", len(gzip.compress(BUNDLE.read_bytes(), 9)) / 1000, "kB")
    print(table(figures, os.getloadavg()[0]))
    return verdict(missed(figures))


def table(figures: Figures, load: float) -> str:
    """The figures as text, beside what they may be at the most."""
    lines = [f"{'':34}{'best':>10}{'at most':>10}   (load {load:.1f})"]
    for name, (value, unit) in figures.found.items():
        most = f"{TARGETS[name][0]:g}" if name in TARGETS else ""
        lines.append(f"{name:34}{value:10.1f}{most:>10}   {unit}")
    return "\n".join(lines)


def missed(figures: Figures) -> list[str]:
    """The targets that these figures miss, in words."""
    return [
        f"{name}: {figures.found[name][0]:.1f} {unit}, not {most:g}"
        for name, (most, unit) in TARGETS.items()
        if name in figures.found and figures.found[name][0] > most
    ]


def _saved(folder: Path, size: str, requests: int) -> Path:
    path = folder / f"{size}.trace"
    large_run(requests).save(path)
    return path


# -- in Python, and on the wire -------------------------------------------------------------------------


def _python(figures: Figures, saved: dict[str, Path], rounds: int) -> None:
    for size, path in saved.items():
        for _ in range(rounds):
            trace = Trace.load(path)
            with figures.timed(f"lanes, {size}"):
                lanes(trace)
            with figures.timed(f"diagnosis, {size}"):
                diagnose(trace)
            with figures.timed(f"packet of these, {size}"):
                data = packet(trace)
            with figures.timed(f"text and picture of these, {size}"):
                still(trace)
        _, columns = unpack(data)
        count = len(columns["gap"])
        figures.put(f"spans, {size}", count, "")
    for name, among in (("raw", SPANS), ("raw, with all that is told", tuple(columns))):
        size_bytes = sum(columns[each].itemsize * len(columns[each]) for each in among)
        figures.put(f"on the wire, {name}", size_bytes / count, "bytes a span")
    figures.put("on the wire, compressed", len(data) / count, "bytes a span")


# -- in a page ------------------------------------------------------------------------------------------

_LOAD: Final = """
async (bundle) => {
  window.views = await import(URL.createObjectURL(new Blob([bundle], { type: 'text/javascript' })));
  window.bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  window.frameEnd = () => new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(performance.now());
    port2.postMessage(null);
  });
}
"""
_SHOW: Final = """
async (base64) => {
  const data = bytes(base64);
  const host = document.createElement('div');
  document.body.replaceChildren(host);
  const traits = { title: '', height: 460, selection: {}, visible: [] };
  let [id, receive] = ['', null];
  const model = {
    get: (name) => traits[name], set: () => {}, save_changes: () => {}, off: () => {},
    send: (content) => (id = content.view), on: (event, listener) => event === 'msg:custom' && (receive = listener),
  };
  window.close_view?.();
  window.close_view = await views.default.render({ model, el: host });
  const painted = new Promise((done) => {
    new MutationObserver((_, observer) => {
      if (host.querySelector('[data-painted=true]') === null) return;
      observer.disconnect();
      done();
    }).observe(host, { attributes: true, subtree: true });
  });
  const began = performance.now();
  receive({ type: 'recording', view: id }, [new DataView(data.buffer)]);
  await painted;
  return await frameEnd() - began;
}
"""
_KEEP: Final = "async (base64) => { window.kept = new views.Recording(await views.unpack(bytes(base64))); }"


def _pages(figures: Figures, saved: dict[str, Path], rounds: int) -> None:
    bundle = BUNDLE.read_text(encoding="ascii")
    for size, path in saved.items():
        data = b64encode(packet(Trace.load(path))).decode("ascii")
        for _ in range(rounds):
            with chromium_page(viewport=VIEWPORT) as page:
                page.evaluate(_LOAD, bundle)
                page.evaluate(_SHOW, b64encode(packet(Trace())).decode("ascii"))  # the script itself is warm in Jupyter
                figures.put(f"first paint, {size}", page.evaluate(_SHOW, data), "ms")
    count = figures.found.get("spans, 1e6", (0, ""))[0] or sum(map(len, lanes(Trace.load(path)).rows))
    with chromium_page() as page:
        page.evaluate(_LOAD, bundle)
        before = _heap_bytes(page)
        page.evaluate(_KEEP, data)
        figures.put("in the browser", (_heap_bytes(page) - before) / count, "bytes a span")


def _heap_bytes(page: "Page") -> int:
    """What the page's script holds, buffers included, once all else is collected."""
    session = page.context.new_cdp_session(page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    return int(usage["usedSize"] + usage["backingStorageSize"])


# -- frames ---------------------------------------------------------------------------------------------

_WATCH: Final = """
() => {
  window.took = [];
  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (paint) => ask((now) => {
    const began = performance.now();
    paint(now);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => took.push(performance.now() - began);
    port2.postMessage(null);
  });
}
"""


def _frames(figures: Figures, saved: dict[str, Path], rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(page_of(Trace.load(saved["1e6"])), encoding="utf-8")
        for _ in range(rounds):
            with chromium_page(viewport=VIEWPORT) as page:
                asked = _requests_of(page)
                page.add_init_script(f"({_WATCH})()")
                page.goto(path.as_uri())
                page.locator("[data-painted=true]").wait_for(timeout=PATIENCE_MS)
                for name, took in (("zoom", _zoomed(page)), ("pan", _panned(page))):
                    for share in (50, 95):
                        figures.put(f"{name}, p{share}", took[len(took) * share // 100], "ms")
                figures.put("network requests", len(asked) - 1, "")  # the page itself is one


def _requests_of(page: "Page") -> list[str]:
    """The addresses that a page will ask for, as it does."""
    asked: list[str] = []

    def note(request: "Request") -> None:
        asked.append(request.url)

    page.on("request", note)
    return asked


def _zoomed(page: "Page") -> list[float]:
    """Zoom in and out again at places across the run, down to where single spans are seen; sorted times of frames."""
    box = page.get_by_test_id("timeline-canvas").bounding_box()
    assert box is not None
    page.keyboard.down("Control")
    page.evaluate("took.length = 0")
    for number, place in enumerate(islice(cycle((0.3, 0.5, 0.7)), MOVES)):
        if number % 40 == 0:
            page.mouse.move(box["x"] + 178 + (box["width"] - 178) * place, box["y"] + 200)
        page.mouse.wheel(0, -100 if number % 40 < 20 else 100)
        page.wait_for_timeout(25)
    page.keyboard.up("Control")
    return sorted(page.evaluate("took"))


def _panned(page: "Page") -> list[float]:
    """Drag to and fro where a part of the run fills the view; sorted times of frames."""
    box = page.get_by_test_id("timeline-canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 200
    page.keyboard.down("Control")
    for _ in range(4):
        page.mouse.move(x, y)
        page.mouse.wheel(0, -200)
        page.wait_for_timeout(50)
    page.keyboard.up("Control")
    page.mouse.down()
    page.evaluate("took.length = 0")
    for number in range(MOVES):
        page.mouse.move(x + 200 * (1 if number % 40 < 20 else -1) * (number % 20) / 20, y)
        page.wait_for_timeout(20)
    page.mouse.up()
    return sorted(page.evaluate("took"))


# -- through JupyterLab ---------------------------------------------------------------------------------

_SHOWING: Final = "import time\nprint(time.time())\ntrace"
_RUN: Final = """
async ([cell]) => {
  const { commands, shell } = window.jupyterapp;
  shell.currentWidget.content.activeCellIndex = cell;
  await commands.execute('notebook:run-cell');
}
"""
_RUN_AND_WATCH: Final = """
async ([cell]) => {
  for (const old of document.querySelectorAll('[data-painted]')) old.removeAttribute('data-painted');
  const { commands, shell } = window.jupyterapp;
  shell.currentWidget.content.activeCellIndex = cell;
  const painted = new Promise((done) => {
    new MutationObserver((changes, observer) => {
      if (!changes.some(({ target }) => target.dataset.painted === 'true')) return;
      observer.disconnect();
      done();
    }).observe(document.body, { attributes: true, attributeFilter: ['data-painted'], subtree: true });
  });
  await commands.execute('notebook:run-cell');
  await painted;
  await new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(null);
  });
  const ended = Date.now() / 1000;
  const text = shell.currentWidget.content.widgets[cell].model.outputs.get(0).toJSON().text;
  return ended - Number([].concat(text).join(''));
}
"""


def _jupyterlab(figures: Figures, saved: dict[str, Path], rounds: int) -> None:
    """From the first line of the cell that shows a recording, by the kernel's clock, to the paint, by the browser's."""
    with tempfile.TemporaryDirectory() as folder, own_settings(Path(folder)):
        notebook = nbformat.v4.new_notebook()
        cells = [
            "from playground.trace import Trace",
            *(f"trace = Trace.load({str(saved[size])!r})" for size in ("1e5", "1e6")),
        ]
        notebook.cells = [nbformat.v4.new_code_cell(source) for source in (*cells, _SHOWING)]
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        root = Path(folder) / "notebooks"
        root.mkdir()
        nbformat.write(notebook, root / FIRST_NOTEBOOK)
        options = (f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True")
        with chromium_page(viewport=VIEWPORT) as page, running_lab(*options) as address:
            page.set_default_timeout(PATIENCE_MS)
            page.goto(address)
            page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
            page.evaluate(_RUN, [0])
            for loading, size in ((1, "1e5"), (2, "1e6")):
                for _ in range(rounds):
                    page.evaluate(_RUN, [loading])
                    figures.put(f"JupyterLab, {size}", page.evaluate(_RUN_AND_WATCH, [3]) * 1000, "ms")
