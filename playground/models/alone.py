"""The first steps of a fresh Python that runs one experiment: replace what is to be replaced, and watch for the end.

It takes hold of real threads and pipes before anything is replaced.
"""

import os
import shutil
import signal
from _thread import start_new_thread
from os import read
from pathlib import Path
from typing import cast

from playground.models.flavours import Flavour, patch

__all__ = ["main"]


def main(flavour: str, folder: str) -> None:
    """Run the experiment of a folder, and end this process.

    Args:
        flavour: "plain", "gevent" or "eventlet".
    """
    start_new_thread(_end_with, (_taken_input(), folder))
    patch(cast(Flavour, flavour))
    from playground.models.child import run  # only now, so that what it loads is patched

    pieces = os.dup(1)
    os.dup2(2, 1)  # what programs and libraries in C write: the other pipe is theirs
    os._exit(run(Path(folder), pieces))


def _taken_input() -> int:
    """The standard input, for ourselves: the experiment finds an empty one."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return lifeline


def _end_with(lifeline: int, folder: str) -> None:  # pragma: no cover (ends in SIGKILL, after which nothing counts)
    """End with the notebook's process, whose end closes the pipe, and do what it can do no more."""
    while read(lifeline, 1):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
