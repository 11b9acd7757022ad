"""What the timeline's panel tells of each span: the sentences of the bundle that ships, held against the rows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.trace import Site, Trace
from playground.views.lanes import lanes
from tests.by_hand import handoff, request, step, task, wait
from tests.recordings import load
from tests.widgets.told import told_of, words

WAITS = {"io": "I/O", "event": "an event"}


def links(parts: list[Any]) -> list[tuple[str, int, int]]:
    return [tuple(part[1:]) for part in parts if isinstance(part, list)]


@pytest.mark.parametrize("seed", [4, 9])
def test_the_panel_tells_of_each_step_what_the_recording_says(tmp_path: Path, seed: int) -> None:
    trace = load(62, seed=seed, rate=150.0, blocked_at=25)
    told, _ = told_of(trace, tmp_path)
    span_of = [("loop", 0, first) for first in lanes(trace).turns]
    waits = {(one.task, one.start_ns): one for one in trace.waits}
    for index, row in enumerate(trace.steps):
        assert row.task is not None
        entries = told[span_of[index]]
        turns = trace.steps_of[row.task]
        before = next((each for each in reversed(turns) if each < index), None)
        after = next((each for each in turns if each > index), None)
        name, coroutine = trace.tasks[row.task].name, trace.tasks[row.task].coroutine
        assert words(entries["task"]) == (name if name == coroutine else f"{name}, {coroutine}()")
        wakers = links(entries["woken by"])
        if row.woken_by is None:
            assert words(entries["woken by"]).startswith("no step of this recording: a timer, I/O, a thread or the out")
        else:
            assert wakers[0] == span_of[row.woken_by]
        back = [call for call in trace.handoffs if (call.task, call.woken_ns) == (row.task, row.start_ns)]
        assert [link[:2] for link in wakers if link[0] == "worker"] == [("worker", call.thread) for call in back]
        ended = waits.get((row.task, row.end_ns))
        if ended is not None:
            assert words(entries["then"]).startswith(f"it waits for {WAITS.get(ended.on, f'a {ended.on}')}, since ")
        assert links(entries["then"]) == ([] if after is None else [span_of[after]])
        waited = None if before is None else waits.get((row.task, trace.steps[before].end_ns))
        if waited is None:
            assert "before" not in entries
        else:
            assert before is not None
            assert words(entries["before"]).startswith(
                f"it had waited for {WAITS.get(waited.on, f'a {waited.on}')} since"
            )
            assert links(entries["before"]) == [span_of[before]]


def test_the_panel_tells_of_each_wait_when_it_began_who_ended_it_and_what_came_next(tmp_path: Path) -> None:
    trace = load(62, seed=4, rate=150.0, blocked_at=25)
    laid = lanes(trace)
    told, _ = told_of(trace, tmp_path)
    seen = 0
    for row in laid.of("request"):
        for index, (start_ns, end_ns, kind) in enumerate(zip(row.starts, row.ends, row.kinds, strict=True)):
            if kind not in (4, 5, 6, 7, 8, 10):
                continue
            owner = trace.requests[row.requests[index]].task
            assert owner is not None
            steps = [trace.steps[each] for each in trace.steps_of[owner]]
            before = max(
                (each for each in steps if each.end_ns <= start_ns), key=lambda each: each.end_ns, default=None
            )
            after = next(each for each in steps if each.start_ns >= end_ns)
            entries = told["request", row.lane, index]
            at = [("loop", 0, laid.turns[trace.steps.index(each)]) for each in (before, after) if each is not None]
            assert links(entries.get("since", [])) == at[:-1]
            assert links(entries["then"]) == at[-1:]
            if after.woken_by is not None:
                assert links(entries["woken by"])[0] == ("loop", 0, laid.turns[after.woken_by])
            seen += 1
    assert seen > 150


def test_the_panel_tells_of_each_hand_off_its_moments(tmp_path: Path) -> None:
    trace = Trace(
        tasks=[task(name="job")],
        steps=[step(0, 0, 1), step(0, 9, 1, "returned")],
        waits=[wait(0, 1, 7, "thread")],
        handoffs=[
            replace(handoff(2, 3, 7, 9, task=0, queued_ms=1), cpu_ns=2_000_000),
            handoff(10, 11, 12, None),
            handoff(13, 14, None, None),
        ],
        duration_ns=20_000_000,
    )
    told, _ = told_of(trace, tmp_path)
    entries = [{term: words(parts) for term, parts in told["worker", 0, index].items()} for index in range(3)]
    assert entries == [
        {
            "task": "job, main()",
            "queued": "for a free place: 1 ms",
            "submitted": "2.00 ms",
            "started": "3.00 ms, 1 ms later",
            "ended": "7.00 ms: returned",
            "woken": "main (job) at 9.00 ms, 2 ms later",
            "cpu time": "2 ms of 4 ms",
        },
        {
            "submitted": "10.00 ms",
            "started": "11.00 ms, 1 ms later",
            "ended": "12.00 ms: returned",
            "woken": "no step that took it up is recorded",
        },
        {"submitted": "13.00 ms", "started": "14.00 ms, 1 ms later", "ended": "it had not when the recording did"},
    ]
    assert links(told["worker", 0, 0]["woken"]) == [("loop", 0, 1)]
    assert words(told["loop", 0, 1]["woken by"]).endswith("; back from render_pdf in worker-0")


def test_a_cause_is_told_with_the_callback_that_it_ran(tmp_path: Path) -> None:
    timer = Site("/usr/lib/python3.13/asyncio/futures.py", 1, "_set_result_unless_cancelled")
    steps = [step(0, 0, 1), step(None, 5, 1, "callback", site=timer), step(0, 7, 1, "returned", woken_by=1)]
    told, _ = told_of(Trace(tasks=[task()], steps=steps, waits=[wait(0, 1, 5, "timer")]), tmp_path)
    assert words(told["loop", 0, 1]["woken by"]) == "a timer"
    assert words(told["loop", 0, 2]["woken by"]) == "_set_result_unless_cancelled at 5.000 ms, run by a timer"


def test_where_several_steps_share_a_moment_none_is_guessed(tmp_path: Path) -> None:
    """Virtual time: three steps of a request at 0 ms; what its lane shows of them may stand for any."""
    steps = [step(0, 0, 0, "yields"), step(0, 0, 0, "yields", woken_by=0), step(0, 0, 0, "returned", woken_by=1)]
    trace = Trace(tasks=[task()], steps=steps, requests=[request(0, 0, 1, task=0)], duration_ns=1_000_000)
    told, _ = told_of(trace, tmp_path)
    for index in range(3):
        mine = told["loop", 0, index]
        assert [links(mine.get(term, [])) for term in ("woken by", "then")] == [
            [("loop", 0, index - 1)] if index else [],
            [("loop", 0, index + 1)] if index < 2 else [],
        ]
    shown = [entries for (group, _, _), entries in told.items() if group == "request"]
    assert shown in ([told["loop", 0, index] for index in range(3)], [{} for _ in shown])


def test_the_panel_tells_of_each_request_where_it_began_and_what_was_handed_off(tmp_path: Path) -> None:
    trace = load(62, seed=4, rate=150.0, blocked_at=25)
    laid = lanes(trace)
    told, _ = told_of(trace, tmp_path)
    place = {
        (row.lane, start): ("worker", row.lane, index)
        for row in laid.of("worker")
        for index, start in enumerate(row.starts)
    }
    handed_off = 0
    for row in laid.of("life"):
        for index, request_at in enumerate(row.requests):
            one, entries = trace.requests[request_at], told["life", row.lane, index]
            assert one.task is not None
            assert links(entries["first step"]) == [("loop", 0, laid.turns[trace.steps_of[one.task][0]])]
            calls = [trace.handoffs[call] for call in one.handoffs]
            expected = {place[call.thread or 0, call.started_ns or 0] for call in calls}
            assert set(links(entries.get("handed off", []))) == expected
            handed_off += len(expected)
    assert handed_off == len(trace.handoffs)


def test_a_requests_messages_travel_with_their_moments(tmp_path: Path) -> None:
    trace = load(20, seed=1)
    _, messages = told_of(trace, tmp_path)
    assert messages == [
        [{"direction": m.direction, "type": m.type, "detail": m.detail, "at_ns": m.at_ns} for m in each.messages]
        for each in trace.requests
    ]
