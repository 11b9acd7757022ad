"""Headers: a case-insensitive multi-dictionary over ASGI's list of byte pairs.

It decides how names and values travel between text and bytes (latin-1, names in lower case) and refuses
line breaks, by which a value could smuggle in headers of its own. What a header means is not its affair.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

from playground.asgi import Scope
from playground.errors import UsageError

__all__ = ["Headers", "MutableHeaders", "RawHeaders", "encode_header", "encode_headers"]

RawHeaders = list[tuple[bytes, bytes]]

_BREAKS: Final = ("\r", "\n", "\0")

# Names as they are written and as they stand in a list of headers; none has a line break. 1,024 are more
# than an app uses; the limit is there for names that come from outside.
_NAMES: Final[dict[str, bytes]] = {}
_MOST_NAMES: Final = 1024


def _name_bytes(name: str) -> bytes:
    """A name as it stands in a list of headers, remembered for the next time."""
    encoded = name.lower().encode("latin-1")
    if len(_NAMES) < _MOST_NAMES and not any(break_ in name for break_ in _BREAKS):
        _NAMES[name] = encoded
    return encoded


# The other way round, for names that are listed.
_TEXTS: Final[dict[bytes, str]] = {}


def _name_text(name: bytes) -> str:
    text = name.decode("latin-1")
    if len(_TEXTS) < _MOST_NAMES:
        _TEXTS[name] = text
    return text


def encode_header(name: str, value: str) -> tuple[bytes, bytes]:
    """A header as ASGI wants it.

    Raises:
        ValueError: the name or the value has a line break or a zero byte.
        UnicodeEncodeError: a character is not in latin-1.
    """
    known = _NAMES.get(name)
    if known is not None and value.isprintable():  # as a line break is not
        return known, value.encode("latin-1")
    for break_ in _BREAKS:
        if break_ in value or break_ in name:
            raise ValueError(
                f"The header {name!r} was given the value {value!r}, which holds {break_!r}: it would end the "
                "header and begin another. Remove line breaks and zero bytes from the value, or encode them."
            )
    return _name_bytes(name), value.encode("latin-1")


def encode_headers(headers: Mapping[str, str]) -> RawHeaders:
    """Headers as ASGI wants them; raises as `encode_header` does."""
    raw: RawHeaders = []
    for name, value in headers.items():
        known = _NAMES.get(name)
        if known is not None and value.isprintable():
            raw.append((known, value.encode("latin-1")))
        else:
            raw.append(encode_header(name, value))
    return raw


class Headers(Mapping[str, str]):
    """Headers that are not changed: those of a request.

    Iterating, `len`, `keys`, `values` and `items` see every header; `[name]` gives the first of a name.

    Args:
        headers: names and values as text; or
        raw: the list of byte pairs itself, which is not copied; or
        scope: an ASGI scope, whose `headers` this takes over as a list.
    """

    __slots__ = ("_list",)

    def __init__(
        self,
        headers: Mapping[str, str] | None = None,
        raw: RawHeaders | None = None,
        scope: Scope | None = None,
    ) -> None:
        self._list: RawHeaders
        if scope is not None:
            _refuse_both("scope", {"headers": headers, "raw": raw})
            self._list = scope["headers"] = list(scope["headers"])
        elif raw is not None:
            _refuse_both("raw", {"headers": headers})
            self._list = raw
        elif headers is not None:
            self._list = encode_headers(headers)
        else:
            self._list = []

    @classmethod
    def over(cls, raw: RawHeaders) -> Self:
        """A view on this list: `Headers(raw=...)` without its questions, for our own use."""
        self = cls.__new__(cls)
        self._list = raw
        return self

    @property
    def raw(self) -> RawHeaders:
        """The headers as byte pairs, in a list of their own."""
        return list(self._list)

    def keys(self) -> list[str]:  # type: ignore[override]
        return [_TEXTS.get(name) or _name_text(name) for name, _ in self._list]

    def values(self) -> list[str]:  # type: ignore[override]
        return [value.decode("latin-1") for _, value in self._list]

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        try:
            return [(_TEXTS[name], value.decode("latin-1")) for name, value in self._list]
        except KeyError:
            return [(_TEXTS.get(name) or _name_text(name), value.decode("latin-1")) for name, value in self._list]

    def getlist(self, key: str) -> list[str]:
        """Every value of a name, in order."""
        wanted = _NAMES.get(key) or _name_bytes(key)
        return [value.decode("latin-1") for name, value in self._list if name == wanted]

    def mutablecopy(self) -> "MutableHeaders":
        """The same headers, to be changed without changing these."""
        return MutableHeaders(raw=self._list[:])

    def __getitem__(self, key: str) -> str:
        try:
            wanted = _NAMES[key]
        except KeyError:
            wanted = _name_bytes(key)
        for name, value in self._list:
            if name == wanted:
                return value.decode("latin-1")
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        try:
            wanted = _NAMES[key]
        except KeyError:
            wanted = _name_bytes(key)
        for name, value in self._list:
            if name == wanted:
                return value.decode("latin-1")
        return default

    def __contains__(self, key: object) -> bool:
        try:
            wanted = _NAMES[key]  # type: ignore[index]  # what is no text is not there
        except KeyError:
            if not isinstance(key, str):
                return False
            wanted = _name_bytes(key)
        for name, _ in self._list:  # noqa: SIM110  a generator for `any` takes four times as long
            if name == wanted:
                return True
        return False

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._list)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return False
        return sorted(self._list) == sorted(other._list)

    __hash__ = None  # type: ignore[assignment]  # it may be a view on a list that changes

    def __repr__(self) -> str:
        as_dict = dict(self.items())
        if len(as_dict) == len(self):
            return f"{type(self).__name__}({as_dict!r})"
        return f"{type(self).__name__}(raw={self._list!r})"


class MutableHeaders(Headers):
    """Headers that are changed in place: those of a response."""

    __slots__ = ()

    @property
    def raw(self) -> RawHeaders:
        """The list of byte pairs itself."""
        return self._list

    def __setitem__(self, key: str, value: str) -> None:
        """Set a header in the place of the first of its name, and drop the others; else add it."""
        new = encode_header(key, value)
        wanted = new[0]
        for place, (name, _) in enumerate(self._list):
            if name == wanted:
                self._list[place] = new
                self._drop(wanted, place + 1)
                return
        self._list.append(new)

    def __delitem__(self, key: str) -> None:
        """Drop every header of a name; it need not be there."""
        self._drop(_NAMES.get(key) or _name_bytes(key), 0)

    def __ior__(self, other: Mapping[str, str]) -> "MutableHeaders":
        self.update(_mapping(other))
        return self

    def __or__(self, other: Mapping[str, str]) -> "MutableHeaders":
        both = self.mutablecopy()
        both.update(_mapping(other))
        return both

    def setdefault(self, key: str, value: str) -> str:
        """The value of a header, which is added if it is not there."""
        present: str | None = self.get(key)
        if present is not None:
            return present
        self._list.append(encode_header(key, value))
        return value

    def update(self, other: Mapping[str, str]) -> None:
        """Set every header of a mapping."""
        for key, value in other.items():
            self[key] = value

    def append(self, key: str, value: str) -> None:
        """Add a header beside those of its name."""
        self._list.append(encode_header(key, value))

    def add_vary_header(self, vary: str) -> None:
        """Add a name to `Vary`, behind all that it names already."""
        self["vary"] = ", ".join([*self.getlist("vary"), vary])

    def _drop(self, unwanted: bytes, start: int) -> None:
        # In place, for others may hold the list.
        self._list[start:] = [pair for pair in self._list[start:] if pair[0] != unwanted]


def _mapping(other: object) -> Mapping[str, str]:
    if not isinstance(other, Mapping):
        raise TypeError(f"Expected a mapping but got {type(other).__name__}")
    return other


def _refuse_both(chosen: str, others: dict[str, Any]) -> None:
    for name, value in others.items():
        if value is not None:
            raise UsageError(f'Cannot set both "{name}" and "{chosen}".')
