"""The page's tabs: which views a recording has, and that each keeps what its reader did."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from playground import compare
from playground.trace import Request, Trace
from playground.widgets.page import page
from tests.browser import Chromium
from tests.by_hand import step, task
from tests.recordings import load
from tests.widgets.axe import problems
from tests.widgets.pages import WIDE, sheets, shown
from tests.widgets.screen import Screen, opened
from tests.widgets.test_node import tools

pytestmark = pytest.mark.browser


def test_the_page_holds_the_waterfalls_that_a_reader_looks_for_and_says_which(trace: Trace) -> None:
    failed = [replace(each, status=404) if each.number in (0, 3) else each for each in trace.requests]
    held = [each for each in sheets(page(with_requests(trace, failed))) if each[0] == "Requests"]
    numbers = [int(re.findall(r"#(\d+)", name)[0]) for _, name, _ in held]
    assert [header["view"] for _, _, header in held] == ["waterfall"] * 20
    assert all(name.startswith(header["title"]) for _, name, header in held)
    assert {0, 3, 25} <= set(numbers)  # two that failed, and the one that blocked the loop
    assert numbers == sorted(numbers)
    lengths = {each.number: (each.end_ns or 0) - each.start_ns for each in trace.requests}
    left_out = [lengths[each.number] for each in trace.requests if each.number not in numbers]
    assert max(left_out) <= min(lengths[number] for number in numbers if number not in (0, 3, 25))


def with_requests(trace: Trace, requests: list[Request]) -> Trace:
    return Trace(
        steps=trace.steps,
        tasks=trace.tasks,
        waits=trace.waits,
        handoffs=trace.handoffs,
        requests=requests,
        samples=trace.samples,
        duration_ns=trace.duration_ns,
    )


def test_a_page_holds_no_more_waterfalls_for_a_longer_run() -> None:
    few, many = (sheets(page(load(count, seed=3, rate=250.0))) for count in (100, 400))
    assert len(few) == len(many) == 22


def test_a_run_that_is_no_play_has_no_theatre_and_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.widgets.page._MOST_STEPS", 100)
    held = {tab: header for tab, _, header in sheets(page(load(60)))}
    steps = len(load(60).steps)
    assert held["Theatre"] == {"note": f"Left out of this page: {steps} steps are no play."}


def test_a_recording_without_requests_has_no_tab_for_them(chromium: Chromium, tmp_path: Path) -> None:
    def scenario(screen: Screen) -> list[str]:
        return screen.page.get_by_role("tab").all_inner_texts()

    trace = Trace(tasks=[task()], steps=[step(0, 0, 1)])
    assert shown(chromium, tmp_path / "page.html", trace, scenario) == ["Timeline", "Theatre"]


def test_tabs_show_one_view_at_a_time_and_only_what_is_shown_is_made(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> list[Any]:
        page = screen.page
        seen: list[Any] = [page.get_by_test_id(name).count() for name in ("timeline", "theatre", "waterfall")]
        for name, view in (("Theatre", "theatre"), ("Requests", "waterfall"), ("Timeline", "timeline")):
            page.get_by_role("tab", name=name).click()
            expect(page.get_by_test_id(view)).to_be_visible()
            assert page.get_by_role("tabpanel").count() == 1
            expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
        return seen

    assert chromium.run(opened(page_url, scenario), **WIDE) == [1, 0, 0]


def test_a_tab_keeps_what_its_reader_did(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> list[Any]:
        screen.press("b")
        before = (screen.selected(), screen.visible())
        for name in ("Theatre", "Timeline"):
            screen.page.get_by_role("tab", name=name).click()
        return [before, (screen.selected(), screen.visible())]

    before, after = chromium.run(opened(page_url, scenario), **WIDE)
    assert before == after
    assert before[0] == "GET /report"


def test_the_tabs_are_one_tab_stop_with_arrow_keys(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> list[list[str]]:
        tabs = screen.page.get_by_role("tab")
        tabs.first.focus()
        seen = []
        for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End"):
            screen.page.keyboard.press(key)
            focused = str(screen.page.evaluate("document.activeElement.textContent"))
            selected = screen.page.get_by_role("tab", selected=True).inner_text()
            stops = [str(tab.get_attribute("tabindex")) for tab in tabs.all()]
            assert (focused, stops.count("0")) == (selected, 1)
            seen.append([focused, screen.page.get_by_role("tabpanel").get_attribute("aria-labelledby") or ""])
        return seen

    names = ["Theatre", "Requests", "Timeline", "Requests", "Timeline", "Requests"]
    assert chromium.run(opened(page_url, scenario), **WIDE) == [[name, f"tab-{name}"] for name in names]


def test_a_reader_picks_a_request_and_sees_its_waterfall(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> list[Any]:
        page = screen.page
        page.get_by_role("tab", name="Requests").click()
        pick = page.get_by_label("Request", exact=True)
        words = pick.locator("option", has_text="#25 GET /report").inner_text()
        pick.focus()
        pick.select_option(words)
        header = page.get_by_test_id("waterfall").locator("header")
        expect(header).to_contain_text("#25 GET /report")
        focused = page.evaluate("document.activeElement.tagName")
        return [words, focused, page.get_by_test_id("waterfall").count(), page.get_by_role("tabpanel").inner_text()]

    words, focused, views, panel = chromium.run(opened(page_url, scenario), **WIDE)
    assert words == "#25 GET /report, 241 ms"
    assert (focused, views) == ("SELECT", 1)
    assert "20 of 62 requests: those that blocked the loop, those that failed, then the slowest." in panel


def test_runs_side_by_side_have_a_page_without_tabs(chromium: Chromium, trace: Trace, tmp_path: Path) -> None:
    path = tmp_path / "comparison.html"
    compare(trace, after=trace).to_html(path)

    def scenario(browser_page: Page) -> list[Any]:
        browser_page.goto(path.as_uri())
        expect(browser_page.get_by_test_id("compare")).to_have_attribute("data-painted", "true")
        return [browser_page.get_by_role("tab").count(), browser_page.title()]

    assert chromium.run(scenario, **WIDE) == [0, "Comparison"]


@pytest.mark.parametrize(("width", "scheme"), [(1300, "light"), (520, "dark")])
def test_axe_finds_nothing_in_any_tab(chromium: Chromium, page_url: str, width: int, scheme: str) -> None:
    tools()

    def scenario(screen: Screen) -> list[str]:
        found = []
        for name in ("Timeline", "Theatre", "Requests"):
            screen.page.get_by_role("tab", name=name).click()
            screen.settle()
            found += problems(screen.page)
        return [*found, str(screen.page.evaluate("document.documentElement.scrollWidth"))]

    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "reduced_motion": "reduce"}
    assert chromium.run(opened(page_url, scenario), **options) == [str(width)]
