"""A process beside an experiment's, which looks at its threads every millisecond: for functions that cannot be counted.

What a function of somebody else's computes has no units between which a thread could look at itself. So what became of
its threads is told from outside: a look tells whether a thread sleeps, and if so, whether in wait for the interpreter's
lock or in another call; and how much of the time for which it was awake it has computed. It needs no interpreter lock
to look, being a process of its own, and costs those that it looks at nothing but their share of the processors. Only
Linux tells all this. It refuses to know what the threads are for.
"""

import contextlib
import ctypes
import os
import select
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter_ns
from typing import Final

from playground.models.kinds import LOOKED
from playground.models.rows import current
from playground.trace import SegmentKind
from playground.trace.lockout import waits_in_runtime

__all__ = ["Threads", "looked_at"]

_EVERY_S: Final = 0.001
"""A fifth of the time for which CPython lets a thread compute when another wants to."""
_PER_THREAD_S: Final = 0.000_2
"""So long between two looks for each thread: a look at one takes about 10 µs, so that this is a twentieth of a core."""
_MOMENT_NS: Final = 300_000
"""To have queued for so long for a processor is worth a row."""
_PR_SET_PTRACER: Final = 0x59616D61
"""From linux/prctl.h: where only a process's ancestors may read what it sleeps on, it names one that may, too."""


@contextlib.contextmanager
def looked_at() -> Iterator[None]:
    """Have the threads of this process looked at. To be called while it has only one."""
    ours, theirs = os.pipe()
    over, told = os.pipe()
    me = os.getpid()
    looker = os.fork()
    if looker == 0:  # pragma: no cover (a forked process is counted from its next function on)
        try:
            os.close(theirs)
            os.close(over)
            _look_until_hung_up(me, ours, told)
        finally:
            os._exit(0)
    os.close(ours)
    os.close(told)
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, looker, 0, 0, 0)
    os.read(over, 1)  # it has looked for the first time
    try:
        yield
    finally:
        os.close(theirs)
        os.read(over, 1)  # nothing comes: it is open until the looker has written its last row and ended
        os.close(over)
        # it is not waited for: its processor time is none of the experiment's, and the zygote takes it in


def _look_until_hung_up(process: int, line: int, told: int) -> None:
    threads = Threads(f"/proc/{process}/task", lambda kind, *row: current().add(LOOKED[kind], 0, *row))
    threads.look()
    os.write(told, b".")
    while not select.select([line], [], [], max(_EVERY_S, _PER_THREAD_S * len(threads)))[0]:
        threads.look()
    threads.end()


Tell = Callable[[SegmentKind, int, int, int, int], None]
"""Takes what a thread did instead of computing, from when, until when, 0, and the thread's number in the system."""


class Threads:
    """The threads of a process, looked at again and again.

    Args:
        folder: where the system shows them.
        tell: takes the stretches in which one did not run, when they are over.
        now_ns: the clock.
    """

    def __init__(self, folder: str, tell: Tell, now_ns: Callable[[], int] = perf_counter_ns) -> None:
        self._folder = folder
        self._tell = tell
        self._now_ns = now_ns
        self._at_ns = 0
        self._seen: dict[str, _Seen] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def look(self) -> None:
        """Look at all that are there, as of one moment: who goes on when another stops is seen to do so."""
        try:
            there = os.listdir(self._folder)
        except FileNotFoundError:
            return
        now_ns = self._now_ns()
        for gone in self._seen.keys() - set(there):
            self._over(gone)
        stand = {name: (self._kind(name), self._computed_ns(name)) for name in there}
        self._place_runs(stand, now_ns)
        for name, (kind, computed_ns) in stand.items():
            if name in self._seen:
                self._stands(name, kind, now_ns)
                self._seen[name].computed_ns = max(computed_ns, self._seen[name].computed_ns)
            else:
                self._seen[name] = _Seen(now_ns, computed_ns, kind)
        self._at_ns = now_ns

    def end(self) -> None:
        """Tell what goes on still."""
        for name in list(self._seen):
            self._over(name)

    def _place_runs(self, stand: Mapping[str, tuple[SegmentKind, int]], now_ns: int) -> None:
        """Tell what the threads did before they computed what they have computed since the last look.

        Threads of one interpreter take turns. So if there was the time for it, they have computed one after another,
        who sleeps by now before who is awake; if not, all until now. The system brings what a thread has computed up
        to date as it stops, and now and then while it goes on: so it may be more than there was time for.
        """
        used = {name: stand[name][1] - seen.computed_ns for name, seen in self._seen.items()}
        awake = {name for name, seen in self._seen.items() if "run" in (seen.kind, stand[name][0])}
        ran = [name for name in used if used[name] > (0 if name in awake else _MOMENT_NS)]
        ran.sort(key=lambda name: stand[name][0] == "run")
        at_ns = now_ns - sum(used[name] for name in ran)
        for name in ran:
            at_ns += used[name]
            until_ns = now_ns if at_ns - used[name] < self._at_ns else at_ns
            self._ran(name, max(self._seen[name].since_ns, until_ns - used[name]), until_ns)

    def _ran(self, name: str, from_ns: int, until_ns: int) -> None:
        self._away(name, from_ns)
        seen = self._seen[name]
        seen.kind, seen.since_ns, seen.has_run = "run", until_ns, True

    def _stands(self, name: str, kind: SegmentKind, now_ns: int) -> None:
        """What it does now. Who is awake is told when it is known whether it computes."""
        seen = self._seen[name]
        if kind != seen.kind and not (seen.kind == "run" and seen.has_run):
            self._away(name, now_ns)
            seen.since_ns = now_ns
        seen.kind, seen.at_ns, seen.has_run = kind, now_ns, False

    def _away(self, name: str, until_ns: int) -> None:
        """It did not compute since the moment up to which all is told: it slept, or was awake and queued."""
        seen = self._seen[name]
        if seen.kind == "run" and until_ns - seen.since_ns > _MOMENT_NS:
            self._tell("preempt", seen.since_ns, until_ns, 0, int(name))
        else:
            self._told(name, seen, until_ns)

    def _computed_ns(self, name: str) -> int:
        fields = self._read(name, "schedstat").split()
        return int(fields[0]) if fields else 0

    def _over(self, name: str) -> None:
        seen = self._seen.pop(name)
        self._told(name, seen, seen.at_ns)

    def _told(self, name: str, seen: "_Seen", until_ns: int) -> None:
        if seen.kind != "run" and seen.since_ns < until_ns:
            self._tell(seen.kind, seen.since_ns, until_ns, 0, int(name))

    def _kind(self, name: str) -> SegmentKind:
        """What a thread does now; of one that is awake, that it runs: whether it queues is told by what it computes."""
        fields = self._read(name, "syscall").split()
        if not fields:
            return "off_cpu"
        if fields[0] == b"running":
            return "run"
        return "gil" if waits_in_runtime(fields) else "wait"

    def _read(self, name: str, file: str) -> bytes:
        try:
            descriptor = os.open(f"{self._folder}/{name}/{file}", os.O_RDONLY)
        except OSError:  # it is over, or this is kept from us
            return b""
        try:
            return os.read(descriptor, 256)
        except OSError:
            return b""
        finally:
            os.close(descriptor)


class _Seen:
    """What was seen of a thread: until the last look, it has done one thing since a moment. Of one that is awake, what
    it did before that moment has been told."""

    __slots__ = ("at_ns", "computed_ns", "has_run", "kind", "since_ns")

    def __init__(self, at_ns: int, computed_ns: int, kind: SegmentKind) -> None:
        self.at_ns = self.since_ns = at_ns
        self.computed_ns = computed_ns
        self.has_run = False
        self.kind: SegmentKind = kind
