"""What our commands print is shown by a terminal, and never obeyed: a file may be called by an escape sequence."""

from typing import Final
from unicodedata import category

__all__ = ["harmless"]

_KEPT: Final = frozenset("\n\u00ad\u200c\u200d")
"""Not printable to Python, and no command to any terminal: where a word may break, and what joins letters or emoji."""


def harmless(text: str) -> str:
    """A text for a terminal: `?` for what is not printable, such as control characters and direction marks; lines stay,
    and blanks of any width.

    Half of a surrogate pair, as in the name of a file that is no UTF-8, is none of it either: not every terminal's
    encoding has a place for it.
    """
    return "".join(char if _is_shown(char) else "?" for char in text)


def _is_shown(char: str) -> bool:
    return char.isprintable() or char in _KEPT or category(char) == "Zs"
