"""What an app lets go of without a word of its own: coroutines that nobody awaited, exceptions that nobody asked for.

Python notices both when the object is dropped, and prints a line that few read. While a recording is on, we stand where
Python says it: before the warning of an unawaited coroutine, and at the loop's exception handler. Both go on to what
stood there, so what is printed is what would have been. A task that has failed may outlive the recording; so those are
remembered, weakly, and asked at its end whether anybody had their exception. Nothing is done for a task that ends well,
nor for a step.

Only what is this recording's is noted: what its loop's thread or its workers drop, and tasks that ended in it. A
coroutine tells its name and where it is written; who made it Python does not keep (but in its debug mode, which costs
something at each call). So the line that let go of it is noted, and believed only if it names it: see `Losses.site`.
"""

import asyncio
import re
import sys
import threading
import warnings
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType, TracebackType
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

from playground.code import is_own, own_frame
from playground.forked import lock
from playground.trace.requests import words_of
from playground.trace.rows import LossKind, Site
from playground.trace.seams import borrow, borrow_method
from playground.trace.sites import Sites
from playground.trace.table import Names
from playground.trace.tables import WORDS, columns_of
from playground.trace.threads import sender, works_for

__all__ = ["MOST", "Losses", "watch_losses"]

MOST: Final = 10_000
"""Losses that are kept: more are one mistake, made again and again. What comes after is counted."""

_KIND: Final = {word: number for number, word in enumerate(WORDS["LossKind"])}

_WARNS: Final = "_warn_unawaited_coroutine"
"""What the interpreter calls in `warnings` for each, whatever the filters say (Objects/genobject.c)."""
_TOLD: Final = "exception was never retrieved"
"""How asyncio ends what it says of a task, a future or a gathering whose exception nobody had."""


@dataclass(slots=True)
class LossRecord:
    """A loss. Codes and offsets are places; code 0 is none.

    Attributes:
        name: the coroutine's qualified name, or type and text of the exception.
        task: the number of the task that let go of the coroutine, or whose exception it was; 0 for none.
        called: the coroutine function's own name, which the line that let go of it must hold to be believed.
        defined: the coroutine's code, or 0.
    """

    kind: LossKind
    at_ns: int
    task: int
    name: str
    place: tuple[int, int]
    called: str = ""
    defined: int = 0


class LossRecorder(Protocol):
    """What losses need of a recorder."""

    now: Callable[[], int]
    sites: Sites
    losses: "Losses"
    ended_ns: int | None
    mark: object

    def number_of(self, task: "asyncio.Task[Any] | None") -> int:
        """The number of a task; 0 for none."""


class Losses:
    """What was lost in one recording.

    Args:
        sites: numbers for code.

    Attributes:
        records: what is known so far, in the order in which it was noted.
        forgotten: how many came after `MOST`.
    """

    def __init__(self, sites: Sites) -> None:
        self.records: list[LossRecord] = []
        self.forgotten = 0
        self._sites = sites
        self._mark = object()  # tasks of other recordings have other marks
        self._failed: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._is_closed = False

    def failed(self, task: Any, number: int, at_ns: int) -> None:
        """A task has ended with an exception. It is asked later whether anybody had it: most are awaited."""
        task._playground_failed = self._mark, number, at_ns
        self._failed[number] = task

    def told(self, context: dict[str, Any]) -> None:
        """The loop's exception handler was called: perhaps because one of our tasks was dropped unasked."""
        message, error = context.get("message"), context.get("exception")
        if not isinstance(message, str) or not message.endswith(_TOLD) or not isinstance(error, BaseException):
            return
        future = context.get("future")
        for each in (future, *getattr(future, "_children", ())):  # what gathers was asked for its children's
            mark, number, at_ns = getattr(each, "_playground_failed", (None, 0, 0))
            # of several that failed, the gathering's exception is that of the first in time, not in order
            if mark is self._mark and each._exception is error and not self._is_closed:
                self._add_error(number, at_ns, error)
                return

    def unawaited(self, coro: Any, recorder: LossRecorder) -> None:
        """A coroutine is dropped that never began."""
        task = sender() if asyncio._get_running_loop() is None else asyncio.current_task()
        frame = own_frame(sys._getframe(1))
        place = (0, 0) if frame is None else (self._sites.number(frame.f_code), frame.f_lasti)
        code: CodeType = coro.cr_code
        number, defined = recorder.number_of(task), self._sites.number(code)
        self._add(LossRecord("coroutine", recorder.now(), number, coro.__qualname__, place, coro.__name__, defined))

    def close(self) -> None:
        """The recording is over: the tasks that live and have failed are asked, without being told so."""
        for number, task in sorted(self._failed.items()):
            if task._log_traceback:
                self._add_error(number, task._playground_failed[2], task._exception)
        self._is_closed = True
        self._failed.clear()
        self.records = sorted(self.records, key=lambda record: record.at_ns)

    def _add_error(self, number: int, at_ns: int, error: BaseException) -> None:
        self._add(LossRecord("exception", at_ns, number, words_of(error), self._raised(error.__traceback__)))

    def _raised(self, trace: TracebackType | None) -> tuple[int, int]:
        """The innermost line of the user's own on the way to where an exception was raised."""
        place = (0, 0)
        while trace is not None:
            if is_own(trace.tb_frame.f_code.co_filename):
                place = (self._sites.number(trace.tb_frame.f_code), trace.tb_lasti)
            trace = trace.tb_next
        return place

    def _add(self, record: LossRecord) -> None:
        if len(self.records) < MOST:
            self.records.append(record)
        else:
            self.forgotten += 1

    def columns(
        self, origin_ns: int, task: Callable[[int], int], names: Names, places: Mapping[int, int]
    ) -> "dict[str, array[int]]":
        """The table of losses.

        Args:
            origin_ns: when the recording began.
            task: gives the pointer to the row of a task by its number; 0 for one that was forgotten.
            names, places: for pointers to strings and sites.
        """
        columns = {name: array(code) for name, code in columns_of("losses").items()}
        for record in self.records.copy():
            row = (
                _KIND[record.kind],
                task(record.task),
                max(0, record.at_ns - origin_ns),
                names.string(record.name),
                names.site(self.site(record)),
                places[record.defined],
            )
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
        return columns

    def site(self, record: LossRecord) -> Site | None:
        """The line of a loss: where the exception was raised, or what let go of the coroutine, if it names it."""
        site = self._sites.site(*record.place) if record.place[0] else None
        if site is None or record.kind == "exception":
            return site
        named = len(record.called) <= len(site.text) and re.search(rf"\b{re.escape(record.called)}\b", site.text)
        return site if named else None


class watch_losses:
    """Context manager: while it is open, what a loop's thread and its workers lose is told to `recorder`.

    Args:
        loop: whose thread this is, and whose exception handler is called; `None` for a loop that has none.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None, recorder: LossRecorder) -> None:
        self._loop = loop
        self._recorder = recorder
        self._ident = threading.get_ident()
        self._give_back: list[Callable[[], None] | None] = []

    def __enter__(self) -> None:
        if self._loop is not None:
            self._give_back.append(borrow_method(self._loop, "call_exception_handler", self._standing_in))
        with _lock:
            _watching.append(self)
        if hasattr(warnings, _WARNS):
            self._give_back.append(borrow(warnings, _WARNS, _telling))

    def __exit__(self, *exc_info: object) -> None:
        with _lock:
            _watching.remove(self)
        for give_back in filter(None, self._give_back):
            give_back()

    def _standing_in(self, found: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        told = self._recorder.losses.told

        def call_exception_handler(context: dict[str, Any]) -> None:
            told(context)
            found(context)

        return call_exception_handler

    def dropped(self, coro: Any) -> None:
        """A coroutine was dropped that never began, in this thread."""
        recorder = self._recorder
        if recorder.ended_ns is None and (threading.get_ident() == self._ident or works_for() is recorder.mark):
            recorder.losses.unawaited(coro, recorder)


_UNCOUNTED: Final = "<frozen importlib._bootstrap>"
"""The file of frames that `warnings.warn` does not count (Python/_warnings.c, is_internal_frame)."""

_lock: Final = lock()
_watching: Final[list[watch_losses]] = []


def _telling(found: Callable[[Any], None]) -> Callable[[Any], None]:
    """Tells those who watch of an unawaited coroutine, and then does what was done."""

    def warn(coro: Any) -> None:
        try:
            for watching in _watching.copy():
                watching.dropped(coro)
        finally:
            found(coro)

    # the warning names the line of whoever dropped it, which is two frames out: but for those of imports, which the
    # interpreter leaves out of the count, and with it this one
    warn.__code__ = warn.__code__.replace(co_filename=_UNCOUNTED)
    return warn
