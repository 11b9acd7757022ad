"""The lines around recorded places, for who wants to show more of the source than a recording holds.

A recording holds the text of a place's own line. The lines around it are what the file, or the notebook's cell, says
now; so they are given only where that line still reads as it was recorded. Elsewhere there is the recorded line alone.
"""

import linecache
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from playground.trace.rows import Site

__all__ = ["Excerpt", "excerpts"]

Excerpt = tuple[int, tuple[str, ...]]
"""The number of a first line, and lines that follow one another from it."""

_SOURCE: Final = (".py", ".pyi")
"""A recording that somebody sent may name any file: nothing but Python source is read for it."""
_LONGEST: Final = 160
"""Characters of a line that are kept: as many as the widest view has room for."""


def excerpts(sites: Iterable[Site], *, around: int = 7, most_lines: int = 4000) -> dict[str, list[Excerpt]]:
    """The source around places, by file as the places name it, in order of lines, none twice.

    Args:
        sites: the places, the most important first.
        around: lines before and after each.
        most_lines: how many to give in all, about; places for which there is no room are left out.
    """
    wanted: dict[str, set[int]] = defaultdict(set)
    read: dict[str, list[str]] = {}
    for site in sites:
        if site.file not in read:
            read[site.file] = linecache.getlines(_path(site.file)) if _is_source(site.file) else []
        lines = read[site.file]
        if not site.text or not 0 < site.line <= len(lines) or lines[site.line - 1].strip() != site.text:
            continue
        if sum(map(len, wanted.values())) >= most_lines:
            break
        wanted[site.file].update(range(max(1, site.line - around), min(len(lines), site.line + around) + 1))
    return {file: _joined(sorted(numbers), read[file]) for file, numbers in wanted.items()}


def _joined(numbers: list[int], lines: list[str]) -> list[Excerpt]:
    parts: list[tuple[int, list[str]]] = []
    for number in numbers:
        if not parts or parts[-1][0] + len(parts[-1][1]) != number:
            parts.append((number, []))
        parts[-1][1].append(lines[number - 1].rstrip().expandtabs(4)[:_LONGEST])
    return [(first, tuple(part)) for first, part in parts]


def _is_source(file: str) -> bool:
    return file.endswith(_SOURCE) or _cell(file) is not None


def _cell(file: str) -> int | None:
    word, _, number = file.partition(" ")
    return int(number) if word == "cell" and number.isdecimal() else None


def _path(file: str) -> str:
    """The name under which the source is to be had: of `cell 3`, the one that IPython gave its third cell."""
    number = _cell(file)
    if number is None:
        return file
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    names = getattr(getattr(shell, "compile", None), "_filename_map", {})
    return next((name for name, count in names.items() if count == number), file)
