"""The lab's loop behaves like asyncio's, recorded or not."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.clock.loop import LabLoop
from playground.trace.recorder import Recorder, recording


@pytest.fixture(params=["stock", "recorded"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]]:
    """Run a coroutine function on a lab's loop, with and without a recorder."""
    loop = LabLoop()

    async def recorded(function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        if request.param == "stock":
            return await function()
        with recording(loop):
            return await loop.create_task(function())

    def run(function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return loop.run_until_complete(asyncio.wait_for(recorded(function), 10))

    yield run
    loop.close()


Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


@given(delays_ms=st.lists(st.sampled_from([0, 1, 2]), max_size=20))
def test_timers_due_together_run_in_the_order_in_which_they_were_set(delays_ms: list[int]) -> None:
    loop = LabLoop()
    order: list[tuple[int, int]] = []
    start = loop.time()
    for index, delay_ms in enumerate(delays_ms):
        loop.call_at(start + delay_ms / 1000, order.append, (delay_ms, index))
    loop.call_at(start + 0.003, loop.stop)
    loop.run_forever()
    loop.close()
    assert order == sorted(order)


def test_a_cancelled_timer_does_not_run(run: Run) -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        ran: list[str] = []
        handles = [loop.call_later(0.001, ran.append, "cancelled") for _ in range(300)]
        for handle in handles:
            handle.cancel()
        loop.call_later(0.002, ran.append, "kept")
        await asyncio.sleep(0.01)
        return ran

    assert run(main) == ["kept"]


def test_a_cancelled_callback_does_not_run(run: Run) -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        ran: list[str] = []
        loop.call_soon(ran.append, "cancelled").cancel()
        loop.call_soon(ran.append, "kept")
        await asyncio.sleep(0)
        return ran

    assert run(main) == ["kept"]


def test_callbacks_and_tasks_run_in_the_order_in_which_they_became_ready(run: Run) -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        order: list[int] = []

        async def task(index: int) -> None:
            order.append(index)

        tasks = []
        for index in range(0, 20, 2):
            tasks.append(loop.create_task(task(index)))
            loop.call_soon(order.append, index + 1)
        await asyncio.gather(*tasks)
        return order

    assert run(main) == list(range(20))


def test_sockets_work(run: Run) -> None:
    async def main() -> bytes:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(echo, "127.0.0.1", 0, family=socket.AF_INET)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
        return answer

    assert run(main) == b"hello\n"


def test_threads_post_callbacks(run: Run) -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        ran: list[str] = []
        done = asyncio.Event()

        def worker() -> None:
            loop.call_soon_threadsafe(ran.append, "from the thread")
            loop.call_soon_threadsafe(done.set)

        await asyncio.to_thread(worker)
        await done.wait()
        return ran

    assert run(main) == ["from the thread"]


def test_a_loop_that_was_woken_more_often_than_it_reads_at_once_runs_all_callbacks(run: Run) -> None:
    async def main() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        ran: list[int] = []

        def worker() -> None:
            for number in range(10_000):  # a byte each, while the loop reads 4,096 at most
                loop.call_soon_threadsafe(ran.append, number)

        thread = threading.Thread(target=worker)
        thread.start()
        thread.join()  # the loop sees none of them before
        await asyncio.to_thread(int)  # wakes it once more, with whatever is left in the pipe
        return len(ran), sum(ran)

    assert run(main) == (10_000, sum(range(10_000)))


def test_an_exception_in_a_callback_goes_to_the_exception_handler(run: Run) -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        seen: list[str] = []
        loop.set_exception_handler(lambda _, context: seen.append(repr(context["exception"])))

        def fail() -> None:
            raise ValueError("broken")

        loop.call_soon(fail)
        await asyncio.sleep(0)
        loop.set_exception_handler(None)
        return seen

    assert run(main) == ["ValueError('broken')"]


def test_cancelling_and_timeouts_work(run: Run) -> None:
    async def main() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(10)
        except TimeoutError:
            return "timed out"
        return "slept"

    assert run(main) == "timed out"


def test_keyboard_interrupt_in_a_step_ends_the_loop_and_leaves_it_usable() -> None:
    loop = LabLoop()

    def interrupt() -> None:
        raise KeyboardInterrupt

    recorder = Recorder()
    loop.record(recorder)
    loop.call_soon(interrupt)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    assert loop.step == 0
    loop.stop_recording()
    assert loop.run_until_complete(asyncio.sleep(0, "fine")) == "fine"
    loop.close()


def test_the_loop_does_not_care_about_nest_asyncio() -> None:
    # applied in a process of its own: it patches asyncio for good
    import subprocess
    import sys

    program = """
import asyncio, warnings
warnings.simplefilter("ignore")
import nest_asyncio
nest_asyncio.apply(asyncio.new_event_loop())
from playground.clock.loop import LabLoop
from playground.trace.build import build
from playground.trace.recorder import recording

async def main():
    with recording(loop) as recorder:
        await asyncio.gather(*(loop.create_task(asyncio.sleep(0.001)) for _ in range(3)))
    return recorder

loop = LabLoop()
trace = build(loop.run_until_complete(main()))
print(len([wait for wait in trace.waits if wait.on == "timer"]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == "3\n"
