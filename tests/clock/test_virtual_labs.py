"""Virtual time as a lab's user meets it: after a deadlock, beside other labs, and on a slow machine."""

import asyncio
import queue
import threading
import time
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from playground import App, Lab
from playground.errors import Deadlock, LabError, NotInVirtualTime

pytestmark = pytest.mark.usefixtures("nothing_is_left")

app = App()


@app.get("/")
async def index() -> str:
    return "here"


@app.get("/dead")
async def dead() -> None:
    await asyncio.Event().wait()


@app.get("/dead-thread")
def dead_thread() -> None:
    queue.Queue[int]().get()


def test_a_lab_goes_on_after_a_deadlock() -> None:
    with Lab(app, clock="virtual") as lab:
        for path in ("/dead", "/dead-thread", "/dead"):
            with pytest.raises(Deadlock):
                lab.burst(path, 3)
            assert lab.get("/").text == "here"


def test_time_stands_still_while_nobody_waits() -> None:
    beats: list[float] = []

    async def beat(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await asyncio.sleep(2.5)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})

        async def for_ever() -> None:
            while True:
                await asyncio.sleep(1)
                beats.append(asyncio.get_running_loop().time())

        task = asyncio.create_task(for_ever())
        await receive()
        task.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    with Lab(beat, clock="virtual") as lab:
        lab.get("/")
        assert beats == [1.0, 2.0]
        lab.get("/")
        assert beats == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_virtual_lab_has_no_socket() -> None:
    with Lab(app, clock="virtual") as lab, pytest.raises(LabError) as refused, lab.serve():
        pass
    assert str(refused.value) == (
        "expected clock='real' to serve on a socket, got clock='virtual', where no real client can come: make another "
        "Lab(app)"
    )


def test_a_lab_made_in_virtual_time_is_refused() -> None:
    made = App()

    @made.get("/")
    def index() -> str:
        with Lab(app) as inner:
            return inner.get("/").text

    with Lab(made, clock="virtual") as lab, pytest.raises(NotInVirtualTime) as refused:
        lab.get("/")
    assert str(refused.value) == (
        "expected labs to be made outside of virtual time, got one made by code that runs in it, where its thread "
        "could not start: make it before, or make the outer lab with clock='real'"
    )


def test_a_call_of_another_lab_from_virtual_time_is_refused() -> None:
    with Lab(app) as other:
        made = App()

        @made.get("/")
        def index() -> str:
            return other.get("/").text

        with Lab(made, clock="virtual") as lab, pytest.raises(NotInVirtualTime) as refused:
            lab.get("/")
    assert str(refused.value) == (
        "expected calls from virtual time to stay in it, got one of another lab, which would answer at a random "
        "virtual moment: let the handler talk to an app in this process (ASGITransport), or make the lab with "
        "clock='real'"
    )


def test_a_lab_may_be_called_from_its_own_worker_thread() -> None:
    made = App()
    labs: list[Lab] = []

    @made.get("/")
    async def index() -> str:
        await anyio.sleep(1)
        return "here"

    @made.get("/outer")
    def outer() -> str:
        return labs[0].get("/").text

    with Lab(made, clock="virtual") as lab:
        labs.append(lab)
        assert lab.get("/outer").text == "here"


def test_time_does_not_jump_while_a_slow_machine_holds_up_the_thread_that_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = App()

    @made.get("/")
    async def index() -> str:
        return "here"

    @made.get("/outer")
    def outer() -> str:
        began.append(time.monotonic())
        return lab.get("/").text

    began: list[float] = []
    with Lab(made, clock="virtual") as lab:
        loop = lab.run(_running_loop).result
        begin = loop.call_soon_threadsafe

        def slowly(*args: Any, **kwargs: Any) -> Any:
            handle = begin(*args, **kwargs)
            if threading.current_thread() is threading.main_thread():
                while not began:  # the loop and its worker go on before this thread does
                    time.sleep(0.001)
                until_s = time.monotonic() + 0.05
                while loop.time() == 0 and time.monotonic() < until_s:
                    time.sleep(0.001)
            return handle

        monkeypatch.setattr(loop, "call_soon_threadsafe", slowly)
        assert lab.get("/outer").text == "here"


async def _running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
