"""A WSGI app at the far end: handed to a worker thread once a request, and streamed in both directions.

`WSGITransport` is an `ASGITransport` over an adapter, so what is true of an ASGI app's streams, its client's
leaving, its network and its errors is true of these too. The adapter decides what happens in the thread: the
whole of the app's call, its iteration and its `close()`. It returns to the loop only for a piece to send or
to receive, and waits there while the client has not read what came before.
"""

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any

import anyio
from anyio import from_thread, to_thread

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.errors import ClientGone, ProtocolError
from playground.transport._environ import environ_of, has_body
from playground.transport._in_thread import OnBehalf
from playground.transport._words import show
from playground.transport.inprocess import ASGITransport

__all__ = ["WSGITransport", "wsgi_as_asgi"]

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WSGITransport(ASGITransport):
    """Calls a WSGI app as if over a network.

    Args:
        app: the WSGI application.
        limiter: how many requests may be in threads at once; `None` for anyio's default, 40 to a loop.
        options: what else `ASGITransport` takes.
    """

    def __init__(self, app: WSGIApp, *, limiter: anyio.CapacityLimiter | None = None, **options: Any) -> None:
        super().__init__(wsgi_as_asgi(app, limiter=limiter), **options)
        self.wsgi_app = app


def wsgi_as_asgi(app: WSGIApp, *, limiter: anyio.CapacityLimiter | None = None) -> ASGIApp:
    """Make an ASGI app of a WSGI one, for HTTP alone. See `WSGITransport` for the arguments."""

    async def asgi_app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ProtocolError(
                f"expected an HTTP request for a WSGI app, but got `{scope['type']}`. WSGI has no other."
            )
        call = Call(app, scope, receive, send)
        for message in await to_thread.run_sync(call.run, limiter=limiter):
            await send(message)

    return asgi_app


class Call(OnBehalf):
    """One call of a WSGI app, from its worker thread.

    Args:
        app: the WSGI application.
        scope, receive, send: the ASGI interface of the request.
    """

    def __init__(self, app: WSGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.runs = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._label = f"{scope['method']} {scope['path']}"
        self._start: Message | None = None  # what `start_response` has said
        self._begun = False  # whether that is on its way

    def run(self) -> list[Message]:
        """Call the app to its end, in the worker thread.

        Returns:
            The messages that are still to be sent. A body that is all there needs no way back from here.
        """
        environ = environ_of(self._scope)
        environ["wsgi.input"] = io.BufferedReader(Input(self._receive)) if has_body(self._scope) else io.BytesIO()
        environ["wsgi.errors"] = sys.stderr
        pieces = self.runs(environ, self.start_response)
        try:
            if isinstance(pieces, list | tuple):
                return self._messages(b"".join(self._checked(piece) for piece in pieces), more=False)
            for piece in pieces:
                if self._checked(piece):
                    self.write(piece)
            return self._messages(b"", more=False)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """PEP 3333's `start_response`: may be called again only with `exc_info`, and before anything was sent."""
        try:
            if exc_info is not None and self._begun:
                raise exc_info[1].with_traceback(exc_info[2])
            if exc_info is None and self._start is not None:
                raise ProtocolError(
                    f"{self._label}: expected one call of `start_response`, but the app called it again. "
                    "Only an error handler may, with `exc_info`."
                )
        finally:
            exc_info = None  # a frame that refers to itself through its traceback is not freed
        self._start = self._head(status, headers)
        return self.write

    def write(self, data: bytes) -> None:
        """Send a piece of the body, and wait until there is room for the next. PEP 3333's `write` is this too."""
        from_thread.run(self._send_all, self._messages(self._checked(data), more=True))

    async def _send_all(self, messages: list[Message]) -> None:
        for message in messages:
            await self._send(message)

    def _messages(self, data: bytes, *, more: bool) -> list[Message]:
        body: Message = {"type": "http.response.body", "body": data, "more_body": more}
        if self._begun:
            return [body]
        if self._start is None:
            raise ProtocolError(
                f"{self._label}: expected a call of `start_response`, but the app sent its body without one. "
                "Call it with the status and the headers first."
            )
        self._begun = True
        return [self._start, body]

    def _head(self, status: Any, headers: Any) -> Message:
        code = status[:3] if isinstance(status, str) else ""
        if not (code.isdigit() and code.isascii()):
            raise ProtocolError(
                f"{self._label}: expected a status such as '200 OK', but `start_response` got {show(status)}. "
                "Pass the number and its phrase, as one string."
            )
        try:
            # Spaces around a value are none of it (RFC 9110, 5.5). Django writes one before each cookie, at which
            # a server that takes values as they are would fail.
            pairs = [(name.encode("latin-1"), value.encode("latin-1").strip(b" \t")) for name, value in headers]
        except (AttributeError, TypeError, ValueError) as error:
            raise ProtocolError(
                f"{self._label}: expected headers of (name, value) pairs of str in latin-1, but `start_response` got "
                "others. Write every name and every value as a str."
            ) from error
        return {"type": "http.response.start", "status": int(code), "headers": pairs}

    def _checked(self, piece: Any) -> bytes:
        if not isinstance(piece, bytes):
            raise ProtocolError(
                f"{self._label}: expected a body of bytes, but the app gave a {type(piece).__name__}. "
                "Encode text before returning it."
            )
        return piece


class Input(io.RawIOBase):
    """`wsgi.input`: the request's body, read as it comes."""

    def __init__(self, receive: Receive) -> None:
        super().__init__()
        self._receive = receive
        self._rest = memoryview(b"")
        self._more = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` with what there is, after waiting for something; 0 is the end."""
        while not self._rest and self._more:
            message: Message = from_thread.run(self._receive)  # type: ignore[arg-type]  # any awaitable will do
            if message["type"] == "http.disconnect":
                raise ClientGone(
                    "expected the rest of the request's body, but the client has gone. Clean up and return."
                )
            self._rest, self._more = memoryview(message.get("body", b"")), message.get("more_body", False)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size
