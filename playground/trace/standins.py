"""Stand-ins: what takes the place of a layer, a router or a handler while a recording is on.

Each does what that does, and notes when, on the way of the request that comes through (see `spans`); to whoever looks
at it, it looks like what it stands for. Where stand-ins are put is decided by `onion`.
"""

import inspect
from collections.abc import Callable
from contextlib import ExitStack
from types import CodeType, FunctionType, MethodType
from typing import Any, Final

from playground.asgi import Receive, Scope, Send
from playground.trace.rows import SpanKind
from playground.trace.sites import label, unwrapped
from playground.trace.spans import SpanRecord, SpanRecorder, Way, way_here

__all__ = ["Arguments", "Endpoint", "Handler", "Layer", "Routing", "Shell", "StandIn", "code_of"]


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
        number = (recorder.codes.get(id(code)) or recorder.meet(code))[1]
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
        way = way_here()
        if way is None:
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
        way = way_here()
        if way is None:
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
        way = way_here()
        try:
            await self._seen_real(scope, receive, send)
        finally:
            if way is not None:
                way.end()


class Handler(StandIn):
    """An async function that a route calls, and that may call a plain one in a thread; what it returns is then sent."""

    __slots__ = ()

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        way = way_here()
        if way is None:
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
        way = way_here()
        if way is None:
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
