"""Spans: how long each layer of an app, its routing and its handler had a request, one within the other.

Here are the stand-ins that note it: each takes the place of a layer, a router or a handler while a recording is
on, does what that does, and says when. Where they are put is decided by `onion`; a request that did not come
through `recorded_app` passes through them unnoticed.

A request's way is a context variable, so it follows the request into the tasks that are made for it, each of which
goes on from the span in which it was made. A span may be left open until the next begins or the call around it ends:
that of the routing, which is over when what it has found is entered, and that of the response, which is being sent
until the route is done.
"""

import asyncio
import copy
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from threading import get_ident
from types import CodeType, FunctionType, MethodType
from typing import Any, Final, Protocol

from playground.asgi import Receive, Scope, Send
from playground.trace.kept import Kept
from playground.trace.rows import SpanKind
from playground.trace.sites import label, unwrapped

__all__ = [
    "Arguments",
    "Endpoint",
    "Handler",
    "Layer",
    "Routing",
    "Shell",
    "SpanRecord",
    "SpanRecorder",
    "StandIn",
    "code_of",
    "on_the_way",
]


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


class Way:
    """One request's way through the app, in one task; tasks that are made on the way have ways of their own.

    Attributes:
        recorder: whom it is told.
        index: the span that it is in, as an index; `None` outside of all.
        open: a span that no call of its own ends: the routing, which the next span ends; the dependencies, which the
            handler ends; the response, which ends with the call around it. It is gone into, but for the routing.
    """

    __slots__ = ("_now", "_number", "_request", "_spans", "_task", "_thread", "index", "open", "recorder")

    def __init__(self, recorder: SpanRecorder, request: int) -> None:
        self.recorder = recorder
        self.index: int | None = None
        self.open: SpanRecord | None = None
        self._request = request
        self._spans = recorder.spans  # a recorder that is closed goes on with a copy, so what comes later is not in it
        self._now = recorder.now
        self._thread = get_ident()
        self._task = _current_task()
        self._number = recorder.number_of(self._task)

    def enter(self, stand_in: "StandIn", kind: SpanKind) -> SpanRecord:
        """Begin a span and go into it; the routing ends. Every layer of every request comes by here."""
        code = stand_in._seen_number
        if stand_in._seen_recorder is not self.recorder:
            code = stand_in._seen_by(self.recorder)
        around = self.open
        now = self._now()
        if around is not None:
            self.open = None
            if around.kind == "routing":
                around.end_ns = now
                around = None
        span = SpanRecord(self._request, kind, stand_in._seen_name, now, self.index, self._number, code, around)
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

    def go_on(self, stand_in: "StandIn", kind: SpanKind) -> SpanRecord:
        """Begin a span, go into it, and leave it open."""
        self.open = span = self.enter(stand_in, kind)
        span.around = None
        return span

    def here(self) -> "Way | None":
        """This way, in the task that it was made in; in another, that task's own from here on.

        On another thread's loop there is none, for its tasks are not recorded.
        """
        task = _current_task()
        if self._task is task:
            return self
        if self._thread != get_ident():
            return None
        way = copy.copy(self)
        way._task, way._number, way.open = task, self.recorder.number_of(task), None
        if self.open is not None and self.open.kind == "routing":  # what was found is entered, if by another task
            self.end()
        _way.set(way)
        return way


_way: Final[ContextVar[Way | None]] = ContextVar("playground_way", default=None)


@contextmanager
def on_the_way(recorder: SpanRecorder, request: int) -> Iterator[None]:
    """Within it, spans of this task, and of those made there, belong to this request."""
    token = _way.set(Way(recorder, request))
    try:
        yield
    finally:
        with suppress(ValueError):  # if the call was given up, and somebody else closes it, whose context this is
            _way.reset(token)


def code_of(function: object) -> CodeType | None:
    """Where a function is written: its own code, below partials and what `functools.wraps` has put around it."""
    function = unwrapped(function)
    if isinstance(function, MethodType):
        function = function.__func__
    if isinstance(function, FunctionType):
        function = unwrapped(inspect.unwrap(function))
    return function.__code__ if isinstance(function, FunctionType) else None


class StandIn:
    """What stands for somebody else's callable: whoever looks at it sees that.

    Args:
        real: the callable.
        name: what its spans are called.
        code: where it is written, if that is known.
    """

    __slots__ = ("_seen_code", "_seen_name", "_seen_number", "_seen_real", "_seen_recorder")

    def __init__(self, real: Any, name: str, code: CodeType | None = None) -> None:
        self._seen(real=real, name=name, code=code, number=0, recorder=None)

    def _seen(self, **own: Any) -> None:
        """Set what is the stand-in's own: all else is set on what it stands for."""
        for name, value in own.items():
            object.__setattr__(self, f"_seen_{name}", value)

    def _seen_by(self, recorder: SpanRecorder) -> int:
        """The number of the code in a recording."""
        code = self._seen_code
        number = 0 if code is None else (recorder.codes.get(id(code)) or recorder.meet(code))[1]
        self._seen(number=number, recorder=recorder)
        return number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._seen_real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._seen_real, name, value)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._seen_real)


class Layer(StandIn):
    """An ASGI app that has one span for each call: a layer of middleware, or a handler that is an app itself."""

    __slots__ = ("_seen_kind",)

    def __init__(self, real: Any, kind: SpanKind, name: str, code: CodeType | None = None) -> None:
        super().__init__(real, name, code)
        self._seen(kind=kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = _way.get()
        if way is None or (way := way.here()) is None:
            await self._seen_real(scope, receive, send)
            return
        span = way.enter(self, self._seen_kind)
        try:
            await self._seen_real(scope, receive, send)
        finally:
            way.leave(span)


class Routing(StandIn):
    """A router's own app: its span lasts until what it has found is entered.

    Args:
        watch_routes: watches the routes for a recorder; gives the `id` of each that is watched.
        watched: those that are watched already.
    """

    __slots__ = ("_seen_count", "_seen_routes", "_seen_watch_routes")

    def __init__(
        self,
        real: Any,
        name: str,
        watch_routes: Callable[[Any, ExitStack], frozenset[int]],
        watched: frozenset[int],
    ) -> None:
        super().__init__(real, name)
        self._seen(watch_routes=watch_routes, routes=watched, count=len(real.__self__.routes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = _way.get()
        if way is None or (way := way.here()) is None:
            await self._seen_real(scope, receive, send)
            return
        if len(self._seen_real.__self__.routes) != self._seen_count:
            self._seen_look(way.recorder)
        span = way.enter(self, "routing")
        around, way.open, way.index = span.around, span, span.parent
        before = scope.get("endpoint")
        try:
            await self._seen_real(scope, receive, send)
        finally:
            if span.end_ns is None and scope.get("endpoint") is not before:
                self._seen_unwatched(span, scope)
            way.end()
            way.open = around

    def _seen_look(self, recorder: SpanRecorder) -> None:
        """Watch the routes that were added since."""
        router = self._seen_real.__self__
        if recorder.ended_ns is None:
            self._seen(count=len(router.routes), routes=self._seen_watch_routes(router, recorder.borrowed))

    def _seen_unwatched(self, span: SpanRecord, scope: Scope) -> None:
        """A route was found that nobody watches: the span held its handler too, which is nearly all of it."""
        if id(scope.get("route")) not in self._seen_routes:
            span.kind = "handler"
            span.name = label(scope["endpoint"])


class Shell(StandIn):
    """What a route's layers are around: an app without a span of its own, in which a response is being sent."""

    __slots__ = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._seen_real(scope, receive, send)
        finally:
            way = _way.get()
            if way is not None and (way := way.here()) is not None:
                way.end()


class Handler(StandIn):
    """An async function that a route calls, and that may call a plain one in a thread; what it returns is then sent."""

    __slots__ = ()

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        way = _way.get()
        if way is None or (way := way.here()) is None:
            return await self._seen_real(*args, **kwargs)
        span = way.enter(self._seen_as(way, kwargs), "handler")
        try:
            result = await self._seen_real(*args, **kwargs)
        finally:
            way.leave(span)
        if result is not None:
            way.go_on(_RESPONSE, "response").name = type(result).__qualname__
        return result

    def _seen_as(self, way: Way, arguments: dict[str, Any]) -> StandIn:
        """What is about to be called, and by which name."""
        return self


class Endpoint(Handler):
    """FastAPI's `run_endpoint_function`, which says by its argument `dependant` which function it calls."""

    __slots__ = ()

    def _seen_as(self, way: Way, arguments: dict[str, Any]) -> StandIn:
        way.end()
        called = getattr(arguments.get("dependant"), "call", None)
        return StandIn(called, label(called), code_of(called))


class Arguments(StandIn):
    """FastAPI's part of a route: it makes the arguments, has the endpoint called, and makes the response."""

    __slots__ = ()

    async def __call__(self, request: Any) -> Any:
        way = _way.get()
        if way is None or (way := way.here()) is None:
            return await self._seen_real(request)
        arguments = way.go_on(self, "dependency")
        try:
            response = await self._seen_real(request)
        except BaseException:
            way.end()
            raise
        if arguments.end_ns is None:  # the handler is a generator: it runs while it is sent
            way.end()
            way.go_on(_RESPONSE, "response")
        if way.open is not None:
            way.open.name = type(response).__qualname__
        return response


_RESPONSE: Final = StandIn(None, "")
"""Stands for responses: nothing is called in their place, and their names are known when they are."""
