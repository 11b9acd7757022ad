"""What a test client needs of a transport: Starlette's rules, and calls that block.

`TestTransport` is an `ASGITransport` that takes what Starlette's test client takes and offers what it offers:
each piece of a body waits until the test asks for it, debug information is on the response, and closing
cancels. `Blocking` makes any transport of a blocking one, by an event loop in a thread that a portal of anyio's
lends. Neither knows how a client is made.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal

from playground.asgi import ASGIApp, Scope
from playground.transport._libraries import Library
from playground.transport.blocking import Portals
from playground.transport.exchange import Exchange
from playground.transport.inprocess import ASGITransport, Body
from playground.transport.lenient import LenientReply
from playground.transport.reply import Reply
from playground.transport.scope import Address, http_scope, websocket_scope

__all__ = ["Blocking", "TestTransport", "Upgrade"]

DEBUG = "http.response.debug"
TRAILERS = "http.response.trailers"


class TestBody(Body):
    """The body of a response, which keeps the response's debug information up to date."""

    response: Any = None

    async def __anext__(self) -> bytes:
        try:
            return await super().__anext__()
        except Exception as error:
            if isinstance(error, StopAsyncIteration) or not self.forgives(error):
                raise
            raise StopAsyncIteration from None
        finally:
            self.tell()

    def whole(self) -> bytes | None:
        """Do what `Exchange.whole` does. The exchange stays, for `tell` and for a thread that may still ask."""
        data: bytes | None = self._exchange.whole()
        return data

    def forgives(self, error: Exception) -> bool:
        """Whether an error of the app just ends the body."""
        failure = self._exchange.failure
        return not self._transport.raise_app_exceptions and failure is not None and error.__cause__ is failure

    def tell(self) -> None:
        """Put the app's last `http.response.debug` on the response."""
        reply = self._exchange.reply
        if reply.debug:
            info = self.response.extensions[DEBUG] = reply.debug[-1]
            for name in ("template", "context"):
                if name in info:
                    setattr(self.response, name, info[name])

    @property
    def at_end(self) -> bool:
        """Whether all of the body has been handed over."""
        reply = self._exchange.reply
        return bool(reply.complete and not reply.buffered)

    async def abandon(self) -> None:
        """End the app at once, whatever it does."""
        self._exchange.hang_up()
        await self.aclose()


class TestTransport(ASGITransport):
    """Calls an app as Starlette's test client does; timeouts of the client count for nothing.

    Args:
        app, raise_app_exceptions, root_path, client, state: as for `ASGITransport`.
    """

    __test__ = False  # it is no test of pytest's
    body_type = TestBody
    checks_fields = False

    def __init__(
        self,
        app: ASGIApp,
        *,
        raise_app_exceptions: bool,
        root_path: str,
        client: Address,
        state: Mapping[str, Any],
    ) -> None:
        super().__init__(
            app, raise_app_exceptions=raise_app_exceptions, root_path=root_path, client=client, state=state
        )

    def _exchange(self, app: ASGIApp, scope: Scope, body: Any) -> Exchange:
        return Exchange(app, scope, body, on_end=self._open.discard, reply_type=LenientReply, buffer_bytes=0, grace_s=0)

    def websocket_scope(self, request: httpx.Request) -> Scope:
        """Build the scope of the websocket that a request asks for."""
        offered = request.headers.get("sec-websocket-protocol")
        subprotocols = [name.strip() for name in offered.split(",")] if offered else []
        return _with_list(websocket_scope(**self._parts(request), subprotocols=subprotocols))

    def _timeout_s(self, request: httpx.Request) -> None:
        return None

    def scope_of(self, request: httpx.Request) -> Scope:
        return _with_list(http_scope(request.method, **self._parts(request), extensions=(DEBUG, TRAILERS)))

    def _parts(self, request: httpx.Request) -> dict[str, Any]:
        """What the scopes of a request and of a websocket have in common."""
        url = request.url
        return {
            "target": url.raw_path,
            "headers": request.headers.raw,
            "scheme": url.scheme,
            "host": url.host,
            "port": url.port,
            "client": self.client,
            "root_path": self.root_path,
            "state": self.state,
        }

    def _extensions(self, reply: Reply) -> dict[str, Any]:
        return {TRAILERS: reply.trailers} if isinstance(reply, LenientReply) and reply.has_trailers else {}

    def _response(
        self, exchange: Exchange, library: Library, request: httpx.Request, timeout_s: float | None
    ) -> httpx.Response:
        response = super()._response(exchange, library, request, timeout_s)
        body: Any = response.stream
        body.response = response
        body.tell()
        return response

    def _server_error(self, library: Library, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = library.response(500, stream=library.content(b""))
        return response


def _with_list(scope: Scope) -> Scope:
    """Give the server as a list, as the ASGI specification words it and as Starlette's client does."""
    scope["server"] = list(scope["server"])
    return scope


class Upgrade(Exception):
    """Brings a websocket's handshake, as the client has made it, back to the caller, who opens the session."""

    def __init__(self, request: httpx.Request) -> None:
        self.request = request


class Blocking(httpx.BaseTransport):
    """A `TestTransport`, called from a thread that may wait.

    Args:
        transport: the transport.
        portals: gives the loop for one request, until its response is closed.
        stream_type: the client library's `SyncByteStream`.
    """

    def __init__(self, transport: TestTransport, portals: Portals, stream_type: type) -> None:
        self.transport = transport
        self._portals = portals
        self._stream_type = type("BlockingBody", (BlockingBody, stream_type), {})
        self._open: set[BlockingBody] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response as soon as that has begun. See `ASGITransport` for errors.

        Raises:
            Upgrade: the request is a websocket's handshake.
        """
        if request.url.scheme in ("ws", "wss"):
            raise Upgrade(request)
        request.read()
        with ExitStack() as stack:
            portal = stack.enter_context(self._portals())
            response: httpx.Response = portal.call(self.transport.handle_async_request, request)
            if isinstance(response.stream, TestBody):
                body = self._stream_type(response.stream, portal, stack.pop_all(), self._open.discard)
                self._open.add(body)
                response.stream = body
        return response

    def close(self) -> None:
        """End every app whose response was not closed."""
        for body in list(self._open):
            body.abandon()


class BlockingBody:
    """The body of a response, read by a thread that may wait. `Blocking` makes it a stream of the library's."""

    def __init__(
        self, body: TestBody, portal: BlockingPortal, stack: ExitStack, on_end: Callable[["BlockingBody"], None]
    ) -> None:
        self._body = body
        self._portal = portal
        self._stack = stack
        self._on_end = on_end
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        while not self._body.at_end:
            piece = self._portal.call(anext, self._body, None)
            if piece is None:
                return
            yield piece

    def close(self) -> None:
        """Wait until the app has ended, and raise what it has raised since the last piece."""
        self._end(self._body.aclose)

    def abandon(self) -> None:
        """End the app at once."""
        self._end(self._body.abandon)

    def _end(self, how: Callable[[], Any]) -> None:
        if self._ended:
            return
        self._ended = True
        self._on_end(self)
        with self._stack:
            self._portal.call(how)
