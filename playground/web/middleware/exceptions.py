"""The layer that turns exceptions into the answers that were asked for.

It decides which handlers there are and puts them into the scope, where endpoints find them; it answers
itself what is raised outside of an endpoint, by the router or a layer further in. Exceptions without a
handler pass through.
"""

from collections.abc import Mapping
from typing import Any

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import UsageError
from playground.web._exception_handler import HANDLERS_KEY, ResponseWatch, answer
from playground.web.exceptions import HTTPException, WebSocketException
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from playground.web.types import ExceptionHandler
from playground.web.websockets import WebSocket

__all__ = ["ExceptionMiddleware"]


class ExceptionMiddleware:
    """Answer exceptions by handlers.

    Unless told otherwise, an `HTTPException` is answered by its status and detail (a websocket is refused by
    them), and a `WebSocketException` closes the websocket by its code and reason.

    Args:
        app: the app inside.
        handlers: by exception class or status.
        debug: kept for whoever asks; a traceback is shown by `ServerErrorMiddleware`.
    """

    def __init__(
        self, app: ASGIApp, handlers: Mapping[Any, ExceptionHandler] | None = None, debug: bool = False
    ) -> None:
        self.app = app
        self.debug = debug
        self._by_status: dict[int, Any] = {}
        self._by_class: dict[Any, Any] = {
            HTTPException: self.http_exception,
            WebSocketException: self.websocket_exception,
        }
        self._in_scope = (self._by_class, self._by_status)
        for key, handler in (handlers or {}).items():
            self.add_exception_handler(key, handler)

    def add_exception_handler(self, exc_class_or_status_code: int | type[Exception], handler: ExceptionHandler) -> None:
        """Answer an exception class, or a status, by `handler(request, exc)`.

        Raises:
            UsageError: the key is neither.
        """
        key = exc_class_or_status_code
        if isinstance(key, int):
            self._by_status[key] = handler
        elif isinstance(key, type) and issubclass(key, Exception):
            self._by_class[key] = handler
        else:
            raise UsageError(
                f"An exception handler is for a status or a class of exceptions, got {key!r}. "
                "Use a number such as 404, or a class such as ValueError."
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind != "http" and kind != "websocket":
            await self.app(scope, receive, send)
            return
        scope[HANDLERS_KEY] = self._in_scope
        # nearly always a watch already, and then not worth a call: every request comes by here
        watch: Any = send if type(send) is ResponseWatch else ResponseWatch(send)
        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            connection: Any = Request(scope, receive, send) if kind == "http" else WebSocket(scope, receive, watch)
            if not await answer(error, connection, scope, receive, watch):
                raise

    async def http_exception(self, request: Request[Any], exc: Exception) -> Response:
        """The answer to an `HTTPException`."""
        if not isinstance(exc, HTTPException):
            raise UsageError(f"http_exception() answers an HTTPException, got {type(exc).__name__}.")
        if exc.status_code in (204, 304):  # these have no body
            return Response(status_code=exc.status_code, headers=exc.headers)
        return PlainTextResponse(exc.detail, status_code=exc.status_code, headers=exc.headers)

    async def websocket_exception(self, websocket: WebSocket[Any], exc: Exception) -> None:
        """The answer to a `WebSocketException`."""
        if not isinstance(exc, WebSocketException):
            raise UsageError(f"websocket_exception() answers a WebSocketException, got {type(exc).__name__}.")
        await websocket.close(code=exc.code, reason=exc.reason)
