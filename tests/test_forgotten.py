"""A lab that nobody holds any more is closed, wherever the garbage collector finds it."""

import asyncio
import contextlib
import gc
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import anyio.to_thread
import pytest

from playground import App, Lab, Trace
from playground.trace import store
from tests.lite.threadless import threadless

heard: list[str] = []
"""What happened, in order."""


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    heard.clear()
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:  # what a thread of the system closes, ends a moment later
        thread.join(10)
    assert set(threading.enumerate()) == before


@contextlib.asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    yield
    await asyncio.sleep(0.01)
    heard.append("down")


@contextlib.asynccontextmanager
async def fails(app: Any) -> AsyncIterator[None]:
    yield
    raise ValueError("the drain is blocked")


def forget(starts_and_stops: Any = lifespan) -> None:
    """Leave a lab behind that only the garbage collector will find."""
    lab: Any = Lab(App(lifespan=starts_and_stops), clock="virtual")
    lab.itself = lab


async def collects() -> None:
    forgotten.pop()()
    heard.append("collecting")
    gc.collect()
    heard.append("collected")
    await asyncio.sleep(1)
    heard.append("over")


async def collects_in_a_worker() -> None:
    await anyio.to_thread.run_sync(lambda: (forgotten.pop()(), gc.collect()))
    await asyncio.sleep(1)
    heard.append("over")


forgotten: list[Callable[[], None]] = []
"""Lets go of a lab that was held so far."""


def hold_for_a_while(starts_and_stops: Any = lifespan) -> None:
    held: list[Any] = [Lab(App(lifespan=starts_and_stops), clock="virtual")]
    held[0].itself = held[0]  # or it would be closed by whoever lets go of it
    forgotten.append(held.clear)


@pytest.mark.parametrize("run", [collects, collects_in_a_worker])
@pytest.mark.parametrize("threads", [True, False])
def test_a_lab_found_in_another_ones_virtual_time_is_closed_when_that_run_is_over(
    run: Callable[[], Coroutine[Any, Any, None]], threads: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.nullcontext() if threads else threadless():
        hold_for_a_while()
        with Lab(App(), clock="virtual") as lab:
            lab.run(run)
            assert heard[-2:] == ["over", "down"]
    assert caplog.records == []


@pytest.mark.parametrize("threads", [True, False])
def test_a_lab_found_while_another_is_awaited_is_closed_when_that_has_answered(threads: bool) -> None:
    other = App()
    other.get("/")(collects)

    async def cell() -> list[str]:
        hold_for_a_while()
        lab = Lab(other, clock="virtual")
        await lab.client.get("/")
        told = list(heard)
        lab.close()
        return told

    with asyncio.Runner() as runner:
        runner.get_loop()  # which needs a pair of sockets
        with contextlib.nullcontext() if threads else threadless():
            assert runner.run(cell()) == ["collecting", "collected", "over", "down"]


@pytest.mark.parametrize("threads", [True, False])
def test_a_lab_found_before_a_recording_begins_is_closed_after_it(threads: bool) -> None:
    with contextlib.nullcontext() if threads else threadless():
        lab = Lab(App(), clock="virtual")
        gc.disable()
        try:
            forget()
            lab.run(lambda: asyncio.sleep(1))
        finally:
            gc.enable()
        assert heard == ["down"]
        lab.close()


def test_what_is_recorded_does_not_depend_on_labs_that_were_forgotten() -> None:
    def trace(forgetful: bool) -> Trace:
        with Lab(App(), clock="virtual") as lab:
            hold_for_a_while() if forgetful else forgotten.append(lambda: None)
            return lab.run(collects).trace

    forgetful = store.dump(trace(True))
    assert heard.pop() == "down"
    assert forgetful == store.dump(trace(False))


@pytest.mark.slow
def test_a_lab_found_on_a_real_lab_s_loop_does_not_hold_it_up(caplog: pytest.LogCaptureFixture) -> None:
    hold_for_a_while()
    with Lab(App()) as lab:
        lab.run(collects)
        assert heard == ["collecting", "collected", "over", "down"]
    assert caplog.records == []


def test_a_lab_found_where_nobody_waits_is_closed_at_once() -> None:
    down = threading.Event()

    @contextlib.asynccontextmanager
    async def tells(app: Any) -> AsyncIterator[None]:
        yield
        down.set()

    async def later() -> None:
        forgotten.pop()()
        asyncio.get_running_loop().call_later(0.02, gc.collect)

    hold_for_a_while(tells)
    with Lab(App()) as lab:
        gc.disable()
        try:
            lab.run(later)
            assert down.wait(30)
        finally:
            gc.enable()


def test_a_forgotten_app_that_fails_to_shut_down_is_told_of_and_fails_nobody_s_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hold_for_a_while(fails)
    with Lab(App(), clock="virtual") as lab, caplog.at_level(logging.ERROR, "playground.lab"):
        assert lab.run(collects).result is None
    (record,) = caplog.records
    assert record.getMessage() == "A lab that was closed by a handler, or by nobody, has not shut down as it should."
    assert "the drain is blocked" in (record.exc_text or "")


def test_an_interrupted_run_does_not_wait_for_labs_that_were_forgotten() -> None:
    async def interrupted() -> None:
        forgotten.pop()()
        gc.collect()
        lab.stop()
        await asyncio.Event().wait()

    @contextlib.asynccontextmanager
    async def slow(app: Any) -> AsyncIterator[None]:
        yield
        time.sleep(0.01)
        heard.append("down")

    hold_for_a_while(slow)
    with Lab(App()) as lab:
        with pytest.raises(KeyboardInterrupt):
            lab.run(interrupted)
        assert heard == []
        lab.run(lambda: asyncio.sleep(0))
        assert heard == ["down"]
