"""The widget's half in the browser: anywidget's contract, driven with a model that stands in for the kernel."""

from base64 import b64encode
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from playground.trace import Trace
from playground.views.packet import packet
from tests.browser import Chromium
from tests.widgets.screen import Screen

pytestmark = pytest.mark.browser

BUNDLE = Path(__file__).parents[2] / "playground" / "widgets" / "static" / "views.js"
WIDE = {"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce"}

# Every listener and observer of the bundle's is counted until it is taken away. The bundle comes from a blob,
# which tells its calls from Playwright's.
COUNTING = """
window.open_ends = new Map();
const note = (key, change) => open_ends.set(key, (open_ends.get(key) ?? 0) + change);
const is_ours = () => new Error().stack.includes('blob:');
const {addEventListener: add, removeEventListener: remove} = EventTarget.prototype;
const listening = new WeakMap();
EventTarget.prototype.addEventListener = function (type, listener, options) {
  if (!is_ours() || this instanceof AbortSignal) return add.call(this, type, listener, options);
  const mine = listening.get(this) ?? listening.set(this, new Map()).get(this);
  const of_type = mine.get(type) ?? mine.set(type, new Set()).get(type);
  if (!of_type.has(listener)) {
    of_type.add(listener);
    note(type, 1);
    if (options?.signal) add.call(options.signal, 'abort', () => of_type.delete(listener) && note(type, -1));
  }
  return add.call(this, type, listener, options);
};
EventTarget.prototype.removeEventListener = function (type, listener, options) {
  if (listening.get(this)?.get(type)?.delete(listener)) note(type, -1);
  return remove.call(this, type, listener, options);
};
for (const name of ['ResizeObserver', 'MutationObserver']) {
  const {observe, disconnect} = window[name].prototype;
  window[name].prototype.observe = function (...args) {
    if (is_ours()) note(name, 1);
    return observe.apply(this, args);
  };
  window[name].prototype.disconnect = function () {
    if (is_ours()) note(name, -1);
    return disconnect.call(this);
  };
}
"""

# A model like anywidget's, with a kernel behind it that answers `ready` as playground/widgets/timeline.py does.
MODEL = """
async ([bundle, packet, answers]) => {
  const decoded = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const source = new Blob([decoded(bundle)], {type: 'text/javascript'});
  const {default: widget} = await import(URL.createObjectURL(source));
  const bytes = decoded(packet);
  const state = {title: 'A run', height: 300, selection: {}, visible: []};
  const listeners = [];
  window.sent = [];
  window.saved = [];
  const emit = (event, ...details) => {
    for (const [name, call] of [...listeners]) if (name === event) call(...details);
  };
  const answer = view => emit('msg:custom', {type: 'recording', view}, [new DataView(bytes.buffer)]);
  window.model = {
    get: name => state[name],
    set: (name, value) => { state[name] = structuredClone(value); emit('change:' + name); },
    save_changes: () => saved.push({...structuredClone(state), at: performance.now()}),
    on: (event, call) => listeners.push([event, call]),
    off: (event, call) => {
      const at = listeners.findIndex(each => each[0] === event && each[1] === call);
      if (at >= 0) listeners.splice(at, 1);
    },
    send: content => {
      sent.push(content);
      if (answers) queueMicrotask(() => answer(content.view));
    },
  };
  window.left = () => [listeners.length, Object.fromEntries([...open_ends].filter(([, count]) => count !== 0))];
  window.mount = () => {
    const el = document.createElement('div');
    document.body.append(el);
    const remove = widget.render({model, el});
    return () => { remove(); const empty = el.childNodes.length === 0; el.remove(); return empty; };
  };
  window.unmount = [mount()];
}
"""


@pytest.fixture
def mounted(chromium: Chromium, trace: Trace) -> Callable[..., Any]:
    """Runs a scenario on a page that shows one view of a model."""
    arguments = [b64encode(BUNDLE.read_bytes()).decode(), b64encode(packet(trace)).decode()]

    def run(scenario: Callable[[Screen], Any], answers: bool = True) -> Any:
        def on_page(page: Page) -> Any:
            page.add_init_script(COUNTING)
            page.goto("about:blank")
            page.evaluate(MODEL, [*arguments, answers])
            if answers:
                expect(page.get_by_test_id("timeline").first).to_have_attribute("data-painted", "true")
            return scenario(Screen(page))

        return chromium.run(on_page, **WIDE)

    return run


def test_a_view_asks_for_the_recording_and_shows_it(mounted: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> tuple[Any, str]:
        return screen.page.evaluate("sent.map(({type}) => type)"), screen.page.locator("header").inner_text()

    sent, header = mounted(scenario)
    assert sent == ["ready"]
    assert header.startswith("A run")


def test_python_hears_of_the_selection(mounted: Callable[..., Any], trace: Trace) -> None:
    def scenario(screen: Screen) -> list[Any]:
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
    def scenario(screen: Screen) -> tuple[list[float], list[int], tuple[int, int]]:
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
    def scenario(screen: Screen) -> tuple[tuple[int, int], int]:
        screen.page.evaluate("saved.length = 0; model.set('visible', [100e6, 150e6])")
        screen.page.wait_for_timeout(150)
        return screen.visible(), screen.page.evaluate("saved.length")

    assert mounted(scenario) == ((100_000_000, 150_000_000), 0)


def test_several_views_of_one_model_each_get_the_recording(mounted: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> int:
        screen.page.evaluate("unmount.push(mount())")
        expect(screen.host.nth(1)).to_have_attribute("data-painted", "true")
        screen.page.evaluate("unmount[0]()")
        expect(screen.host).to_have_count(1)
        screen.press("b")
        assert screen.selected() == "GET /report"
        return len(screen.page.evaluate("[...new Set(sent.map(({view}) => view))]"))

    assert mounted(scenario) == 2


def test_a_view_that_is_removed_leaves_nothing_behind(mounted: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> list[Any]:
        busy = screen.page.evaluate("left()")
        screen.move(600, 60)
        screen.page.mouse.down()  # in the middle of a drag, d3-zoom listens on the window
        screen.move(560, 60)
        screen.page.evaluate("unmount.push(mount())")
        expect(screen.host.nth(1)).to_have_attribute("data-painted", "true")
        emptied = screen.page.evaluate("unmount.map(remove => remove())")
        screen.page.mouse.up()
        return [busy, emptied, screen.page.evaluate("left()")]

    busy, emptied, left = mounted(scenario)
    assert busy[0] == 2
    assert {"keydown", "wheel", "pointermove", "click", "ResizeObserver", "MutationObserver"} <= set(busy[1])
    assert emptied == [True, True]
    assert left == [0, {}]


def test_a_view_that_is_removed_before_its_recording_comes_stays_away(mounted: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> list[Any]:
        screen.page.evaluate("() => { const remove = mount(); remove(); }")
        screen.page.wait_for_timeout(100)
        screen.page.evaluate("unmount[0]()")
        return [screen.host.count(), screen.page.evaluate("left()")]

    assert mounted(scenario) == [0, [0, {}]]


def test_without_an_answer_the_view_says_what_to_do(mounted: Callable[..., Any]) -> None:
    words = mounted(lambda screen: screen.page.get_by_test_id("view").inner_text(), answers=False)
    assert words == "Waiting for the recording. If the kernel was restarted, run the cell again."


def test_what_cannot_be_read_is_told_in_words(mounted: Callable[..., Any]) -> None:
    def scenario(screen: Screen) -> str:
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
