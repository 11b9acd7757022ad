"""How a live timeline keeps its pace at 100,000 steps a second: `python -m tests.widgets.live_pace`.

A loop takes steps for some seconds, about so many a second, while a widget looks ten times a second; what it said is
then told to a page at the same pace. Printed are what a look took in the kernel, what an update weighs, and the times
between two frames in the browser.
"""

import asyncio
import statistics
import time
from collections.abc import Callable

from playwright.sync_api import Page

from playground.clock.loop import LabLoop
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording
from playground.widgets.live import EVERY_S, LiveTimeline, Watch
from tests.browser import Chromium
from tests.widgets.live_stage import Message, Stage

SECONDS = 5.0
STEPS_A_SECOND = 100_000
TASKS = 20

_FRAMES = """
() => {
  window.frames_ = [];
  let last = performance.now();
  const frame = now => { window.frames_.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}
"""


def recorded() -> tuple[list[Message], list[float], int]:
    """What a widget says of a busy loop, the processor time of each look in milliseconds, and the number of steps."""
    heard: list[Message] = []
    took_ms: list[float] = []
    widget = LiveTimeline()
    widget.send = lambda content, buffers: heard.append(Message(content, bytes(buffers[0])))
    widget._handle_custom_msg({"type": "ready", "view": "one"}, [])
    watch = Watch("Run 1")

    async def main() -> int:
        loop = asyncio.get_running_loop()
        with recording(loop) as recorder:
            watch.recorder = recorder
            widget._begin(watch)
            for look in range(round(SECONDS / EVERY_S)):
                await _some(recorder, (look + 1) * EVERY_S)
                began_s = time.thread_time()  # the machine may be busy with other things
                widget._update()
                took_ms.append(1000 * (time.thread_time() - began_s))
        trace = build(recorder)
        widget._finish(watch, trace)
        return len(trace.steps)

    with asyncio.Runner(loop_factory=LabLoop) as runner:
        return heard, took_ms, runner.run(main())


async def _some(recorder: Recorder, until_s: float) -> None:
    """Take steps until there are as many as belong to that time."""
    while recorder.log.dropped + len(recorder.log) < until_s * STEPS_A_SECOND:
        await asyncio.gather(*(_turn(100) for _ in range(TASKS)))


async def _turn(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


def shown(messages: list[Message]) -> Callable[[Page], list[float]]:
    """Tell a page all of it at its own pace; gives the times between frames."""

    def scenario(page: Page) -> list[float]:
        stage = Stage(page, messages[0])
        page.evaluate(_FRAMES)
        began_s = time.perf_counter()
        for number, message in enumerate(messages[1:-1]):
            page.wait_for_timeout(max(0.0, 1000 * (began_s + number * EVERY_S - time.perf_counter())))
            stage.tell(message)
        page.wait_for_timeout(300)
        frames: list[float] = page.evaluate("window.frames_")
        seqs = [each["seq"] for each in stage.sent("got")]
        assert seqs[-1] == messages[-2].content["seq"]
        return frames

    return scenario


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    messages, took_ms, steps = recorded()
    sizes = [len(message.said) for message in messages[2:-1]]
    print(f"{steps:,} steps, {len(took_ms)} looks: {steps / len(took_ms):,.0f} new steps each")
    print(f"kernel, processor time a look: median {statistics.median(took_ms):.1f} ms, longest {max(took_ms):.1f} ms")
    half = len(took_ms) // 2
    print(f"  first half {statistics.median(took_ms[:half]):.1f} ms, second {statistics.median(took_ms[half:]):.1f} ms")
    print(f"wire, an update: median {statistics.median(sizes):,.0f} bytes")
    browser = Chromium()
    try:
        frames = browser.run(shown(messages), viewport={"width": 1200, "height": 900})
    finally:
        browser.close()
    print(
        f"browser, between frames: median {statistics.median(frames):.1f} ms, "
        f"p95 {percentile(frames, 0.95):.1f} ms, longest {max(frames):.1f} ms ({len(frames)} frames)"
    )


if __name__ == "__main__":
    main()
