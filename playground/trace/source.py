"""What a place in a code object is in the source: file, line and text, and the text of the call at it.

Looked up when a trace is built. The text is what the file says; where the file was changed after the code was met,
that is not what ran, and there is no text rather than a wrong one. (A file that was changed between its import and
the recording cannot be told from one that was not: only its time is known.)
"""

import functools
import linecache
import math
import re
from types import CodeType
from typing import Final

from playground.code import is_own, short_name
from playground.trace.rows import Site
from playground.trace.texts import cut

__all__ = ["call_text", "locate", "package_of"]

_IN_A_LIBRARY: Final = re.compile(
    r".*[/\\](?:site-packages|dist-packages|lib-dynload|python3\.\d+|lib)[/\\]", re.IGNORECASE
)
"""The folders in which packages and modules lie. On Windows, the standard library lies in `Lib`."""

_LONGEST: Final = 60
"""Characters of a call that are kept: as many as a line of a sentence bears."""


def locate(code: CodeType, offset: int, met_s: float = math.inf) -> Site:
    """The place that an instruction's offset stands for; offset 0 is the code's definition.

    Args:
        met_s: when the code was met, in seconds since the epoch.
    """
    line = code.co_firstlineno
    positions = _positions(code)
    if 0 < offset // 2 < len(positions):
        line = positions[offset // 2][0] or line
    text = _line(code.co_filename, line, met_s).strip()
    return Site(cut(short_name(code.co_filename)), line, cut(code.co_qualname), cut(text))


def call_text(code: CodeType, offset: int, met_s: float = math.inf) -> str:
    """The source text of the expression that the instruction at `offset` evaluates, on one line; may be empty."""
    positions = _positions(code)
    if not 0 <= offset // 2 < len(positions):
        return ""
    line, end_line, column, end_column = positions[offset // 2]
    if line is None or end_line is None or column is None or end_column is None:
        return ""
    lines = [_line(code.co_filename, number, met_s).encode() for number in range(line, end_line + 1)]
    if not lines[0]:
        return ""
    lines[-1] = lines[-1][:end_column]  # columns count bytes of UTF-8
    lines[0] = lines[0][column:]
    text = " ".join(b" ".join(part.strip() for part in lines).decode(errors="replace").split())
    return cut(text, _LONGEST)


@functools.lru_cache(maxsize=1024)
def _positions(code: CodeType) -> list[tuple[int | None, int | None, int | None, int | None]]:
    return list(code.co_positions())


def _line(filename: str, number: int, met_s: float) -> str:
    """A line of a file, or of a cell, as it was at a time; empty if that is not to be had."""
    text = linecache.getline(filename, number)
    # size, time of change (none for a cell), lines and full name; only a loader before the first look
    entry = linecache.cache.get(filename, ())
    changed_s = entry[1] if len(entry) > 1 else None
    return "" if changed_s is not None and changed_s > met_s else text


def package_of(code: CodeType | None) -> str:
    """The package, or the module, of a library's code; empty for the user's own, for ours, and for none."""
    return "" if code is None else _package_of(code.co_filename)


@functools.lru_cache(maxsize=1024)
def _package_of(filename: str) -> str:
    if is_own(filename) or filename.startswith("<"):
        return ""
    below = _IN_A_LIBRARY.split(filename)[-1]
    name = re.split(r"[/\\]", below)[0].removesuffix(".py")
    return "" if name == "playground" else name
