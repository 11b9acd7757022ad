"""A recording as a file and back: the columns of every table on the wire of `columns`, strings and sites beside them.

It decides how strings and sites become columns too, and how rows do that are not columns already. It refuses to
guess: a recording is read back exactly as it was, or refused in words, before it takes more memory than it may. A
checksum over header and columns finds damage that would still parse; what could point nowhere is looked at all the
same, since a file may have been made by anyone.
"""

import json
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import accumulate
from operator import ge, le
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar
from zlib import crc32

from playground.errors import TraceError
from playground.trace.columns import Directory, read, stream
from playground.trace.rows import Site
from playground.trace.table import Names, Table, numbers
from playground.trace.tables import NO_INT, PARTS, SCHEMA, TABLES, WORDS, columns_of, kind_of

if TYPE_CHECKING:
    from playground.trace.trace import Trace

__all__ = ["MOST_BYTES", "dump", "load", "restore", "save"]

MOST_BYTES: Final = 1 << 30
"""Memory that a recording may take when it is loaded, unless more is allowed: 2e7 steps, a tenth of which wait."""

_VIEW: Final = "trace"
_CLOCKS: Final = ("real", "virtual")
_CHECK: Final = "check"

# Of a title, five numbers and a list of columns, in JSON.
_MOST_HEADER_BYTES: Final = 1 << 20

# What each takes in memory besides its columns: an object, and places in a list and a dictionary (sys.getsizeof).
_STRING_BYTES: Final = 180
_SITE_BYTES: Final = 250

_NAMES: Final = {
    "strings.length": "I",
    "strings.text": "B",
    "sites.file": "I",
    "sites.line": "q",
    "sites.function": "I",
    "sites.text": "I",
}
_EXPECTED: Final = {
    **{f"{table}.{field}": code for table in TABLES for field, code in columns_of(table).items()},
    **_NAMES,
    _CHECK: "I",
}

# zlib's level: of a run of 1e6 steps, 6 takes five times as long as 2 and saves a tenth of the bytes
_LEVEL: Final = 2

T = TypeVar("T", bound="Trace")
Columns = dict[str, "array[int]"]


def save(trace: "Trace", path: str | Path) -> None:
    """Write a recording to a file.

    Raises:
        TraceError: a number in a row does not fit into its column; then the file is not touched.
    """
    pieces = _pieces(trace)
    with open(path, "wb") as file:
        file.writelines(pieces)


def dump(trace: "Trace") -> bytes:
    """A recording as bytes, for `restore`; raises as `save`."""
    return b"".join(_pieces(trace))


def load(cls: type[T], path: str | Path, most_bytes: int = MOST_BYTES) -> T:
    """Read what `save` wrote, in no more memory than `most_bytes`.

    Raises:
        TraceError: it is no recording, damaged, too large, or of a version that this release does not know.
    """
    with open(path, "rb") as file:
        return _restore(cls, file, most_bytes)


def restore(cls: type[T], data: bytes, most_bytes: int = MOST_BYTES) -> T:
    """Read what `dump` wrote; raises as `load`."""
    return _restore(cls, BytesIO(data), most_bytes)


def _checksum(header: Mapping[str, Any], columns: "Mapping[str, array[int]]") -> int:
    try:
        check = crc32(json.dumps(header, sort_keys=True).encode())
    except RecursionError:
        raise _damaged("a flat header", "one nested too deeply") from None
    for name, column in columns.items():
        check = crc32(f"{name} {column.typecode} {len(column)}".encode(), check)
        check = crc32(_little_endian(column), check)
    return check


def _little_endian(column: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
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
    }
    try:
        columns = _Writer(trace).columns()
    except OverflowError as error:
        raise TraceError(
            f"expected times of 64 bits and indexes of 32, not negative; found another number ({error}): "
            "give times in nanoseconds since the start of the run, and indexes into the trace's own tables"
        ) from None
    return stream(header, {**columns, _CHECK: array("I", [_checksum(header, columns)])}, _LEVEL)


class _Writer:
    """Gathers the columns of a trace: those that are there as they are, those of rows made for the purpose."""

    def __init__(self, trace: "Trace") -> None:
        self._rows: dict[str, Sequence[Any]] = {table: getattr(trace, table) for table in TABLES if table not in PARTS}
        kinds = {rows.names if isinstance(rows, Table) and rows.whole else None for rows in self._rows.values()}
        shared = kinds.pop()
        self._names = Names() if kinds or shared is None else shared

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


def _restore(cls: type[T], file: BinaryIO, most_bytes: int) -> T:
    header, columns = read(
        file, lambda header, directory: _check_header(header, directory, most_bytes), _MOST_HEADER_BYTES
    )
    if list(columns.pop(_CHECK)) != [_checksum(header, columns)]:
        raise TraceError("expected a checksum that fits the data, found another: the file is damaged; save it again")
    tables = _Reader(columns).tables()
    return cls(
        steps=tables["steps"],
        tasks=tables["tasks"],
        waits=tables["waits"],
        handoffs=tables["handoffs"],
        requests=tables["requests"],
        samples=tables["samples"],
        spans=tables["spans"],
        duration_ns=header["duration_ns"],
        clock=header["clock"],
        dropped=header["dropped"],
        forgotten=header["forgotten"],
        title=header["title"],
    )


def _damaged(expected: str, found: object) -> TraceError:
    return TraceError(f"expected {expected}, found {found}: the file is damaged; save it again")


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
    for key, kind in {"title": str, "duration_ns": int, "dropped": int, "forgotten": dict}.items():
        if type(header.get(key)) is not kind:
            raise _damaged(f"a {kind.__name__} as {key!r} in the header", type(header.get(key)).__name__)
    if not all(type(count) is int for count in header["forgotten"].values()):
        raise _damaged("counts of what was forgotten in the header", "something else among them")
    if header.get("clock") not in _CLOCKS:
        raise _damaged(f"a clock that is one of {', '.join(_CLOCKS)}", repr(header.get("clock")))
    _check_columns(directory, most_bytes)


def _check_columns(directory: Directory, most_bytes: int) -> None:
    if {name: code for name, (code, _) in directory.items()} != _EXPECTED:
        raise _damaged(f"the {len(_EXPECTED)} columns of a recording", f"{len(directory)} or other ones")
    for table in TABLES:
        lengths = {directory[f"{table}.{field}"][1] for field in columns_of(table)}
        if len(lengths) > 1:
            raise _damaged(f"columns of one length in {table}", f"lengths from {min(lengths)} to {max(lengths)}")
    if len({directory[name][1] for name in _NAMES if name.startswith("sites")}) > 1:
        raise _damaged("columns of one length in sites", "several")
    needed = sum(array(code).itemsize * length for code, length in directory.values())
    needed += _STRING_BYTES * directory["strings.length"][1] + _SITE_BYTES * directory["sites.line"][1]
    if needed > most_bytes:
        raise TraceError(
            f"expected a recording that takes at most {most_bytes:,} bytes of memory, found one that takes {needed:,}: "
            "if you trust the file, load it with a larger most_bytes"
        )


class _Reader:
    """Makes tables of columns, and checks everything that could point nowhere."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._lengths = {table: len(columns[f"{table}.{next(iter(columns_of(table)))}"]) for table in TABLES}
        strings = self._strings()
        self._lengths |= {"string": len(strings), "site": len(columns["sites.line"])}
        self._names = Names.of(strings, list(self._sites(strings)))

    def tables(self) -> "dict[str, Table[Any]]":
        """All tables, those of messages and of made hand-offs as parts of the requests."""
        for table in TABLES:
            for field, written in TABLES[table].items():
                self._check(table, field, written)
        for table in ("tasks", "spans"):
            parents = self._columns[f"{table}.parent"]
            if any(map(ge, parents, range(1, len(parents) + 1))):
                raise _damaged(f"{table} that come after their parents", "one that does not")
        tables: dict[str, Table[Any]] = {}
        for table in (*PARTS, *(table for table in TABLES if table not in PARTS)):
            columns = {field: self._columns[f"{table}.{field}"] for field in columns_of(table)}
            parts = {part: tables[part] for part in PARTS} if table == "requests" else None
            tables[table] = Table(table, columns, self._names, parts)
        return tables

    def _strings(self) -> list[str]:
        lengths, text = self._columns["strings.length"], self._columns["strings.text"].tobytes()
        if sum(lengths) != len(text):
            raise _damaged(f"{sum(lengths)} bytes of strings", len(text))
        strings = []
        at = 0
        try:
            for length in lengths:
                strings.append(text[at : at + length].decode("utf-8", "surrogatepass"))
                at += length
        except UnicodeDecodeError as error:
            raise _damaged("strings in UTF-8", error) from None
        if len(set(strings)) != len(strings):
            raise _damaged("each string once", "one twice")
        return strings

    def _sites(self, strings: list[str]) -> Iterator[Site]:
        columns = [self._columns[f"sites.{part}"] for part in ("file", "function", "text")]
        for column, part in zip(columns, ("file", "function", "text"), strict=True):
            self._check_pointers(column, f"sites.{part}", "string", optional=False)
        for file, line, function, text in zip(columns[0], self._columns["sites.line"], *columns[1:], strict=True):
            yield Site(strings[file - 1], line, strings[function - 1], strings[text - 1])

    def _check(self, table: str, field: str, written: str) -> None:
        name = f"{table}.{field}"
        kind, optional = kind_of(written)
        if written.endswith("[]"):
            self._check_parts(name, kind)
        elif kind == "int":
            if not optional and NO_INT in self._columns[name]:
                raise _damaged(f"a value in every row of {name}", "a row without one")
        elif kind in WORDS:
            self._check_below(self._columns[name], name, len(WORDS[kind]))
        else:
            self._check_pointers(self._columns[name], name, kind, optional)

    def _check_pointers(self, column: "array[int]", name: str, kind: str, optional: bool) -> None:
        if not optional and 0 in column:
            raise _damaged(f"a value in every row of {name}", "a row without one")
        greatest = max(column, default=0)
        if greatest > self._lengths[kind]:
            raise _damaged(f"indexes below {self._lengths[kind]} in {name}", greatest - 1)

    def _check_below(self, column: "array[int]", name: str, limit: int) -> None:
        if max(column, default=0) >= limit:
            raise _damaged(f"indexes below {limit} in {name}", max(column))

    def _check_parts(self, name: str, part: str) -> None:
        """Each row has its own stretch of the parts: many that had all would be a bomb."""
        starts, ends = self._columns[f"{name}_from"], self._columns[f"{name}_until"]
        used = sum(ends) - sum(starts)
        if not all(map(le, starts, ends)) or max(ends, default=0) > self._lengths[part] or used > self._lengths[part]:
            raise _damaged(f"stretches of {self._lengths[part]} rows in {name}", "others")
