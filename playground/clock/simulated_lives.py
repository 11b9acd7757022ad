"""What simulated workers do all their life: as anyio's, asyncio's and `concurrent.futures`' threads do, turn by turn.

Each takes its work from where the real thread would, in the same order, and tells the loop of its end in the same
way, so that a recording cannot tell them apart. When their turn comes is the baton's affair (`simulated`).
"""

import sys
from collections.abc import Callable
from concurrent.futures import thread as _pool
from contextvars import Context
from typing import Any, Final

from anyio._backends import _asyncio as anyio_backend
from anyio._core._eventloop import claim_worker_thread, threadlocals

from playground.clock import pool
from playground.clock.simulated import Life, Simulated

__all__ = ["LIVES"]


def _anyio_life(me: Simulated, thread: Any) -> Life:
    """`anyio.to_thread.run_sync`: a thread for each call that goes on at once, and then for a later one."""
    work = thread.queue
    work._reader = me
    while True:
        while not work._items:
            yield None
        item = work.get()
        if item is None:
            return
        context, function, args, future, scope = item
        result = error = None
        if not future.cancelled():
            try:
                result = yield from me.play(_in_anyio, thread.loop, scope, context, function, args)
            except GeneratorExit:
                raise
            except BaseException as raised:  # noqa: BLE001 (it is the waiting task's)
                error = raised
        if not thread.loop.is_closed():
            thread.loop.call_soon_threadsafe(thread._report_result, future, result, error)
        del item, context, function, args, future, scope, result, error


def _in_anyio(loop: Any, scope: Any, context: Context, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """A call with what anyio keeps for each of its threads."""
    with claim_worker_thread(anyio_backend.AsyncIOBackend, loop):
        threadlocals.current_cancel_scope = scope
        try:
            return context.run(function, *args)
        finally:
            del threadlocals.current_cancel_scope


def _pool_life(me: Simulated, thread: Any) -> Life:
    """`asyncio.to_thread` and `run_in_executor(None, …)`: see `pool`."""
    (calls,) = thread._args
    while True:
        while not calls._calls:
            if calls._closed:
                return
            calls._idle.append(me)
            yield None
        call = calls.take(me)
        result = error = None
        if not call.future.cancelled():
            try:
                result = yield from me.play(call.function, *call.args)
            except GeneratorExit:
                raise
            except BaseException as raised:  # noqa: BLE001 (it is the waiting task's)
                error = raised
            calls.answer(call, result, error)
        del call, result, error


def _executor_life(me: Simulated, thread: Any) -> Life:
    """A `ThreadPoolExecutor` of the user's own."""
    reference, work, initializer, initargs = thread._args
    if initializer is not None:
        yield from me.play(initializer, *initargs)
    while True:
        if work.empty():
            executor = reference()
            if executor is not None:
                executor._idle_semaphore.release()
            del executor
            while work.empty():
                work.readers.append(me)
                yield None
        item = work.get_nowait()
        if item is None:
            work.put(None)  # for the next of them
            return
        if item.future.set_running_or_notify_cancel():
            try:
                result = yield from me.play(item.fn, *item.args, **item.kwargs)
            except GeneratorExit:
                raise
            except BaseException as raised:  # noqa: BLE001 (it belongs to who asks for the result)
                item.future.set_exception(raised)
            else:
                item.future.set_result(result)
        del item


LIVES: Final[dict[Any, Callable[[Simulated, Any], Life]]] = {
    anyio_backend.WorkerThread.run: _anyio_life,
    pool.live: _pool_life,
    # from 3.14 on, an executor's threads are given something else; they are refused where they wait for work
    **({_pool._worker: _executor_life} if sys.version_info < (3, 14) else {}),
}
"""By the function that a thread lives in."""
