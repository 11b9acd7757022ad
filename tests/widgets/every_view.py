"""The table of all views, and a page that shows one of them as a notebook would: through anywidget's contract.

What must hold of every view, whatever it shows, is tested once and for each row of the table, so that a new view joins
by one line. The page stands in for a host; the model in it for a kernel, which answers as playground/widgets/view.py
does.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from playground.trace import Trace
from playground.widgets import Comparison, Stacked, Theatre, Timeline, Waterfall
from playground.widgets.live import LiveTimeline, Watch
from tests.stacks import asyncio_way, pool_way, threads_way
from tests.widgets.screen import Screen

__all__ = ["BUNDLE", "COUNTING", "DRAWN", "TABS", "VIEWS", "Shown", "show"]

BUNDLE = Path(__file__).parents[2] / "playground" / "widgets" / "static" / "views.js"


def _live(trace: Trace) -> LiveTimeline:
    """The live timeline of a run that has just ended."""
    widget = LiveTimeline()
    widget._shown = watch = Watch(trace.title)
    widget._finish(watch, trace)
    return widget


def _stacked(trace: Trace) -> Stacked:
    """Ways to run jobs that are called, and that fail, as the recording is titled."""
    threads = threads_way()
    jobs = [replace(each, outcome="raised", error=f"ValueError: {trace.title}") for each in threads.jobs]
    workers = [replace(each, name=f"{each.name} {trace.title}") for each in threads.workers]
    failed = Trace(workers=workers, jobs=jobs, segments=threads.segments)
    return Stacked({f"{trace.title} failed": failed, "asyncio": asyncio_way(), "pool": pool_way()}, title=trace.title)


# What makes the widget of a recording, by the name in its packet's header; but the live one's packets are a timeline's,
# and so are those of ways to run jobs.
VIEWS: dict[str, Callable[[Trace], Any]] = {
    "compare": lambda trace: Comparison({"A": trace, trace.title: trace}, title=trace.title),
    "live": _live,
    "stacked": _stacked,
    "theatre": Theatre,
    "timeline": Timeline,
    "waterfall": lambda trace: Waterfall(trace, next(at for at, row in enumerate(trace.requests) if row.handoffs)),
}

# Views with a drawing of their own: once its run is over, the live one is a timeline like another.
DRAWN = [name for name in VIEWS if name != "live"]

# Of a page of its own: which view stands behind which tab.
TABS = {"Timeline": "timeline", "Theatre": "theatre", "Requests": "waterfall"}

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
for (const name of ['ResizeObserver', 'MutationObserver', 'IntersectionObserver']) {
  const {observe, disconnect} = window[name].prototype;
  const watched = new WeakMap();  // an observer that is disconnected lets go of all that it observed
  window[name].prototype.observe = function (...args) {
    if (is_ours()) {
      note(name, 1);
      watched.set(this, (watched.get(this) ?? 0) + 1);
    }
    return observe.apply(this, args);
  };
  window[name].prototype.disconnect = function () {
    note(name, -(watched.get(this) ?? 0));
    watched.delete(this);
    return disconnect.call(this);
  };
}
for (const [set, clear] of [['setInterval', 'clearInterval'], ['setTimeout', 'clearTimeout']]) {
  const running = new Set();
  const [start, stop] = [window[set], window[clear]];
  window[set] = (call, ...rest) => {
    const ours = is_ours();
    const id = start((...args) => {
      if (set === 'setTimeout' && running.delete(id)) note(set, -1);
      call(...args);
    }, ...rest);
    if (ours) {
      running.add(id);
      note(set, 1);
    }
    return id;
  };
  window[clear] = (id) => {
    if (running.delete(id)) note(set, -1);
    return stop(id);
  };
}
"""

_BLANK = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="color-scheme" content="light dark"><title>A notebook</title></head>
<body style="margin: 8px"><main><h1>A notebook</h1></main></body></html>"""

# A model like anywidget's, with a kernel behind it that answers `ready`.
_MODEL = """
async ([bundle, packet, traits, answers]) => {
  const decoded = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const source = new Blob([decoded(bundle)], {type: 'text/javascript'});
  const {default: widget} = await import(URL.createObjectURL(source));
  const bytes = decoded(packet);
  const state = traits;
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
      if (answers && content.type === 'ready') queueMicrotask(() => answer(content.view));
    },
  };
  window.left = () => [listeners.length, Object.fromEntries([...open_ends].filter(([, count]) => count !== 0))];
  window.mount = () => {
    const el = document.createElement('div');
    document.querySelector('main').append(el);
    const remove = widget.render({model, el});
    return () => { remove(); const empty = el.childNodes.length === 0; el.remove(); return empty; };
  };
  window.unmount = [mount()];
}
"""


@dataclass
class Shown(Screen):
    """A page that shows one view, by the marks that every view has."""

    name: str

    @property
    def host(self) -> Locator:
        return self.page.get_by_test_id(self.name)

    @property
    def root(self) -> Locator:
        """What holds all of the view, in its shadow root."""
        return self.host.locator("section.root")

    def open_everything(self) -> int:
        """Unfold what can be unfolded, until nothing is left folded; returns how much that was."""
        folded = self.host.locator("details:not([open]) > summary, button[aria-expanded=false]")
        opened = 0
        while folded.count() and opened < 20:
            folded.first.click()
            self.settle()
            opened += 1
        return opened


@cache
def _bundle() -> str:
    return b64encode(BUNDLE.read_bytes()).decode()


@cache
def _made(name: str, trace: Trace) -> tuple[str, dict[str, Any]]:
    """The packet and the traits of a view's widget, made once for all tests that show it."""
    widget = VIEWS[name](trace)
    hidden = ("layout", "tabbable", "tooltip")  # those of every widget that ipywidgets sees to
    state = widget.get_state().items()
    traits = {trait: value for trait, value in state if not trait.startswith("_") and trait not in hidden}
    return b64encode(widget._packet).decode(), traits


def show(page: Page, name: str, trace: Trace, *, answers: bool = True, counting: bool = False) -> Shown:
    """Mount a view's widget in an empty page, and wait until it is there.

    Args:
        name: of the view, a key of `VIEWS`.
        answers: whether the kernel answers a view that asks for the recording.
        counting: whether listeners are counted, in `open_ends`.
    """
    if counting:
        page.evaluate(COUNTING)
    page.set_content(_BLANK)
    page.evaluate(_MODEL, [_bundle(), *_made(name, trace), answers])
    shown = Shown(page, "timeline" if name in ("live", "stacked") else name)
    if answers:
        expect(shown.root.first).to_be_visible()
        shown.settle()
    return shown
