"""A recorded loop: what it tells of tasks, however they are made, and that it is itself again afterwards."""

import asyncio
import contextlib
import gc
import itertools
import socket
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from playground.clock.loop import LabLoop
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording
from playground.trace.rows import Step
from playground.trace.trace import Trace


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
