"""Where a thread stands, in words: the user's own line, if there is one."""

import sys
from types import CodeType

from playground.code import cell_name, own_frame

__all__ = ["line_of", "own_place_of", "place_of"]


def line_of(code: CodeType, line: int) -> str:
    """A line as messages name it: by its whole path, or by the cell, whose path says nothing to anybody."""
    cell = cell_name(code.co_filename)
    return f"{f'{cell}, line {line}' if cell else f'{code.co_filename}:{line}'} in {code.co_qualname}"


def own_place_of(ident: int) -> str | None:
    """The innermost line of the user's own code at which a thread stands, by `threading.get_ident`."""
    frame = own_frame(sys._current_frames().get(ident))
    return None if frame is None else line_of(frame.f_code, frame.f_lineno)


def place_of(ident: int) -> str:
    """The same, and the innermost line of all where none is the user's own."""
    innermost = sys._current_frames().get(ident)
    frame = own_frame(innermost) or innermost
    return "an unknown place" if frame is None else line_of(frame.f_code, frame.f_lineno)
