"""The loop theatre's stage: who stood where at each step."""

import asyncio
import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import App, Lab
from playground.trace import Site, Trace
from playground.trace.trace import Clock
from playground.views.play import play
from playground.views.stage import NOBODY, UNKNOWN_NS, stage
from tests.by_hand import handoff, ns, request, step, task, wait
from tests.recordings import blocked_run, load
from tests.views.stage import FETCH, RESULT, at_work, done, queued, waiting

LOCK = Site("cell 3", 11, "read_item", "async with lock:")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.sampled_from([40.0, 400.0, 4000.0]), st.booleans())
def test_each_task_is_at_one_place_at_each_step(seed: int, requests: int, rate: float, drops: bool) -> None:
    trace = load(requests, seed=seed, rate=rate)
    if drops:
        trace = after(trace, len(trace.steps) // 2)
    made = stage(trace, len(trace.steps))
    for place in range(made.steps + 1):
        there: Counter[int] = Counter()
        if place < made.steps:
            there[task_of(trace, place)] += 1
        for index in queued(made, place):
            # a callback stands in the queue in a task's stead
            there[task_of(trace, index if made.carries[index] == NOBODY else made.carries[index])] += 1
        rows = [stay.row for stay in made.waits if stay.enters <= place < stay.leaves]
        there.update(trace.waits[row].task for row in rows if row is not None)
        assert max(there.values(), default=0) <= 1


def task_of(trace: Trace, index: int) -> int:
    task = trace.steps[index].task
    return -1 - index if task is None else task


def after(trace: Trace, first: int) -> Trace:
    """What is left of a recording whose oldest steps were dropped."""
    steps = [
        replace(step, woken_by=step.woken_by - first if step.woken_by is not None and step.woken_by >= first else None)
        for step in trace.steps[first:]
    ]
    since = steps[0].start_ns
    return Trace(
        steps=steps,
        tasks=trace.tasks,
        waits=[wait for wait in trace.waits if wait.start_ns >= since],
        handoffs=trace.handoffs,
        requests=trace.requests,
        duration_ns=trace.duration_ns,
        dropped=first,
    )


def many_kinds() -> App:
    """An app that sleeps, blocks, calls a thread, gathers and takes a lock."""
    app = App()
    lock = asyncio.Lock()

    @app.get("/sleep")
    async def sleep() -> str:
        await asyncio.sleep(0.002)
        return "slept"

    @app.get("/block")
    async def block() -> str:
        await asyncio.sleep(0.001)
        time.sleep(0.005)
        return "blocked"

    @app.get("/thread")
    def thread() -> str:
        time.sleep(0.002)
        return "called"

    @app.get("/both")
    async def both() -> str:
        async with lock:
            await asyncio.gather(asyncio.sleep(0.001), asyncio.create_task(asyncio.sleep(0.001)))
        return "gathered"

    return app


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_in_a_labs_run_the_first_in_line_runs_next_and_nobody_is_in_two_places(clock: Clock) -> None:
    with Lab(many_kinds(), clock=clock) as lab:
        trace = lab.burst(lambda index: ("/sleep", "/block", "/thread", "/both")[index % 4], n=16).trace
    made = stage(trace, len(trace.steps))
    for place in range(made.steps):
        queue = queued(made, place)
        assert not queue or queue[0] == place + 1
        there = Counter(
            [
                task_of(trace, place),
                *(task_of(trace, at if made.carries[at] == NOBODY else made.carries[at]) for at in queue),
                *(
                    trace.waits[stay.row].task
                    for stay in made.waits
                    if stay.enters <= place < stay.leaves and stay.row is not None
                ),
            ]
        )
        assert max(there.values()) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.sampled_from([40.0, 400.0, 4000.0]))
def test_whoever_is_seen_in_the_queue_runs_in_its_order_and_the_counts_are_those_seen(
    seed: int, requests: int, rate: float
) -> None:
    trace = load(requests, seed=seed, rate=rate)
    shown = play(trace)
    made = shown.stage
    for place in range(made.steps):
        seen = queued(made, place)
        assert len(seen) == shown.queued(place)
        if seen and place + 1 < made.steps:
            # nobody who was ready is overtaken by another who was ready
            assert [index for index in queued(made, place + 1) if index in seen] == [
                index for index in seen if index != place + 1
            ]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.sampled_from([40.0, 400.0, 4000.0]))
def test_a_task_that_runs_was_in_the_queue_as_long_as_the_trace_says(seed: int, requests: int, rate: float) -> None:
    trace = load(requests, seed=seed, rate=rate)
    made = stage(trace, len(trace.steps))
    ready: Counter[int] = Counter()
    for index, row in enumerate(trace.steps):
        if row.task is not None and made.queued_ns[index] != UNKNOWN_NS:
            ready[row.task] += made.queued_ns[index]
    assert ready == Counter({task: trace.ready_ns(task) for task in ready})


def test_a_task_that_a_step_wakes_is_in_the_queue_from_that_step_on_also_if_all_have_one_moment() -> None:
    trace = Trace(
        steps=[
            step(0, 0, 0, "waits", site=LOCK),
            step(1, 0, 0, "yields"),
            step(2, 0, 0, "returned"),  # lets go of the lock
            step(1, 0, 0, "yields", woken_by=1),
            step(0, 0, 0, "returned", woken_by=2),
        ],
        tasks=[task(), task(), task()],
        waits=[wait(0, 0, 0, "lock", LOCK)],
        clock="virtual",
    )
    made = stage(trace, 9)
    assert [queued(made, place) for place in range(6)] == [[1, 2], [2], [3, 4], [4], [], []]
    assert [waiting(made, place) for place in range(6)] == [[], [0], [], [], [], []]


def test_a_callback_stands_in_the_queue_for_the_task_whose_wait_was_over_while_the_loop_was_blocked() -> None:
    trace = Trace(
        steps=[
            step(0, 0, 1, "waits", site=FETCH),
            step(1, 1, 60, "returned"),
            step(None, 61, 0.1, "callback", site=RESULT),
            step(0, 61.2, 1, "returned", woken_by=2),
        ],
        tasks=[task(), task(0.5)],
        waits=[wait(0, 1, 6, "timer", FETCH)],
    )
    made = stage(trace, 9)
    assert [queued(made, place) for place in range(5)] == [[1], [2], [3], [], []]
    assert list(made.carries) == [NOBODY, NOBODY, 3, NOBODY]
    assert made.queued_ns[2] == ns(55)
    assert [waiting(made, place) for place in range(5)] == [[], [], [], [], []]


def test_one_callback_stands_for_one_task_and_the_others_that_it_wakes_still_wait() -> None:
    trace = Trace(
        steps=[
            step(0, 0, 1, "waits"),
            step(1, 1, 1, "waits"),
            step(2, 2, 60, "returned"),
            step(None, 62, 1, "callback", site=RESULT),
            step(0, 63, 1, "returned", woken_by=3),
            step(1, 64, 1, "returned", woken_by=3),
        ],
        tasks=[task(), task(), task()],
        waits=[wait(0, 1, 10, "event"), wait(1, 2, 10, "event")],
    )
    made = stage(trace, 9)
    assert (queued(made, 2), waiting(made, 2)) == ([3], [1])
    assert (queued(made, 3), waiting(made, 3)) == ([4, 5], [])


def test_a_callback_that_a_step_made_ready_is_in_the_queue_and_one_from_outside_is_not() -> None:
    trace = Trace(
        steps=[
            step(0, 0, 1, "waits"),
            step(None, 1, 1, "callback", site=RESULT, woken_by=0),
            step(None, 5, 1, "callback", site=RESULT),
        ],
        tasks=[task()],
    )
    made = stage(trace, 9)
    assert [queued(made, place) for place in range(4)] == [[1], [], [], []]
    assert made.queued_ns[1] == UNKNOWN_NS


def test_a_callback_that_runs_before_one_that_was_queued_had_been_queued_before_it() -> None:
    trace = Trace(
        steps=[
            step(0, 0, 0, "waits", site=FETCH),
            step(1, 0, 0, "waits", site=FETCH),
            step(None, 5, 0, "callback", site=RESULT),  # two timers are due at one moment
            step(None, 5, 0, "callback", site=RESULT),
            step(0, 5, 0, "returned", woken_by=2),
            step(1, 5, 0, "returned", woken_by=3),
        ],
        tasks=[task(), task()],
        waits=[wait(0, 0, 5, "timer", FETCH), wait(1, 0, 5, "timer", FETCH)],
        clock="virtual",
    )
    made = stage(trace, 9)
    assert [queued(made, place) for place in range(6)] == [[1], [], [3, 4], [4, 5], [5], []]
    assert [waiting(made, place) for place in range(1, 5)] == [[0], [1], [], []]


def test_what_a_task_waited_for_may_be_unknown_and_then_so_is_when_it_was_ready() -> None:
    trace = Trace(steps=[step(0, 0, 1, "waits"), step(1, 1, 1), step(0, 2, 1, "returned")], tasks=[task(), task()])
    made = stage(trace, 9)
    assert [(stay.enters, stay.leaves, stay.row) for stay in made.waits] == [(1, 2, None), (2, 4, None)]
    assert list(made.queued_ns) == [0, ns(1), UNKNOWN_NS]


def test_a_task_that_stood_in_a_wait_all_the_time_waits_from_the_first_place_to_the_last() -> None:
    trace = Trace(
        steps=[step(1, 0, 1, "returned")],
        tasks=[task(), task()],
        waits=[wait(0, 0, 5, "future")],
        duration_ns=ns(5),
    )
    made = stage(trace, 9)
    assert [len(waiting(made, place)) for place in (0, 1)] == [1, 1]
    assert made.open == {0}


def test_a_call_is_in_its_thread_only_after_the_step_that_made_it() -> None:
    trace = Trace(
        steps=[
            step(0, 0, 0, "yields"),
            step(1, 0, 0, "returned"),
            step(0, 0, 0, "waits", woken_by=0),
            step(2, 10, 0, "returned"),
            step(0, 20, 0, "returned"),
        ],
        tasks=[task(), task(), task(10)],
        waits=[wait(0, 0, 20, "thread")],
        handoffs=[handoff(0, 0, 20, 20, task=0), handoff(0, None, None, None, task=0, thread=None)],
        clock="virtual",
    )
    made = stage(trace, 9)
    assert [at_work(made, place) for place in range(6)] == [[], [], [0], [0], [], []]
    assert made.asked == ([2], [6])


def test_what_has_ended_is_done_from_the_step_after_its_last() -> None:
    tasks = [
        replace(task(), ended_ns=ns(4), outcome="returned"),
        replace(task(parent=0), ended_ns=ns(2), outcome="raised"),
    ]
    trace = Trace(
        steps=[step(0, 0, 1, "waits"), step(1, 1, 1, "raised"), step(0, 3, 1, "returned")],
        tasks=tasks,
        waits=[wait(0, 1, 2, "task")],
        requests=[request(0, 0, 4, task=0)],
    )
    made = stage(trace, 9)
    assert [done(made, place) for place in range(4)] == [[], [], [(1, None)], [(1, None), (None, 0)]]


def test_a_recording_without_steps_has_one_place() -> None:
    made = stage(Trace(duration_ns=5), 9)
    assert (made.steps, made.ends_ns) == (0, [5])


def test_only_so_many_steps_are_played_and_the_rest_is_counted() -> None:
    trace = blocked_run()
    shown = play(trace, most_steps=10)
    assert shown.stage.steps == 10
    rest = len(trace.steps) - 10
    assert shown.notes == [f"These are the first 10 steps; {rest} more steps of this run not shown."]
    assert all(stay.enters <= stay.leaves <= 11 for stay in shown.stage.waits)
