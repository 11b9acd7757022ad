"""An ASGI app as the far end of an `httpx.AsyncClient`: no port, no server, and nothing buffered.

`ASGITransport` translates: a request of the client library into a scope and a body, an exchange's answer
into a response, and what goes wrong into what the library's users catch. How the app is run, and who waits
for whom, is the `Exchange`'s affair.

The app runs in a task of its own, in a copy of the caller's context. On asyncio that is an ordinary task
of the loop, named like "GET /path"; on trio it is a system task. Neither belongs to a task group or a
cancel scope of the transport: a client may start a request in one task and close its response in another,
which a scope held open between the two calls would not survive.
"""

import itertools
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Self

import anyio
import httpx

from playground.asgi import ASGIApp, Scope
from playground.errors import ClientGone, NoAnswer, PlaygroundError, ProtocolError
from playground.transport import _verdicts
from playground.transport._fields import fault_of_client
from playground.transport._journey import Journey
from playground.transport._libraries import Library, library_of
from playground.transport._words import named
from playground.transport.exchange import Exchange
from playground.transport.network import Network
from playground.transport.reply import Reply
from playground.transport.scope import Address, http_scope

__all__ = ["ASGITransport"]

PHRASES: dict[int | None, bytes] = {status.value: status.phrase.encode() for status in HTTPStatus}
"""What servers write behind a status. Clients show it, and would have to look it up if it were missing."""

log = logging.getLogger("playground.transport")


class ASGITransport(httpx.AsyncBaseTransport):
    """Calls an ASGI app as if over a network.

    The response is there as soon as the app has sent its start message; its body follows as it is sent and
    as it is read. `response.extensions["trailers"]` and `["early_hints"]` hold these, if the app sends them.
    A request's `read` timeout is how long the app may be silent; then `httpx.ReadTimeout` names the message
    that is missing. Works with httpx and httpx2, on asyncio and on trio.

    Args:
        app: the ASGI application.
        network: simulated conditions, or `None` for a request that takes no time.
        raise_app_exceptions: an exception that the app lets out, and a `ProtocolError` about it, are raised
            in the caller: in place of the response before its start message, while the body is read after
            that, and when the response is closed if the app fails after its last message. If false, the
            caller gets what a server's client would: a response with status 500; a body that breaks off
            with `httpx.RemoteProtocolError`; nothing, and an entry in the log `playground.transport`.
        root_path: the scope's `root_path`. Like httpx's own transport, it does not touch `path`.
        client: the scope's `client`: address and port.
        state: the lifespan's state, of which every request gets a shallow copy.
        wait_for_app: closing a response waits until the app has returned, background tasks included, as
            httpx's own transport does. If false, it waits no longer than a server's client would, and what
            still runs is ended by `aclose()`.
    """

    body_type: type["Body"]  # what the bodies of responses are made of
    checks_fields = True  # whether a request that no client sends is refused

    def __init__(
        self,
        app: ASGIApp,
        *,
        network: Network | None = None,
        raise_app_exceptions: bool = True,
        root_path: str = "",
        client: Address = ("127.0.0.1", 123),
        state: Mapping[str, Any] | None = None,
        wait_for_app: bool = True,
    ) -> None:
        self.app = app
        self.network = network
        self.raise_app_exceptions = raise_app_exceptions
        self.root_path = root_path
        self.client = client
        self.state = state
        self.wait_for_app = wait_for_app
        self._open: set[Exchange] = set()
        self._numbers = itertools.count()  # of requests over the network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the app and return its response as soon as that has begun.

        Raises:
            httpx.ReadTimeout: the app was silent for longer than the request's `read` timeout.
            httpx.LocalProtocolError: the request's method or a header of it is none that can be sent.
            ProtocolError: it broke the order of messages, or ended without an answer.
            Exception: what it raised before its start message.
        """
        library = library_of(request, self.body_type)
        if self.checks_fields and (fault := fault_of_client(request.method, request.headers.raw)) is not None:
            raise library.not_sendable(f"{named(request.method, request.url.path)}: {fault}", request=request)
        timeout_s = self._timeout_s(request)
        try:
            body: Any = request.content
        except library.not_read:
            body = request.stream
        app, journey = self.app, None
        if self.network is not None:
            journey = Journey(self.network, self.network.fate(next(self._numbers)), library, request, timeout_s)
            body = await journey.out(body)
            app = journey.watched(app)
        exchange = self._exchange(app, self.scope_of(request), body)
        self._open.add(exchange)
        try:
            await exchange.start(timeout_s)
        except BaseException as error:
            response = self._in_place_of(error, exchange, library, request)
            if response is None:
                raise
        else:
            response = self._response(exchange, library, request, timeout_s)
        if journey is not None:
            await self._arrive(response, exchange, journey)
        return response

    async def aclose(self) -> None:
        """End all that is still open: each app gets `http.disconnect`, a grace time, and is cancelled.

        Raises:
            ProtocolError: an app cannot be stopped. If it is several, an `ExceptionGroup` of these.
        """
        left_open = list(self._open)
        if not left_open:
            return
        for exchange in left_open:
            exchange.hang_up()
        errors: list[ProtocolError] = []
        async with anyio.create_task_group() as endings:
            for exchange in left_open:
                endings.start_soon(_end, exchange, errors)
        if errors:
            raise errors[0] if len(errors) == 1 else ExceptionGroup("apps that do not end", errors)

    def _timeout_s(self, request: httpx.Request) -> float | None:
        timeout_s: float | None = request.extensions.get("timeout", {}).get("read")
        return timeout_s

    def scope_of(self, request: httpx.Request) -> Scope:
        """Make the scope of a request: what the app is told of it before it reads the body."""
        url = request.url
        return http_scope(
            request.method,
            url.raw_path,
            request.headers.raw,
            scheme=url.scheme,
            host=url.host,
            port=url.port,
            client=self.client,
            root_path=self.root_path,
            state=self.state,
        )

    def _exchange(self, app: ASGIApp, scope: Scope, body: Any) -> Exchange:
        return Exchange(app, scope, body, on_end=self._open.discard)

    def _in_place_of(
        self, error: BaseException, exchange: Exchange, library: Library, request: httpx.Request
    ) -> httpx.Response | None:
        """Make a response of what kept the app from answering; `None` if that is to be raised as it is."""
        if self.answers_for(exchange, error):
            return self._server_error(library, request)
        if isinstance(error, NoAnswer) and error is not exchange.failure:
            raise library.read_timeout(str(error), request=request) from None
        return None

    def answers_for(self, exchange: Exchange, error: BaseException) -> bool:
        """Whether the client sees, of what an app has raised, what a server makes of it.

        A server makes nothing of a KeyboardInterrupt or a SystemExit: they end it.
        """
        wants_the_end = isinstance(error, KeyboardInterrupt | SystemExit)
        return error is exchange.failure and not (self.raise_app_exceptions or wants_the_end)

    async def _arrive(self, response: httpx.Response, exchange: Exchange, journey: Journey) -> None:
        """Wait until the head of a response has come over the network, as its body will."""
        try:
            await journey.head(response)
        except BaseException as reason:
            await exchange.abandon(reason)
            raise
        if isinstance(response.stream, Body):
            response.stream.journey = journey
            response.whole = None  # type: ignore[attr-defined]  # it comes piece by piece

    def _extensions(self, reply: Reply) -> dict[str, Any]:
        phrase = PHRASES.get(reply.status, b"")
        extensions: dict[str, Any] = {"http_version": b"HTTP/1.1", "reason_phrase": phrase, "trailers": reply.trailers}
        if reply.early_hints:
            extensions["early_hints"] = reply.early_hints
        return extensions

    def _response(
        self, exchange: Exchange, library: Library, request: httpx.Request, timeout_s: float | None
    ) -> httpx.Response:
        reply = exchange.reply
        stream = library.stream(self, exchange, library, request, timeout_s)
        response: httpx.Response = library.response(
            reply.status, headers=reply.headers, stream=stream, extensions=self._extensions(reply)
        )
        response.whole = stream.whole  # type: ignore[attr-defined]  # of `_libraries`
        return response

    def _server_error(self, library: Library, request: httpx.Request) -> httpx.Response:
        """What a server says in place of an app that failed before it answered."""
        text = b"Internal Server Error"
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text))]
        body = b"" if request.method == "HEAD" else text
        response: httpx.Response = library.response(500, headers=headers, stream=library.content(body))
        return response


class Body:
    """The body of a response, read from an exchange. `library_of` makes it a stream of the library's."""

    journey: Journey | None = None  # over which it comes

    def __init__(
        self,
        transport: ASGITransport,
        exchange: Exchange,
        library: Library,
        request: httpx.Request,
        timeout_s: float | None,
    ) -> None:
        self._transport = transport
        self._exchange: Any = exchange  # or `None` when there is nothing more to come from it
        self._library = library
        self._request = request
        self._timeout_s = timeout_s

    def whole(self) -> bytes | None:
        """Do what `Exchange.whole` does, and let go of the exchange if there is nothing more to come.

        The client library ties its response and the response's stream into a cycle, which the garbage collector
        finds some time later; what hangs on the stream until then is memory that the next request could have.
        """
        data: bytes | None = None if self._exchange is None else self._exchange.whole()
        if data is not None:
            self._exchange = None
        return data

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        exchange = self._exchange
        if exchange is None:
            raise StopAsyncIteration
        try:
            piece = await exchange.chunk(self._timeout_s)
        except BaseException as error:
            translated = self._translated(exchange, error)
            if translated is error:
                raise
            raise translated from (error if error is exchange.failure else None)
        journey = self.journey
        if piece is None:
            if journey is not None:
                journey.end()
            raise StopAsyncIteration
        data: bytes = piece if journey is None else await journey.piece(piece)
        return data

    async def aclose(self) -> None:
        """Let the app end (see `Exchange.aclose`), and raise what it has raised since the last message."""
        exchange, transport = self._exchange, self._transport
        if exchange is None:
            return
        if exchange.running:
            await exchange.aclose(wait_for_app=transport.wait_for_app)
        error = exchange.untold()
        if error is None:
            return
        if not transport.answers_for(exchange, error):
            raise error
        log.error("%s: the app raised this after its response.", exchange.label, exc_info=error)

    def _translated(self, exchange: Exchange, error: BaseException) -> BaseException:
        """Find what the client library raises in place of `error`."""
        library = self._library
        kind: Any = None
        text = str(error) if isinstance(error, PlaygroundError) else ""
        if error is exchange.failure:
            if not self._transport.answers_for(exchange, error):
                return error
            kind = library.protocol_error
            text = text or _verdicts.broke_off(exchange.reply, error)
        elif isinstance(error, NoAnswer):
            kind = library.read_timeout
        elif isinstance(error, ClientGone):
            kind = library.read_error
        translated: BaseException = error if kind is None else kind(text, request=self._request)
        return translated


async def _end(exchange: Exchange, errors: list[ProtocolError]) -> None:
    try:
        await exchange.aclose()
    except ProtocolError as error:
        errors.append(error)


ASGITransport.body_type = Body
