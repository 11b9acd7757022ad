"""Websockets in an app: their routes, and what becomes of exceptions in their handlers."""

from typing import Any

import pytest

from playground.errors import HandlerError
from playground.web.applications import Starlette
from playground.web.exceptions import HTTPException, WebSocketException
from playground.web.middleware.exceptions import ExceptionMiddleware
from playground.web.responses import PlainTextResponse
from playground.web.routing import Route, Router, WebSocketRoute
from playground.web.websockets import WebSocket

from .exchange import Backend, call
from .websocket_script import ACCEPT, close, converse, sent_text

BACKENDS: list[Backend] = ["asyncio", "trio"]


async def _refuse(websocket: WebSocket[Any]) -> None:
    raise HTTPException(401, "who are you?", {"x-a": "1"})


async def _leave(websocket: WebSocket[Any]) -> None:
    await websocket.accept()
    raise WebSocketException(1008, "policy")


async def _fail(websocket: WebSocket[Any]) -> None:
    raise LookupError("nothing there")


@pytest.mark.parametrize("backend", BACKENDS)
def test_exceptions_refuse_or_close_a_websocket(backend: Backend) -> None:
    routes = [WebSocketRoute("/refuse", _refuse), WebSocketRoute("/leave", _leave), WebSocketRoute("/fail", _fail)]
    for app in (Starlette(routes=routes), ExceptionMiddleware(Router(routes))):
        refused = converse(app, path="/refuse", backend=backend)
        assert (refused.error, refused.status, refused.text, refused.headers["x-a"]) == (None, 401, "who are you?", "1")
        left = converse(app, path="/leave", backend=backend)
        assert (left.error, left.sent) == (None, [ACCEPT, close(1008, "policy")])
        failed = converse(app, path="/fail", backend=backend)
        assert (repr(failed.error), failed.sent) == ("LookupError('nothing there')", [])


def test_an_exception_handler_of_a_websocket_may_close_it() -> None:
    async def handle(websocket: Any, error: Exception) -> None:
        await websocket.close(1011, str(error))

    app = Starlette(routes=[WebSocketRoute("/", _fail)], exception_handlers={LookupError: handle})
    assert converse(app).sent == [close(1011, "nothing there")]


def test_a_plain_function_is_no_websocket_handler() -> None:
    def plain(websocket: WebSocket[Any]) -> None: ...

    error = converse(WebSocketRoute("/", plain)).error
    assert isinstance(error, HandlerError)
    assert str(error) == (
        "The websocket handler 'plain' must be an async function, got a plain one. Write `async def plain(...)`: it "
        "awaits what it sends and receives."
    )


def test_http_and_websockets_share_paths_and_parameters() -> None:
    async def over_http(request: Any) -> PlainTextResponse:
        return PlainTextResponse(f"http {request.path_params}")

    async def over_websocket(websocket: WebSocket[Any]) -> None:
        await websocket.accept()
        await websocket.send_json(websocket.path_params)

    routes = [Route("/{x:int}", over_http, name="x"), WebSocketRoute("/{x:int}", over_websocket, name="y")]
    router = Router(routes)
    assert call(router, "/7").text == "http {'x': 7}"
    assert converse(router, path="/7").sent == [ACCEPT, sent_text('{"x":7}')]
    assert converse(router, path="/seven").sent == [close()]
    assert converse(routes[1], path="/seven").sent == [close()]
    assert (router.url_path_for("x", x=7).protocol, router.url_path_for("y", x=7).protocol) == ("http", "websocket")


def test_a_websocket_route_is_shown_and_compared_by_path_and_endpoint() -> None:
    route = WebSocketRoute("/ws", _fail)
    assert repr(route) == "WebSocketRoute(path='/ws', name='_fail')"
    assert route == WebSocketRoute("/ws", _fail, name="other")
    assert route != WebSocketRoute("/ws", _leave)
    assert route != Route("/ws", _fail)
