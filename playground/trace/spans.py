"""Spans: how long each layer of an app, its routing and its handler had a request, one within the other.

Who notes it are the stand-ins of `standins`, which `onion` puts in their places; here is what they note, and on which
request's way. A request that did not come through `recorded_app` has none, and is passed through unnoticed.

A request's way is a context variable, so it follows the request into the tasks that are made for it, each of which
goes on from the span in which it was made. A span may be left open until the next begins or the call around it ends:
that of the routing, which is over when what it has found is entered, and that of the response, which is being sent
until the route is done.
"""

import asyncio
import copy
import sys
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar, Token
from threading import get_ident
from types import CodeType
from typing import Any, Final, Protocol

from playground.trace.kept import Kept
from playground.trace.rows import SpanKind

__all__ = ["SpanRecord", "SpanRecorder", "Told", "Way", "arrive", "set_out", "way_here"]


if sys.version_info >= (3, 12):
    _current_task = asyncio.current_task
else:

    def _current_task() -> "asyncio.Task[Any] | None":
        """What asyncio.current_task() gives, which is slow on Python 3.11: 0.2 µs, for each span."""
        return _tasks.get(asyncio._get_running_loop())

    _tasks: Final[dict[Any, Any]] = asyncio.tasks._current_tasks  # type: ignore[attr-defined]


class SpanRecord:
    """One span while it happens.

    Attributes:
        request: an index into the recorder's requests.
        kind, name: what had the request, and what it is called.
        start_ns, end_ns: nanoseconds of the recorder's clock; `None` until known.
        parent: an index into the recorder's spans, or `None`.
        task, code: numbers of the task and of the code; 0 for none.
        around: the open span that it is within, while it lasts; see `Way.open`.
    """

    __slots__ = ("around", "code", "end_ns", "kind", "name", "parent", "request", "start_ns", "task")

    def __init__(
        self,
        request: int,
        kind: SpanKind,
        name: str,
        start_ns: int,
        parent: int | None,
        task: int,
        code: int,
        around: "SpanRecord | None" = None,
    ) -> None:
        self.request = request
        self.kind = kind
        self.name = name
        self.start_ns = start_ns
        self.end_ns: int | None = None
        self.parent = parent
        self.task = task
        self.code = code
        self.around = around


class SpanRecorder(Protocol):
    """What spans need of a recorder."""

    now: Callable[[], int]
    spans: Kept[SpanRecord]
    codes: dict[int, tuple[int, int, bool]]
    meet: Callable[[CodeType], tuple[int, int, bool]]
    ended_ns: int | None
    borrowed: ExitStack
    """What is to be given back when the recording is over."""

    def number_of(self, task: "asyncio.Task[Any] | None") -> int:
        """The number of a task; 0 for none."""


class Told(Protocol):
    """What spans are told of a layer: see `standins.StandIn`."""

    _seen_name: str
    _seen_code: CodeType | None
    _seen_number: int
    _seen_recorder: SpanRecorder | None

    def _seen_by(self, recorder: SpanRecorder) -> int:
        """The number of its code in a recording."""


class Way:
    """One request's way through the app, in one task; tasks that are made on the way have ways of their own.

    Attributes:
        recorder: whom it is told.
        task: whose way it is.
        index: the span that it is in, as an index; `None` outside of all.
        open: a span that no call of its own ends: the routing, which the next span ends; the dependencies, which the
            handler ends; the response, which ends with the call around it. It is gone into, but for the routing.
    """

    __slots__ = ("_now", "_number", "_request", "_spans", "_thread", "index", "open", "recorder", "task")

    def __init__(self, recorder: SpanRecorder, request: int) -> None:
        self.recorder = recorder
        self.index: int | None = None
        self.open: SpanRecord | None = None
        self._request = request
        self._spans = recorder.spans  # a recorder that is closed goes on with a copy, so what comes later is not in it
        self._now = recorder.now
        self._thread = get_ident()
        self.task = _current_task()
        self._number = recorder.number_of(self.task)

    def enter(self, told: Told, kind: SpanKind) -> SpanRecord:
        """Begin a span and go into it; the routing ends. Every layer of every request comes by here."""
        code = told._seen_number
        if told._seen_recorder is not self.recorder and told._seen_code is not None:
            code = told._seen_by(self.recorder)
        around = self.open
        now = self._now()
        if around is not None:
            self.open = None
            if around.kind == "routing":
                around.end_ns = now
                around = None
        span = SpanRecord(self._request, kind, told._seen_name, now, self.index, self._number, code, around)
        spans = self._spans
        self.index = number = spans.added  # `append`, written out, as a call would cost a tenth of all this
        spans[number] = span
        spans.added = number + 1
        return span

    def leave(self, span: SpanRecord) -> None:
        """End a span, and what is open within, and go out of it."""
        span.end_ns = now = self._now()
        if self.open is not None:
            self.open.end_ns = now
        self.index = span.parent
        self.open = span.around
        if self.open is not None:
            span.around = None

    def end(self) -> None:
        """End what is open, and go out of it."""
        if self.open is not None:
            self.open.end_ns = self._now()
            self.index = self.open.parent
            self.open = None

    def go_on(self, told: Told, kind: SpanKind) -> SpanRecord:
        """Begin a span, go into it, and leave it open."""
        self.open = span = self.enter(told, kind)
        span.around = None
        return span

    def elsewhere(self) -> "Way | None":
        """The way of a task that was made on this one.

        On another thread's loop there is none, for its tasks are not recorded.
        """
        if self._thread != get_ident():
            return None
        way = copy.copy(self)
        way.task, way.open = _current_task(), None
        way._number = self.recorder.number_of(way.task)
        if self.open is not None and self.open.kind == "routing":  # what was found is entered, if by another task
            self.end()
        _way.set(way)
        return way


_way: Final[ContextVar[Way | None]] = ContextVar("playground_way", default=None)


def way_here() -> Way | None:
    """The way of this task; `None` if what it does is not recorded."""
    way = _way.get()
    return way if way is None or way.task is _current_task() else way.elsewhere()


def set_out(recorder: SpanRecorder, request: int) -> "Token[Way | None]":
    """From here on, spans of this task, and of those that it makes, belong to this request."""
    return _way.set(Way(recorder, request))


def arrive(token: "Token[Way | None]") -> None:
    """The request is over."""
    try:
        _way.reset(token)
    except ValueError:  # the call was given up, and somebody else closes it, whose context this is
        return
