"""The application: the order of its layers, its lifespan, and what it passes on."""

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.web.applications import Starlette
from playground.web.exceptions import StarletteDeprecationWarning
from playground.web.middleware import Middleware
from playground.web.requests import Request
from playground.web.responses import JSONResponse, PlainTextResponse, Response
from playground.web.routing import Route, Router
from tests.web.places import home

from .exchange import Backend, Exchange, call, call_scope, exactly

STARTUP = {"type": "lifespan.startup"}
SHUTDOWN = {"type": "lifespan.shutdown"}


class Note:
    """Middleware that notes that it was passed."""

    def __init__(self, app: ASGIApp, name: str, seen: list[str]) -> None:
        self.app, self.name, self.seen = app, name, seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(self.name)
        await self.app(scope, receive, send)


def test_middleware_goes_around_in_the_order_given_and_what_is_added_outside() -> None:
    seen: list[str] = []
    app = Starlette(
        routes=[Route("/", home)], middleware=[Middleware(Note, "1", seen), Middleware(Note, "2", seen=seen)]
    )
    app.add_middleware(Note, "0", seen)
    assert call(app).text == "home"
    assert seen == ["0", "1", "2"]
    assert [layer.args[0] for layer in app.user_middleware] == ["0", "1", "2"]


def test_the_layers_are_built_once() -> None:
    app = Starlette(routes=[Route("/", home)])
    assert app.middleware_stack is None
    call(app)
    stack = app.middleware_stack
    call(app)
    assert app.middleware_stack is stack


def test_middleware_comes_before_the_first_request() -> None:
    app = Starlette()
    call(app)
    with pytest.raises(RuntimeError, match=exactly("Cannot add middleware after an application has started")):
        app.add_middleware(Note, "late", [])


def test_middleware_is_written_down_before_there_is_an_app() -> None:
    seen: list[str] = []
    layer = Middleware(Note, "x", seen=seen)
    assert list(layer) == [Note, ("x",), {"seen": []}]
    assert repr(layer) == "Middleware(Note, 'x', seen=[])"


def test_an_app_passes_itself_on_and_keeps_a_state() -> None:
    async def show(request: Request[Any]) -> Response:
        return JSONResponse([request.app.state.name, request.app is app])

    app = Starlette(routes=[Route("/", show)])
    app.state.name = "Ada"
    assert call(app).text == '["Ada",true]'


def test_routes_and_handlers_are_added_to_an_app() -> None:
    app = Starlette()
    app.add_route("/x", home, methods=["POST"], name="x")

    def handler(request: Any, error: Exception) -> Response:
        return PlainTextResponse("none here", 410)

    app.add_exception_handler(404, handler)
    assert call(app, "/x", "POST").text == "home"
    assert call(app, "/").status == 410
    assert app.routes == app.router.routes
    assert app.url_path_for("x") == "/x"


def lifespan_of(app: ASGIApp, backend: Backend = "asyncio", **scope: Any) -> Exchange:
    return call_scope(app, {"type": "lifespan", **scope}, messages=[STARTUP, SHUTDOWN], backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_lifespan_is_entered_and_left_and_its_state_is_kept(backend: Backend) -> None:
    seen: list[Any] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[Mapping[str, Any]]:
        seen.append(app)
        yield {"db": "open"}
        seen.append("closed")

    app = Starlette(lifespan=lifespan)
    answer = lifespan_of(app, backend, state={})
    assert [message["type"] for message in answer.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert seen == [app, "closed"]
    assert answer.scope["state"] == {"db": "open"}


def test_an_app_without_a_lifespan_starts_and_stops() -> None:
    assert [message["type"] for message in lifespan_of(Router()).sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


@pytest.mark.parametrize("moment", ["startup", "shutdown"])
def test_a_failure_is_told_to_the_server_and_raised(moment: str) -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        if moment == "startup":
            raise LookupError("no database")
        yield
        raise LookupError("no database")

    answer = lifespan_of(Starlette(lifespan=lifespan))
    assert answer.sent[-1]["type"] == f"lifespan.{moment}.failed"
    assert answer.sent[-1]["message"].endswith("LookupError: no database\n")
    assert repr(answer.error) == "LookupError('no database')"


def test_a_state_needs_a_server_that_keeps_one() -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[Mapping[str, Any]]:
        yield {"db": "open"}

    answer = lifespan_of(Starlette(lifespan=lifespan))
    assert answer.sent[-1]["type"] == "lifespan.startup.failed"
    assert str(answer.error) == 'The server does not support "state" in the lifespan scope.'


def test_generator_lifespans_still_run_with_a_warning() -> None:
    seen: list[str] = []

    async def asynchronous(app: Any) -> AsyncIterator[None]:
        seen.append("up")
        yield
        seen.append("down")

    def synchronous(app: Any) -> Iterator[None]:
        seen.append("up")
        yield
        seen.append("down")

    for kind, lifespan in (("async generator", asynchronous), ("generator", synchronous)):
        expected = (
            f"^{kind} function lifespans are deprecated, use an @contextlib.asynccontextmanager function instead$"
        )
        with pytest.warns(StarletteDeprecationWarning, match=expected):
            router = Router(lifespan=lifespan)  # type: ignore[arg-type]
        assert lifespan_of(router).error is None
    assert seen == ["up", "down"] * 2
