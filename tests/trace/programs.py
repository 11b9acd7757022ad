"""Programs that note their own steps, waits and hand-offs: an independent witness of what a recorder says."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.to_thread
from hypothesis import strategies as st

from playground.clock.loop import LabLoop
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording

now = time.perf_counter_ns


async def recorded(loop: LabLoop, function: Callable[[], Coroutine[Any, Any, Any]]) -> Recorder:
    """Await a coroutine function in a task named `main` of the running loop, which is recorded meanwhile."""
    with recording(loop) as recorder:
        await loop.create_task(function(), name="main")
    return recorder


def record(function: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[Trace, Recorder]:
    """Run a coroutine function on a recorded loop."""
    loop = LabLoop()
    try:
        recorder = loop.run_until_complete(recorded(loop, function))
    finally:
        loop.close()
    return build(recorder), recorder


def task_named(trace: Trace, name: str) -> int:
    (index,) = (index for index, task in enumerate(trace.tasks) if task.name == name)
    return index


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
    """What the program itself saw, on the recorder's clock but by its own hand: the stretches between a task's awaits,
    by its name, and the calls in workers, each with the name of the task that awaited it."""

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


class Watched(ABC):
    """Runs actions, and tells the witness around every await. What there is to await is each library's own."""

    def __init__(self) -> None:
        self.witness = Witness()

    async def run(self, name: str, actions: list[Action]) -> None:
        self.witness.resumes(name)
        for index, (action, amount) in enumerate(actions):
            if action == "work":
                until = now() + amount * 1000
                while now() < until:
                    pass
                continue
            self.witness.stops(name)
            await self.act(action, amount, name, index)
            self.witness.resumes(name)
        self.witness.stops(name)

    @abstractmethod
    async def act(self, action: str, amount: int, name: str, index: int) -> None:
        """Await what the action that has this index in the task of that name says."""


class Program(Watched):
    """Programs on asyncio."""

    def __init__(self) -> None:
        super().__init__()
        self.locks = [asyncio.Lock(), asyncio.Lock()]
        self.queues: list[asyncio.Queue[int]] = [asyncio.Queue(), asyncio.Queue()]

    async def act(self, action: str, amount: int, name: str, index: int) -> None:
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
                inner = f"{name}.{index}"
                await asyncio.create_task(self.run(inner, [("yield", 0)] * amount), name=inner)

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


def check_steps(trace: Trace, origin_ns: int, witness: Witness) -> None:
    """What the program saw as one stretch lies in exactly one recorded step of its own task."""
    check_the_loop_does_one_thing_at_a_time(trace)
    for name, stretches in witness.steps.items():
        task = task_named(trace, name)
        steps = [trace.steps[index] for index in trace.steps_of[task]]
        for start_ns, end_ns in stretches:
            start, end = start_ns - origin_ns, end_ns - origin_ns
            holders = [step for step in steps if step.start_ns <= start and end <= step.end_ns]
            assert len(holders) == 1, (name, start, end, steps)
        check_waits_fill_the_gaps(trace, task)


def check_handoffs(trace: Trace, origin_ns: int, witness: Witness) -> None:
    """Each call that a worker noted lies in a recorded hand-off of its own, and there is no other."""
    assert len(trace.handoffs) == len(witness.calls)
    unclaimed = list(trace.handoffs)
    for name, start_ns, end_ns in witness.calls:
        # by its task and not by order: a worker may lose the processor between its two notes of its start
        (handoff,) = (
            handoff
            for handoff in unclaimed
            if handoff.task == task_named(trace, name)
            and (handoff.started_ns or 0) <= start_ns - origin_ns
            and end_ns - origin_ns <= (handoff.ended_ns or 0)
        )
        unclaimed.remove(handoff)
        assert handoff.function == "Witness.worker"
        assert handoff.started_ns is not None
        assert handoff.ended_ns is not None
        assert handoff.woken_ns is not None
        assert handoff.submitted_ns <= handoff.started_ns
        assert handoff.ended_ns <= handoff.woken_ns
