"""The loop theatre's Python: who stood where at each step, the sentences, and the packet that a page reads."""

import asyncio
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import App, Lab
from playground.trace import Sample, Site, Step, Trace
from playground.trace.columns import unpack
from playground.trace.excerpts import excerpts
from playground.trace.trace import Clock
from playground.views.play import play, sentences
from playground.views.players import name_of
from playground.views.stage import NOBODY, UNKNOWN_NS, Stage, stage
from playground.views.theatre import theatre_packet
from playground.views.wording import duration
from tests.by_hand import MS, handoff, ns, request, step, task, wait
from tests.recordings import blocked_run, load

FETCH = Site("cell 3", 6, "list_items", "rows = await db.fetch(LIST)")
LOCK = Site("cell 3", 11, "read_item", "async with lock:")
RESULT = Site("/usr/lib/python3.11/asyncio/futures.py", 311, "set_result", "def set_result(fut, result):")


def running(made: Stage, place: int) -> set[int | None]:
    return {made.actor[place]} if place < made.steps else set()


def queued(made: Stage, place: int) -> list[int]:
    """The steps that are in the ready queue at a place, as they stand in it."""
    return [step for step in range(place + 1, made.steps) if made.queued_from[step] <= place]


def waiting(made: Stage, place: int) -> list[int]:
    """The actors that wait at a place."""
    return [stay.actor for stay in made.waits if stay.enters <= place < stay.leaves]


def at_work(made: Stage, place: int) -> list[int | None]:
    """The hand-offs that are in a thread at a place."""
    return [stay.row for stay in made.calls if stay.enters <= place < stay.leaves]


def done(made: Stage, place: int) -> list[tuple[int | None, int | None]]:
    return [(ended.task, ended.request) for ended in made.ended if ended.at <= place]


def told(trace: Trace) -> list[str]:
    made = play(trace)
    return [made.sentence(place) for place in range(made.stage.steps)]


# -- where everybody is -----------------------------------------------------------------------------------


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


# -- names ------------------------------------------------------------------------------------------------


def test_actors_are_called_by_their_request_their_given_name_or_their_coroutine() -> None:
    trace = Trace(
        steps=[
            *(step(index, index, 1) for index in range(4)),
            step(None, 4, 1, "callback", site=RESULT),
            step(None, 5, 1, "callback"),
            step(None, 6, 1, "callback", site=replace(RESULT, function="gather.<locals>._done")),
            step(None, 7, 1, "callback", site=replace(RESULT, function="main.<locals>.<lambda>")),
        ],
        tasks=[
            task(),
            task(coroutine="fetch", parent=0, name="Task-2"),
            task(coroutine="heartbeat", name="pulse"),
            task(coroutine="worker", name="Task-4"),
        ],
        requests=[request(7, 0, 9, task=0, path="/items/3", route="/items/{id}")],
    )
    shown = play(trace)
    assert [name_of(shown.actors[actor]) for actor in shown.stage.actor] == [
        "GET /items/{id} #7",
        "fetch #7",
        "pulse",
        "worker Task-4",
        "callback set_result",
        "callback",
        "callback _done",
        "callback main.<locals>.<lambda>",
    ]


def test_a_task_that_worked_for_two_requests_is_an_actor_for_each() -> None:
    trace = Trace(
        steps=[step(0, 0, 1, "yields"), step(0, 5, 1, "yields")],
        tasks=[task()],
        requests=[request(0, 0, 2, task=0), request(1, 5, 7, task=0)],
    )
    shown = play(trace)
    assert [name_of(shown.actors[actor]) for actor in shown.stage.actor] == ["GET /items #0", "GET /items #1"]


# -- sentences --------------------------------------------------------------------------------------------


def test_the_sentence_of_a_request_that_waits_and_then_answers() -> None:
    trace = Trace(
        steps=[step(0, 0, 0.309, site=FETCH), step(0, 5.429, 0.1, "returned")],
        tasks=[replace(task(), ended_ns=ns(5.529), outcome="returned")],
        waits=[wait(0, 0.309, 5.429, "io", FETCH)],
        requests=[request(7, 0, 5.529, task=0)],
    )
    assert told(trace) == [
        (
            "GET /items #7 begins, runs for 309 µs, then awaits `db.fetch(LIST)` (I/O, 5.12 ms); "
            "then no step runs for 5.12 ms."
        ),
        "GET /items #7 runs for 100 µs, and is done: 200 after 5.53 ms.",
    ]


def test_the_sentence_of_a_step_that_held_the_loop_counts_who_was_ready() -> None:
    trace = Trace(
        steps=[step(0, 0, 51, "returned"), step(1, 51, 1, "yields"), step(2, 52, 1, "yields")],
        tasks=[task(), task(1), task(2)],
        samples=[
            Sample(0, ns(at), 0, Site("cell 3", 24, "report", "df.to_csv()"), "df.to_csv()") for at in (10, 20, 51)
        ],
        requests=[request(8, 0, 51, task=0, path="/report")],
    )
    assert told(trace)[0] == (
        "GET /report #8 holds the loop for 51 ms without an await, most of it in `df.to_csv()`, and is done: 200 after "
        "51 ms; meanwhile nothing else can run, and as it ends the ready queue holds 2."
    )


def test_the_sentence_of_a_callback_tells_whom_it_makes_ready() -> None:
    trace = Trace(
        steps=[
            step(None, 0, 0.003, "callback", site=RESULT),
            step(0, 0.003, 1, "waits", woken_by=0),
            step(1, 1.1, 1, "yields", woken_by=0),
            step(None, 2.15, 1, "callback", site=RESULT),
        ],
        tasks=[task(name="pulse"), task()],
    )
    assert told(trace) == [
        "The callback set_result runs for 3 µs and makes pulse and 1 more ready.",
        "pulse begins, runs for 1 ms, then waits (for what was not recorded).",
        "main Task-1 begins, runs for 1 ms, then lets others run.",
        "The callback set_result runs for 1 ms.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rows = await db.fetch(LIST)", "awaits `db.fetch(LIST)`"),
        ("return [x for x in (await rows(')', \"]\"))]", "awaits `rows(')', \"]\")`"),
        ("await asyncio.gather(", "awaits `asyncio.gather(…)`"),
        ("await first, [await second]", "awaits `first`"),
        ("x = {await key: 1}", "awaits `key`"),
        ("async with lock:", "waits at `async with lock:`"),
        ("", "waits in `f`"),
    ],
)
def test_what_is_awaited_is_read_from_the_line(text: str, said: str) -> None:
    site = Site("cell 1", 1, "f", text)
    trace = Trace(
        steps=[step(0, 0, 1, site=site), step(0, 3, 1, "cancelled")],
        tasks=[task()],
        waits=[wait(0, 1, 3, "lock", site)],
    )
    assert told(trace) == [
        f"main Task-1 begins, runs for 1 ms, then {said} (lock, 2 ms); then no step runs for 2 ms.",
        "main Task-1 runs for 1 ms, and is cancelled.",
    ]


def test_a_wait_that_was_not_over_is_said_to_be_so() -> None:
    trace = Trace(steps=[step(0, 0, 1)], tasks=[task()], waits=[wait(0, 1, 4, "event")], duration_ns=ns(4))
    assert told(trace) == ["main Task-1 begins, runs for 1 ms, then waits (event, not over when the recording was)."]


def test_a_request_that_failed_tells_its_error_on_one_line() -> None:
    trace = Trace(
        steps=[step(0, 0, 1, "raised")],
        tasks=[replace(task(), ended_ns=ns(1), outcome="raised")],
        requests=[replace(request(0, 0, 1, task=0), status=None, error="ValueError: <b>no\nsuch</b>")],
    )
    assert told(trace) == ["GET /items #0 begins, runs for 1 ms, and fails: `ValueError: <b>no such</b>`."]


def test_in_virtual_time_a_step_that_takes_no_time_is_not_told_a_length() -> None:
    trace = Trace(
        steps=[step(0, 0, 0, site=FETCH), step(0, 0.05, 0, "returned")],
        tasks=[task()],
        waits=[wait(0, 0, 0.05, "timer", FETCH)],
        clock="virtual",
    )
    assert told(trace) == [
        "main Task-1 begins, runs, then awaits `db.fetch(LIST)` (timer, 50 µs); then no step runs for 50 µs.",
        "main Task-1 runs, and is done.",
    ]


def test_every_number_in_a_sentence_is_the_recordings() -> None:
    trace = blocked_run()
    for row, sentence in zip(trace.steps, told(trace), strict=True):
        assert f" for {duration(row.duration_ns)}" in sentence


def test_the_text_tells_the_first_steps_and_counts_the_rest() -> None:
    trace = Trace(
        steps=[step(0, at, 1, "yields", woken_by=at - 1 if at else None) for at in range(14)], tasks=[task()], dropped=3
    )
    lines = sentences(trace).splitlines()
    assert lines[0] == "Loop theatre of Run: 14 ms · 1 task · 14 steps · 3 events dropped"
    assert lines[2] == " 1      0 ms  main Task-1 runs for 1 ms, then lets others run."
    assert lines[13].startswith("12     11 ms  ")
    assert lines[14:] == [
        "And 2 more steps.",
        "The recorder dropped 3 events, the oldest: where a task of that time stood is not shown until it runs again.",
    ]


def test_the_text_of_a_recording_without_steps_says_so() -> None:
    assert sentences(Trace()).endswith("\nNo step was recorded.")


def test_the_play_opens_at_a_requests_first_step_or_at_the_first_of_all() -> None:
    steps = [step(0, 0, 1), step(None, 1, 1, "callback"), step(1, 2, 1, "returned"), step(0, 3, 1, "returned")]
    tasks = [task(), task(coroutine="read")]
    with_one = Trace(steps=steps, tasks=tasks, requests=[request(4, 2, 3, task=1)])
    assert play(with_one).opens == decoded(with_one)[0]["opens"] == 2
    assert play(Trace(steps=steps, tasks=tasks)).opens == 0
    assert play(Trace(steps=steps[:2], tasks=tasks, requests=[request(4, 2, 3, task=1)])).opens == 0
    assert play(Trace(requests=[request(4, 2, 3)])).opens == 0


def test_a_real_run_opens_in_the_users_code_and_shows_no_library_s() -> None:
    app = App()

    @app.get("/sync")
    def sync() -> str:
        return "done"

    with Lab(app) as lab:
        trace = lab.burst("/sync", n=2).trace
    header, _ = decoded(trace)
    opens = header["opens"]
    assert play(trace).actors[play(trace).stage.actor[opens]].request == 0
    shown = [(file, lines) for file, _, _, lines in header["sites"]]
    assert all(__file__.endswith(file) for file, lines in shown if lines)
    assert any(file.startswith("In a library: ") for file, lines in shown if not lines)
    assert not any("_on_completed_fut" in sentence for sentence in map(play(trace).sentence, range(len(trace.steps))))


def test_what_waits_in_a_library_is_told_by_name_and_not_by_a_line_of_it() -> None:
    group = Site("/usr/lib/python3.11/asyncio/taskgroups.py", 71, "TaskGroup.__aexit__", "await self._on_completed_fut")
    trace = Trace(
        steps=[step(0, 0, 1, "waits", site=group), step(0, 5, 1, "returned")],
        tasks=[task()],
        waits=[wait(0, 1, 5, "task", group)],
    )
    assert (
        told(trace)[0].partition(";")[0]
        == "main Task-1 begins, runs for 1 ms, then waits in `TaskGroup.__aexit__` (task, 4 ms)"
    )
    header, columns = decoded(trace)
    words = "In a library: TaskGroup.__aexit__ in /usr/lib/python3.11/asyncio/taskgroups.py, line 71."
    assert header["sites"] == [[words, 71, 71, []]]
    assert header["names"][columns["wait_text"][0]] == ""


def test_a_place_of_the_users_without_its_text_is_told_in_words() -> None:
    trace = Trace(steps=[step(0, 0, 1, "yields", site=Site("cell 3", 6, "read", ""))], tasks=[task()])
    assert decoded(trace)[0]["sites"] == [["In read in cell 3, line 6, whose source is not to be had.", 6, 6, []]]


# -- the packet -------------------------------------------------------------------------------------------


def decoded(trace: Trace) -> "tuple[dict[str, Any], dict[str, list[Any]]]":
    header, columns = unpack(theatre_packet(trace))
    return header, {name: column.tolist() for name, column in columns.items()}


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 30))
def test_the_packets_counts_are_those_of_the_stage(seed: int, requests: int) -> None:
    trace = load(requests, seed=seed) if requests else Trace()
    _, columns = decoded(trace)
    made = stage(trace, len(trace.steps))
    places = range(made.steps + 1)
    assert columns["moment"] == made.ends_ns
    assert columns["queue_count"] == [len(queued(made, place)) for place in places]
    assert columns["wait_count"] == [len(waiting(made, place)) for place in places]
    assert columns["call_count"] == [len(at_work(made, place)) for place in places]
    assert columns["ended_count"] == [len(done(made, place)) for place in places]
    asked = [
        sum(call.submitted_ns - call.limiter_wait_ns <= end < (call.started_ns or 0) for call in trace.handoffs)
        for end in made.ends_ns
    ]
    assert columns["asking"] == asked


def test_moments_of_many_hours_arrive_to_the_nanosecond() -> None:
    at_ms = 90_000_000_000_001 / MS
    trace = Trace(steps=[step(0, at_ms, 1, "returned")], tasks=[task()])
    _, columns = decoded(trace)
    assert columns["moment"][0] == trace.steps[0].end_ns


def test_whose_wait_a_callback_has_ended_is_told_for_who_guesses() -> None:
    trace = Trace(
        steps=[
            step(0, 0, 1, "waits", site=FETCH),
            step(None, 6, 0.1, "callback", site=RESULT),
            step(0, 6.2, 1, "returned", woken_by=1),
        ],
        tasks=[task()],
        waits=[wait(0, 1, 6, "timer", FETCH)],
    )
    _, columns = decoded(trace)
    assert columns["over"] == [0, 1, 1]


def test_worker_threads_are_told_with_their_first_use() -> None:
    trace = Trace(
        steps=[step(0, 0, 1), step(0, 10, 1, "returned")],
        tasks=[task()],
        waits=[wait(0, 1, 10, "thread")],
        handoffs=[handoff(0.5, 0.9, 9, 10, task=0, thread=1)],
    )
    header, columns = decoded(trace)
    assert header["threads"] == [3, 0]
    assert (columns["call_thread"], columns["call_count"]) == ([1], [1, 0, 0])


def test_what_an_app_calls_things_travels_as_it_is() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    trace = Trace(
        steps=[step(0, 0, 1, site=Site(evil, 1, evil, evil))],
        tasks=[task(coroutine=evil, name=evil)],
        requests=[request(0, 0, None, task=0, path=evil)],
    )
    header, _ = decoded(trace)
    assert f"GET {evil}" in header["names"]
    ((file, _, _, (line,)),) = header["sites"]
    assert (file, "".join(text for _, text in line)) == (evil, evil)


# -- source -----------------------------------------------------------------------------------------------


def test_the_lines_around_a_place_are_shown_while_it_reads_as_recorded(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("".join(f"line_{number}()\n" for number in range(1, 31)), encoding="utf-8")
    same = Site(str(file), 15, "f", "line_15()")
    changed = Site(str(file), 16, "f", "other()")
    unknown = Site(str(file), 17, "f", "")
    beyond = Site(str(file), 99, "f", "line_99()")
    found = excerpts([same, changed, unknown, beyond], around=2)
    assert found == {same: (13, ("line_13()", "line_14()", "line_15()", "line_16()", "line_17()"))}


def test_at_a_files_edges_there_are_fewer_lines(tmp_path: Path) -> None:
    file = tmp_path / "short.py"
    file.write_text("a\n\tb\n", encoding="utf-8")
    first, last = Site(str(file), 1, "f", "a"), Site(str(file), 2, "f", "b")
    assert excerpts([first, last], around=9) == {first: (1, ("a", "    b")), last: (1, ("a", "    b"))}
    assert excerpts([last], around=0) == {last: (2, ("b",))}  # nothing is gained by an indent that all lines have
    assert list(excerpts([first, last], most_sites=1)) == [first]
    assert excerpts([Site("cell " + "9" * 5000, 1, "f", "a")]) == {}  # a recording may hold anything


def test_nothing_but_python_is_read_for_a_recording_that_names_another_file(tmp_path: Path) -> None:
    file = tmp_path / "secrets.txt"
    file.write_text("password\nmore\n", encoding="utf-8")
    assert excerpts([Site(str(file), 1, "f", "password")]) == {}


def test_where_the_source_is_gone_the_recorded_line_stands_alone() -> None:
    header, columns = decoded(Trace(steps=[step(0, 0, 1, site=FETCH)], tasks=[task()]))
    assert columns["site"] == [1]
    file, line, first, lines = header["sites"][0]
    assert (file, line, first) == ("cell 3", 6, 6)
    assert lines == [[["", "rows = "], ["key", "await"], ["", " db.fetch(LIST)"]]]


def test_strings_comments_and_keywords_are_told_apart() -> None:
    site = Site("cell 3", 1, "f", "return x['if']  # not yet")
    header, _ = decoded(Trace(steps=[step(0, 0, 1, site=site)], tasks=[task()]))
    (line,) = header["sites"][0][3]
    assert line == [["key", "return"], ["", " x["], ["str", "'if'"], ["", "]  "], ["com", "# not yet"]]


def test_the_line_of_a_step_that_ended_is_where_its_task_had_gone_on() -> None:
    steps: list[Step] = [step(0, 0, 1, site=FETCH), step(0, 2, 1, "returned")]
    assert play(Trace(steps=steps, tasks=[task()])).sites == [FETCH, FETCH]
