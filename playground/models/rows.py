"""Rows that outlive who wrote them: numbers, written into a file in shared memory as they happen.

An experiment may be killed at any moment, by its timeout, by the system or by the student, and what it did until then
is the lesson. So each process writes into a mapped file of its own, which is there whatever becomes of the process, and
whoever started the experiment reads the files afterwards. It decides where a row stands and when it counts as whole;
it refuses to know what the kinds of rows mean.

A row's last byte is written last, and is never 0 in a row that was written: a row whose writer was killed halfway is
told by that.
"""

import itertools
import mmap
import os
import struct
import weakref
from _thread import get_ident  # the system's thread also where gevent or eventlet put green threads in its place
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from playground.errors import ModelError

__all__ = ["FOLDER_VARIABLE", "Row", "Rows", "current", "read_dropped", "read_rows", "record_in", "recording_in"]

FOLDER_VARIABLE: Final = "PLAYGROUND_ROWS"
"""The environment variable that tells a process which was not forked where the experiment's rows go."""

DEFAULT_CAPACITY: Final = 200_000
"""Rows of one process: 9.6 MB at most, of which only what is written takes memory. A job takes about ten."""

_HEAD: Final = struct.Struct("<8sqqq")  # mark, process, capacity, dropped
_HEAD_BYTES: Final = 64  # one line of the processor's cache
_DROPPED_AT: Final = 24
_DROPPED: Final = struct.Struct("<q")
_MARK: Final = b"rows\x00\x00\x00\x01"
_ROW: Final = struct.Struct("<qqqQqixxxB")  # start, end, CPU, thread, unit, job, kind + 1
_ROW_BYTES: Final = _ROW.size
_pack: Final = _ROW.pack_into
_BINARY: Final = getattr(os, "O_BINARY", 0)
_ROWS_AT_ONCE: Final = 1024
"""Rows read at once. Holes are left only by threads that were killed between two lines: never so many in a row."""


class Row(NamedTuple):
    """What happened to a job, or what a job did, for a while.

    Attributes:
        kind: what it was, 0 to 254; whoever writes the rows knows what it means.
        job: the job's number.
        start_ns, end_ns: by `time.perf_counter_ns`, which all processes of a machine share.
        cpu_ns: processor time within it.
        process, thread: their idents in the system.
        unit: which green thread or task of that thread; 0 for the thread itself.
    """

    kind: int
    job: int
    start_ns: int
    end_ns: int
    cpu_ns: int
    process: int
    thread: int
    unit: int


class Rows:
    """Where one process writes its rows.

    A process that is forked from this one gets a file of its own, behind the same object. Any number of threads may
    write at once.

    Args:
        folder: the experiment's own, which exists.
        capacity: how many rows to keep; those beyond are counted, see `read_dropped`.

    Attributes:
        folder: that folder.
        capacity: that number.
    """

    def __init__(self, folder: Path, capacity: int = DEFAULT_CAPACITY) -> None:
        self.folder = folder
        self.capacity = capacity
        self._open()
        _all.add(self)

    def _open(self) -> None:
        size = _HEAD_BYTES + self.capacity * _ROW.size
        descriptor = _new_file(self.folder)
        try:
            os.ftruncate(descriptor, size)
            self._map = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        _HEAD.pack_into(self._map, 0, _MARK, os.getpid(), self.capacity, 0)
        self._next = itertools.count().__next__  # one step for all threads: no lock

    def add(self, kind: int, job: int, start_ns: int, end_ns: int, cpu_ns: int, unit: int = 0) -> None:
        """Write a row: see `Row`. It is there as soon as this returns, whatever happens then."""
        index = self._next()
        if index < self.capacity:
            at = _HEAD_BYTES + index * _ROW_BYTES
            _pack(self._map, at, start_ns, end_ns, cpu_ns, get_ident(), unit, job, kind + 1)
        else:
            _DROPPED.pack_into(self._map, _DROPPED_AT, index + 1 - self.capacity)


_all: Final["weakref.WeakSet[Rows]"] = weakref.WeakSet()
_current: Final[list[Rows]] = []  # at most one


def record_in(folder: Path, capacity: int = DEFAULT_CAPACITY) -> Rows:
    """Write this process's rows, and those of the processes that it starts, into a folder."""
    os.environ[FOLDER_VARIABLE] = str(folder)
    _current[:] = [Rows(folder, capacity)]
    return _current[0]


@contextmanager
def recording_in(folder: Path) -> Iterator[Rows]:
    """Within this, the same, in a process that goes on afterwards."""
    found, variable = list(_current), os.environ.get(FOLDER_VARIABLE)
    try:
        yield record_in(folder)
    finally:
        _current[:] = found
        if variable is None:
            os.environ.pop(FOLDER_VARIABLE, None)
        else:
            os.environ[FOLDER_VARIABLE] = variable


def current() -> Rows:
    """Where this process writes its rows.

    Raises:
        ModelError: this process is no experiment's.
    """
    if not _current:
        folder = os.environ.get(FOLDER_VARIABLE)
        if folder is None:
            raise ModelError(
                "expected to be in a process of an experiment, where rows are recorded, got a process that is none: "
                "call this from within run_apart or an experiment"
            )
        _current.append(Rows(Path(folder)))
    return _current[0]


def read_rows(folder: Path) -> list[Row]:
    """All rows that an experiment's processes have written, by their start; those half written are left out."""
    return sorted((row for path in _files(folder) for row in _read(path)), key=_start)


def read_dropped(folder: Path) -> int:
    """How many rows found no room."""
    return sum(_head(path)[1] for path in _files(folder))


def _start(row: Row) -> int:
    return row.start_ns


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("rows-*.bin"))


def _new_file(folder: Path) -> int:
    """A file for this process; another interpreter within it has one too, perhaps."""
    for number in itertools.count():
        try:
            return os.open(folder / f"rows-{os.getpid()}-{number}.bin", os.O_CREAT | os.O_EXCL | os.O_RDWR | _BINARY)
        except FileExistsError:
            continue
    raise AssertionError("unreachable")  # pragma: no cover (for mypy: the loop has no end)


def _head(path: Path) -> tuple[int, int]:
    """The process and how many rows it dropped; both are 0 in a file that was not begun."""
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return 0, 0
    mark, process, _, dropped = _HEAD.unpack(head)
    return (process, dropped) if mark == _MARK else (0, 0)


def _read(path: Path) -> Iterator[Row]:
    process, _ = _head(path)
    with path.open("rb") as file:
        file.seek(_HEAD_BYTES)
        while written := file.read(_ROWS_AT_ONCE * _ROW_BYTES).rstrip(b"\0"):
            piece = written.ljust(-(-len(written) // _ROW_BYTES) * _ROW_BYTES, b"\0")
            for start_ns, end_ns, cpu_ns, thread, unit, job, kind in _ROW.iter_unpack(piece):
                if kind:
                    yield Row(kind - 1, job, start_ns, end_ns, cpu_ns, process, thread, unit)


def _anew() -> None:
    """In a process that was just forked: its rows go into a file of its own."""
    for rows in list(_all):
        rows._open()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_anew)
