"""What stands in for Python's waiting functions and clocks while a virtual loop is open.

Each stand-in asks who calls. A thread in virtual time parks, is told the virtual time, or is refused what would have
to happen in the real world: its data would arrive at a random virtual moment. All other threads get the real
function. Where the stand-ins stand, and for how long, is for `borrowed` to decide.
"""

import asyncio
import concurrent.futures
import functools
import multiprocessing.process
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable, Iterator
from typing import Any, Final

from anyio._backends import _asyncio as anyio_backend

from playground.clock import locks, simulated_places, workers
from playground.clock.lines import place_of
from playground.clock.ordered import OrderedSet
from playground.clock.runner import Runner, current, outside
from playground.clock.watchdog import log
from playground.errors import NotInVirtualTime

__all__ = ["by_original", "replacements"]

WALL_START_S: Final = 1_767_225_600
"""What `time.time()` says when virtual time begins: 2026-01-01 00:00 UTC, so that two runs see the same dates."""

_GLANCES: Final = 1_000
"""Looks at the clock at one moment after which the caller is taken to wait for it to move on."""
_GLANCE_NS: Final = 10_000
"""What each further look then takes: so little that nobody minds, and enough for a second to be over soon."""

_sleep: Final = time.sleep


def sleep(seconds: float, /) -> None:
    """`time.sleep`, in virtual time."""
    me = current()
    if me is None:
        _sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    me.baton.park(me, me.baton.now_ns + round(seconds * 1e9))


def _glanced_often(me: Runner) -> None:
    """Let time pass for a task, or a worker, that does nothing but look at the clock until it says something else.

    `while time.monotonic() < end: pass` would go on for ever where computing takes no time, and so would
    `as_completed`, which asks again at the very moment at which its timeout ends.
    """
    baton = me.baton
    task = _running_task() if me is baton.loop else None
    here = (baton.now_ns, hash(task))
    if here != me.glanced_at:  # many have looked since, each now and then
        me.glanced_at, me.glances = here, 0
        return
    until_ns = baton.now_ns + _GLANCE_NS
    if me.glances > _GLANCES + 1 and baton.is_idle_until(until_ns):  # the first is noted, as a wait is
        baton.jump(until_ns)
    else:
        baton.park(me, until_ns)
    me.glanced_at = (until_ns, here[1])


def _running_task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _clock(real: Callable[[], Any], start_s: int, in_ns: bool) -> Callable[[], Any]:
    def clock() -> Any:
        me = current()
        if me is None:
            return real()
        me.glances += 1
        if me.glances > _GLANCES:
            _glanced_often(me)
        now_ns = start_s * 1_000_000_000 + me.baton.now_ns
        return now_ns if in_ns else now_ns / 1e9

    return functools.update_wrapper(clock, real)


_CLOCKS: Final = {
    name: _clock(getattr(time, name), WALL_START_S if name.startswith("time") else 0, name.endswith("_ns"))
    for name in ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time", "time_ns")
}


def _outside(real: Callable[..., Any]) -> Callable[..., Any]:
    """`real`, for which a thread in virtual time is a thread like any other."""

    @functools.wraps(real)
    def call(*args: Any) -> Any:
        with outside():
            return real(*args)

    return call


def _allocate_lock() -> Any:
    """What conditions wait with: made by the thread that is about to wait, and met by no other kind of thread."""
    return _REAL_ALLOCATE() if current() is None else locks.Lock()


_REAL_ALLOCATE: Final[Callable[[], Any]] = threading._allocate_lock  # type: ignore[attr-defined]


def _rlock() -> Any:
    lock = threading._PyRLock()  # type: ignore[attr-defined]
    lock._block = locks.Lock()
    return lock


def _refused(real: Callable[..., Any], call: str, advice: str) -> Callable[..., Any]:
    """`real`, but an error to threads in virtual time."""

    @functools.wraps(real)
    def refused(*args: Any, **kwargs: Any) -> Any:
        me = current()
        if me is None:
            return real(*args, **kwargs)
        problem = (
            f"expected nothing from outside in virtual time, got a call of {call}: what it waits for would come at a "
            f"random virtual moment. {advice}"
        )
        place = place_of(me.ident)
        if place not in me.baton.refused_at:  # for the app may catch the error and go on, as if a server were down
            me.baton.refused_at.add(place)
            log.warning("%s: %s", place, problem)
        raise NotInVirtualTime(problem)

    return refused


_NO_NETWORK: Final = (
    "Make the lab with clock='real', or let the handler talk to an app in this process (lab.client, ASGITransport)."
)
_NO_PROCESS: Final = "Make the lab with clock='real'."
_NO_LOOP: Final = "Await on the lab's loop (anyio.from_thread.run in a plain def handler), or use clock='real'."

_SOCKET: Final = (
    *("connect", "connect_ex", "accept", "recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg"),
    *("send", "sendall", "sendto", "sendmsg"),
)

_REFUSED: Final[list[tuple[Any, str, str, str]]] = [
    *((socket.socket, name, f"socket.{name}", _NO_NETWORK) for name in _SOCKET if hasattr(socket.socket, name)),
    (socket, "getaddrinfo", "socket.getaddrinfo", _NO_NETWORK),
    (subprocess.Popen, "__init__", "subprocess.Popen", _NO_PROCESS),
    (multiprocessing.process.BaseProcess, "start", "multiprocessing.Process.start", _NO_PROCESS),
    *((os, name, f"os.{name}", _NO_PROCESS) for name in ("fork", "system", "posix_spawn") if hasattr(os, name)),
    (asyncio.BaseEventLoop, "run_forever", "a second event loop's run_forever", _NO_LOOP),
]


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """What to put where: owner, name, stand-in."""
    yield time, "sleep", sleep
    for name, ours in _CLOCKS.items():
        yield time, name, ours
    # these two have imported the clock by name
    yield threading, "_time", _CLOCKS["monotonic"]
    yield queue, "time", _CLOCKS["monotonic"]
    yield threading, "Lock", locks.Lock
    yield threading, "RLock", _rlock
    yield threading, "_allocate_lock", _allocate_lock
    yield queue, "SimpleQueue", locks.SimpleQueue
    yield anyio_backend, "set", OrderedSet
    yield anyio_backend, "Queue", locks.make_work_queue
    yield threading.Thread, "start", workers.start
    yield threading.Thread, "join", workers.join
    pool = concurrent.futures.ThreadPoolExecutor
    yield pool, "submit", workers.checked_submit(pool.submit)
    # a loop outside is woken for real: who awaits a lab on a loop of its own must hear of the answer
    for name in ("_write_to_self", "_read_from_self"):
        yield BaseSelectorEventLoop, name, _outside(getattr(BaseSelectorEventLoop, name))
    # what is printed in a notebook is sent by a thread of the kernel's, which whoever flushes it waits for
    if (streams := sys.modules.get("ipykernel.iostream")) is not None:
        yield streams.OutStream, "flush", _outside(streams.OutStream.flush)
    if not simulated_places.there_are_threads():
        yield from simulated_places.replacements()
    for owner, name, call, advice in _REFUSED:
        yield owner, name, _refused(getattr(owner, name), call, advice)


_BY_ORIGINAL: Final[dict[int, Callable[..., Any]]] = {
    id(_sleep): sleep,
    **{id(getattr(time, name)): ours for name, ours in _CLOCKS.items()},
}


def by_original() -> dict[int, Callable[..., Any]]:
    """The stand-ins of the functions that a module may have imported by name, each by the `id` of the original."""
    return _BY_ORIGINAL
