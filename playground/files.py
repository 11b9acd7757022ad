"""A file is written whole, or not at all: what stood at a path stays there until what replaces it is complete.

A full disk, a keyboard interrupt or an exception halfway must not cost anyone the recording, page or notebook that was
there. So what is new is written beside it, under a name of its own, and takes its place in one move. It decides how a
file is replaced, and what is said when that fails; it refuses to know what is in it. That a file outlives a power cut
is not promised.
"""

import contextlib
import os
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

__all__ = ["write", "write_text"]

_STAYS: Final = "; what was there before stays as it was: make room, or name another place"
_IN_PLACE: Final = ("/dev/", "/proc/")
"""Such as /dev/stdout: what is open already under that name, though it may lead to a file on a disk."""


def write(path: str | Path, pieces: Iterable[bytes]) -> None:
    """Write a file, or leave what is there as it is.

    Args:
        path: where. A link stays a link. What is no plain file, such as a pipe or `/dev/stdout`, is written to as the
            pieces come; so is a file in a folder that takes no other.
        pieces: its content.

    Raises:
        OSError: it cannot be written: `filename` is `path`, and where writing has begun, `strerror` says that what was
            there before is still there.
        whatever making a piece raises; then too what was there is still there.
    """
    target = os.path.realpath(path)
    beside = os.path.join(os.path.dirname(target), f".playground-{secrets.token_hex(8)}")
    with contextlib.ExitStack() as stack:
        # from before it is there, for an interrupt may come at once; and twice, for it may come in the first of these
        stack.callback(_remove, beside)
        stack.callback(_remove, beside)
        with _told_of(path):
            is_beside = _begin_beside(path, target, beside)
        if not is_beside:
            with _told_of(path), open(path, "wb") as file:
                file.writelines(pieces)
            return
        with _told_of(path, _STAYS):
            with open(beside, "wb") as file:
                file.writelines(pieces)
            _look_alike(target, beside)
            os.replace(beside, target)


def write_text(path: str | Path, text: str) -> None:
    """The same of a text, in UTF-8."""
    write(path, [text.encode()])


def _remove(beside: str) -> None:
    with contextlib.suppress(OSError):  # it has taken its place, or never came to be
        os.unlink(beside)


def _begin_beside(path: str | Path, target: str, beside: str) -> bool:
    """Make an empty file in the folder of `target`, to take its place; whether one may."""
    there = os.path.exists(target)
    # what a browser's file systems do to a file on whose name another is moved, nobody says
    if sys.platform == "emscripten" or os.path.abspath(path).startswith(_IN_PLACE):
        return False
    if there and not (os.path.isfile(target) and os.access(target, os.W_OK)):
        return False  # opening it says why it cannot be written, if it cannot
    try:
        with open(beside, "xb"):
            return True
    except PermissionError:
        if there:
            return False
        raise


def _look_alike(old: str, new: str) -> None:
    """Give a file the owner and the rights of the one that it replaces, as far as that is allowed."""
    with contextlib.suppress(FileNotFoundError):  # there is none
        was = os.stat(old)
        with contextlib.suppress(PermissionError):
            if hasattr(os, "chown") and os.stat(new).st_uid != was.st_uid:
                os.chown(new, was.st_uid, was.st_gid)
            os.chmod(new, stat.S_IMODE(was.st_mode))


@contextlib.contextmanager
def _told_of(path: str | Path, words: str = "") -> Iterator[None]:
    """An error is told of the path that was named: not of another one, and not of none, as when a disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # it is not the system's
            raise
        raise OSError(error.errno, f"{error.strerror}{words}", str(path)) from None
