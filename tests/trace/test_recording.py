"""Single facts of a recording: who woke whom, what a task waited for and at which line, how it ended."""

import asyncio
import time

import anyio
import anyio.to_thread
import pytest

from playground.clock.loop import LabLoop
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording
from tests.trace.programs import record, task_named


def test_a_wait_names_what_for_and_the_programs_own_line() -> None:
    lock, event, queue = asyncio.Lock(), asyncio.Event(), asyncio.Queue[int]()

    async def others() -> None:
        await lock.acquire()
        await asyncio.sleep(0.002)
        lock.release()
        await asyncio.sleep(0.002)
        event.set()
        await asyncio.sleep(0.002)
        queue.put_nowait(1)
        await asyncio.sleep(0.002)

    async def program() -> None:
        other = asyncio.create_task(others())
        await asyncio.sleep(0.001)
        await lock.acquire()
        await event.wait()
        await queue.get()
        await other
        await anyio.to_thread.run_sync(time.sleep, 0.001)
        await asyncio.to_thread(time.sleep, 0.001)
        await asyncio.gather(asyncio.create_task(asyncio.sleep(0.001)))
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.001, future.set_result, None)
        await future
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0.001))

    trace, _ = record(program)
    main = task_named(trace, "main")
    waits = [wait for wait in trace.waits if wait.task == main]
    assert [(wait.on, wait.site.text if wait.site else None) for wait in waits] == [
        ("timer", "await asyncio.sleep(0.001)"),
        ("lock", "await lock.acquire()"),
        ("event", "await event.wait()"),
        ("queue", "await queue.get()"),
        ("task", "await other"),
        ("thread", "await anyio.to_thread.run_sync(time.sleep, 0.001)"),
        ("thread", "await asyncio.to_thread(time.sleep, 0.001)"),
        ("task", "await asyncio.gather(asyncio.create_task(asyncio.sleep(0.001)))"),
        ("future", "await future"),
        ("task", "async with asyncio.TaskGroup() as group:"),
    ]


def test_a_step_names_the_step_that_woke_it() -> None:
    event = asyncio.Event()

    async def waits() -> None:
        await event.wait()

    async def sets() -> None:
        await asyncio.sleep(0)
        event.set()

    async def program() -> None:
        await asyncio.gather(asyncio.create_task(waits(), name="waits"), asyncio.create_task(sets(), name="sets"))

    trace, _ = record(program)
    woken = trace.steps[trace.steps_of[task_named(trace, "waits")][1]]
    assert woken.woken_by == trace.steps_of[task_named(trace, "sets")][1]


def test_a_sleep_that_is_over_while_the_loop_is_blocked_ends_when_it_was_due() -> None:
    async def sleeps() -> None:
        await asyncio.sleep(0.01)

    async def program() -> None:
        sleeper = asyncio.create_task(sleeps(), name="sleeps")
        await asyncio.sleep(0)
        time.sleep(0.06)
        await sleeper

    trace, _ = record(program)
    task = task_named(trace, "sleeps")
    (wait,) = (wait for wait in trace.waits if wait.task == task)
    assert wait.on == "timer"
    assert 8_000_000 <= wait.end_ns - wait.start_ns <= 10_000_000  # set a little before the step ended
    assert trace.ready_ns(task) > 40_000_000


def test_a_worker_that_is_done_while_the_loop_is_blocked_ends_the_wait() -> None:
    async def hands_over() -> None:
        await anyio.to_thread.run_sync(time.sleep, 0.01)

    async def program() -> None:
        task = asyncio.create_task(hands_over(), name="hands over")
        await asyncio.sleep(0.005)
        time.sleep(0.06)
        await task

    trace, _ = record(program)
    (handoff,) = trace.handoffs
    (wait,) = (wait for wait in trace.waits if wait.on == "thread")
    assert handoff.ended_ns is not None
    assert handoff.woken_ns is not None
    assert abs(wait.end_ns - handoff.ended_ns) < 5_000_000
    assert handoff.woken_ns - handoff.ended_ns > 30_000_000


def test_a_handoff_tells_the_wait_for_a_free_place_from_the_call() -> None:
    async def program() -> None:
        limiter = anyio.CapacityLimiter(1)
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(anyio.to_thread.run_sync(time.sleep, 0.02, limiter=limiter))

    trace, _ = record(program)
    first, second = trace.handoffs
    assert first.limiter_wait_ns == 0
    assert second.limiter_wait_ns >= 18_000_000
    assert second.submitted_ns >= (first.ended_ns or 0)
    assert first.thread == second.thread == 0


def test_processor_time_of_a_worker_is_not_its_wall_time() -> None:
    def burns() -> None:
        end = time.thread_time_ns() + 10_000_000
        while time.thread_time_ns() < end:
            pass

    async def program() -> None:
        await anyio.to_thread.run_sync(time.sleep, 0.02)
        await anyio.to_thread.run_sync(burns)

    trace, _ = record(program)
    sleeps, burned = trace.handoffs
    assert sleeps.cpu_ns < 5_000_000
    assert burned.cpu_ns >= 10_000_000


def test_outcomes_of_tasks_and_handoffs_are_told_apart() -> None:
    async def returns() -> None: ...

    async def raises() -> None:
        raise ValueError("on purpose")

    async def hangs() -> None:
        await asyncio.sleep(60)

    def broken() -> None:
        raise KeyError("in the worker")

    async def program() -> None:
        hanging = asyncio.create_task(hangs(), name="cancelled")
        await asyncio.wait(
            [asyncio.create_task(returns(), name="returned"), asyncio.create_task(raises(), name="raised")]
        )
        hanging.cancel()
        await asyncio.wait([hanging])
        with pytest.raises(KeyError):
            await anyio.to_thread.run_sync(broken)
        asyncio.create_task(hangs(), name="pending")  # noqa: RUF006 (it is left behind on purpose)
        await asyncio.sleep(0)

    loop = LabLoop()

    async def main() -> Recorder:
        with recording(loop) as recorder:
            await loop.create_task(program())
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)
        return recorder

    loop.set_exception_handler(lambda *_: None)  # "raised" is never retrieved
    trace = build(loop.run_until_complete(main()))
    loop.close()
    outcomes = {task.name: task.outcome for task in trace.tasks}
    assert {name: outcomes[name] for name in ("returned", "raised", "cancelled", "pending")} == {
        name: name for name in ("returned", "raised", "cancelled", "pending")
    }
    assert [handoff.outcome for handoff in trace.handoffs] == ["raised"]
    pending = trace.tasks[task_named(trace, "pending")]
    assert pending.ended_ns is None


def test_a_tasks_parent_is_the_task_that_made_it() -> None:
    async def grandchild() -> None: ...

    async def child() -> None:
        await asyncio.create_task(grandchild(), name="grandchild")

    async def program() -> None:
        await asyncio.create_task(child(), name="child")

    trace, _ = record(program)
    assert trace.tasks[task_named(trace, "grandchild")].parent == task_named(trace, "child")
    assert trace.tasks[task_named(trace, "child")].parent == task_named(trace, "main")


def test_a_blocking_call_is_found_with_its_line_and_its_length() -> None:
    async def program() -> None:
        await asyncio.sleep(0)
        time.sleep(0.1)
        await asyncio.sleep(0)

    trace, _ = record(program)
    (block,) = trace.blocks()
    assert block.site is not None
    assert block.site.text == "time.sleep(0.1)"
    assert block.site.file == "tests/trace/test_recording.py"
    assert block.site.function.endswith("program")
    assert block.call == "time.sleep(0.1)"
    assert block.samples >= 5
    assert block.duration_ns + block.delayed_ns >= 100_000_000
    assert trace.steps[block.step].task == block.task


def test_nothing_is_patched_after_a_recording() -> None:
    from anyio._backends._asyncio import AsyncIOBackend

    before = vars(AsyncIOBackend)["run_sync_in_worker_thread"]

    async def program() -> None:
        assert vars(AsyncIOBackend)["run_sync_in_worker_thread"] is not before
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match=r"^in the middle$"):
        record(program)
    assert vars(AsyncIOBackend)["run_sync_in_worker_thread"] is before


def test_other_loops_are_left_alone_while_one_is_recorded() -> None:
    async def elsewhere() -> int:
        return await anyio.to_thread.run_sync(lambda: 7)

    async def program() -> int:
        return await asyncio.to_thread(asyncio.run, elsewhere())

    trace, _ = record(program)
    assert len(trace.handoffs) == 1  # the one that ran the other loop
