"""Hand-offs on trio: `trio.to_thread.run_sync`, and anyio's call when its backend is trio.

Both are replaced while a trio run is recorded in any thread, and let the runs of other threads through untouched.
A module that took `run_sync` out of `trio.to_thread` by name before that keeps trio's own, and what it hands over
is not seen; anyio's backend did that too, which is why a call through it is recorded once and not twice.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from playground.forked import lock
from playground.trace.swap import swap
from playground.trace.threads import HandoffRecord, Observed
from playground.trace.trio_instrument import TrioRecorder

__all__ = ["watch_trio_threads"]

_ANYIO_CALL: Final = "run_sync_in_worker_thread"


class watch_trio_threads:
    """Context manager: while it is open, the hand-offs of the trio run in this thread are told to `recorder`."""

    def __init__(self, recorder: TrioRecorder) -> None:
        self._recorder = recorder
        self._thread = threading.get_ident()

    def __enter__(self) -> None:
        with _lock:
            if not _recorders:
                _put()
            _recorders[self._thread] = self._recorder

    def __exit__(self, *exc_info: object) -> None:
        with _lock:
            _recorders.pop(self._thread, None)
            if not _recorders:
                _borrowed.close()  # an ExitStack can be filled again


_lock: Final = lock()
_recorders: Final[dict[int, TrioRecorder]] = {}
_borrowed: Final = ExitStack()


class _Entrance:
    """A limiter that notes the moment at which it let the call in."""

    def __init__(self, limiter: Any, recorder: TrioRecorder, record: HandoffRecord) -> None:
        self._limiter = limiter
        self._recorder = recorder
        self._record = record

    async def acquire_on_behalf_of(self, borrower: object) -> None:
        await self._limiter.acquire_on_behalf_of(borrower)
        self._record.submitted_ns = self._recorder.now()
        self._record.step = self._recorder.running()

    def release_on_behalf_of(self, borrower: object) -> None:
        self._limiter.release_on_behalf_of(borrower)


async def _recorded(function: Callable[..., Any], limiter: Any, run: Callable[[Any, Any], Any]) -> Any:
    """Hand `function` over by `run(function, limiter)`, and tell the recorder of this thread, if there is one."""
    import trio

    recorder = _recorders.get(threading.get_ident())
    if recorder is None:
        return await run(function, limiter)
    name, code = recorder.called(function)
    task = recorder.number_of(trio.lowlevel.current_task())
    record = HandoffRecord(name, code, task, recorder.now(), recorder.running())
    recorder.handoffs.append(record)
    entrance = _Entrance(limiter or trio.to_thread.current_default_thread_limiter(), recorder, record)
    try:
        return await run(Observed(recorder, record, None, function), entrance)
    except BaseException:
        if record.started_ns is None:
            record.outcome = "cancelled"
        raise


def _put() -> None:
    """Put our calls in the place of trio's and anyio's."""
    import trio
    from anyio._backends._trio import TrioBackend

    trio_call = trio.to_thread.run_sync
    anyio_call = vars(TrioBackend)[_ANYIO_CALL]

    async def run_sync(
        sync_fn: Callable[..., Any], *args: Any, thread_name: str | None = None, limiter: Any = None, **options: Any
    ) -> Any:
        if thread_name is None:  # trio's default tells of the function, which it does not see
            thread_name = f"{getattr(sync_fn, '__name__', None)} from {trio.lowlevel.current_task().name}"

        def run(function: Any, limiter: Any) -> Any:
            return trio_call(function, *args, thread_name=thread_name, limiter=limiter, **options)

        return await _recorded(sync_fn, limiter, run)

    async def run_sync_in_worker_thread(
        cls: Any, func: Callable[..., Any], args: Any, abandon_on_cancel: bool = False, limiter: Any = None
    ) -> Any:
        def run(function: Any, limiter: Any) -> Any:
            return anyio_call.__get__(None, cls)(function, args, abandon_on_cancel, limiter)

        return await _recorded(func, limiter, run)

    _borrowed.callback(swap(trio.to_thread, "run_sync", run_sync))
    _borrowed.callback(swap(TrioBackend, _ANYIO_CALL, classmethod(run_sync_in_worker_thread)))
