"""The default pool of a virtual loop: what `asyncio.to_thread` and `run_in_executor(None, …)` run their calls in.

It does what a `ThreadPoolExecutor` would, in virtual time and so without its locks. How many threads it has does not
depend on the machine.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from playground.clock.calls import CALL
from playground.clock.runner import Runner, current

__all__ = ["Pool", "live"]

_THREADS: Final = 32
"""What asyncio gives its default pool at most. On a small machine it is less; a simulated one is always the same."""


class _Call(NamedTuple):
    future: "asyncio.Future[Any]"
    function: Callable[..., Any]
    args: tuple[Any, ...]
    mark: object


class Pool:
    """Up to 32 threads in virtual time that take calls in order.

    Args:
        loop: whose futures the calls answer.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: deque[_Call] = deque()
        self._idle: deque[Runner] = deque()
        self._threads = 0
        self._closed = False

    def submit(self, function: Callable[..., Any], args: tuple[Any, ...]) -> "asyncio.Future[Any]":
        """Have a thread call `function(*args)`. To be called on the loop's thread."""
        if self._closed:
            raise RuntimeError("Executor shutdown has been called")
        call = _Call(self._loop.create_future(), function, args, CALL.get(None))
        self._calls.append(call)
        if self._idle:
            reader = self._idle.popleft()
            reader.baton.wake(reader)
        elif self._threads < _THREADS:
            threading.Thread(target=live, args=(self,), name=f"asyncio_{self._threads}").start()
            self._threads += 1
        return call.future

    def close(self) -> None:
        """Take no more calls, and let the threads end when theirs are done."""
        self._closed = True
        for reader in self._idle:
            reader.baton.wake(reader)
        self._idle.clear()

    def take(self, me: Runner) -> _Call | None:
        """The next call for a thread, which parks until there is one; `None` when there will be none."""
        me.glances = 0
        while not self._calls:
            if self._closed:
                return None
            self._idle.append(me)
            try:
                me.baton.park(me)
            except BaseException:
                if me in self._idle:
                    self._idle.remove(me)
                self._threads -= 1
                raise
        call = self._calls.popleft()
        function, args = me.begin_call(call.mark, call.function, call.args)
        return call._replace(function=function, args=args)

    def run(self, call: _Call) -> None:
        """Make a call, and have the loop tell of its end."""
        if call.future.cancelled():
            return
        result, error = None, None
        try:
            result = call.function(*call.args)
        except BaseException as raised:  # noqa: BLE001 (it is the waiting task's)
            error = raised
        self.answer(call, result, error)

    def answer(self, call: _Call, result: Any, error: BaseException | None) -> None:
        """Have the loop tell of the end of a call."""
        self._loop.call_soon_threadsafe(_deliver, call.future, result, error)


def live(pool: Pool) -> None:
    """What a thread of the pool does."""
    me = current()
    assert me is not None  # it was started from within virtual time
    while (call := pool.take(me)) is not None:
        pool.run(call)
        del call  # or what it holds would live until the next


def _deliver(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
