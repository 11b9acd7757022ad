"""A recording as bytes and back: every row table as columns on the wire of `columns`.

It decides how rows become numbers: strings and sites are kept once each in the header and pointed at, `None`
has a value of its own, an outcome is its place in a list. It refuses to guess: a recording is read back exactly
as it was, or refused in words. A checksum over header and columns finds damage that would still parse.
"""

import json
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar
from zlib import crc32

from playground.errors import TraceError
from playground.trace.columns import pack, unpack
from playground.trace.rows import Request, Site
from playground.trace.tables import ROWS, SCHEMA, TABLES, WORDS

if TYPE_CHECKING:
    from playground.trace.trace import Trace

__all__ = ["dump", "restore"]

_VIEW: Final = "trace"
_CLOCKS: Final = ("real", "virtual")
_CHECK: Final = "check"

# `None` in a column of 64-bit integers: no moment that a clock can tell
_NO_INT: Final = -(1 << 63)
# `None` in a column of indexes
_NO_INDEX: Final = 0xFFFFFFFF

T = TypeVar("T", bound="Trace")


def dump(trace: "Trace") -> bytes:
    """A recording as bytes, for `restore`.

    Raises:
        TraceError: a number in a row does not fit into its column.
    """
    writer = _Writer()
    try:
        columns = _write(trace, writer)
    except OverflowError as error:
        raise TraceError(
            f"expected times of 64 bits and indexes of 32, not negative; found another number ({error}): "
            "give times in nanoseconds since the start of the run, and indexes into the trace's own tables"
        ) from None
    header = {
        "view": _VIEW,
        "schema": SCHEMA,
        "title": trace.title,
        "clock": trace.clock,
        "duration_ns": trace.duration_ns,
        "dropped": trace.dropped,
        "sites": writer.sites(),  # before the strings, to which it adds
        "strings": list(writer.strings),
    }
    return pack(header, {**columns, _CHECK: array("I", [_checksum(header, columns)])})


def restore(cls: type[T], data: bytes) -> T:
    """Read what `dump` wrote.

    Raises:
        TraceError: the data is no recording, damaged, or of a version that this release does not know.
    """
    header, columns = unpack(data)
    _check_header(header)
    check = columns.pop(_CHECK, array("I"))
    if list(check) != [_checksum(header, columns)]:
        raise TraceError("expected a checksum that fits the data, found another: the file is damaged; save it again")
    tables = _Reader(header, columns).tables()
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
        title=header["title"],
    )


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


def _write(trace: "Trace", writer: "_Writer") -> "dict[str, array[int]]":
    requests = trace.requests
    columns = {}
    for table in ("tasks", "steps", "samples", "waits", "handoffs"):
        columns.update(writer.table(table, getattr(trace, table)))
    columns.update(writer.table("messages", [message for request in requests for message in request.messages]))
    columns["made.handoff"] = array("I", [index for request in requests for index in request.handoffs])
    columns.update(writer.table("requests", requests))
    columns.update(writer.table("spans", trace.spans))
    return columns


class _Writer:
    """Turns fields into columns, and keeps each string and each site once."""

    def __init__(self) -> None:
        self.strings: dict[str, int] = {}
        self._sites: dict[Site, int] = {}

    def table(self, table: str, rows: Sequence[Any]) -> "dict[str, array[int]]":
        return {
            f"{table}.{field}": self._column(kind, [getattr(row, field) for row in rows])
            for field, kind in TABLES[table].items()
        }

    def sites(self) -> list[list[int]]:
        string = self._string
        return [[string(at.file), at.line, string(at.function), string(at.text)] for at in self._sites]

    def _column(self, kind: str, values: list[Any]) -> "array[int]":
        kind = kind.removesuffix("?")
        if kind == "int":
            if _NO_INT in values:
                raise OverflowError(f"{_NO_INT} stands for none")
            return array("q", [_NO_INT if value is None else value for value in values])
        if kind == "length":
            return array("I", [len(value) for value in values])
        if kind == "string":
            return array("I", [_NO_INDEX if value is None else self._string(value) for value in values])
        if kind == "site":
            sites = self._sites
            return array("I", [_NO_INDEX if at is None else sites.setdefault(at, len(sites)) for at in values])
        if kind in WORDS:
            place = {word: index for index, word in enumerate(WORDS[kind])}
            return array("B", [place[value] for value in values])
        return array("I", [_NO_INDEX if value is None else value for value in values])

    def _string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))


# -- reading --------------------------------------------------------------------------------------------


def _damaged(expected: str, found: object) -> TraceError:
    return TraceError(f"expected {expected}, found {found}: the file is damaged; save it again")


def _check_header(header: Mapping[str, Any]) -> None:
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
    for key, kind in {"title": str, "duration_ns": int, "dropped": int, "strings": list, "sites": list}.items():
        if type(header.get(key)) is not kind:
            raise _damaged(f"a {kind.__name__} as {key!r} in the header", type(header.get(key)).__name__)
    if header.get("clock") not in _CLOCKS:
        raise _damaged(f"a clock that is one of {', '.join(_CLOCKS)}", repr(header.get("clock")))
    if not all(type(text) is str for text in header["strings"]):
        raise _damaged("a list of strings in the header", "something else among them")


class _Reader:
    """Turns columns into rows, and checks everything that could point nowhere."""

    def __init__(self, header: Mapping[str, Any], columns: "Mapping[str, array[int]]") -> None:
        self._columns = columns
        self._strings: list[str] = header["strings"]
        self._sites = [self._site(entry) for entry in header["sites"]]
        self._check_names()
        self._lengths = {table: len(columns[f"{table}.{next(iter(TABLES[table]))}"]) for table in TABLES}

    def tables(self) -> dict[str, tuple[Any, ...]]:
        """All tables as tuples of rows, those of messages and of made hand-offs inside the requests."""
        tables = {table: tuple(map(row, *self._fields(table))) for table, row in ROWS.items()}
        if any(task.parent is not None and task.parent >= index for index, task in enumerate(tables["tasks"])):
            raise _damaged("tasks that come after their parents", "one that does not")
        if any(span.parent is not None and span.parent >= index for index, span in enumerate(tables["spans"])):
            raise _damaged("spans that come after their parents", "one that does not")
        (made,) = self._fields("made")
        *first, handoff_counts, message_counts, errors = self._fields("requests")
        handoffs = _divided(made, handoff_counts)
        messages = _divided(tables["messages"], message_counts)
        tables["requests"] = tuple(map(Request, *first, handoffs, messages, errors))
        return tables

    def _check_names(self) -> None:
        expected = [f"{table}.{field}" for table, fields in TABLES.items() for field in fields]
        if sorted(self._columns) != sorted(expected):
            raise _damaged(f"the {len(expected)} columns of a recording", f"{len(self._columns)} or other ones")

    def _site(self, entry: Any) -> Site:
        if isinstance(entry, list) and len(entry) == 4 and all(type(part) is int for part in entry):
            file, line, function, text = entry
            if all(0 <= index < len(self._strings) for index in (file, function, text)):
                return Site(self._strings[file], line, self._strings[function], self._strings[text])
        raise _damaged("sites as [file, line, function, text]", "something else")

    def _fields(self, table: str) -> list[list[Any]]:
        return [self._field(table, field, kind) for field, kind in TABLES[table].items()]

    def _field(self, table: str, field: str, kind: str) -> list[Any]:
        name = f"{table}.{field}"
        column = self._columns[name]
        optional, kind = kind.endswith("?"), kind.removesuffix("?")
        typecode = "q" if kind == "int" else "B" if kind in WORDS else "I"
        if column.typecode != typecode or len(column) != self._lengths[table]:
            raise _damaged(f"{self._lengths[table]} values {typecode} in {name}", f"{len(column)} {column.typecode}")
        if kind == "length":
            return column.tolist()
        if kind == "int":
            return _without(column.tolist(), _NO_INT, name, optional)
        if kind == "string":
            return self._looked_up(column, self._strings, name, optional)
        if kind == "site":
            return self._looked_up(column, self._sites, name, optional)
        if kind in WORDS:
            return self._looked_up(column, WORDS[kind], name, optional)
        return self._looked_up(column, range(self._lengths[kind]), name, optional)

    def _looked_up(self, column: "array[int]", table: Sequence[Any], name: str, optional: bool) -> list[Any]:
        indexes = _without(column.tolist(), _NO_INDEX, name, optional)
        greatest = max((index for index in indexes if index is not None), default=-1)
        if greatest >= len(table):
            raise _damaged(f"indexes below {len(table)} in {name}", greatest)
        return [None if index is None else table[index] for index in indexes]


def _without(values: list[int], none: int, name: str, optional: bool) -> list[Any]:
    if none not in values:
        return values
    if not optional:
        raise _damaged(f"a value in every row of {name}", "a row without one")
    return [None if value == none else value for value in values]


def _divided(items: Iterable[Any], lengths: list[int]) -> list[tuple[Any, ...]]:
    """Items divided into tuples of the given lengths, all of them used."""
    rest = list(items)
    if sum(lengths) != len(rest):
        raise _damaged(f"{sum(lengths)} parts of requests", len(rest))
    left = iter(rest)
    return [tuple(islice(left, length)) for length in lengths]
