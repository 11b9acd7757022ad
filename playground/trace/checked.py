"""From a file's columns to tables: checked for everything that could point nowhere, or take too much memory.

A file may have been made by anyone. So what its columns promise is weighed before any is read, and what they hold is
looked at before a row is made; a column that passes can be trusted by whoever makes rows. It knows no files.
"""

from array import array
from collections.abc import Iterator
from operator import ge, le
from typing import Any, Final

from playground.errors import TraceError
from playground.trace.columns import Directory
from playground.trace.rows import Site
from playground.trace.table import Names, Table
from playground.trace.tables import NO_INT, PARTS, TABLES, WORDS, columns_of, kind_of
from playground.trace.texts import LONGEST, cut

__all__ = ["CHECK", "check_columns", "damaged", "tables_of"]

CHECK: Final = "check"
"""The column that holds the checksum."""

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
    CHECK: "I",
}

Columns = dict[str, "array[int]"]


def damaged(expected: str, found: object) -> TraceError:
    """What to say of a file that cannot be right."""
    return TraceError(f"expected {expected}, found {found}: the file is damaged; save it again")


def check_columns(directory: Directory, most_bytes: int) -> None:
    """Refuse columns that are not a recording's, or would take more than `most_bytes` of memory.

    Raises:
        TraceError: they are so.
    """
    if {name: code for name, (code, _) in directory.items()} != _EXPECTED:
        raise damaged(f"the {len(_EXPECTED)} columns of a recording", f"{len(directory)} or other ones")
    for table in TABLES:
        lengths = {directory[f"{table}.{field}"][1] for field in columns_of(table)}
        if len(lengths) > 1:
            raise damaged(f"columns of one length in {table}", f"lengths from {min(lengths)} to {max(lengths)}")
    if len({directory[name][1] for name in _NAMES if name.startswith("sites")}) > 1:
        raise damaged("columns of one length in sites", "several")
    needed = sum(array(code).itemsize * length for code, length in directory.values())
    needed += _STRING_BYTES * directory["strings.length"][1] + _SITE_BYTES * directory["sites.line"][1]
    if needed > most_bytes:
        raise TraceError(
            f"expected a recording that takes at most {most_bytes:,} bytes of memory, found one that takes {needed:,}: "
            "if you trust the file, load it with a larger most_bytes"
        )


def tables_of(columns: Columns) -> "dict[str, Table[Any]]":
    """All tables, those of messages and of made hand-offs as parts of the requests.

    Raises:
        TraceError: a column points nowhere.
    """
    return _Reader(columns).tables()


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
                raise damaged(f"{table} that come after their parents", "one that does not")
        tables: dict[str, Table[Any]] = {}
        for table in (*PARTS, *(table for table in TABLES if table not in PARTS)):
            columns = {field: self._columns[f"{table}.{field}"] for field in columns_of(table)}
            parts = {part: tables[part] for part in PARTS} if table == "requests" else None
            tables[table] = Table(table, columns, self._names, parts)
        return tables

    def _strings(self) -> list[str]:
        lengths, text = self._columns["strings.length"], self._columns["strings.text"].tobytes()
        if sum(lengths) != len(text):
            raise damaged(f"{sum(lengths)} bytes of strings", len(text))
        strings = []
        at = 0
        try:
            for length in lengths:
                strings.append(text[at : at + length].decode("utf-8", "surrogatepass"))
                at += length
        except UnicodeDecodeError as error:
            raise damaged("strings in UTF-8", error) from None
        if len(set(strings)) != len(strings):
            raise damaged("each string once", "one twice")
        return _shortened(strings)

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
                raise damaged(f"a value in every row of {name}", "a row without one")
        elif kind in WORDS:
            self._check_below(self._columns[name], name, len(WORDS[kind]))
        else:
            self._check_pointers(self._columns[name], name, kind, optional)

    def _check_pointers(self, column: "array[int]", name: str, kind: str, optional: bool) -> None:
        if not optional and 0 in column:
            raise damaged(f"a value in every row of {name}", "a row without one")
        greatest = max(column, default=0)
        if greatest > self._lengths[kind]:
            raise damaged(f"indexes below {self._lengths[kind]} in {name}", greatest - 1)

    def _check_below(self, column: "array[int]", name: str, limit: int) -> None:
        if max(column, default=0) >= limit:
            raise damaged(f"indexes below {limit} in {name}", max(column))

    def _check_parts(self, name: str, part: str) -> None:
        """Each row has its own stretch of the parts: many that had all would be a bomb."""
        starts, ends = self._columns[f"{name}_from"], self._columns[f"{name}_until"]
        used = sum(ends) - sum(starts)
        if not all(map(le, starts, ends)) or max(ends, default=0) > self._lengths[part] or used > self._lengths[part]:
            raise damaged(f"stretches of {self._lengths[part]} rows in {name}", "others")


def _shortened(strings: list[str]) -> list[str]:
    """Texts no longer than a recording keeps, and still each once: files that were saved before it did hold more."""
    there = set(strings)
    longest = LONGEST
    for index, text in enumerate(strings):
        if len(text) > LONGEST:
            while (short := cut(text, longest)) in there and longest > 1:
                longest -= 1
            if short in there:
                raise damaged(f"texts that differ within {LONGEST:,} characters", f"more than {LONGEST:,} that do not")
            there.add(short)
            strings[index] = short
    return strings
