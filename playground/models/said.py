"""What an experiment prints: whole lines, in order, from all its processes and threads, through one pipe.

Every piece that Python's `print` writes goes off at once, so that nothing that was printed is lost when its process is
killed. A piece says which stream and which thread it is of; the other end puts a thread's pieces together into lines.
What does not come from Python (a program that was started, a library in C) comes through pipes of its own, and so may
stand a little before or after what was printed at the same time.
"""

import _thread
import io
import os
import select
import struct
from codecs import getincrementaldecoder
from collections.abc import Iterable
from os import write  # eventlet puts another there, which would switch to another green thread
from typing import Any, Final, Literal

__all__ = ["Heard", "Pieces", "Said", "StreamName"]

StreamName = Literal["out", "err"]

_HEAD: Final = struct.Struct("<BHQ")  # stream, bytes that follow, thread
_MOST_BYTES: Final = getattr(select, "PIPE_BUF", 512) - _HEAD.size
"""Of a piece: POSIX promises that so many bytes are written in one go, whoever else writes into the same pipe."""
_NAMES: Final[tuple[StreamName, ...]] = ("out", "err")


class Said(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` in an experiment's process.

    Args:
        pipe: the descriptor that pieces are written to.
        name: which of the two it is.
    """

    encoding = "utf-8"
    errors = "backslashreplace"
    newlines = None
    line_buffering = True

    def __init__(self, pipe: int, name: StreamName) -> None:
        self._pipe = pipe
        self._stream = _NAMES.index(name)
        self._fileno = self._stream + 1
        self.name = f"<std{name}>"
        self.mode = "w"
        self.buffer = io.FileIO(self._fileno, "w", closefd=False)

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        data = text.encode("utf-8", "backslashreplace")
        who = (os.getpid() << 40 ^ _thread.get_ident()) & 0xFFFF_FFFF_FFFF_FFFF
        for start in range(0, len(data), _MOST_BYTES):
            piece = data[start : start + _MOST_BYTES]
            write(self._pipe, _HEAD.pack(self._stream, len(piece), who) + piece)
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._fileno

    def close(self) -> None:
        """Nothing: what is printed afterwards, by another thread, is heard too."""


class Pieces:
    """The pieces that come through the pipe, put together into lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._open: dict[tuple[int, int], bytes] = {}

    def feed(self, data: bytes) -> list[tuple[StreamName, bytes]]:
        """What is whole now: lines, or many lines."""
        data = self._rest + data
        at, whole = 0, []
        while len(data) - at >= _HEAD.size:
            stream, length, who = _HEAD.unpack_from(data, at)
            end = at + _HEAD.size + length
            if end > len(data):
                break
            whole += self._line(stream, who, data[at + _HEAD.size : end])
            at = end
        self._rest = data[at:]
        return whole

    def _line(self, stream: int, who: int, piece: bytes) -> list[tuple[StreamName, bytes]]:
        text = self._open.pop((stream, who), b"") + piece
        end = text.rfind(b"\n") + 1
        if text[end:]:
            self._open[stream, who] = text[end:]
        return [(_NAMES[stream], text[:end])] if end else []

    def unfinished(self) -> list[tuple[StreamName, bytes]]:
        """The lines that nobody has ended yet: to be shown as they are when nothing more comes for a moment."""
        lines = [(_NAMES[stream], text) for (stream, _), text in self._open.items()]
        self._open.clear()
        return lines


class Heard:
    """What was heard of an experiment, shown where it belongs, and kept.

    Args:
        streams: where to show it; empty for nowhere.
        most_bytes: how much of it is shown and kept.

    Attributes:
        left_out: how many bytes were not.
    """

    def __init__(self, streams: dict[StreamName, Any], most_bytes: int) -> None:
        self._streams = streams
        self._room = most_bytes
        self._most_bytes = most_bytes
        self._texts: dict[StreamName, list[str]] = {"out": [], "err": []}
        self._decoders = {name: getincrementaldecoder("utf-8")("replace") for name in _NAMES}
        self._written: StreamName | None = None
        self.left_out = 0

    def hear(self, name: StreamName, data: bytes, *, last: bool = False) -> None:
        """Show and keep a piece, as far as there is room."""
        kept = data[: self._room]
        self._room -= len(kept)
        self.left_out += len(data) - len(kept)
        self._show(name, self._decoders[name].decode(kept, last))

    def hear_all(self, pieces: Iterable[tuple[StreamName, bytes]]) -> None:
        """The same with several."""
        for name, data in pieces:
            self.hear(name, data)

    def _show(self, name: StreamName, text: str) -> None:
        if not text:
            return
        self._texts[name].append(text)
        if name not in self._streams:
            return
        if name != self._written:
            self.flush()
            self._written = name
        self._streams[name].write(text)

    def flush(self) -> None:
        """Have the screen show what was heard: a notebook's kernel holds it back a while, each stream by itself."""
        if self._written is not None:
            self._streams[self._written].flush()
            self._written = None

    def text(self, name: StreamName) -> str:
        """All that was kept of a stream."""
        return "".join(self._texts[name])

    def end(self) -> None:
        """Show what is left over, and say how much was left out."""
        for name in _NAMES:
            self.hear(name, b"", last=True)
        if self.left_out:
            kept = f"{self._most_bytes / 1e6:g} MB"
            self._show("err", f"\n[{kept} of output are kept; {self.left_out:,} bytes more were printed]\n")
        self.flush()
