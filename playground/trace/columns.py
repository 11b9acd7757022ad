"""The wire: named columns of numbers behind a JSON header, byte-shuffled and deflated.

One format carries a saved recording, and a view's rows on their way to the browser. It knows nothing of what
the columns mean. Layout, little-endian throughout:

    bytes 0-7    magic: b"PLAYTRC" and the format's version as one byte
    bytes 8-11   u32, length of the header in bytes
    header       UTF-8 JSON object; its "columns" is a list of [name, type, length], in the body's order
    body         one zlib stream (RFC 1950) of all columns, one after the other, each byte-shuffled

Types are `u1 u2 u4 i4 i8 f8`. Byte-shuffling puts the first bytes of all values of a column first, then all
second bytes, and so on: neighbours in time differ in their low bytes only, so deflate finds long runs.

Both ways it goes by pieces: neither all packed bytes nor a second copy of a column need ever be in memory, and
nothing is set aside for what a file only promises until its promise is found to be possible and wanted.
"""

import json
import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any, BinaryIO, Never

from playground.errors import TraceError

__all__ = ["TYPECODES", "VERSION", "Directory", "pack", "read", "stream", "unpack"]

MAGIC = b"PLAYTRC"
VERSION = 1

# array's codes for the sizes that C guarantees on every platform that CPython supports
TYPECODES = {"u1": "B", "u2": "H", "u4": "I", "i4": "i", "i8": "q", "f8": "d"}
_TYPE_OF = {code: name for name, code in TYPECODES.items()}

# A header of names and sites stays well below this; more is a damaged length (and would be read into memory).
_MAX_HEADER_BYTES = 1 << 28

# No deflate stream inflates to more than 1032 times its length (zlib's technical notes), so a header that
# promises more is damaged.
_MOST_INFLATED = 1032

_PIECE = 1 << 20
"""Bytes that are shuffled, deflated or inflated at a time: small beside a recording, and few calls."""

Directory = dict[str, tuple[str, int]]
"""For each column of a packet, by name, its `array` typecode and its length."""


def pack(header: Mapping[str, Any], columns: Mapping[str, "array[Any]"], level: int = 6) -> bytes:
    """Pack columns behind a header.

    Args:
        header: any JSON-serialisable mapping without the key `columns`.
        columns: name to array; the typecodes allowed are the values of `TYPECODES`.
        level: zlib's compression level, 0 to 9.

    Returns:
        the packed bytes, which `unpack` reads back.
    """
    return b"".join(stream(header, columns, level))


def stream(header: Mapping[str, Any], columns: Mapping[str, "array[Any]"], level: int = 6) -> Iterator[bytes]:
    """The same bytes as `pack`, in pieces."""
    directory = [[name, _TYPE_OF[column.typecode], len(column)] for name, column in columns.items()]
    text = _json_bytes({**header, "columns": directory})
    yield b"".join((MAGIC, bytes([VERSION]), struct.pack("<I", len(text)), text))
    deflate = zlib.compressobj(level)
    for column in columns.values():
        for piece in _shuffled(column):
            if packed := deflate.compress(piece):
                yield packed
    yield deflate.flush()


def unpack(data: bytes | bytearray | memoryview) -> tuple[dict[str, Any], dict[str, "array[Any]"]]:
    """Read what `pack` wrote.

    Returns:
        the header (without its `columns`) and the columns by name.

    Raises:
        TraceError: the data is foreign, of another version, truncated or damaged.
    """
    return read(BytesIO(data))


def read(
    file: BinaryIO,
    check: Callable[[dict[str, Any], Directory], None] = lambda header, directory: None,
    most_header_bytes: int = _MAX_HEADER_BYTES,
) -> tuple[dict[str, Any], dict[str, "array[Any]"]]:
    """Read what `pack` or `stream` wrote from a file that can be sought in.

    Args:
        check: called with the header and the directory before any column is read; refuses them by raising.
        most_header_bytes: the longest header to read into memory.

    Returns, raises:
        as `unpack`.
    """
    size = file.seek(0, 2)
    file.seek(0)
    header = _read_header(file, size, most_header_bytes)
    directory = {
        name: (TYPECODES[kind], length) for name, kind, length in _check_directory(header.pop("columns", None))
    }
    check(header, directory)
    promised = sum(array(code).itemsize * length for code, length in directory.values())
    packed = size - file.tell()
    if promised > _MOST_INFLATED * packed:
        raise TraceError(_body_error(promised, f"a stream of {packed}"))
    body = _Inflating(file, promised)
    columns = {name: _read_column(body, code, length) for name, (code, length) in directory.items()}
    body.end()
    return header, columns


def _json_bytes(header: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as in a path that was no UTF-8: UTF-8 has none
        return json.dumps(header, separators=(",", ":")).encode()


def _read_header(file: BinaryIO, size: int, most_bytes: int) -> dict[str, Any]:
    fixed = file.read(12)
    if fixed[:7] != MAGIC:
        raise TraceError(
            f"expected a recording that begins with {MAGIC!r}, found {fixed[:7]!r}: give a file that Trace.save() wrote"
        )
    if len(fixed) < 12:
        raise TraceError(_truncated("its fixed part", 12, len(fixed)))
    if fixed[7] != VERSION:
        raise TraceError(
            f"expected a recording of format version {VERSION}, found version {fixed[7]}: "
            "read it with the release of playground that wrote it"
        )
    (length,) = struct.unpack_from("<I", fixed, 8)
    if size < 12 + length:
        raise TraceError(_truncated("its header", 12 + length, size))
    if length > most_bytes:
        raise TraceError(f"expected a header of at most {most_bytes} bytes, found {length}: the file is damaged")
    try:
        header = json.loads(file.read(length))
    except (ValueError, RecursionError) as error:
        raise TraceError(f"expected a JSON header, found bytes that are none ({error}): the file is damaged") from None
    if not isinstance(header, dict):
        raise TraceError(f"expected a JSON object as header, found {type(header).__name__}: the file is damaged")
    return header


def _truncated(part: str, expected: int, found: int) -> str:
    return f"expected {expected} bytes up to the end of {part}, found {found}: the file is truncated; save it again"


def _check_directory(directory: Any) -> list[tuple[str, str, int]]:
    if isinstance(directory, list):
        entries = [tuple(entry) for entry in directory if isinstance(entry, list) and len(entry) == 3]
        well_formed = len(entries) == len(directory) and all(
            isinstance(name, str)
            and isinstance(kind, str)
            and kind in TYPECODES
            and type(length) is int
            and length >= 0
            for name, kind, length in entries
        )
        if well_formed and len({name for name, _, _ in entries}) == len(entries):
            return entries
    raise TraceError(
        "expected a list of [name, type, length], each name once, as the header's columns: the file is damaged"
    )


class _Inflating:
    """A body that is inflated piece by piece; a bomb stops at the size that the header promised.

    Args:
        file: the file, at the body's beginning.
        size: what the header promises.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._found = 0
        self._inflate = zlib.decompressobj()

    def read(self, most: int) -> bytes:
        """At least one byte, and at most `most`; none if there are no more."""
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(_PIECE)
            try:
                piece = self._inflate.decompress(packed, most)
            except zlib.error as error:
                raise TraceError(f"expected a zlib stream as body, found {error}: the file is damaged") from None
            self._found += len(piece)
            if piece:
                return piece
            if not packed:
                break
        return b""

    def short(self) -> Never:
        """There is less than was promised."""
        raise TraceError(_body_error(self._size, str(self._found)))

    def end(self) -> None:
        """Whether this was all."""
        if self.read(1):
            raise TraceError(_body_error(self._size, "more"))
        if not self._inflate.eof or self._inflate.unused_data or self._file.read(1):
            raise TraceError(
                _body_error(self._size, "no end after them" if not self._inflate.eof else "more after them")
            )


def _read_column(body: _Inflating, code: str, length: int) -> "array[Any]":
    column = array(code, [0]) * length
    width = column.itemsize
    with memoryview(column) as values, values.cast("B") as raw:
        for low in range(width):
            with raw[low::width] as plane:
                at = 0
                while at < length:
                    piece = body.read(min(_PIECE, length - at)) or body.short()
                    plane[at : at + len(piece)] = piece
                    at += len(piece)
    if sys.byteorder == "big":  # pragma: no cover (no such machine here)
        column.byteswap()
    return column


def _body_error(size: int, found: str) -> str:
    return f"expected {size} bytes of columns, found {found}: the file is truncated or damaged; save it again"


def _shuffled(column: "array[Any]") -> Iterator[bytes]:
    width = column.itemsize
    step = _PIECE // width
    for low in range(width):
        for at in range(0, len(column), step):
            part = column[at : at + step]
            if sys.byteorder == "big":  # pragma: no cover (no such machine here)
                part.byteswap()
            yield part.tobytes()[low::width]
