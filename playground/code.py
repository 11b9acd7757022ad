"""Whose code is it: the user's own, a library's, or ours; where in a stack the user's own is; what a file is called.

It looks at file names only. What follows from the answer (which line is named, which module is looked through) is
for others to decide.
"""

import functools
import os
import sys
import sysconfig
import traceback
from types import FrameType
from typing import Any, Final

__all__ = ["GIVEN_NAMES", "cell_name", "is_own", "own_frame", "own_line", "own_place", "short_name"]

_PACKAGE: Final = os.path.dirname(os.path.abspath(__file__))
_LIBRARIES: Final = tuple(
    os.path.join(path, "")
    for path in {
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        os.path.dirname(os.__file__),
        _PACKAGE,
    }
)
_SHOWN: Final = frozenset({os.path.join(_PACKAGE, "demo.py")})
"""The demo's app stands in for a user's."""

GIVEN_NAMES: Final[dict[str, str]] = {}
"""What files are called that another process knows: the cells of its notebook, in the process of an experiment."""


@functools.lru_cache(maxsize=4096)
def is_own(filename: str) -> bool:
    """Whether a file holds the user's own code, and not a library's or ours."""
    if filename.startswith("<frozen"):
        return False
    return filename in _SHOWN or not filename.startswith(_LIBRARIES)


def own_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the user's own code, from a frame outwards; `None` if there is none."""
    while frame is not None and not is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def short_name(filename: str) -> str:
    """A cell of a notebook as `cell 3`, a file below the working directory by its relative path."""
    return cell_name(filename) or filename.removeprefix(os.path.join(os.getcwd(), ""))


def own_line(error: BaseException) -> tuple[str, int] | None:
    """The innermost line of the user's own on the way to an exception: its file and number; `None` if there is none."""
    stack = traceback.walk_tb(error.__traceback__)
    own = [(frame.f_code.co_filename, line) for frame, line in stack if is_own(frame.f_code.co_filename)]
    return own[-1] if own else None


def own_place(error: BaseException) -> str:
    """The same line in words: `cell 3, line 4`; empty if there is none."""
    found = own_line(error)
    return f"{short_name(found[0])}, line {found[1]}" if found is not None else ""


def cell_name(filename: str) -> str | None:
    """What a cell of a notebook is called, such as `cell 3`; `None` for any other file."""
    if filename in GIVEN_NAMES:
        return GIVEN_NAMES[filename]
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    number = getattr(shell.compile, "_filename_map", {}).get(filename) if shell is not None else None
    return None if number is None else f"cell {number}"
