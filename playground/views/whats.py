"""What spans are called and where in the source they point to, each combination once.

A combination is told by two numbers, one for the name and one for the place with the call that was seen there. So the
names of a million spans are looked up by number. It decides numbering and nothing else.
"""

from typing import Final, NamedTuple

from playground.trace import Site

__all__ = ["What", "Whats"]

_NAME: Final = 1 << 32  # a name's number stands above a place's in the key of a combination


class What(NamedTuple):
    """What a span is called, the place in the source that it points to, and the call that it was seen in, if any."""

    name: str
    file: str
    line: int
    function: str
    text: str
    call: str


class _Indexes(dict[int, int]):
    """The index of each key, in the order in which they were first asked for."""

    def __missing__(self, key: int) -> int:
        index = self[key] = len(self)
        return index


class Whats:
    """The table of names, places and calls.

    Attributes:
        nowhere: the number of no place at all.
        index: the index of each combination in the table, by its key: the numbers of its name and its place, added up.
    """

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._places: dict[tuple[Site | None, str], int] = {}
        self.index: dict[int, int] = _Indexes()
        self.nowhere = self.place(None)

    def name(self, name: str) -> int:
        """The number of a name."""
        return self._names.setdefault(name, len(self._names)) * _NAME

    def place(self, site: Site | None, call: str = "") -> int:
        """The number of a place, and of what was seen called there."""
        return self._places.setdefault((site, call), len(self._places))

    def __call__(self, name: str, site: Site | None, call: str = "") -> int:
        """The index of a combination in the table."""
        return self.index[self.name(name) + self.place(site, call)]

    def table(self) -> tuple[What, ...]:
        names, places, none = list(self._names), list(self._places), Site("", 0, "")
        combined = ((names[key // _NAME], *places[key % _NAME]) for key in self.index)
        return tuple(
            What(name, at.file, at.line, at.function, at.text, call)
            for name, at, call in ((name, site or none, call) for name, site, call in combined)
        )
