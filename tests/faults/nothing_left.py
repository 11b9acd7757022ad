"""Nothing is left of a fault: what the process holds afterwards is what it held before, and if not, what more it is.

Looked at are threads, child processes, open files and sockets, tasks that are not over, and everything that a lab or a
recording borrows: functions and classes of the standard library and of anyio, the interpreter's hooks, the garbage
collector, signals, the processors that the process may run on. It knows of no lab: what has to end within the block
must be ended there. What waits is joined, never slept for; only then is one look taken.
"""

import asyncio
import concurrent.futures.thread
import gc
import multiprocessing.process
import os
import queue
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio._backends._asyncio

__all__ = ["House", "nothing_left", "what_is_there"]

PATIENCE_S = 30.0
"""How long a thread that has been told to end may take on a machine that has better things to do."""

MODULES: tuple[Any, ...] = (time, threading, queue, os, socket, subprocess, select, selectors, warnings, asyncio)
CLASSES: tuple[Any, ...] = (
    asyncio.BaseEventLoop,
    asyncio.SelectorEventLoop,
    asyncio.Runner,
    concurrent.futures.thread.ThreadPoolExecutor,
    multiprocessing.process.BaseProcess,
    socket.socket,
    subprocess.Popen,
    threading.Thread,
    anyio._backends._asyncio.AsyncIOBackend,
)
OTHERS: tuple[tuple[Any, str], ...] = ((anyio._backends._asyncio, "set"), (anyio._backends._asyncio, "Queue"))
"""Names that virtual time puts into a module beside those that it has."""


@dataclass(frozen=True)
class House:
    """What a process holds at one moment.

    Attributes:
        threads: those that run.
        processes: the numbers of its children.
        files: the open descriptors, each with what it leads to.
        tasks: asyncio's tasks that are not over, of any loop.
        borrowed: by name, what stands where somebody may have put something else.
    """

    threads: frozenset[threading.Thread]
    processes: frozenset[int]
    files: frozenset[tuple[int, str]]
    tasks: frozenset["asyncio.Task[Any]"]
    borrowed: dict[str, Any]

    def more_than(self, before: "House") -> list[str]:
        """What is there that was not there before, or is another; empty if nothing is."""
        found = [f"thread {thread.name!r}" for thread in self.threads - before.threads]
        found += [f"process {number}" for number in self.processes - before.processes]
        found += [f"file {number}: {leads_to}" for number, leads_to in self.files - before.files]
        found += [f"task {task.get_name()!r}: {task.get_coro()}" for task in self.tasks - before.tasks]
        nothing = object()
        for name in before.borrowed.keys() | self.borrowed.keys():
            was, now = before.borrowed.get(name, nothing), self.borrowed.get(name, nothing)
            if not (was is now or was == now):
                found.append(f"{name} is {now!r}, and was {was!r}")
        return sorted(found)


@contextmanager
def nothing_left() -> Iterator[None]:
    """Hold what the process holds after the block against what it held before.

    Raises:
        AssertionError: more is there; every piece of it is named.
    """
    before = what_is_there()
    yield
    for thread in set(threading.enumerate()) - before.threads:
        thread.join(PATIENCE_S)
    if left := what_is_there().more_than(before):
        raise AssertionError("expected nothing to be left, but there is\n  " + "\n  ".join(left))


def what_is_there() -> House:
    """What this process holds now, after a collection of its garbage."""
    gc.collect()
    # by the type itself: isinstance also asks `__class__`, at which Django's lazy objects set themselves up, or raise
    tasks = [found for found in gc.get_objects() if issubclass(type(found), asyncio.Task) and not found.done()]
    return House(
        frozenset(threading.enumerate()), frozenset(_children()), frozenset(_files()), frozenset(tasks), _borrowed()
    )


def _children() -> Iterator[int]:
    """The process's children, where the system tells; Linux does by thread that made them."""
    for told in Path("/proc/self/task").glob("*/children"):
        try:
            yield from map(int, told.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue  # that thread has ended meanwhile


def _files() -> Iterator[tuple[int, str]]:
    """The open descriptors, where the system tells."""
    folder = Path("/proc/self/fd")
    for link in folder.iterdir() if folder.exists() else ():
        try:
            leads_to = os.readlink(link)
        except FileNotFoundError:
            continue  # it was that of this very look
        yield int(link.name), leads_to


def _borrowed() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in MODULES:
        found |= {f"{module.__name__}.{name}": value for name, value in vars(module).items() if callable(value)}
    for owner in CLASSES:
        found |= {f"{owner.__module__}.{owner.__qualname__}.{name}": value for name, value in vars(owner).items()}
    found |= {f"{module.__name__}.{name}": vars(module).get(name) for module, name in OTHERS}
    return found | _hooks()


def _hooks() -> dict[str, Any]:
    """What Python itself keeps of those who want to be told."""
    monitoring: Any = getattr(sys, "monitoring", None)
    found: dict[str, Any] = {
        "sys.excepthook": sys.excepthook,
        "sys.unraisablehook": sys.unraisablehook,
        "sys.asyncgen_hooks": sys.get_asyncgen_hooks(),
        "sys.coroutine_origin_tracking_depth": sys.get_coroutine_origin_tracking_depth(),
        "sys.recursionlimit": sys.getrecursionlimit(),
        "sys.switchinterval": sys.getswitchinterval(),
        "sys.trace": sys.gettrace(),
        "sys.profile": sys.getprofile(),
        "threading.trace": threading.gettrace(),
        # hypothesis leaves its own there for good when it first runs
        "gc.callbacks": [each for each in gc.callbacks if not str(each.__module__).startswith("hypothesis")],
        "gc.isenabled": gc.isenabled(),
        "gc.threshold": gc.get_threshold(),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "an alarm is set": signal.getitimer(signal.ITIMER_REAL)[0] > 0,  # pytest-timeout has one, which runs
        "the running loop": asyncio._get_running_loop(),
    }
    if monitoring is not None:
        found |= {f"sys.monitoring tool {number}": monitoring.get_tool(number) for number in range(6)}
    if hasattr(os, "sched_getaffinity"):
        found["processors"] = os.sched_getaffinity(0)
    return found
