"""A recording that is looked at while it goes on shows what it would show if it ended there."""

import asyncio
import threading
from typing import Any

import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.asgi import Receive, Scope, Send
from playground.clock.loop import LabLoop
from playground.clock.virtual import VirtualLoop
from playground.trace import Trace
from playground.trace.build import Live, build
from playground.trace.recorder import Recorder
from playground.trace.requests import recorded_app
from tests.trace.looked_at import act, recorded_on
from tests.trace.traces import TABLES

CHUNK = 2048


def content(trace: Trace) -> tuple[Any, ...]:
    tables = tuple(tuple(getattr(trace, table)) for table in TABLES)
    return (*tables, trace.duration_ns, trace.dropped, trace.forgotten)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await asyncio.sleep(0.2)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await anyio.to_thread.run_sync(int)
    await send({"type": "http.response.body", "body": b"ok"})


ACTIONS = st.lists(
    st.sampled_from(["yield", "sleep", "sleep", "thread", "child", "request", "look", "look"]), min_size=1, max_size=25
)


@pytest.mark.slow
@settings(max_examples=60)
@given(ACTIONS)
def test_each_look_shows_what_reading_everything_anew_would(actions: list[str]) -> None:
    # in virtual time nothing moves while one looks, so the two can be compared
    looks = []

    async def program(recorder: Recorder) -> None:
        live = Live(recorder)
        apps = {"request": recorded_app(app, lambda: recorder)}
        going: list[asyncio.Task[None]] = []
        for action in actions:
            if action == "look":
                looks.append((live.trace(), build(recorder)))
            else:
                await act(action, apps, going)
        await asyncio.gather(*going)
        looks.append((live.trace(), build(recorder)))

    recorded_on(VirtualLoop(), program)
    for seen, anew in looks:
        assert content(seen) == content(anew)


def test_a_look_is_not_changed_by_what_comes_after() -> None:
    found = []

    async def program(recorder: Recorder) -> None:
        live = Live(recorder)
        waits = asyncio.create_task(asyncio.sleep(0.01), name="waits")
        await asyncio.sleep(0)
        seen = live.trace("early")
        found.append((seen, content(seen), seen.title))
        await waits
        found.append((live.trace(), content(live.trace())[:-2], "Run"))

    recorder = recorded_on(LabLoop(), program)
    first, last = found
    assert content(first[0]) == first[1]
    assert first[2] == "early"
    (wait,) = (wait for wait in first[0].waits if wait.on == "timer")
    assert wait.end_ns == first[0].duration_ns  # it had not ended
    assert len(first[0].steps) < len(last[0].steps) <= len(build(recorder).steps)


def test_when_the_recording_is_over_the_last_look_shows_all_of_it() -> None:
    lives = []

    async def program(recorder: Recorder) -> None:
        lives.append(Live(recorder))
        lives[0].trace()
        await anyio.to_thread.run_sync(int)

    recorder = recorded_on(LabLoop(), program)
    assert content(lives[0].trace()) == content(build(recorder))


@pytest.mark.slow
def test_what_the_ring_drops_meanwhile_stays_until_there_is_twice_as_much() -> None:
    seen = []

    async def program(recorder: Recorder) -> None:
        live = Live(recorder)
        for _ in range(12):
            for _ in range(CHUNK // 2):
                await asyncio.create_task(asyncio.sleep(0))
            recorder.log.pack()
            seen.append((live.trace(), build(recorder)))

    recorded_on(LabLoop(), program, limit=2 * CHUNK)
    for live, anew in seen:
        kept = anew.dropped - live.dropped
        assert kept >= 0
        assert len(anew.steps) <= len(live.steps) <= 8 * CHUNK
        ends = [(step.start_ns, step.duration_ns, step.outcome, step.site) for step in live.steps[kept:]]
        assert ends[: len(anew.steps)] == [
            (step.start_ns, step.duration_ns, step.outcome, step.site) for step in anew.steps
        ]
        assert all(step.task is None or live.tasks[step.task].created_ns <= step.start_ns for step in live.steps)
    assert any(live.dropped == 0 < anew.dropped for live, anew in seen)
    assert any(live.dropped == anew.dropped > 0 for live, anew in seen)


def test_after_more_than_the_whole_ring_was_dropped_everything_is_read_anew() -> None:
    seen = []

    async def program(recorder: Recorder) -> None:
        live = Live(recorder)
        live.trace()
        for _ in range(4 * CHUNK):
            await asyncio.create_task(asyncio.sleep(0))
        recorder.log.pack()
        seen.append((live.trace(), build(recorder)))

    recorded_on(LabLoop(), program, limit=CHUNK)
    ((live, anew),) = seen
    assert live.dropped == anew.dropped > 0
    assert live.steps == anew.steps
    assert live.tasks == anew.tasks


@pytest.mark.slow
def test_another_thread_may_look_while_the_loop_goes_on() -> None:
    over = threading.Event()
    found: list[Trace] = []
    failures: list[BaseException] = []

    def looks_on(recorder: Recorder) -> None:
        live = Live(recorder)
        try:
            while not over.is_set():
                found.append(live.trace())
        except BaseException as error:  # noqa: BLE001 (the test's own thread tells it)
            failures.append(error)

    async def program(recorder: Recorder) -> None:
        watching = threading.Thread(target=looks_on, args=(recorder,))
        watching.start()
        for turn in range(1_000):
            await asyncio.create_task(asyncio.sleep(0))
            if turn % 10 == 0:
                await anyio.to_thread.run_sync(int)
        over.set()
        watching.join()

    recorder = recorded_on(LabLoop(), program, limit=4 * CHUNK)
    assert failures == []
    assert len(found) > 3
    anew = build(recorder)
    for trace in found[:: 1 + len(found) // 10]:
        assert all(before.end_ns <= after.start_ns for before, after in zip(trace.steps, trace.steps[1:], strict=False))
        assert trace.duration_ns <= anew.duration_ns
        moments = [trace.steps[-1].end_ns] if trace.steps else []
        moments += [wait.end_ns for wait in trace.waits]
        moments += [task.ended_ns or 0 for task in trace.tasks]
        moments += [call.ended_ns or 0 for call in trace.handoffs]
        assert max(moments, default=0) <= trace.duration_ns
    lengths = [trace.dropped + len(trace.steps) for trace in found]
    assert lengths == sorted(lengths)
