"""The waterfall as a widget, in Python and in a real browser: gone through with keys, clicked, read as tables."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from playground import App, Lab
from playground.errors import TraceError
from playground.trace import Trace
from playground.trace.columns import unpack
from playground.views.waterfall import waterfall, waterfall_packet
from playground.views.waterfall_svg import waterfall_svg
from playground.views.waterfall_text import waterfall_text
from playground.widgets import Waterfall
from tests.browser import Chromium
from tests.views.falls import PENDING, export, nasty, streaming
from tests.widgets.every_view import BUNDLE
from tests.widgets.sent import sent_by

WIDGET_TYPE = "application/vnd.jupyter.widget-view+json"
WIDE = {"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce"}


SENT = ["http.response.start: status 200, at 250 ms", "http.response.body: 48,000 bytes, at 250.5 ms"]
"""What `export` sent."""


# -- in Python ------------------------------------------------------------------------------------------------------


def test_a_request_a_trace_and_a_run_give_the_same_waterfall() -> None:
    app = App()

    @app.get("/hello")
    def hello() -> str:
        return "hello"

    with Lab(app, clock="virtual") as lab:
        run = lab.burst("/hello", 3)
    widgets = [run.requests[1].waterfall(), run.trace.requests[1].waterfall(), run.trace.waterfall(1)]
    assert all(isinstance(widget, Waterfall) for widget in widgets)
    assert {widget._packet for widget in widgets} == {waterfall_packet(run.trace, 1)}
    assert widgets[0].title == "#1 GET /hello"


def test_printed_it_is_its_text() -> None:
    assert str(Waterfall(export(), 0)) == waterfall_text(waterfall(export(), 0))


def test_a_view_that_is_ready_gets_the_packet_and_the_state_stays_small() -> None:
    widget = Waterfall(export(), 0)
    ((content, buffers),) = sent_by(widget, {"type": "ready", "view": "one"})
    assert content == {"type": "recording", "view": "one"}
    assert unpack(buffers[0])[0]["view"] == "waterfall"
    state = widget.get_state()
    own = {name: value for name, value in state.items() if not name.startswith("_")}
    assert (own["title"], own["height"]) == ("#25 GET /export", 640)
    assert len(json.dumps({name: str(value) for name, value in own.items()})) < 1000
    assert Waterfall(export(), 0, title="Mine").title == "Mine"


def test_it_carries_a_text_and_a_picture() -> None:
    trace = export()
    data, _ = Waterfall(trace, 0)._repr_mimebundle_(include=None, exclude=None)
    fall = waterfall(trace, 0)
    assert set(data) == {WIDGET_TYPE, "text/plain", "image/svg+xml"}
    assert data["text/plain"] == waterfall_text(fall)
    assert data["image/svg+xml"] == waterfall_svg(trace, fall)


def test_the_repr_names_the_request_and_the_recording() -> None:
    trace = export()
    assert repr(Waterfall(trace, 0)) == f"<Waterfall of #25 GET /export of {trace!r}>"


def test_a_request_that_is_not_there_is_refused_in_the_cell() -> None:
    with pytest.raises(
        TraceError, match=r"^expected the index of one of 2 requests, got 5: give one of trace.requests$"
    ):
        export().waterfall(5)


# -- in a browser ---------------------------------------------------------------------------------------------------

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>A page</title></head><body style="margin: 8px"><main></main></body></html>"""

_MOUNT = """
async ([bundle, packet]) => {
  const decoded = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const {default: widget} = await import(URL.createObjectURL(new Blob([decoded(bundle)], {type: 'text/javascript'})));
  let answer;
  const model = {
    get: () => undefined, set: () => {}, save_changes: () => {}, off: () => {},
    on: (event, call) => { if (event === 'msg:custom') answer = call; },
    send: ({view}) => answer({type: 'recording', view}, [decoded(packet).buffer]),
  };
  await widget.render({model, el: document.querySelector('main')});
}
"""


class Shown:
    """A page that shows a waterfall."""

    def __init__(self, page: Page, trace: Trace) -> None:
        self.page = page
        page.set_content(_PAGE)
        packed = [b64encode(data).decode() for data in (BUNDLE.read_bytes(), waterfall_packet(trace, 0))]
        page.evaluate(_MOUNT, packed)
        expect(self.host).to_have_attribute("data-painted", "true")

    @property
    def host(self) -> Locator:
        return self.page.get_by_test_id("waterfall")

    @property
    def lanes(self) -> Locator:
        return self.page.get_by_role("application")

    def press(self, *keys: str) -> str:
        """What is said after some keys."""
        for key in keys:
            self.lanes.press(key)
        return self.page.get_by_test_id("waterfall-live").inner_text()


@pytest.fixture
def shown(chromium: Chromium) -> Callable[..., Any]:
    def run(trace: Trace, scenario: Callable[[Shown], Any], **options: Any) -> Any:
        return chromium.run(lambda page: scenario(Shown(page, trace)), **{**WIDE, **options})

    return run


@pytest.mark.browser
def test_the_arrow_keys_go_through_lanes_and_what_lies_in_them_and_each_move_is_spoken(
    shown: Callable[..., Any],
) -> None:
    def scenario(screen: Shown) -> list[str]:
        return [
            screen.press("ArrowDown"),
            screen.press("ArrowRight"),
            screen.press("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown"),
            screen.press("ArrowRight", "ArrowRight"),
            screen.press("End"),
            screen.press("ArrowRight"),
            screen.press("Home"),
            screen.press("ArrowLeft"),
            screen.press(*["ArrowDown"] * 9),
            screen.press("ArrowRight"),
        ]

    ran = "export: running in the handler `export`, {}. {} of 6."
    first, last = ran.format("6 ms, at 4 ms, up to cell 3, line 33", 1), ran.format("7 ms, at 241 ms", 6)
    assert shown(export(), scenario) == [
        "receive: 1 message, 1 inside. Lane 1 of 9.",
        "receive: http.request: 0 bytes, at 1 ms. 1 of 1.",
        "export, handler: 244 ms, 6 inside. Lane 6 of 9.",
        "export: queued for a thread to run `render_pdf`, 2 ms, at 10 ms. 2 of 6.",
        last,
        last,
        first,
        first,
        "send: 2 messages, 1 inside. Lane 9 of 9.",
        f"send: 2 messages from 250 ms on. 1 of 1. {'; '.join(SENT)}",
    ]


@pytest.mark.browser
def test_a_click_on_a_mark_opens_what_its_messages_said(shown: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> tuple[str, list[str], str]:
        detail = screen.host.locator(".detail")
        screen.host.locator(".send .mark").click()
        words, opened = detail.inner_text().split("\n")[0], detail.locator("li").all_inner_texts()
        screen.host.locator(".call .bar").nth(1).click()
        return words, opened, detail.inner_text()

    words, opened, call = shown(export(), scenario)
    assert words == "send: 2 messages from 250 ms on. 1 of 1."
    assert opened == SENT
    assert call.strip() == "render_pdf: running in a worker thread, 18 ms, at 12 ms. 2 of 3."


@pytest.mark.browser
def test_bars_stand_at_their_times(shown: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> tuple[Any, Any]:
        time = screen.host.locator(".call .time").bounding_box()
        bar = screen.host.locator(".call .bar").nth(1).bounding_box()
        return time, bar

    time, bar = shown(export(), scenario)
    assert (bar["x"] - time["x"]) / time["width"] == pytest.approx(12 / 252, abs=0.003)
    assert bar["width"] / time["width"] == pytest.approx(18 / 252, abs=0.003)


@pytest.mark.browser
def test_every_time_on_the_axis_is_read_whole_the_last_too(shown: Callable[..., Any]) -> None:
    # 250 of 252 ms: no room to the right of its line, so its words stand to the left
    def scenario(screen: Shown) -> tuple[list[str], Any, Any]:
        times = screen.host.locator(".axis i")
        return times.all_inner_texts(), times.last.bounding_box(), screen.host.locator(".axis .time").bounding_box()

    words, last, axis = shown(export(), scenario)
    assert words[-1] == "250 ms"
    assert last["width"] > 30
    assert last["x"] + last["width"] == pytest.approx(axis["x"] + axis["width"] * 250 / 252, abs=1.5)


@pytest.mark.browser
def test_no_time_on_the_axis_covers_another_in_a_narrow_notebook(shown: Callable[..., Any]) -> None:
    # of 150 and 200 ms upon each other one reads 350 ms
    def scenario(screen: Shown) -> list[tuple[float, float]]:
        return [
            (box["x"], box["x"] + box["width"])
            for time in screen.host.locator(".axis i").all()
            if (box := time.bounding_box())
        ]

    times = shown(export(), scenario, viewport={"width": 400, "height": 900})
    assert len(times) > 1
    assert all(right <= left for (_, right), (left, _) in pairwise(times))


@pytest.mark.browser
def test_the_tables_open_and_close_and_their_sums_are_exact(shown: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> tuple[list[str], list[str], bool]:
        tables = screen.page.get_by_test_id("waterfall-tables")
        expect(tables).to_be_hidden()
        button = screen.page.get_by_role("button", name="Show as table")
        button.click()
        expect(button).to_have_attribute("aria-expanded", "true")
        captions = tables.locator("caption").all_inner_texts()
        last = tables.locator("table").first.locator("tr").last.locator("td").all_inner_texts()
        button.click()
        return captions, last, tables.is_hidden()

    assert shown(export(), scenario) == (
        ["Where the time went", "Layers", "Calls in worker threads", "ASGI messages"],
        ["in all", "100%", "252,000,000"],
        True,
    )


@pytest.mark.browser
def test_its_text_can_be_selected(shown: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> str:
        screen.page.get_by_text("TimingMiddleware").first.dblclick()
        said: str = screen.page.evaluate("String(getSelection())")
        return said.strip()

    assert shown(export(), scenario) == "TimingMiddleware"


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 520, 1200])
def test_it_fits_its_width(shown: Callable[..., Any], width: int) -> None:
    def scenario(screen: Shown) -> tuple[int, float]:
        box = screen.host.locator(".call .time").bounding_box()
        assert box is not None
        return screen.page.evaluate("document.documentElement.scrollWidth"), box["width"]

    across, plot = shown(export(), scenario, viewport={"width": width, "height": 900})
    assert across <= width
    assert plot > 100


@pytest.mark.browser
def test_the_picture_is_one_tab_stop(shown: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> tuple[int, list[str]]:
        stops = []
        for _ in range(4):
            screen.page.keyboard.press("Tab")
            stops.append(
                screen.page.evaluate(
                    "(() => { const {activeElement: at} = document.querySelector('[data-testid=waterfall]').shadowRoot;"
                    " return at?.getAttribute('role') ?? at?.localName ?? ''; })()"
                )
            )
        return screen.host.locator("[tabindex='0']").count(), stops

    count, stops = shown(export(), scenario)
    assert count == 1
    assert stops == ["button", "summary", "application", ""]


@pytest.mark.browser
def test_what_was_asked_opens(shown: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> list[str]:
        screen.page.get_by_text("What was asked").click()
        return screen.host.locator(".scope dd").all_inner_texts()

    assert shown(export(), scenario) == ["GET", "/export", "/export", "200", "100 ms after the run began"]


@pytest.mark.browser
def test_a_failed_request_bears_a_cross_and_its_status(shown: Callable[..., Any]) -> None:
    trace = export()
    failed = Trace(requests=[replace(trace.requests[0], status=503, task=None, handoffs=())])
    header = shown(failed, lambda screen: screen.host.locator("header").inner_text())
    assert "× 503" in header
    assert "×" not in shown(trace, lambda screen: screen.host.locator("header").inner_text())


@pytest.mark.browser
def test_a_request_of_no_length_that_is_not_over_is_shown_too(shown: Callable[..., Any]) -> None:
    sentence = shown(PENDING, lambda screen: screen.page.get_by_test_id("waterfall-sentence").inner_text())
    assert sentence == "The request took no time. In virtual time, what only computes takes no time."


@pytest.mark.browser
def test_a_stream_of_ten_thousand_messages_is_few_elements(shown: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> int:
        found: int = screen.page.evaluate(
            "document.querySelector('[data-testid=waterfall]').shadowRoot.querySelectorAll('*').length"
        )
        return found

    assert shown(streaming(10_000), scenario) < 2_500


@pytest.mark.browser
def test_markup_in_an_apps_names_is_text(shown: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> tuple[int, str]:
        screen.page.get_by_role("button", name="Show as table").click()
        screen.page.get_by_text("What was asked").click()
        screen.host.locator(".send .mark").click()
        screen.press("ArrowUp", "ArrowRight")
        made: int = screen.host.locator("img, script, b").count()
        return made, screen.host.locator(".root").inner_text()

    made, words = shown(nasty(), scenario)
    assert made == 0
    assert words.count("<img src=x onerror=alert(1)>") > 8


@pytest.mark.browser
def test_a_dark_page_has_the_dark_palette(shown: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> str:
        found: str = screen.host.locator(".call .bar").nth(1).evaluate("bar => getComputedStyle(bar).backgroundColor")
        return found

    assert shown(export(), scenario) == "rgb(220, 94, 2)"
    assert shown(export(), scenario, color_scheme="dark") == "rgb(247, 152, 64)"
