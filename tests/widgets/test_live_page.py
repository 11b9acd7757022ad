"""A live timeline on a page: lanes while it runs, the edge followed, and a fresh picture when it is over."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from playground.trace.columns import unpack
from playground.trace.recorder import Recorder
from playground.trace.requests import recorded_app
from playground.widgets.live import LiveTimeline
from tests.browser import Chromium
from tests.trace.looked_at import ask
from tests.views.live_programs import family, plain
from tests.widgets.live_stage import Message, Stage, Told, told

MARKUP = "<img src=x onerror=alert(1)>"


async def a_run(recorder: Recorder, look: Callable[[], None]) -> None:
    app, other = recorded_app(plain, lambda: recorder), recorded_app(family, lambda: recorder)
    going = []
    for number in range(14):
        going.append(asyncio.create_task(ask(other if number % 4 == 3 else app)))
        await asyncio.sleep(0.09)
        look()
    await asyncio.gather(*going)


@pytest.fixture(scope="module")
def run() -> Told:
    return told(a_run)


def on_stage(chromium: Chromium, run: Told, act: Callable[[Stage], Any], **options: Any) -> Any:
    def scenario(page: Page) -> Any:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        found = act(Stage(page, run.messages[0]))
        assert errors == []
        return found

    return chromium.run(scenario, viewport={"width": 1200, "height": 900}, **options)


@pytest.mark.browser
def test_before_a_run_there_are_words_and_no_lanes_and_then_the_run(chromium: Chromium, run: Told) -> None:
    nothing = LiveTimeline()
    first = Message(run.messages[0].content, nothing._packet)

    def act(stage: Stage) -> None:
        root = stage.host.locator("section.root")
        seen = root.inner_text()
        assert seen.split("\n")[0] == "No run yet"
        assert "Make a run, with lab.burst(…) in a cell or with a panel's Run, and it shows here" in seen
        for words in ("0%", "0 ms", "0 steps", "Whole run", "Next block"):
            assert words not in seen
        lanes = stage.page.get_by_test_id("timeline-canvas")
        assert not lanes.is_visible()
        stage.tell(run.messages[-1])
        expect(lanes).to_be_visible()
        assert "Next block" in root.inner_text()
        assert "Make a run" not in root.inner_text()
        assert stage.visible() == (0, run.trace.duration_ns)

    on_stage(chromium, Told([first]), act)
    nothing.close()


@pytest.mark.browser
def test_the_picture_follows_the_edge_until_its_reader_moves_away(chromium: Chromium, run: Told) -> None:
    def act(stage: Stage) -> None:
        mores = run.messages[1:-1]
        for message in mores[:6]:
            stage.show(message)
        assert stage.visible() == (0, unpack(mores[5].said)[0]["duration_ns"])
        stage.page.get_by_role("button", name="Zoom in").click()
        stage.page.wait_for_timeout(400)  # it glides there
        moved = stage.visible()
        assert 0 < moved[0] < moved[1]
        for message in mores[6:9]:
            stage.show(message)
            assert stage.visible() == moved
        stage.page.get_by_role("application").press("0")
        stage.page.wait_for_timeout(400)
        stage.show(mores[9])
        assert stage.visible() == (0, unpack(mores[9].said)[0]["duration_ns"])

    on_stage(chromium, run, act)


@pytest.mark.browser
def test_when_the_run_is_over_the_picture_is_that_of_a_fresh_timeline_with_the_selection_kept(
    chromium: Chromium, run: Told
) -> None:
    pixels = """() => { const host = document.querySelector('[data-testid=timeline]').shadowRoot;
        const texts = [...host.querySelectorAll('header, .findings, .legend, .scroller')].map(e => e.textContent);
        return [...[...host.querySelectorAll('canvas')].map(canvas => canvas.toDataURL()), ...texts];
    }"""

    def live(stage: Stage) -> Any:
        for message in run.messages[1:-1]:
            stage.show(message)
        stage.page.get_by_role("application").focus()
        stage.page.get_by_role("application").press("ArrowRight")
        selected = stage.host.get_attribute("data-selected")
        assert selected
        stage.show(run.messages[-1])
        assert stage.page.get_by_test_id("timeline-pulse").count() == 0
        assert stage.host.get_attribute("data-selected") == selected
        assert stage.page.evaluate("document.activeElement.shadowRoot.activeElement.className") == "scroller"
        stage.page.get_by_role("application").press("Escape")
        stage.page.get_by_role("application").evaluate("element => element.blur()")
        stage.settle()
        return stage.page.evaluate(pixels)

    def fresh(stage: Stage) -> Any:
        stage.settle()
        return stage.page.evaluate(pixels)

    over = Told([Message(run.messages[0].content, run.messages[-1].said)])
    assert on_stage(chromium, run, live) == on_stage(chromium, over, fresh)


@pytest.mark.browser
def test_who_woke_whom_is_told_when_the_run_is_over_and_not_guessed_before(chromium: Chromium, run: Told) -> None:
    later = "who woke whom, and what was exchanged, is told when the run is over"

    def act(stage: Stage) -> None:
        panel = stage.page.get_by_test_id("timeline-detail")
        for message in run.messages[1:-1]:
            stage.show(message)
        for key in ("ArrowRight", "ArrowDown"):
            stage.page.get_by_role("application").press(key)
            assert later in panel.inner_text()
        stage.show(run.messages[-1])
        stage.page.get_by_role("application").press("Home")
        assert later not in panel.inner_text()
        assert "woken by" in panel.inner_text() or "first step" in panel.inner_text()

    on_stage(chromium, run, act)


@pytest.mark.browser
def test_a_view_that_has_missed_something_asks_for_the_whole(chromium: Chromium, run: Told) -> None:
    def act(stage: Stage) -> None:
        mores = run.messages[2:-1]
        stage.show(run.messages[1])
        for message in mores[:3]:
            stage.show(message)
        stage.tell(mores[4])
        stage.page.wait_for_function("window.sent.some(each => each.type === 'missed')")
        stage.show(mores[3])  # what comes late is taken in all the same

    on_stage(chromium, run, act)


@pytest.mark.browser
def test_a_kernel_from_which_nothing_is_heard_is_said_to_have_ended_or_be_busy(chromium: Chromium, run: Told) -> None:
    def act(stage: Stage) -> str:
        stage.page.clock.install()
        for message in run.messages[1:5]:
            stage.tell(message)
            stage.page.clock.run_for(50)
        pulse = stage.page.get_by_test_id("timeline-pulse")
        pulse.get_by_text("live").wait_for()
        stage.page.clock.run_for(6000)
        words = str(pulse.inner_text())
        assert pulse.get_attribute("role") == "alert"
        stage.tell(run.messages[5])
        stage.page.clock.run_for(50)
        pulse.get_by_text("live").wait_for()  # it was only busy
        assert pulse.get_attribute("role") is None
        return words

    assert on_stage(chromium, run, act) == (
        "Nothing was heard from the kernel for 5 s: it has ended, or is too busy to tell. "
        "What is shown is what it told until then."
    )


@pytest.mark.browser
def test_what_an_app_calls_its_things_is_text_while_it_runs_too(chromium: Chromium) -> None:
    async def hostile(recorder: Recorder, look: Callable[[], None]) -> None:
        app = recorded_app(plain, lambda: recorder)
        task = asyncio.create_task(ask(app, f"/{MARKUP}"), name=MARKUP)
        for _ in range(3):
            await asyncio.sleep(0.06)
            look()
        await task

    run = told(hostile)

    def act(stage: Stage) -> None:
        for message in run.messages[1:-1]:
            stage.show(message)
        stage.page.get_by_role("application").press("ArrowDown")
        stage.page.get_by_role("application").press("ArrowDown")
        assert MARKUP in str(stage.page.get_by_test_id("timeline-detail").inner_text())
        assert stage.page.locator("img").count() == 0

    on_stage(chromium, run, act)
