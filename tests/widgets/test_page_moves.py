"""Moving through the page's timeline: by wheel, finger, key, button and minimap."""

from typing import Any

import pytest

from playground.trace import Trace
from tests.browser import Chromium
from tests.widgets.pages import WIDE, block_of
from tests.widgets.screen import Screen, opened

pytestmark = pytest.mark.browser


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
