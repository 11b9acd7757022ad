"""Settings, read from the environment and from a file beside the app.

It decides where a setting comes from (the environment, then the file, then the default) and refuses a value
that its type does not take. It refuses changes of the environment that come too late to be heard.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TypeVar, overload

__all__ = ["Config", "Environ", "EnvironError", "environ", "undefined"]

T = TypeVar("T")

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


class undefined:
    """The default of a setting that has none."""


class EnvironError(Exception):
    """A variable of the environment was changed after it had been read."""


class Environ(MutableMapping[str, str]):
    """The environment, in which a variable cannot be changed any more once it has been read."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._has_been_read: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self._has_been_read.add(key)
        return self._environ[key]

    def __setitem__(self, key: str, value: str) -> None:
        self._refuse_if_read("set", key)
        self._environ[key] = value

    def __delitem__(self, key: str) -> None:
        self._refuse_if_read("delete", key)
        del self._environ[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)

    def _refuse_if_read(self, what: str, key: str) -> None:
        if key in self._has_been_read:
            raise EnvironError(
                f"Attempting to {what} environ[{key!r}], but the value has already been read. "
                "Do it before the settings that read it are imported."
            )


environ: Final = Environ()


class Config:
    """Settings by name: `config("DEBUG", cast=bool, default=False)`.

    Args:
        env_file: a file with a line `NAME=value` for each setting; if it is missing, a warning says so.
        environ: the environment.
        env_prefix: what the names begin with in the environment and in the file, but not here.
        encoding: that of the file.
    """

    def __init__(
        self,
        env_file: str | Path | None = None,
        environ: Mapping[str, str] = environ,
        env_prefix: str = "",
        encoding: str = "utf-8",
    ) -> None:
        self.environ = environ
        self.env_prefix = env_prefix
        self.file_values: dict[str, str] = {}
        if env_file is not None:
            if os.path.isfile(env_file):
                self.file_values = _read_settings(env_file, encoding)
            else:
                warnings.warn(f"Config file '{env_file}' not found.", stacklevel=2)

    @overload
    def __call__(self, key: str, *, default: None) -> str | None: ...
    @overload
    def __call__(self, key: str, cast: type[T], default: T = ...) -> T: ...
    @overload
    def __call__(self, key: str, cast: type[str] = ..., default: str = ...) -> str: ...
    @overload
    def __call__(self, key: str, cast: Callable[[Any], T] = ..., default: Any = ...) -> T: ...
    @overload
    def __call__(self, key: str, cast: type[str] = ..., default: T = ...) -> T | str: ...
    def __call__(self, key: str, cast: Callable[[Any], Any] | None = None, default: Any = undefined) -> Any:
        return self.get(key, cast, default)

    def get(self, key: str, cast: Callable[[Any], Any] | None = None, default: Any = undefined) -> Any:
        """A setting.

        Args:
            key: its name, without the prefix.
            cast: makes a value of the text; `bool` takes `true`, `false`, `1` and `0`.
            default: stands in for a setting that is missing, and is cast too, unless it is `None`.

        Raises:
            KeyError: it is missing and has no default.
            ValueError: `cast` does not take it.
        """
        key = self.env_prefix + key
        if key in self.environ:
            return _cast(key, self.environ[key], cast)
        if key in self.file_values:
            return _cast(key, self.file_values[key], cast)
        if default is undefined:
            raise KeyError(f"Config '{key}' is missing, and has no default.")
        return _cast(key, default, cast)


def _read_settings(path: str | Path, encoding: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    with open(path, encoding=encoding) as file:
        for line in map(str.strip, file):
            name, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                settings[name.strip()] = _without_quotes(value.strip())
    return settings


def _without_quotes(value: str) -> str:
    """Without the pair of like quotes around it, if it has one."""
    is_quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value


def _cast(key: str, value: Any, cast: Callable[[Any], Any] | None) -> Any:
    if cast is None or value is None:
        return value
    if cast is bool and isinstance(value, str):
        if value.lower() not in _BOOLEANS:
            raise ValueError(f"Config '{key}' has value '{value}'. Not a valid bool.")
        return _BOOLEANS[value.lower()]
    try:
        return cast(value)
    except (TypeError, ValueError) as error:
        name = getattr(cast, "__name__", type(cast).__name__)
        raise ValueError(f"Config '{key}' has value '{value}'. Not a valid {name}.") from error
