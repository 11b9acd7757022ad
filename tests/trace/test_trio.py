"""A recording of trio agrees with what the program itself saw, says no more than is known, and leaves no trace."""

import contextlib
import functools
import logging
import math
import time
from typing import Any

import anyio.to_thread
import pytest
import trio
import trio.testing
from anyio._backends._trio import TrioBackend
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio._core import _run

from playground.trace import Trace
from playground.trace.build import build
from playground.trace.trio_instrument import TrioInstrument, TrioRecorder
from playground.watching import Session
from playground.watching.watch import watch
from tests.trace.programs import (
    Action,
    check_handoffs,
    check_steps,
    check_the_loop_does_one_thing_at_a_time,
    task_named,
)
from tests.trace.trio_programs import ACTIONS, Program, record

# -- random programs and their witness ------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs=st.lists(st.lists(ACTIONS, max_size=6), min_size=1, max_size=5))
def test_random_programs_are_recorded_as_their_witness_saw_them(programs: list[list[Action]]) -> None:
    program = Program()
    trace, recorder = record(functools.partial(program.main, programs))
    check_steps(trace, recorder.started_ns, program.witness)
    assert {trace.tasks[task_named(trace, name)].outcome for name in program.witness.steps} == {"returned"}
    check_handoffs(trace, recorder.started_ns, program.witness)


# -- single facts ---------------------------------------------------------------------------------------------------


def test_a_wait_names_what_for_and_the_programs_own_line() -> None:
    lock, event = trio.Lock(), trio.Event()
    main_blocks = trio.testing.wait_all_tasks_blocked  # for longer than it sleeps
    sender, receiver = trio.open_memory_channel[int](0)

    async def others() -> None:
        async with lock:
            await main_blocks(0.02)
        await main_blocks(0.02)
        event.set()
        await main_blocks(0.02)
        await sender.send(1)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(others)
            await trio.sleep(0.005)
            await lock.acquire()
            await event.wait()
            await receiver.receive()
            await trio.to_thread.run_sync(time.sleep, 0.001)
            await anyio.to_thread.run_sync(time.sleep, 0.001)
            one, two = trio.socket.socketpair()
            with trio.move_on_after(0.001), one, two:
                await one.recv(1)
            nursery.start_soon(trio.sleep, 0.001)

    trace, _ = record(main)
    task = next(index for index, row in enumerate(trace.tasks) if row.coroutine.endswith("<locals>.main"))
    waits = [trace.waits[index] for index in trace.waits_of[task]]
    assert [(wait.on, wait.site and wait.site.text) for wait in waits] == [
        ("timer", "await trio.sleep(0.005)"),
        ("lock", "await lock.acquire()"),
        ("event", "await event.wait()"),
        ("queue", "await receiver.receive()"),
        ("thread", "await trio.to_thread.run_sync(time.sleep, 0.001)"),
        ("thread", "await anyio.to_thread.run_sync(time.sleep, 0.001)"),
        ("io", "await one.recv(1)"),
        ("task", "async with trio.open_nursery() as nursery:"),
    ]


def test_a_task_has_its_parent_and_the_way_in_which_it_ended() -> None:
    async def fails() -> None:
        raise ValueError

    async def catches() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await trio.lowlevel.checkpoint()

    async def holds() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever, name="inner")
            await trio.sleep_forever()

    async def main() -> None:
        try:
            async with trio.open_nursery() as nursery:
                for function in (catches, holds, trio.sleep_forever):
                    nursery.start_soon(function, name=function.__name__)
                await trio.testing.wait_all_tasks_blocked()  # what may end has ended
                nursery.start_soon(fails, name="fails")
        except* ValueError:
            pass
        raise KeyError("out of the run")

    session = Session()
    with pytest.raises(KeyError):
        trio.run(main)
    session.close()
    ((recorder, _),) = session.recorders()
    trace = build(recorder)
    main_task = next(index for index, row in enumerate(trace.tasks) if row.coroutine.endswith("<locals>.main"))
    told = {row.name: (row.outcome, row.parent) for row in trace.tasks}
    assert told["catches"] == ("returned", main_task)
    assert told["holds"] == ("cancelled", main_task)
    assert told["inner"] == ("cancelled", task_named(trace, "holds"))
    assert told["sleep_forever"] == ("cancelled", main_task)
    assert told["fails"] == ("raised", main_task)
    assert trace.tasks[main_task].outcome == "raised"
    last = {trace.tasks[step.task].name: step.outcome for step in trace.steps if step.task is not None}
    assert {name: last[name] for name in told} == {name: outcome for name, (outcome, _) in told.items()}


def test_a_step_names_the_step_that_woke_it() -> None:
    event = trio.Event()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(event.wait, name="waiter")
            await trio.testing.wait_all_tasks_blocked()
            event.set()

    trace, _ = record(main)
    main_task = next(index for index, row in enumerate(trace.tasks) if row.coroutine.endswith("<locals>.main"))
    first, second = (trace.steps[index] for index in trace.steps_of[task_named(trace, "waiter")])
    before = [index for index in trace.steps_of[main_task] if trace.steps[index].end_ns <= second.start_ns]
    assert (first.woken_by, second.woken_by) == (before[0], before[-1])


@pytest.mark.parametrize("how", ["sleep", "timeout"])
def test_a_deadline_that_passes_while_the_run_is_held_ends_the_wait_when_it_was_due(how: str) -> None:
    async def sleeper() -> None:
        if how == "sleep":
            await trio.sleep(0.03)
        else:
            with trio.move_on_after(0.03):
                await trio.Event().wait()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleeper, name="sleeper")
            await trio.testing.wait_all_tasks_blocked()
            time.sleep(0.05)

    trace, _ = record(main)
    task = task_named(trace, "sleeper")
    (wait,) = (trace.waits[index] for index in trace.waits_of[task])
    (held,) = trace.blocks(0.04)
    assert held.call == "time.sleep(0.05)"
    assert held.start_ns < wait.end_ns < held.end_ns
    assert trace.ready_spans(task)[-1][0] == wait.end_ns  # and the rest was queueing


def test_a_mock_clock_that_jumps_makes_no_wait_begin_before_its_step() -> None:
    async def main() -> None:
        await trio.sleep(1000)

    trace, _ = record(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert trace.duration_ns < 100e9
    assert all(0 <= wait.start_ns <= wait.end_ns <= trace.duration_ns for wait in trace.waits)


def test_a_limiter_that_is_full_is_told_of() -> None:
    async def main() -> None:
        limiter = trio.CapacityLimiter(1)
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(functools.partial(trio.to_thread.run_sync, time.sleep, 0.02, limiter=limiter))

    trace, _ = record(main)
    first, second = trace.handoffs
    assert first.limiter_wait_ns == 0
    assert second.limiter_wait_ns >= 15e6
    assert second.submitted_ns >= (first.ended_ns or math.inf)


def test_a_hand_off_that_is_cancelled_in_the_queue_was_cancelled() -> None:
    async def main() -> None:
        limiter = trio.CapacityLimiter(1)
        await limiter.acquire()
        with trio.move_on_after(0.005):
            await trio.to_thread.run_sync(time.sleep, 0, limiter=limiter)

    trace, recorder = record(main)
    assert trace.handoffs == ()  # it was never submitted
    assert [call.outcome for call in recorder.handoffs.values()] == ["cancelled"]


def test_a_worker_is_named_as_without_a_recording() -> None:
    import threading

    def name() -> str:
        return threading.current_thread().name

    async def main() -> list[str]:
        return [await trio.to_thread.run_sync(name), await trio.to_thread.run_sync(name, thread_name="mine")]

    plain = trio.run(main)
    seen = watch(main, backend="trio").result
    assert seen == plain == [plain[0], "mine"]


# -- within a run, and giving back ----------------------------------------------------------------------------------


def test_a_watch_within_a_run_records_it_from_there_on() -> None:
    async def main() -> Trace:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever, name="other")
            await trio.sleep(0.001)
            with watch() as trace:
                await trio.sleep(0.002)
            assert _instruments() == []
            nursery.cancel_scope.cancel()
        return trace

    trace = trio.run(main)
    assert {row.outcome for row in trace.tasks} == {"pending"}
    main_task = next(index for index, row in enumerate(trace.tasks) if row.coroutine.endswith("<locals>.main"))
    assert [trace.steps[index].outcome for index in trace.steps_of[main_task]] == ["waits", "yields"]
    assert [trace.waits[index].on for index in trace.waits_of[main_task]] == ["timer"]
    other = task_named(trace, "other")
    (wait,) = (trace.waits[index] for index in trace.waits_of[other])
    assert (wait.on, wait.end_ns) == ("timer", trace.duration_ns)
    assert trace.tasks[other].parent == main_task


def test_runs_of_one_thread_follow_one_another_in_one_trace() -> None:
    async def main() -> None:
        await trio.sleep(0.001)

    def twice() -> None:
        trio.run(main)
        trio.run(main)

    trace = watch(twice)
    assert trace.others == ()
    assert [row.coroutine for row in trace.tasks].count("Runner.init") == 2
    check_the_loop_does_one_thing_at_a_time(trace)


def _instruments() -> list[Any]:
    return list(_run.GLOBAL_RUN_CONTEXT.runner.instruments["_all"])


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_all_that_was_borrowed_is_given_back(error: type[BaseException] | None) -> None:
    places = ((_run, "setup_runner"), (trio.to_thread, "run_sync"), (TrioBackend, "run_sync_in_worker_thread"))
    found = [vars(owner)[name] for owner, name in places]

    async def main() -> None:
        assert [vars(owner)[name] for owner, name in places] != found
        await trio.to_thread.run_sync(int)
        if error is not None:
            raise error

    if error is None:
        watch(main, backend="trio")
    else:
        with pytest.raises(error):
            watch(main, backend="trio")
    assert [vars(owner)[name] for owner, name in places] == found


def test_no_instrument_of_ours_ever_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def never_starts(task_status: trio.TaskStatus[None]) -> None:
        await trio.lowlevel.checkpoint()

    async def main() -> None:
        with contextlib.suppress(BaseExceptionGroup):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep, 0)
                await nursery.start(never_starts)
        trio.lowlevel.spawn_system_task(trio.sleep_forever)

    with caplog.at_level(logging.ERROR, logger="trio.abc.Instrument"):
        trace, _ = record(main)
    assert caplog.records == []
    assert {row.outcome for row in trace.tasks} <= {"returned", "cancelled", "raised"}


def test_a_loop_that_goes_round_puts_off_whoever_looks_at_it_when_it_is_due() -> None:
    class Looker:
        due_ns = 0
        moves = 0

        def moved_on(self) -> None:
            self.moves += 1
            self.due_ns = 1 << 63

    recorder, looker = TrioRecorder(), Looker()
    instrument = TrioInstrument(recorder)
    instrument.after_io_wait(0)  # nobody looks
    recorder.sampler = looker  # type: ignore[assignment]
    for _ in range(3):
        instrument.after_io_wait(0)
    assert looker.moves == 1
