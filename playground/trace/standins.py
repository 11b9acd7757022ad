"""Stand-ins: what takes the place of a layer, a router or a handler while a recording is on.

Each does what that does, and notes when, on the way of the request that comes through (see `ways`). A layer or a
router is seen by others: to whoever looks at it, it looks like what it stands for. What only a route calls is a mere
function. Where stand-ins are put is decided by `onion`.
"""

import inspect
import sys
from collections.abc import Callable
from contextlib import ExitStack
from threading import get_ident
from types import CodeType, FunctionType, MethodType
from typing import Any

from playground.asgi import Receive, Scope, Send
from playground.trace.sites import label, unwrapped
from playground.trace.spans import CLOSED, Answered, Told, Unwatched
from playground.trace.ways import elsewhere, task_on, way_here, way_of

__all__ = ["Layer", "Mounted", "Routing", "Shell", "StandIn", "arguments", "code_of", "endpoint", "handler"]


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
        told: what is noted when it is entered.
    """

    # an attribute of a class with `__getattr__` is found slowly, so that all that a call needs is in one
    __slots__ = ("_seen_both", "_seen_real")

    def __init__(self, real: Any, told: Told | None = None) -> None:
        self._seen(real=real, both=(real, told))

    def _seen(self, **own: Any) -> None:
        """Set what is the stand-in's own: all else is set on what it stands for."""
        for name, value in own.items():
            # interned: a name that is another string each time fills the interpreter's cache of attributes anew
            object.__setattr__(self, sys.intern(f"_seen_{name}"), value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._seen_real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._seen_real, name, value)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._seen_real)


# `way_here` is written out where every request passes: to call it costs as much as to note what it is asked for


class Layer(StandIn):
    """An ASGI app that has one span for each call: a layer of middleware, or a handler that is an app itself."""

    __slots__ = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        real, told = self._seen_both
        way = way_of()
        if way is not None and (task_on(way[0]) is not way[1] or get_ident() != way[2]):
            way = elsewhere(way)
        if way is None:
            await real(scope, receive, send)
            return
        _, _, _, note, now, _, _ = way
        note(told)
        note(now())
        try:
            await real(scope, receive, send)
        finally:
            note(told.left)
            note(now())


class Mounted(Layer):
    """A layer that a route holds, and so may put into the scope as its endpoint, where the app would meet it."""

    __slots__ = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("endpoint") is self:
            scope["endpoint"] = self._seen_real
        await super().__call__(scope, receive, send)


class Routing(StandIn):
    """A router's own app: its span lasts until what it has found is entered.

    Args:
        watch_routes: watches the routes for a recorder; gives the `id` of each that is watched.
        watched: those that are watched already.
    """

    __slots__ = ("_seen_routes", "_seen_watch_routes")

    def __init__(
        self,
        real: Any,
        told: Told,
        watch_routes: Callable[[Any, ExitStack], frozenset[int]],
        watched: frozenset[int],
    ) -> None:
        super().__init__(real, told)
        self._seen(watch_routes=watch_routes)
        self._seen_look(watched)

    def _seen_look(self, watched: frozenset[int]) -> None:
        router, (real, told, *_) = self._seen_real.__self__, self._seen_both
        self._seen(both=(real, told, router, len(router.routes), watched))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        real, told, router, count, watched = self._seen_both
        way = way_of()
        if way is not None and (task_on(way[0]) is not way[1] or get_ident() != way[2]):
            way = elsewhere(way)
        if way is None:
            await real(scope, receive, send)
            return
        _, _, _, note, now, recorder, _ = way
        if len(router.routes) != count and recorder.ended_ns is None:  # some were added since
            watched = self._seen_watch_routes(router, recorder.borrowed)
            self._seen_look(watched)
        before = scope.get("endpoint")
        note(told)
        note(now())
        try:
            await real(scope, receive, send)
        finally:
            if id(scope.get("route")) not in watched and scope.get("endpoint") is not before:
                note(Unwatched(label(scope["endpoint"])))
                note(now())
            note(told.left)
            note(now())


class Shell(StandIn):
    """What a route's layers are around: an app without a span of its own, in which a response is being sent."""

    __slots__ = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = way_here()
        try:
            await self._seen_real(scope, receive, send)
        finally:
            if way is not None:
                _, _, _, note, now, _, _ = way
                note(CLOSED)
                note(now())


def handler(real: Any, told: Told) -> Any:
    """For an async function that a route calls, perhaps with a plain one in a thread; what it returns is then sent."""
    left = told.left

    async def handle(*args: Any, **kwargs: Any) -> Any:
        way = way_of()
        if way is not None and (task_on(way[0]) is not way[1] or get_ident() != way[2]):
            way = elsewhere(way)
        if way is None:
            return await real(*args, **kwargs)
        _, _, _, note, now, _, _ = way
        note(told)
        note(now())
        result = None
        try:
            result = await real(*args, **kwargs)
            return result
        finally:
            note(left)
            note(left_ns := now())
            if result is not None:
                note(type(result))
                note(left_ns)

    return handle


def endpoint(real: Any) -> Any:
    """For FastAPI's `run_endpoint_function`, which says by its argument `dependant` which function it calls."""
    known: dict[int, tuple[Any, Any]] = {}

    async def run(*args: Any, **kwargs: Any) -> Any:
        way = way_here()
        if way is None:
            return await real(*args, **kwargs)
        _, _, _, note, now, _, _ = way
        note(CLOSED)
        note(now())
        called = getattr(kwargs.get("dependant"), "call", None)
        if id(called) not in known:  # with what is called, so that no other can have that `id`
            known[id(called)] = called, handler(real, Told("handler", label(called), code_of(called)))
        return await known[id(called)][1](*args, **kwargs)

    return run


def arguments(real: Any) -> Any:
    """For FastAPI's part of a route: it makes the arguments, has the endpoint called, and makes the response."""
    told = Told("dependency", "dependencies")

    async def respond(request: Any) -> Any:
        way = way_here()
        if way is None:
            return await real(request)
        _, _, _, note, now, _, _ = way
        note(told)
        note(now())
        try:
            response = await real(request)
        except BaseException:
            note(CLOSED)
            note(now())
            raise
        note(Answered(type(response)))
        note(now())
        return response

    return respond
