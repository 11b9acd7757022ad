"""The recording agrees with an independent witness: programs that note their own steps, waits and hand-offs."""

import asyncio
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.to_thread
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.clock.loop import LabLoop
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording

now = time.perf_counter_ns


def record(function: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[Trace, Recorder]:
    """Run a coroutine function on a recorded loop."""
    loop = LabLoop()

    async def main() -> Recorder:
        with recording(loop) as recorder:
            await loop.create_task(function(), name="main")
        return recorder

    try:
        recorder = loop.run_until_complete(main())
    finally:
        loop.close()
    return build(recorder), recorder


def task_named(trace: Trace, name: str) -> int:
    (index,) = (index for index, task in enumerate(trace.tasks) if task.name == name)
    return index


# -- random programs and their witness ----------------------------------------------------------------------------

Action = tuple[str, int]

ACTIONS = st.one_of(
    st.tuples(st.just("work"), st.integers(0, 300)),  # µs of busy work within the step
    st.tuples(st.just("yield"), st.just(0)),
    st.tuples(st.just("sleep"), st.integers(0, 3)),  # ms; asyncio.sleep(0) only yields
    st.tuples(st.just("lock"), st.integers(0, 1)),
    st.tuples(st.just("put"), st.integers(0, 1)),
    st.tuples(st.just("get"), st.integers(0, 1)),
    st.tuples(st.just("thread"), st.integers(0, 2)),  # ms in a worker, through anyio
    st.tuples(st.just("executor"), st.integers(0, 2)),  # ms in a worker, through asyncio
    st.tuples(st.just("child"), st.integers(0, 2)),
)


@dataclass
class Witness:
    """What the program itself saw, on the recorder's clock but by its own hand."""

    steps: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    calls: list[tuple[str, int, int]] = field(default_factory=list)
    began: dict[str, int] = field(default_factory=dict)

    def resumes(self, name: str) -> None:
        self.began[name] = now()

    def stops(self, name: str) -> None:
        self.steps[name].append((self.began[name], now()))

    def worker(self, name: str, duration_ms: int) -> None:
        start = now()
        time.sleep(duration_ms / 1000)
        self.calls.append((name, start, now()))


class Program:
    """Runs actions, and tells the witness around every await."""

    def __init__(self) -> None:
        self.witness = Witness()
        self.locks = [asyncio.Lock(), asyncio.Lock()]
        self.queues: list[asyncio.Queue[int]] = [asyncio.Queue(), asyncio.Queue()]

    async def run(self, name: str, actions: list[Action]) -> None:
        self.witness.resumes(name)
        for index, (action, amount) in enumerate(actions):
            if action == "work":
                until = now() + amount * 1000
                while now() < until:
                    pass
                continue
            self.witness.stops(name)
            await self.act(action, amount, f"{name}.{index}")
            self.witness.resumes(name)
        self.witness.stops(name)

    async def act(self, action: str, amount: int, name: str) -> None:
        match action:
            case "yield":
                await asyncio.sleep(0)
            case "sleep":
                await asyncio.sleep(amount / 1000)
            case "lock":
                async with self.locks[amount]:
                    await asyncio.sleep(0)
            case "put":
                self.queues[amount].put_nowait(1)
            case "get":
                async with asyncio.timeout(0.005):
                    await self.queues[amount].get()
            case "thread":
                await anyio.to_thread.run_sync(self.witness.worker, name, amount)
            case "executor":
                await asyncio.to_thread(self.witness.worker, name, amount)
            case "child":
                child = asyncio.create_task(self.run(name, [("yield", 0)] * amount), name=name)
                await child

    async def main(self, programs: list[list[Action]]) -> None:
        tasks = [
            asyncio.create_task(self.guarded(str(index), actions), name=str(index))
            for index, actions in enumerate(programs)
        ]
        await asyncio.wait(tasks)

    async def guarded(self, name: str, actions: list[Action]) -> None:
        try:
            await self.run(name, actions)
        except TimeoutError:
            self.witness.resumes(name)
            self.witness.stops(name)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs=st.lists(st.lists(ACTIONS, max_size=6), min_size=1, max_size=5))
def test_random_programs_are_recorded_as_their_witness_saw_them(programs: list[list[Action]]) -> None:
    program = Program()
    trace, recorder = record(lambda: program.main(programs))
    witness = program.witness
    origin = recorder.started_ns

    check_the_loop_does_one_thing_at_a_time(trace)
    for name, seen in witness.steps.items():
        task = task_named(trace, name)
        steps = [trace.steps[index] for index in trace.steps_of[task]]
        # what the program saw as one stretch lies in exactly one recorded step of its own task
        for start, end in seen:
            holders = [s for s in steps if s.start_ns <= start - origin and end - origin <= s.end_ns]
            assert len(holders) == 1, (name, start - origin, end - origin, steps)
        check_waits_fill_the_gaps(trace, task)

    assert len(trace.handoffs) == len(witness.calls)
    unclaimed = list(trace.handoffs)
    for name, start, end in witness.calls:
        # by its task and not by order: a worker may lose the processor between its two notes of its start
        (handoff,) = (
            handoff
            for handoff in unclaimed
            if handoff.task == task_named(trace, name.rpartition(".")[0])
            and (handoff.started_ns or 0) <= start - origin
            and end - origin <= (handoff.ended_ns or 0)
        )
        unclaimed.remove(handoff)
        assert handoff.function == "Witness.worker"
        assert handoff.started_ns is not None
        assert handoff.ended_ns is not None
        assert handoff.woken_ns is not None
        assert handoff.submitted_ns <= handoff.started_ns
        assert handoff.ended_ns <= handoff.woken_ns


def check_the_loop_does_one_thing_at_a_time(trace: Trace) -> None:
    for before, after in zip(trace.steps, trace.steps[1:], strict=False):
        assert before.end_ns <= after.start_ns
    assert all(step.woken_by is None or step.woken_by < index for index, step in enumerate(trace.steps))
    assert not trace.steps or trace.steps[-1].end_ns <= trace.duration_ns


def check_waits_fill_the_gaps(trace: Trace, task: int) -> None:
    """Between two steps of a task it waits, is ready, or both in that order; never anything else."""
    steps = [trace.steps[index] for index in trace.steps_of[task]]
    waits = {wait.start_ns: wait for wait in trace.waits if wait.task == task}
    ready = dict(trace.ready_spans(task))
    at = trace.tasks[task].created_ns
    for step in steps:
        if at in waits:
            at = waits.pop(at).end_ns
        if at in ready:
            at = ready.pop(at)
        assert at == step.start_ns
        at = step.end_ns
    assert not ready
    assert len(waits) == (steps[-1].outcome == "waits")


# -- single facts ---------------------------------------------------------------------------------------------------


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


# -- what goes wrong is recorded truly too --------------------------------------------------------------------------


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
    from playground.asgi import Message, Receive, Scope, Send
    from playground.trace.requests import recorded_app

    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None: ...

    loop = LabLoop()

    async def client() -> None:
        for _ in range(3):
            await recorded_app(app, lambda: loop.recorder)(  # type: ignore[arg-type, return-value]
                {"type": "http", "method": "GET", "path": "/"},
                receive,
                send,
            )

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
