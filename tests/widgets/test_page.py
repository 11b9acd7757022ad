"""The page that stands alone, in a real browser: it paints, tells, and asks nothing of any network."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from playground.trace import Site, Trace
from playground.widgets.page import page
from tests.browser import Chromium
from tests.by_hand import looks, request, step, task
from tests.recordings import blocked_run
from tests.widgets.pages import WIDE, block_of, sheets, shown
from tests.widgets.screen import COLOURS, Screen, hexes, opened

pytestmark = pytest.mark.browser


def test_it_paints_the_states_in_their_colours(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> dict[str, int]:
        screen.settle()
        return screen.pixels()

    counts = chromium.run(opened(page_url, scenario), **WIDE)
    assert {colour: counts.get(colour, 0) > 100 for colour in COLOURS.values()} == dict.fromkeys(COLOURS.values(), True)


def test_a_dark_page_has_the_dark_palette(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> dict[str, int]:
        screen.settle()
        return screen.pixels()

    counts = chromium.run(opened(page_url, scenario), color_scheme="dark", **WIDE)
    assert counts["#6196F2"] > 100
    assert counts["#F79840"] > 100
    assert not hexes("handler", "worker", "blocked") & set(counts)


def test_the_theme_follows_jupyterlab_while_it_is_open(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> list[int]:
        seen = []
        for light in ("false", "true"):
            screen.page.evaluate("light => { document.body.dataset.jpThemeLight = light }", light)
            screen.settle()
            seen.append(screen.pixels().get("#F79840", 0))
        return seen

    dark, light = chromium.run(opened(page_url, scenario), **WIDE)
    assert dark > 100
    assert light == 0


def test_hovering_a_span_tells_what_it_is(chromium: Chromium, page_url: str, trace: Trace) -> None:
    block = block_of(trace)

    def scenario(screen: Screen) -> tuple[str | None, str, str | None]:
        screen.move(screen.x_of(block.start_ns + block.duration_ns / 2), 48)
        tip = screen.page.get_by_role("tooltip")
        expect(tip).to_be_visible()
        label, card = screen.host.get_attribute("data-hover"), tip.inner_text()
        screen.move(20, 48)
        expect(tip).to_be_hidden()
        return label, card, screen.host.get_attribute("data-hover")

    label, card, afterwards = chromium.run(opened(page_url, scenario), **WIDE)
    assert label == "GET /report"
    assert "blocking the loop" in card
    assert "seen in\tdf.to_csv()" in card.replace("\n", "\t")
    assert "230 ms" in card
    assert afterwards is None


def test_a_click_selects_and_shows_the_source(chromium: Chromium, page_url: str, trace: Trace) -> None:
    block = block_of(trace)

    def scenario(screen: Screen) -> tuple[str | None, str, str | None]:
        screen.move(screen.x_of(block.start_ns + block.duration_ns / 2), 70)  # inside the step
        screen.page.mouse.down()
        screen.page.mouse.up()
        screen.settle()
        label, detail = screen.selected(), screen.page.get_by_test_id("timeline-detail").inner_text()
        screen.press("Escape")
        expect(screen.page.get_by_test_id("timeline-detail")).to_be_hidden()
        return label, detail, screen.selected()

    label, detail, afterwards = chromium.run(opened(page_url, scenario), **WIDE)
    assert label == "df.to_csv()"
    assert "cell 3, line 24" in detail
    assert "230 ms" in detail
    assert afterwards is None


def fifty_at_once() -> Trace:
    """Fifty requests, each in a lane of its own; the eleventh blocks the loop and the others wait."""
    blocking = Site("cell 3", 24, "report", "time.sleep(0.2)")
    requests = [request(n, n / 100, 220, task=n, path=f"/a/rather/long/path/to/{n}") for n in range(50)]
    requests[10] = request(10, 0.1, 210, task=10, path="/report")
    return Trace(
        tasks=[task(n / 100) for n in range(50)],
        steps=[step(10, 10, 200, "returned", site=blocking)],
        samples=looks(0, 50, site=blocking, call="time.sleep(0.2)"),
        requests=requests,
        title="Fifty",
    )


@pytest.mark.parametrize("width", [520, 1300])
def test_a_thin_lane_is_named_by_its_request_which_says_its_number(
    chromium: Chromium, tmp_path: Path, width: int
) -> None:
    path = tmp_path / "fifty.html"
    path.write_text(page(fifty_at_once()), encoding="utf-8")

    def scenario(screen: Screen) -> dict[str, Any]:
        canvas = screen.canvas.bounding_box()
        assert canvas is not None
        lane_10 = 30 + 59 + 21 + 10 * 15 + 6  # axis, pinned lanes, heading, ten lanes of 15 px
        seen: dict[str, Any] = {}
        screen.move(40, lane_10)
        seen["card"] = screen.page.get_by_role("tooltip").inner_text()
        screen.page.mouse.click(canvas["x"] + 40, canvas["y"] + lane_10)
        screen.settle()
        seen["said"] = screen.said()
        screen.page.mouse.click(canvas["x"] + canvas["width"] * 0.8, canvas["y"] + lane_10)
        screen.settle()
        seen["bar"] = screen.said()
        seen["detail"] = screen.page.get_by_test_id("timeline-detail").inner_text()
        seen["legend"] = screen.page.get_by_role("list", name="Legend").inner_text()
        seen["across"] = screen.page.evaluate("document.documentElement.scrollWidth")
        return seen

    seen = chromium.run(
        opened(path.as_uri(), scenario), viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    assert "#10 GET /report, 200" in seen["card"]
    assert seen["said"].startswith("Lane 11, request #10: GET /report, request, from start to end, 210 ms")
    assert seen["bar"].startswith("Lane 11, request #10: GET /report, blocking the loop, seen in time.sleep(0.2)")
    assert "seen in time.sleep(0.2)" in re.sub(r"\s+", " ", seen["detail"])
    assert seen["detail"].count("time.sleep(0.2)") == 1  # the source line says the same and is not said again
    assert "handler" not in seen["legend"]
    assert seen["across"] <= width


@pytest.mark.parametrize("width", [520, 1300])
@pytest.mark.parametrize("count", [10, 60])  # with a line for labels, and thin
def test_requests_that_failed_bear_a_red_cross_and_their_status(
    chromium: Chromium, tmp_path: Path, count: int, width: int
) -> None:
    def scenario(screen: Screen) -> tuple[int, str, str]:
        screen.settle()
        summary = screen.page.locator("header").inner_text()
        return screen.pixels().get(COLOURS["blocked"], 0), summary, screen.page.locator(".legend").inner_text()

    # long ones, whose labels have room, and short ones, whose labels have none
    healthy = [request(n, n / 100, 100 if n % 2 else 1 + n / 100, path=f"/{n}") for n in range(count)]
    failed = [replace(one, status=404) for one in healthy]
    seen = [
        shown(chromium, tmp_path / "page.html", Trace(requests=rows), scenario, width) for rows in (healthy, failed)
    ]
    assert [red > 5 * count for red, _, _ in seen] == [False, True]
    assert seen[0][0] == 0
    assert [f"{count} answered 404" in summary for _, summary, _ in seen] == [False, True]
    assert ["failed: 4xx, 5xx or an exception" in legend for _, _, legend in seen] == [False, True]


def test_short_steps_that_add_up_are_found_one_by_one(chromium: Chromium, tmp_path: Path) -> None:
    where = Site("cell 3", 24, "q", "time.sleep(0.04)")
    trace = Trace(
        tasks=[task(100 * n) for n in range(5)],
        steps=[step(n, 100 * n, 40, "returned") for n in range(5)],
        samples=[look for n in range(5) for look in looks(n, 100 * n + 6, site=where, call="time.sleep(0.04)")],
        requests=[request(n, 100 * n, 100 * n + 40, task=n, path="/q") for n in range(5)],
    )

    def scenario(screen: Screen) -> list[str]:
        said = []
        for _ in range(6):
            screen.page.get_by_role("button", name="Next block").click()
            screen.settle()
            said.append(screen.said())
        return said

    said = shown(chromium, tmp_path / "page.html", trace, scenario)
    assert [words[-len("Span 1 of 5.") :] for words in said] == [f"Span {n} of 5." for n in (1, 2, 3, 4, 5, 1)]
    assert all(
        words.startswith("Event loop: GET /q, blocking the loop, seen in time.sleep(0.04), 40 ms") for words in said
    )


def test_a_place_in_the_source_does_not_look_like_a_link(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> list[str]:
        screen.press("b")
        source = screen.page.locator(".detail .source")
        assert "cell 3, line 24" in source.inner_text()
        colour = "element => getComputedStyle(element).color"
        return [source.evaluate(colour), screen.page.get_by_test_id("timeline-detail").evaluate(colour)]

    source, around = chromium.run(opened(page_url, scenario), **WIDE)
    assert source == around


def test_a_finding_is_told_in_words_and_shown(chromium: Chromium, page_url: str, trace: Trace) -> None:
    block = block_of(trace)

    def scenario(screen: Screen) -> tuple[str, list[str], tuple[int, int], str | None]:
        finding = screen.page.get_by_role("list", name="Findings").get_by_role("listitem").first
        words, codes = finding.inner_text(), finding.locator("code").all_inner_texts()
        finding.get_by_role("button", name="Show").click()
        return words, codes, screen.visible(), screen.selected()

    words, codes, (start, end), selected = chromium.run(opened(page_url, scenario), **WIDE)
    assert words.startswith("The event loop stood still for 230 ms. GET /report ran df.to_csv() on the loop")
    assert codes[:2] == ["GET /report", "df.to_csv()"]
    assert start < block.start_ns < block.end_ns < end
    assert selected == "GET /report"


@pytest.mark.parametrize("width", [520, 800, 1300])
def test_nothing_sticks_out_at_any_width(chromium: Chromium, page_url: str, width: int) -> None:
    def scenario(screen: Screen) -> tuple[int, dict[str, int]]:
        screen.settle()
        return screen.page.evaluate("document.documentElement.scrollWidth"), screen.pixels()

    across, counts = chromium.run(opened(page_url, scenario), viewport={"width": width, "height": 900})
    assert across <= width
    assert hexes("handler", "worker") <= set(counts)


def test_no_request_leaves_the_page_and_none_could(chromium: Chromium, page_url: str) -> None:
    requests: list[str] = []
    problems: list[str] = []

    def scenario(page: Page) -> str:
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        opened(page_url, Screen.settle)(page)
        assert problems == []
        return str(
            page.evaluate(
                """() => new Promise(done => {
                    addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));
                    fetch('http://127.0.0.1:9/').catch(() => {});
                })"""
            )
        )

    assert chromium.run(scenario, **WIDE) == "connect-src"
    assert requests == [page_url]


def test_without_scripts_the_picture_stands_in(chromium: Chromium, page_url: str, trace: Trace) -> None:
    def scenario(page: Page) -> str:
        page.goto(page_url)
        expect(page.locator("svg")).to_be_visible()
        return page.locator("svg").text_content() or ""

    assert trace.title in chromium.run(scenario, java_script_enabled=False)


HOSTILE = '</script><img src=x onerror="window.pwned=1"><b>&amp;\'"${1}`'


def hostile(trace: Trace) -> Trace:
    """The same run, in which everything that an app can name is markup."""
    where = Site(HOSTILE, 1, HOSTILE, HOSTILE)
    return Trace(
        steps=[replace(step, site=where) for step in trace.steps],
        tasks=[replace(task, name=HOSTILE, coroutine=HOSTILE) for task in trace.tasks],
        waits=[replace(wait, site=where) for wait in trace.waits],
        handoffs=[replace(handoff, function=HOSTILE, site=where) for handoff in trace.handoffs],
        requests=[
            replace(request, method=HOSTILE, path=HOSTILE, route=HOSTILE, error=HOSTILE) for request in trace.requests
        ],
        samples=[replace(sample, site=where if sample.site else None, call=HOSTILE) for sample in trace.samples],
        duration_ns=trace.duration_ns,
        title=HOSTILE,
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_markup_from_an_app_is_shown_as_text(chromium: Chromium, tmp_path: Path, scripts: bool) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(page(hostile(blocked_run())), encoding="utf-8")

    def scenario(browser_page: Page) -> dict[str, Any]:
        browser_page.goto(path.as_uri())
        seen: dict[str, Any] = {"title": browser_page.title(), "elements": browser_page.locator("img, b").count()}
        if scripts:
            screen = Screen(browser_page)
            expect(screen.host).to_have_attribute("data-painted", "true")
            screen.press("b")
            screen.press("ArrowDown")
            screen.move(700, 48)
            seen["elements"] += browser_page.locator("img, b").count()
            seen["texts"] = [
                screen.selected(),
                screen.host.get_attribute("data-hover"),
                browser_page.get_by_test_id("timeline-detail").inner_text(),
                browser_page.get_by_test_id("timeline-tip").inner_text(),
                browser_page.get_by_role("list", name="Findings").inner_text(),
                browser_page.locator("header").inner_text(),
            ]
            seen["pwned"] = browser_page.evaluate("window.pwned ?? null")
        return seen

    seen = chromium.run(scenario, java_script_enabled=scripts, **WIDE)
    assert seen["title"] == HOSTILE
    assert seen["elements"] == 0
    if scripts:
        assert seen["pwned"] is None
        for text in seen["texts"]:
            assert "<img src=x onerror=" in re.sub(r"\s+", " ", text)


def test_the_page_holds_the_recording_and_another_title_if_asked(trace: Trace) -> None:
    text = page(trace, title="My run")
    assert "<title>My run</title>" in text
    assert 'data-title="My run"' in text
    (tab, _, header), *_ = sheets(text)
    assert (tab, header["view"], header["duration_ns"]) == ("Timeline", "timeline", trace.duration_ns)
