"""The wire: named columns of numbers behind a JSON header, byte-shuffled and deflated.

One format carries a saved recording, and a view's rows on their way to the browser. It knows nothing of what
the columns mean. Layout, little-endian throughout:

    bytes 0-7    magic: b"PLAYTRC" and the format's version as one byte
    bytes 8-11   u32, length of the header in bytes
    header       UTF-8 JSON object; its "columns" is a list of [name, type, length], in the body's order
    body         one zlib stream (RFC 1950) of all columns, one after the other, each byte-shuffled

Types are `u1 u2 u4 i4 i8 f8`. Byte-shuffling puts the first bytes of all values of a column first, then all
second bytes, and so on: neighbours in time differ in their low bytes only, so deflate finds long runs.
"""

import json
import struct
import sys
import zlib
from array import array
from collections.abc import Mapping
from typing import Any

from playground.errors import TraceError

__all__ = ["TYPECODES", "VERSION", "pack", "unpack"]

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


def pack(header: Mapping[str, Any], columns: Mapping[str, "array[Any]"], level: int = 6) -> bytes:
    """Pack columns behind a header.

    Args:
        header: any JSON-serialisable mapping without the key `columns`.
        columns: name to array; the typecodes allowed are the values of `TYPECODES`.
        level: zlib's compression level, 0 to 9.

    Returns:
        the packed bytes, which `unpack` reads back.
    """
    directory = [[name, _TYPE_OF[column.typecode], len(column)] for name, column in columns.items()]
    text = _json_bytes({**header, "columns": directory})
    deflate = zlib.compressobj(level)
    body = [deflate.compress(_shuffle(column)) for column in columns.values()]
    return b"".join((MAGIC, bytes([VERSION]), struct.pack("<I", len(text)), text, *body, deflate.flush()))


def unpack(data: bytes | bytearray | memoryview) -> tuple[dict[str, Any], dict[str, "array[Any]"]]:
    """Read what `pack` wrote.

    Returns:
        the header (without its `columns`) and the columns by name.

    Raises:
        TraceError: the data is foreign, of another version, truncated or damaged.
    """
    view = memoryview(data)
    header, at = _read_header(view)
    directory = _check_directory(header.pop("columns", None))
    size = sum(array(TYPECODES[kind]).itemsize * length for _, kind, length in directory)
    body = _inflate(view[at:], size)
    columns = {}
    at = 0
    for name, kind, length in directory:
        column = array(TYPECODES[kind])
        nbytes = column.itemsize * length
        column.frombytes(_unshuffle(body[at : at + nbytes], column.itemsize))
        if sys.byteorder == "big":
            column.byteswap()
        columns[name] = column
        at += nbytes
    return header, columns


def _json_bytes(header: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as in a path that was no UTF-8: UTF-8 has none
        return json.dumps(header, separators=(",", ":")).encode()


def _read_header(view: memoryview) -> tuple[dict[str, Any], int]:
    if bytes(view[:7]) != MAGIC:
        found = bytes(view[:7])
        raise TraceError(
            f"expected a recording that begins with {MAGIC!r}, found {found!r}: give a file that Trace.save() wrote"
        )
    if len(view) < 12:
        raise TraceError(_truncated("its fixed part", 12, len(view)))
    if view[7] != VERSION:
        raise TraceError(
            f"expected a recording of format version {VERSION}, found version {view[7]}: "
            "read it with the release of playground that wrote it"
        )
    (length,) = struct.unpack_from("<I", view, 8)
    if length > _MAX_HEADER_BYTES or len(view) < 12 + length:
        raise TraceError(_truncated("its header", 12 + length, len(view)))
    try:
        header = json.loads(bytes(view[12 : 12 + length]))
    except (ValueError, RecursionError) as error:
        raise TraceError(f"expected a JSON header, found bytes that are none ({error}): the file is damaged") from None
    if not isinstance(header, dict):
        raise TraceError(f"expected a JSON object as header, found {type(header).__name__}: the file is damaged")
    return header, 12 + length


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


def _inflate(data: memoryview, size: int) -> bytes:
    """Inflate exactly `size` bytes; a bomb stops at that size instead of filling the memory."""
    if size > _MOST_INFLATED * len(data):
        raise TraceError(_body_error(size, f"a stream of {len(data)}"))
    inflate = zlib.decompressobj()
    try:
        body = inflate.decompress(data, size + 1)
    except zlib.error as error:
        raise TraceError(f"expected a zlib stream as body, found {error}: the file is damaged") from None
    if len(body) != size:
        raise TraceError(_body_error(size, "more" if len(body) > size else str(len(body))))
    if not inflate.eof or inflate.unused_data:
        raise TraceError(_body_error(size, "no end after them" if not inflate.eof else "more after them"))
    return body


def _body_error(size: int, found: str) -> str:
    return f"expected {size} bytes of columns, found {found}: the file is truncated or damaged; save it again"


def _shuffle(column: "array[Any]") -> bytes:
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    raw = column.tobytes()
    width = column.itemsize
    return b"".join(raw[i::width] for i in range(width)) if width > 1 else raw


def _unshuffle(data: bytes, width: int) -> bytes:
    if width == 1:
        return data
    length = len(data) // width
    raw = bytearray(len(data))
    for i in range(width):
        raw[i::width] = data[i * length : (i + 1) * length]
    return bytes(raw)
