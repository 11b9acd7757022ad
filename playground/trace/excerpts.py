"""The lines around recorded places, for who wants to show more of the source than a recording holds.

A recording holds the text of a place's own line. The lines around it are what the file, or the notebook's cell, says
now; so they are given only where that line still reads as it was recorded. Elsewhere there is the recorded line alone.
"""

import linecache
import sys
from collections.abc import Iterable
from textwrap import dedent
from typing import Any, Final

from playground.trace.rows import Site

__all__ = ["excerpts"]

Excerpt = tuple[int, tuple[str, ...]]
"""The number of a first line, and lines that follow one another from it."""

_SOURCE: Final = (".py", ".pyi")
"""A recording that somebody sent may name any file: nothing but Python source is read for it."""
_DIGITS: Final = 10
"""More than the number of a cell has; Python refuses to read numbers of thousands, which a recording may hold."""
_LONGEST: Final = 160
"""Characters of a line that are kept: as many as the widest view has room for."""


def excerpts(sites: Iterable[Site], *, around: int = 9, most_sites: int = 400) -> dict[Site, Excerpt]:
    """The source around places.

    Args:
        sites: the places, the most important first.
        around: lines before and after each.
        most_sites: how many excerpts to give at most.

    Returns:
        the excerpts, for those places whose source is to be had, without what all their lines are indented by.
    """
    found: dict[Site, Excerpt] = {}
    read: dict[str, list[str]] = {}
    for site in sites:
        if site.file not in read:
            read[site.file] = linecache.getlines(_path(site.file)) if _is_source(site.file) else []
        lines = read[site.file]
        if len(found) == most_sites or not site.text or "".join(lines[site.line - 1 : site.line]).strip() != site.text:
            continue
        first = max(1, site.line - around)
        part = dedent("".join(lines[first - 1 : site.line + around]).expandtabs(4))
        found[site] = first, tuple(line.rstrip()[:_LONGEST] for line in part.rstrip("\n").split("\n"))
    return found


def _is_source(file: str) -> bool:
    return file.endswith(_SOURCE) or _cell(file) is not None


def _cell(file: str) -> int | None:
    word, _, number = file.partition(" ")
    return int(number) if word == "cell" and number.isdecimal() and len(number) < _DIGITS else None


def _path(file: str) -> str:
    """The name under which the source is to be had: of `cell 3`, the one that IPython gave its third cell."""
    number = _cell(file)
    if number is None:
        return file
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    names = getattr(getattr(shell, "compile", None), "_filename_map", {})
    return next((name for name, count in names.items() if count == number), file)
