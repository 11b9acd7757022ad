"""Parts: what the loops of one thread did, one after another, in one recorder.

A thread can run a loop, close it and run the next: that is one story, and one part tells it. Two loops that are open
at the same time are two parts. A part knows how to begin and to end the recording of a loop on that loop's own
thread; which loops there are is the session's affair.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from playground.clock.foreign import Watcher, watcher_of
from playground.trace.losses import watch_losses
from playground.trace.recorder import Recorder
from playground.trace.sampler import Sampler
from playground.trace.threads import watch_threads
from playground.trace.trio_instrument import TrioInstrument, TrioRecorder
from playground.trace.trio_threads import watch_trio_threads

__all__ = ["LoopPart", "TrioPart"]

_PATIENCE_S: Final = 5.0
"""How long the end of a watch waits for a loop in another thread: a step that holds it is usually shorter."""


class LoopPart:
    """asyncio's loops of one thread, one after another.

    Args:
        recorder: for this part alone, with its start set.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.thread = threading.current_thread()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._watcher: Watcher | None = None
        self._told: tuple[int, int] | None = None
        self._ran_until_ns: int | None = None
        self._borrowed = contextlib.ExitStack()
        self._lock = threading.Lock()

    @property
    def is_free(self) -> bool:
        """Whether another loop may follow the one that was recorded last."""
        return self.loop is None or self.loop.is_closed()

    def attach(self, loop: asyncio.AbstractEventLoop, watcher: Watcher | None = None) -> None:
        """Record a loop from now on. To be called on the thread that runs it.

        Args:
            loop: the loop, which nobody records. If it is running already, its long steps are looked at from outside
                until it is finished with.
            watcher: what records it, if that is prepared already.
        """
        self._detach()
        self.loop = loop
        self._watcher = watcher_of(loop) if watcher is None else watcher
        self._borrowed.enter_context(watch_threads(loop, self.recorder))
        self._borrowed.enter_context(watch_losses(loop, self.recorder))
        self._borrowed.callback(_forget, loop)
        self.recorder.join(loop)
        if loop.is_running():
            self._borrowed.enter_context(self._sampled())
        self._borrowed.callback(self._watcher.stop_recording)
        self._watcher.record(self.recorder, self._told)
        self.recorder.teller = self._watcher

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """While the loop runs in this thread, look at its long steps from outside."""
        with self._sampled():
            try:
                yield
            finally:
                self._ran_until_ns = self.recorder.now()

    def finish(self) -> None:
        """End the recording, from any thread."""
        loop = self.loop
        if loop is not None and loop.is_running() and asyncio._get_running_loop() is not loop:
            over = threading.Event()
            with contextlib.suppress(RuntimeError):  # it was closed meanwhile
                loop.call_soon_threadsafe(self._finish_there, over)
                # a loop that is held for longer is freed when it comes to it; what it has told so far is told
                over.wait(_PATIENCE_S)
            self._close()
        else:
            self._finish_here()

    def _finish_here(self) -> None:
        if self._watcher is not None:
            self._watcher.cut()
        self._close()
        self._detach()

    def _finish_there(self, over: threading.Event) -> None:
        try:
            self._finish_here()
        finally:
            over.set()

    def _close(self) -> None:
        with self._lock:
            if self.recorder.ended_ns is not None or self.loop is None:
                return
            running = self.loop.is_running()
            self.recorder.close(self.loop)
            if not running and self._ran_until_ns is not None:
                self.recorder.ended_ns = self._ran_until_ns

    def _detach(self) -> None:
        if self._watcher is not None:
            self._told = self._watcher.told
            self._watcher = self.recorder.teller = None
        self._borrowed.close()

    @contextlib.contextmanager
    def _sampled(self) -> Iterator[None]:
        recorder, watcher = self.recorder, self._watcher
        assert watcher is not None
        if recorder.sampler is not None:  # a run inside a run: it is looked at already
            yield
            return
        recorder.sampler = sampler = Sampler(watcher, recorder.now, recorder.looks)
        try:
            yield
        finally:
            recorder.sampler = None
            sampler.close()


class TrioPart:
    """trio's runs of one thread, one after another.

    Args:
        recorder: for this part alone, with its start set.
    """

    def __init__(self, recorder: TrioRecorder) -> None:
        self.recorder = recorder
        self.thread = threading.current_thread()
        self.is_free = True
        self._instrument = TrioInstrument(recorder, self._end_of_run)
        self._borrowed = contextlib.ExitStack()
        self._ran_until_ns: int | None = None
        self._lock = threading.Lock()

    def attach(self, add: Callable[[Any], object], *, running: bool = False) -> None:
        """Record the run of trio that begins in this thread, or within which this is called.

        Args:
            add: adds an instrument to the run.
            running: whether this is called within it.
        """
        self.is_free = False
        self._borrowed.enter_context(watch_trio_threads(self.recorder))
        self._borrowed.enter_context(watch_losses(None, self.recorder))
        recorder = self.recorder
        recorder.sampler = Sampler(self._instrument, recorder.now, recorder.looks)
        self._borrowed.callback(self._stop_looking, recorder.sampler)
        add(self._instrument)
        if running:
            self._instrument.join()

    def finish(self) -> None:
        """End the recording, from any thread."""
        from trio.lowlevel import in_trio_run

        token = self._instrument.token
        if token is None:
            self._finish_here()
        elif self.thread is threading.current_thread() and in_trio_run():
            self._instrument.cut()
            self._remove()
            self._finish_here()
        else:
            self._finish_there(token)

    def _finish_there(self, token: Any) -> None:
        import trio

        over = threading.Event()

        def finish() -> None:
            self._remove()
            self._finish_here()
            over.set()

        with contextlib.suppress(trio.RunFinishedError):
            token.run_sync_soon(finish)
            over.wait(_PATIENCE_S)
        self._close()

    def _finish_here(self) -> None:
        self._close()
        self._borrowed.close()

    def _close(self) -> None:
        with self._lock:
            if self.recorder.ended_ns is None:
                self.recorder.close()
                if self.is_free and self._ran_until_ns is not None:
                    self.recorder.ended_ns = self._ran_until_ns

    def _remove(self) -> None:
        from trio.lowlevel import remove_instrument

        with contextlib.suppress(KeyError):  # trio drops an instrument that fails, and logs why
            remove_instrument(self._instrument)  # type: ignore[arg-type]  # trio asks for the methods, not the class

    def _end_of_run(self) -> None:
        self.is_free = True
        self._ran_until_ns = self.recorder.now()
        self._borrowed.close()

    def _stop_looking(self, sampler: Sampler) -> None:
        self.recorder.sampler = None
        sampler.close()


def _forget(loop: asyncio.AbstractEventLoop) -> None:
    """Take our numbers off the tasks that live on; the one that runs is told of once more when its step ends."""
    running = asyncio.current_task(loop)
    for task in asyncio.all_tasks(loop):
        if task is not running and hasattr(task, "_playground"):
            del task._playground
