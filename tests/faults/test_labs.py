"""A lab that is closed while it is busy, by whomever."""

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from playground import App, Lab
from playground.errors import LabClosed
from playground.trace import Clock
from tests.faults.busy import TOLD, House, clocks, in_a_thread, listen, read, read_awaited

needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="there are no such signals here")

# -- closed while busy ---------------------------------------------------------------------------------------------


WAITS: dict[str, Callable[[Lab], object]] = {
    "get": lambda lab: lab.get("/busy", timeout=None),
    "burst": lambda lab: lab.burst("/busy", n=3),
    "load": lambda lab: lab.load("/busy", rate=1000, duration=0.01),
    "run": lambda lab: lab.run(lambda: lab.client.get("/busy", timeout=None)),
    "stream": read,
    "websocket": listen,
    "client": lambda lab: asyncio.run(lab.client.get("/busy", timeout=None)),
    "client's stream": lambda lab: asyncio.run(read_awaited(lab)),
}


@clocks
@pytest.mark.parametrize("how", WAITS)
def test_whoever_waits_for_a_lab_that_another_thread_closes_is_told(clock: Clock, how: str) -> None:
    house = House(clock)
    thread, raised = in_a_thread(lambda: WAITS[how](house.lab))
    assert house.at_it.wait(30)
    house.lab.close()
    thread.join(30)
    (error,) = raised
    assert type(error) is LabClosed, error
    assert str(error) in TOLD
    assert house.heard == ["up", "down"]


@clocks
@pytest.mark.parametrize("path", ["/task", "/worker", "/pool"])
@pytest.mark.parametrize("how", ["get", "burst", "client"])
def test_a_handler_that_closes_its_own_lab_is_answered_and_its_app_shut_down(
    clock: Clock, path: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(clock)
    lab = house.lab
    house.also = lab.close
    if how == "get":
        said = [lab.get(path).text]
    elif how == "burst":
        said = [response.text for response in lab.burst(path, n=3).responses]
    else:
        said = [asyncio.run(lab.client.get(path)).text]
    assert set(said) == {"done"}
    assert house.heard == ["up", "down"]
    assert repr(lab).startswith("<Lab closed")
    assert [record for record in caplog.records if record.levelname != "INFO"] == []


@clocks
def test_an_app_that_fails_to_shut_down_for_its_own_handler_is_told_of(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    @contextlib.asynccontextmanager
    async def fails(app: object) -> AsyncIterator[None]:
        yield
        raise ValueError("the drain is blocked")

    app = App(lifespan=fails)
    lab = Lab(app, clock=clock)

    @app.get("/")
    async def index() -> str:
        lab.close()
        return "done"

    assert lab.get("/").text == "done"
    (record,) = (record for record in caplog.records if record.name == "playground.lab")
    assert record.getMessage() == "A lab that was closed by a handler, or by nobody, has not shut down as it should."
    assert "the drain is blocked" in (record.exc_text or "")


@needs_signals
@clocks
def test_a_signal_handler_may_close_the_lab_that_its_thread_waits_for(clock: Clock) -> None:
    house = House(clock)

    def send() -> None:
        house.at_it.wait(30)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda number, frame: house.lab.close())
    sending = threading.Thread(target=send)
    sending.start()
    try:
        with pytest.raises(LabClosed) as told:
            house.lab.get("/busy", timeout=None)
    finally:
        sending.join()
        signal.signal(signal.SIGUSR1, before)
    assert str(told.value) in TOLD
    assert house.heard == ["up", "down"]


@needs_signals
@pytest.mark.parametrize("begun", [True, False])
def test_a_signal_handler_may_close_the_lab_whose_call_is_just_being_begun(
    begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread holds the lock of the lab's calls then: to wait for it would be to wait for itself."""
    house = House("real")
    loop = house.lab._thread.loop
    begin = loop.call_soon_threadsafe

    def interrupted(callback: Any, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(loop, "call_soon_threadsafe", begin)
        if begun:
            handle = begin(callback, *args, **kwargs)
            signal.raise_signal(signal.SIGUSR1)
            return handle
        signal.raise_signal(signal.SIGUSR1)
        return begin(callback, *args, **kwargs)

    before = signal.signal(signal.SIGUSR1, lambda number, frame: house.lab.close())
    monkeypatch.setattr(loop, "call_soon_threadsafe", interrupted)
    try:
        with pytest.raises(LabClosed) as told:
            house.lab.get("/busy", timeout=None)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert str(told.value) in TOLD


@clocks
def test_a_lab_that_nobody_holds_but_through_its_client_is_closed_for_who_waits_there(clock: Clock) -> None:
    house = House(clock)
    client = house.lab.client
    thread, raised = in_a_thread(lambda: asyncio.run(client.get("/busy", timeout=None)))
    assert house.at_it.wait(30)
    del house.lab
    gc.collect()
    thread.join(30)
    (error,) = raised
    assert type(error) is LabClosed
    assert str(error) in TOLD
    assert house.heard == ["up", "down"]


AT_EXIT = """
import asyncio, contextlib, sys, threading, time
from playground import App, Lab

@contextlib.asynccontextmanager
async def lifespan(app):
    yield
    print("down", flush=True)

app = App(lifespan=lifespan)
at_it = threading.Event()

async def busy():
    at_it.set()
    while True:
        await asyncio.sleep(1)

app.get("/task")(busy)

@app.get("/worker")
def worker():
    at_it.set()
    while True:
        time.sleep(1)

def ask():
    try:
        lab.get(sys.argv[2], timeout=None)
    except Exception as error:
        print(type(error).__name__, flush=True)

lab = Lab(app, clock=sys.argv[1])
threading.Thread(target=ask, daemon=True).start()
at_it.wait()
"""


@pytest.mark.slow
@clocks
@pytest.mark.parametrize("path", ["/task", "/worker"])
def test_a_process_that_ends_while_its_lab_is_busy_ends_and_shuts_the_app_down(clock: Clock, path: str) -> None:
    command = [sys.executable, "-X", "dev", "-c", AT_EXIT, clock, path]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[0] == "down"
    assert set(ended.stdout.splitlines()[1:]) <= {"LabClosed"}  # as far as its thread still comes
    named = "these worker threads of the lab go on to the end of what they do" in ended.stderr
    assert named == ((clock, path) == ("real", "/worker"))  # in virtual time, what waits is ended
    assert "Traceback" not in ended.stderr


# -- closed twice --------------------------------------------------------------------------------------------------


@clocks
def test_a_lab_may_be_closed_twice_one_after_the_other_and_at_once(clock: Clock) -> None:
    house = House(clock)
    with house.lab as lab:
        closings = [in_a_thread(lab.close) for _ in range(4)]
        for thread, raised in closings:
            thread.join(30)
            assert raised == []
        lab.close()
    assert house.heard == ["up", "down"]
