"""The lab's loop behaves like asyncio's, recorded or not, and tells its recorder the truth."""

import asyncio
import contextlib
import gc
import itertools
import socket
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.clock.loop import LabLoop
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording
from playground.trace.rows import Step
from playground.trace.trace import Trace


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


def test_a_recorded_loop_is_the_stock_loop_again_afterwards() -> None:
    loop = LabLoop()
    before = set(vars(loop))

    async def main() -> None:
        with recording(loop):
            await asyncio.sleep(0.001)
            later = loop.create_task(asyncio.sleep(0))  # its wake-up is in the queue when the recording ends
        await later
        await asyncio.sleep(0.001)

    loop.run_until_complete(main())
    assert set(vars(loop)) == before
    assert loop.recorder is None
    assert loop.step == 0
    loop.close()


def test_a_second_recording_of_one_loop_is_refused() -> None:
    loop = LabLoop()

    async def main() -> None:
        with recording(loop), pytest.raises(RuntimeError) as refused, recording(loop):
            pass
        assert str(refused.value) == "expected a loop that is not being recorded: stop the other recording first"

    loop.run_until_complete(main())
    loop.close()


def test_a_recorded_loop_does_not_keep_the_last_task_alive() -> None:
    loop = LabLoop()

    class Witness:
        pass

    async def main() -> bool:
        with recording(loop):

            async def short(witness: Witness) -> None:
                await asyncio.sleep(0)

            witness = Witness()
            gone = weakref.ref(witness)
            task = loop.create_task(short(witness))
            await task
            del task, witness
            await asyncio.sleep(0.01)
            gc.collect()
            return gone() is None

    assert loop.run_until_complete(main())
    loop.close()


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


def traced(main: Callable[[], Coroutine[Any, Any, object]], factory: Any = None) -> Trace:
    """What a recording of `main` as a task shows."""
    loop = LabLoop()
    loop.set_task_factory(factory)

    async def recorded() -> Recorder:
        with recording(loop) as recorder:
            await asyncio.sleep(0)  # the recording begins with the next turn
            await loop.create_task(main(), name="main")
            await asyncio.sleep(0)  # and the step in which it ends is not told
        return recorder

    try:
        return build(loop.run_until_complete(recorded()))
    finally:
        loop.close()


def steps_of(trace: Trace, name: str) -> list[Step]:
    return [step for step in trace.steps if step.task is not None and trace.tasks[step.task].name == name]


def test_a_task_made_past_create_task_is_met_where_it_was_made() -> None:
    async def nap() -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.Task(nap(), name="nap")

    trace = traced(main)
    numbers = {task.name: number for number, task in enumerate(trace.tasks)}
    nap_row, (first, _) = trace.tasks[numbers["nap"]], steps_of(trace, "nap")
    (maker, _) = steps_of(trace, "main")
    assert nap_row.parent == numbers["main"]
    assert maker.start_ns <= nap_row.created_ns <= maker.end_ns <= first.start_ns
    assert first.woken_by == trace.steps.index(maker)


def test_a_task_written_in_python_has_steps() -> None:
    async def nap() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)

    async def main() -> None:
        await asyncio.tasks._PyTask(nap(), name="nap")  # type: ignore[attr-defined]

    trace = traced(main)
    assert [step.outcome for step in steps_of(trace, "nap")] == ["yields", "waits", "returned"]
    assert [wait.on for wait in trace.waits if trace.tasks[wait.task].name == "nap"] == ["timer"]


def test_in_debug_mode_a_wake_up_from_a_foreign_thread_is_refused() -> None:
    loop = LabLoop()
    loop.set_debug(True)

    async def main() -> str:
        with recording(loop):
            waiter = loop.create_future()
            task = loop.create_task(_outcome(waiter))
            await asyncio.sleep(0)
            try:
                await asyncio.to_thread(waiter.set_result, None)
            except RuntimeError as error:
                return str(error)
            finally:
                task.cancel()
        return "not refused"

    refused = loop.run_until_complete(main())
    loop.close()
    assert refused == "Non-thread-safe operation invoked on an event loop other than the current one"


async def _outcome(waiter: "asyncio.Future[None]") -> None:
    await waiter


EAGER = getattr(asyncio, "eager_task_factory", None)


@pytest.mark.skipif(EAGER is None, reason="tasks start eagerly from Python 3.12 on")
def test_a_task_that_starts_eagerly_cuts_the_step_that_makes_it() -> None:
    async def inner() -> None:
        await asyncio.sleep(0)

    async def outer() -> None:
        task = asyncio.create_task(inner(), name="inner")
        await asyncio.sleep(0.001)
        await task

    async def main() -> None:
        task = asyncio.create_task(outer(), name="outer")
        await task

    trace = traced(main, EAGER)
    names = [None if step.task is None else trace.tasks[step.task].name for step in trace.steps]
    first = names.index("main")
    parts = trace.steps[first : first + 5]
    assert names[first : first + 5] == ["main", "outer", "inner", "outer", "main"]
    assert [step.outcome for step in parts] == ["yields", "yields", "yields", "waits", "waits"]
    assert [step.woken_by for step in parts[1:]] == [first, first + 1, first + 2, first + 3]
    assert all(one.end_ns == other.start_ns for one, other in itertools.pairwise(parts))
    assert [trace.tasks[step.task].parent for step in parts[1:3] if step.task is not None] == [
        parts[0].task,
        parts[1].task,
    ]


@pytest.mark.skipif(EAGER is None, reason="tasks start eagerly from Python 3.12 on")
def test_a_task_that_ends_in_its_eager_step_has_one_step_and_its_end() -> None:
    async def at_once() -> int:
        return 1

    async def main() -> None:
        # asyncio.create_task gives the name too late in 3.12
        assert await asyncio.get_running_loop().create_task(at_once(), name="at once") == 1

    trace = traced(main, EAGER)
    (step,) = steps_of(trace, "at once")
    (task,) = [task for task in trace.tasks if task.name == "at once"]
    assert step.outcome == task.outcome == "returned"
    assert task.created_ns <= step.start_ns
    assert task.ended_ns == step.end_ns


@pytest.mark.skipif(EAGER is None, reason="tasks start eagerly from Python 3.12 on")
def test_a_factory_that_starts_nothing_eagerly_cuts_no_step() -> None:
    def lazy(loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        return asyncio.Task(coro, loop=loop, **kwargs)

    async def nap() -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.create_task(nap(), name="nap")

    trace = traced(main, lazy)
    assert [step.outcome for step in steps_of(trace, "main")] == ["waits", "returned"]
    assert steps_of(trace, "nap")[0].woken_by == trace.steps.index(steps_of(trace, "main")[0])


def test_a_recorded_loop_that_is_never_idle_still_looks_for_io_and_timers() -> None:
    loop = LabLoop()

    async def main() -> list[str]:
        seen: list[str] = []
        near, far = socket.socketpair()
        with recording(loop), near, far:
            near.setblocking(False)
            loop.call_later(0.002, seen.append, "timer")
            loop.call_later(0.004, far.send, b"x")
            reading = asyncio.create_task(loop.sock_recv(near, 1))
            while not reading.done():
                await asyncio.sleep(0)
            return [*seen, reading.result().decode()]

    with contextlib.closing(loop):
        assert loop.run_until_complete(main()) == ["timer", "x"]


def test_a_recorded_loop_stops_where_it_is_told_to() -> None:
    loop = LabLoop()
    taken: list[int] = []

    async def spin() -> None:
        for number in range(10):
            taken.append(number)
            if number == 3:
                loop.stop()
            await asyncio.sleep(0)

    with contextlib.closing(loop):
        loop.record(Recorder())
        task = loop.create_task(spin())
        loop.run_forever()
        assert taken == [0, 1, 2, 3]
        loop.run_until_complete(task)
        loop.stop_recording()
    assert taken == list(range(10))
