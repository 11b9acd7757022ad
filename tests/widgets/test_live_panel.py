"""The dashboard: what its controls make, what it says, how it stops, and that nothing is left when it is closed."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from playground import App, Lab, Network
from playground.widgets.panel import Panel

MARKUP = "<img src=x onerror=alert(1)> & more"
PATIENCE_S = 60

app = App()
at_once = [0]
stopped = threading.Event()


@app.get("/quick")
async def quick() -> str:
    await asyncio.sleep(0.001)
    return "quick"


@app.get("/worker")
def in_a_worker() -> str:
    time.sleep(0.02)
    return "done"


@app.get("/for-ever")
async def for_ever() -> str:
    try:
        await asyncio.sleep(3600)
    finally:
        stopped.set()
    return "never"


@app.get("/fails")
async def fails() -> str:
    raise ValueError(MARKUP)


@app.get("/exits")
async def exits() -> str:
    raise SystemExit("out of paper")


lock = asyncio.Lock()


@app.get("/locked")
async def locked() -> str:
    async with lock:
        await asyncio.sleep(0.001)
    return "had it"


held = threading.Event()


@app.get("/held")
async def hold() -> str:
    held.wait(PATIENCE_S)
    return "let go"


@app.post("/items/{number}")
async def item(number: int) -> dict[str, int]:
    return {"number": number}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(app, threads=3, seed=5) as lab:
        yield lab


@pytest.fixture
def panel(lab: Lab) -> Iterator[Panel]:
    panel = lab.panel()
    yield panel
    panel.close()


def choose(panel: Panel, **values: Any) -> None:
    for name, value in values.items():
        panel._controls[name].value = value


def press_run(panel: Panel) -> None:
    panel._run.click()


def wait(panel: Panel) -> None:
    running = panel._running
    if running is not None:
        running.join(PATIENCE_S)
        assert not running.is_alive()


def make(panel: Panel, **values: Any) -> None:
    choose(panel, **values)
    press_run(panel)
    wait(panel)


def test_it_offers_what_the_app_can_be_asked_and_begins_with_the_labs_own_settings(panel: Panel) -> None:
    setting = panel.setting
    assert panel._controls["route"].options == (
        "/quick",
        "/worker",
        "/for-ever",
        "/fails",
        "/exits",
        "/locked",
        "/held",
        "POST /items/{number}",
    )
    assert (setting.route, setting.threads, setting.network, setting.clock) == ("/quick", 3, "none", "real")
    assert panel.said == "Choose, and press Run."


def test_a_run_has_the_settings_that_were_chosen_and_is_kept_by_the_lab(panel: Panel, lab: Lab) -> None:
    make(panel, route="/quick", requests=7, rate=0)
    make(panel, route="POST /items/4", requests=5, rate=200)
    make(panel, route="/worker", requests=6, rate=0, threads=2, clock="virtual")
    assert [len(run.requests) for run in lab.runs] == [7, 5, 6]
    assert [run.title for run in lab.runs] == ["Run 1", "Run 2", "Run 3"]
    assert [{request.path for request in run.requests} for run in lab.runs] == [{"/quick"}, {"/items/4"}, {"/worker"}]
    assert [run.trace.clock for run in lab.runs] == ["real", "real", "virtual"]
    assert lab.runs[2].trace.duration_ns == 60_000_000  # six calls of 20 ms on two threads
    assert panel.said == f"Run 3: {lab.runs[2].summary}"


def test_requests_at_a_rate_are_as_many_as_were_chosen(panel: Panel, lab: Lab) -> None:
    for requests, rate in ((1, 3.0), (7, 1000.0), (29, 313.0)):
        make(panel, requests=requests, rate=rate, clock="virtual")
        assert len(lab.runs[-1].requests) == requests


def test_another_network_is_met_by_the_requests(panel: Panel, lab: Lab) -> None:
    make(panel, requests=200, rate=0, network="bad: 150 to 250 ms, 5 % lost", clock="virtual")
    run = lab.runs[-1]
    assert len(run.lost) > 1
    assert panel.said.splitlines()[1] == f"The network lost {len(run.lost)} requests."


def test_a_labs_own_network_is_one_to_choose(lab: Lab) -> None:
    with Lab(app, network=Network(latency_s=0.25), clock="virtual") as slow:
        panel = slow.panel()
        assert panel.setting.network == "the lab's own"
        make(panel, requests=1, rate=0)
        assert slow.runs[0].responses[0].status_code == 200
        assert slow.runs[0].trace.duration_ns >= 500_000_000
        panel.close()


def test_what_an_app_lets_out_is_said_in_words_and_is_no_markup(panel: Panel) -> None:
    make(panel, route="/fails", requests=4, rate=0)
    assert panel.said.splitlines()[1] == f"The app let this out of 4 requests: ValueError: {MARKUP}"
    assert "<img" not in panel._said.value
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; more" in panel._said.value


def test_an_app_that_ends_its_program_ends_the_run_and_not_the_dashboard(panel: Panel, lab: Lab) -> None:
    make(panel, route="/exits", requests=2, rate=0)
    assert panel.said != "A run goes on."
    make(panel, route="/quick", requests=2, rate=0)
    assert panel.said == f"{lab.runs[-1].title}: {lab.runs[-1].summary}"


def test_what_cannot_be_run_is_said_in_words(panel: Panel, lab: Lab) -> None:
    make(panel, route="no path at all", requests=1)
    assert panel.said != "A run goes on."
    lab.close()
    make(panel, route="/quick", requests=1)
    assert panel.said == "LabClosed: expected an open lab, got one that was closed: make a new Lab(app)"
    assert not panel._run.disabled
    assert panel._stop.disabled


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_stop_breaks_a_run_off(panel: Panel, lab: Lab, clock: str) -> None:
    stopped.clear()
    # in virtual time an hour is over in a moment, so that there it is the number that takes long
    route, requests, rate = ("/for-ever", 3, 0.0) if clock == "real" else ("/quick", 100_000, 50.0)
    choose(panel, route=route, requests=requests, rate=rate, clock=clock)
    press_run(panel)
    thread = panel._running
    while panel._bench._at_work is None or panel._bench._at_work._thread.loop.recorder is None:  # type: ignore[attr-defined]
        time.sleep(0.001)
    assert panel._run.disabled
    panel._stop.click()
    assert thread is not None
    thread.join(PATIENCE_S)
    assert panel.said.splitlines()[0] == "Stopped."
    if clock == "real":
        assert stopped.wait(PATIENCE_S)
    assert len(lab.runs) == 1  # as far as it got
    assert len(lab.runs[0].requests) < requests or clock == "real"
    make(panel, route="/quick", requests=2, rate=0)
    assert len(lab.runs[1].requests) == 2


@pytest.mark.slow
def test_where_a_run_that_was_stopped_still_stands_is_told_as_a_traceback_tells_it(panel: Panel) -> None:
    held.clear()
    choose(panel, route="/held", requests=1, rate=0)
    press_run(panel)
    while panel._bench._at_work is None or panel._bench._at_work._thread.loop.recorder is None:  # type: ignore[attr-defined]
        time.sleep(0.001)
    panel._stop.click()
    wait(panel)
    held.set()
    said = panel.said.splitlines()
    assert said[0] == "Stopped."
    assert said[1].endswith("the lab goes on when it returns. It stands at:")
    assert re.fullmatch('  File ".+", line [0-9]+, in .+', said[2])
    assert said[3].startswith("    ")
    assert "<br>&nbsp;&nbsp;File " in panel._said.value
    assert "<br>&nbsp;&nbsp;&nbsp;&nbsp;" in panel._said.value


def test_what_an_app_keeps_from_one_loop_to_another_is_told_where_it_fails(panel: Panel) -> None:
    make(panel, route="/locked", requests=3, rate=0)
    assert len(panel.said.splitlines()) == 1
    make(panel, route="/locked", requests=3, rate=0, clock="virtual")
    assert "is bound to a different event loop" in panel.said.splitlines()[1]
    assert panel.said.split("\n", 2)[2] == (
        "With another clock, another network or another number of threads, the app runs on another event loop. What it "
        "keeps from one loop to the next (a lock, a queue or an event at module level) fails there: make it in the "
        "app's lifespan, so that each loop has its own."
    )


def test_run_pressed_twice_makes_one_run(panel: Panel, lab: Lab) -> None:
    choose(panel, requests=20, rate=200.0)
    press_run(panel)
    press_run(panel)
    wait(panel)
    assert len(lab.runs) == 1


def test_reset_sets_everything_as_it_was_at_first(panel: Panel) -> None:
    first = panel.setting
    make(panel, route="/worker", requests=3, rate=0, threads=1, clock="virtual")
    panel._reset.click()
    assert panel.setting == first
    assert panel.said == "Choose, and press Run."
    assert panel.timeline._trace.title == "No run yet"


def test_when_it_is_closed_nothing_is_left_running(lab: Lab) -> None:
    before = {thread.name for thread in threading.enumerate()}
    panel = lab.panel()
    make(panel, route="/worker", requests=4, rate=0, threads=2)
    stopped.clear()
    choose(panel, route="/for-ever", requests=2)
    press_run(panel)
    made = panel._bench._made[1]  # type: ignore[attr-defined]
    while made._thread.loop.recorder is None:
        time.sleep(0.001)
    panel.close()
    assert stopped.wait(PATIENCE_S)
    assert made._thread.closed
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s and {thread.name for thread in threading.enumerate()} - before:
        time.sleep(0.01)
    assert {thread.name for thread in threading.enumerate()} - before == set()
    assert lab.burst("/quick", n=1).responses[0].status_code == 200  # the lab itself is the caller's


def test_callbacks_only_post(panel: Panel) -> None:
    """They may come on a subshell's thread and loop, which a run would keep."""
    stopped.clear()
    choose(panel, route="/for-ever", requests=1, rate=0)

    async def on_a_loop() -> None:
        press_run(panel)  # a lab refuses to be waited for on a loop's thread of its own, and would keep any other
        panel._stop.click()

    asyncio.run(asyncio.wait_for(on_a_loop(), PATIENCE_S))
    wait(panel)
    assert panel.said.splitlines()[0] == "Stopped."


def test_every_control_has_a_label_and_every_button_says_what_it_does(panel: Panel) -> None:
    assert [control.description for control in panel._controls.values()] == [
        "Route",
        "Requests",
        "Rate a second (0: all at once)",
        "Threads",
        "Network",
        "Clock",
    ]
    assert all(button.description and button.tooltip for button in (panel._run, panel._stop, panel._reset))


def test_where_no_kernel_runs_a_text_and_a_picture_stand_for_it(panel: Panel) -> None:
    make(panel, requests=2, rate=0)
    while panel.timeline._trace.title != "Run 1":  # its last picture is made on a thread of its own
        time.sleep(0.001)
    data, _ = panel._repr_mimebundle_()
    assert data["text/plain"].startswith("Run 1: ")
    assert data["image/svg+xml"].startswith("<svg")
