"""What our commands print is shown by a terminal, and never obeyed: a file may be called by an escape sequence."""

__all__ = ["harmless"]


def harmless(text: str) -> str:
    """A text for a terminal: `?` for what is not printable, such as control characters and direction marks; lines stay.

    Half of a surrogate pair, as in the name of a file that is no UTF-8, is none of it either: not every terminal's
    encoding has a place for it.
    """
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
