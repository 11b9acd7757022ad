"""Endpoints as classes: a method for each verb of HTTP, or for each moment of a websocket's life.

An instance stands for one request, or one connection, and is awaited. The classes decide which method is
called with what; the routes and the server's side know them only as ASGI apps.
"""

import json
from collections.abc import Callable, Generator
from typing import Any, Final

from playground.asgi import Message, Receive, Scope, Send
from playground.errors import UsageError, WrongFrame

from . import status
from ._endpoint import refuse_result
from ._utils import is_async_callable
from .concurrency import run_in_threadpool
from .exceptions import HTTPException
from .requests import Request
from .responses import PlainTextResponse, Response
from .websockets import WebSocket

__all__ = ["HTTPEndpoint", "WebSocketEndpoint"]

# Methods that an endpoint may define. A request cannot choose among the other attributes of its class.
_VERBS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
_HANDLERS: Final = {verb: verb.lower() for verb in _VERBS}


class HTTPEndpoint:
    """One request, answered by the method of its name: `async def get(self, request)`.

    `get` serves `HEAD` too unless there is a `head`. A plain `def` runs in a worker thread. What has no method
    is answered by 405.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _refuse_scope(scope, "http")
        self.scope = scope
        self.receive = receive
        self.send = send

    def __await__(self) -> Generator[Any, None, None]:
        return self.dispatch().__await__()

    async def dispatch(self) -> None:
        """Call the method, and send what it returns."""
        request: Request[Any] = Request(self.scope, self.receive, self.send)
        handler = self._handler(self.scope["method"])
        if is_async_callable(handler):
            response = await handler(request)
        else:
            response = await run_in_threadpool(handler, request)
        if not callable(response):
            raise refuse_result(handler, response)
        await response(self.scope, self.receive, self.send)

    async def method_not_allowed(self, request: Request[Any]) -> Response:
        """The answer to a request whose method is not defined."""
        allowed = {verb for verb in _VERBS if hasattr(self, _HANDLERS[verb])}
        if "GET" in allowed:
            allowed.add("HEAD")
        headers = {"Allow": ", ".join(verb for verb in _VERBS if verb in allowed)}
        if "app" in self.scope:  # its exception handlers may have their own idea of a 405
            raise HTTPException(status_code=405, headers=headers)
        return PlainTextResponse("Method Not Allowed", status_code=405, headers=headers)

    def _handler(self, method: str) -> Callable[[Request[Any]], Any]:
        handler = getattr(self, _HANDLERS.get(method, ""), None)
        if handler is None and method == "HEAD":
            handler = getattr(self, "get", None)
        return handler or self.method_not_allowed


class WebSocketEndpoint:
    """One websocket: `on_connect`, then `on_receive` for each message, and at its end `on_disconnect`.

    Attributes:
        encoding: what messages must be: `text`, `bytes` or `json`, or `None` for whatever comes. One that is
            something else closes the websocket with 1003 (unsupported data) and raises.
    """

    encoding: str | None = None

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _refuse_scope(scope, "websocket")
        self.scope = scope
        self.receive = receive
        self.send = send

    def __await__(self) -> Generator[Any, None, None]:
        return self.dispatch().__await__()

    async def dispatch(self) -> None:
        """Call the methods, as the websocket lives."""
        websocket: WebSocket[Any] = WebSocket(self.scope, receive=self.receive, send=self.send)
        await self.on_connect(websocket)
        close_code = status.WS_1000_NORMAL_CLOSURE
        try:
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.receive":
                    await self.on_receive(websocket, await self.decode(websocket, message))
                elif message["type"] == "websocket.disconnect":
                    close_code = int(message.get("code") or status.WS_1000_NORMAL_CLOSURE)
                    break
        except Exception:
            close_code = status.WS_1011_INTERNAL_ERROR
            raise
        finally:
            await self.on_disconnect(websocket, close_code)

    async def decode(self, websocket: WebSocket[Any], message: Message) -> Any:
        """The data of a message, as `encoding` says.

        Raises:
            RuntimeError: the message is something else; the websocket has been closed.
            WrongFrame: the message holds neither text nor bytes.
        """
        text, data = message.get("text"), message.get("bytes")
        if self.encoding is None:
            return _either(text, data)
        if self.encoding == "text":
            return text if text is not None else await _refuse(websocket, _EXPECTED_TEXT)
        if self.encoding == "bytes":
            return data if data is not None else await _refuse(websocket, _EXPECTED_BYTES)
        if self.encoding != "json":
            raise UsageError(
                f"Unsupported 'encoding' attribute {self.encoding}. Set it to 'text', 'bytes', 'json' or None."
            )
        try:
            return json.loads(_either(text, data))
        except ValueError:  # no JSON, or bytes that are no text
            return await _refuse(websocket, "Malformed JSON data received.")

    async def on_connect(self, websocket: WebSocket[Any]) -> None:
        """Accept an incoming connection; override it to refuse some."""
        await websocket.accept()

    async def on_receive(self, websocket: WebSocket[Any], data: Any) -> None:
        """Do something with a message; override it."""

    async def on_disconnect(self, websocket: WebSocket[Any], close_code: int) -> None:
        """Clean up when the websocket has ended; override it."""


_EXPECTED_TEXT: Final = "Expected text websocket messages, but got bytes"
_EXPECTED_BYTES: Final = "Expected bytes websocket messages, but got text"


async def _refuse(websocket: WebSocket[Any], why: str) -> Any:
    await websocket.close(code=status.WS_1003_UNSUPPORTED_DATA)
    raise RuntimeError(why)


def _either(text: str | None, data: bytes | None) -> Any:
    if text is None and data is None:
        raise WrongFrame("Expected a websocket message of text or bytes, got neither. The server sent it so.")
    return data if text is None else text


def _refuse_scope(scope: Scope, wanted: str) -> None:
    if scope["type"] != wanted:
        raise UsageError(f"Expected a scope of type {wanted!r}, got {scope['type']!r}.")
