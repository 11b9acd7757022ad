"""What goes wrong is recorded truly too: refused, cancelled, given up, or cut off by the recording's end."""

import asyncio
import itertools
import threading
import time

import anyio
import anyio.to_thread
import pytest

from playground.asgi import Receive, Scope, Send
from playground.clock.loop import LabLoop
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording
from playground.trace.requests import recorded_app
from tests.trace.looked_at import ask
from tests.trace.programs import check_the_loop_does_one_thing_at_a_time, record, task_named


def test_a_step_that_ends_the_loop_is_recorded_and_shifts_no_waker() -> None:
    loop = LabLoop()
    event = asyncio.Event()

    async def leaves() -> None:
        raise SystemExit(3)

    async def waits() -> None:
        await event.wait()

    async def main() -> Recorder:
        with recording(loop) as recorder:
            waiting = loop.create_task(waits(), name="waits")
            await asyncio.wait([loop.create_task(leaves(), name="leaves")])
            event.set()
            await waiting
        return recorder

    task = loop.create_task(main(), name="main")
    with pytest.raises(SystemExit):
        loop.run_until_complete(task)
    trace = build(loop.run_until_complete(task))
    loop.close()
    check_the_loop_does_one_thing_at_a_time(trace)
    assert trace.tasks[task_named(trace, "leaves")].outcome == "raised"
    woken = trace.steps[trace.steps_of[task_named(trace, "waits")][1]]
    assert woken.woken_by is not None
    assert trace.steps[woken.woken_by].task == task_named(trace, "main")


def test_a_task_that_waited_already_is_not_called_ready() -> None:
    loop = LabLoop()

    async def main() -> Recorder:
        sleeper = loop.create_task(asyncio.sleep(0.2), name="sleeper")
        await asyncio.sleep(0)
        with recording(loop) as recorder:
            await sleeper
        return recorder

    trace = build(loop.run_until_complete(main()))
    loop.close()
    sleeper = task_named(trace, "sleeper")
    (wait,) = (wait for wait in trace.waits if wait.task == sleeper)
    assert (wait.on, wait.start_ns) == ("timer", trace.tasks[sleeper].created_ns)
    first = trace.steps[trace.steps_of[sleeper][0]]
    assert trace.ready_ns(sleeper) == first.start_ns - wait.end_ns  # and none of the time before


def test_a_call_that_was_given_up_woke_nobody() -> None:
    started, ended = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        time.sleep(0.02)
        ended.set()

    async def program() -> None:
        task = asyncio.create_task(anyio.to_thread.run_sync(work, abandon_on_cancel=True))
        while not started.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        while not ended.is_set():
            await asyncio.sleep(0.001)
        await asyncio.to_thread(int)  # behind it in time: what the worker noted is noted now

    trace, _ = record(program)
    handoff = trace.handoffs[0]
    assert handoff.ended_ns is not None
    assert handoff.woken_ns is None


def test_a_call_that_nobody_awaits_woke_nobody() -> None:
    async def program() -> None:
        future = asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.005)
        await asyncio.sleep(0.03)
        assert future.done()

    trace, _ = record(program)
    (handoff,) = trace.handoffs
    assert handoff.woken_ns is None
    assert handoff.site is not None
    assert handoff.site.function == "sleep"  # what was handed over, not the line that slept


def test_a_call_that_an_executor_refuses_is_no_handoff() -> None:
    import concurrent.futures

    async def program() -> None:
        pool = concurrent.futures.ThreadPoolExecutor()
        pool.shutdown()
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop().run_in_executor(pool, time.sleep, 0)

    trace, _ = record(program)
    assert trace.handoffs == ()


def test_a_call_cancelled_before_it_had_a_thread_is_cancelled() -> None:
    async def program() -> None:
        limiter = anyio.CapacityLimiter(1)
        async with asyncio.TaskGroup() as group:
            group.create_task(anyio.to_thread.run_sync(time.sleep, 0.03, limiter=limiter))
            await asyncio.sleep(0.002)
            with anyio.move_on_after(0.005):
                await anyio.to_thread.run_sync(time.sleep, 0.02, limiter=limiter)

    trace, _ = record(program)
    assert [handoff.outcome for handoff in trace.handoffs] == ["returned"]  # the other was never handed over


def test_a_recording_that_is_over_does_not_change() -> None:
    loop = LabLoop()

    async def main() -> tuple[Recorder, Trace]:
        with recording(loop) as recorder:
            late = loop.create_task(anyio.to_thread.run_sync(time.sleep, 0.02))
            await asyncio.sleep(0.005)
        at_once = build(recorder)
        await late
        return recorder, at_once

    recorder, at_once = loop.run_until_complete(main())
    loop.close()
    assert build(recorder).handoffs == at_once.handoffs
    assert [handoff.outcome for handoff in at_once.handoffs] == ["pending"]


def test_a_refused_second_recording_leaves_the_first_whole() -> None:
    loop = LabLoop()

    async def main() -> Recorder:
        with recording(loop) as recorder:
            with pytest.raises(RuntimeError), recording(loop):
                pass
            await loop.create_task(anyio.to_thread.run_sync(time.sleep, 0))
        return recorder

    trace = build(loop.run_until_complete(main()))
    loop.close()
    assert len(trace.handoffs) == 1


def test_threads_may_post_while_a_recording_ends() -> None:
    loop = LabLoop()
    over = False

    def post() -> None:
        for _ in range(5_000):  # bounded: a loop that is posted to faster than it can run never gets to its end
            if over:
                return
            loop.call_soon_threadsafe(int)

    async def main() -> None:
        nonlocal over
        posting = [loop.create_task(asyncio.to_thread(post)) for _ in range(2)]
        for _ in range(50):
            with recording(loop):
                await asyncio.sleep(0)
        over = True
        await asyncio.gather(*posting)

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.mark.slow
def test_a_call_that_holds_the_interpreters_lock_is_named_by_its_own_line() -> None:
    import json

    big = [{"key": list(range(20))} for _ in range(40_000)]

    async def program() -> None:
        for _ in range(9):
            text = json.dumps(big)
            assert text.startswith("[")
            await asyncio.sleep(0)

    trace, _ = record(program)
    named = [block.site.text for block in trace.blocks() if block.site is not None]
    assert len(named) == 9
    # the look comes when the call lets the lock go; on a busy machine now and then a little later
    assert named.count("text = json.dumps(big)") > 4


def test_a_recording_that_dropped_its_beginning_tells_no_tales_of_it() -> None:
    loop = LabLoop()

    async def busy() -> None:
        for _ in range(8_000):
            await asyncio.sleep(0)

    async def main() -> Recorder:
        with recording(loop, limit=2_048) as recorder:
            await loop.create_task(anyio.to_thread.run_sync(int), name="early")
            await loop.create_task(busy(), name="busy")
        return recorder

    trace = build(loop.run_until_complete(main()))
    loop.close()
    assert trace.dropped >= 2_048
    assert trace.dropped + len(trace.steps) >= 8_000
    assert [task.name for task in trace.tasks if task.name in ("early", "busy")] == ["busy"]
    assert trace.handoffs == ()
    # only what was dropped could speak of them
    assert (trace.forgotten["tasks"], trace.forgotten["handoffs"]) == (1, 1)
    check_the_loop_does_one_thing_at_a_time(trace)


def test_only_the_first_request_of_a_task_came_in_when_the_task_was_made() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    loop = LabLoop()

    async def client() -> None:
        for _ in range(3):
            await ask(recorded_app(app, lambda: loop.recorder))  # type: ignore[arg-type, return-value]

    async def main() -> Recorder:
        with recording(loop) as recorder:
            await loop.create_task(client(), name="client")
        return recorder

    trace = build(loop.run_until_complete(main()))
    loop.close()
    assert trace.requests[0].start_ns == trace.tasks[task_named(trace, "client")].created_ns
    lives = [(request.start_ns, request.end_ns) for request in trace.requests]
    assert lives == sorted(lives, key=lambda life: (life[1], life[0]))
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(lives))  # type: ignore[operator]


def test_a_task_that_ends_in_the_step_that_closed_the_recording_is_pending_in_it() -> None:
    loop = LabLoop()
    recorders: list[Recorder] = []

    async def closes() -> None:
        with recording(loop) as recorder:
            await asyncio.sleep(0)
        recorders.append(recorder)

    async def main() -> None:
        await loop.create_task(closes(), name="closes")

    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    trace = build(recorders[0])
    task = trace.tasks[task_named(trace, "closes")]
    assert (task.ended_ns, task.outcome) == (None, "pending")
