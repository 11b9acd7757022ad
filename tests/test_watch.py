"""`watch`: what it records of code that is no web app, in every form and on every loop; and that nothing is left."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
import trio

from playground import Lab, Trace, watch
from playground.errors import WatchError
from playground.views.lanes import lanes
from tests.watched import child, main, named

# -- the forms ------------------------------------------------------------------------------------------------------


def test_a_with_block_records_the_loops_that_run_in_it() -> None:
    with watch() as trace:
        asyncio.run(main())
    assert isinstance(trace, Trace)
    assert named(trace) == ["main", "child", "child"]
    assert {row.outcome for row in trace.tasks} == {"returned"}
    assert [trace.waits[index].on for index in trace.waits_of[0]] == ["task", "thread"]
    assert [handoff.function for handoff in trace.handoffs] == ["sleep"]
    assert (trace.title, trace.result, trace.others) == ("Watched code", None, ())


def test_a_function_is_called_and_its_result_kept_beside_the_trace() -> None:
    trace = watch(main)
    assert (named(trace), trace.title, trace.result) == (["main", "child", "child"], "main", "done")

    def run() -> str:
        return asyncio.run(main())

    trace = watch(run, title="a plain function")
    assert (named(trace), trace.title, trace.result) == (["main", "child", "child"], "a plain function", "done")


def test_within_a_running_loop_an_async_function_gets_a_loop_beside_it() -> None:
    async def cell() -> Trace:
        return watch(main)

    trace = asyncio.run(cell())
    assert {"main", "child"} <= set(named(trace))
    main_task = named(trace).index("main")
    assert trace.tasks[main_task].outcome == "returned"
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("playground")]


def test_within_a_running_loop_a_with_block_records_that_loop() -> None:
    async def cell() -> Trace:
        with watch(title="a cell") as trace:
            await main()
        return trace

    trace = asyncio.run(cell())
    assert named(trace) == ["test_within_a_running_loop_a_with_block_records_that_loop.<locals>.cell", "child", "child"]
    assert [trace.tasks[index].outcome for index in range(3)] == ["pending", "returned", "returned"]
    assert [trace.tasks[index].parent for index in range(3)] == [None, 0, 0]


def test_a_recording_is_complete_after_an_error_too() -> None:
    with pytest.raises(ValueError, match=r"^no$"), watch() as trace:
        asyncio.run(fails())
    assert named(trace) == ["fails"]
    assert trace.tasks[0].outcome == "raised"


async def fails() -> None:
    raise ValueError("no")


def test_a_watched_trace_can_be_saved_and_drawn_like_any_other(tmp_path: Path) -> None:
    trace = watch(main)
    trace.save(tmp_path / "main.trace")
    assert Trace.load(tmp_path / "main.trace").steps == trace.steps
    assert trace.to_svg().startswith("<svg")


def test_where_no_loop_runs_the_trace_is_empty() -> None:
    trace = watch(lambda: 3, title="nothing")
    assert (trace.steps, trace.tasks, trace.title, trace.result) == ((), (), "nothing", 3)


def test_each_task_has_a_lane_and_what_only_keeps_the_loop_has_none() -> None:
    async def cell() -> Trace:
        return watch(main)

    for trace in (watch(main), asyncio.run(cell())):
        assert [each.label for each in lanes(trace).requests] == ["main", "child (first)", "child (second)"]
        assert ">Tasks<" in trace.to_svg()
        lines = [line for line in str(trace).splitlines() if line.startswith(("main ", "child (", "lab", "_"))]
        assert [line[:10] for line in lines] == ["main      ", "child (fir", "child (sec"]


def test_trios_own_tasks_have_no_lane() -> None:
    async def sleeps() -> None:
        await trio.sleep(0.001)

    async def both() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleeps)
            nursery.start_soon(sleeps, name="second")

    trace = watch(both, backend="trio")
    assert [each.label for each in lanes(trace).requests] == ["both", "sleeps", "sleeps (second)"]


# -- what cannot be asked -------------------------------------------------------------------------------------------


def test_a_recording_that_goes_on_says_so() -> None:
    with watch(title="mine") as trace:
        assert repr(trace) == "<Trace 'mine': being recorded>"
        with pytest.raises(WatchError) as refused:
            len(trace.steps)
    assert str(refused.value) == (
        "expected a recording that is over, got one that goes on: ask for 'steps' after the with block"
    )
    with pytest.raises(AttributeError):
        trace.nonsense  # noqa: B018


def test_a_second_watch_at_the_same_time_is_refused_and_disturbs_nothing() -> None:
    with watch() as trace:
        with pytest.raises(WatchError) as refused:
            watch(main)
        asyncio.run(main())
    assert str(refused.value) == (
        "expected one watch at a time, got a second while the first goes on: leave the first with block, or let one "
        "watch cover both; it records every loop of the process"
    )
    assert named(trace) == ["main", "child", "child"]


def test_what_is_no_function_is_refused_in_words() -> None:
    with pytest.raises(WatchError) as refused:
        watch(main())  # type: ignore[call-overload]
    assert str(refused.value) == (
        "expected a function to call, got coroutine: pass the function itself, as in watch(main) and not watch(main())"
    )
    with pytest.raises(WatchError) as refused:
        watch(main, backend="curio")  # type: ignore[call-overload]
    assert str(refused.value) == "expected backend='asyncio' or backend='trio', got 'curio'"


def test_a_labs_loop_is_left_to_the_lab() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nobody calls it")

    async def within() -> None:
        with watch():
            pass

    with Lab(app) as lab:
        with pytest.raises(WatchError) as refused:
            lab.run(within)
        with watch() as trace:
            lab.run(child)
    assert str(refused.value) == (
        "expected a loop that nobody records, got a lab's during a run: the run's trace shows it already"
    )
    assert trace.steps == ()


# -- several loops --------------------------------------------------------------------------------------------------


def test_loops_that_follow_one_another_are_one_story() -> None:
    def twice() -> None:
        asyncio.run(child())
        asyncio.run(child())

    trace = watch(twice)
    assert named(trace) == ["child", "child"]
    assert trace.others == ()
    assert trace.tasks[0].ended_ns is not None
    assert trace.tasks[0].ended_ns <= trace.tasks[1].created_ns
    for before, after in zip(trace.steps, trace.steps[1:], strict=False):
        assert before.end_ns <= after.start_ns


def test_a_loop_that_runs_twice_keeps_its_tasks() -> None:
    def twice() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(asyncio.sleep(0.002))
        loop.run_until_complete(child())
        loop.run_until_complete(task)
        loop.close()

    trace = watch(twice)
    assert sorted(named(trace)) == ["child", "sleep"]
    assert {row.outcome for row in trace.tasks} == {"returned"}


def test_loops_in_other_threads_are_recorded_beside_and_named_after_them() -> None:
    def both() -> None:
        thread = threading.Thread(target=asyncio.run, args=(main(),), name="worker bee")
        thread.start()
        asyncio.run(child())
        thread.join()

    trace = watch(both, title="both")
    assert named(trace) == ["child"]
    (other,) = trace.others
    assert (named(other), other.title) == (["main", "child", "child"], "both, worker bee")
    assert len(other.handoffs) == 1


@pytest.mark.parametrize("name", ["Control", "IOPub", "Shell channel", "subshell-1"])
def test_the_threads_of_a_kernel_are_not_shown(name: str) -> None:
    def run() -> None:
        thread = threading.Thread(target=asyncio.run, args=(child(),), name=name)
        thread.start()
        asyncio.run(main())
        thread.join()

    assert watch(run).others == ()


def test_a_loop_made_in_one_thread_and_run_in_another_is_recorded_there() -> None:
    def run() -> None:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
        thread.start()
        thread.join()
        loop.close()

    trace = watch(run)
    assert named(trace) == ["main", "child", "child"]


def test_uvloop_is_recorded_from_its_first_step_however_it_is_made() -> None:
    uvloop = pytest.importorskip("uvloop")
    found = dict(vars(uvloop.Loop))
    made_before = uvloop.new_event_loop()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
        made_before.run_until_complete(main())
        made_before.close()

    trace = watch(run)
    assert named(trace) == ["main", "child", "child"] * 2
    assert len(trace.handoffs) == 2
    first = trace.steps[trace.steps_of[0][0]]
    assert (first.outcome, first.site and first.site.function) == ("waits", "main")
    assert dict(vars(uvloop.Loop)) == found


# -- giving back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_of_asyncio_is_left_changed(error: type[BaseException] | None) -> None:
    found = dict(vars(asyncio.BaseEventLoop))
    threads = set(threading.enumerate())

    async def body() -> None:
        await asyncio.sleep(0)
        if error is not None:
            raise error

    if error is None:
        watch(body)
    else:
        with pytest.raises(error):
            watch(body)
    assert dict(vars(asyncio.BaseEventLoop)) == found
    assert set(threading.enumerate()) <= threads
    assert named(watch(child)) == ["child"]  # and the next one may begin
