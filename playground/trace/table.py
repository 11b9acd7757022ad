"""Tables: rows that are made when somebody asks for them, from columns of numbers.

A run of ten million steps fits into memory as columns and not as objects. A `Table` is a sequence of the same frozen
rows as ever; it keeps a column of numbers for each of their fields and makes a row for whoever indexes or iterates.
Which fields there are, and what kind each is, is said in `tables`. A pointer in a column is one more than the index,
and 0 is none; so a column of pointers can be what the recorder wrote. It knows nothing of recordings or files.
"""

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import eq
from typing import Any, Final, Generic, TypeVar, overload

from playground.trace.placed import Origin, Place, put
from playground.trace.rows import Site
from playground.trace.tables import NO_INT, ROWS, TABLES, WORDS, kind_of
from playground.trace.texts import cut

__all__ = ["Names", "Table", "column", "numbers"]

R = TypeVar("R")

_REMEMBERED: Final = 100_000
"""Tables of up to this many rows keep a row once it was made, for views ask several times: 20 MB at the most."""
_SHOWN: Final = 3
"""Rows that a table's `repr` shows: enough to see what they are."""


class Names:
    """Strings and sites, each held once, and pointed at by columns: the first of each is `None`.

    Args:
        longest: how many characters of a string are kept.
    """

    def __init__(self, longest: int = sys.maxsize) -> None:
        self._longest = longest
        self.strings: list[str | None] = [None]
        self.sites: list[Site | None] = [None]
        self._strings: dict[str | None, int] = {None: 0}
        self._sites: dict[Site | None, int] = {None: 0}

    def string(self, text: str | None) -> int:
        """The pointer to a string; 0 for `None`."""
        if text is not None and (len(text) > self._longest or type(text) is not str):
            text = cut(text, self._longest)
        pointer = self._strings.setdefault(text, len(self.strings))
        if pointer == len(self.strings):
            self.strings.append(text)
        return pointer

    def site(self, site: Site | None) -> int:
        """The pointer to a site; 0 for `None`."""
        pointer = self._sites.setdefault(site, len(self.sites))
        if pointer == len(self.sites):
            self.sites.append(site)
            for text in (site.file, site.function, site.text) if site else ():
                self.string(text)
        return pointer

    @classmethod
    def of(cls, strings: Sequence[str], sites: Sequence[Site]) -> "Names":
        """These strings and sites, in this order."""
        names = cls()
        names.strings += strings
        names.sites += sites
        names._strings = {text: pointer for pointer, text in enumerate(names.strings)}
        names._sites = {site: pointer for pointer, site in enumerate(names.sites)}
        return names


class Table(Sequence[R], Generic[R]):
    """A table's rows, or a slice of them.

    Args:
        name: which table of `tables.TABLES`.
        columns: its columns, by field.
        names: what the pointers to strings and sites point into.
        parts: for requests, the tables of messages and of made hand-offs that theirs are taken from.

    Attributes:
        whole: whether these are all rows of the columns, and not a slice.
    """

    def __init__(
        self,
        name: str,
        columns: "Mapping[str, array[int]]",
        names: Names,
        parts: "Mapping[str, Table[Any]] | None" = None,
    ) -> None:
        self.name = name
        self.columns = columns
        self.names = names
        self.parts = parts or {}
        self._at = range(len(next(iter(columns.values()))))
        self._readers: tuple[Callable[[int], Any], ...] | None = None
        # rows that have parts are costly to make, and few
        self._keeps = bool(self.parts) or len(self._at) <= _REMEMBERED
        self._made: list[R | None] = []  # by place in the columns; empty until a row is kept
        self._all_made = False
        self._placed: tuple[Origin, range] | None = None  # of which trace the rows are, and which rows that has

    @property
    def whole(self) -> bool:
        return self._at == range(len(next(iter(self.columns.values()))))

    def __len__(self) -> int:
        return len(self._at)

    @overload
    def __getitem__(self, index: int) -> R: ...

    @overload
    def __getitem__(self, index: slice) -> "Table[R]": ...

    def __getitem__(self, index: int | slice) -> "R | Table[R]":
        if isinstance(index, slice):
            part: Table[R] = Table(self.name, self.columns, self.names, self.parts)
            part._at = self._at[index]
            part._keeps = self._keeps
            part._made = self._kept()
            part._placed = self._placed
            return part
        try:
            at = self._at[index]
        except IndexError:
            raise IndexError(f"expected the index of one of {len(self):,} {self.name}, got {index}") from None
        return self._row(at)

    def __iter__(self) -> Iterator[R]:
        if self.parts or not self.whole:
            return map(self._row, self._at)
        if self._all_made:
            return iter(self._made)  # type: ignore[arg-type]
        rows: Iterator[R] = map(ROWS[self.name], *(self._values(field) for field in TABLES[self.name]))
        if not self._keeps:
            return rows
        made = self._kept()
        made[:] = [new if old is None else old for old, new in zip(made, rows, strict=True)]
        self._all_made = True
        return iter(made)  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table | tuple | list):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, islice(self, _SHOWN)))
        more = f", and {len(self) - _SHOWN:,} more" if len(self) > _SHOWN else ""
        return f"[{shown}{more}]"

    def placed(self, origin: Origin) -> "Table[R]":
        """The same rows, which know that they are of that trace."""
        rows: Table[R] = Table(self.name, self.columns, self.names, self.parts)
        rows._at = self._at
        rows._placed = origin, self._at
        return rows

    def __getstate__(self) -> dict[str, Any]:
        """Without what can be made again, or is told by whoever holds it."""
        return {**vars(self), "_readers": None, "_made": [], "_all_made": False, "_placed": None}

    def _kept(self) -> list[R | None]:
        """Where rows are kept that were made."""
        if self._keeps and not self._made:
            self._made = [None] * len(next(iter(self.columns.values())))
        return self._made

    def _row(self, at: int) -> R:
        kept = self._made or self._kept()
        if kept and (made := kept[at]) is not None:
            return made
        if self._readers is None:
            self._readers = tuple(map(self._reader, TABLES[self.name]))
        row: R = ROWS[self.name](*[read(at) for read in self._readers])
        if self._placed is not None:
            origin, places = self._placed
            put(row, Place(origin, places.index(at)))
        if kept:
            kept[at] = row
        return row

    def _looked_up(self, kind: str) -> Sequence[Any] | None:
        """What the numbers of a column of this kind are places in; `None` if they are not."""
        if kind in WORDS:
            return WORDS[kind]
        return self.names.strings if kind == "string" else self.names.sites if kind == "site" else None

    def _reader(self, field: str) -> Callable[[int], Any]:
        """What gives a field of the row at a place."""
        column = self.columns.get(field, _NOTHING)
        kind, optional = kind_of(TABLES[self.name][field])
        if (values := self._looked_up(kind)) is not None:
            return lambda at: values[column[at]]
        if kind == "int":
            return (lambda at: None if column[at] == NO_INT else column[at]) if optional else column.__getitem__
        if kind in self.parts:
            part, start, end = self.parts[kind], self.columns[f"{field}_from"], self.columns[f"{field}_until"]
            return lambda at: tuple(map(part._row, range(start[at], end[at])))
        return lambda at: column[at] - 1 if column[at] else None

    def _values(self, field: str) -> Iterable[Any]:
        """A field of all rows."""
        column = self.columns[field]
        kind, optional = kind_of(TABLES[self.name][field])
        if (values := self._looked_up(kind)) is not None:
            return map(values.__getitem__, column)
        if kind == "int":
            return (None if value == NO_INT else value for value in column) if optional else column
        return (value - 1 if value else None for value in column)


_NOTHING: Final = array("I")


def column(rows: Sequence[Any], table: str, field: str) -> Sequence[int]:
    """A field of all rows as the numbers that stand for it in a column, whether there is a column or only rows.

    Only for fields that are numbers, words or pointers to rows.
    """
    if isinstance(rows, Table) and rows.whole:
        return rows.columns[field]
    return numbers(kind_of(TABLES[table][field])[0], [getattr(row, field) for row in rows])


def numbers(kind: str, values: Iterable[Any]) -> list[int]:
    """The numbers that stand for values, which are no strings, sites or parts."""
    if kind in WORDS:
        place = {word: index for index, word in enumerate(WORDS[kind])}
        return [place[value] for value in values]
    if kind == "int":
        return [NO_INT if value is None else value for value in values]
    return [0 if value is None else value + 1 for value in values]
