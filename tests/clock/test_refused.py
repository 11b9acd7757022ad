"""What virtual time refuses, because it happens in the real world: connections, processes, pools made before."""

import asyncio
import concurrent.futures
import contextlib
import logging
import multiprocessing
import os
import queue
import socket
import subprocess
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from playground import App, Lab
from playground.clock import virtual
from playground.errors import NotInVirtualTime
from tests.clock.virtually import virtually
from tests.lines import line_of

pytestmark = pytest.mark.usefixtures("nothing_is_left")
HERE = __file__

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


# -- the same, as a lab's user meets it ---------------------------------------------------------------------------


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
