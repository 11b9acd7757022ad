"""What cannot go on in virtual time is a clear error at its line, and leaves nothing behind."""

import asyncio
import concurrent.futures
import contextlib
import inspect
import logging
import multiprocessing
import os
import queue
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from playground import App, Lab
from playground.clock import pool, virtual, watchdog
from playground.code import GIVEN_NAMES
from playground.errors import Deadlock, LabError, NotInVirtualTime, Runaway
from tests.clock.test_virtual import borrowed
from tests.clock.virtually import virtually

HERE = __file__
MADE_BEFORE = threading.Lock()


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    threads, patches = set(threading.enumerate()), borrowed()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
    assert set(threading.enumerate()) <= threads
    assert borrowed() == patches


def line_of(function: Callable[..., Any], text: str) -> int:
    lines, first = inspect.getsourcelines(function)
    return first + next(index for index, line in enumerate(lines) if text in line)


async def waits_for_ever() -> None:
    await asyncio.Event().wait()


def test_a_deadlock_names_a_notebooks_cell_and_not_the_file_that_stands_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(GIVEN_NAMES, HERE, "cell 3")
    with pytest.raises(Deadlock) as caught:
        virtually(waits_for_ever)
    line = line_of(waits_for_ever, "Event().wait()")
    assert f" waits at cell 3, line {line} in waits_for_ever, in Event.wait" in str(caught.value)


def test_a_deadlock_names_each_task_and_each_worker() -> None:
    async def main() -> None:
        event = anyio.Event()

        def asks_the_loop() -> None:
            anyio.from_thread.run(event.wait)

        async with anyio.create_task_group() as group:
            group.start_soon(event.wait, name="by the event")
            await anyio.to_thread.run_sync(asks_the_loop)

    with pytest.raises(Deadlock) as stuck:
        virtually(main)
    wait = f"{asyncio.locks.__file__}:{line_of(asyncio.Event.wait, 'await fut')} in Event.wait"
    outer = main.__qualname__
    assert str(stuck.value) == (
        "expected somebody to go on, but nothing can run and no timer is set, at 0 s of virtual time. Let one of these "
        "be woken, or give its wait a timeout:\n"
        f"  task 'Task-1' waits at {HERE}:{line_of(main, 'to_thread')} in {outer}, in "
        "AsyncIOBackend.run_sync_in_worker_thread\n"
        f"  task 'by the event' waits at {wait}\n"
        f"  task 'Task-2' waits at {wait}\n"
        f"  the thread 'AnyIO worker thread' waits at {HERE}:{line_of(main, 'from_thread.run')} in "
        f"{outer}.<locals>.asks_the_loop"
    )


def test_a_loop_that_blocks_for_ever_is_told_at_its_line() -> None:
    async def main() -> None:
        threading.Event().wait()

    with pytest.raises(Deadlock) as stuck:
        virtually(main)
    line = line_of(main, "wait()")
    assert (HERE, line) in [(str(entry.path), entry.lineno + 1) for entry in stuck.traceback]
    assert str(stuck.value) == (
        "expected this call to return, but it blocks the event loop, and only the loop, or nobody, could end its wait, "
        "at 0 s of virtual time. Await instead of blocking. There are:\n"
        f"  task 'Task-1' waits at {HERE}:{line} in {main.__qualname__}"
    )


def test_two_locks_taken_in_two_orders_are_a_deadlock() -> None:
    async def main() -> None:
        one, two = threading.Lock(), threading.Lock()

        def takes(first: Any, second: Any) -> None:
            with first:
                time.sleep(0.1)
                with second:
                    pass

        await asyncio.gather(asyncio.to_thread(takes, one, two), asyncio.to_thread(takes, two, one))

    with pytest.raises(Deadlock) as stuck:
        virtually(main)
    place = f"{HERE}:{line_of(main, 'with second')} in {main.__qualname__}.<locals>.takes"
    assert str(stuck.value).split("\n")[-2:] == [
        f"  the thread 'asyncio_0' waits at {place}",
        f"  the thread 'asyncio_1' waits at {place}",
    ]


@pytest.mark.slow
def test_polling_without_sleeping_is_a_runaway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "_TURNS_AT_ONCE", 2_000)

    async def main() -> None:
        asyncio.get_running_loop().call_later(1, print)
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Runaway) as stuck:
        virtually(main)
    assert str(stuck.value) == (
        "expected time to pass, but something goes on for ever without letting it, at 0 s of virtual time. Code that "
        "polls has to sleep for longer than nothing. There are:\n"
        f"  task 'Task-1' waits at {HERE}:{line_of(main, 'sleep(0)')} in {main.__qualname__}, in sleep"
    )


def test_threads_that_poll_without_sleeping_are_a_runaway(monkeypatch: pytest.MonkeyPatch) -> None:
    from playground.clock import baton

    monkeypatch.setattr(baton, "_SPIN_LIMIT", 2_000)

    async def main() -> None:
        def poll() -> None:
            while True:
                time.sleep(0)

        await asyncio.to_thread(poll)

    with pytest.raises(Runaway):
        virtually(main)


NO_NETWORK = (
    "Make the lab with clock='real', or let the handler talk to an app in this process (lab.client, ASGITransport)."
)
NO_PROCESS = "Make the lab with clock='real'."


def connect() -> None:
    with socket.socket() as plain:
        plain.connect(("127.0.0.1", 9))


def start_process() -> None:
    multiprocessing.get_context("spawn").Process(target=print).start()


def second_loop() -> None:
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        loop.run_forever()


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize(
    ("call", "name", "advice"),
    [
        (connect, "socket.connect", NO_NETWORK),
        (lambda: socket.getaddrinfo("localhost", 80), "socket.getaddrinfo", NO_NETWORK),
        (lambda: subprocess.run(["true"], check=True), "subprocess.Popen", NO_PROCESS),
        (lambda: os.system("true"), "os.system", NO_PROCESS),
        (start_process, "multiprocessing.Process.start", NO_PROCESS),
        (
            second_loop,
            "a second event loop's run_forever",
            "Await on the lab's loop (anyio.from_thread.run in a plain def handler), or use clock='real'.",
        ),
    ],
    ids=["connect", "getaddrinfo", "subprocess", "system", "process", "loop"],
)
def test_what_happens_in_the_real_world_is_refused(
    call: Callable[[], Any], name: str, advice: str, in_thread: bool
) -> None:
    if name.startswith("a second") and not in_thread:
        pytest.skip("asyncio itself refuses a loop within a loop")

    async def main() -> None:
        if in_thread:
            await asyncio.to_thread(call)
        else:
            call()

    with pytest.raises(NotInVirtualTime) as refused:
        virtually(main)
    assert str(refused.value) == (
        f"expected nothing from outside in virtual time, got a call of {name}: what it waits for would come at a "
        f"random virtual moment. {advice}"
    )


async def opens_connection() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


async def adds_reader() -> None:
    near, far = socket.socketpair()
    with near, far:
        asyncio.get_running_loop().add_reader(near, print)


async def runs_subprocess() -> None:
    await asyncio.create_subprocess_exec("true")


@pytest.mark.parametrize("main", [opens_connection, adds_reader, runs_subprocess])
def test_the_loop_itself_takes_no_sockets_and_no_processes(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with pytest.raises(NotInVirtualTime):
        virtually(main)


POOL_MADE_BEFORE = (
    "expected an executor that can be in virtual time, got a thread pool made before the lab, whose threads wait "
    "in real time: make it after the lab"
)


def test_a_pool_made_before_is_refused() -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:

        async def main() -> None:
            await asyncio.get_running_loop().run_in_executor(pool, print)

        with pytest.raises(NotInVirtualTime) as refused:
            virtually(main)
    assert str(refused.value) == POOL_MADE_BEFORE


def test_a_submit_to_a_pool_made_before_is_refused_at_its_line_and_the_pool_goes_on_outside() -> None:
    calls: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:

        def submits() -> None:
            pool.submit(calls.append, "in virtual time").result()

        async def main() -> None:
            await asyncio.to_thread(submits)

        with contextlib.closing(virtual.VirtualLoop()):  # for whom this thread is one outside
            pool.submit(calls.append, "outside").result()
        with pytest.raises(NotInVirtualTime) as refused:
            virtually(main)
    assert calls == ["outside"]
    assert str(refused.value) == POOL_MADE_BEFORE
    assert (HERE, line_of(submits, "pool.submit")) in [
        (str(entry.path), entry.lineno + 1) for entry in refused.traceback
    ]


def test_a_pool_made_in_virtual_time_takes_what_is_submitted_also_with_a_queue_of_its_own() -> None:
    class Sorting(concurrent.futures.ThreadPoolExecutor):
        def __init__(self) -> None:
            super().__init__(1)
            self._work_queue = queue.Queue()  # type: ignore[assignment]

    def slow() -> int:
        time.sleep(3600)
        return 5

    async def main() -> list[int]:
        def submits() -> list[int]:
            with concurrent.futures.ThreadPoolExecutor(1) as plain, Sorting() as sorting:
                return [pool.submit(slow).result() for pool in (plain, sorting)]

        return await asyncio.to_thread(submits)

    assert virtually(main) == ([5, 5], 7200.0)


@pytest.mark.slow
def test_a_lock_made_before_is_found_by_the_watchdog() -> None:
    def holds_it() -> None:
        with MADE_BEFORE:
            time.sleep(1)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(anyio.to_thread.run_sync, holds_it)

    with pytest.raises(BaseException) as refused:  # noqa: PT011 (looked at below: the loop's own error)
        virtually(main)
    assert isinstance(refused.value, NotInVirtualTime)
    assert str(refused.value) == (
        "expected waits of Python's own in virtual time, but the thread 'AnyIO worker thread' really waits, at "
        f"{HERE}:{line_of(holds_it, 'with MADE')} in {holds_it.__qualname__}. A lock made before the lab, or a wait "
        "in C, cannot be in virtual time: make locks, queues and pools after the lab, or make the lab with "
        "clock='real'."
    )


@pytest.mark.slow
@pytest.mark.parametrize("hand_over", [anyio.to_thread.run_sync, asyncio.to_thread])
def test_a_worker_that_really_waited_ends_when_it_returns_and_others_do_its_work(
    hand_over: Callable[[Callable[[], Any]], Coroutine[Any, Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_THREADS", 1)
    made = App()

    def takes() -> str:
        came.append(threading.current_thread())
        with MADE_BEFORE:
            return "taken"

    @made.get("/")
    async def index() -> Any:
        return await hand_over(takes)

    came: list[threading.Thread] = []
    with Lab(made, clock="virtual", threads=1) as lab:
        with MADE_BEFORE:
            with pytest.raises(NotInVirtualTime):
                lab.burst("/", 2)
            (lost,) = came
        lost.join(30)
        assert not lost.is_alive()
        for _ in range(2):
            assert lab.get("/").text == "taken"
    assert came[1:].count(lost) == 0
    assert len(came) == 3


@pytest.mark.slow
def test_what_a_failed_run_left_behind_does_not_fail_the_closing(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def takes(after_s: float) -> None:
        time.sleep(after_s)
        with MADE_BEFORE:
            pass

    @contextlib.asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        yield
        await asyncio.sleep(1)
        done.append("shut down")

    made = App(lifespan=lifespan)

    @made.get("/")
    def index() -> None:
        threads = [threading.Thread(target=takes, args=[after_s], name=f"after {after_s} s") for after_s in (1, 1.5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    lab = Lab(made, clock="virtual")
    with MADE_BEFORE:
        with pytest.raises(NotInVirtualTime) as refused:
            lab.get("/")
        assert "but the thread 'after 1 s' really waits, at " in str(refused.value)
        with caplog.at_level(logging.WARNING):
            lab.close()
    assert done == ["shut down"]
    (record,) = caplog.records
    assert record.getMessage() == str(refused.value).replace("after 1 s", "after 1.5 s")


@pytest.mark.slow
def test_burning_cpu_is_no_error_and_is_told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_TOLD_AFTER_S", 0.5)

    async def main() -> None:
        until = time.thread_time() + 1.5
        while time.thread_time() < until:
            pass

    with caplog.at_level(logging.WARNING):
        virtually(main)
    (record,) = caplog.records
    text = record.getMessage()
    assert text.startswith(f"Burning CPU for 0.5 s now, at {HERE}:")
    assert text.endswith(
        f" in {main.__qualname__}: virtual time stands still meanwhile, for it counts "
        "waits, and work only where playground.work(seconds) says how much."
    )


# -- the same, as a lab's user meets it ---------------------------------------------------------------------------

app = App()


@app.get("/")
async def index() -> str:
    return "here"


@app.get("/dead")
async def dead() -> None:
    await waits_for_ever()


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


def test_a_refusal_that_the_app_swallows_is_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    made = App()

    @made.get("/")
    def falls_back() -> str:
        try:
            connect()
        except OSError:
            return "unreachable"
        except Exception:  # noqa: BLE001 (as many an app does)
            return "fallback"
        return "connected"

    with Lab(made, clock="virtual") as lab, caplog.at_level(logging.WARNING):
        assert [response.text for response in lab.burst("/", n=3).responses] == ["fallback"] * 3
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{HERE}:{line_of(connect, 'plain.connect')} in connect: expected nothing from outside in virtual time, got a "
        "call of socket.connect: what it waits for would come at a random virtual moment. " + NO_NETWORK
    )
