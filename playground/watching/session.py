"""A session: from now until it is closed, every event loop that runs in this process is recorded.

A loop is met when it begins to run: asyncio's own at `run_forever`, which every way of running one comes through;
uvloop's when it is made, for its first callbacks cannot be had later; trio's where `trio.run` and guest mode set up a
run. The loop that runs already in the calling thread is met at once. Loops that run already in other threads are left
alone; so are a lab's, which has its own recordings, and those of a notebook kernel's own threads. It decides whom to
record; how is `parts`' affair.
"""

import asyncio
import contextlib
import importlib
import importlib.util
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from playground.clock.loop import LabLoop
from playground.clock.wrapped import WrappedCalls
from playground.errors import WatchError
from playground.trace.events import DEFAULT_LIMIT
from playground.trace.recorder import Recorder
from playground.trace.swap import swap
from playground.trace.trio_instrument import TrioRecorder
from playground.watching.parts import LoopPart, TrioPart

__all__ = ["Session"]

_KERNELS: Final = frozenset({"Control", "IOPub", "Shell channel"})

_one_at_a_time: Final = threading.Lock()


class Session:
    """Records all loops until it is closed.

    Args:
        limit: how many events to keep, of each part.

    Raises:
        WatchError: another session is open, or a lab records the loop that runs here.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.parts: list[LoopPart | TrioPart] = []
        self._limit = limit
        self._thread = threading.current_thread()
        self._origin_ns: int | None = None
        self._prepared: dict[int, WrappedCalls] = {}
        self._lock = threading.Lock()
        self._borrowed = contextlib.ExitStack()
        self._open = True
        if not _one_at_a_time.acquire(blocking=False):
            raise WatchError(
                "expected one watch at a time, got a second while the first goes on: leave the first with block, or "
                "let one watch cover both; it records every loop of the process"
            )
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back all that was borrowed, and end the recordings."""
        if not self._open:
            return
        self._open = False
        with contextlib.ExitStack() as last:
            last.callback(_one_at_a_time.release)
            for watcher in self._prepared.values():
                last.callback(watcher.stop_recording)
            for part in self.parts:
                last.callback(part.finish)
            self._borrowed.close()

    def recorders(self) -> list[tuple[Recorder, threading.Thread]]:
        """What was recorded, of those parts that have steps: first the calling thread's own, then by their start.

        If none has any, the first part, if there is one.
        """
        told = [part for part in self.parts if len(part.recorder.log)] or self.parts[:1]
        told.sort(key=lambda part: part.thread is not self._thread)
        return [(part.recorder, part.thread) for part in told]

    # -- meeting a loop -----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._borrowed.callback(swap(asyncio.BaseEventLoop, "run_forever", self._run_forever()))
        if (uvloop := _optional("uvloop")) is not None:
            self._watch_uvloop(uvloop.Loop)
        if _optional("trio") is not None:
            self._watch_trio()
        running = asyncio._get_running_loop()
        if running is not None:
            self._join(running)

    def _join(self, loop: asyncio.AbstractEventLoop) -> None:
        """Record the loop that runs in this thread already."""
        if getattr(loop, "recorder", None) is not None:
            raise WatchError(
                "expected a loop that nobody records, got a lab's during a run: the run's trace shows it already"
            )
        self._part_of(loop)

    def _part_of(self, loop: asyncio.AbstractEventLoop) -> LoopPart:
        """The part that records a loop, which is attached to it if it is new. On the loop's thread."""
        with self._lock:
            mine = [part for part in self.parts if isinstance(part, LoopPart)]
            for part in mine:
                if part.loop is loop:
                    return part
            here = threading.current_thread()
            free = (part for part in mine if part.is_free and part.thread is here)
            part = next(free, None) or LoopPart(self._started(Recorder(limit=self._limit)))
            if part not in self.parts:
                self.parts.append(part)
        part.attach(loop, self._prepared.get(id(loop)))
        return part

    def _trio_part(self) -> TrioPart:
        with self._lock:
            here = threading.current_thread()
            mine = (part for part in self.parts if isinstance(part, TrioPart) and part.is_free and part.thread is here)
            part = next(mine, None)
            if part is None:
                recorder = TrioRecorder(self._limit)
                self._started(recorder)
                part = TrioPart(recorder)
                self.parts.append(part)
        return part

    def _started(self, recorder: Recorder) -> Recorder:
        """All parts count time from the moment at which the first of them began."""
        if self._origin_ns is None:
            self._origin_ns = time.perf_counter_ns()
        recorder.started_ns = self._origin_ns
        return recorder

    # -- what is put in the place of others' functions: plain again when the session is over ----------------------

    def _run_forever(self) -> Callable[[Any], None]:
        found = asyncio.BaseEventLoop.run_forever

        def run_forever(loop: Any) -> None:
            if not self._open or isinstance(loop, LabLoop) or _is_the_kernels(threading.current_thread()):
                return found(loop)
            with self._part_of(loop).running():
                return found(loop)

        return run_forever

    def _watch_uvloop(self, kind: Any) -> None:
        """uvloop's class is a Python one below a C one, so it can be given methods of its own."""
        made, run, complete = kind.__init__, kind.run_forever, kind.run_until_complete

        def init(loop: Any, *args: Any, **kwargs: Any) -> None:
            made(loop, *args, **kwargs)
            self._prepare(loop)

        def run_forever(loop: Any) -> None:
            if not self._open:
                return run(loop)  # type: ignore[no-any-return]
            self._prepare(loop)
            with self._part_of(loop).running():
                return run(loop)  # type: ignore[no-any-return]

        def run_until_complete(loop: Any, future: Any) -> Any:
            self._prepare(loop)
            return complete(loop, future)

        ours = {"__init__": init, "run_forever": run_forever, "run_until_complete": run_until_complete}
        for name, method in ours.items():
            self._borrowed.callback(swap(kind, name, method))

    def _prepare(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._open and id(loop) not in self._prepared:
            watcher = self._prepared[id(loop)] = WrappedCalls(loop)
            watcher.prepare()

    def _watch_trio(self) -> None:
        """Both ways into trio set a run up in one function; it has no public name."""
        from trio._core import _run

        found = _run.setup_runner

        def setup_runner(*args: Any, **kwargs: Any) -> Any:
            runner = found(*args, **kwargs)
            if self._open:
                self._trio_part().attach(runner.instruments.add_instrument)
            return runner

        self._borrowed.callback(swap(_run, "setup_runner", setup_runner))
        if _run.in_trio_run():
            self._trio_part().attach(_run.add_instrument, running=True)


def _is_the_kernels(thread: threading.Thread) -> bool:
    """Whether a thread is Jupyter's own: its control channel, output or a subshell. Named as ipykernel names them."""
    return thread.name in _KERNELS or thread.name.startswith("subshell-")


def _optional(name: str) -> Any:
    """A package, if it is installed: imported, for what is watched may import it later."""
    return None if importlib.util.find_spec(name) is None else importlib.import_module(name)
