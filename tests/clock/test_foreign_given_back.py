"""A loop that is not ours is left as it was found, whoever else has had a hand in it."""

import asyncio
import contextlib
import threading
from typing import Any, Final

import pytest

from playground.clock.foreign import LentTurns, watcher_of
from playground.clock.loop import LabLoop
from playground.clock.wrapped import WrappedCalls
from playground.trace.build import build
from playground.trace.recorder import Recorder
from playground.watching import Session
from tests.clock.foreign import KINDS, new_loop

METHODS: Final = (
    *("_run_once", "call_soon", "call_soon_threadsafe", "create_task", "run_in_executor"),
    *("call_later", "call_at", "add_reader", "add_writer"),
)


def methods_of(loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
    return {name: vars(loop)[name] for name in METHODS if name in vars(loop)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_a_running_loop_is_left_as_it_was_found(kind: str, error: type[BaseException] | None) -> None:
    loop = new_loop(kind)

    async def main() -> None:
        other = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        found = methods_of(loop)
        try:
            with contextlib.closing(Session()):
                assert methods_of(loop) != found
                await asyncio.sleep(0.001)
                if error is not None:
                    raise error
        finally:
            assert methods_of(loop) == found
            assert not hasattr(other, "_playground")
            other.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await other
        await asyncio.sleep(0.001)  # and it goes on

    with contextlib.closing(loop):
        if error is None:
            loop.run_until_complete(main())
        else:
            with pytest.raises(error):
                loop.run_until_complete(main())
        assert loop.run_until_complete(asyncio.sleep(0, "fine")) == "fine"


@pytest.mark.parametrize("kind", KINDS)
def test_steps_that_are_ready_when_a_recording_ends_run_afterwards(kind: str) -> None:
    ran = []

    async def note() -> None:
        ran.append("step")
        await asyncio.sleep(0)
        ran.append("last")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with contextlib.closing(Session()):
            await asyncio.sleep(0)
            task = asyncio.create_task(note())
            loop.call_soon(ran.append, "callback")
        await task

    with contextlib.closing(new_loop(kind)) as loop:
        loop.run_until_complete(main())
    assert ran == ["step", "callback", "last"]


@pytest.mark.parametrize("leaves", ["first", "last"])
def test_another_tools_patch_survives_a_recording(leaves: str) -> None:
    """It was put over ours, and leaves before or after us."""
    calls = []

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        session = Session()
        under = loop.call_soon

        def theirs(callback: Any, *args: Any, context: Any = None) -> Any:
            calls.append(callback)
            return under(callback, *args, context=context)

        loop.call_soon = theirs  # type: ignore[method-assign, assignment]
        await asyncio.sleep(0)
        if leaves == "first":
            loop.call_soon = under  # type: ignore[method-assign]
        session.close()
        seen = len(calls)
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        if leaves == "first":
            assert len(calls) == seen
        else:
            assert len(calls) > seen
            assert methods_of(loop)["call_soon"] is theirs
            loop.call_soon = under  # type: ignore[method-assign]
            await asyncio.sleep(0.001)
            await asyncio.sleep(0)
        assert methods_of(loop) == {}
        assert calls

    with contextlib.closing(asyncio.SelectorEventLoop()) as loop:
        loop.run_until_complete(main(loop))


def test_only_an_untouched_stock_loop_has_its_turns_taken() -> None:
    class Own(asyncio.SelectorEventLoop):
        def call_soon(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            return super().call_soon(*args, **kwargs)

    kinds = {"stock": LentTurns, "patched": WrappedCalls, "own": WrappedCalls, "lab": WrappedCalls}
    loops = {"stock": new_loop("stock"), "patched": new_loop("patched"), "own": Own(), "lab": LabLoop()}
    for name, loop in loops.items():
        with contextlib.closing(loop):
            assert type(watcher_of(loop)) is kinds[name]


def test_a_loop_that_runs_in_another_thread_is_left_there_as_it_was() -> None:
    loop = asyncio.SelectorEventLoop()
    began = threading.Event()

    async def work() -> None:
        began.set()
        while True:
            await asyncio.sleep(0.001)

    def live() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(work())

    thread = threading.Thread(target=live, name="the other")
    with contextlib.closing(Session()) as session:
        thread.start()
        began.wait()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.005), loop).result(10)
        assert methods_of(loop) != {}
    assert methods_of(loop) == {}
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001), loop).result(10)  # it goes on
    loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
    thread.join()
    loop.close()
    ((recorder, ran_in),) = session.recorders()
    assert ran_in is thread
    assert len(build(recorder).steps) > 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_that_moves_on_says_so_between_two_steps_to_whoever_looks_at_it(kind: str) -> None:
    class Looker:
        due_ns = 0

        def __init__(self, watcher: LentTurns | WrappedCalls) -> None:
            self.watcher = watcher
            self.steps: list[int] = []

        def moved_on(self) -> None:
            self.steps.append(self.watcher.step)
            self.due_ns = 1 << 63

    async def main() -> list[int]:
        watcher, recorder = watcher_of(asyncio.get_running_loop()), Recorder()
        recorder.sampler = looker = Looker(watcher)  # type: ignore[assignment]
        recorder.begin(watcher.loop)
        watcher.record(recorder)
        for _ in range(3):
            await asyncio.sleep(0)
        recorder.close()
        watcher.stop_recording()
        return looker.steps

    with contextlib.closing(new_loop(kind)) as loop:
        assert loop.run_until_complete(main()) == [0]
