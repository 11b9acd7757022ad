"""What the browser tests do and see: the timeline in a page, by its public marks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

__all__ = ["COLOURS", "Screen", "hexes", "opened"]

COLOURS = {"handler": "#0447A3", "worker": "#DC5E02", "blocked": "#A40E26", "io": "#3F978D"}

_COUNT = """
(canvas) => {
  const {width, height} = canvas;
  const data = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const pixel of data) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const hex = (pixel) => '#' + [0, 8, 16].map(shift => (pixel >>> shift & 255).toString(16).padStart(2, '0')).join('');
  return Object.fromEntries([...counts].map(([pixel, count]) => [hex(pixel).toUpperCase(), count]));
}
"""

_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@dataclass
class Screen:
    page: Page

    @property
    def host(self) -> Locator:
        return self.page.get_by_test_id("timeline")

    @property
    def canvas(self) -> Locator:
        return self.page.get_by_test_id("timeline-canvas")

    def settle(self) -> None:
        """Wait for the frame that shows what was last done."""
        self.page.evaluate(_FRAMES)

    def visible(self) -> tuple[int, int]:
        self.settle()
        start, end = (self.host.get_attribute(f"data-visible-{side}-ns") for side in ("start", "end"))
        assert start is not None
        assert end is not None
        return int(start), int(end)

    def move(self, x: float, y: float) -> None:
        """Point at a place, in CSS pixels from the canvas's corner."""
        box = self.canvas.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + x, box["y"] + y)
        self.settle()

    def wheel(self, dx: float, dy: float, key: str | None = None) -> None:
        if key is not None:
            self.page.keyboard.down(key)
        self.page.mouse.wheel(dx, dy)
        if key is not None:
            self.page.keyboard.up(key)
        self.page.wait_for_timeout(50)  # the wheel reaches the page after the call has returned
        self.settle()

    def x_of(self, time_ns: float) -> float:
        """Where a moment is drawn: the plot runs from 4 px right of the gutter to 10 px before the edge."""
        start, end = self.visible()
        box = self.canvas.bounding_box()
        assert box is not None
        gutter = 104 if box["width"] < 640 else 178
        return gutter + 4 + (time_ns - start) / (end - start) * (box["width"] - gutter - 14)

    def press(self, key: str) -> None:
        self.page.get_by_role("application").press(key)
        self.settle()

    def selected(self) -> str | None:
        return self.host.get_attribute("data-selected")

    def said(self) -> str:
        return self.page.get_by_test_id("timeline-live").inner_text()

    def pixels(self) -> dict[str, int]:
        """How many pixels of the canvas have each colour, as `#RRGGBB`."""
        return self.pixels_of(self.canvas)

    @staticmethod
    def pixels_of(canvas: Locator) -> dict[str, int]:
        counts: dict[str, int] = canvas.evaluate(_COUNT)
        return counts


def opened(url: str, scenario: Callable[[Screen], Any]) -> Callable[[Page], Any]:
    """A scenario for `Chromium.run`: open a page, wait for its timeline, go on."""

    def run(page: Page) -> Any:
        page.goto(url)
        expect(page.get_by_test_id("timeline")).to_have_attribute("data-painted", "true")
        return scenario(Screen(page))

    return run


def hexes(*names: str) -> set[str]:
    return {COLOURS[name] for name in names}
