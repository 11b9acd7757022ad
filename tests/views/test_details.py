"""What stands behind the spans: read back here as the module's text says it is written, and held against the rows."""

import asyncio
import contextlib
import json
import socket
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import watch
from playground.trace import Message, Site, Trace
from playground.trace.tables import WORDS
from playground.views import details as module
from playground.views.details import details
from playground.views.lanes import Lanes, lanes
from tests.by_hand import handoff, request, step, task, wait
from tests.recordings import blocked_run, load


@dataclass
class Told:
    """The stream, read: steps as (ending, spans, task, waker, cause), tasks as (name, coroutine)."""

    steps: list[tuple[str, int, int | None, int | None, str]] = field(default_factory=list)
    tasks: list[tuple[str, str]] = field(default_factory=list)
    workers: list[dict[str, Any] | None] = field(default_factory=list)
    requests: list[tuple[int | None, list[tuple[str, str, str, int]]]] = field(default_factory=list)


def numbers(data: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield value
            value = shift = 0
    assert shift == 0, "the last number is cut short"


def up_or_down(step: int) -> int:
    return -(step + 1) // 2 if step % 2 else step // 2


def read(trace: Trace, laid: Lanes | None = None) -> Told:
    laid = laid or lanes(trace)
    header, columns = details(trace, laid)
    words = header["told"]
    texts, messages = json.loads(bytes(columns["texts"]))
    told, stream = Told(), numbers(bytes(columns["details"]))
    tasks = 0
    for index in range(next(stream)):
        pieces, ending = divmod(next(stream), 16)
        ago, woken = next(stream), next(stream)
        tasks += ago == 1
        owner = None if ago == 0 else tasks - 1 if ago == 1 else told.steps[index - (ago - 1)][2]
        cause, waker = (words["causes"][woken], None) if woken <= 3 else ("", index - (woken - 3))
        told.steps.append((words["endings"][ending], pieces, owner, waker, cause))
    number = 0
    for _ in range(next(stream)):
        stem, digits, coroutine = next(stream), next(stream), next(stream)
        number += up_or_down(digits - 1) if digits else 0
        told.tasks.append((texts[stem] + (str(number) if digits else ""), texts[coroutine]))
    workers = laid.of("worker")
    assert next(stream) == len(workers)
    for row in workers:
        assert next(stream) == len(row)
        for start, end in zip(row.starts, row.ends, strict=True):
            told.workers.append(_worker(stream, start, end, words["outcomes"]))
    count = next(stream)
    owners = list(accumulate(up_or_down(next(stream)) for _ in range(count)))
    lengths = [next(stream) for _ in range(count)]
    said = [[messages[next(stream)] for _ in range(length)] for length in lengths]
    for one, owner, its in zip(trace.requests, owners, said, strict=False):
        moments = list(accumulate((next(stream) for _ in its), initial=one.start_ns))[1:]
        sent = [(*each, at_ns) for each, at_ns in zip(its, moments, strict=True)]
        told.requests.append((owner - 1 if owner else None, sent))
    assert next(stream, None) is None, "the stream goes on"
    return told


def _worker(stream: Iterator[int], start: int, end: int, outcomes: list[str]) -> dict[str, Any] | None:
    outcome = next(stream)
    if not outcome:
        return None
    names = ("limiter_wait_ns", "submitted_ns", "woken_ns", "cpu_ns", "task")
    found: dict[str, Any] = dict(zip(names, (next(stream) for _ in names), strict=True))
    found["submitted_ns"] = start - found["submitted_ns"]
    found["woken_ns"] = end + found["woken_ns"] - 1 if found["woken_ns"] else None
    return {**found, "outcome": outcomes[outcome - 1]}


def in_order_of_running(trace: Trace) -> list[int]:
    return list(dict.fromkeys(step.task for step in trace.steps if step.task is not None))


def held_against(trace: Trace) -> None:
    """What is told is what the rows say."""
    told, order = read(trace), in_order_of_running(trace)
    assert [(owner, waker) for _, _, owner, waker, _ in told.steps] == [
        (None if row.task is None else order.index(row.task), row.woken_by) for row in trace.steps
    ]
    assert told.tasks == [(trace.tasks[index].name, trace.tasks[index].coroutine) for index in order]
    calls = sorted(trace.handoffs, key=lambda call: (call.thread or 0, call.started_ns or 0))
    assert told.workers == [
        {
            "limiter_wait_ns": call.limiter_wait_ns,
            "submitted_ns": call.submitted_ns,
            "woken_ns": call.woken_ns,
            "cpu_ns": call.cpu_ns,
            "task": 0 if call.task is None else 1 + order.index(call.task),
            "outcome": call.outcome,
        }
        for call in calls
    ]
    assert told.requests == [
        (
            None if row.task is None else order.index(row.task),
            [(one.direction, one.type, one.detail, one.at_ns) for one in row.messages],
        )
        for row in trace.requests
    ]


def test_all_that_is_told_is_what_the_recording_says() -> None:
    held_against(blocked_run())


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), requests=st.integers(1, 40), rate=st.floats(20, 2_000))
def test_it_is_so_for_any_load(seed: int, requests: int, rate: float) -> None:
    held_against(load(requests, seed=seed, rate=rate))


def test_the_spans_of_a_step_are_counted() -> None:
    trace = blocked_run()
    laid = lanes(trace)
    told = read(trace, laid)
    starts = [laid.rows[0].starts[at] for at in laid.turns]
    assert starts == [row.start_ns for row in trace.steps]
    assert sum(pieces for _, pieces, *_ in told.steps) == len(laid.rows[0])


@pytest.mark.parametrize("on", WORDS["WaitOn"])
def test_a_step_that_waits_says_for_what(on: Any) -> None:
    trace = Trace(tasks=[task()], steps=[step(0, 0, 1), step(0, 5, 1, "returned")], waits=[wait(0, 1, 4, on)])
    words = {"io": "I/O"}.get(on, f"{'an' if on == 'event' else 'a'} {on}")
    assert [ending for ending, *_ in read(trace).steps] == [f"waits for {words}", "returned; the task is over"]


def test_waits_that_begin_at_one_moment_are_told_in_order() -> None:
    steps = [step(0, 1, 0), step(0, 1, 0), step(0, 2, 0, "returned")]
    trace = Trace(tasks=[task()], steps=steps, waits=[wait(0, 1, 1, "event"), wait(0, 1, 2, "timer")])
    assert [ending for ending, *_ in read(trace).steps][:2] == ["waits for an event", "waits for a timer"]


def test_a_wait_that_was_not_recorded_is_not_guessed() -> None:
    assert read(Trace(tasks=[task()], steps=[step(0, 0, 1)])).steps[0][0] == "waits"


@pytest.mark.parametrize(
    ("file", "function", "cause"),
    [
        ("/usr/lib/python3.13/asyncio/timeouts.py", "Timeout._on_timeout", "a timer"),
        ("/usr/lib/python3.11/asyncio/tasks.py", "_release_waiter", "a timer"),
        ("/x/anyio/_backends/_asyncio.py", "CancelScope._timeout", "a timer"),
        (r"C:\Python313\Lib\asyncio\timeouts.py", "Timeout._on_timeout", "a timer"),
        ("/x/asyncio/selector_events.py", "_SelectorSocketTransport._read_ready", "I/O"),
        ("/x/asyncio/selector_events.py", "BaseSelectorEventLoop._read_from_self", ""),
        ("/x/asyncio/futures.py", "_chain_future.<locals>._set_state", "a thread"),
        ("/x/anyio/_backends/_asyncio.py", "WorkerThread._report_result", "a thread"),
        ("/home/me/timeouts.py", "Timeout._on_timeout", ""),
        ("cell 3", "tick", ""),
    ],
)
def test_a_cause_is_told_only_of_what_runs_for_that_cause_alone(file: str, function: str, cause: str) -> None:
    where = Site(file, 1, function)
    steps = [step(None, 0, 1, "callback", site=where), step(None, 2, 1, "callback", site=where, woken_by=0)]
    trace = Trace(steps=[*steps, step(0, 4, 1, site=where)], tasks=[task()])
    assert [one[4] for one in read(trace).steps] == [cause, "", ""]


@pytest.mark.parametrize(("on", "cause"), [("timer", "a timer"), ("future", ""), ("thread", "")])
def test_what_ends_a_sleep_is_a_timer_only_where_a_sleep_ended(on: Any, cause: str) -> None:
    """From Python 3.12 on the same callback tells, from a thread, that the executor has shut down."""
    where = Site("/usr/lib/python3.13/asyncio/futures.py", 1, "_set_result_unless_cancelled")
    steps = [step(0, 0, 1), step(None, 2, 1, "callback", site=where), step(0, 4, 1, "returned", woken_by=1)]
    assert [one[4] for one in read(Trace(tasks=[task()], steps=steps, waits=[wait(0, 1, 2, on)])).steps] == [
        "",
        cause,
        "",
    ]


def test_causes_of_a_real_run_are_those_that_it_had() -> None:
    async def waits_for_each() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.001)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)
        with anyio.move_on_after(0.001):
            await anyio.sleep_forever()
        await asyncio.to_thread(int)
        await anyio.to_thread.run_sync(int)
        await loop.shutdown_default_executor()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            loop.call_later(0.001, theirs.send, b"x")
            await loop.sock_recv(ours, 1)

    with watch() as trace:
        asyncio.run(waits_for_each())
    told = read(trace)
    because: dict[str, set[str]] = defaultdict(set)
    task = next(index for index, each in enumerate(trace.tasks) if each.coroutine.endswith("waits_for_each"))
    waits = {each.start_ns: each.on for each in trace.waits if each.task == task}
    for place, following in pairwise(trace.steps_of[task]):
        waker = told.steps[following][3]
        if waker is not None and trace.steps[waker].task is None and trace.steps[waker].woken_by is None:
            because[waits[trace.steps[place].end_ns]].add(told.steps[waker][4])
    assert because["timer"] == {"a timer"}
    assert because["event"] <= {"a timer"}
    assert because["thread"] == {"a thread"}
    assert because["io"] <= {"I/O"}
    # up to 3.11 `wait_for` waits for a future that a timer releases; the executor's end comes from a thread
    assert because["future"] <= ({"", "a timer"} if sys.version_info < (3, 12) else {""})


def test_a_hand_off_that_never_came_back_says_so() -> None:
    trace = Trace(handoffs=[handoff(1, 2, 3, None), handoff(4, 5, None, None)], duration_ns=9_000_000)
    assert [one and (one["woken_ns"], one["outcome"]) for one in read(trace).workers] == [
        (None, "returned"),
        (None, "pending"),
    ]


@pytest.mark.parametrize("name", ["Task-7", "poller", "0", "v007", "GET /items/1" + "0" * 30, "", "x-٣"])
def test_any_name_of_a_task_comes_back(name: str) -> None:
    trace = Trace(tasks=[task(name=name)], steps=[step(0, 0, 1)])
    assert read(trace).tasks == [(name, "main")]


def test_of_a_long_recording_the_beginning_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STEPS", 5)
    monkeypatch.setattr(module, "MOST_MESSAGES", 7)
    trace = blocked_run()
    told = read(trace)
    assert [waker for *_, waker, _ in told.steps] == [row.woken_by for row in trace.steps[:5]]
    assert [len(sent) for _, sent in told.requests] == [3, 3]
    assert len(told.tasks) == len({row.task for row in trace.steps[:5]})


def test_what_an_app_wrote_stays_one_line_of_text() -> None:
    message = Message("send", "http.response.start\n", 2_000_000, "<b>\x00\ud800" + "x" * 999)
    trace = Trace(requests=[replace(request(0, 1, 3), messages=(message,))])
    _, kind, detail, at_ns = read(trace).requests[0][1][0]
    assert (kind, at_ns) == ("http.response.start", 2_000_000)
    assert (detail[:4], len(detail)) == ("<b> ", 200)


def test_an_empty_recording_tells_nothing() -> None:
    _, columns = details(Trace(), lanes(Trace()))
    assert [len(column) for column in columns.values()] == [0, 0]
