"""Middleware as a function of a request and of what answers it.

It decides how such a function is put around an app: the app runs in a task beside it, and the response
that the function returns is sent, once. What passes between the two tasks is the exchange's affair; what
the function does is its own.
"""

from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any, Final

import anyio
from anyio import AsyncFile
from anyio.abc import TaskGroup

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.errors import HandlerError
from playground.web._utils import raise_alone
from playground.web.requests import ClientDisconnect, Request, empty_receive
from playground.web.responses import Response

from ._exchange import Exchange

__all__ = ["BaseHTTPMiddleware", "DispatchFunction", "RequestResponseEndpoint"]

RequestResponseEndpoint = Callable[[Request], Awaitable[Response]]
DispatchFunction = Callable[[Request, RequestResponseEndpoint], Awaitable[Response]]

# What a file that a server was to send by itself is read in, if a middleware reads it: 64 KiB, as in a
# file response.
_FILE_PIECE: Final = 64 * 1024


class BaseHTTPMiddleware:
    """A layer written as `dispatch(request, call_next)`.

    Context variables set in `dispatch` are seen by the app behind it, and those that the app sets by
    `dispatch` and the layers around it; an exception of the app is raised once, by whatever waits for the
    app at that time; and background tasks run once the response has been sent.

    Args:
        app: the app inside.
        dispatch: the function, if the class has no method of that name.
    """

    def __init__(self, app: ASGIApp, dispatch: DispatchFunction | None = None) -> None:
        self.app = app
        self.dispatch_func = self.dispatch if dispatch is None else dispatch

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Answer a request, by `await call_next(request)` or otherwise."""
        raise NotImplementedError(
            f"{type(self).__name__} has no dispatch. Write `async def dispatch(self, request, call_next)`, "
            "or pass a function as `dispatch`."
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        layer = _Layer(self, scope, receive, send)
        try:
            async with anyio.create_task_group() as group:
                await layer.answer(group)
        except BaseExceptionGroup as errors:  # what is no `Exception`, such as a KeyboardInterrupt, is not kept
            raise_alone(errors)
        await layer.end()


class _Layer:
    """One request's way through one middleware."""

    __slots__ = ("_error", "_exchanges", "_group", "_middleware", "_receive", "_scope", "_send")

    def __init__(self, middleware: BaseHTTPMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        self._middleware = middleware
        self._scope = scope
        self._receive = receive
        self._send = send
        self._exchanges: list[Exchange] = []
        self._error: Exception | None = None

    async def answer(self, group: TaskGroup) -> None:
        """Have the request answered and send the answer; an exception is kept, for a group would wrap it."""
        self._group = group
        try:
            response = await self._middleware.dispatch_func(
                Request(self._scope, self._receive, self._send), self._call_next
            )
            if not callable(response):
                raise _wrong_result(self._middleware, response)
        except Exception as error:  # noqa: BLE001  raised by `end`
            self._error = error
            group.cancel_scope.cancel()
            return
        await self._deliver(response)

    async def _call_next(self, request: Request[Any]) -> Response:
        if request.receive is empty_receive:  # made of a scope alone
            request._receive = self._receive
        exchange = Exchange(self._middleware.app, request, request.scope, self._send)
        self._exchanges.append(exchange)
        self._group.start_soon(exchange.run)
        return _Passing(exchange, await exchange.started())

    async def _deliver(self, response: Response) -> None:
        passing = None
        client_gone = None
        try:
            if isinstance(response, _Passing) and response.is_as_it_came:
                passing = response.exchange
                await response.pass_on(self._send)
            else:
                await response(self._scope, self._receive, self._send)
        except (OSError, ClientDisconnect) as error:
            # The client has left: what is under way may end in its own time.
            self._error, passing = error, None
            client_gone = error if isinstance(error, OSError) else OSError("The client has left.")
        except Exception as error:  # noqa: BLE001  raised by `end`
            self._error = error
            self._group.cancel_scope.cancel()
        for exchange in self._exchanges:
            if exchange is not passing:
                exchange.release(client_gone)

    async def end(self) -> None:
        """What is left to do when the app has ended too: at most one exception is raised."""
        try:
            for exchange in self._exchanges:
                if self._group.cancel_scope.cancel_called:
                    exchange.error = None  # it was ended because of `self._error`
                exchange.finish()
                self._error = self._error or exchange.lost
                if exchange.is_cut_short:
                    await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            if self._error is not None:
                raise self._error
        finally:
            self._error = None  # its traceback holds this layer: a cycle
            self._exchanges.clear()


class _Passing(Response):
    """The response of the app behind a middleware, while the app is still sending it.

    Attributes:
        body_iterator: gives the pieces of the body; it may be replaced.
    """

    def __init__(self, exchange: Exchange, start: Message) -> None:
        self.exchange = exchange
        self.status_code = start["status"]
        self.raw_headers = list(start.get("headers", ()))
        self.background = None
        self._body = _Body(exchange)
        self.body_iterator: AsyncIterable[Any] = self._body

    @property
    def is_as_it_came(self) -> bool:
        """Whether nobody has read from the body, and nothing is to be done after it."""
        return self.body_iterator is self._body and not self._body.is_read and self.background is None

    async def pass_on(self, send: Send) -> None:
        """Send the start; the rest is sent by the app, from its own task."""
        await self._send_start(send)
        await self.exchange.open(send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.body_iterator is self._body and not self._body.is_read:
            await self.pass_on(send)
            await self.exchange.completed()
        else:
            await self._send_start(send)
            await self._send_body(send)
        if self.background is not None:
            await self.background()

    async def _send_start(self, send: Send) -> None:
        exchange = self.exchange
        for aside in exchange.asides:
            await send(aside)
        start = exchange.start or {}
        await send({**start, "status": self.status_code, "headers": self.raw_headers})

    async def _send_body(self, send: Send) -> None:
        pieces = aiter(self.body_iterator)
        try:
            async for piece in pieces:
                data = piece.encode(self.charset) if isinstance(piece, str) else piece
                await send({"type": "http.response.body", "body": data, "more_body": True})
        finally:
            if (close := getattr(pieces, "aclose", None)) is not None:
                await close()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        if self._body.has_trailers:
            await self.exchange.open(send)
            await self.exchange.completed()


class _Body:
    """The body of a response, piece by piece, as an asynchronous iterator."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._file: AsyncFile[bytes] | None = None
        self._is_at_end = False
        self.is_read = False

    @property
    def has_trailers(self) -> bool:
        """Whether the body was read to its end, and trailers come after it."""
        return self._is_at_end and bool((self._exchange.start or {}).get("trailers"))

    def __aiter__(self) -> "_Body":
        return self

    async def __anext__(self) -> bytes:
        self.is_read = True
        while not self._is_at_end:
            if piece := await self._next_piece():
                return piece
        raise StopAsyncIteration

    async def _next_piece(self) -> bytes:
        if self._file is not None:
            piece = await self._file.read(_FILE_PIECE)
            if not piece:
                await self.aclose()
            return piece
        message = await self._exchange.next_message()
        if message is not None and message["type"] == "http.response.pathsend":
            self._file = await anyio.open_file(message["path"], "rb")
            return b""
        self._is_at_end = message is None or not message.get("more_body", False)
        return b"" if message is None else message.get("body", b"")

    async def aclose(self) -> None:
        """Read no more."""
        self.is_read = self._is_at_end = True
        file, self._file = self._file, None
        if file is not None:
            await file.aclose()


def _wrong_result(middleware: BaseHTTPMiddleware, result: object) -> HandlerError:
    function = middleware.dispatch_func
    name = getattr(function, "__qualname__", type(function).__name__)
    return HandlerError(
        f"The middleware function {name!r} must return a Response, got {type(result).__name__}. "
        "End it with `return response`, where `response = await call_next(request)` or one of your own."
    )
