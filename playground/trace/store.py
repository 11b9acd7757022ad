"""A recording as a file and back: the columns of every table on the wire of `columns`, strings and sites beside them.

It decides how strings and sites become columns too, and how rows do that are not columns already. It refuses to
guess: a recording is read back exactly as it was (texts as far as a recording keeps them, see `texts`), or refused in
words, before it takes more memory than it may. A checksum over header and columns finds damage that would still parse;
what could point nowhere is looked at all the same, since a file may have been made by anyone.
"""

import json
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar
from zlib import crc32

from playground import files
from playground.errors import TraceError
from playground.trace.checked import CHECK, check_columns, damaged, tables_of
from playground.trace.columns import Directory, read, stream
from playground.trace.plausible import check_plausible
from playground.trace.table import Names, Table, numbers
from playground.trace.tables import NO_INT, PARTS, SCHEMA, TABLES, columns_of, kind_of
from playground.trace.texts import LONGEST, cut

if TYPE_CHECKING:
    from playground.trace.trace import Trace

__all__ = ["MOST_BYTES", "dump", "load", "restore", "save"]

MOST_BYTES: Final = 1 << 30
"""Memory that a recording may take when it is loaded, unless more is allowed: 2e7 steps that each end in a wait."""

_VIEW: Final = "trace"
_CLOCKS: Final = ("real", "virtual")

# Of a title, five numbers and a list of columns, in JSON.
_MOST_HEADER_BYTES: Final = 1 << 20
_LONGEST_TITLE: Final = 50_000  # a character takes up to twelve bytes there

# zlib's level: for a run of 1e6 steps, 6 takes 0.35 s and 4.9 bytes a step, 3 takes 0.21 s and 5.2
_LEVEL: Final = 3

T = TypeVar("T", bound="Trace")
Columns = dict[str, "array[int]"]


def save(trace: "Trace", path: str | Path) -> None:
    """Write a recording to a file.

    Raises:
        TraceError: a number in a row does not fit into its column, or the title into a header; then the file is
            not touched.
        OSError: it cannot be written: see `playground.files.write`.
    """
    files.write(path, _pieces(trace))


def dump(trace: "Trace") -> bytes:
    """A recording as bytes, for `restore`; raises as `save`."""
    return b"".join(_pieces(trace))


def load(cls: type[T], path: str | Path, most_bytes: int = MOST_BYTES) -> T:
    """Read what `save` wrote, in no more memory than `most_bytes`.

    Raises:
        TraceError: it is no recording, damaged, too large, of a version that this release does not know, or one that
            cannot have happened (see `plausible`).
    """
    with open(path, "rb") as file:
        return _restore(cls, file, most_bytes, check_plausible)


def restore(cls: type[T], data: bytes, most_bytes: int = MOST_BYTES) -> T:
    """Read what `dump` wrote, in this process or in one of ours, so that it need not be plausible; raises as `load`."""
    return _restore(cls, BytesIO(data), most_bytes, lambda tables, duration_ns: None)


def _checksum(header: Mapping[str, Any], columns: "Mapping[str, array[int]]") -> int:
    try:
        check = crc32(json.dumps(header, sort_keys=True).encode())
    except RecursionError:
        raise damaged("a flat header", "one nested too deeply") from None
    for name, column in columns.items():
        check = crc32(f"{name} {column.typecode} {len(column)}".encode(), check)
        check = crc32(_little_endian(column), check)
    return check


def _little_endian(column: "array[int]") -> "array[int]":
    if sys.byteorder == "big":  # pragma: no cover (no such machine here)
        column = array(column.typecode, column)
        column.byteswap()
    return column


# -- writing --------------------------------------------------------------------------------------------


def _pieces(trace: "Trace") -> Iterator[bytes]:
    header = {
        "view": _VIEW,
        "schema": SCHEMA,
        "title": trace.title,
        "clock": trace.clock,
        "duration_ns": trace.duration_ns,
        "dropped": trace.dropped,
        "forgotten": trace.forgotten,
        **({"ending": cut(trace.ending)} if trace.ending else {}),
    }
    if len(trace.title) > _LONGEST_TITLE:
        raise TraceError(
            f"expected a title of at most {_LONGEST_TITLE:,} characters, found one of {len(trace.title):,}: "
            "give the run a shorter one"
        )
    try:
        columns = _Writer(trace).columns()
    except OverflowError as error:
        raise TraceError(
            f"expected times of 64 bits and indexes of 32, not negative; found another number ({error}): "
            "give times in nanoseconds since the start of the run, and indexes into the trace's own tables"
        ) from None
    return stream(header, {**columns, CHECK: array("I", [_checksum(header, columns)])}, _LEVEL)


class _Writer:
    """Gathers the columns of a trace: those that are there as they are, those of rows made for the purpose."""

    def __init__(self, trace: "Trace") -> None:
        self._rows: dict[str, Sequence[Any]] = {table: getattr(trace, table) for table in TABLES if table not in PARTS}
        there = [rows for rows in self._rows.values() if len(rows) or isinstance(rows, Table)]
        kinds = {rows.names if isinstance(rows, Table) and rows.whole else None for rows in there} or {None}
        shared = kinds.pop()
        self._names = Names(LONGEST) if kinds or shared is None else shared

    def columns(self) -> Columns:
        columns = dict(pair for table, rows in self._rows.items() for pair in self._table(table, rows))
        return columns | self._name_columns()

    def _table(self, table: str, rows: Sequence[Any]) -> "Iterator[tuple[str, array[int]]]":
        if isinstance(rows, Table) and rows.whole and rows.names is self._names:
            for part, of_part in rows.parts.items():
                yield from self._table(part, of_part)
            yield from ((f"{table}.{field}", column) for field, column in rows.columns.items())
            return
        for field, written in TABLES[table].items():
            values = list(rows) if table == "made" else [getattr(row, field) for row in rows]
            if not written.endswith("[]"):
                yield f"{table}.{field}", array(columns_of(table)[field], self._numbers(written, values))
                continue
            until = list(accumulate(map(len, values)))
            yield f"{table}.{field}_from", array("I", [0, *until][: len(values)])
            yield f"{table}.{field}_until", array("I", until)
            yield from self._table(kind_of(written)[0], [one for value in values for one in value])

    def _numbers(self, written: str, values: list[Any]) -> list[int]:
        kind, _ = kind_of(written)
        if kind == "string":
            return [self._names.string(value) for value in values]
        if kind == "site":
            return [self._names.site(value) for value in values]
        if NO_INT in values:
            raise OverflowError(f"{NO_INT} stands for none")
        return numbers(kind, values)

    def _name_columns(self) -> Columns:
        """Strings and sites; the sites first, for they point at strings."""
        string = self._names.string
        sites = [site for site in self._names.sites if site is not None]
        columns = {
            "sites.file": array("I", [string(site.file) for site in sites]),
            "sites.line": array("q", [site.line for site in sites]),
            "sites.function": array("I", [string(site.function) for site in sites]),
            "sites.text": array("I", [string(site.text) for site in sites]),
        }
        # half of a surrogate pair, as in a path that was no UTF-8, is no UTF-8 either, but passes this way
        texts = [text.encode("utf-8", "surrogatepass") for text in self._names.strings if text is not None]
        columns["strings.length"] = array("I", map(len, texts))
        columns["strings.text"] = array("B", b"".join(texts))
        return columns


# -- reading --------------------------------------------------------------------------------------------


def _restore(
    cls: type[T], file: BinaryIO, most_bytes: int, check: "Callable[[Mapping[str, Table[Any]], int], None]"
) -> T:
    header, columns = read(
        file, lambda header, directory: _check_header(header, directory, most_bytes), _MOST_HEADER_BYTES
    )
    if list(columns.pop(CHECK)) != [_checksum(header, columns)]:
        raise TraceError("expected a checksum that fits the data, found another: the file is damaged; save it again")
    tables = tables_of(columns)
    check(tables, header["duration_ns"])
    return cls(
        steps=tables["steps"],
        tasks=tables["tasks"],
        waits=tables["waits"],
        handoffs=tables["handoffs"],
        requests=tables["requests"],
        samples=tables["samples"],
        spans=tables["spans"],
        losses=tables["losses"],
        workers=tables["workers"],
        jobs=tables["jobs"],
        segments=tables["segments"],
        duration_ns=header["duration_ns"],
        clock=header["clock"],
        dropped=header["dropped"],
        forgotten=header["forgotten"],
        title=header["title"],
        ending=header.get("ending", ""),
    )


def _check_header(header: Mapping[str, Any], directory: Directory, most_bytes: int) -> None:
    if header.get("view") != _VIEW:
        raise TraceError(
            f"expected a recording, found a packet for the view {header.get('view')!r}: "
            "give a file that Trace.save() wrote"
        )
    if header.get("schema") != SCHEMA:
        raise TraceError(
            f"expected a recording with tables of version {SCHEMA}, found version {header.get('schema')!r}: "
            "read it with the release of playground that wrote it"
        )
    kinds = {"title": str, "duration_ns": int, "dropped": int, "forgotten": dict, "ending": str}
    for key, kind in kinds.items():
        found = header.get(key, "" if key == "ending" else None)
        if type(found) is not kind:
            raise damaged(f"a {kind.__name__} as {key!r} in the header", type(found).__name__)
    if not all(type(count) is int for count in header["forgotten"].values()):
        raise damaged("counts of what was forgotten in the header", "something else among them")
    if header.get("clock") not in _CLOCKS:
        raise damaged(f"a clock that is one of {', '.join(_CLOCKS)}", repr(header.get("clock")))
    check_columns(directory, most_bytes)
