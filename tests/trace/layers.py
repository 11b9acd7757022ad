"""Apps of layers, on Starlette and on playground.web, and the shapes of the spans that are recorded of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from playground import Lab
from playground.asgi import Message, Receive, Scope, Send
from playground.trace import Span, Trace
from playground.trace.recorder import Recorder

Shape = tuple[str, str, int]  # kind, name, depth


class Kit(NamedTuple):
    """The names that both toolkits have, and mean the same by."""

    Starlette: Any
    Route: Any
    WebSocketRoute: Any
    Mount: Any
    Router: Any
    Middleware: Any
    BaseHTTPMiddleware: Any
    HTTPEndpoint: Any
    PlainTextResponse: Any
    StreamingResponse: Any
    StaticFiles: Any


def kit_of(module: Any) -> Kit:
    places = [module.applications, module.routing, module.middleware, module.middleware.base]
    places += [module.endpoints, module.responses, module.staticfiles]
    return Kit(**{name: next(getattr(p, name) for p in places if hasattr(p, name)) for name in Kit._fields})


def shapes(trace: Trace, request: int = 0) -> list[Shape]:
    """A request's spans in order: kind, name without where its class was defined, depth."""
    return [(s.kind, s.name.split(".<locals>.")[-1], depth(trace, s)) for s in trace.spans if s.request == request]


def depth(trace: Trace, span: Span) -> int:
    return 0 if span.parent is None else 1 + depth(trace, trace.spans[span.parent])


def burst(app: Any, request: str = "/", n: int = 1) -> Trace:
    with Lab(app) as lab:
        return lab.burst(request, n).trace


def assert_nested(trace: Trace) -> None:
    """Each span lies within its parent and its request, and siblings follow one another."""
    ends: dict[tuple[int, int | None], int] = {}
    for span in trace.spans:
        request = trace.requests[span.request]
        outer = request if span.parent is None else trace.spans[span.parent]
        assert span.end_ns is not None
        assert outer.end_ns is not None
        assert outer.start_ns <= span.start_ns <= span.end_ns <= outer.end_ns
        assert ends.get((span.request, span.parent), 0) <= span.start_ns
        ends[span.request, span.parent] = span.end_ns


def layered(app: Any) -> Any:
    """A layer that is a mere function."""

    async def layer(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return layer


class Slotted:
    """A layer that holds the app in a slot, and says nothing of itself."""

    __slots__ = ("app",)

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Renamed:
    """A layer that calls the app inside by a name of its own."""

    def __init__(self, app: Any) -> None:
        self._inner = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        return self._inner(scope, receive, send)


ONION = [("middleware", "ServerErrorMiddleware", 0), ("middleware", "ExceptionMiddleware", 1)]


def hello_app(kit: Kit, **options: Any) -> Any:
    async def hello(request: Any) -> Any:
        return kit.PlainTextResponse("hello")

    def plain(request: Any) -> Any:
        time.sleep(0.02)
        return kit.PlainTextResponse("plain")

    return kit.Starlette(routes=[kit.Route("/", hello), kit.Route("/plain", plain)], **options)


def stack_of(app: Any) -> list[Any]:
    layers, layer = [], app.middleware_stack
    while layer is not None and not hasattr(layer, "routes"):
        layers.append(layer)
        layer = getattr(layer, "app", None)
    return [*layers, layer]


async def plain_asgi(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def call(app: Any, path: str = "/") -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return sent


@contextmanager
def recorder_of() -> Iterator[Recorder]:
    recorder = Recorder()
    try:
        yield recorder
    finally:
        recorder.borrowed.close()
