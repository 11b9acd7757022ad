"""What an experiment's process leaves piece by piece, so that it is there if the process is killed before its end.

Pieces lie one after another in a mapped file in the experiment's folder, as rows do. To write one lets go of the
interpreter at no time: else other threads would run just then, or look, and be seen to. A piece's length is written
last, so that one whose writer was killed halfway is none. It decides how pieces lie in the file; it refuses to know
what they are.
"""

import contextlib
import mmap
import os
import struct
from _thread import allocate_lock  # the system's also where gevent or eventlet put another in its place
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["Left", "leaving", "read_left"]

_FILE: Final = "left"
_HEAD: Final = struct.Struct("<I")  # bytes that follow
_MOST_BYTES: Final = 1 << 24
"""Of all pieces: of a file with holes, so that only what is written takes memory."""
_FLAGS: Final = os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0)


class Left:
    """Where one process leaves pieces.

    Args:
        folder: the experiment's own.
        most_bytes: how much room there is.
    """

    def __init__(self, folder: Path, most_bytes: int = _MOST_BYTES) -> None:
        descriptor = os.open(folder / _FILE, _FLAGS, 0o600)
        try:
            os.ftruncate(descriptor, most_bytes)
            self._map = mmap.mmap(descriptor, most_bytes)
        finally:
            os.close(descriptor)
        self._end = 0
        self._most_bytes = most_bytes
        self._lock = allocate_lock()

    def leave(self, piece: bytes) -> None:
        """Leave a piece, of one byte or more; one for which there is no room is not left."""
        with self._lock:
            start, end = self._end + _HEAD.size, self._end + _HEAD.size + len(piece)
            if end <= self._most_bytes:
                self._map[start:end] = piece
                _HEAD.pack_into(self._map, self._end, len(piece))
                self._end = end

    def close(self) -> None:
        """Let go of the file; nothing may be left any more."""
        self._map.close()


@contextlib.contextmanager
def leaving(folder: Path) -> Iterator[Left]:
    """Within this, pieces can be left in an experiment's folder."""
    left = Left(folder)
    try:
        yield left
    finally:
        left.close()


def read_left(folder: Path) -> list[bytes]:
    """The pieces that were left, in order."""
    pieces: list[bytes] = []
    with contextlib.suppress(FileNotFoundError), open(folder / _FILE, "rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size and (length := _HEAD.unpack(head)[0]):
            pieces.append(file.read(length))
    return pieces
