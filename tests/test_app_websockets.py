"""`App`'s websocket handlers: what they take, and how they are refused."""

import json
from typing import Any

import pytest

from playground import App
from playground.asgi import ASGIApp, Message
from playground.errors import HandlerError
from playground.web.websockets import WebSocket
from tests.asking import Layer
from tests.web.exchange import Backend, Exchange, call_scope, exactly, http_scope

BACKENDS: list[Backend] = ["asyncio", "trio"]


def talk(app: ASGIApp, path: str, *incoming: str, query: str = "", backend: Backend = "asyncio") -> Exchange:
    """What an app sends to a websocket whose client sends these texts and leaves."""
    scope = {**http_scope(path, query_string=query.encode()), "type": "websocket", "scheme": "ws"}
    messages: list[Message] = [
        {"type": "websocket.connect"},
        *({"type": "websocket.receive", "text": text} for text in incoming),
        {"type": "websocket.disconnect", "code": 1000},
    ]
    return call_scope(app, scope, messages=messages, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_websocket_handler_takes_its_parameters_by_name(backend: Backend) -> None:
    app = App()

    @app.websocket("/rooms/{room}")
    async def chat(websocket: WebSocket, room: str, times: int = 1) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(f"{room}: {text * times}")

    sent = talk(app, "/rooms/blue", "a", "b", query="times=2", backend=backend).sent
    assert [message.get("text") for message in sent] == [None, "blue: aa", "blue: bb"]
    assert app.url_path_for("chat", room="blue") == "/rooms/blue"


def test_a_parameter_that_does_not_convert_refuses_the_websocket() -> None:
    app = App()

    @app.websocket("/")
    async def chat(websocket, times: int) -> None:  # type: ignore[no-untyped-def]
        raise AssertionError("never called")

    exchange = talk(app, "/", query="times=x")
    assert exchange.error is None
    assert (exchange.sent[0]["type"], exchange.sent[0]["status"]) == ("websocket.http.response.start", 422)
    assert json.loads(exchange.body)["detail"][0]["loc"] == ["query", "times"]


def test_a_websocket_handler_that_is_declared_again_takes_the_place_of_the_first() -> None:
    app = App()
    for word in ("first", "second"):

        @app.websocket("/")
        async def chat(websocket: WebSocket, word: str = word) -> None:
            await websocket.close(reason=word)

    assert len(app.routes) == 1
    assert talk(app, "/").sent == [{"type": "websocket.close", "code": 1000, "reason": "second"}]


def test_an_exception_handler_may_close_a_websocket() -> None:
    app = App()

    @app.websocket("/")
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        raise LookupError

    @app.exception_handler(LookupError)
    async def close(websocket: WebSocket, error: Exception) -> None:
        await websocket.close(1008, "nothing there")

    exchange = talk(app, "/")
    assert (exchange.error, exchange.sent[-1]) == (
        None,
        {"type": "websocket.close", "code": 1008, "reason": "nothing there"},
    )


def _plain(websocket: WebSocket) -> None: ...


async def _roomless(name: str) -> None: ...


@pytest.mark.parametrize(
    ("handler", "path", "message"),
    [
        (
            _plain,
            "/x",
            (
                "The websocket handler '_plain' of '/x' must be an async function, got a plain one. "
                "Write `async def _plain(...)`: it awaits what it sends and receives."
            ),
        ),
        (
            _roomless,
            "/{room}",
            (
                "The path '/{room}' has the parameter 'room', which the handler '_roomless' does not take. "
                "Write `def _roomless(room)`, or take the `websocket` and read `websocket.path_params`."
            ),
        ),
        (Layer(App()), "/x", "The handler of '/x' must be a function, got Layer."),
    ],
)
def test_a_websocket_handler_that_could_never_be_called_is_refused(handler: Any, path: str, message: str) -> None:
    with pytest.raises(HandlerError, match=exactly(message)):
        App().websocket(path)(handler)


def test_a_websocket_decorator_must_be_given_a_path() -> None:
    message = "@app.websocket must be given a path. Write @app.websocket('/...') above '_roomless'."
    with pytest.raises(HandlerError, match=exactly(message)):
        App().websocket(_roomless)  # type: ignore[arg-type]
