"""The rungs of the latency ladder: how each operation is done, and how long it took, as plain figures.

Each rung is measured here and nothing is quoted. What this machine or platform has not is told by its reason. It
runs in a child of its own: it forks, and it runs an event loop. It judges nothing.
"""

import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from time import perf_counter, perf_counter_ns, sleep
from timeit import Timer
from typing import Final

from playground.models.claims.rounds import uncollected

__all__ = ["NAMES", "climb"]

# does it that many times; how long that took, in ns
Timed = Callable[[int], float]

_PAGE: Final = 4096
_LARGE: Final = 64 << 20
"""Bytes of the large array: more than the second-level cache of any processor that one buys, in 2026."""
_SMALL: Final = 16 << 10
"""Bytes of the small one: half of the smallest first-level cache still common, of 32 KiB."""
_TOUCHES: Final = 2000
_IN_A_ROW: Final = 10
"""Statements in a row in one turn of a loop, so that the loop adds a tenth of itself to each."""
_BATCH_NS: Final = 200_000
"""What is done together, so that reading the clock, at 50 to 100 ns, adds a thousandth."""
_LEAST_ROUNDS: Final = 5
_MOST_ROUNDS: Final = 40


class _NotHereError(Exception):
    """This cannot be measured here; its text says why."""


@dataclass(frozen=True, slots=True)
class _Rung:
    key: str
    name: str
    begin: Callable[[], AbstractContextManager[Timed]]


def _statement(statement: str, setup: str) -> Callable[[], AbstractContextManager[Timed]]:
    """A statement, many times in a row."""

    @contextmanager
    def begin() -> Iterator[Timed]:
        timer = Timer("\n".join([statement] * _IN_A_ROW), setup)
        yield lambda count: timer.timeit(-(-count // _IN_A_ROW)) * 1e9 * count / (-(-count // _IN_A_ROW) * _IN_A_ROW)

    return begin


def _touches(size: int) -> Callable[[], AbstractContextManager[Timed]]:
    """Bytes of an array at places that nobody foresees, anew each time."""

    @contextmanager
    def begin() -> Iterator[Timed]:
        array = bytearray(os.urandom(_PAGE)) * (size // _PAGE)  # written to, so that each page is in memory

        def touch(count: int) -> float:
            places = random.choices(range(size), k=min(count, _TOUCHES))
            took_ns, left = 0, count
            while left > 0:
                chosen = places[:left]
                start_ns = perf_counter_ns()
                for at in chosen:
                    array[at]
                took_ns += perf_counter_ns() - start_ns
                left -= len(chosen)
            return took_ns

        yield touch

    return begin


@contextmanager
def _system_calls() -> Iterator[Timed]:
    yield _repeated(os.getppid)


def _repeated(once: Callable[[], object]) -> Timed:
    def timed(count: int) -> float:
        start_ns = perf_counter_ns()
        for _ in range(count):
            once()
        return perf_counter_ns() - start_ns

    return timed


@contextmanager
def _task_switches() -> Iterator[Timed]:
    """Two tasks that let each other go on, on an event loop of the standard library."""
    loop = asyncio.new_event_loop()

    async def give_way(count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def both(count: int) -> float:
        start_ns = perf_counter_ns()
        await asyncio.gather(give_way(count // 2), give_way(count - count // 2))
        return perf_counter_ns() - start_ns

    try:
        yield lambda count: loop.run_until_complete(both(count))
    finally:
        loop.close()


@contextmanager
def _hand_offs() -> Iterator[Timed]:
    """Two threads that wake each other by a lock, in turn."""

    def timed(count: int) -> float:
        there, back = threading.Lock(), threading.Lock()
        there.acquire()
        back.acquire()
        turns = max(1, count // 2)

        def answer() -> None:
            for _ in range(turns):
                there.acquire()
                back.release()

        thread = threading.Thread(target=answer)
        thread.start()
        start_ns = perf_counter_ns()
        for _ in range(turns):
            there.release()
            back.acquire()
        took_ns = perf_counter_ns() - start_ns
        thread.join()
        return took_ns * count / (2 * turns)

    yield timed


@contextmanager
def _loopback() -> Iterator[Timed]:
    """A byte there and back, both ends in this thread: nobody has to be woken."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as here:
        there, _ = server.accept()
        with there:
            for end in (here, there):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def once() -> None:
                here.send(b"x")
                there.recv(1)
                there.send(b"x")
                here.recv(1)

            yield _repeated(once)


@contextmanager
def _file_reads() -> Iterator[Timed]:
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(os.urandom(_PAGE))

        def once() -> None:
            file.seek(0)
            file.read(_PAGE)

        yield _repeated(once)


@contextmanager
def _disk_writes() -> Iterator[Timed]:
    with tempfile.TemporaryFile(buffering=0) as file:
        page = os.urandom(_PAGE)

        def once() -> None:
            file.seek(0)
            file.write(page)
            os.fsync(file.fileno())

        yield _repeated(once)


@contextmanager
def _short_sleeps() -> Iterator[Timed]:
    yield _repeated(lambda: sleep(0.001))


@contextmanager
def _forks() -> Iterator[Timed]:
    """A process that is a copy of this one and ends at once."""
    if not hasattr(os, "fork"):
        raise _NotHereError("this system cannot copy a process")

    def once() -> None:
        with warnings.catch_warnings():
            # From 3.12 on a fork beside threads is warned of: the copy may wait for a lock for ever. Ours takes none.
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
        if process == 0:  # pragma: no cover (a forked process is counted from its next function on)
            os._exit(0)
        os.waitpid(process, 0)

    yield _repeated(once)


@contextmanager
def _interpreters() -> Iterator[Timed]:
    """A Python that starts, has nothing to do, and ends."""
    if not sys.executable or sys.platform == "emscripten":  # pragma: no cover (in a browser)
        raise _NotHereError("there is no program of Python's to start")
    yield _repeated(lambda: subprocess.run([sys.executable, "-I", "-c", ""], stdin=subprocess.DEVNULL, check=True))


_SETUP: Final = "class Box: pass\nbox = Box(); box.x = 1\ntable = {str(n): n for n in range(1000)}\ndef call(): pass"
# Processes first: what the others allocate would be copied along with each.
_STAGES: Final = (
    (
        _Rung("fork", "process, forked and ended", _forks),
        _Rung("interpreter", "Python, started and ended", _interpreters),
    ),
    (
        _Rung("attribute", "attribute look-up", _statement("box.x", _SETUP)),
        _Rung("dict", "dict look-up", _statement("table['500']", _SETUP)),
        _Rung("call", "function call", _statement("call()", _SETUP)),
        _Rung(
            "lock", "lock, taken and given back", _statement("with lock: pass", "lock = __import__('threading').Lock()")
        ),
        _Rung("near", "byte of 16 KiB, any place", _touches(_SMALL)),
        _Rung("far", "byte of 64 MiB, any place", _touches(_LARGE)),
        _Rung("task", "task switch", _task_switches),
        _Rung("system_call", "system call", _system_calls),
        _Rung("thread", "thread hand-off", _hand_offs),
        _Rung("read", "4 KiB read, cached file", _file_reads),
        _Rung("loopback", "byte over loopback and back", _loopback),
        _Rung("fsync", "4 KiB written and synced", _disk_writes),
        _Rung("sleep", "sleep of 1 ms", _short_sleeps),
    ),
)
NAMES: Final = {rung.key: rung.name for stage in _STAGES for rung in stage}
"""What each rung is called, by its key."""


def climb(budget_s: float) -> dict[str, list[float] | str]:
    """Measure all rungs for about `budget_s` seconds: the time of one operation in ns for each round, or why not."""
    each_s = budget_s / len(NAMES)
    found: dict[str, list[float] | str] = {}
    with uncollected():
        for stage in _STAGES:
            found |= _measured(stage, each_s, perf_counter() + each_s * len(stage))
    return found


def _measured(stage: tuple[_Rung, ...], each_s: float, until: float) -> dict[str, list[float] | str]:
    """Round by round, each rung in turn, until it has had its time, or all have, and enough rounds."""
    found: dict[str, list[float] | str] = {}
    with ExitStack() as stack:
        begun: dict[str, tuple[Timed, int, float]] = {}
        for rung in stage:
            try:
                timed = stack.enter_context(rung.begin())
                begun[rung.key] = (timed, *_sized(timed))
            except (_NotHereError, OSError, RuntimeError) as error:
                found[rung.key] = str(error) or type(error).__name__
        values: dict[str, list[float]] = {key: [] for key in begun}
        for turn in range(_MOST_ROUNDS):
            for key, (timed, count, batch_s) in begun.items():
                if turn < _LEAST_ROUNDS or (turn * batch_s < each_s and perf_counter() < until):
                    values[key].append(timed(count) / count)
    return found | values


def _sized(timed: Timed) -> tuple[int, float]:
    """How often to do it at once, and how long that takes, in s; what is done first is not counted."""
    count = 1
    while True:
        start = perf_counter()
        took_ns = timed(count)
        if took_ns >= _BATCH_NS:
            return count, perf_counter() - start
        count *= max(2, min(10, int(_BATCH_NS // max(1.0, took_ns))))
