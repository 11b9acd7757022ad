"""The page that stands alone, in a real browser: it paints, moves, answers, and asks nothing of any network."""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from playground import compare
from playground.trace import Block, Request, Site, Trace
from playground.trace.columns import unpack
from playground.widgets.page import page
from tests.browser import Chromium
from tests.by_hand import looks, request, step, task
from tests.recordings import blocked_run, load
from tests.widgets.axe import problems
from tests.widgets.screen import COLOURS, Screen, hexes, opened
from tests.widgets.test_node import tools

pytestmark = pytest.mark.browser

WIDE = {"viewport": {"width": 1300, "height": 900}, "reduced_motion": "reduce"}


def block_of(trace: Trace) -> Block:
    (block,) = trace.blocks()
    return block


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


def test_the_whole_run_is_in_view_at_first(chromium: Chromium, page_url: str, trace: Trace) -> None:
    assert chromium.run(opened(page_url, Screen.visible), **WIDE) == (0, trace.duration_ns)


def test_ctrl_wheel_zooms_around_the_pointer(chromium: Chromium, page_url: str, trace: Trace) -> None:
    moment = trace.duration_ns * 0.7

    def scenario(screen: Screen) -> tuple[float, float, tuple[int, int]]:
        before = screen.x_of(moment)
        screen.move(before, 60)
        screen.wheel(0, -300, "Control")
        return before, screen.x_of(moment), screen.visible()

    before, after, (start, end) = chromium.run(opened(page_url, scenario), **WIDE)
    assert end - start < trace.duration_ns * 0.7
    assert after == pytest.approx(before, abs=1.5)


def test_a_plain_wheel_scrolls_and_does_not_zoom(chromium: Chromium, page_url: str, trace: Trace) -> None:
    def scenario(screen: Screen) -> tuple[tuple[int, int], float]:
        screen.move(700, 200)
        screen.wheel(0, 5000)
        screen.wheel(0, 200)  # the lanes are at their end: the page takes it
        return screen.visible(), screen.page.evaluate("scrollY")

    visible, scrolled = chromium.run(
        opened(page_url, scenario), viewport={"width": 1300, "height": 500}, reduced_motion="reduce"
    )
    assert visible == (0, trace.duration_ns)
    assert scrolled > 0


@pytest.mark.parametrize("way", ["drag", "shift and wheel", "sideways wheel"])
def test_dragging_and_sideways_wheels_pan(chromium: Chromium, page_url: str, way: str) -> None:
    def scenario(screen: Screen) -> tuple[tuple[int, int], tuple[int, int]]:
        screen.move(700, 60)
        screen.wheel(0, -300, "Control")
        before = screen.visible()
        if way == "drag":
            screen.page.mouse.down()
            screen.move(600, 80)
            screen.page.mouse.up()
        elif way == "shift and wheel":
            screen.wheel(0, 100, "Shift")
        else:
            screen.wheel(100, 0)
        return before, screen.visible()

    before, after = chromium.run(opened(page_url, scenario), **WIDE)
    assert after[1] - after[0] == pytest.approx(before[1] - before[0], rel=1e-3)
    share = (after[0] - before[0]) / (before[1] - before[0])
    assert share == pytest.approx(100 / 1076, rel=0.02)  # by the 100 px of the gesture


def test_two_fingers_zoom_and_a_second_tap_does_not(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> tuple[list[tuple[int, int]], list[str]]:
        errors: list[str] = []
        screen.page.on("pageerror", lambda error: errors.append(str(error)))
        box = screen.canvas.bounding_box()
        assert box is not None
        fingers = screen.page.context.new_cdp_session(screen.page)

        def touch(kind: str, *xs: float) -> None:
            points = [{"x": box["x"] + x, "y": box["y"] + 60, "id": i} for i, x in enumerate(xs)]
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        seen = [screen.visible()]
        for kind, *xs in (("touchStart", 700), ("touchEnd",), ("touchStart", 700), ("touchEnd",)):
            touch(str(kind), *map(float, xs))
        seen.append(screen.visible())
        for kind, *xs in (("touchStart", 650, 750), ("touchMove", 600, 800), ("touchEnd",)):
            touch(str(kind), *map(float, xs))
        seen.append(screen.visible())
        return seen, errors

    (before, tapped, pinched), errors = chromium.run(opened(page_url, scenario), has_touch=True, **WIDE)
    assert errors == []
    assert tapped == before
    assert pinched[1] - pinched[0] == pytest.approx(
        (before[1] - before[0]) / 2, rel=1e-3
    )  # the fingers' distance doubled


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


def shown(chromium: Chromium, path: Path, trace: Trace, scenario: Callable[[Screen], Any], width: int = 1300) -> Any:
    """What a scenario says of a recording's page."""
    path.write_text(page(trace), encoding="utf-8")
    size = {"width": width, "height": 900}
    return chromium.run(opened(path.as_uri(), scenario), viewport=size, reduced_motion="reduce")


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


def test_a_double_click_fits_the_span(chromium: Chromium, page_url: str, trace: Trace) -> None:
    handoff = [handoff for handoff in trace.handoffs if handoff.thread == 0][2]
    assert handoff.started_ns is not None
    assert handoff.ended_ns is not None
    middle = (handoff.started_ns + handoff.ended_ns) / 2

    def scenario(screen: Screen) -> tuple[int, int]:
        screen.move(screen.x_of(middle), 118)
        for count in (1, 2):
            screen.page.mouse.down(click_count=count)
            screen.page.mouse.up(click_count=count)
        return screen.visible()

    start, end = chromium.run(opened(page_url, scenario), **WIDE)
    length = handoff.ended_ns - handoff.started_ns
    assert start == pytest.approx(handoff.started_ns - 0.6 * length, abs=1e4)
    assert end == pytest.approx(handoff.ended_ns + 0.6 * length, abs=1e4)


def test_keys_move_speak_zoom_and_follow(chromium: Chromium, page_url: str, trace: Trace) -> None:
    def scenario(screen: Screen) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        screen.press("End")
        seen["end"] = screen.said()
        screen.press("ArrowLeft")
        seen["left"] = screen.said()
        screen.press("b")
        seen["block"], seen["block range"] = screen.said(), screen.visible()
        screen.press("ArrowDown")
        seen["down"] = screen.said()
        screen.press("0")
        seen["whole"] = screen.visible()
        screen.press("+")
        seen["zoomed"] = screen.visible()
        screen.press("ArrowUp")
        screen.press("Home")
        for _ in range(40):
            screen.press("a")
            if screen.said().startswith("worker-"):
                break
            screen.press("ArrowRight")
        seen["followed"] = screen.said()
        screen.press("a")
        seen["back"] = screen.said()
        return seen

    seen = chromium.run(opened(page_url, scenario), **WIDE)
    steps = len(trace.steps)
    assert seen["end"].endswith(f"Span {steps} of {steps}.")
    assert seen["left"].endswith(f"Span {steps - 1} of {steps}.")
    assert seen["block"].startswith(
        "Event loop: GET /report, blocking the loop, seen in df.to_csv(), 230 ms, at 134.9 ms"
    )
    assert seen["block range"][0] < block_of(trace).start_ns < block_of(trace).end_ns <= seen["block range"][1]
    assert seen["down"].startswith("Inside the steps: df.to_csv(), blocking the loop, 230 ms")
    assert seen["whole"] == (0, trace.duration_ns)
    assert seen["zoomed"][1] - seen["zoomed"][0] == pytest.approx(trace.duration_ns / 1.6, rel=1e-3)
    assert seen["followed"].startswith("worker-0: render_pdf, running in a worker thread")
    assert seen["back"].startswith("Event loop: GET /export")


def test_the_lanes_are_one_tab_stop_and_keys_do_not_reach_the_page(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> tuple[int, list[str], str | None]:
        page = screen.page
        page.evaluate("window.heard = []; addEventListener('keydown', event => heard.push(event.key))")
        for key in ("b", "ArrowDown", "x"):
            screen.press(key)
        stops = page.get_by_test_id("timeline").locator("[tabindex='0'], a[href]").count()
        return stops, page.evaluate("heard"), screen.host.get_attribute("data-lm-suppress-shortcuts")

    assert chromium.run(opened(page_url, scenario), **WIDE) == (1, ["x"], "true")


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


def test_buttons_zoom_and_fit(chromium: Chromium, page_url: str, trace: Trace) -> None:
    def scenario(screen: Screen) -> list[int]:
        widths = []
        for name in ("Zoom in", "Zoom in", "Zoom out", "Fit"):
            screen.page.get_by_role("button", name=name).click()
            start, end = screen.visible()
            widths.append(end - start)
        return widths

    whole = trace.duration_ns
    assert chromium.run(opened(page_url, scenario), **WIDE) == pytest.approx(
        [whole / 2, whole / 4, whole / 2, whole], rel=1e-6
    )


def test_the_minimap_marks_moves_and_centres(chromium: Chromium, page_url: str, trace: Trace) -> None:
    def scenario(screen: Screen) -> list[tuple[int, int]]:
        box = screen.page.get_by_test_id("timeline-minimap").bounding_box()
        assert box is not None
        mouse = screen.page.mouse
        seen = []
        for begin, end in ((0.4, 0.6), (0.5, 0.7), (0.8, 0.9)):  # mark, move by the middle, pull the right edge
            left, across = box["x"] + 182, box["width"] - 192
            mouse.move(left + begin * across, box["y"] + 20)
            mouse.down()
            mouse.move(left + end * across, box["y"] + 20, steps=4)
            mouse.up()
            seen.append(screen.visible())
        mouse.move(box["x"] + 182 + 0.3 * (box["width"] - 192), box["y"] + 20)
        mouse.down()
        mouse.up()
        return [*seen, screen.visible()]

    seen = chromium.run(opened(page_url, scenario), **WIDE)
    shares = [(start / trace.duration_ns, end / trace.duration_ns) for start, end in seen]
    for found, wanted in zip(shares, [(0.4, 0.6), (0.6, 0.8), (0.6, 0.9), (0.15, 0.45)], strict=True):
        assert found == pytest.approx(wanted, abs=0.003)


def test_motion_glides_unless_the_reader_prefers_none(chromium: Chromium, page_url: str) -> None:
    def scenario(screen: Screen) -> int:
        count: int = screen.page.evaluate(
            """async () => {
                const host = document.querySelector('[data-testid=timeline]');
                const seen = new Set();
                host.shadowRoot.querySelector('[aria-label="Zoom in"]').click();
                for (let frame = 0; frame < 60; frame++) {
                    await new Promise(requestAnimationFrame);
                    seen.add(host.dataset.visibleEndNs);
                }
                return seen.size;
            }"""
        )
        return count

    assert chromium.run(opened(page_url, scenario), **{**WIDE, "reduced_motion": "reduce"}) <= 2
    assert chromium.run(opened(page_url, scenario), **{**WIDE, "reduced_motion": "no-preference"}) > 3


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


def sheets(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The packets of a page: tab, name and header of each; of one that was left out, what is said instead."""
    pattern = r'<script type="application/octet-stream" ([^>]*)>([^<]*)</script>'
    found = []
    for attributes, recording in re.findall(pattern, text):
        told = dict(re.findall(r'data-([a-z]+)="([^"]*)"', attributes))
        header = unpack(b64decode(recording))[0] if recording else {"note": told["note"]}
        found.append((told["tab"], told.get("name", ""), header))
    return found


def test_the_page_holds_the_recording_and_another_title_if_asked(trace: Trace) -> None:
    text = page(trace, title="My run")
    assert "<title>My run</title>" in text
    assert 'data-title="My run"' in text
    (tab, _, header), *_ = sheets(text)
    assert (tab, header["view"], header["duration_ns"]) == ("Timeline", "timeline", trace.duration_ns)


# -- tabs -------------------------------------------------------------------------------------------------------


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
