"""A live timeline's widget: what it says, when, and to whom."""

import asyncio
import gc
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from playground import App, Lab, LabError
from playground.clock.virtual import VirtualLoop
from playground.trace.columns import unpack
from playground.trace.recorder import Recorder
from playground.views.packet import packet
from playground.widgets.live import EVERY_S, LiveTimeline, Watch
from playground.widgets.still import still
from playground.widgets.timeline import Timeline
from tests.trace.looked_at import recorded_on
from tests.views.live_programs import ACTIONS, program
from tests.widgets.live_stage import Message, told


@pytest.fixture
def heard() -> list[Message]:
    return []


@pytest.fixture
def widget(heard: list[Message]) -> Iterator[LiveTimeline]:
    widget = LiveTimeline()
    widget.send = lambda content, buffers: heard.append(Message(content, bytes(buffers[0])))
    yield widget
    widget.close()


def says(widget: LiveTimeline, kind: str, view: str = "one", **more: Any) -> None:
    widget._handle_custom_msg({"type": kind, "view": view, **more}, [])


@settings(max_examples=20)
@given(ACTIONS)
def test_when_a_run_is_over_the_last_that_is_said_is_what_a_fresh_timeline_says(actions: list[str]) -> None:
    async def steps(recorder: Recorder, look: Callable[[], None]) -> None:
        await program(actions, lambda _: look())(recorder)

    heard = told(steps)
    last = heard.messages[-1]
    assert last.content["type"] == "recording"
    assert last.said == packet(heard.trace) == Timeline(heard.trace)._packet


def test_a_picture_that_opens_late_gets_the_whole_and_goes_on_from_there(
    widget: LiveTimeline, heard: list[Message]
) -> None:
    async def steps(recorder: Recorder) -> None:
        watch = Watch("Run 1")
        watch.recorder = recorder
        says(widget, "ready")
        widget._begin(watch)
        for _ in range(3):
            await asyncio.sleep(0.1)
            widget._update()
        heard.clear()
        says(widget, "ready", "late")
        await asyncio.sleep(0.1)
        widget._update()

    recorded_on(VirtualLoop(), steps)
    kinds = [(message.content["type"], message.content["view"], message.content["seq"]) for message in heard]
    assert kinds == [("recording", "late", 3), ("more", "late", 3), ("more", None, 4)]
    whole, new = (unpack(message.said)[0] for message in heard[1:])
    assert [keep for _, keep, _ in whole["patches"]] == [0]
    assert [keep for _, keep, _ in new["patches"]] != [0]


def test_a_picture_is_answered_once_however_often_it_asks(widget: LiveTimeline, heard: list[Message]) -> None:
    for _ in range(3):
        says(widget, "ready")
    assert [(message.content["type"], message.content["view"]) for message in heard] == [("recording", "one")]
    says(widget, "missed")
    assert len(heard) == 2


def test_a_browser_that_does_not_answer_is_told_less_and_less_often(widget: LiveTimeline) -> None:
    says(widget, "ready")

    def pauses(count: int) -> list[float]:
        found = []
        for _ in range(count):
            widget._seq += 1
            found.append(widget._pause_s(0.0))
        return found

    unheard = pauses(60)
    assert unheard[:20] == [EVERY_S] * 20
    assert unheard == sorted(unheard)
    assert sum(unheard) > 150  # sixty packets in minutes, and not in the six seconds that they would take
    says(widget, "got", seq=widget._seq)  # it answers after all
    assert widget._pause_s(0.0) == EVERY_S
    answered = pauses(20)
    assert answered[:3] == [EVERY_S] * 3
    assert answered[3:9] == [EVERY_S * 2**power for power in range(1, 7)]
    assert answered[-1] == 600.0
    says(widget, "got", seq=widget._seq + 1000)  # of what was never sent
    assert widget._views["one"] == widget._seq


def test_a_look_that_took_long_is_followed_by_a_longer_rest(widget: LiveTimeline) -> None:
    assert widget._pause_s(1.0) == 4.0


def test_while_nobody_sees_it_nothing_is_looked_at(widget: LiveTimeline, heard: list[Message]) -> None:
    app = App()

    @app.get("/nap")
    async def nap() -> str:
        await asyncio.sleep(0.25)
        return "rested"

    with Lab(app) as lab:
        lab.follow(widget)
        lab.burst("/nap", n=2)
        ended = _quiet()
    assert heard == []
    assert widget._lanes is None
    assert ended


def _quiet() -> bool:
    """Wait until no thread looks any more."""
    until_s = time.monotonic() + 30
    while time.monotonic() < until_s:
        if all(thread.name != "playground live" for thread in threading.enumerate()):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.slow
def test_it_follows_each_run_of_a_lab_and_ends_with_it(widget: LiveTimeline, heard: list[Message]) -> None:
    app = App()

    @app.get("/nap")
    async def nap() -> str:
        await asyncio.sleep(0.35)
        return "rested"

    with Lab(app) as lab:
        lab.follow(widget)
        says(widget, "ready")
        runs = []
        for _ in range(2):
            runs.append(lab.burst("/nap", n=2))
            assert _quiet()
    titles = [unpack(message.said)[0]["title"] for message in heard if message.content["type"] == "recording"]
    assert titles == ["No run yet", "Run 1", "Run 1", "Run 2", "Run 2"]
    wholes = [message.said for message in heard if message.content["type"] == "recording"]
    assert wholes[2] == packet(runs[0].trace)
    assert wholes[4] == packet(runs[1].trace)
    assert any(message.content["type"] == "more" for message in heard)


def test_before_a_run_it_says_so_in_words_and_what_to_do(widget: LiveTimeline, heard: list[Message]) -> None:
    words = (
        "No run yet. Nothing has run that could be shown here. Make a run, with lab.burst(…) in a cell or with a "
        "panel's Run, and it shows here while it goes on."
    )
    before = widget.still()
    assert before["text/plain"] == words
    assert f'aria-label="{words}"' in before["image/svg+xml"]
    title, heading, *lines = re.findall(">([^<]+)<", before["image/svg+xml"])
    assert (title, f"{heading}. {' '.join(lines)}") == ("No run yet", words)
    says(widget, "ready")
    header = unpack(heard[-1].said)[0]
    assert (header["nothing"], f"{header['title']}. {header['summary']}") == (True, words)
    with Lab(App()) as lab:
        lab.follow(widget)
        run = lab.burst("/", n=1)
        assert _quiet()
    assert widget.still() == still(run.trace)
    assert "nothing" not in unpack(heard[-1].said)[0]
    widget.clear()
    assert widget.still() == before
    assert unpack(heard[-1].said)[0] == header


def test_a_run_that_fails_is_shown_as_far_as_it_got(widget: LiveTimeline, heard: list[Message]) -> None:
    async def fails() -> None:
        await asyncio.sleep(0.25)
        raise ValueError("no")

    with Lab(App()) as lab:
        lab.follow(widget)
        says(widget, "ready")
        with pytest.raises(ValueError, match=r"^no$"):
            lab.run(fails)
        assert _quiet()
        assert heard[-1].said == packet(lab.runs[0].trace)


def test_whatever_goes_wrong_with_a_look_the_run_is_told_of_when_it_is_over(
    widget: LiveTimeline, heard: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    told_of: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: told_of.append(told.exc_type))
    monkeypatch.setattr(LiveTimeline, "_update", lambda self: 1 // 0)

    async def nap() -> None:
        await asyncio.sleep(0.25)

    with Lab(App()) as lab:
        lab.follow(widget)
        says(widget, "ready")
        run = lab.run(nap)
        assert _quiet()
    assert told_of == [ZeroDivisionError]
    assert heard[-1].said == packet(run.trace)


def test_a_run_whose_thread_comes_late_does_not_hide_a_later_one(widget: LiveTimeline) -> None:
    first, second = (Watch(f"Run {number}", number) for number in (1, 2))
    first.recorder = second.recorder = Recorder()
    for watch in (second, first):
        widget._begin(watch)
    assert widget._shown is second


def test_a_run_of_which_nobody_tells_the_end_is_followed_no_longer_than_to_the_next(widget: LiveTimeline) -> None:
    widget.prepare("Run 1")
    first = widget._watch
    assert first is not None
    widget.prepare("Run 2")  # an interrupt fell between the end of the first and the telling of it
    assert first.over.up


def test_a_run_that_was_told_of_is_not_kept_by_what_it_was_read_from(widget: LiveTimeline) -> None:
    recorders: list[weakref.ref[Recorder]] = []

    async def notes() -> None:
        recorders.append(weakref.ref(lab._thread.loop.recorder))  # type: ignore[arg-type]

    with Lab(App()) as lab:
        lab.follow(widget)
        assert lab.run(notes).trace.title == "Run 1"
        assert _quiet()
        assert lab.run(notes).trace.title == "Run 2"
        assert _quiet()
        gc.collect()
        assert [ref() for ref in recorders] == [None, None]


def test_one_that_is_closed_looks_at_no_more_runs(widget: LiveTimeline, heard: list[Message]) -> None:
    with Lab(App()) as lab:
        lab.follow(widget)
        says(widget, "ready")
        widget.close()
        heard.clear()
        lab.burst("/", n=1)
        assert _quiet()
        assert heard == []
        assert lab._recordings.followers == []


def test_a_lab_that_does_not_record_has_none() -> None:
    words = "^expected a lab that records, got trace=False: make it with Lab\\(app\\), without trace=False$"
    with Lab(App(), trace=False) as lab:
        for make in (lab.timeline, lab.panel):
            with pytest.raises(LabError, match=words):
                make()
