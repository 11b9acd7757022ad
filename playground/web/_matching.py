"""The compiled matcher: which routes could answer this path, in the order in which they were declared.

It decides by looking up, not by trying. A path without parameters is found in one dictionary; one with
parameters by its shape (`_shapes`). Routes to a host are found in the same way by the name of the host. Almost
every app has fewer than ten shapes; the order among what is found is the declared order, exactly.

It refuses to know what a route is: an entry is a template, a rank (its place in the declared order) and
whatever the router wants back. Methods, scopes and redirects are the router's.

What is found is a superset in the right order; `Entry.values` then says whether the text really matches, and
with which values.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from ._reading import Values, reader
from ._shapes import Lookup, Shapes, segments_of
from ._template import Param, Piece, Template

__all__ = ["Declared", "Entry", "Matcher"]

T = TypeVar("T")

_rank = attrgetter("rank")


class Declared(NamedTuple, Generic[T]):
    """A target, and where it is found.

    Attributes:
        target: what the router wants back.
        template: the template, or `None` for a target that must be asked about everything.
        is_host: whether the template is that of a host.
    """

    target: T
    template: Template | None = None
    is_host: bool = False


class Entry(Generic[T]):
    """One template in the matcher.

    Attributes:
        rank: its place in the declared order.
        target: what the router wants back.
        values: a function of a path (for a host: of its name) and of what `Matcher.find` returned beside the
            entries (for a host: `None`), that returns the values of the parameters, or `None` if the text does
            not match after all.
    """

    __slots__ = ("rank", "target", "values")

    def __init__(self, rank: int, declared: Declared[T]) -> None:
        self.rank = rank
        self.target = declared.target
        self.values: Callable[[str, Sequence[str] | None], Values | None] = reader(declared.template)


class Matcher(Generic[T]):
    """All templates of one router, compiled.

    Args:
        declared: targets in the declared order.

    Attributes:
        find: a function of a path: the entries whose templates of paths it may match, in the declared order; and
            what their `values` want beside the path: its segments, or `None` if they must use their regular
            expressions.
        has_others: whether there are entries that are found in other ways (`with_others`).
        has_hosts: whether some of these are found by the name of the host.
    """

    def __init__(self, declared: Iterable[Declared[T]]) -> None:
        self._always: list[Entry[T]] = []
        by_path, by_host = _Index[T](), _Index[T](of_hosts=True)
        for rank, one in enumerate(declared):
            entry = Entry(rank, one)
            if one.template is None:
                self._always.append(entry)
            elif one.is_host:
                by_host.add(entry, one.template.host_pieces)
            else:
                by_path.add(entry, one.template.pieces)
        self.find = by_path.complete()
        self._find_by_host = by_host.complete()
        self.has_hosts = bool(by_host)
        self.has_others = bool(self._always) or self.has_hosts

    def with_others(self, entries: Sequence[Entry[T]], host: str) -> Sequence[Entry[T]]:
        """The entries that `find` has found, and those to be asked about everything or about this host, in order.

        Args:
            host: the name of the host in lower case; it counts only if `has_hosts`.
        """
        on_host = self._find_by_host(host)[0] if self.has_hosts else ()
        return sorted([*entries, *on_host, *self._always], key=_rank)


Found = tuple[Sequence[Entry[T]], Sequence[str] | None]


class _Index(Generic[T]):
    """Entries by what their texts look like.

    Args:
        of_hosts: whether these are names of hosts, which are looked up in lower case; paths begin with a slash.
    """

    def __init__(self, of_hosts: bool = False) -> None:
        self._of_hosts = of_hosts
        self._same: dict[str, list[Entry[T]]] = {}
        self._literal: dict[str, tuple[Sequence[Entry[T]], Sequence[str] | None]] = {}
        self._shapes = Shapes[Entry[T]]()
        self._by_length: list[list[Lookup]] = []
        self._longest = 0

    def add(self, entry: Entry[T], pieces: Sequence[Piece]) -> None:
        if self._of_hosts:
            pieces = [piece.lower() if isinstance(piece, str) else piece for piece in pieces]
        if any(isinstance(piece, Param) for piece in pieces):
            self._shapes.add(entry, segments_of(pieces))
        else:
            self._same.setdefault("".join(map(str, pieces)), []).append(entry)

    def complete(self) -> Callable[[str], Found[T]]:
        """Work out what can be worked out once, and return what finds; called after the last `add`."""
        # Past the longest template all lengths are alike: only parameters that span segments can match.
        self._longest = self._shapes.longest + 1
        self._by_length = [self._shapes.of_length(length) for length in range(self._longest + 1)]
        # What answers a literal path: its own entries, and each pattern that covers it, in order.
        self._literal = {
            text: (sorted([*same, *self._in_shapes(segments := text.split("/"))], key=_rank), segments)
            for text, same in self._same.items()
        }
        return self._find

    def __bool__(self) -> bool:
        return bool(self._same) or self._longest > 1

    def _find(self, text: str) -> Found[T]:
        known = self._literal.get(text)
        if known is not None:
            return known
        if text[-1:] == "\n":
            return self._find_before_line_feed(text), None
        segments = text.split("/")
        if segments[0] and not self._of_hosts:
            return (), segments
        return self._in_shapes(segments), segments

    def _in_shapes(self, segments: Sequence[str]) -> Sequence[Entry[T]]:
        length = len(segments)
        hits: Sequence[Entry[T]] = ()
        for get, key in self._by_length[length if length < self._longest else self._longest]:
            more = get(key(segments))
            if more is not None:
                hits = sorted([*hits, *more], key=_rank) if hits else more
        return hits

    def _find_before_line_feed(self, text: str) -> Sequence[Entry[T]]:
        """`$` in a regular expression matches before a last line feed too, so look there as well."""
        bare = text[:-1]
        entries = [
            *self._literal.get(bare, ((), ()))[0],
            *self._in_shapes(bare.split("/")),
            *self._in_shapes(text.split("/")),
        ]
        return sorted({entry.rank: entry for entry in entries}.values(), key=_rank)
