"""How much of an app's texts a recording keeps: names, paths, and what exceptions say.

An app may name a task by the document that it works on, or raise all of it. What nobody reads must not fill a
recording, a page and a browser, so what is longer is cut where it is recorded, and says so with an ellipsis at its end.
"""

from typing import Final

__all__ = ["LONGEST", "cut"]

LONGEST: Final = 2_000
"""Characters of a text that are kept: a dozen lines of a terminal, and as long as the URLs that all clients take."""


def cut(text: str, longest: int = LONGEST) -> str:
    """A text as it is kept: itself, or as much of it as fits, and `…`. Always a plain `str`: nothing of the app's."""
    plain = str.__str__(text)
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
