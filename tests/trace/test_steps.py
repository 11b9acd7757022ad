"""Steps and waits against straightforward code: events at random, whole rows, one event after the other."""

import asyncio
import contextlib
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.trace import Step, Task, Wait
from playground.trace.build import Live, build
from playground.trace.recorder import OUTCOMES, Recorder, TaskRecord
from playground.trace.sites import WAITS
from tests.clock.virtually import recorded_virtually

OVER_NS = 10**15
TASKS = 4


def own() -> None: ...


LIBRARY = contextlib.suppress.__exit__


class Event(NamedTuple):
    """As the loop writes it."""

    gap: int
    duration: int
    task: int
    waker: int
    ready: int
    left: int
    outcome: int
    kind: int
    code: int
    offset: int


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """What a loop could have written; some values too large for their packed fields."""
    times = st.integers(0, 5) | st.integers(0, 2**34)
    found: list[Event] = []
    living = set(range(1, TASKS + 1))
    for index in range(draw(st.integers(0, 40))):
        task = draw(st.sampled_from([0, *sorted(living)]))
        outcome = 0 if not task else draw(st.sampled_from([1, 2, 2, 2, 2, 2, 3, 4, 5]))
        if outcome > 2:
            living.discard(task)
        waker = draw(st.integers(0, index) | st.just(index))
        kind = draw(st.integers(0, len(WAITS) - 1))
        found.append(
            Event(draw(times), draw(times), task, waker, draw(times), 0, outcome, kind, draw(st.integers(1, 2)), 0)
        )
    return found


def recorder_of(events: list[Event]) -> Recorder:
    recorder = Recorder(now=lambda: OVER_NS)
    recorder.started_ns = 0
    assert [recorder.sites.callback(own), recorder.sites.callback(LIBRARY)] == [1, 2]
    for number in range(TASKS):
        recorder.tasks.append(TaskRecord(f"task {number}", "main", 0, 0))
    for event in events:
        recorder.extend(event)
    return recorder


def expected_steps(recorder: Recorder, events: list[Event]) -> list[Step]:
    at = 0
    steps = []
    for event in events:
        at += event.gap
        site = recorder.sites.site(event.code, event.offset)
        task, woken_by = (number - 1 if number else None for number in (event.task, event.waker))
        steps.append(Step(task, at, event.duration, woken_by, OUTCOMES[event.outcome], site))
        at += event.duration
    return steps


def expected_waits(events: list[Event], steps: list[Step]) -> list[Wait]:
    ready_ns: list[int] = []
    for event, step in zip(events, steps, strict=True):
        ready = step.start_ns - event.ready
        if step.woken_by is not None:  # by a library's callback: what it passed on happened when that became ready
            waker = events[step.woken_by]
            if waker.outcome == 0 and waker.code == 2:
                ready = min(ready, ready_ns[step.woken_by])
        ready_ns.append(max(0, ready))
    waits = []
    for index, (event, step) in enumerate(zip(events, steps, strict=True)):
        if step.outcome == "waits" and step.task is not None:
            later = (ready_ns[at] for at in range(index + 1, len(steps)) if steps[at].task == step.task)
            end_ns = max(step.end_ns, next(later, OVER_NS))
            waits.append(Wait(step.task, step.end_ns, end_ns, WAITS[event.kind], step.site))
    return waits


@pytest.mark.slow
@settings(max_examples=50)
@given(events())
def test_steps_and_waits_are_those_of_straightforward_code(made: list[Event]) -> None:
    recorder = recorder_of(made)
    trace = build(recorder)
    steps = expected_steps(recorder, made)
    assert trace.steps == steps
    assert trace.waits == expected_waits(made, steps)


@pytest.mark.slow
@settings(max_examples=50)
@given(events(), st.integers(0, 40))
def test_it_does_not_matter_in_how_many_pieces_events_are_read(made: list[Event], first: int) -> None:
    recorder = recorder_of(made[:first])
    live = Live(recorder)
    live.trace()
    for event in made[first:]:
        recorder.extend(event)
    seen, whole = live.trace(), build(recorder_of(made))
    assert seen.steps == whole.steps
    assert seen.waits == whole.waits
    assert seen.tasks == whole.tasks


def test_a_waker_of_another_recording_is_none_of_this_one() -> None:
    # a callback that was put into the queue while an earlier recording went on
    trace = build(recorder_of([Event(0, 1, 0, 77, 0, 0, 0, 0, 1, 0), Event(0, 1, 1, 2, 0, 0, 1, 0, 1, 0)]))
    assert [step.woken_by for step in trace.steps] == [None, None]


def test_a_task_ends_with_its_last_step_though_that_was_noted_later() -> None:
    recorder = recorder_of([Event(0, 5, 1, 0, 0, 0, 3, 0, 1, 0)])
    record = recorder.tasks[1]
    record.ended_ns, record.outcome = 9, "returned"
    assert build(recorder).tasks[0] == Task("task 0", "main", None, 0, 5, "returned")


def test_what_shares_a_moment_of_virtual_time_stays_in_the_order_in_which_it_happened() -> None:
    async def waits(number: int) -> None:
        await asyncio.sleep(1)
        await asyncio.sleep(number % 2)

    async def main() -> None:
        await asyncio.gather(*[asyncio.create_task(waits(number), name=f"{number}") for number in (3, 1, 4, 0, 5)])

    trace = recorded_virtually(main)
    assert {step.duration_ns for step in trace.steps} == {0}
    assert [trace.tasks[wait.task].name for wait in trace.waits if wait.on == "timer"] == [*"31405", *"315"]
    began = [index for index, step in enumerate(trace.steps) if step.outcome == "waits"]
    assert [wait.task for wait in trace.waits][-len(began) :] == [trace.steps[index].task for index in began]
