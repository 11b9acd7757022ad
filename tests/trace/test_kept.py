"""What is kept besides events keeps its number, and goes when nothing that is kept can speak of it."""

import asyncio
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import Message, Receive, Scope, Send
from playground.clock.loop import LabLoop
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.kept import Kept
from playground.trace.recorder import Recorder, recording
from playground.trace.requests import recorded_app

CHUNK = 2048
RING = 4 * CHUNK


@given(st.lists(st.booleans()), st.integers(0, 3))
def test_a_record_keeps_its_number_whatever_is_forgotten(over: list[bool], first: int) -> None:
    kept: Kept[bool] = Kept(first)
    numbers = [kept.append(one) for one in over]
    assert numbers == list(range(first, first + len(over)))
    assert kept.next == first + len(over)
    kept.sweep(lambda one: one)
    assert dict(kept) == {number: one for number, one in zip(numbers, over, strict=True) if not one}
    assert (kept.added, kept.forgotten) == (len(over), sum(over))
    assert kept.append(False) == first + len(over)
    doubled = kept.mapped(lambda one: not one)
    assert list(doubled) == list(kept)
    assert (doubled.added, doubled.next, all(doubled.values())) == (kept.added, kept.next, True)


def test_a_sweep_comes_round_to_every_record_by_and_by() -> None:
    kept: Kept[int] = Kept()
    for number in range(10_000):
        kept.append(number)
    looked: list[int] = []
    for _ in range(3):
        kept.sweep(lambda number: looked.append(number) or False)  # type: ignore[func-returns-value]
    assert sorted(looked) == list(range(10_000))
    assert max(looked[:4_000]) < min(looked[-1_000:])  # the oldest first


def recorded(steps: int, limit: int) -> Recorder:
    """A program that makes a task after another, beside one that lives long and one that never ends."""
    loop = LabLoop()

    async def short() -> None:
        await asyncio.sleep(0)

    async def long() -> None:
        for _ in range(steps // 3):
            await asyncio.create_task(short(), name="short")

    async def main() -> Recorder:
        with recording(loop, limit=limit) as recorder:
            stuck = loop.create_task(asyncio.Event().wait(), name="stuck")
            await loop.create_task(long(), name="long")
        stuck.cancel()
        return recorder

    try:
        return loop.run_until_complete(main())
    finally:
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def names(trace: Trace) -> list[str]:
    return [task.name for task in trace.tasks]


def test_tasks_that_ended_before_the_oldest_event_are_forgotten_and_counted() -> None:
    recorder = recorded(6 * RING, RING)
    trace = build(recorder)
    assert len(trace.steps) < RING + 2048 + 256  # a full chunk is packed within 256 steps
    assert set(trace.forgotten) <= {"tasks", "samples"}
    assert len(trace.tasks) + trace.forgotten["tasks"] == recorder.tasks.added > 2 * RING
    assert len(trace.tasks) < RING
    assert names(trace).count("long") == names(trace).count("stuck") == 1
    assert trace.tasks[names(trace).index("stuck")].ended_ns is None
    assert len(recorder.log) == len(trace.steps)


def test_what_is_kept_points_at_the_right_rows_when_much_was_forgotten() -> None:
    trace = build(recorded(4 * RING, RING))
    long = names(trace).index("long")
    for task, indexes in trace.steps_of.items():
        row = trace.tasks[task]
        assert row.created_ns <= trace.steps[indexes[0]].start_ns
        if row.name == "short":
            assert row.parent == long
            assert row.ended_ns == trace.steps[indexes[-1]].end_ns
            assert trace.steps[indexes[-1]].outcome == "returned"
    woken = [step for step in trace.steps if step.task == long and step.woken_by is not None]
    assert len(woken) > RING / 4
    # it is woken by a library's callback, which the end of a short one put into the queue
    for step in woken:
        assert step.woken_by is not None
        assert trace.steps[step.woken_by].start_ns < step.start_ns


@pytest.mark.slow
def test_a_recording_that_goes_on_and_on_does_not_grow() -> None:
    recorded(CHUNK, CHUNK)  # what is made once
    peaks = []
    for rounds in (6, 18):
        tracemalloc.start()
        recorder = recorded(rounds * CHUNK, CHUNK)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert recorder.tasks.forgotten > (rounds - 4) * CHUNK // 4
    assert peaks[1] < 1.3 * peaks[0]


def test_a_stream_without_end_does_not_keep_all_that_it_sent() -> None:
    loop = LabLoop()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(4 * RING):
            await send({"type": "http.response.body", "body": b".", "more_body": True})
        shown.append(build(recorder_of[0]))

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        await asyncio.sleep(0)

    shown: list[Trace] = []
    recorder_of: list[Recorder] = []

    async def main() -> None:
        with recording(loop, limit=RING) as recorder:
            recorder_of.append(recorder)
            asked = recorded_app(app, lambda: recorder)
            await loop.create_task(asked({"type": "http", "method": "GET", "path": "/"}, receive, send))

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    (request,) = shown[0].requests
    assert request.status == 200
    assert len(request.messages) < 2 * RING
    assert len(request.messages) + shown[0].forgotten["messages"] == 4 * RING + 1
    assert {message.type for message in request.messages} == {"http.response.body"}
