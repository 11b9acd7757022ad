"""Leaks to be planted, each of which the verdict must find: `python -m tests.soak --plant list`."""

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

__all__ = ["PLANTS", "planted"]

_kept: Final[list[object]] = []


def a_list(stack: ExitStack) -> None:
    """A list that grows, by a thousand small objects a round."""
    _kept.append([[number] for number in range(1000)])
    stack.callback(_kept.clear)


def a_file(stack: ExitStack) -> None:
    """A file that is opened and not closed, once a round."""
    stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))


def a_thread(stack: ExitStack) -> None:
    """A thread that waits for ever, one more each round."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="planted", daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(over.set)


PLANTS: Final[dict[str, Callable[[ExitStack], None]]] = {"list": a_list, "fd": a_file, "thread": a_thread}


def planted(names: list[str], stack: ExitStack) -> Callable[[], None]:
    """What to call after each round; `stack` gives back what it has kept."""

    def leak() -> None:
        for name in names:
            PLANTS[name](stack)

    return leak
