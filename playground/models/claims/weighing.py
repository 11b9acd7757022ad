"""How much memory a process, a thread, a green thread or a task takes that only waits: counts of them, and bytes.

Each kind is weighed in a child of its own: so many are made, then more, and what the system counts for the child and
its own children is read after each. What only Python's allocator knows is not enough: a thread's stack and a process's
page tables are none of its business. It judges nothing.
"""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any, Final

from playground.models.claims.rounds import uncollected

__all__ = ["UNITS", "Unit", "Weighed", "can_weigh", "kernel_stacks", "weigh"]

Weighed = list[tuple[int, int]]
"""How many there were, and the bytes of all."""

_PROC: Final = Path("/proc")
_LONG_S: Final = 3600.0
_SETTLES_S: Final = 0.05
"""What was made last has come to its wait by then: each has said before that it is about to."""

More = Callable[[int], Sequence[int]]
"""Makes as many more as it takes to have so many; the numbers of all processes among them."""


def can_weigh() -> bool:
    """Whether the system says how much memory is a process's own, shared parts shared out: Linux does."""
    return (_PROC / "self/smaps_rollup").exists()


def kernel_stacks() -> bool:
    """Whether the system says how much memory the kernel's stacks take."""
    return bool(_line(_PROC / "meminfo", "KernelStack:"))


def _line(file: Path, name: str) -> int:
    """A figure of one of the system's tables, which are in KiB, in bytes; 0 if it has none of that name."""
    for line in file.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _bytes_held(processes: Sequence[int]) -> int:
    """What this process and others hold: memory, with the shared parts shared out; page tables; and kernel stacks.

    The stacks are those of the whole system: other programs come and go, and that is in the spread.
    """
    folders = [_PROC / str(process) for process in (os.getpid(), *processes)]
    own = sum(_line(folder / "smaps_rollup", "Pss:") + _line(folder / "status", "VmPTE:") for folder in folders)
    return own + _line(_PROC / "meminfo", "KernelStack:")


@contextmanager
def _forked() -> Iterator[More]:
    """Copies of this process."""
    ended, going_on = os.pipe()
    said, say = os.pipe()
    processes: list[int] = []

    def more(count: int) -> Sequence[int]:
        while len(processes) < count:
            process = os.fork()
            if process == 0:  # pragma: no cover (a forked process is counted from its next function on)
                os.close(going_on)
                os.write(say, b".")
                os.read(ended, 1)
                os._exit(0)
            processes.append(process)
            os.read(said, 1)
        return processes

    try:
        yield more
    finally:
        os.close(going_on)
        for process in processes:
            os.waitpid(process, 0)
        for end in (ended, said, say):
            os.close(end)


_WAITS: Final = "import sys; sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read()"


@contextmanager
def _started() -> Iterator[More]:
    """Pythons that were started for themselves."""
    processes: list[subprocess.Popen[bytes]] = []

    def more(count: int) -> Sequence[int]:
        while len(processes) < count:
            command = [sys.executable, "-I", "-c", _WAITS]
            processes.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            processes[-1].stdout.read(1)  # type: ignore[union-attr]  # it is a pipe
        return [process.pid for process in processes]

    try:
        yield more
    finally:
        for process in processes:
            process.communicate()


@contextmanager
def _threads() -> Iterator[More]:
    over, ready = threading.Event(), threading.Semaphore(0)
    threads: list[threading.Thread] = []

    def wait() -> None:
        ready.release()
        over.wait()

    def more(count: int) -> Sequence[int]:
        while len(threads) < count:
            thread = threading.Thread(target=wait)
            thread.start()
            threads.append(thread)
            ready.acquire()
        return ()

    try:
        yield more
    finally:
        over.set()
        for thread in threads:
            thread.join()


@contextmanager
def _greenlets() -> Iterator[More]:
    """Each has gone back to who switched to it, in the middle of a function."""
    import greenlet

    here = greenlet.getcurrent()
    parked: list[Any] = []

    def wait() -> None:
        here.switch()

    def more(count: int) -> Sequence[int]:
        while len(parked) < count:
            parked.append(greenlet.greenlet(wait))
            parked[-1].switch()
        return ()

    yield more
    parked.clear()  # a greenlet that nobody holds any more is ended


@contextmanager
def _gevent() -> Iterator[More]:
    import gevent

    sleepers: list[Any] = []

    def more(count: int) -> Sequence[int]:
        while len(sleepers) < count:
            sleepers.append(gevent.spawn(gevent.sleep, _LONG_S))
        gevent.sleep(0)
        return ()

    try:
        yield more
    finally:
        gevent.killall(sleepers)


@contextmanager
def _tasks() -> Iterator[More]:
    loop = asyncio.new_event_loop()
    tasks: list[asyncio.Task[None]] = []

    async def begin(count: int) -> None:
        tasks.extend(asyncio.create_task(asyncio.sleep(_LONG_S)) for _ in range(count - len(tasks)))
        await asyncio.sleep(0)

    async def end() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def more(count: int) -> Sequence[int]:
        loop.run_until_complete(begin(count))
        return ()

    try:
        yield more
    finally:
        loop.run_until_complete(end())
        loop.close()


@dataclass(frozen=True, slots=True)
class Unit:
    """A way to wait.

    Attributes:
        kind: what it is one of: `process`, `thread`, `green thread` or `task`.
        name: what it is called in the picture.
        words: and in a sentence.
        begin: what makes them.
    """

    kind: str
    name: str
    words: str
    begin: Callable[[], AbstractContextManager[More]]


UNITS: Final = {
    "fresh_process": Unit("process", "process, started anew", "a process that was started anew", _started),
    "forked_process": Unit("process", "process, forked", "one that was forked", _forked),
    "thread": Unit("thread", "thread", "a thread", _threads),
    "gevent": Unit("green thread", "green thread, gevent", "a green thread of gevent", _gevent),
    "greenlet": Unit("green thread", "green thread, greenlet", "a greenlet", _greenlets),
    "task": Unit("task", "task, asyncio", "a task of asyncio", _tasks),
}
"""By key, from the heaviest to the lightest as is claimed."""


def weigh(key: str, counts: Sequence[int]) -> Weighed | str:
    """Make as many of one unit as each of `counts` says, which rise, and read the memory of all; or why not."""
    weighed: Weighed = []
    try:
        with uncollected(), UNITS[key].begin() as more:
            for count in counts:
                processes = more(count)
                sleep(_SETTLES_S)
                weighed.append((count, _bytes_held(processes)))
    except ImportError as error:
        return f"{error.name} is not installed: pip install 'playground[models]'"
    except (OSError, RuntimeError) as error:  # the system gives no more of them, or does not let itself be read
        return f"{type(error).__name__}: {error}"
    return weighed
