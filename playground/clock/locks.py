"""Locks and queues for both kinds of threads: in virtual time a thread parks for them, elsewhere it waits.

A lock that is made while a virtual loop is open may be met by both: by the lab's workers and by, say, a notebook's
main thread. So each holds a real lock, and only the waiting differs. Whoever parks is woken in the order of coming,
and as with real locks it may find that somebody was quicker.
"""

import queue
from _thread import allocate_lock
from collections import deque
from types import TracebackType
from typing import Any

from playground.clock.calls import CALL
from playground.clock.runner import Runner, current

__all__ = ["Lock", "SimpleQueue", "make_work_queue"]


class Lock:
    """What `threading.Lock` gives while a virtual loop is open."""

    __slots__ = ("__weakref__", "_inner", "_parked")

    def __init__(self) -> None:
        self._inner = allocate_lock()
        self._parked: deque[Runner] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if self._inner.acquire(False):
            return True
        if not blocking:
            return False
        me = current()
        if me is None:
            return self._inner.acquire(True, timeout)
        return self._park(me, timeout)

    def release(self) -> None:
        self._inner.release()
        if self._parked:
            runner = self._parked.popleft()
            here = current()
            if here is not None and here.baton is runner.baton:
                runner.baton.wake(runner)
            else:
                runner.baton.knock(lambda: runner.baton.wake(runner))

    def locked(self) -> bool:
        return self._inner.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<{'locked' if self.locked() else 'unlocked'} {type(self).__qualname__} at {id(self):#x}>"

    def _at_fork_reinit(self) -> None:
        """What `threading` asks of every lock in a forked process, where no other thread is left."""
        self._inner = allocate_lock()
        self._parked.clear()

    def _park(self, me: Runner, timeout_s: float) -> bool:
        baton = me.baton
        until_ns = None if timeout_s < 0 else baton.now_ns + round(timeout_s * 1e9)
        self._parked.append(me)
        try:
            while True:
                woken = baton.wait(me, until_ns)
                if self._inner.acquire(False):
                    return True
                if not woken:
                    return False
                self._parked.appendleft(me)  # somebody was quicker
        finally:
            if me in self._parked:
                self._parked.remove(me)


class WorkQueue:
    """What one of anyio's worker threads takes its work from: one reader, who parks when there is nothing.

    It does what a `queue.Queue` would do there, without the four locks.
    """

    __slots__ = ("_items", "_reader")

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._reader: Runner | None = None

    def put_nowait(self, item: Any) -> None:
        self._items.append(item)
        reader, here = self._reader, current()
        if reader is not None and here is not None and here.baton is reader.baton:
            reader.baton.wake(reader)
        elif reader is not None:
            reader.baton.knock(lambda: reader.baton.wake(reader))

    def get(self) -> Any:
        self._reader = me = current()
        if me is None:
            return None  # found to wait in real time, it has left virtual time: as anyio says that a thread is to end
        me.glances = 0
        while not self._items:
            me.baton.park(me)
        item = self._items.popleft()
        if item is None:
            return None
        context, function, args, *rest = item  # as anyio hands it over
        return context, *me.begin_call(context.get(CALL), function, args), *rest

    def task_done(self) -> None:
        pass


def make_work_queue(maxsize: int = 0) -> Any:
    """What stands for anyio's `Queue`."""
    return queue.Queue(maxsize) if current() is None else WorkQueue()


SimpleQueue: Any = queue._PySimpleQueue  # type: ignore[attr-defined]
"""The standard library's own queue for where it has none in C: made of `threading`'s locks, so it parks as they do."""
