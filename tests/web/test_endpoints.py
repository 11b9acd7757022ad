"""Endpoints as classes: each verb its method, each moment of a websocket's life another."""

import threading
from typing import Any

import pytest

from playground.asgi import Message
from playground.errors import HandlerError, UsageError
from playground.web.applications import Starlette
from playground.web.endpoints import HTTPEndpoint, WebSocketEndpoint
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from playground.web.routing import Route, Router, WebSocketRoute
from playground.web.websockets import WebSocket

from .exchange import Backend, call, exactly, http_scope
from .websocket_script import ACCEPT, close, converse, data, sent_text, text, websocket_scope

BACKENDS: list[Backend] = ["asyncio", "trio"]


NO_TEXT: Message = {"type": "websocket.receive", "text": None, "bytes": b""}


class Shop(HTTPEndpoint):
    async def get(self, request: Request[Any]) -> Response:
        return PlainTextResponse(f"get {request.path_params.get('item')}")

    def post(self, request: Request[Any]) -> Response:
        return PlainTextResponse(f"post on the loop: {threading.current_thread() is threading.main_thread()}")

    async def query(self, request: Request[Any]) -> Response:
        return PlainTextResponse("query")

    async def secret(self, request: Request[Any]) -> Response:
        raise AssertionError("never called")


ROUTES = [Route("/", Shop), Route("/{item}", Shop)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_verb_calls_its_method(backend: Backend) -> None:
    app = Router(ROUTES)
    assert call(app, "/", backend=backend).text == "get None"
    assert call(app, "/tea", backend=backend).text == "get tea"
    assert call(app, "/", "HEAD", backend=backend).status == 200
    assert call(app, "/", "POST", backend=backend).text == "post on the loop: False"
    assert call(app, "/", "QUERY", backend=backend).text == "query"


@pytest.mark.parametrize("method", ["PUT", "TRACE", "SECRET", "get", "__INIT__", ""])
def test_what_has_no_method_is_answered_by_405(method: str) -> None:
    for app in (Router(ROUTES), Starlette(routes=ROUTES)):
        answer = call(app, "/", method)
        assert (answer.status, answer.text) == (405, "Method Not Allowed")
        assert answer.headers["allow"] == "GET, HEAD, POST, QUERY"


def test_head_is_served_by_a_method_of_its_own_or_by_get_alone() -> None:
    class Own(HTTPEndpoint):
        async def get(self, request: Request[Any]) -> Response:
            raise AssertionError("never called")

        async def head(self, request: Request[Any]) -> Response:
            return Response(status_code=299)

    class PostAlone(HTTPEndpoint):
        async def post(self, request: Request[Any]) -> Response:
            raise AssertionError("never called")

    assert call(Route("/", Own), "/", "HEAD").status == 299
    answer = call(Route("/", PostAlone), "/", "HEAD")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_a_method_that_returns_no_response_is_told_so() -> None:
    class Lazy(HTTPEndpoint):
        async def get(self, request: Request[Any]) -> Any:
            return {"a": 1}

    error = call(Route("/", Lazy)).error
    assert isinstance(error, HandlerError)
    assert str(error) == (
        "The handler 'get' must return a Response, got dict. Return JSONResponse(...) or PlainTextResponse(...), or "
        "declare it with playground.App, which makes responses of dict, list, str, bytes and None."
    )


class Recorder(WebSocketEndpoint):
    """Notes what it is told, and answers with it."""

    notes: list[Any]

    async def on_receive(self, websocket: WebSocket[Any], data: Any) -> None:
        self.notes.append(data)
        await websocket.send_text(repr(data))

    async def on_disconnect(self, websocket: WebSocket[Any], close_code: int) -> None:
        self.notes.append(close_code)


def recorder(encoding: str | None) -> type[Recorder]:
    return type("Fresh", (Recorder,), {"encoding": encoding, "notes": []})


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("encoding", "incoming", "got"),
    [
        (None, text(""), ""),
        (None, data(b""), b""),
        (None, {"type": "websocket.receive", "text": None, "bytes": b"b"}, b"b"),
        ("text", text("a"), "a"),
        ("bytes", data(b"a"), b"a"),
        ("json", text('{"a": 1}'), {"a": 1}),
        ("json", data(b"[1]"), [1]),
    ],
)
def test_messages_are_decoded_as_the_encoding_says(
    encoding: str | None, incoming: Message, got: Any, backend: Backend
) -> None:
    endpoint = recorder(encoding)
    exchange = converse(Router([WebSocketRoute("/", endpoint)]), incoming, backend=backend)
    assert exchange.error is None
    assert exchange.sent == [ACCEPT, sent_text(repr(got))]
    assert endpoint.notes == [got, 1001]


@pytest.mark.parametrize(
    ("encoding", "incoming", "message"),
    [
        ("text", data(b"a"), "Expected text websocket messages, but got bytes"),
        (
            "text",
            {"type": "websocket.receive", "text": None, "bytes": b""},
            "Expected text websocket messages, but got bytes",
        ),
        ("bytes", text("a"), "Expected bytes websocket messages, but got text"),
        ("json", text("{"), "Malformed JSON data received."),
        ("json", data(b"\xff"), "Malformed JSON data received."),
    ],
)
def test_a_message_of_another_kind_closes_the_websocket(encoding: str, incoming: Message, message: str) -> None:
    endpoint = recorder(encoding)
    exchange = converse(WebSocketRoute("/", endpoint), incoming)
    assert isinstance(exchange.error, RuntimeError)
    assert str(exchange.error) == message
    assert exchange.sent == [ACCEPT, close(1003)]
    assert endpoint.notes == [1011]


def test_an_encoding_that_there_is_not_is_refused_in_words() -> None:
    error = converse(WebSocketRoute("/", recorder("latin-1")), text("a")).error
    assert isinstance(error, UsageError)
    assert str(error) == "Unsupported 'encoding' attribute latin-1. Set it to 'text', 'bytes', 'json' or None."


def test_a_message_with_neither_text_nor_bytes_is_refused_in_words() -> None:
    error = converse(WebSocketRoute("/", recorder(None)), {"type": "websocket.receive"}).error
    assert isinstance(error, KeyError)
    assert str(error) == "Expected a websocket message of text or bytes, got neither. The server sent it so."


def test_an_endpoint_that_overrides_nothing_accepts_and_listens() -> None:
    assert converse(WebSocketRoute("/", WebSocketEndpoint), text("a")).sent == [ACCEPT]


def test_endpoints_want_scopes_of_their_type() -> None:
    async def never(*_: Any) -> Any:
        raise AssertionError

    with pytest.raises(UsageError, match=exactly("Expected a scope of type 'http', got 'websocket'.")):
        HTTPEndpoint(websocket_scope(), never, never)
    with pytest.raises(UsageError, match=exactly("Expected a scope of type 'websocket', got 'http'.")):
        WebSocketEndpoint(http_scope(), never, never)
