"""Virtual time without threads: the same recordings as with real workers, on the caller's own thread."""

import asyncio
import concurrent.futures
import difflib
import subprocess
import sys
import threading
import time
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import App, Lab, Trace
from playground.errors import LabClosed, NotInVirtualTime
from playground.web.websockets import WebSocket
from tests.lite.threadless import threadless

TICK_S = 0.01

Handler = tuple[str, tuple[int, ...]]  # how it is handed over, and its sleeps in ticks


def rows(trace: Trace) -> list[str]:
    """All that a recording has, row by row."""
    tables = (trace.steps, trace.tasks, trace.waits, trace.handoffs, trace.requests)
    return [repr(row) for table in tables for row in table]


def app_of(handlers: tuple[Handler, ...]) -> App:
    """An app whose handlers sleep, each in its way, and give the moments at which they woke."""
    app = App()

    def add(path: str, kind: str, sleeps: tuple[int, ...]) -> None:
        def sleeping() -> list[float]:
            woke = []
            for ticks in sleeps:
                time.sleep(ticks * TICK_S)
                woke.append(time.monotonic())
            return woke

        async def on_the_loop() -> list[float]:
            for ticks in sleeps:
                await asyncio.sleep(ticks * TICK_S)
            return [time.monotonic()]

        async def in_a_pool() -> list[float]:
            return await asyncio.to_thread(sleeping)

        async def in_its_own() -> list[float]:
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                loop = asyncio.get_running_loop()
                woke = await asyncio.gather(*(loop.run_in_executor(pool, sleeping) for _ in range(3)))
            return woke[-1]

        async def blocking() -> list[float]:
            thread = threading.Thread(target=sleeping, name="by hand")
            thread.start()
            thread.join()
            return [time.monotonic()]

        handler: Any = {
            "loop": on_the_loop,
            "worker": sleeping,
            "pool": in_a_pool,
            "executor": in_its_own,
            "thread": blocking,
        }[kind]
        app.get(path)(handler)

    for number, (kind, sleeps) in enumerate(handlers):
        add(f"/{number}", kind, sleeps)
    return app


def run_of(handlers: tuple[Handler, ...], requests: list[tuple[int, int]], threads: int) -> tuple[list[str], Any]:
    """A recording of these requests, each a handler's number and a delay in ticks; and what was answered."""
    with Lab(app_of(handlers), clock="virtual", threads=threads) as lab:

        async def send(number: int, delay: int) -> Any:
            await asyncio.sleep(delay * TICK_S)
            return (await lab.client.get(f"/{number % len(handlers)}")).json()

        async def experiment() -> Any:
            return await asyncio.gather(*(send(*request) for request in requests))

        first = lab.run(experiment)
        again = lab.run(experiment)  # on the workers that there are by now
    return rows(first.trace) + rows(again.trace), (first.result, again.result)


handlers = st.lists(
    st.tuples(
        st.sampled_from(["loop", "worker", "pool", "executor", "thread"]),
        st.lists(st.integers(0, 3), max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
requests = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(handlers, requests, st.integers(1, 3))
def test_a_recording_is_the_same_with_and_without_threads(
    handlers: tuple[Handler, ...], requests: list[tuple[int, int]], threads: int
) -> None:
    real = run_of(handlers, requests, threads)
    with threadless():
        simulated = run_of(handlers, requests, threads)
    assert "\n".join(difflib.unified_diff(real[0], simulated[0], "with", "without", "", "", 0, "")) == ""
    assert simulated[1] == real[1]


def test_a_burst_and_a_load_are_the_same_with_and_without_threads() -> None:
    def both() -> list[list[str]]:
        with Lab(app_of((("worker", (10, 5)), ("pool", (3,)))), clock="virtual", seed=7, threads=4) as lab:
            runs = [lab.burst("/0", n=10), lab.burst("/1", n=40), lab.load("/0", rate=20, duration=3)]
        return [rows(run.trace) for run in runs]

    real = both()
    with threadless():
        assert both() == real
    assert len(real[0]) > 100


def test_each_simulated_worker_is_a_thread_of_its_own() -> None:
    app = App()

    @app.get("/who")
    def who() -> list[Any]:
        time.sleep(0.1)
        return [threading.get_ident(), threading.current_thread().name, threading.current_thread().is_alive()]

    with threadless(), Lab(app, clock="virtual") as lab:
        answers = [response.json() for response in lab.burst("/who", n=3).responses]
        again = lab.get("/who").json()
    assert {tuple(answer[1:]) for answer in [*answers, again]} == {("AnyIO worker thread", True)}
    assert len({answer[0] for answer in answers}) == 3
    assert again in answers
    assert threading.get_ident() not in {answer[0] for answer in answers}


def test_a_lab_is_used_within_a_running_loop() -> None:
    async def cell() -> tuple[str, str, Any]:
        lab = Lab(app_of((("worker", (1,)),)), clock="virtual")
        here = asyncio.get_running_loop(), asyncio.current_task()
        blocking = lab.get("/0").text
        awaited = (await lab.client.get("/0")).text
        lab.close()
        return blocking, awaited, here == (asyncio.get_running_loop(), asyncio.current_task())

    with asyncio.Runner() as runner:
        runner.get_loop()  # which needs a pair of sockets
        with threadless():
            assert runner.run(cell()) == ("[0.01]", "[0.02]", True)


def test_streams_websockets_and_errors_go_on_as_ever() -> None:
    app = App()

    @app.get("/fails")
    def fails() -> None:
        time.sleep(0.5)
        raise KeyError("no such thing")

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await anyio.sleep(1)
            await websocket.send_text(text.upper())

    with threadless(), Lab(app, clock="virtual") as lab:
        with pytest.raises(KeyError, match=r"^'no such thing'$"):
            lab.get("/fails")
        with lab.websocket("/echo") as session:
            session.send_text("hallo")
            assert session.receive_text() == "HALLO"
        with lab.stream("GET", "/nowhere") as response:
            assert b"".join(response.iter_bytes()) == b"Not Found"
        assert lab.burst("/fails", n=2).responses[1].status_code == 500
    with pytest.raises(LabClosed, match=r"^expected an open lab, got one that was closed: make a new Lab\(app\)$"):
        lab.get("/")


def test_a_lifespan_is_held_open_from_the_first_call_to_the_last() -> None:
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        for phase in ("startup", "shutdown"):
            heard.append((await receive())["type"])
            await anyio.to_thread.run_sync(time.sleep, 0.5)
            await send({"type": f"lifespan.{phase}.complete"})

    with threadless():
        lab = Lab(app, clock="virtual")
        assert heard == ["lifespan.startup"]
        lab.close()
        lab.close()
    assert heard == ["lifespan.startup", "lifespan.shutdown"]


def test_a_cancelled_call_ends_when_its_worker_does() -> None:
    def outcome() -> tuple[list[str], list[float]]:
        woke: list[float] = []
        app = App()

        @app.get("/late")
        async def late() -> str:
            with anyio.move_on_after(0.1):
                await anyio.to_thread.run_sync(time.sleep, 0.5, abandon_on_cancel=True)
            woke.append(time.monotonic())
            with anyio.move_on_after(0.1):
                await anyio.to_thread.run_sync(time.sleep, 0.5)
            woke.append(time.monotonic())
            return "late"

        with Lab(app, clock="virtual") as lab:
            return rows(lab.burst("/late", n=2).trace), woke

    real = outcome()
    assert real[1] == [0.1, 0.1, 0.6, 0.6]
    with threadless():
        assert outcome() == real


def test_workers_wait_for_one_lock_as_real_ones_do() -> None:
    def ended() -> list[float]:
        app = App()
        lock: list[Any] = []

        @app.get("/")
        def exclusive() -> list[float]:
            lock[:] = lock or [threading.Lock()]
            with lock[0]:
                time.sleep(0.1)
            return [time.monotonic()]

        with Lab(app, clock="virtual") as lab:
            return [response.json()[0] for response in lab.burst("/", n=5).responses]

    real = ended()
    assert real == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    with threadless():
        assert ended() == real


def test_races_between_workers_are_not_looked_for_in_vain() -> None:
    app = app_of((("worker", (1,)), ("loop", (1,))))
    with threadless(), Lab(app, clock="virtual", schedule="random") as lab:
        assert lab.get("/1").status_code == 200  # tasks can run in any order
        expected = r"^expected schedule='fifo' with worker threads, got schedule='random', which changes threads in the"
        with pytest.raises(NotInVirtualTime, match=expected):
            lab.get("/0")


SCRIPT = """
import _thread, socket, sys, threading, types

def refused(*args, **kwargs):
    raise RuntimeError("can't start new thread")

sys._emscripten_info = types.SimpleNamespace(pthreads=False)
threading.Thread.start = _thread.start_new_thread = _thread.start_joinable_thread = socket.socketpair = refused
from playground import App, Lab
app = App()

@app.get("/")
def handler():
    import time
    time.sleep(1)
    return "done"

lab = Lab(app, clock="virtual")
print(lab.burst("/", n=41).trace.duration_ns, lab.get("/").text)
"""


def test_a_process_that_never_could_start_a_thread_has_labs() -> None:
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("2000000000 done\n", "")


def test_a_run_can_be_broken_off_after_a_while_and_the_lab_goes_on() -> None:
    async def for_ever() -> None:
        while True:
            await asyncio.sleep(1)

    async def at_once() -> str:
        return "done"

    with threadless(), Lab(App(), clock="virtual") as lab:
        lab.stop(after_s=0.05)
        with pytest.raises(KeyboardInterrupt):
            lab.run(for_ever)
        assert len(lab.runs) == 1
        lab.stop(after_s=60)
        assert lab.run(at_once).result == "done"
