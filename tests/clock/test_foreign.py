"""A loop that is not ours is recorded as truly as ours, where that can be."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.clock.foreign import LentTurns
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder
from playground.trace.sampler import Sampler
from playground.trace.threads import watch_threads
from playground.watching import Session
from tests.clock.foreign import KINDS, new_loop
from tests.trace.programs import (
    ACTIONS,
    Action,
    Program,
    check_steps,
    check_the_loop_does_one_thing_at_a_time,
    check_waits_fill_the_gaps,
    task_named,
)
from tests.truth.accounts import account
from tests.truth.compare import check
from tests.truth.program import PROGRAMS
from tests.truth.program import Program as TrueProgram

QUIET: Final = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@contextlib.contextmanager
def lent(loop: asyncio.AbstractEventLoop) -> Iterator[Recorder]:
    """Record a running stock loop from its next turn on, without the step that asks for it."""
    recorder = Recorder()
    watcher = LentTurns(loop)
    recorder.sampler = Sampler(watcher, recorder.now, recorder.looks)
    with contextlib.closing(recorder.sampler), watch_threads(loop, recorder):
        recorder.begin(loop)
        watcher.record(recorder)
        watcher._ready.popleft()  # what would tell of the step that asks
        watcher._begun = None
        watcher.step = 0
        try:
            yield recorder
        finally:
            recorder.close()
            watcher.stop_recording()


@pytest.mark.slow
@settings(QUIET, max_examples=40)
@given(program=PROGRAMS)
def test_a_stock_loop_is_recorded_as_a_program_saw_itself(program: TrueProgram) -> None:
    trace, witness, origin_ns = account(asyncio.SelectorEventLoop(), lent, program)
    check(trace, witness, origin_ns, exact=False)


def record(loop: asyncio.AbstractEventLoop, function: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[Trace, Recorder]:
    """Run a coroutine function on a loop, recorded from its first step to the loop's end."""
    with contextlib.closing(Session()) as session, contextlib.closing(loop):
        loop.run_until_complete(function())
    ((recorder, _),) = session.recorders()
    return build(recorder), recorder


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@settings(QUIET, max_examples=30)
@given(programs=st.lists(st.lists(ACTIONS, max_size=6), min_size=1, max_size=5))
def test_random_programs_are_recorded_as_their_witness_saw_them(kind: str, programs: list[list[Action]]) -> None:
    program = Program()
    trace, recorder = record(new_loop(kind), lambda: program.main(programs))

    check_steps(trace, recorder.started_ns, program.witness)
    assert len(trace.handoffs) == len(program.witness.calls)
    assert all(handoff.woken_ns is not None for handoff in trace.handoffs)


@pytest.mark.parametrize("kind", KINDS)
def test_who_wakes_whom_is_told_and_what_for_a_task_waits(kind: str) -> None:
    event = asyncio.Event()

    async def waiter() -> None:
        await event.wait()

    async def main() -> None:
        task = asyncio.create_task(waiter(), name="waiter")
        await asyncio.sleep(0)
        event.set()
        await task

    trace, _ = record(new_loop(kind), main)
    task = task_named(trace, "waiter")
    first, second = (trace.steps[index] for index in trace.steps_of[task])
    parent = trace.tasks[task].parent
    assert parent is not None
    assert trace.tasks[parent].coroutine.endswith("main")
    assert first.woken_by == trace.steps_of[parent][0]
    assert second.woken_by == trace.steps_of[parent][1]
    (wait,) = (wait for wait in trace.waits if wait.task == task)
    assert (wait.on, wait.site and wait.site.text) == ("event", "await event.wait()")


@pytest.mark.parametrize("kind", KINDS)
def test_a_sleep_that_is_over_while_the_loop_is_held_ends_when_it_was_due(kind: str) -> None:
    async def sleeper() -> None:
        await asyncio.sleep(0.005)

    async def main() -> None:
        task = asyncio.create_task(sleeper(), name="sleeper")
        await asyncio.sleep(0)
        time.sleep(0.05)
        await task

    trace, _ = record(new_loop(kind), main)
    task = task_named(trace, "sleeper")
    (wait,) = (wait for wait in trace.waits if wait.task == task)
    ((ready_ns, run_ns),) = trace.ready_spans(task)[-1:]
    assert wait.end_ns == ready_ns
    (held,) = trace.blocks(0.04)
    assert held.start_ns < ready_ns < held.end_ns <= run_ns  # and the rest was queueing


def test_a_recording_within_a_step_tells_of_that_step_and_of_the_one_in_which_it_ends() -> None:
    async def main() -> Session:
        await asyncio.sleep(0)
        with contextlib.closing(Session()) as session:
            time.sleep(0.1)
            await asyncio.sleep(0.001)
            time.sleep(0.15)
        return session

    loop = asyncio.SelectorEventLoop()
    with contextlib.closing(loop):
        session = loop.run_until_complete(main())
    ((recorder, _),) = session.recorders()
    trace = build(recorder)
    (task,) = range(len(trace.tasks))
    first, last = (trace.steps[index] for index in trace.steps_of[task])
    assert (first.outcome, last.outcome) == ("waits", "yields")
    assert first.duration_ns >= 100e6
    assert last.duration_ns >= 150e6
    assert {block.call for block in trace.blocks(0.08)} == {"time.sleep(0.1)", "time.sleep(0.15)"}
    (wait,) = trace.waits
    assert (wait.start_ns, wait.on) == (first.end_ns, "timer")
    assert last.woken_by == 1  # the timer's callback
    check_waits_fill_the_gaps(trace, task)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks start eagerly from Python 3.12 on")
def test_tasks_that_start_eagerly_cut_the_steps_within_which_a_recording_begins_and_ends() -> None:
    async def eager() -> None:
        await asyncio.sleep(0)

    async def main() -> Session:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined, unused-ignore]
        with contextlib.closing(Session()) as session:
            await asyncio.create_task(eager(), name="first")
            await asyncio.sleep(0.001)
            last = asyncio.create_task(eager(), name="last")
        await last
        return session

    with contextlib.closing(asyncio.SelectorEventLoop()) as loop:
        session = loop.run_until_complete(main())
    ((recorder, _),) = session.recorders()
    trace = build(recorder)
    check_the_loop_does_one_thing_at_a_time(trace)
    outcomes = {
        name: [trace.steps[index].outcome for index in trace.steps_of[task_named(trace, name)]]
        for name in ("first", "last")
    }
    assert outcomes == {"first": ["yields", "returned"], "last": ["yields"]}
    (main_task,) = (index for index, row in enumerate(trace.tasks) if row.coroutine.endswith("main"))
    steps = [trace.steps[index] for index in trace.steps_of[main_task]]
    assert [step.outcome for step in steps] == ["yields", "waits", "waits", "yields", "yields"]
    first = trace.steps[trace.steps_of[task_named(trace, "first")][0]]
    assert first.woken_by == trace.steps_of[main_task][0]
    assert steps[1].woken_by == trace.steps_of[task_named(trace, "first")][0]


@pytest.mark.parametrize("kind", ["patched", "uvloop"])
def test_where_turns_cannot_be_taken_a_body_without_await_is_still_told_of(kind: str) -> None:
    async def main() -> Session:
        with contextlib.closing(Session()) as session:
            time.sleep(0.02)
        return session

    loop = new_loop(kind)
    with contextlib.closing(loop):
        session = loop.run_until_complete(main())
    ((recorder, _),) = session.recorders()
    (step,) = build(recorder).steps
    assert (step.task, step.outcome) == (0, "yields")
    assert step.duration_ns >= 20e6


NESTED = """
import asyncio, contextlib, warnings
warnings.simplefilter("error")
from playground import allow_asyncio_run, watch

async def inner():
    await asyncio.sleep(0.001)

async def outer():
    asyncio.run(inner())
    await asyncio.sleep(0.001)

async def cell():
    allow_asyncio_run()
    with watch() as trace:
        await asyncio.create_task(outer(), name="outer")
    return trace

trace = asyncio.run(cell())
assert all(a.end_ns <= b.start_ns for a, b in zip(trace.steps, trace.steps[1:]))
for task, row in enumerate(trace.tasks):
    print(row.coroutine, [trace.steps[index].outcome for index in trace.steps_of.get(task, ())])
"""


def test_a_run_within_a_run_is_recorded_in_pieces_that_do_not_overlap() -> None:
    pytest.importorskip("nest_asyncio")
    done = subprocess.run([sys.executable, "-c", NESTED], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert told["outer"] == "['yields', 'waits', 'returned']"
    assert told["inner"] == "['waits', 'returned']"
