"""Convertors: what one parameter of a path looks like, and how it becomes a value and a text again.

A convertor decides about its own piece of the path and refuses to know the rest. `convert` may rely on
the text having matched `regex`; `to_string` may rely on nothing, for its value comes from `url_for`.
"""

import math
import uuid
from typing import Any, ClassVar, Generic, TypeVar

from playground.errors import RouteError

__all__ = [
    "CONVERTOR_TYPES",
    "Convertor",
    "FloatConvertor",
    "IntegerConvertor",
    "PathConvertor",
    "StringConvertor",
    "UUIDConvertor",
    "register_url_convertor",
]

T = TypeVar("T")


class Convertor(Generic[T]):
    """One kind of path parameter.

    Attributes:
        regex: what the text looks like, without anchors.
    """

    regex: ClassVar[str] = ""

    def convert(self, value: str) -> T:
        """Turn the text from a path into a value."""
        raise NotImplementedError(f"{type(self).__name__} must define convert(value).")

    def to_string(self, value: T) -> str:
        """Turn a value into text for a path.

        Raises:
            RouteError: the value has no such text.
        """
        raise NotImplementedError(f"{type(self).__name__} must define to_string(value).")


class StringConvertor(Convertor[str]):
    """A text without a slash: `{name}` or `{name:str}`."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        text = str(value)
        if "/" in text:
            raise RouteError("May not contain path separators")
        if not text:
            raise RouteError("Must not be empty")
        return text


class PathConvertor(Convertor[str]):
    """The rest of a path, slashes included, perhaps empty: `{rest:path}`."""

    regex = ".*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return str(value)


class IntegerConvertor(Convertor[int]):
    """A whole number from 0: `{id:int}`."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        number = int(value)
        if number < 0:
            raise RouteError("Negative integers are not supported")
        return str(number)


class FloatConvertor(Convertor[float]):
    """A number from 0 without an exponent: `{price:float}`."""

    regex = r"[0-9]+(\.[0-9]+)?"

    def convert(self, value: str) -> float:
        return float(value)

    def to_string(self, value: float) -> str:
        number = float(value)
        if number < 0.0:
            raise RouteError("Negative floats are not supported")
        if math.isnan(number):
            raise RouteError("NaN values are not supported")
        if math.isinf(number):
            raise RouteError("Infinite values are not supported")
        # 20 places, as in Starlette: no exponent ever appears, and what is tiny becomes 0.
        return f"{number:.20f}".rstrip("0").rstrip(".")


class UUIDConvertor(Convertor[uuid.UUID]):
    """A UUID, with or without its hyphens: `{key:uuid}`."""

    regex = "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"

    def convert(self, value: str) -> uuid.UUID:
        return uuid.UUID(value)

    def to_string(self, value: uuid.UUID) -> str:
        return str(value)


CONVERTOR_TYPES: dict[str, Convertor[Any]] = {
    "str": StringConvertor(),
    "path": PathConvertor(),
    "int": IntegerConvertor(),
    "float": FloatConvertor(),
    "uuid": UUIDConvertor(),
}


def register_url_convertor(key: str, convertor: Convertor[Any]) -> None:
    """Make `{name:key}` in the paths of routes declared from now on use `convertor`."""
    CONVERTOR_TYPES[key] = convertor
