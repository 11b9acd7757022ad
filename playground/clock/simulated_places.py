"""What else stands in for Python's own in virtual time where there are no threads: locks, and who the caller is.

A simulated worker is called to its end before another begins, so no lock is ever found taken by one. But whoever
took it holds it for a while of virtual time, and each lock remembers until when: who asks later waits, as for a real
one, and who asks *earlier* than somebody that was called before cannot be answered truly and is refused. All that
`threading` and `queue` have is made of such locks. How time passes meanwhile is the baton's affair.
"""

import functools
import queue
import sys
import threading

# by its own name: while a virtual loop is open, `threading` has another
from _thread import get_ident
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from anyio._backends._asyncio import AsyncIOBackend

from playground.clock import locks
from playground.clock.lines import place_of
from playground.clock.runner import Runner, current

__all__ = ["replacements", "there_are_threads"]


def there_are_threads() -> bool:
    """Whether this Python can start threads."""
    told = getattr(sys, "_emscripten_info", None)
    return told is None or bool(told.pthreads)


class TimedLock(locks.Lock):
    """A lock that knows until what moment of virtual time it is held."""

    __slots__ = ("_asked_ns", "_free_ns")

    def __init__(self) -> None:
        super().__init__()
        self._asked_ns = self._free_ns = 0  # when somebody last asked for it, and when it was last given back

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        me = current()
        if me is not None and self._free_ns > me.baton.now_ns:
            if not self._wait(me, blocking, timeout):
                return False
        elif me is not None:
            self._asked_ns = me.baton.now_ns
        return super().acquire(blocking, timeout)

    def release(self) -> None:
        me = current()
        if me is not None:
            self._free_ns = me.baton.now_ns
        super().release()

    def locked(self) -> bool:
        me = current()
        return super().locked() or (me is not None and self._asked_ns <= me.baton.now_ns < self._free_ns)

    def _wait(self, me: Runner, blocking: bool, timeout_s: float) -> bool:
        """Wait for a worker that was called to its end before, but has the lock at this moment; whether it came."""
        now_ns = me.baton.now_ns
        if now_ns < self._asked_ns and me.baton.refuse is not None:
            raise me.baton.refuse(
                f"expected locks to be asked for in the order of time, got one at {now_ns / 1e9:g} s that was asked "
                f"for at {self._asked_ns / 1e9:g} s already, at {place_of(get_ident())}: this Python has no threads "
                "(as in a browser), so workers are simulated one after another and cannot meet. Run it where there are "
                "threads."
            )
        if not blocking:
            return False
        until_ns = self._free_ns
        if timeout_s >= 0 and now_ns + round(timeout_s * 1e9) < until_ns:
            me.baton.park(me, now_ns + round(timeout_s * 1e9))
            return False
        self._asked_ns = now_ns
        me.baton.park(me, until_ns)
        return True


class WokenQueue(locks.SimpleQueue):  # type: ignore[misc]
    """The queue of a `ThreadPoolExecutor`, which wakes a simulated worker that waits for it.

    Attributes:
        readers: who waits, the first to come first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.readers: deque[Runner] = deque()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        super().put(item)
        if self.readers:
            reader = self.readers.popleft()
            reader.baton.wake(reader)


def _rlock() -> Any:
    lock = threading._PyRLock()  # type: ignore[attr-defined]
    lock._block = TimedLock()
    return lock


def _get_ident() -> int:
    """`threading.get_ident`: each simulated worker has its own."""
    return getattr(current(), "number", 0) or get_ident()


def _not_from_worker(real: Callable[..., Any], call: str) -> Callable[..., Any]:
    """`real`, but an error to a simulated worker: the loop cannot run before it has returned."""

    @functools.wraps(real)
    def refused(*args: Any, **kwargs: Any) -> Any:
        me = current()
        if me is not None and me is not me.baton.loop and me.baton.refuse is not None:
            raise me.baton.refuse(
                f"expected a worker that waits for time only, got a call of {call}, at {place_of(get_ident())}: this "
                "Python has no threads (as in a browser), so the event loop cannot go on while a simulated worker "
                "waits for it. Make the handler an async def, or run it where there are threads."
            )
        return real(*args, **kwargs)

    return refused


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """What to put where besides: owner, name, stand-in."""
    yield threading, "Lock", TimedLock
    yield threading, "RLock", _rlock
    yield threading, "get_ident", _get_ident
    yield queue, "SimpleQueue", WokenQueue
    for name, call in (
        ("run_async_from_thread", "anyio.from_thread.run"),
        ("run_sync_from_thread", "anyio.from_thread.run_sync"),
        ("check_cancelled", "anyio.from_thread.check_cancelled"),
    ):
        yield AsyncIOBackend, name, staticmethod(_not_from_worker(getattr(AsyncIOBackend, name), call))
