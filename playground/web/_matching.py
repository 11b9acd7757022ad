"""The compiled matcher: which routes could answer this path, in the order in which they were declared.

It decides by looking up, not by trying. A path without parameters is found in one dictionary. A path with
parameters is sorted by its *shape*: which of its segments are literal, which are parameters, which are
both. All routes of one shape lie in one dictionary under their literal segments, so a lookup costs one
dictionary access for each shape that the app uses, however many routes there are. Almost every app has
fewer than ten shapes; the order among what is found is the declared order, exactly.

It refuses to know what a route is: an entry is a template, a rank (its place in the declared order) and
whatever the router wants back. Methods, scopes and redirects are the router's.

What a shape's lookup promises is a superset in the right order; `Entry.values` then says whether the path
really matches, and with which values.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from operator import attrgetter, itemgetter
from typing import Any, Final, Generic, TypeVar

from ._template import Param, Piece, Template
from .convertors import Convertor, PathConvertor, StringConvertor

__all__ = ["Entry", "Matcher"]

T = TypeVar("T")

# A regex made of these alone cannot match a slash: plain characters, classes of letters, digits and
# harmless signs, the escapes \d \w \. \-, and repetition. Any other regex is taken to span segments.
_SLASH_FREE: Final = re.compile(
    r"(?:\[\^/\]|\[-?(?:[A-Za-z]-[A-Za-z]|[0-9]-[0-9]|\\[dw.\-]|[A-Za-z0-9_.:,+@~])*-?\]"
    r"|\\[dw.\-]|[A-Za-z0-9_:,@~-]|[*+?()|]|\{[0-9,]+\})*"
)

Segment = tuple[Piece, ...]
Key = Any
Values = dict[str, Any]

# How one segment takes part in a key: whole (`None`), or the lengths of its literal start and end;
# (0, 0) takes no part.
_Selector = tuple[int, int] | None

_rank = attrgetter("rank")


class Entry(Generic[T]):
    """One template in the matcher.

    Attributes:
        rank: its place in the declared order.
        target: what the router wants back.
        template: the template, or `None` for a target that must be asked about every path.
    """

    __slots__ = ("_rest", "_simple", "_wholes", "rank", "target", "template")

    def __init__(self, rank: int, target: T, template: Template | None) -> None:
        self.rank = rank
        self.target = target
        self.template = template
        self._wholes: list[tuple[int, str, Any, Any]] = []
        self._rest: tuple[int, str] | None = None
        self._simple = template is not None and self._take_apart(_segments(template))

    def values(self, path: str, segments: Sequence[str] | None) -> Values | None:
        """The values of the parameters in `path`, or `None` if it does not match.

        Args:
            path: the path.
            segments: what `Matcher.find` returned for it.
        """
        if not self._simple or segments is None:
            return self._values_by_regex(path)
        values: Values = {}
        for position, name, looks_right, convert in self._wholes:
            text = segments[position]
            if not (looks_right(text) if looks_right is not None else text):
                return None
            values[name] = convert(text) if convert is not None else text
        if self._rest is not None:
            position, name = self._rest
            rest = "/".join(segments[position:])
            if "\n" in rest:  # the regex of a path, `.*`, stops at a line feed
                return None
            values[name] = rest
        return values

    def _values_by_regex(self, path: str) -> Values | None:
        """The same, by the template's own regular expression: slower, and right for every template."""
        template = self.template
        if template is None or (found := template.regex.match(path)) is None:
            return None
        texts = found.groupdict()
        return {name: convertor.convert(texts[name]) for name, convertor in template.convertors.items()}

    def _take_apart(self, segments: list[Segment]) -> bool:
        """Note where the values lie; say whether that is all there is to matching."""
        for position, segment in enumerate(segments):
            if all(isinstance(piece, str) for piece in segment):
                continue
            piece = segment[0]
            if len(segment) > 1 or isinstance(piece, str):
                return False
            if not _spans(piece):
                self._wholes.append((position, piece.name, _check(piece.convertor), _convert(piece.convertor)))
            elif type(piece.convertor) is PathConvertor and position == len(segments) - 1:
                self._rest = position, piece.name
            else:
                return False
        return True


class Matcher(Generic[T]):
    """All templates of one router, compiled.

    Args:
        declared: targets in the declared order, each with its template; a target without one (`None`)
            is returned for every path, in its place.
    """

    def __init__(self, declared: Iterable[tuple[T, Template | None]]) -> None:
        self._always: list[Entry[T]] = []
        self._shapes = _Shapes[T]()
        literal: dict[str, list[Entry[T]]] = {}
        for rank, (target, template) in enumerate(declared):
            entry = Entry(rank, target, template)
            if template is None:
                self._always.append(entry)
            elif any(isinstance(piece, Param) for piece in template.pieces):
                self._shapes.add(entry, _segments(template))
            else:
                literal.setdefault(template.text, []).append(entry)
        self._literal = {path: self._covering(path, same) for path, same in literal.items()}

    def find(self, path: str) -> tuple[Sequence[Entry[T]], Sequence[str] | None]:
        """The entries that may match, in the declared order.

        Returns:
            The entries, and what their `values` wants beside the path: its segments, or `None` if they
            must use their regular expressions.
        """
        known = self._literal.get(path)
        if known is not None:
            entries, segments = known
        elif path.endswith("\n"):
            entries, segments = self._find_before_line_feed(path), None
        else:
            segments = path.split("/")
            # Templates begin with a slash, so a path that does not has nothing here to match.
            entries = () if segments[0] else self._shapes.find(segments)
        if self._always:
            return sorted([*entries, *self._always], key=_rank), segments
        return entries, segments

    def _covering(self, path: str, same: list[Entry[T]]) -> tuple[Sequence[Entry[T]], Sequence[str]]:
        """What answers a literal path: its own entries, and each pattern that covers it, in order."""
        segments = path.split("/")
        return sorted([*same, *self._shapes.find(segments)], key=_rank), segments

    def _find_before_line_feed(self, path: str) -> Sequence[Entry[T]]:
        """`$` in a regular expression matches before a last line feed too, so look there as well."""
        bare = path[:-1]
        entries = [
            *self._literal.get(bare, ((), ()))[0],
            *self._shapes.find(bare.split("/")),
            *self._shapes.find(path.split("/")),
        ]
        return sorted({entry.rank: entry for entry in entries}.values(), key=_rank)


class _Shapes(Generic[T]):
    """The templates that have parameters, by shape."""

    def __init__(self) -> None:
        self._by_signature: dict[tuple[tuple[_Selector, ...], bool], _Shape[T]] = {}
        self._by_length: dict[int, list[_Shape[T]]] = {}
        self._longest = 0

    def add(self, entry: Entry[T], segments: list[Segment]) -> None:
        fixed = list(takewhile(lambda segment: not _has_span(segment), segments))
        signature = tuple(_selector(segment) for segment in fixed), len(fixed) < len(segments)
        shape = self._by_signature.get(signature)
        if shape is None:
            shape = self._by_signature[signature] = _Shape(*signature)
            self._longest = max(self._longest, len(segments))
            self._by_length.clear()
        shape.add([_edges(segment) for segment in fixed], entry)

    def find(self, segments: Sequence[str]) -> Sequence[Entry[T]]:
        # Past the longest template all lengths are alike: only tails can match.
        length = min(len(segments), self._longest + 1)
        shapes = self._by_length.get(length)
        if shapes is None:
            shapes = [shape for shape in self._by_signature.values() if shape.fits(length)]
            self._by_length[length] = shapes
        hits = [hit for shape in shapes if (hit := shape.buckets.get(shape.key(segments))) is not None]
        if len(hits) == 1:
            return hits[0]
        return sorted([entry for hit in hits for entry in hit], key=_rank)


class _Shape(Generic[T]):
    """Templates alike in which segments are literal, in whole or at their edges."""

    __slots__ = ("_length", "_tail", "buckets", "key")

    def __init__(self, selectors: tuple[_Selector, ...], tail: bool) -> None:
        self._length = len(selectors)
        self._tail = tail
        self.buckets: dict[Key, list[Entry[T]]] = {}
        self.key = _key_function(selectors)

    def fits(self, length: int) -> bool:
        """Whether a path of so many segments can have this shape; a tail takes one or more."""
        return length > self._length if self._tail else length == self._length

    def add(self, texts: Sequence[str], entry: Entry[T]) -> None:
        self.buckets.setdefault(self.key(texts), []).append(entry)


def _selector(segment: Segment) -> _Selector:
    if all(isinstance(piece, str) for piece in segment):
        return None
    first, last = segment[0], segment[-1]
    return len(first) if isinstance(first, str) else 0, len(last) if isinstance(last, str) else 0


def _edges(segment: Segment) -> str:
    """The literal start and end of a segment: a text with the same part in a key."""
    outer = segment[:1] + segment[-1:] if len(segment) > 1 else segment
    return "".join(piece for piece in outer if isinstance(piece, str))


def _key_function(selectors: tuple[_Selector, ...]) -> Callable[[Sequence[str]], Key]:
    whole = [position for position, selector in enumerate(selectors) if selector is None]
    edges = [
        (position, start, end)
        for position, selector in enumerate(selectors)
        if selector is not None
        for start, end in [selector]
        if start or end
    ]
    # The first segment of a path is always empty: it need not be looked at if there is another.
    if len(whole) > 1 and whole[0] == 0:
        whole = whole[1:]
    pick: Callable[[Sequence[str]], Key] = itemgetter(*whole) if whole else lambda segments: ()
    if not edges:
        return pick

    def key(segments: Sequence[str]) -> Key:
        parts = [
            (segments[position][:start], segments[position][-end:] if end else "") for position, start, end in edges
        ]
        return pick(segments), tuple(parts)

    return key


def _segments(template: Template) -> list[Segment]:
    """A template's pieces, parted at the slashes of its literals."""
    segments: list[list[Piece]] = [[]]
    for piece in template.pieces:
        if isinstance(piece, Param):
            segments[-1].append(piece)
            continue
        first, *more = piece.split("/")
        if first:
            segments[-1].append(first)
        segments.extend([part] if part else [] for part in more)
    return [tuple(segment) for segment in segments]


def _spans(param: Param) -> bool:
    return _SLASH_FREE.fullmatch(param.convertor.regex) is None


def _has_span(segment: Segment) -> bool:
    return any(isinstance(piece, Param) and _spans(piece) for piece in segment)


def _check(convertor: Convertor[Any]) -> Callable[[str], object] | None:
    """What says whether a segment looks right; `None` where any text but the empty one does."""
    return None if convertor.regex == StringConvertor.regex else re.compile(convertor.regex).fullmatch


def _convert(convertor: Convertor[Any]) -> Callable[[str], Any] | None:
    """What turns the text into a value; `None` where it stays as it is."""
    return None if type(convertor) is StringConvertor else convertor.convert
