"""Runs side by side in a real browser: one zoom for all, one selection, tables that say what the picture says."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from playground import Trace, compare
from playground.trace.columns import unpack
from playground.widgets import Comparison
from tests.browser import Chromium
from tests.by_hand import request, step, task
from tests.recordings import blocked_run, load
from tests.widgets.screen import COLOURS, Screen

# no mark for the whole file: what Python's half does needs no browser
SIZE = {"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce"}
BLOCKED, PLAIN = blocked_run(), load(62, seed=4, rate=150.0)


class Compared(Screen):
    """A comparison on the page."""

    @property
    def host(self) -> Locator:
        return self.page.get_by_test_id("compare")

    def said(self) -> str:
        return self.page.get_by_test_id("compare-live").inner_text()

    def lanes(self, letter: str) -> Locator:
        return self.page.get_by_test_id(f"compare-lanes-{letter}")

    def colours(self, letter: str) -> dict[str, int]:
        """How many pixels of a run's lanes have each colour."""
        counts: dict[str, int] = self.lanes(letter).evaluate(
            """canvas => {
              const {width, height} = canvas;
              const data = canvas.getContext('2d').getImageData(0, 0, width, height).data, counts = {};
              for (let at = 0; at < data.length; at += 4) {
                const hex = '#' + [0, 1, 2].map(i => data[at + i].toString(16).padStart(2, '0')).join('').toUpperCase();
                counts[hex] = (counts[hex] ?? 0) + 1;
              }
              return counts;
            }"""
        )
        return counts

    def table(self, name: str) -> list[list[str]]:
        rows = self.page.get_by_role("table", name=name).locator("tbody tr").all()
        return [[" ".join(cell.inner_text().split()) for cell in row.locator("th, td").all()] for row in rows]


@pytest.fixture
def see(chromium: Chromium, tmp_path: Path) -> Callable[..., Any]:
    """What a scenario says of a comparison's page."""

    def run(scenario: Callable[[Compared], Any], *traces: Trace, width: int = 1200) -> Any:
        path = tmp_path / "comparison.html"
        compare({"first": traces[0], "second": traces[1]}).to_html(path)

        def on_page(page: Page) -> Any:
            page.goto(path.as_uri())
            expect(page.get_by_test_id("compare")).to_have_attribute("data-painted", "true")
            return scenario(Compared(page))

        return chromium.run(on_page, **{**SIZE, "viewport": {"width": width, "height": 900}})

    return run


@pytest.mark.browser
def test_each_run_is_painted_with_its_own_states(see: Callable[..., Any]) -> None:
    def scenario(screen: Compared) -> list[dict[str, int]]:
        screen.settle()
        return [screen.colours(letter) for letter in "AB"]

    blocked, plain = see(scenario, BLOCKED, PLAIN)
    assert blocked[COLOURS["blocked"]] > 1000
    assert COLOURS["blocked"] not in plain
    assert all(run[COLOURS["worker"]] > 500 for run in (blocked, plain))


@pytest.mark.browser
def test_a_theme_that_comes_while_the_page_has_no_size_is_painted(see: Callable[..., Any]) -> None:
    # JupyterLab takes the old theme's stylesheet away before the new one is there. What has its size back by the next
    # frame was never without one, for a ResizeObserver.
    gone = """async host => {
      host.style.display = 'none';
      document.body.dataset.jpThemeLight = 'false';
      await null;
      host.style.display = '';
      for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
    }"""

    def scenario(screen: Compared) -> list[dict[str, int]]:
        screen.settle()
        screen.host.evaluate(gone)
        return [screen.colours(letter) for letter in "AB"]

    dark, light = "#111111", "#FFFFFF"
    for counts in see(scenario, BLOCKED, PLAIN):
        assert counts[dark] > 10_000
        assert counts.get(light, 0) < 1_000


@pytest.mark.browser
def test_one_zoom_drives_all_runs_and_python_is_not_needed(see: Callable[..., Any]) -> None:
    def scenario(screen: Compared) -> list[Any]:
        before = screen.visible()
        box = screen.lanes("B").bounding_box()
        assert box is not None
        pictures = [screen.lanes(letter).screenshot() for letter in "AB"]
        screen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
        screen.wheel(0, -300, "Control")
        zoomed = screen.visible()
        after = [screen.lanes(letter).screenshot() for letter in "AB"]
        screen.page.get_by_role("button", name="Fit", exact=True).click()
        return [before, zoomed, screen.visible(), [one != other for one, other in zip(pictures, after, strict=True)]]

    before, zoomed, fitted, moved = see(scenario, BLOCKED, PLAIN)
    assert before == fitted == (0, max(BLOCKED.duration_ns, PLAIN.duration_ns))
    assert zoomed[1] - zoomed[0] < (before[1] - before[0]) * 0.7
    assert moved == [True, True]


def lengths() -> tuple[Trace, Trace]:
    """A run, and one that takes four times as long; in each, the loop works for the last tenth."""
    return tuple(  # type: ignore[return-value]
        Trace(
            tasks=[task()],
            steps=[step(0, 90 * times, 10 * times)],
            requests=[request(0, 0, 100 * times, task=0)],
            clock="virtual",
        )
        for times in (1, 4)
    )


@pytest.mark.browser
def test_runs_have_one_scale_until_each_is_fitted(see: Callable[..., Any]) -> None:
    busy = """canvas => {
      const {width, height} = canvas;
      const data = canvas.getContext('2d').getImageData(0, 0, width, height).data, columns = [];
      for (let x = 0; x < width; x++) {
        for (let y = 40; y < 60; y++) {
          const at = 4 * (y * width + x);
          if (data[at] === 0x04 && data[at + 1] === 0x47 && data[at + 2] === 0xA3) columns.push(x);
        }
      }
      return [Math.min(...columns), Math.max(...columns)];
    }"""

    def scenario(screen: Compared) -> list[Any]:
        seen = [[screen.lanes(letter).evaluate(busy) for letter in "AB"]]
        fit = screen.page.get_by_role("button", name="Fit each")
        for _ in range(2):
            fit.click()
            screen.settle()
            seen.append([screen.lanes(letter).evaluate(busy) for letter in "AB"])
        return [seen, screen.said()]

    ((same, fitted, again), said) = see(scenario, *lengths())
    left, right = 182, 1200 - 2 * 16 - 2 - 10  # where the plot of a page this wide begins and ends
    short, long = ([(x - left) / (right - left) for x in edges] for edges in same)
    assert short == pytest.approx([0.225, 0.25], abs=0.005)
    assert long == pytest.approx([0.9, 1], abs=0.005)
    assert fitted[0] == fitted[1] == same[1]
    assert again == same
    assert said == "All runs have one scale."


@pytest.mark.browser
def test_keys_go_through_the_lanes_of_all_runs_and_are_spoken(see: Callable[..., Any]) -> None:
    def scenario(screen: Compared) -> list[str]:
        said = []
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "Escape"):
            screen.press(key)
            said.append(screen.said())
        return said

    first, second, worker, _, other, none = see(scenario, PLAIN, PLAIN)
    assert first.startswith("A first, Event loop: ")
    assert " Span 1 of " in first
    assert " Span 2 of " in second
    assert worker.startswith("A first, worker-0: render_pdf, running in a worker thread, ")
    assert other.startswith("B second, Event loop: ")
    assert none == "Nothing is selected."


@pytest.mark.browser
def test_a_click_selects_and_the_words_are_shown(see: Callable[..., Any]) -> None:
    (block,) = BLOCKED.blocks()

    def scenario(screen: Compared) -> list[Any]:
        start, end = screen.visible()
        box = screen.lanes("A").bounding_box()
        assert box is not None
        share = (block.start_ns + block.duration_ns / 2 - start) / (end - start)
        screen.page.mouse.click(box["x"] + 182 + share * (box["width"] - 192), box["y"] + 48)
        screen.settle()
        return [screen.said(), screen.page.locator("p.told").first.inner_text()]

    said, shown = see(scenario, BLOCKED, PLAIN)
    assert said == shown
    assert said.startswith("A first, Event loop: GET /report, blocking the loop, seen in df.to_csv(), 230 ms")


@pytest.mark.browser
def test_the_tables_say_what_python_counted(see: Callable[..., Any]) -> None:
    def scenario(screen: Compared) -> list[Any]:
        conclusion = screen.page.get_by_test_id("compare-conclusion").inner_text()
        notes = screen.page.get_by_role("list", name="To know").get_by_role("listitem").all_inner_texts()
        return [conclusion, notes, screen.table("Runs"), screen.table("Requests, by difference")]

    conclusion, notes, runs, requests = see(scenario, BLOCKED, PLAIN)
    said = compare(first=BLOCKED, second=PLAIN)
    assert (conclusion, notes) == (said.conclusion, said.notes)
    assert runs == [
        ["○ A first", "62", "72.6 ms", "239 ms", "243 ms", "230 ms", "414 ms"],
        ["● B second", "62", "4.62 ms", "20.3 ms", "22.3 ms", "0", "417 ms"],
    ]
    assert requests[0] == ["#26 GET /items/{id}", "○ ●", "238 ms", "3.71 ms", "−235 ms"]
    assert requests[-1][-1] == "0"
    assert len(requests) == 40


@pytest.mark.browser
@pytest.mark.parametrize(("width", "columns"), [(1200, 5), (520, 3)])
def test_a_narrow_page_keeps_the_marks_and_the_difference(see: Callable[..., Any], width: int, columns: int) -> None:
    def scenario(screen: Compared) -> list[int]:
        row = screen.page.get_by_role("table", name="Requests, by difference").locator("tbody tr").first
        shown = [cell for cell in row.locator("th, td").all() if cell.is_visible()]
        return [len(shown), screen.page.evaluate("document.documentElement.scrollWidth")]

    assert see(scenario, BLOCKED, PLAIN, width=width) == [columns, width]


@pytest.mark.browser
def test_no_time_of_the_scale_covers_another_in_a_narrow_notebook(see: Callable[..., Any]) -> None:
    def scenario(screen: Compared) -> list[tuple[float, float]]:
        scale = screen.page.get_by_role("table", name="Requests, by difference").locator("thead span")
        return [(box["x"], box["x"] + box["width"]) for time in scale.all() if (box := time.bounding_box())]

    times = see(scenario, BLOCKED, PLAIN, width=400)
    assert len(times) > 1
    assert all(right < left for (_, right), (left, _) in pairwise(times))


@pytest.mark.browser
def test_mixed_clocks_are_told_in_the_header(see: Callable[..., Any]) -> None:
    def scenario(screen: Compared) -> list[str]:
        return [
            screen.page.locator(".badge").inner_text(),
            screen.page.get_by_test_id("compare-conclusion").inner_text(),
        ]

    badge, conclusion = see(scenario, lengths()[0], PLAIN)
    assert badge == "real and virtual time"
    assert conclusion.startswith("Nothing is concluded: B ran in real time and A in virtual time")


def test_the_widget_answers_with_the_packet_and_saves_nothing_of_it() -> None:
    widget: Any = Comparison({"one": BLOCKED, "two": PLAIN}, title="Before and after", height=300)
    sent: list[Any] = []
    widget.send = lambda content, buffers: sent.append((content, buffers))
    widget._handle_custom_msg({"type": "ready", "view": "x"}, [])
    ((content, (packet,)),) = sent
    header, _ = unpack(packet)
    assert content == {"type": "recording", "view": "x"}
    assert (header["view"], header["title"], [run["name"] for run in header["runs"]]) == (
        "compare",
        "Before and after",
        ["one", "two"],
    )
    state = {name: value for name, value in widget.get_state().items() if name in ("title", "height")}
    assert state == {"title": "Before and after", "height": 300}
    assert not any(isinstance(value, bytes | memoryview) for value in widget.get_state().values())
    data, _ = widget._repr_mimebundle_()
    assert data["text/plain"] == str(compare({"one": BLOCKED, "two": PLAIN}))
    assert data["image/svg+xml"] == compare({"one": BLOCKED, "two": PLAIN}).to_svg()
    assert repr(widget) == "<Comparison of one, two>"
