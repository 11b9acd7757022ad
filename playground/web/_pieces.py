"""Stretches of a file, and how they are read.

It decides what is sent of a file and in which visits to a worker thread it is read. It refuses to know who asked
for what, and how it is sent.
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

import anyio

from ._headers import MutableHeaders

__all__ = ["Piece", "Plan", "StrPath", "opened", "read_pieces", "read_start", "too_short"]

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of the file from `start` to `end`, between bytes that are not in it."""

    start: int
    end: int
    before: bytes = b""
    after: bytes = b""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent."""

    status: int
    headers: MutableHeaders
    pieces: Sequence[Piece]
    end: bytes = b""

    @property
    def length(self) -> int:
        """How many bytes of the file are sent."""
        return sum(piece.end - piece.start for piece in self.pieces)

    def body(self, read: Callable[[Piece], bytes]) -> bytes:
        """The whole body; `read` gives the bytes of a piece."""
        parts = [part for piece in self.pieces for part in (piece.before, read(piece), piece.after)]
        return b"".join([*parts, self.end])


@asynccontextmanager
async def opened(path: StrPath) -> AsyncIterator[anyio.AsyncFile[bytes]]:
    """The file, which is closed even if the task was cancelled meanwhile."""
    file = await anyio.open_file(path, mode="rb")
    try:
        yield file
    finally:
        with anyio.CancelScope(shield=True):
            await file.aclose()


def read_start(path: StrPath, size: int) -> bytes:
    """The first so many bytes of a file, and no fewer."""
    with open(path, "rb") as file:
        return _exactly(path, file, 0, size)


def read_pieces(path: StrPath, plan: Plan) -> bytes:
    """The whole body of a plan."""
    with open(path, "rb") as file:
        return plan.body(lambda piece: _exactly(path, file, piece.start, piece.end))


def _exactly(path: StrPath, file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    read = file.read(end - start)
    if len(read) < end - start:
        raise too_short(path)
    return read


def too_short(path: StrPath) -> RuntimeError:
    return RuntimeError(f"File at path {path} is shorter than expected.")
