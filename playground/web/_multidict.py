"""Dictionaries in which a key may have several values: query strings and forms.

They decide what "the" value of a key is (the last) and keep the order of all pairs. Where the pairs come
from is not their affair.
"""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Generic, Self, TypeVar
from urllib.parse import unquote, urlencode

from playground.errors import UsageError

__all__ = ["ImmutableMultiDict", "MultiDict", "QueryParams", "decode_form"]

K = TypeVar("K")
V = TypeVar("V", covariant=True)

_ABSENT: Any = object()


class ImmutableMultiDict(Mapping[K, V], Generic[K, V]):
    """Pairs that are not changed.

    As a mapping it has one value for a key, the last; `getlist` and `multi_items` give all.
    """

    def __init__(
        self,
        *args: "ImmutableMultiDict[K, V] | Mapping[K, V] | Iterable[tuple[K, V]]",
        **kwargs: Any,
    ) -> None:
        self._list: list[tuple[Any, Any]] = _pairs(args)
        self._list.extend(kwargs.items())
        self._dict: dict[Any, Any] = dict(self._list)

    def getlist(self, key: Any) -> list[V]:
        """Every value of a key, in order; none if it is not there."""
        return [value for name, value in self._list if name == key]

    def multi_items(self) -> list[tuple[K, V]]:
        """Every pair, in order."""
        return list(self._list)

    def keys(self) -> KeysView[K]:
        return self._dict.keys()

    def values(self) -> ValuesView[V]:
        return self._dict.values()

    def items(self) -> ItemsView[K, V]:
        return self._dict.items()

    def __getitem__(self, key: K) -> V:
        value: V = self._dict[key]
        return value

    def __contains__(self, key: Any) -> bool:
        return key in self._dict

    def __iter__(self) -> Iterator[K]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def __eq__(self, other: Any) -> bool:
        """Equal if of one class, and each key has the same values in the same order."""
        if not isinstance(other, type(self)):
            return False
        return _by_key(self._list) == _by_key(other._list)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.multi_items()!r})"


class MultiDict(ImmutableMultiDict[Any, Any]):
    """Pairs that are changed in place."""

    def __setitem__(self, key: Any, value: Any) -> None:
        self.setlist(key, [value])

    def __delitem__(self, key: Any) -> None:
        del self._dict[key]
        self._forget([key])

    def pop(self, key: Any, default: Any = None) -> Any:
        """Remove a key; return its last value."""
        self._forget([key])
        return self._dict.pop(key, default)

    def popitem(self) -> tuple[Any, Any]:
        """Remove the newest key; return it and its last value."""
        key, value = self._dict.popitem()
        self._forget([key])
        return key, value

    def poplist(self, key: Any) -> list[Any]:
        """Remove a key; return all its values."""
        values = self.getlist(key)
        self.pop(key)
        return values

    def clear(self) -> None:
        """Remove all values of all keys."""
        self._dict.clear()
        self._list.clear()

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The last value of a key, which gets this one if it has none."""
        if key not in self:
            self.append(key, default)
        return self[key]

    def setlist(self, key: Any, values: list[Any]) -> None:
        """Give a key these values alone; with none, remove it."""
        if not values:
            self.pop(key)
            return
        self._forget([key])
        self._list.extend((key, value) for value in values)
        self._dict[key] = values[-1]

    def append(self, key: Any, value: Any) -> None:
        """Add a value to those of a key."""
        self._list.append((key, value))
        self._dict[key] = value

    def update(self, *args: "MultiDict | Mapping[Any, Any] | list[tuple[Any, Any]]", **kwargs: Any) -> None:
        """Replace the values of every key that is given."""
        given = MultiDict(*args, **kwargs)
        self._forget(given)
        self._list.extend(given.multi_items())
        self._dict.update(given._dict)

    def _forget(self, keys: Iterable[Any]) -> None:
        gone = list(keys)
        self._list = [(name, value) for name, value in self._list if name not in gone]


class QueryParams(ImmutableMultiDict[str, str]):
    """The parameters of a query string, from the string itself or from pairs; values are texts."""

    def __init__(
        self,
        *args: ImmutableMultiDict[Any, Any] | Mapping[Any, Any] | list[tuple[Any, Any]] | str | bytes,
        **kwargs: Any,
    ) -> None:
        first = args[0] if args else ""
        if isinstance(first, bytes):
            first = first.decode("latin-1")
        if isinstance(first, str):
            super().__init__(_parse(first), *args[1:], **kwargs)  # type: ignore[arg-type]
        else:
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]
            self._list = [(str(name), str(value)) for name, value in self._list]
            self._dict = {str(name): str(value) for name, value in self._dict.items()}

    @classmethod
    def of_query(cls, query: bytes) -> Self:
        """What `QueryParams(query)` gives, without its questions, for our own use."""
        self = cls.__new__(cls)
        self._list = pairs = _parse(query.decode("latin-1"))
        self._dict = dict(pairs)
        return self

    def __str__(self) -> str:
        return urlencode(self._list)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


def _parse(query: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in query.split("&") if part]
    if "%" in query or "+" in query:
        return [(decode_form(name), decode_form(value)) for name, _, value in pairs]
    return [(name, value) for name, _, value in pairs]


def decode_form(text: str) -> str:
    """A name or a value of a query or an urlencoded form: `+` is a space, `%20` a byte of UTF-8.

    What is not UTF-8 becomes U+FFFD, and a percent sign that begins nothing stays.
    """
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text, errors="replace") if "%" in text else text


def _pairs(args: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    if len(args) > 1:
        raise UsageError(f"Too many arguments. Expected at most one positional argument, got {len(args)}.")
    source = args[0] if args else None
    if not source:
        return []
    if isinstance(source, ImmutableMultiDict):
        return source.multi_items()
    if isinstance(source, Mapping):
        return list(source.items())
    return list(source)


def _by_key(pairs: list[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    values: dict[Any, list[Any]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return values
