"""Green threads: functions that take turns in one thread, and change over in the midst of a plain call.

Three ways: a hub written by hand on `greenlet`, in which a job's `time.sleep` is the hub's; and gevent and eventlet,
in a process that they have patched before all else, so that `time.sleep` is theirs. What a job of a function does
between two switches is told by greenlet itself, which calls whoever wants to know of each.
"""

import contextlib
import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from playground.models.base import Flavour, Model
from playground.models.jobs import Jobs
from playground.models.meter import Meter, sleeping_by
from playground.trace import WorkerKind

__all__ = ["Eventlet", "Gevent", "Greenlet"]


class Hub:
    """An event loop of green threads: those that are ready, and those that sleep, by the time they are due."""

    def __init__(self) -> None:
        import greenlet

        self._greenlet: Any = greenlet
        self._hub = greenlet.getcurrent()
        self._ready: deque[Any] = deque()
        self._sleeping: list[tuple[float, int, Any]] = []
        self._serial = itertools.count()

    def spawn(self, function: Callable[[], object]) -> None:
        """Have a green thread call a function, when its turn comes."""
        self._ready.append(self._greenlet.greenlet(function, self._hub))

    def sleep(self, seconds: float) -> None:
        """Let the others run for so long. To be called in a green thread."""
        entry = time.monotonic() + seconds, next(self._serial), self._greenlet.getcurrent()
        heapq.heappush(self._sleeping, entry)
        self._hub.switch()

    def run(self) -> None:
        """Go on until all are done."""
        while self._ready or self._sleeping:
            while self._ready:
                self._ready.popleft().switch()
            if self._sleeping:
                time.sleep(max(0.0, self._sleeping[0][0] - time.monotonic()))
                self._wake()

    def _wake(self) -> None:
        now_s = time.monotonic()
        while self._sleeping and self._sleeping[0][0] <= now_s:
            self._ready.append(heapq.heappop(self._sleeping)[2])


class _Switches:
    """Stops a job's clock when its green thread is left, and starts it when that goes on."""

    def __init__(self) -> None:
        import greenlet

        self._greenlet: Any = greenlet
        self._meters: dict[Any, Meter] = {}

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Within this, all switches in this thread are told."""
        found = self._greenlet.settrace(self._switched)
        try:
            yield
        finally:
            self._greenlet.settrace(found)

    @contextlib.contextmanager
    def of(self, meter: Meter) -> Iterator[None]:
        """Within this, the green thread that runs now is at work on a job."""
        mine = self._greenlet.getcurrent()
        self._meters[mine] = meter
        try:
            yield
        finally:
            del self._meters[mine]

    def _switched(self, event: str, args: Any) -> None:  # pragma: no cover (greenlet lets nobody count within it)
        left, entered = args
        if (meter := self._meters.get(left)) is not None:
            meter.pause()
        if (meter := self._meters.get(entered)) is not None:
            meter.go_on()


@dataclass(frozen=True)
class _OfGreenThreads(Model):
    worker: ClassVar[WorkerKind] = "green"
    called: ClassVar[str] = "green threads"

    def drive(self, jobs: Jobs) -> None:
        if jobs.workload.is_ours:
            self._run(jobs, lambda number, sleep: jobs.keep(jobs.work(number, sleep)))
            return
        switches = _Switches()
        with switches.told():
            self._run(jobs, lambda number, sleep: jobs.keep(jobs.work(number, sleep, switches.of)))

    def _run(self, jobs: Jobs, one: Callable[[int, Callable[[float], object]], None]) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Greenlet(_OfGreenThreads):
    """`greenlet`, with a hub by hand."""

    name: ClassVar[str] = "greenlet"
    needs: ClassVar[tuple[str, ...]] = ("greenlet",)

    def _run(self, jobs: Jobs, one: Callable[[int, Callable[[float], object]], None]) -> None:
        hub = Hub()
        for number in jobs.numbers:
            jobs.submit(number)
            hub.spawn(lambda number=number: one(number, hub.sleep))  # type: ignore[misc]  # its own number
        with sleeping_by(hub.sleep):
            hub.run()


@dataclass(frozen=True)
class Gevent(_OfGreenThreads):
    """`gevent`, monkey-patched."""

    name: ClassVar[str] = "gevent"
    needs: ClassVar[tuple[str, ...]] = ("gevent",)
    flavour: ClassVar[Flavour] = "gevent"

    def _run(self, jobs: Jobs, one: Callable[[int, Callable[[float], object]], None]) -> None:
        import gevent

        gevent.joinall([gevent.spawn(one, jobs.submit(number), time.sleep) for number in jobs.numbers])


@dataclass(frozen=True)
class Eventlet(_OfGreenThreads):
    """`eventlet`, monkey-patched. Its own authors advise against new uses of it."""

    name: ClassVar[str] = "eventlet"
    needs: ClassVar[tuple[str, ...]] = ("eventlet",)
    flavour: ClassVar[Flavour] = "eventlet"

    def _run(self, jobs: Jobs, one: Callable[[int, Callable[[float], object]], None]) -> None:
        import eventlet

        for green in [eventlet.spawn(one, jobs.submit(number), time.sleep) for number in jobs.numbers]:
            green.wait()
