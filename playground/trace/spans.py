"""Spans: how long each layer of an app, its routing and its handler had a request, one within the other.

Here are the stand-ins that note it: each takes the place of a layer, a router or a handler while a recording is
on, does what that does, and says when. Where they are put is decided by `onion`; a request that did not come
through `recorded_app` passes through them unnoticed.

The span that a call is in is a context variable, so it follows a request into the tasks that are made for it. A
span may also be left open until the next begins or the call around it ends: that of the routing, which is over
when what it has found is entered, and that of the response, which is being sent until the route is done.
"""

import asyncio
import inspect
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar, Token
from threading import get_ident
from types import CodeType, FunctionType, MethodType
from typing import Any, Final, Protocol

from playground.asgi import Receive, Scope, Send
from playground.trace.kept import Kept
from playground.trace.rows import SpanKind
from playground.trace.sites import label, unwrapped

__all__ = [
    "Arguments",
    "Handler",
    "Layer",
    "Place",
    "Routing",
    "Shell",
    "SpanRecord",
    "SpanRecorder",
    "StandIn",
    "Telling",
    "back",
    "code_of",
    "here",
]


class SpanRecord:
    """One span while it happens.

    Attributes:
        request: an index into the recorder's requests.
        kind, name: what had the request, and what it is called.
        start_ns, end_ns: nanoseconds of the recorder's clock; `None` until known.
        parent: an index into the recorder's spans, or `None`.
        task, code: numbers of the task and of the code; 0 for none.
    """

    __slots__ = ("code", "end_ns", "kind", "name", "parent", "request", "start_ns", "task")

    def __init__(
        self, request: int, kind: SpanKind, name: str, start_ns: int, parent: int | None, task: int, code: int
    ) -> None:
        self.request = request
        self.kind = kind
        self.name = name
        self.start_ns = start_ns
        self.end_ns: int | None = None
        self.parent = parent
        self.task = task
        self.code = code


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


class Telling:
    """One request, and to whom its spans are told: the list that was the recorder's when the request came in."""

    __slots__ = ("codes", "meet", "now", "number_of", "recorder", "request", "spans", "thread")

    def __init__(self, recorder: SpanRecorder, request: int) -> None:
        self.recorder = recorder
        self.request = request
        self.spans = recorder.spans  # a recorder that is closed goes on with a copy, so what comes later is not in it
        self.now = recorder.now
        self.codes = recorder.codes
        self.meet = recorder.meet
        self.number_of = recorder.number_of
        self.thread = get_ident()


class Place:
    """Where in its request a call stands.

    Attributes:
        telling: the request.
        index: the span that it is in, as an index; `None` outside of all.
        span: that span, if it ends together with this place.
        open: a span within that lasts until the next begins or this place is left.
    """

    __slots__ = ("index", "open", "span", "telling")

    def __init__(self, telling: Telling, index: int | None = None, span: SpanRecord | None = None) -> None:
        self.telling = telling
        self.index = index
        self.span = span
        self.open: SpanRecord | None = None

    def begin(self, kind: SpanKind, name: str, code: CodeType | None) -> SpanRecord:
        """Begin a span in this place, and so end the one that was open."""
        telling = self.telling
        task = asyncio.current_task()
        number = getattr(task, "_playground", 0) or telling.number_of(task)
        entry = 0 if code is None else (telling.codes.get(id(code)) or telling.meet(code))[1]
        now = telling.now()
        if self.open is not None:
            if self.open.end_ns is None:
                self.open.end_ns = now
            self.open = None
        span = SpanRecord(telling.request, kind, name, now, self.index, number, entry)
        telling.spans.append(span)
        return span

    def enter(self, kind: SpanKind, name: str, code: CodeType | None) -> "Place":
        """The place within a new span."""
        span = self.begin(kind, name, code)
        return Place(self.telling, self.telling.spans.next - 1, span)

    def leave(self) -> None:
        """End what ends here."""
        now = self.telling.now()
        if self.open is not None and self.open.end_ns is None:
            self.open.end_ns = now
        if self.span is not None:
            self.span.end_ns = now


here: Final[ContextVar[Place | None]] = ContextVar("playground_here", default=None)


def _known_here() -> Place | None:
    """The place of this call; `None` if it is not recorded, or runs on another thread's loop, whose tasks are not."""
    place = here.get()
    return place if place is not None and place.telling.thread == get_ident() else None


def back(token: "Token[Place | None]") -> None:
    """Go back to the place outside."""
    try:
        here.reset(token)
    except ValueError:  # a call that was given up is being closed by somebody else, whose context this is
        return


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

    __slots__ = ("_seen_code", "_seen_name", "_seen_real")

    def __init__(self, real: Any, name: str, code: CodeType | None = None) -> None:
        object.__setattr__(self, "_seen_real", real)
        object.__setattr__(self, "_seen_name", name)
        object.__setattr__(self, "_seen_code", code)

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
        object.__setattr__(self, "_seen_kind", kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outside = _known_here()
        if outside is None:
            await self._seen_real(scope, receive, send)
            return
        inside = outside.enter(self._seen_kind, self._seen_name, self._seen_code)
        token = here.set(inside)
        try:
            await self._seen_real(scope, receive, send)
        finally:
            inside.leave()
            back(token)


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
        object.__setattr__(self, "_seen_watch_routes", watch_routes)
        object.__setattr__(self, "_seen_routes", watched)
        object.__setattr__(self, "_seen_count", len(real.__self__.routes))

    def _seen_look(self, recorder: SpanRecorder) -> None:
        """Watch the routes that were added since."""
        router = self._seen_real.__self__
        if len(router.routes) != self._seen_count and recorder.ended_ns is None:
            object.__setattr__(self, "_seen_count", len(router.routes))
            object.__setattr__(self, "_seen_routes", self._seen_watch_routes(router, recorder.borrowed))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outside = _known_here()
        if outside is None:
            await self._seen_real(scope, receive, send)
            return
        self._seen_look(outside.telling.recorder)
        inside = Place(outside.telling, outside.index)
        span = inside.open = outside.begin("routing", self._seen_name, None)
        before = scope.get("endpoint")
        token = here.set(inside)
        try:
            await self._seen_real(scope, receive, send)
        finally:
            if span.end_ns is None and scope.get("endpoint") is not before:
                self._seen_unwatched(span, scope)
            inside.leave()
            back(token)

    def _seen_unwatched(self, span: SpanRecord, scope: Scope) -> None:
        """A route was found that nobody watches: the span held its handler too, which is nearly all of it."""
        if id(scope.get("route")) not in self._seen_routes:
            span.kind = "handler"
            span.name = label(scope["endpoint"])


class Shell(StandIn):
    """What a route's layers are around: an app without a span of its own, in which a response is being sent."""

    __slots__ = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outside = _known_here()
        if outside is None:
            await self._seen_real(scope, receive, send)
            return
        inside = Place(outside.telling, outside.index)
        token = here.set(inside)
        try:
            await self._seen_real(scope, receive, send)
        finally:
            inside.leave()
            back(token)


class Handler(StandIn):
    """An async function that a route calls, and that may call a plain one in a thread; what it returns is then sent.

    FastAPI's `run_endpoint_function` says by its argument `dependant` which function it calls.
    """

    __slots__ = ()

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outside = _known_here()
        if outside is None:
            return await self._seen_real(*args, **kwargs)
        name, code = self._seen_name, self._seen_code
        if "dependant" in kwargs:
            called = getattr(kwargs["dependant"], "call", None)
            name, code = label(called), code_of(called)
        inside = outside.enter("handler", name, code)
        token = here.set(inside)
        try:
            result = await self._seen_real(*args, **kwargs)
        finally:
            inside.leave()
            back(token)
        if result is not None:
            outside.open = outside.begin("response", type(result).__qualname__, None)
        return result


class Arguments(StandIn):
    """FastAPI's part of a route: it makes the arguments, has the endpoint called, and makes the response."""

    __slots__ = ()

    async def __call__(self, request: Any) -> Any:
        outside = _known_here()
        if outside is None:
            return await self._seen_real(request)
        inside = Place(outside.telling, outside.index)
        arguments = inside.open = outside.begin("dependency", self._seen_name, None)
        token = here.set(inside)
        try:
            response = await self._seen_real(request)
        except BaseException:
            inside.leave()
            raise
        finally:
            back(token)
        sending = inside.open
        if sending is None or sending is arguments:  # a generator: it runs while it is sent
            inside.leave()
            sending = outside.begin("response", "", None)
        sending.name = type(response).__qualname__
        outside.open = sending
        return response
