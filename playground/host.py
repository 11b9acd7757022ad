"""The host: an app of any kind on an event loop of its own, started up, called and shut down.

It makes one ASGI app of whatever a lab is given, watches its requests while a recorder is told, and knows how to
call it with and without a simulated network. When to record, and what to ask, is the lab's affair.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Final, NamedTuple

import anyio.to_thread
import httpx

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.clock.choice import Time
from playground.clock.simulated_loop import SimulatedLoop
from playground.errors import BrokenOff, LabError, UsageError
from playground.trace.requests import recorded_app
from playground.trace.threads import change_seat
from playground.transport import (
    Answer,
    ASGITransport,
    BlockingSession,
    Exchange,
    Network,
    handshake_scope,
    lifespan,
)
from playground.transport.flavours import as_asgi3, flavour_of
from playground.transport.relay import over
from playground.transport.wsgi import wsgi_as_asgi

__all__ = ["Answered", "Host", "Prepared", "while_starting"]


class Prepared(NamedTuple):
    """A request, its name, and the scope that each sending of it gets a copy of."""

    request: httpx.Request
    label: str
    scope: Scope

    def fresh_scope(self) -> Scope:
        """A scope of which an app may change all that it may change: nothing but tuples is shared."""
        scope = dict(self.scope)
        scope["asgi"] = dict(scope["asgi"])
        scope["headers"] = list(scope["headers"])
        scope["extensions"] = {name: {} for name in scope["extensions"]}
        if "state" in scope:
            scope["state"] = dict(scope["state"])
        return scope


class Exchanged(NamedTuple):
    """A request and its answer, as cheap as many at once need it; `response` makes what people read."""

    request: httpx.Request
    answer: Answer | httpx.Response
    took_s: float

    def response(self) -> httpx.Response:
        answer = self.answer
        if isinstance(answer, Answer):
            answer = httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=self.request)
        answer.elapsed = timedelta(seconds=self.took_s)
        return answer


Answered = Exchanged | httpx.TransportError
"""What became of a request: an answer, or what a client sees of a network that lost it."""

log = logging.getLogger("playground.lab")

_HOST: Final = "lab"
_SHUT_DOWN_S: Final = 5.0
"""How long an app may take to shut down; servers give it about as long."""
while_starting: Final[ContextVar[Callable[[], object] | None]] = ContextVar("while_starting", default=None)
"""What a lab calls now and then while its app starts up, and what breaks that off by raising something: for who makes
labs of apps that may never come up. A lab itself gives them any time, as a server does."""
_SERVER_ERROR: Final = Answer(
    500,
    [(b"content-type", b"text/plain; charset=utf-8")],
    b"Internal Server Error",
    trailers=[],
    early_hints=[],
    debug=[],
)
"""What a server says in place of an app that failed before it answered."""


class Host:
    """An app, its loop and its lifespan.

    Args:
        app: an ASGI 3, ASGI 2 or WSGI app.
        time: the clock that it lives by.
        threads: how many worker threads may run at once.
        network: simulated conditions, or `None`.
        trace: whether anything is going to record; if not, exceptions that nobody else sees go to the log.

    Attributes:
        thread: the loop's thread.
        transport: the app as the far end of a client, whose responses do not wait for background tasks.
    """

    def __init__(self, app: Any, time: Time, *, threads: int, network: Network | None, trace: bool) -> None:
        plain = _as_asgi(app)
        self._trace = trace
        self._network = network
        self._websockets = itertools.count()
        self.thread = time.home("playground lab", _limit_threads(threads))
        loop = self.thread.loop
        if isinstance(loop, SimulatedLoop):
            loop.baton.on_turn = change_seat
        self._app = recorded_app(plain, lambda: loop.recorder)  # type: ignore[arg-type, return-value]
        self._life = lifespan(plain)
        try:
            state = self.thread.call(self._life.__aenter__, meanwhile=while_starting.get())
        except BaseException:
            self.thread.close()
            raise
        self._state = state if state.supported else None
        self.transport = ASGITransport(self._app, network=network, state=self._state, wait_for_app=False)
        self._whole = ASGITransport(self._app, network=network, state=self._state, raise_app_exceptions=False)

    @property
    def serveable(self) -> ASGIApp:
        """The app for a server that does not run its lifespan: each request brings the state that start-up left."""
        app, state = self._app, self._state
        if state is None:
            return app

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = dict(state)
            await app(scope, receive, send)

        return with_state

    def close(self) -> None:
        """Shut the app down and end its loop; in a few seconds, whatever the app does."""
        try:
            if self.thread.reachable:
                self.thread.call_last(self._shut_down, _SHUT_DOWN_S)
        finally:
            self.thread.close()

    def prepare(self, request: httpx.Request) -> Prepared:
        """What can be done once for a request that is sent many times."""
        return Prepared(request, f"{request.method} {request.url.path}", self.transport.scope_of(request))

    async def exchange(self, prepared: Prepared, began: float) -> Answered:
        """One request and its whole answer, without a client's layers: no redirects, cookies or auth.

        Its time lasts from when it was sent (`began`, by `time.perf_counter`) until the app is done with it,
        background tasks included.
        """
        if self._network is None:
            answer: Answer | httpx.Response = await self._direct(prepared)
        else:
            try:
                answer = await self._over_network(prepared.request)
            except httpx.TransportError as lost:
                return lost
        return Exchanged(prepared.request, answer, time.perf_counter() - began)

    def websocket(
        self, path: str, subprotocols: Iterable[str], headers: Mapping[str, str] | Iterable[tuple[str, str]] | None
    ) -> BlockingSession:
        """A websocket to the app, for a thread that may wait."""
        scope = handshake_scope(path, subprotocols=subprotocols, headers=headers, host=_HOST, state=self._state)
        app = self._app
        if self._network is not None:
            app = over(app, self._network, next(self._websockets))
        return BlockingSession(app, scope, lambda: nullcontext(self.thread))

    # -- inside ---------------------------------------------------------------------------------------------

    async def _direct(self, prepared: Prepared) -> Answer:
        exchange = Exchange(self._app, prepared.fresh_scope(), _body(prepared.request))
        try:
            return await exchange.complete()
        except (KeyboardInterrupt, SystemExit, GeneratorExit, BrokenOff):
            raise  # an app that wants the end of all gets that of the run; the others are no app's
        except BaseException as error:  # the others get their answers, whatever this one raises
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise  # it is the caller that is being cancelled, and not the app that raised this
            if not self._trace:
                log.error("%s: the app raised this.", prepared.label, exc_info=error)
            return exchange.reply.answer() if exchange.reply.complete else _SERVER_ERROR

    async def _over_network(self, request: httpx.Request) -> httpx.Response:
        response = await self._whole.handle_async_request(request)
        response.request = request
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response

    async def _shut_down(self) -> None:
        async with asyncio.timeout(_SHUT_DOWN_S):
            await self._life.__aexit__(None, None, None)


def _as_asgi(app: Any) -> ASGIApp:
    try:
        flavour = flavour_of(app)
    except UsageError as error:
        raise LabError(str(error)) from None
    return wsgi_as_asgi(app) if flavour == "wsgi" else as_asgi3(app)


def _body(request: httpx.Request) -> Any:
    try:
        return request.content
    except httpx.RequestNotRead:
        return request.stream


def _limit_threads(threads: int) -> Callable[[], None]:
    def limit() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = threads

    return limit
