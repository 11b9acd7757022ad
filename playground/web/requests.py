"""What a handler sees of a request.

A request is a view on an ASGI scope and on the `receive` beside it. It decides how a body may be read: once as a
stream, and as often as wanted if it is read whole, also by others who make a request of the same scope
and `receive`. It refuses to know how the scope was made and what will be answered.
"""

import json
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, Final, NoReturn

import anyio

from playground.asgi import Message, Receive, Scope, Send
from playground.errors import StreamConsumed, UsageError

from ._connection import HTTPConnection, StateT
from ._cookies import parse_cookies
from ._upload import FormData
from .exceptions import HTTPException
from .formparsers import FormParser, MultiPartException, MultiPartParser

__all__ = ["ClientDisconnect", "HTTPConnection", "Request", "cookie_parser", "empty_receive", "empty_send"]

cookie_parser = parse_cookies

# The headers of a request that are repeated for what is pushed along with its answer: those by which a
# server chooses a representation (RFC 9110, 12.5), and the client's name.
_PUSHED_HEADERS: Final = (
    "accept-encoding",
    "accept-language",
    "accept",
    "cache-control",
    "user-agent",
)

# Where a body that was read whole is kept in the scope, with the `receive` that it came from: another request
# finds it there if it reads from the same one. Who wraps `receive` in between may have changed the body.
_KEPT_BODY: Final = "playground.body"


class ClientDisconnect(Exception):
    """The client left before its request was read."""


async def empty_receive() -> NoReturn:
    """The `receive` of a request that was made without one."""
    raise RuntimeError("Receive channel has not been made available")


async def empty_send(message: Message) -> NoReturn:
    """The `send` of a request that was made without one."""
    raise RuntimeError("Send channel has not been made available")


class Request(HTTPConnection[StateT]):
    """An HTTP request.

    Args:
        scope: its ASGI scope, of type `http`.
        receive: gives the body, and word of the client's leaving.
        send: needed only to push and to hint.
    """

    _body: bytes | None = None
    _json: Any = None
    _json_read = False
    _form: FormData | None = None
    _stream_consumed = False
    _is_disconnected = False
    _ahead: list[Message] | None = None  # messages of the body that came while one asked for the client's leaving

    def __init__(self, scope: Scope, receive: Receive = empty_receive, send: Send = empty_send) -> None:
        if scope["type"] != "http":
            raise UsageError(f"Expected a scope of type 'http', got {scope['type']!r}.")
        self.scope = scope
        self._receive = receive
        self._send = send

    @property
    def method(self) -> str:
        """What is to be done, in capitals: `GET`, `POST` …"""
        method: str = self.scope["method"]
        return method

    @property
    def receive(self) -> Receive:
        """The channel that the app was called with: the next ASGI message from the client."""
        return self._receive

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body, piece by piece as it arrives; at its end, an empty piece.

        Raises:
            ClientDisconnect: the client left before the body was complete.
            StreamConsumed: the body was streamed before (a body read by `body` can be had again).
        """
        body = self._kept_body()
        if body is not None:
            yield body
            yield b""
            return
        self._refuse_second_reading()
        while not self._stream_consumed:
            message = self._ahead.pop(0) if self._ahead else await self._receive()
            if message["type"] == "http.request":
                self._stream_consumed = not message.get("more_body", False)
                if piece := message.get("body", b""):
                    yield piece
            elif message["type"] == "http.disconnect":
                self._is_disconnected = True
                raise ClientDisconnect
        yield b""

    async def body(self) -> bytes:
        """The whole body; it is kept, for this request and for others of the same scope and `receive`.

        Raises:
            ClientDisconnect, StreamConsumed: as `stream`.
        """
        body = self._kept_body()
        if body is None:
            async with aclosing(self.stream()) as pieces:
                body = b"".join([piece async for piece in pieces])
            self._body = body
            self.scope[_KEPT_BODY] = self._receive, body
        return body

    async def json(self) -> Any:
        """The body, parsed as JSON; the result is kept.

        Raises:
            json.JSONDecodeError: it is no JSON.
            ClientDisconnect, StreamConsumed: as `stream`.
        """
        if not self._json_read:
            self._json = json.loads(await self.body())
            self._json_read = True
        return self._json

    def form(
        self, *, max_files: float = 1000, max_fields: float = 1000, max_part_size: int = 1024 * 1024
    ) -> "_FormReading":
        """The body, parsed as a form; it is kept. `await` it, or let `async with` close its files too.

        A body of another type than a form's gives an empty form.

        Args:
            max_files, max_fields: how many of each are taken.
            max_part_size: how long a field may be, in bytes; files are not limited by it.

        Raises:
            HTTPException: the body is malformed or exceeds a limit: 400.
            MultiPartException: the same, where no app could answer it.
            ClientDisconnect, StreamConsumed: as `stream`.
        """
        return _FormReading(lambda: self._read_form(max_files, max_fields, max_part_size))

    async def close(self) -> None:
        """Close the files of the form, if it was read."""
        if self._form is not None:
            await self._form.close()

    async def is_disconnected(self) -> bool:
        """Whether the client is known to have left; it does not wait to hear of it."""
        if not self._is_disconnected:
            # In a scope whose time is up, `receive` gets as far as it can without waiting. A cancelled one would
            # be too strict on trio, whose channels (hypercorn's `receive` is one) look for that before they read.
            with anyio.CancelScope() as scope:
                scope.deadline = -math.inf
                message = await self._receive()
                self._is_disconnected = message.get("type") == "http.disconnect"
                if not self._is_disconnected:
                    self._ahead = [*(self._ahead or ()), message]
        return self._is_disconnected

    async def send_push_promise(self, path: str) -> None:
        """Have the server push `path` along, if it can."""
        if "http.response.push" in self.scope.get("extensions", {}):
            headers = [
                (name.encode("latin-1"), value.encode("latin-1"))
                for name in _PUSHED_HEADERS
                for value in self.headers.getlist(name)
            ]
            await self._send({"type": "http.response.push", "path": path, "headers": headers})

    async def send_early_hints(self, link: str, /, *additional_links: str) -> None:
        """Send `Link` headers ahead of the response (103), if the server can."""
        if "http.response.early_hint" in self.scope.get("extensions", {}):
            links = [text.encode("latin-1") for text in (link, *additional_links)]
            await self._send({"type": "http.response.early_hint", "links": links})

    def _kept_body(self) -> bytes | None:
        if self._body is None:
            receive, body = self.scope.get(_KEPT_BODY, (None, None))
            if receive is self._receive:
                self._body = body
        return self._body

    def _refuse_second_reading(self) -> None:
        if self._stream_consumed:
            how = "parsed as a form" if self._form is not None else "streamed"
            raise StreamConsumed(
                f"Stream consumed: the body of this request was {how} before, and a stream passes once. "
                "Call `await request.body()` first, which keeps the body for every later reader."
            )

    async def _read_form(self, max_files: float, max_fields: float, max_part_size: int) -> FormData:
        if self._form is None:
            media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type not in ("multipart/form-data", "application/x-www-form-urlencoded"):
                self._form = FormData()
                return self._form
            async with aclosing(self.stream()) as pieces:
                parser: MultiPartParser | FormParser
                if media_type == "multipart/form-data":
                    parser = MultiPartParser(
                        self.headers, pieces, max_files=max_files, max_fields=max_fields, max_part_size=max_part_size
                    )
                else:
                    parser = FormParser(self.headers, pieces, max_fields=max_fields, max_part_size=max_part_size)
                try:
                    self._form = await parser.parse()
                except MultiPartException as error:
                    if "app" in self.scope:
                        raise HTTPException(status_code=400, detail=error.message) from error
                    raise
        return self._form


class _FormReading(Awaitable[FormData], AbstractAsyncContextManager[FormData]):
    """A form that is read when it is awaited, or entered; left, its files are closed."""

    __slots__ = ("_form", "_read")

    def __init__(self, read: Callable[[], Awaitable[FormData]]) -> None:
        self._read = read

    def __await__(self) -> Generator[Any, None, FormData]:
        return self._read().__await__()

    async def __aenter__(self) -> FormData:
        self._form = await self._read()
        return self._form

    async def __aexit__(self, *exc: object) -> None:
        await self._form.close()
