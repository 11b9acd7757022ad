"""What a process that was forked finds: of all threads only the one that forked, and every lock as it stood then.

A lock that another thread held at that moment would never be released in the child, and what was borrowed for a loop
whose thread is not there would never be given back. This says what is done about it there, where processes are forked
at all; what that is, its users know.
"""

import os
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["in_child", "lock", "rlock"]


def in_child(action: Callable[[], object]) -> None:
    """Have something done first of all in each process that is forked from this one."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=action)


def lock() -> threading.Lock:
    """A lock that is free in a forked process. For modules: it is never forgotten."""
    return _freed(threading.Lock())  # type: ignore[no-any-return]


def rlock() -> "threading.RLock":
    """The same, of the kind that its holder may take again."""
    return _freed(threading.RLock())  # type: ignore[no-any-return]


def _freed(made: Any) -> Any:
    in_child(made._at_fork_reinit)  # what the standard library asks of its own locks there
    return made
