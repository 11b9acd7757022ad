"""The first notebook in a JupyterLab in a browser, with every view of what it recorded."""

import ast
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.blocking.client import BlockingKernelClient

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

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
    """A notebook of which every cell has run, and in it the timeline of the fifty requests, painted."""

    page: "Page"
    host: "Locator"
    connection: Path

    def view(self, name: str, cell: str) -> "Locator":
        """Another view, by its name and words of its cell, once it is there and in sight."""
        there = self.page.locator(".jp-CodeCell").filter(has_text=cell)
        there.scroll_into_view_if_needed()
        host = there.get_by_test_id(name)
        host.wait_for()
        host.scroll_into_view_if_needed()
        return host

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

    def wait_for_python(self, expression: str) -> None:
        """Wait until an expression is true in the kernel, which hears of a reader's deeds a moment later."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not self.ask_python(f"bool({expression})"):
            assert time.monotonic() < deadline, f"it never came to be that {expression}"


@contextmanager
def pictured(page: "Page", path: Path) -> Iterator[None]:
    """Leave a picture of the page where a failure is to be understood."""
    try:
        yield
    except Exception as error:
        page.screenshot(path=path)
        error.add_note(f"the page looked so: {path}")
        raise
