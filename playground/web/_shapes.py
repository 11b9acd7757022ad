"""Templates that have parameters, sorted by their shape: which of their segments are literal, and where.

All templates of one shape lie in one dictionary under their literal parts, so finding those that may match
costs one look-up for each shape that the app uses, however many templates there are. A shape looks from both
ends: a parameter that spans segments (`{rest:path}`) parts a template into a head, whose segments are
counted from the start, and a tail, whose segments are counted from the end.

What it finds is a superset of what matches, in no order; whether a text matches is asked elsewhere.
"""

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar

from ._template import Param, Piece

__all__ = ["Lookup", "Segment", "Shapes", "segments_of", "spans"]

T = TypeVar("T")

# A regex made of these alone cannot match a slash: plain characters, classes of letters, digits and
# harmless signs, the escapes \d \w \. \-, and repetition. Any other regex is taken to span segments.
_SLASH_FREE: Final = re.compile(
    r"(?:\[\^/\]|\[-?(?:[A-Za-z]-[A-Za-z]|[0-9]-[0-9]|\\[dw.\-]|[A-Za-z0-9_.:,+@~])*-?\]"
    r"|\\[dw.\-]|[A-Za-z0-9_:,@~-]|[*+?()|]|\{[0-9,]+\})*"
)

Segment = tuple[Piece, ...]
Key = Any
Lookup = tuple[Callable[[Key], "list[Any] | None"], Callable[[Sequence[str]], Key]]

# How a segment takes part in a key: its place, counted from the end if negative, and how much of it: all
# (`None`), or the lengths of its literal start and end.
_Selector = tuple[int, tuple[int, int] | None]


class Shapes(Generic[T]):
    """Templates by shape.

    Attributes:
        longest: past this number of segments all texts have the same shapes.
    """

    def __init__(self) -> None:
        self._by_signature: dict[tuple[tuple[_Selector, ...], int, bool], dict[Key, list[T]]] = {}
        self.longest = 0

    def add(self, entry: T, segments: Sequence[Segment]) -> None:
        spanning = [place for place, segment in enumerate(segments) if _has_span(segment)]
        head = spanning[0] if spanning else len(segments)
        tail = len(segments) - spanning[-1] - 1 if spanning else 0
        selectors = [_selector(place, segments[place]) for place in range(head)]
        if spanning:
            selectors.append((head, (len(_start(segments[head])), 0)))
            selectors.append((-tail - 1, (0, len(_end(segments[spanning[-1]])))))
            selectors.extend(_selector(place, segments[place]) for place in range(-tail, 0))
        taking_part = tuple(selector for selector in selectors if selector[1] != (0, 0))
        buckets = self._by_signature.setdefault((taking_part, head + tail, bool(spanning)), {})
        own_key = _key_function(taking_part)([_edges(segment) for segment in segments])
        buckets.setdefault(own_key, []).append(entry)
        self.longest = max(self.longest, head + tail + 1)

    def of_length(self, length: int) -> list[Lookup]:
        """How to look up a text of so many segments: for each shape that fits, its dictionary and its key."""
        return [
            (buckets.get, _key_function(selectors))
            for (selectors, fixed, has_span), buckets in self._by_signature.items()
            if (length > fixed if has_span else length == fixed)
        ]


def segments_of(pieces: Sequence[Piece]) -> list[Segment]:
    """A template's pieces, parted at the slashes of its literals."""
    segments: list[list[Piece]] = [[]]
    for piece in pieces:
        if isinstance(piece, Param):
            segments[-1].append(piece)
            continue
        first, *more = piece.split("/")
        if first:
            segments[-1].append(first)
        segments.extend([part] if part else [] for part in more)
    return [tuple(segment) for segment in segments]


def spans(param: Param) -> bool:
    """Whether the text of a parameter may hold a slash."""
    return _SLASH_FREE.fullmatch(param.convertor.regex) is None


def _has_span(segment: Segment) -> bool:
    return any(isinstance(piece, Param) and spans(piece) for piece in segment)


def _selector(place: int, segment: Segment) -> _Selector:
    if all(isinstance(piece, str) for piece in segment):
        return place, None
    return place, (len(_start(segment)), len(_end(segment)))


def _start(segment: Segment) -> str:
    return segment[0] if segment and isinstance(segment[0], str) else ""


def _end(segment: Segment) -> str:
    return segment[-1] if segment and isinstance(segment[-1], str) else ""


def _edges(segment: Segment) -> str:
    """The literal start and end of a segment: a text with the same part in a key."""
    return _start(segment) if len(segment) < 2 else _start(segment) + _end(segment)


def _key_function(selectors: tuple[_Selector, ...]) -> Callable[[Sequence[str]], Key]:
    whole = [place for place, part in selectors if part is None]
    edges = [(place, *part) for place, part in selectors if part is not None]
    # The first segment of a path is always empty: it need not be looked at if there is another.
    if len(whole) > 1 and whole[0] == 0:
        whole = whole[1:]
    pick: Callable[[Sequence[str]], Key] = itemgetter(*whole) if whole else _nothing
    if not edges:
        return pick

    def key(segments: Sequence[str]) -> Key:
        parts = [(segments[place][:start], segments[place][-end:] if end else "") for place, start, end in edges]
        return pick(segments), tuple(parts)

    return key


def _nothing(segments: Sequence[str]) -> Key:
    return ()
