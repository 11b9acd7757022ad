"""A live timeline's messages, made step by step from a run in virtual time, and a page that is sent them one by one."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

from playground.clock.virtual import VirtualLoop
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording
from playground.widgets.live import LiveTimeline, Watch
from playground.widgets.page import _BUNDLE

__all__ = ["Message", "Stage", "Told", "told"]

Program = Callable[[Recorder, Callable[[], None]], Coroutine[Any, Any, None]]
"""What to run: it is given the recorder, and what to call for a look."""

_MODEL = """
async ([bundle, traits]) => {
  const decoded = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const source = new Blob([decoded(bundle)], {type: 'text/javascript'});
  const {default: widget} = await import(URL.createObjectURL(source));
  const listeners = [];
  window.sent = [];
  const model = {
    get: name => traits[name], set: (name, value) => { traits[name] = value; }, save_changes: () => {},
    on: (event, call) => listeners.push([event, call]), off: () => {},
    send: content => window.sent.push(content),
  };
  window.tell = (content, bytes) => {
    const buffers = [new DataView(decoded(bytes).buffer)];
    for (const [event, call] of listeners) if (event === 'msg:custom') call(content, buffers);
  };
  window.remove = widget.render({model, el: document.body.appendChild(document.createElement('main'))});
}
"""


@dataclass(frozen=True)
class Message:
    content: dict[str, Any]
    said: bytes


@dataclass
class Told:
    """What a widget said of one run, and the run's trace; `seen` is what it would tell a picture that opens then."""

    messages: list[Message] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)

    def of(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message.content["type"] == kind]


def told(program: Program, *, counts: bool = True) -> Told:
    """Run it in virtual time, and hear what the widget says: at first, at each look, and when it is over."""
    heard = Told()
    widget = LiveTimeline(counts=counts)
    widget.send = lambda content, buffers: heard.messages.append(Message(content, bytes(buffers[0])))
    widget._handle_custom_msg({"type": "ready", "view": "one"}, [])
    watch = Watch("Run 1")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with recording(loop) as recorder:
            watch.recorder = recorder
            widget._begin(watch)
            await loop.create_task(program(recorder, widget._update), name="program")
        heard.trace = build(recorder, "Run 1")
        widget._finish(watch, heard.trace)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
    return heard


class Stage:
    """A page with one view of a live timeline."""

    def __init__(self, page: Page, first: Message, **traits: Any) -> None:
        self.page = page
        page.goto("about:blank")
        bundle = b64encode(_BUNDLE.read_bytes()).decode()
        page.evaluate(_MODEL, [bundle, {"title": "", "height": 460, "visible": [], "selection": {}, **traits}])
        self.view = self.sent("ready")[0]["view"]
        self.tell(first, view=self.view)
        self.host.wait_for()

    @property
    def host(self) -> Any:
        return self.page.get_by_test_id("timeline")

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """What the view has sent."""
        return [message for message in self.page.evaluate("window.sent") if message["type"] == kind]

    def tell(self, message: Message, **more: Any) -> None:
        said = b64encode(message.said).decode()
        self.page.evaluate("([content, said]) => window.tell(content, said)", [{**message.content, **more}, said])

    def show(self, message: Message) -> None:
        """Tell it something, and wait until it is on the screen."""
        self.tell(message)
        if message.content["type"] == "more":
            seq = json.dumps(message.content["seq"])
            self.page.wait_for_function(f"window.sent.some(each => each.type === 'got' && each.seq === {seq})")
        self.settle()

    def settle(self) -> None:
        frames = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        for _ in range(2):
            self.page.evaluate(frames)

    def visible(self) -> tuple[int, int]:
        self.settle()
        start, end = (self.host.get_attribute(f"data-visible-{side}-ns") for side in ("start", "end"))
        return int(start), int(end)
