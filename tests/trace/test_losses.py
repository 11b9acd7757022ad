"""What an app lets go of: each loss with its task and its line, on both clocks, and Python says what it always said."""

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

from playground import App, Lab, watch
from playground.clock.virtual import VirtualLoop
from playground.trace import Clock, Loss, Trace
from playground.trace.losses import MOST, Losses, watch_losses
from playground.trace.recorder import Recorder, recording
from playground.trace.source import _package_of
from playground.trace.threads import watch_threads

CLOCKS = pytest.mark.parametrize("clock", ["real", "virtual"])
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine '.*' was never awaited:RuntimeWarning"),
]

KEPT: list[Any] = []


async def save(row: int) -> None:
    raise AssertionError(f"nobody awaits it: {row}")


async def fails() -> None:
    raise KeyError("nobody asks")


async def forgets_to_await() -> None:
    save(1)  # type: ignore[unused-coroutine]
    await asyncio.sleep(0)


async def forgets_a_name() -> None:
    def make() -> None:
        row = save(2)
        assert row is not None

    make()


async def forgets_a_task() -> None:
    asyncio.ensure_future(fails())  # noqa: RUF006 (the mistake)
    await asyncio.sleep(0.01)


async def keeps_a_task() -> None:
    KEPT.append(asyncio.ensure_future(fails()))
    await asyncio.sleep(0.01)


async def forgets_a_gathering() -> None:
    asyncio.gather(fails(), asyncio.sleep(0))
    await asyncio.sleep(0.01)


async def forgets_in_a_thread() -> None:
    def work() -> None:
        save(3)  # type: ignore[unused-coroutine]

    await anyio.to_thread.run_sync(work)


async def asks_for_what_failed() -> None:
    failing = asyncio.ensure_future(fails())
    await asyncio.wait([failing])
    assert isinstance(failing.exception(), KeyError)
    with pytest.raises(KeyError):
        await asyncio.ensure_future(fails())
    await asyncio.gather(fails(), return_exceptions=True)
    waits = asyncio.ensure_future(asyncio.sleep(10))
    await asyncio.sleep(0)
    waits.cancel()
    never_begun = asyncio.ensure_future(save(4))
    never_begun.cancel()
    await asyncio.sleep(0.01)


def losses(function: Callable[[], Any], clock: Clock) -> tuple[Trace, list[Loss]]:
    """What one function loses, on a lab's loop that is quiet about it."""

    async def quietly() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        try:
            await function()
        finally:
            asyncio.get_running_loop().set_exception_handler(None)

    with Lab(App(), clock=clock) as lab:
        trace = lab.run(quietly).trace
    return trace, list(trace.losses)


@CLOCKS
def test_a_coroutine_that_nobody_awaited_is_recorded_with_the_line_that_let_go_of_it(clock: Clock) -> None:
    trace, (loss,) = losses(forgets_to_await, clock)
    assert (loss.kind, loss.name) == ("coroutine", "save")
    assert loss.task is not None
    assert trace.tasks[loss.task].name == "experiment"
    assert loss.site is not None
    assert (loss.site.text.split("  #")[0], loss.site.function) == ("save(1)", "forgets_to_await")
    assert loss.defined is not None
    assert (loss.defined.line, loss.defined.function) == (save.__code__.co_firstlineno, "save")
    assert any(step.start_ns <= loss.at_ns <= step.end_ns for step in trace.steps if step.task == loss.task)


@CLOCKS
def test_a_line_that_does_not_name_the_coroutine_is_not_said_to_have_let_go_of_it(clock: Clock) -> None:
    _, (loss,) = losses(forgets_a_name, clock)  # it is dropped where `make` returns
    assert (loss.name, loss.site) == ("save", None)
    assert loss.defined is not None


@CLOCKS
def test_a_coroutine_that_a_worker_made_is_recorded_with_the_task_it_worked_for(clock: Clock) -> None:
    trace, (loss,) = losses(forgets_in_a_thread, clock)
    assert loss.task is not None
    assert trace.tasks[loss.task].name == "experiment"
    assert loss.site is not None
    assert loss.site.function == "forgets_in_a_thread.<locals>.work"


@CLOCKS
@pytest.mark.parametrize("forgets", [forgets_a_task, keeps_a_task, forgets_a_gathering])
def test_an_exception_that_nobody_asked_for_is_recorded_with_its_task_and_line(
    forgets: Callable[[], Any], clock: Clock
) -> None:
    trace, (loss,) = losses(forgets, clock)
    while KEPT:
        KEPT.pop().exception()
    assert (loss.kind, loss.name, loss.defined) == ("exception", "KeyError: 'nobody asks'", None)
    assert loss.task is not None
    assert (trace.tasks[loss.task].coroutine, trace.tasks[loss.task].outcome) == ("fails", "raised")
    assert trace.tasks[loss.task].ended_ns is not None
    assert loss.site is not None
    assert (loss.site.text, loss.site.function) == ('raise KeyError("nobody asks")', "fails")


@CLOCKS
def test_what_is_awaited_asked_for_or_cancelled_is_no_loss(clock: Clock) -> None:
    assert losses(asks_for_what_failed, clock)[1] == []


@pytest.mark.slow
def test_virtual_runs_lose_the_same_each_time() -> None:
    async def all_of_them() -> None:
        for forgets in (forgets_to_await, forgets_a_task, keeps_a_task, forgets_a_gathering, forgets_in_a_thread):
            await forgets()

    first = losses(all_of_them, "virtual")[1]
    assert len(first) == 5
    assert [losses(all_of_them, "virtual")[1] for _ in range(2)] == [first, first]
    while KEPT:
        KEPT.pop().exception()


def test_a_task_of_an_earlier_run_that_is_dropped_in_this_one_is_none_of_its_losses() -> None:
    async def drops() -> None:
        KEPT.clear()
        await asyncio.sleep(0)

    async def keeps() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        await keeps_a_task()

    with Lab(App()) as lab:
        assert len(lab.run(keeps).trace.losses) == 1
        assert list(lab.run(drops).trace.losses) == []


def test_watch_records_losses_of_asyncio_and_coroutines_of_trio() -> None:
    trace = watch(forgets_to_await)
    assert [(loss.kind, loss.name) for loss in trace.losses] == [("coroutine", "save")]
    trio = pytest.importorskip("trio")

    async def forgets() -> None:
        save(5)  # type: ignore[unused-coroutine]
        await trio.sleep(0)

    with watch() as watched:
        trio.run(forgets)
    assert [loss.name for loss in watched.losses] == ["save"]


def test_what_another_thread_drops_is_not_this_recordings() -> None:
    recorder = Recorder()
    loop = asyncio.new_event_loop()

    with watch_losses(loop, recorder):
        other = threading.Thread(target=lambda: save(6) and None)
        other.start()
        other.join()
        gc.collect()
        assert recorder.losses.records == []
        save(7)  # type: ignore[unused-coroutine]
        assert [record.name for record in recorder.losses.records] == ["save"]
    loop.close()


def test_what_a_shared_worker_drops_is_of_the_loop_that_it_works_for() -> None:
    pool = ThreadPoolExecutor(1)
    met, over = threading.Event(), threading.Event()

    def drops() -> None:
        save(9)  # type: ignore[unused-coroutine]

    async def meets() -> None:
        await asyncio.get_running_loop().run_in_executor(pool, met.set)
        await asyncio.to_thread(over.wait, 30)

    async def works() -> None:
        await asyncio.get_running_loop().run_in_executor(pool, drops)

    found: list[Trace] = []
    with Lab(App()) as first, Lab(App()) as second:
        other = threading.Thread(target=lambda: found.append(first.run(meets).trace))
        other.start()
        assert met.wait(30)
        found.append(second.run(works).trace)
        over.set()
        other.join()
    pool.shutdown()
    assert [[loss.name for loss in trace.losses] for trace in found] == [["save"], []]


def test_everything_borrowed_is_given_back_also_after_two_at_once() -> None:
    before = warnings._warn_unawaited_coroutine  # type: ignore[attr-defined]
    loops = [asyncio.new_event_loop() for _ in range(2)]
    loops[1].call_exception_handler = mine = lambda context: None  # type: ignore[method-assign]
    first, second = (watch_losses(loop, Recorder()) for loop in loops)
    first.__enter__()
    second.__enter__()
    assert warnings._warn_unawaited_coroutine is not before  # type: ignore[attr-defined]
    first.__exit__()
    assert warnings._warn_unawaited_coroutine is not before  # type: ignore[attr-defined]
    second.__exit__()
    assert warnings._warn_unawaited_coroutine is before  # type: ignore[attr-defined]
    assert "call_exception_handler" not in vars(loops[0])
    assert loops[1].call_exception_handler is mine
    for loop in loops:
        loop.close()


def test_what_the_program_puts_there_meanwhile_is_its_own_and_stays() -> None:
    loop = asyncio.new_event_loop()
    recorder = Recorder()
    for name, watch_it in (("call_exception_handler", watch_losses), ("run_in_executor", watch_threads)):
        with watch_it(loop, recorder):
            setattr(loop, name, mine := lambda *args: None)
        assert getattr(loop, name) is mine
        delattr(loop, name)
        with watch_it(loop, recorder):
            delattr(loop, name)
        assert name not in vars(loop)
    loop.close()


def test_what_is_borrowed_for_the_app_is_given_back_whatever_its_exceptions_do() -> None:
    given_back: list[bool] = []

    class Interrupted(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    async def records() -> None:
        with recording(asyncio.get_running_loop()) as recorder:
            recorder.borrowed.callback(given_back.append, True)
            KEPT.append(asyncio.ensure_future(_raises(Interrupted())))
            await asyncio.sleep(0.001)

    loop = VirtualLoop()
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(records())
    KEPT.pop().exception()
    assert given_back == [True]
    assert loop.recorder is None
    loop.close()


async def _raises(error: Exception, after_s: float = 0.0) -> None:
    await asyncio.sleep(after_s)
    raise error


@CLOCKS
def test_the_exception_of_a_gathering_is_of_the_task_that_raised_it(clock: Clock) -> None:
    async def forgets_two() -> None:
        asyncio.gather(_raises(ValueError("later"), 0.02), _raises(KeyError("sooner"), 0.001))
        await asyncio.sleep(0.05)
        gc.collect()

    trace, (loss,) = losses(forgets_two, clock)
    assert loss.name == "KeyError: 'sooner'"
    assert loss.task is not None
    assert trace.tasks[loss.task].ended_ns == min(
        task.ended_ns or 0 for task in trace.tasks if task.outcome == "raised"
    )


def test_losses_without_end_are_counted_and_not_kept() -> None:
    recorder = Recorder()
    loss = Losses(recorder.sites)
    for _ in range(MOST + 3):
        loss.unawaited(coro := save(8), recorder)
        coro.close()
    assert (len(loss.records), loss.forgotten) == (MOST, 3)


def test_what_the_program_prints_is_what_it_prints_unrecorded(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        textwrap.dedent(
            """
            import asyncio, sys
            async def save(): ...
            async def fails(): raise KeyError("x")
            async def main():
                save()
                asyncio.create_task(fails(), name="it")
                await asyncio.sleep(0.01)
            if sys.argv[1:] == ["watched"]:
                from playground import watch
                with watch() as trace:
                    asyncio.run(main())
                assert len(trace.losses) == 2, trace.losses
            else:
                asyncio.run(main())
            """
        )
    )

    def printed(*args: str) -> str:
        done = subprocess.run([sys.executable, str(script), *args], capture_output=True, text=True, check=True)
        return done.stderr

    assert "was never awaited" in printed()
    assert printed("watched") == printed()


@pytest.mark.parametrize(
    ("filename", "package"),
    [
        (__file__, ""),
        ("<string>", ""),
        (asyncio.tasks.__file__, "asyncio"),
        (textwrap.__file__, "textwrap"),
        (pytest.__file__, "pytest"),
        (anyio.to_thread.__file__, "anyio"),
        (Recorder.__init__.__code__.co_filename, ""),
    ],
)
def test_a_librarys_file_is_told_by_its_package(filename: str, package: str) -> None:
    assert _package_of(filename) == package
