"""How what came from an app or a client stands in a message: short, and without asking objects of their own."""

from typing import Final

__all__ = ["count_of_bytes", "named", "show"]

_LONGEST: Final = 60


def show(value: object) -> str:
    """Show a built-in value, cut short; of anything else only its type, for a user's object is not asked."""
    if value is None or type(value) in (str, bytes, int, float, bool):
        return _cut(repr(value))
    return f"a {type(value).__name__}"


def named(method: str, path: str) -> str:
    """A request at the beginning of a message, `GET /items`: short, and what cannot be printed is escaped."""
    return " ".join(_cut(text if text.isprintable() else repr(text)[1:-1]) for text in (method, path))


def count_of_bytes(count: int) -> str:
    """`1 byte`, `2 bytes`."""
    return f"{count} byte{'' if count == 1 else 's'}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
