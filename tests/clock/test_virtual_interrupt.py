"""An interrupted cell is free within half a second, whatever virtual time was doing, and the lab goes on."""

import asyncio
import hashlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import anyio
import anyio.to_thread
import pytest

from playground import App, Lab

pytestmark = pytest.mark.slow

SOON_S = 0.5
"""What a person takes for at once."""
AT_LEAST, AT_MOST = 3, 9
"""How often an interrupt is tried: any one of them a busy machine may hold up, but not all."""

app = App()


class Flag:
    """An event without a lock, which an exception thrown from outside could leave held."""

    up = False

    def set(self) -> None:
        self.up = True

    def wait(self, timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        while not self.up and time.monotonic() < until:
            time.sleep(0.005)
        return self.up


started = Flag()
enough = Flag()


@app.get("/")
async def index() -> str:
    return "here"


@app.get("/plain")
def plain() -> str:
    time.sleep(1)
    return "here too"


@app.get("/simulates")
async def simulates() -> None:
    while True:
        started.set()
        await anyio.sleep(1)


@app.get("/blocks")
async def blocks() -> None:
    while True:
        started.set()
        time.sleep(1)


@app.get("/sleeps")
def sleeps() -> None:
    while True:
        started.set()
        time.sleep(1)


@app.get("/computes")
async def computes() -> None:
    while True:
        started.set()


@app.get("/computes-in-a-thread")
def computes_in_a_thread() -> None:
    while True:
        started.set()


@app.get("/looks-at-the-clock")
def looks_at_the_clock() -> None:
    while time.monotonic() < 1e9:
        started.set()


@app.get("/waits-in-c")
def waits_in_c() -> None:
    started.set()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 5_000_000)  # seconds within one call, where nothing can be raised


@app.get("/clings")
async def clings() -> None:
    while not enough.up:
        started.set()
        with suppress(asyncio.CancelledError):
            await anyio.sleep(1)


@contextmanager
def interrupting() -> Iterator[Callable[[], float]]:
    """Send the signal of Ctrl-C once `started` is set; gives what tells how long ago that was."""
    started.up = False
    at: list[float] = []

    def send() -> None:
        started.wait(20)
        at.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield lambda: time.monotonic() - at[0]
    finally:
        thread.join()


NEVER_ENDING = [
    "/simulates",
    "/blocks",
    "/sleeps",
    "/computes",
    "/computes-in-a-thread",
    "/looks-at-the-clock",
]


@pytest.mark.parametrize("path", NEVER_ENDING)
@pytest.mark.parametrize("how", ["get", "burst"])
def test_what_never_ends_is_interrupted_and_the_lab_goes_on(path: str, how: str) -> None:
    took_s: list[float] = []
    with Lab(app, clock="virtual") as lab:
        while len(took_s) < AT_LEAST or (min(took_s) >= SOON_S and len(took_s) < AT_MOST):
            asked: Callable[[], Any] = (
                (lambda: lab.get(path, timeout=None)) if how == "get" else (lambda: lab.burst(path, 3))
            )
            with interrupting() as ago, pytest.raises(KeyboardInterrupt):
                asked()
            took_s.append(ago())
            assert lab.get("/").text == "here"
            assert lab.get("/plain").text == "here too"
            last = lab.burst("/plain", 3).trace.requests[-1]
            assert last.end_ns is not None
            assert last.end_ns - last.start_ns == 1_000_000_000
    assert min(took_s) < SOON_S


def test_a_thread_within_one_call_of_c_is_left_behind() -> None:
    took_s: list[float] = []
    with Lab(app, clock="virtual") as lab:
        while not took_s or (min(took_s) >= SOON_S and len(took_s) < AT_MOST):
            with interrupting() as ago, pytest.raises(KeyboardInterrupt):
                lab.get("/waits-in-c", timeout=None)
            took_s.append(ago())
            assert lab.get("/plain").text == "here too"
    assert min(took_s) < SOON_S


def test_a_task_that_will_not_be_cancelled_does_not_run_on_while_nobody_waits() -> None:
    enough.up = False
    with Lab(app, clock="virtual") as lab:
        with interrupting(), pytest.raises(KeyboardInterrupt):
            lab.get("/clings", timeout=None)
        loop = lab._thread.loop
        started.up = False
        assert not started.wait(0.3)
        assert lab.get("/plain").text == "here too"
        enough.set()
        assert lab.get("/plain").text == "here too"
        assert loop.time() < 1e9
