"""Where a recording has no requests, its tasks have the lanes: whose, with what names, and what each did."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from playground import Lab
from playground.trace import Task, Trace
from playground.views.chrome import chrome_lines
from playground.views.kinds import BLOCKED, FUTURE, LOCK, OTHER, READY, RUN, THREAD, TIMER, WAIT_KIND
from playground.views.lanes import NO_REQUEST, lanes
from playground.views.svg import svg
from playground.views.text import text
from tests.by_hand import MS, handoff, looks, ns, request, step, task, wait
from tests.plans import recordings
from tests.recordings import healthy_run

QUEUE = Trace(
    title="Queue",
    tasks=[
        replace(task(), coroutine="main", ended_ns=ns(40), outcome="returned"),
        replace(task(1, coroutine="consume", parent=0, name="consume 0"), ended_ns=ns(20), outcome="cancelled"),
        replace(task(1, coroutine="main.<locals>.work", parent=0, name="Task-3"), ended_ns=ns(30), outcome="raised"),
    ],
    steps=[
        step(0, 0, 1), step(1, 1, 1), step(2, 3, 1), step(1, 12, 1), step(None, 15, 1, "callback"),
        step(1, 19, 1, "cancelled"), step(2, 29, 1, "raised"), step(0, 32, 8, "returned"),
    ],
    waits=[
        wait(0, 1, 30, "task"), wait(1, 2, 10, "queue"), wait(2, 4, 28, "thread"), wait(1, 13, 18, "timer"),
    ],
    handoffs=[handoff(4, 5, 27, 29, task=2)],
)  # fmt: skip


def told(trace: Trace) -> list[tuple[str, list[tuple[float, float, int]]]]:
    """Each subject's name, with its spans as (start, end, kind), in milliseconds."""
    laid = lanes(trace)
    found: list[tuple[str, list[tuple[float, float, int]]]] = [(each.label, []) for each in laid.requests]
    for row in laid.of("request"):
        for start, end, kind, owner in zip(row.starts, row.ends, row.kinds, row.requests, strict=True):
            found[owner][1].append((start / MS, end / MS, kind))
    return found


def labels(*tasks: Task) -> list[str]:
    return [each.label for each in lanes(Trace(tasks=list(tasks), duration_ns=MS)).requests]


# -- rows -----------------------------------------------------------------------------------------------


def test_each_task_has_what_it_ran_and_waited_for() -> None:
    assert told(QUEUE) == [
        ("main", [(0, 1, RUN), (1, 30, FUTURE), (30, 32, READY), (32, 40, RUN)]),
        (
            "consume 0",
            [
                (1, 2, RUN),
                (2, 10, LOCK),
                (10, 12, READY),
                (12, 13, RUN),
                (13, 18, TIMER),
                (18, 19, READY),
                (19, 20, RUN),
            ],
        ),
        ("work", [(1, 3, READY), (3, 4, RUN), (4, 28, WAIT_KIND["thread"]), (28, 29, READY), (29, 30, RUN)]),
    ]


def test_a_task_lives_from_when_it_was_made_to_its_end_or_to_that_of_the_recording() -> None:
    pending = replace(QUEUE.tasks[2], ended_ns=None, outcome="pending")
    laid = lanes(Trace(tasks=[*QUEUE.tasks[:2], pending], steps=QUEUE.steps, duration_ns=ns(50)))
    assert [list(zip(row.starts, row.ends, strict=True)) for row in laid.of("life")] == [
        [(0, ns(40))], [(ns(1), ns(20))], [(ns(1), ns(50))],
    ]  # fmt: skip
    assert [each.error for each in laid.requests] == [None, "cancelled", "pending"]


def test_the_loop_and_the_workers_say_whose_their_spans_are() -> None:
    laid = lanes(QUEUE)
    loop, worker = laid.rows[0], laid.of("worker")[0]
    assert list(loop.kinds) == [RUN, RUN, RUN, RUN, OTHER, RUN, RUN, RUN]
    assert list(loop.requests) == [0, 1, 2, 1, NO_REQUEST, 1, 2, 0]
    assert [laid.whats[what].name for what in loop.whats][:3] == ["main", "consume 0", "work"]
    assert (list(worker.kinds), list(worker.requests)) == ([THREAD], [2])
    assert list(laid.arrows.requests) == [2, 2]
    assert (laid.noun, laid.heading, laid.kinds[RUN].words) == ("task", "Tasks", "task runs")


def test_a_step_that_held_the_loop_shows_in_its_task() -> None:
    trace = Trace(tasks=[task()], steps=[step(0, 0, 80)], samples=looks(0, 10, 40))
    assert told(trace) == [("main", [(0, 80, BLOCKED)])]


def test_tasks_share_a_lane_when_they_do_not_overlap() -> None:
    lives = [(0, 10), (1, 4), (4, 6), (5, 8), (10, 12)]
    tasks = [replace(task(start), ended_ns=ns(end)) for start, end in lives]
    rows = lanes(Trace(tasks=tasks)).of("life")
    assert [list(row.requests) for row in rows] == [[0, 4], [1, 2], [3]]


def test_where_there_is_a_request_tasks_have_no_lanes() -> None:
    laid = lanes(Trace(tasks=[task(), task()], steps=[step(1, 0, 1)], requests=[request(0, 0, 5, task=0)]))
    assert (laid.noun, laid.heading, [each.label for each in laid.requests]) == ("request", "Requests", ["GET /items"])
    assert list(laid.rows[0].kinds) == [OTHER]


@pytest.mark.slow
@given(recordings())
def test_each_tasks_lane_has_its_steps_and_its_waits_exactly(trace: Trace) -> None:
    bare = Trace(
        tasks=trace.tasks, steps=trace.steps, waits=trace.waits, handoffs=trace.handoffs, duration_ns=trace.duration_ns
    )
    laid = lanes(bare)
    assert [facts.number for facts in laid.requests] == list(range(len(bare.tasks)))
    ran: list[list[Any]] = [[] for _ in bare.tasks]
    waited: list[list[Any]] = [[] for _ in bare.tasks]
    ready: list[list[Any]] = [[] for _ in bare.tasks]
    for row in laid.of("request"):
        for start, end, kind, owner in zip(row.starts, row.ends, row.kinds, row.requests, strict=True):
            if kind in (RUN, BLOCKED):
                ran[owner].append((start, end))
            elif kind == READY:
                ready[owner].append((start, end))
            else:
                waited[owner].append((start, end, kind))
    for index in range(len(bare.tasks)):
        assert ran[index] == [(turn.start_ns, turn.end_ns) for turn in bare.steps if turn.task == index]
        assert waited[index] == [
            (each.start_ns, each.end_ns, WAIT_KIND[each.on]) for each in bare.waits if each.task == index
        ]
        assert ready[index] == [(start, end) for start, end in bare.ready_spans(index) if start < end]
    lives = [life for row in laid.of("life") for life in zip(row.requests, row.starts, row.ends, strict=True)]
    ends = [bare.duration_ns if each.ended_ns is None else each.ended_ns for each in bare.tasks]
    assert sorted(lives) == [(at, each.created_ns, ends[at]) for at, each in enumerate(bare.tasks)]


# -- names, and whose tasks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "coroutine", "expected"),
    [
        ("Task-7", "fetch", "fetch"),
        ("Task-7", "main.<locals>.fetch", "fetch"),
        ("first", "fetch", "fetch (first)"),
        ("fetch 3", "fetch", "fetch 3"),
        ("fetch", "fetch", "fetch"),
        ("__main__.fetch", "fetch", "fetch"),
        ("experiment", "fetch", "fetch"),
        ("", "Client.fetch", "Client.fetch"),
        ("Task-13", "InteractiveShell.run_cell_async", "the cell"),
    ],
)
def test_a_task_is_called_by_its_coroutine_and_by_the_name_that_it_was_given(
    name: str, coroutine: str, expected: str
) -> None:
    assert labels(task(name=name, coroutine=coroutine)) == [expected]


def test_of_more_names_than_anybody_reads_the_coroutines_are_shown() -> None:
    assert labels(*(task(name=f"job {n}", coroutine="work") for n in range(10_000)))[-1] == "work (job 9999)"
    assert set(labels(*(task(name=f"job {n}", coroutine="work") for n in range(10_001)))) == {"work"}


@pytest.mark.parametrize(
    ("name", "coroutine"),
    [
        ("Task-3", "BaseEventLoop.shutdown_asyncgens"),
        ("Task-4", "Loop.shutdown_default_executor"),
        ("<init>", "Runner.init"),
        ("<TrioToken.run_sync_soon task>", "EntryQueue.task"),
        ("lab", "_main"),
        ("lifespan", "_Life._run"),
        ("Task-2", "_beside.<locals>.recorded"),
        ("Task-2", "Recordings._record"),
        ("Task-11", "_async_in_context.<locals>.run_in_context"),
        ("Task-12", "Kernel.shell_main"),
    ],
)
def test_what_only_keeps_or_ends_a_loop_has_no_lane(name: str, coroutine: str) -> None:
    assert labels(task(name=name, coroutine=coroutine), task(coroutine="mine")) == ["mine"]


def test_what_looks_like_a_keeper_but_runs_is_shown() -> None:
    kernel = task(name="Task-12", coroutine="Kernel.shell_main")
    assert [name for name, _ in told(Trace(tasks=[kernel], steps=[step(0, 0, 1)]))] == ["Kernel.shell_main"]
    assert labels(task(), replace(kernel, parent=0)) == ["main", "Kernel.shell_main"]


def test_an_apps_lifespan_is_called_so_where_it_runs_during_a_run() -> None:
    async def starts_late(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await asyncio.sleep(0.5)
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def main() -> None:
        await asyncio.sleep(1)

    with Lab(starts_late, clock="virtual") as lab:
        assert [name for name, _ in told(lab.run(main).trace)] == ["the app's lifespan", "main"]
        assert [name for name, _ in told(lab.run(main).trace)] == ["main"]


def test_the_steps_of_a_task_without_a_lane_are_nobodys() -> None:
    ending = task(coroutine="BaseEventLoop.shutdown_asyncgens")
    laid = lanes(Trace(tasks=[ending, task()], steps=[step(1, 0, 1), step(0, 2, 1, "returned")]))
    assert list(laid.rows[0].requests) == [0, NO_REQUEST]
    assert [laid.whats[what].name for what in laid.rows[0].whats] == ["main", "BaseEventLoop.shutdown_asyncgens"]


# -- pictures -----------------------------------------------------------------------------------------------


def test_in_text_each_task_has_a_line() -> None:
    lines = text(QUEUE, width=66).splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("main"))
    assert lines[start : start + 3] == [
        "main                40 ms █-----------------------------░░████████",
        "consume 0           19 ms  █========░░█─────░█",
        "work × raised       29 ms  ░░█························░█",
    ]
    assert "× raised an exception" in " ".join(lines)


def test_of_many_tasks_the_longest_are_drawn_and_the_others_counted() -> None:
    tasks = [replace(task(coroutine=f"task_{n}"), ended_ns=ns(n + 1)) for n in range(20)]
    trace = Trace(tasks=tasks)
    assert "17 more tasks not drawn (the longest took 17 ms)." in text(trace, most_lanes=3)
    assert [word for word in text(trace, most_lanes=3).split() if word.startswith("task_")] == [
        "task_17", "task_18", "task_19",
    ]  # fmt: skip
    assert "4 more lanes with 4 tasks (the longest took 4 ms)" in svg(trace)


def test_the_picture_has_tasks_in_the_place_of_requests() -> None:
    drawn = svg(QUEUE)
    for words in (">Tasks<", ">3 at once<", ">task runs<", ">raised an exception<", ">main", ">consume 0"):
        assert words in drawn
    assert "equest" not in drawn
    assert ">Requests<" in svg(healthy_run())
    assert ">Tasks<" not in svg(healthy_run())


def test_a_chrome_trace_has_a_track_for_each_task() -> None:
    written = "".join(chrome_lines(QUEUE))
    assert '"Tasks"' in written
    assert '"consume 0"' in written
    assert '"Requests"' not in written
