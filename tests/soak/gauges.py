"""What is read of the process, between two rounds of traffic when everything is at rest.

Each gauge has a unit and an allowance: by how much the second half of a soak may grow and still count as flat. Counts
of things that are opened and closed are allowed two, for a worker that has not quite ended; places that hold a patch,
none. Nothing here knows what was done meanwhile.
"""

import asyncio
import ctypes
import gc
import linecache
import os
import signal
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ipywidgets
import trio
import uvloop
from anyio._backends._asyncio import AsyncIOBackend
from anyio._backends._trio import TrioBackend

from playground import Lab
from playground.clock import places
from playground.trace import source
from playground.views import details

__all__ = ["GAUGES", "TRIO_IDLE_S", "Gauge", "Patches", "read"]

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_MIB: Final = 1 << 20
_PROC: Final = Path("/proc/self")
_GLANCE_S: Final = 0.01
_STEADY: Final = 6
"""So many glances in a row must see as many threads as before."""
_SETTLING_S: Final = 2.0
TRIO_IDLE_S: Final = 0.02
"""How long trio may keep an idle thread during a soak: less than is waited here; by itself it keeps it for ten seconds,
which is now longer and now shorter than a round."""


@dataclass(frozen=True)
class Gauge:
    """What is read: its name with its unit, and how much growth in the second half is no leak."""

    name: str
    allowed: float
    decimals: int = 0


GAUGES: Final = (
    # coarse, a tenth of what the process takes: the heaps of threads that come and go scatter what they hold, which
    # moved these by 1 to 4 MiB where the three below stood still
    Gauge("RSS MiB", 8.0, 1),
    Gauge("anon MiB", 8.0, 1),
    # what the program holds, of Python's small blocks, of malloc's memory and of what the collector knows, no matter
    # how scattered it lies; half an hour of virtual time is about 10,000 requests, so that a block in five requests
    # shows, and 25 bytes a request, and an object in twenty
    Gauge("blocks", 2000),
    Gauge("malloc MiB", 0.25, 2),
    Gauge("objects", 500),
    Gauge("threads", 2),
    Gauge("workers", 2),
    Gauge("fds", 2),
    Gauge("tasks", 2),
    Gauge("loops", 2),
    Gauge("labs", 0),
    Gauge("widgets", 0),
    Gauge("patches", 0),
)


def read(patches: "Patches") -> dict[str, float]:
    """All gauges, by name, after a full collection."""
    _empty_bounded_caches()
    gc.collect()
    gc.collect()  # what finalizers have let go of
    _let_threads_end()
    _libc.malloc_trim(0)  # what malloc holds free is no leak
    objects = gc.get_objects()
    kinds = {"tasks": asyncio.Task, "loops": asyncio.BaseEventLoop, "labs": Lab}
    counts: dict[str, float] = dict.fromkeys(kinds, 0)
    for thing in objects:
        for name, kind in kinds.items():
            if issubclass(type(thing), kind):  # its own `__class__` may be a proxy's
                counts[name] += 1
    blocks, size = sys.getallocatedblocks(), len(objects)
    del objects
    return {
        "RSS MiB": int((_PROC / "statm").read_text().split()[1]) * _PAGE_BYTES / _MIB,
        "anon MiB": _anonymous_kib() / 1024,
        "blocks": blocks,
        "malloc MiB": _malloc_bytes() / _MIB,
        "objects": size,
        "threads": len(os.listdir(_PROC / "task")),
        "workers": sum(_is_worker(thread) for thread in threading.enumerate()),
        "fds": len(os.listdir(_PROC / "fd")) - 1,  # without the one that lists them
        **counts,
        "widgets": len(ipywidgets.widgets.widget._instances),
        "patches": patches(),
    }


def _empty_bounded_caches() -> None:
    """What fills slowly up to a limit would look like a leak: lines of files and places in code, which are met as the
    sampler happens to look; numbers of up to two bytes as they are written, as durations happen to be; and the last
    addresses, for each server has a port of its own."""
    linecache.clearcache()
    details._LEB128.clear()
    source._positions.cache_clear()
    urllib.parse.clear_cache()  # type: ignore[attr-defined]  # there it is, but no stub knows it


def _let_threads_end() -> None:
    """A loop's worker threads are told to end when it does, and nobody waits for them; trio's, when they are idle."""
    seen, until_s = [-1, -2], time.monotonic() + _SETTLING_S
    while len(set(seen[-_STEADY:])) > 1 and time.monotonic() < until_s:
        time.sleep(_GLANCE_S)
        seen.append(len(os.listdir(_PROC / "task")))


_MALLOC_INFO: Final = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


class _MallocInfo(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in _MALLOC_INFO)


_libc: Final = ctypes.CDLL(None)
_libc.mallinfo2.restype = _MallocInfo


def _malloc_bytes() -> int:
    """What malloc has given out and not got back: from its heaps, and mapped for itself."""
    info = _libc.mallinfo2()
    return int(info.uordblks + info.hblkhd)


def _anonymous_kib() -> int:
    """What is this process's alone, whatever other processes have mapped of the same files meanwhile."""
    lines = (_PROC / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))


def _is_worker(thread: threading.Thread) -> bool:
    return any(word in thread.name for word in ("worker", "asyncio_", "ThreadPoolExecutor"))


class Patches:
    """Counts the places that are borrowed now and then in which something else stands than when this was made."""

    def __init__(self) -> None:
        self._before = dict(_standing())

    def __call__(self) -> int:
        now = dict(_standing())
        return sum(now[place] != stood for place, stood in self._before.items())


def _standing() -> Iterator[tuple[tuple[int, str], Any]]:
    """What stands in each place, by its owner and name."""
    borrowed: list[tuple[Any, str]] = [(owner, name) for owner, name, _ in places.replacements()]
    borrowed += [(AsyncIOBackend, "run_sync_in_worker_thread"), (TrioBackend, "run_sync_in_worker_thread")]
    borrowed += [(trio.to_thread, "run_sync"), (trio._core._run, "setup_runner")]
    borrowed += [(uvloop.Loop, name) for name in ("__init__", "run_forever", "run_until_complete")]
    borrowed += [(sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")]
    for owner, name in borrowed:
        yield (id(owner), name), vars(owner).get(name)
    yield (id(sys), "switch interval"), sys.getswitchinterval()
    yield (id(sys), "trace"), sys.gettrace()
    yield (id(gc), "callbacks"), tuple(gc.callbacks)
    yield (id(signal), "timer"), signal.getitimer(signal.ITIMER_REAL)[1]
    if (monitoring := getattr(sys, "monitoring", None)) is not None:  # not in Python 3.11
        yield (id(sys), "monitoring"), tuple(monitoring.get_tool(number) for number in range(6))
