"""The widget's half in the browser: anywidget's contract, driven with a model that stands in for the kernel."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import expect

from playground.trace import Trace
from tests.browser import Chromium
from tests.widgets.every_view import VIEWS, Shown, show

pytestmark = pytest.mark.browser

WIDE = {"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce"}


@pytest.fixture
def mounted(chromium: Chromium, trace: Trace) -> Callable[..., Any]:
    """Runs a scenario on a page that shows one view of a model, the timeline's if no other is named."""

    def run(scenario: Callable[[Shown], Any], name: str = "timeline", **how: Any) -> Any:
        return chromium.run(lambda page: scenario(show(page, name, trace, counting=True, **how)), **WIDE)

    return run


def test_python_hears_of_the_selection(mounted: Callable[..., Any], trace: Trace) -> None:
    def scenario(screen: Shown) -> list[Any]:
        screen.press("b")
        screen.press("ArrowDown")
        selected = screen.page.evaluate("saved.at(-1).selection")
        screen.press("Escape")
        return [selected, screen.page.evaluate("saved.at(-1).selection")]

    (block,) = trace.blocks()
    selected, cleared = mounted(scenario)
    assert selected == {
        "label": "df.to_csv()",
        "kind": "blocked",
        "start_ns": block.start_ns,
        "duration_ns": block.end_ns - block.start_ns,
        "request": 25,
        "file": "cell 3",
        "line": 24,
    }
    assert cleared == {}


def test_python_hears_of_the_visible_range_at_most_15_times_a_second(mounted: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> tuple[list[float], list[int], tuple[int, int]]:
        screen.page.evaluate("saved.length = 0")
        for _ in range(20):
            screen.press("+")
            screen.press("-")
        screen.press("+")
        screen.page.wait_for_function(
            "saved.at(-1).visible[1] == document.querySelector('[data-painted]').dataset.visibleEndNs"
        )
        return (
            screen.page.evaluate("saved.map(({at}) => at)"),
            screen.page.evaluate("saved.at(-1).visible"),
            screen.visible(),
        )

    times, last, visible = mounted(scenario)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) > 2
    assert min(gaps) > 60
    assert tuple(last) == visible


def test_python_moves_the_view_and_is_not_told_what_it_said(mounted: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> tuple[tuple[int, int], int]:
        screen.page.evaluate("saved.length = 0; model.set('visible', [100e6, 150e6])")
        screen.page.wait_for_timeout(150)
        return screen.visible(), screen.page.evaluate("saved.length")

    assert mounted(scenario) == ((100_000_000, 150_000_000), 0)


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_of_a_model_asks_for_the_recording_and_shows_it(
    mounted: Callable[..., Any], trace: Trace, name: str
) -> None:
    def scenario(screen: Shown) -> list[Any]:
        header = screen.root.locator("header").inner_text()
        asked = [screen.page.evaluate("sent.map(({type}) => type)")]
        screen.page.evaluate("unmount.push(mount())")
        expect(screen.root).to_have_count(2)
        asked += screen.page.evaluate("[new Set(sent.map(({view}) => view)).size, sent.length]")
        screen.page.evaluate("unmount[0]()")
        expect(screen.root).to_have_count(1)
        return [header, asked, screen.root.is_visible()]

    header, asked, visible = mounted(scenario, name)
    assert header.startswith(VIEWS[name](trace).title)
    assert asked == [["ready"], 2, 2]
    assert visible


def test_a_view_beside_one_that_was_removed_still_moves(mounted: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> str | None:
        screen.page.evaluate("unmount.push(mount())")
        expect(screen.host.nth(1)).to_have_attribute("data-painted", "true")
        screen.page.evaluate("unmount[0]()")
        screen.press("b")
        return screen.selected()

    assert mounted(scenario) == "GET /report"


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_that_is_removed_leaves_nothing_behind(mounted: Callable[..., Any], name: str) -> None:
    def scenario(screen: Shown) -> list[Any]:
        busy = screen.page.evaluate("left()")
        box = screen.root.bounding_box()
        assert box is not None
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        screen.page.mouse.move(*middle)
        screen.page.mouse.down()  # in the middle of a drag, d3-zoom listens on the window
        screen.page.mouse.move(middle[0] - 40, middle[1])
        for button in screen.root.get_by_role("button").all():
            if button.is_visible() and button.is_enabled():
                button.dispatch_event("click")  # what plays must stop with its view
        screen.page.evaluate("unmount.push(mount())")
        expect(screen.root).to_have_count(2)
        emptied = screen.page.evaluate("unmount.map(remove => remove())")
        screen.page.mouse.up()
        return [busy, emptied, screen.page.evaluate("left()")]

    busy, emptied, left = mounted(scenario, name)
    assert busy[0] > 0
    assert {"keydown", "click", "change", "MutationObserver"} <= set(busy[1])
    assert emptied == [True, True]
    assert left == [0, {}]


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_that_is_removed_before_its_recording_comes_stays_away(mounted: Callable[..., Any], name: str) -> None:
    def scenario(screen: Shown) -> list[Any]:
        screen.page.evaluate("() => { const remove = mount(); remove(); }")
        screen.page.wait_for_timeout(100)
        screen.page.evaluate("unmount[0]()")
        return [screen.host.count(), screen.page.evaluate("left()")]

    assert mounted(scenario, name) == [0, [0, {}]]


def test_without_an_answer_the_view_says_what_to_do(mounted: Callable[..., Any]) -> None:
    words = mounted(lambda screen: screen.page.get_by_test_id("view").inner_text(), answers=False)
    assert words == "Waiting for the recording. If the kernel was restarted, run the cell again."


def test_what_cannot_be_read_is_told_in_words(mounted: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> str:
        screen.page.evaluate(
            """() => {
                const {send} = model;
                let listener;
                model.on = (event, call) => { if (event === 'msg:custom') listener = call; };
                const answer = {type: 'recording', buffers: [new ArrayBuffer(40)]};
                model.send = ({view}) => queueMicrotask(() => listener({...answer, view}, answer.buffers));
                mount();
            }"""
        )
        return screen.page.get_by_role("alert").inner_text()

    assert mounted(scenario) == (
        'The view could not be shown: expected a recording that begins with PLAYTRC, found "\\u0000\\u0000\\u0000'
        '\\u0000\\u0000\\u0000\\u0000": update playground, or reload the page if it was updated'
    )
