"""What a reader asks of a timeline: who woke this, where is that, what do the figures say, which line is it.

Each is asked in a browser, as a person would; what the panel says of each span is held to the rows in `test_panel`.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from playground.trace import Message, Trace
from playground.widgets.page import page
from tests.browser import Chromium
from tests.by_hand import request, step, task
from tests.recordings import load
from tests.widgets.every_view import Shown
from tests.widgets.screen import Screen, opened
from tests.widgets.test_axe import look_at
from tests.widgets.test_node import tools

WIDE: Any = {"viewport": {"width": 1300, "height": 900}, "reduced_motion": "reduce"}


@pytest.mark.browser
def test_the_panel_leads_from_step_to_step(chromium: Chromium, page_url: str, trace: Trace) -> None:
    def scenario(screen: Screen) -> list[str]:
        detail = screen.page.get_by_test_id("timeline-detail")
        screen.press("b")
        seen = [detail.inner_text()]
        detail.locator("dd").last.get_by_role("button").click()
        seen.append(screen.said())
        assert screen.page.evaluate(ACTIVE) == "application"  # the button is gone: the keys are the lanes' again
        detail.locator("dt", has_text="before").locator("+ dd").get_by_role("button").press("Enter")
        return [*seen, screen.said()]

    panel, after, back = chromium.run(opened(page_url, scenario), **WIDE)
    block = trace.blocks()[0]
    assert block.task is not None
    turns = [trace.steps[index] for index in trace.steps_of[block.task]]
    place = [row.start_ns for row in turns].index(block.start_ns)
    assert "it waits for a timer, since 364.9 ms" in panel
    assert f"at {turns[place + 1].start_ns / 1e6:.1f} ms" in after
    assert back.startswith("Event loop: GET /report, blocking the loop")


ACTIVE = """() => {
  const active = document.querySelector('[data-testid=timeline]').shadowRoot.activeElement;
  return active?.getAttribute('role') ?? active?.localName ?? null;
}"""


@pytest.mark.browser
def test_the_messages_of_a_request_are_listed_and_bounded(chromium: Chromium, tmp_path: Path) -> None:
    sent = tuple(Message("send", "http.response.body", n * 1_000_000, f"{n} bytes") for n in range(1, 21))
    trace = Trace(requests=[replace(request(0, 0, 30), messages=sent)])

    def scenario(screen: Screen) -> tuple[str, int]:
        screen.press("End")
        table = screen.page.get_by_test_id("timeline-detail").get_by_role("table")
        return table.inner_text(), table.get_by_role("row").count()

    text, rows = chromium.run(opened(written(trace, tmp_path), scenario), **WIDE)
    assert text.startswith("ASGI messages of #0 GET /items, 200: the first 12, 8 more are in trace.requests")
    assert re.search(r"↑ send\s+http.response.body\s+12.00 ms\s+12 bytes$", text)
    assert rows == 12


def written(trace: Trace, folder: Path) -> str:
    path = folder / "timeline.html"
    path.write_text(page(trace), encoding="utf-8")
    return path.as_uri()


@pytest.mark.browser
def test_a_search_goes_from_match_to_match_and_back(chromium: Chromium, page_url: str, trace: Trace) -> None:
    numbers = [each.number for each in trace.requests if each.route == "/export"]
    workers = len(trace.handoffs)

    def scenario(screen: Screen) -> dict[str, Any]:
        keys, box = screen.page.keyboard, screen.page.get_by_role("searchbox")
        found = screen.page.get_by_test_id("timeline-found")
        screen.press("/")
        seen: dict[str, Any] = {"focus": box.evaluate("box => box === box.getRootNode().activeElement")}
        keys.type("GET /ex")
        expect(found).to_have_text(f"{len(numbers)} found")
        seen["before"] = screen.selected()
        steps = []
        for key in ("Enter", "Enter", "Shift+Enter", "Shift+Enter", "Enter"):
            keys.press(key)
            steps.append((found.inner_text(), re.findall(r"#(\d+)", screen.said())[0]))
        seen["steps"] = steps
        box.fill("render")
        expect(found).to_have_text(f"{workers} found")
        box.fill("no such thing")
        expect(found).to_have_text("not found")
        assert screen.said() == "not found"
        keys.press("Enter")
        seen["stays"] = screen.selected()
        keys.press("Escape")
        return {**seen, "after": (box.input_value(), found.inner_text(), screen.page.evaluate(ACTIVE))}

    seen = chromium.run(opened(page_url, scenario), **WIDE)
    count = len(numbers)
    assert (seen["focus"], seen["before"], seen["stays"]) == (True, None, "GET /export")
    assert seen["steps"] == [(f"{at} of {count}", str(numbers[at - 1])) for at in (1, 2, 1, count, 1)]
    assert seen["after"] == ("", "", "application")


@pytest.mark.browser
def test_what_was_found_is_marked_on_the_lanes_and_the_minimap(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> list[tuple[int, int]]:
        def marked() -> tuple[int, int]:
            screen.settle()
            minimap = Screen.pixels_of(screen.page.get_by_test_id("timeline-minimap"))
            return screen.pixels().get("#0447A3", 0), minimap.get("#0447A3", 0)

        seen = [marked()]
        screen.press("/")
        for query in ("summary", "", "/report"):
            screen.page.get_by_role("searchbox").fill(query)
            screen.page.wait_for_timeout(200)
            seen.append(marked())
        return seen

    before, many, none, one = chromium.run(opened(page_url, scenario), **WIDE)
    assert before == none
    assert many[0] > before[0] + 50
    assert many[1] > one[1] > before[1] == 0


@pytest.mark.browser
def test_a_status_is_searched_whole_or_by_class(chromium: Chromium, tmp_path: Path) -> None:
    statuses = [200, 404, 500, 503, 404, 200]
    requests = [replace(request(n, n * 10, n * 10 + 5), status=status) for n, status in enumerate(statuses)]

    def scenario(screen: Screen) -> dict[str, str]:
        screen.press("/")
        counts = {}
        for query in ("404", "5xx", "4XX", "301"):
            screen.page.get_by_role("searchbox").fill(query)
            screen.page.keyboard.press("Enter")
            counts[query] = screen.page.get_by_test_id("timeline-found").inner_text()
        return counts

    assert chromium.run(opened(written(Trace(requests=requests), tmp_path), scenario), **WIDE) == {
        "404": "1 of 2",
        "5xx": "1 of 2",
        "4XX": "1 of 2",
        "301": "not found",
    }


@pytest.mark.browser
def test_the_tables_say_what_the_picture_shows(chromium: Chromium, page_url: str, trace: Trace) -> None:
    def scenario(screen: Screen) -> dict[str, Any]:
        tables = screen.page.get_by_test_id("timeline-tables")
        expect(tables).to_be_hidden()
        button = screen.page.get_by_role("button", name="Show as table")
        assert button.get_attribute("aria-expanded") == "false"
        button.press("Enter")
        assert button.get_attribute("aria-expanded") == "true"
        requests = tables.get_by_role("table").first
        seen: dict[str, Any] = {"captions": [each.inner_text() for each in tables.locator("caption").all()]}
        seen["rows"] = requests.locator("tbody tr").count()
        requests.get_by_role("button", name="duration").press("Enter")
        requests.get_by_role("button", name="duration").press("Enter")
        head = requests.locator("th[aria-sort=descending]")
        seen["sorted by"] = head.inner_text()
        first = requests.locator("tbody tr").first
        seen["longest"] = first.inner_text().split("\t")
        first.get_by_role("button").press("Enter")
        seen["selected"], seen["said"] = screen.selected(), screen.said()
        tables.get_by_role("table", name="Findings").get_by_role("button").filter(has_text="loop").first.click()
        seen["finding"] = screen.selected()
        button.click()
        expect(tables).to_be_hidden()
        return seen

    seen = chromium.run(opened(page_url, scenario), **WIDE)
    spans = len(trace.steps) + len(trace.handoffs)
    longest = max(trace.requests, key=lambda each: (each.end_ns or 0) - each.start_ns)
    assert seen["captions"] == [
        f"Requests: {len(trace.requests)}",
        f"Longest spans of the loop and the workers: 100 of {spans}",
        f"Findings: {len(trace.diagnosis)}",
    ]
    assert seen["rows"] == len(trace.requests)
    assert seen["sorted by"].startswith("duration")
    assert seen["longest"][:5] == [
        f"#{longest.number}",
        f"GET {longest.route}",
        "200",
        f"{longest.start_ns / 1e6:.1f} ms",
        f"{((longest.end_ns or 0) - longest.start_ns) / 1e6:.3g} ms",
    ]
    assert sum(int(share.removesuffix(" %")) for share in seen["longest"][5:]) == pytest.approx(100, abs=1)
    assert seen["selected"] == f"GET {longest.route}"
    assert f"request #{longest.number}: " in seen["said"]
    assert seen["finding"] == "GET /report"


@pytest.mark.browser
def test_a_long_table_tells_how_many_rows_it_leaves_out(chromium: Chromium, tmp_path: Path) -> None:
    trace = load(150, seed=2, rate=400.0)

    def scenario(screen: Screen) -> tuple[str, int, str]:
        screen.page.get_by_role("button", name="Show as table").click()
        table = screen.page.get_by_test_id("timeline-tables").get_by_role("table").first
        table.get_by_role("button", name="number").click()
        table.get_by_role("button", name="number").click()
        rows = table.locator("tbody tr")
        return table.locator("caption").inner_text(), rows.count(), rows.first.inner_text().split("\t")[0]

    assert chromium.run(opened(written(trace, tmp_path), scenario), **WIDE) == (
        "Requests: the first 100 in this order, 50 more are not listed",
        100,
        "#149",
    )


@pytest.mark.browser
@pytest.mark.parametrize("way", ["Enter", "click"])
def test_a_page_says_that_it_cannot_open_the_source(chromium: Chromium, page_url: str, way: str) -> None:
    def scenario(screen: Screen) -> tuple[str, str, str]:
        detail = screen.page.get_by_test_id("timeline-detail")
        screen.press("Enter")
        nothing = screen.said()
        screen.press("b")
        if way == "Enter":
            screen.press("Enter")
        else:
            detail.get_by_role("button", name="cell 3, line 24").click()
        return nothing, screen.said(), detail.locator(".outcome").inner_text()

    nothing, said, shown = chromium.run(opened(page_url, scenario), **WIDE)
    assert nothing == "Nothing is selected."
    assert said == shown == "cell 3, line 24: nothing here can open it."


@pytest.mark.browser
def test_each_move_through_time_is_spoken(chromium: Chromium, page_url: str, trace: Trace) -> None:
    whole_ms = trace.duration_ns / 1e6

    def scenario(screen: Screen) -> dict[str, str]:
        spoken = {}
        for key in ("+", "Shift+ArrowRight", "-", "0"):
            screen.press(key)
            screen.page.wait_for_function("() => " + SAID + ".startsWith('Shown: ')")
            spoken[key] = screen.said()
            screen.page.evaluate(f"() => {SAID_NODE}.textContent = ''")
        return spoken

    spoken = chromium.run(opened(page_url, scenario), **WIDE)
    width = whole_ms / 1.6
    left = (whole_ms - width) / 2
    assert spoken["+"] == f"Shown: {left:.1f} ms to {left + width:.1f} ms."
    left = min(left + 0.2 * width, whole_ms - width)
    assert spoken["Shift+ArrowRight"] == f"Shown: {left:.1f} ms to {left + width:.1f} ms."
    assert spoken["-"] == spoken["0"] == f"Shown: 0 µs to {whole_ms:.1f} ms."


SAID_NODE = "document.querySelector('[data-testid=timeline]').shadowRoot.querySelector('.live')"
SAID = f"{SAID_NODE}.textContent"


@pytest.mark.browser
def test_a_key_that_leads_nowhere_says_so(chromium: Chromium, tmp_path: Path) -> None:
    trace = Trace(tasks=[task()], steps=[step(0, 0, 1), step(0, 5, 1, "returned")], duration_ns=6_000_000)

    def scenario(screen: Screen) -> list[str]:
        said = []
        for key in ("b", "a", "Enter", "End", "Enter", "Escape"):
            screen.press(key)
            said.append(screen.said())
        return said

    said = chromium.run(opened(written(trace, tmp_path), scenario), **WIDE)
    assert said.pop(3).startswith("Event loop: main, running, 1 ms")
    assert said == [
        "No step blocked the loop.",
        "No hand-off leaves this span.",
        "Nothing is selected.",
        "No place in the source is known of this span.",
        "Nothing is selected.",
    ]


@pytest.mark.browser
def test_all_of_it_is_reached_by_the_keyboard(chromium: Chromium, page_url: str) -> None:
    """Search, buttons, findings, then the lanes as one stop, then what the panel offers."""

    def scenario(screen: Screen) -> list[str]:
        screen.press("b")
        screen.page.mouse.click(2, 2)  # the page's corner: from here Tab goes to what comes first
        stops: list[str] = []
        for _ in range(40):
            screen.page.keyboard.press("Tab")
            name = screen.page.evaluate(NAME)
            if name is not None:
                stops.append(name)
            elif stops:  # before the view stand the page's own tabs; after it, nothing
                return stops
        return stops

    stops = chromium.run(opened(page_url, scenario), **WIDE)
    assert stops.count("application") == 1
    order = [
        stops.index(name) for name in ("Search by path, task or status", "Table", "application", "cell 3, line 24")
    ]
    assert order == sorted(order)


NAME = """() => {
  const active = document.querySelector('[data-testid=timeline]').shadowRoot.activeElement;
  if (active === null) return null;
  if (active.localName === 'input') return active.getAttribute('aria-label');
  return active.getAttribute('role') ?? active.textContent;
}"""


@pytest.mark.browser
def test_at_520_pixels_the_header_wraps_and_tables_scroll_within(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> list[Any]:
        screen.page.get_by_role("button", name="Show as table").click()
        screen.press("b")
        rows = {
            round(screen.page.get_by_role("button", name=name).bounding_box()["y"])  # type: ignore[index]
            for name in ("Zoom in", "Fit", "Next block", "Show as table")
        }
        title = screen.page.locator(".title").bounding_box()
        assert title is not None
        return [screen.page.evaluate("document.documentElement.scrollWidth"), len(rows), min(rows) > title["y"] + 10]

    width, rows, wrapped = chromium.run(opened(page_url, scenario), viewport={"width": 520, "height": 900})
    assert width <= 520
    assert (rows, wrapped) == (1, True)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1300, 520])
def test_axe_finds_nothing_where_a_reader_reads(chromium: Chromium, page_url: str, width: int) -> None:
    tools()

    def scenario(screen: Screen) -> list[str]:
        screen.page.get_by_role("button", name="Show as table").click()
        screen.press("/")
        screen.page.get_by_role("searchbox").fill("export")
        screen.page.keyboard.press("Enter")
        found = look_at(Shown(screen.page, "timeline"))
        screen.press("b")
        screen.press("Enter")
        return found + look_at(Shown(screen.page, "timeline"))

    assert chromium.run(opened(page_url, scenario), viewport={"width": width, "height": 900}) == []
