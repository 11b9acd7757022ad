"""Threads in virtual time: a thread that is started from within it belongs to it.

So the pools of anyio, asyncio and concurrent.futures are in it without being asked, and so is a thread that a
handler starts by hand. A thread runs when it is given the baton, hands it on when its function returns, and is ended
with `Aborted` if nobody will ever wake it.
"""

import concurrent.futures
import functools
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import thread as _pool
from types import FrameType
from typing import Any, Final

from anyio._backends._asyncio import WorkerThread

from playground.clock import locks, pool
from playground.clock.held import executor_of
from playground.clock.locks import SimpleQueue
from playground.clock.runner import Aborted, Runner, current, outside
from playground.errors import NotInVirtualTime

__all__ = ["PATIENCE", "check_executor", "checked_submit", "dismiss", "is_at_work", "join", "lose", "start"]

PATIENCE: Final = 10
"""How often a worker is dismissed that goes on nevertheless: code that catches `BaseException` and waits again."""
_QUEUES: Final = (queue.__file__, locks.__file__)
_start: Final = threading.Thread.start
_join: Final = threading.Thread.join
_RealQueue: Final = queue.SimpleQueue

# Each keeps the other in an attribute, so that the garbage collector can tell that nobody else does: in two tables
# with weak keys, each would have been the other's key, and both have stayed, with their loop, until the process ends.
_RUNNER: Final = "_playground_runner"


def _runner_of(thread: threading.Thread) -> Runner | None:
    found: Runner | None = vars(thread).get(_RUNNER)
    return found


def start(thread: threading.Thread) -> None:
    """`Thread.start`: a thread started from within virtual time runs in it."""
    me = current()
    if me is None or _runner_of(thread) is not None:  # started before: the real one says so
        _start(thread)
        return
    runner = me.baton.join_in(f"the thread {thread.name!r}")
    setattr(thread, _RUNNER, runner)
    if me.baton.launch is not None:
        me.baton.launch(thread, runner)
        return
    runner.thread = thread
    thread.run = _Life(runner, thread.run)  # type: ignore[method-assign]
    # parked for good where time stands still, it would keep the interpreter from ending
    thread._daemonic = True  # type: ignore[attr-defined]
    try:
        with outside():  # it has started at once, whatever the virtual time
            _start(thread)
    except BaseException:
        me.baton.forget(runner)
        raise


def join(thread: threading.Thread, timeout: float | None = None) -> None:
    """`Thread.join`: within virtual time, it takes virtual time."""
    me = current()
    runner = _runner_of(thread)
    if me is None or runner is None or runner is me or runner.baton is not me.baton:
        with outside():
            _join(thread, timeout)
        return
    until_ns = None if timeout is None else me.baton.now_ns + round(max(timeout, 0) * 1e9)
    if not runner.over:
        runner.joining.append(me)
        me.baton.wait(me, until_ns)
    if runner.over and me.baton.launch is None:
        with outside():  # it has left virtual time and ends at once
            _join(thread)


class _Life:
    """What a thread does in place of its `run`: to wait for its turn, to run, and to leave."""

    def __init__(self, runner: Runner, run: Callable[[], None]) -> None:
        self._runner = runner
        self._run = run

    def __call__(self) -> None:
        runner = self._runner
        try:
            runner.baton.begin(runner)
            if runner.baton.preemption is not None:
                runner.baton.preemption.begin()
            self._run()
        except Aborted:
            pass  # nobody waits for what it did
        finally:
            del self._run
            runner.baton.leave(runner)


def is_at_work(runner: Runner) -> bool:
    """Whether a parked worker of a pool stands in a call that was handed to it, and not in wait for the next one."""
    frame = sys._current_frames().get(runner.ident)
    inner: FrameType | None = None
    while frame is not None:
        if _is_pools_own(frame):
            return inner is not None and not _is_waiting_for_work(inner)
        frame, inner = frame.f_back, frame
    return False


def dismiss(runner: Runner) -> None:
    """End a worker for good: an executor's idle one as the executor would, any other where it is parked."""
    executor = executor_of(runner.thread)
    if executor is None or is_at_work(runner):
        runner.baton.abort(runner, Aborted())
    else:
        executor.shutdown(wait=False)


def lose(runner: Runner) -> None:
    """Go on without a worker that holds the baton and keeps it, if it still does; it gets no more work either."""
    thread = runner.thread
    if not isinstance(thread, WorkerThread):
        runner.baton.lose(runner)
        return
    before, thread.stopping = thread.stopping, True  # first: it may return at any time, and anyio would keep it
    runner.baton.lose(runner)
    if not runner.lost:
        thread.stopping = before


def _is_waiting_for_work(frame: FrameType) -> bool:
    """Whether what a pool's thread calls is its own wait for the next call."""
    return frame.f_code.co_filename in _QUEUES or frame.f_code is pool.Pool.take.__code__


def _is_pools_own(frame: FrameType) -> bool:
    """Whether a frame is the function in which a pool's thread lives: concurrent.futures', ours, or anyio's."""
    code = frame.f_code
    if code is _pool._worker.__code__ or code is pool.live.__code__:
        return True
    return code.co_name == "run" and code.co_filename.replace("\\", "/").endswith("anyio/_backends/_asyncio.py")


def checked_submit(real: Callable[..., Any]) -> Callable[..., Any]:
    """What to put in the place of `ThreadPoolExecutor.submit`: from virtual time, it is refused to a pool outside it.

    Args:
        real: what stands there, and is called if nothing is amiss.
    """

    @functools.wraps(real)
    def submit(executor: Any, /, *args: Any, **kwargs: Any) -> Any:
        # a subclass may have a queue of another kind, which may park: the one in C cannot
        if current() is not None and isinstance(executor._work_queue, _RealQueue):
            check_executor(executor)
        return real(executor, *args, **kwargs)

    return submit


def check_executor(executor: object) -> None:
    """Refuse an executor whose workers cannot be in virtual time.

    Raises:
        NotInVirtualTime: it runs processes, or was made before the virtual loop was.
    """
    if _is_asgirefs_own(executor):
        return
    if isinstance(executor, concurrent.futures.ThreadPoolExecutor):
        if isinstance(executor._work_queue, SimpleQueue):
            return
        problem = "a thread pool made before the lab, whose threads wait in real time: make it after the lab"
    else:
        problem = f"{type(executor).__name__}: use a ThreadPoolExecutor made after the lab, or clock='real'"
    raise NotInVirtualTime(f"expected an executor that can be in virtual time, got {problem}")


def _is_asgirefs_own(executor: object) -> bool:
    """Whether it is one of asgiref's, by which a thread in `async_to_sync` is handed calls while it waits there, and
    waits for them by a lock of virtual time: Django has a plain view below plain middleware called so."""
    ready = getattr(executor, "_work_ready", None)
    return type(executor).__name__ == "CurrentThreadExecutor" and isinstance(getattr(ready, "_lock", None), locks.Lock)
