"""A runner: a thread in virtual time, and which one the calling thread is.

What it is to a `Baton` stands here in plain attributes; who runs, and when, is for the baton to decide.
"""

import threading

# by its own name: while a virtual loop is open, `threading` has another
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from playground.errors import BrokenOff

if TYPE_CHECKING:
    from playground.clock.baton import Baton

__all__ = ["Aborted", "Runner", "become", "current", "outside"]


class Aborted(BrokenOff):
    """Ends a worker thread that nobody will ever wake."""


class Runner:
    """A thread in virtual time.

    Attributes:
        name: what a message calls it.
        ident: the thread's identifier; 0 until it has started.
        native_id: its number for the system.
        charged_ns: processor time that it has been charged.
        asked_ns, locked_out_ns: when it last asked for the simulated interpreter lock in vain, and how long it has
            waited for it in all.
        glances, glanced_at: how often it has looked at the clock, and the moment and task in which it was last asked.
        lock: held but for the moment in which the runner is given the baton.
        ticket: the serial number of the wait that it stands in; 0 while it is not waiting.
        woken: whether its last wait was ended by another runner, and not by time.
        error: what to raise where it is parked, instead of going on.
        lost: whether it was found to wait in real time, so that virtual time goes on without it.
        on_behalf: the mark of the call (see `calls`) for which it works; `None` if that is not known.
        over: whether it has ended.
        joining: who waits for its end.
        thread: the worker thread that it is; `None` for the loop's, and for one that is simulated.
    """

    __slots__ = (
        "asked_ns",
        "baton",
        "charged_ns",
        "error",
        "glanced_at",
        "glances",
        "ident",
        "joining",
        "lock",
        "locked_out_ns",
        "lost",
        "name",
        "native_id",
        "on_behalf",
        "over",
        "thread",
        "ticket",
        "woken",
    )

    def __init__(self, baton: "Baton", name: str) -> None:
        self.baton = baton
        self.name = name
        self.ident = 0
        self.native_id = 0
        self.charged_ns = self.glances = 0
        self.glanced_at = (0, 0)
        self.asked_ns = self.locked_out_ns = 0
        self.lock = allocate_lock()
        self.lock.acquire()
        self.ticket = 0
        self.woken = False
        self.error: BaseException | None = None
        self.lost = False
        self.on_behalf: object = None
        self.over = False
        self.joining: list[Runner] = []
        self.thread: threading.Thread | None = None

    def begin_call(
        self, mark: object, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Note for whom a worker works, and give what it is to call: nothing for one who has given up."""
        self.on_behalf = mark
        return (_give_up, ()) if mark in self.baton.given_up else (function, args)


def _give_up() -> None:
    raise Aborted


class _Here(threading.local):
    """Which runner the current thread is; `None` for all threads outside virtual time."""

    runner: Runner | None = None


_here: Final = _Here()


def current() -> Runner | None:
    """The runner that the calling thread is."""
    me = _here.runner
    return me if me is None or not me.lost else None


@contextmanager
def outside() -> Iterator[None]:
    """For a while, let this thread wait for real: for what happens outside virtual time and is sure to happen."""
    runner, _here.runner = _here.runner, None
    try:
        yield
    finally:
        _here.runner = runner


def become(runner: Runner | None) -> None:
    """Make the calling thread that runner; with `None`, one that is outside virtual time."""
    _here.runner = runner
