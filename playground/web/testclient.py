"""Clients for tests: requests and websockets to an app, with no port and no server between.

`TestClient` is Starlette's blocking client: an event loop runs the app in a thread, which the client borrows
for one request or, in a `with` block, for all of them. `AsyncTestClient` is the same for tests that await.
What a client decides is when the app starts up and shuts down, and what its failures look like in a test;
how an app is called is the transport's affair. They are built on httpx2 where that is installed and on httpx
otherwise; the base install of this package has httpx, so there is no warning about it.
"""

import contextlib
import math
import warnings
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from typing import Any, Literal, Self, TypedDict
from urllib.parse import urljoin

import anyio
import anyio.from_thread

from playground.errors import ConnectionClosed, UsageError
from playground.transport.blocking import BlockingSession, Portals
from playground.transport.flavours import as_asgi3
from playground.transport.lifespan import lifespan
from playground.transport.session import Session
from playground.transport.testing import Blocking, TestTransport, Upgrade

from ._testing import WebSocketDenialResponse, disconnect, handshake, httpx, the_apps_own_error, with_user_agent
from .exceptions import StarletteDeprecationWarning
from .types import ASGIApp, Message, Receive, Scope, Send
from .websockets import WebSocketDisconnect

__all__ = [
    "ASGI2App",
    "ASGI3App",
    "ASGIInstance",
    "AsyncTestClient",
    "TestClient",
    "WebSocketDenialResponse",
    "WebSocketDisconnect",
    "WebSocketTestSession",
]

ASGIInstance = Callable[[Receive, Send], Any]
ASGI2App = Callable[[Scope], ASGIInstance]
ASGI3App = ASGIApp

TIMEOUT = (
    "You should not use the 'timeout' argument with the TestClient. "
    "See https://github.com/Kludex/starlette/issues/1108 for more information."
)


class Backend(TypedDict):
    """What `anyio.from_thread.start_blocking_portal` is called with."""

    backend: Literal["asyncio", "trio"]
    backend_options: dict[str, Any]


class WebSocketTestSession(BlockingSession):
    """A websocket to an app, for a thread that may wait. Use it in a `with` block.

    Args:
        app: the ASGI application.
        scope: the scope of the websocket.
        portal_factory: gives the event loop on which the app runs.

    Attributes:
        accepted_subprotocol, extra_headers: what the app accepted the websocket with.
    """

    __test__ = False
    accepted_subprotocol: str | None = None
    extra_headers: list[tuple[bytes, bytes]] | None = None

    def __init__(self, app: ASGI3App, scope: Scope, portal_factory: Portals) -> None:
        # A test may send, and let the app send, much before anyone reads.
        super().__init__(app, scope, portal_factory, buffer_bytes=math.inf, grace_s=0)

    def __enter__(self) -> Self:
        super().__enter__()
        self.accepted_subprotocol = self.subprotocol
        self.extra_headers = self.headers
        return self

    def send(self, message: Message) -> None:
        """Put a raw ASGI message before the app, whether or not it reads."""
        self._call(Session.post, message)

    def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the websocket: the app receives `websocket.disconnect`."""
        super().close(code, reason)

    def receive(self, timeout: float | None = None) -> Message:
        """Return the app's next raw message; if it has closed the websocket, that is a `websocket.close`.

        Args:
            timeout: how long to wait, in seconds; `None` for any time.

        Raises:
            NoAnswer: a `TimeoutError`; nothing came in time. The websocket stays open.
        """
        try:
            return super().receive(timeout)
        except WebSocketDisconnect as end:
            return {"type": "websocket.close", "code": end.code, "reason": end.reason}

    def _translated(self, end: ConnectionClosed) -> Exception:
        return disconnect(end)


class AsyncWebSocketTestSession(Session):
    """A websocket to an app, for a test that awaits; see `WebSocketTestSession`."""

    __test__ = False

    async def receive(self, timeout: float | None = None) -> Message:
        """Return the app's next message; raises `WebSocketDisconnect` if there is none to come."""
        try:
            return await super().receive(timeout)
        except ConnectionClosed as end:
            raise disconnect(end) from None


class TestClient(httpx.Client):
    """A client of an ASGI app, for tests that do not await: an `httpx.Client` with `websocket_connect`.

    Used in a `with` block it runs the app's lifespan, and everything in the block on one event loop.

    Args:
        app: an ASGI application, of ASGI 3 or 2.
        base_url: what relative URLs are relative to.
        raise_server_exceptions: raise in the test what the app lets out; if false it is a response with
            status 500, or the end of one that has begun.
        root_path: the scope's `root_path`.
        backend, backend_options: the event loop, as for `anyio.run`.
        cookies, headers: sent with each request.
        follow_redirects: whether redirects are followed.
        client: the scope's `client`: address and port.
    """

    __test__ = False
    portal: anyio.from_thread.BlockingPortal | None = None

    def __init__(
        self,
        app: ASGIApp,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        backend: Literal["asyncio", "trio"] = "asyncio",
        backend_options: dict[str, Any] | None = None,
        cookies: httpx._types.CookieTypes | None = None,
        headers: dict[str, str] | None = None,
        follow_redirects: bool = True,
        client: tuple[str, int] = ("testclient", 50000),
    ) -> None:
        self.async_backend = Backend(backend=backend, backend_options=backend_options or {})
        self.app = as_asgi3(app)
        self.app_state: dict[str, Any] = {}
        self._inner = TestTransport(
            self.app,
            raise_app_exceptions=raise_server_exceptions,
            root_path=root_path,
            client=client,
            state=self.app_state,
        )
        super().__init__(
            base_url=base_url,
            headers=with_user_agent(headers),
            transport=Blocking(self._inner, self._portal_factory, httpx.SyncByteStream),
            follow_redirects=follow_redirects,
            cookies=cookies,
        )

    @contextlib.contextmanager
    def _portal_factory(self) -> Generator[anyio.from_thread.BlockingPortal, None, None]:
        if self.portal is not None:
            yield self.portal
        else:
            with anyio.from_thread.start_blocking_portal(**self.async_backend) as portal:
                yield portal

    def request(self, method: str, url: httpx._types.URLTypes, **options: Any) -> httpx.Response:
        """Send a request; takes what `httpx.Client.request` takes. A `timeout` counts for nothing."""
        if options.get("timeout", httpx.USE_CLIENT_DEFAULT) is not httpx.USE_CLIENT_DEFAULT:
            warnings.warn(TIMEOUT, StarletteDeprecationWarning, stacklevel=3)
        return super().request(method, url, **options)

    def websocket_connect(
        self, url: str, subprotocols: Sequence[str] | None = None, **kwargs: Any
    ) -> WebSocketTestSession:
        """Prepare a websocket, to be entered in a `with` block.

        Args:
            url: its path, or a `ws://` or `wss://` URL.
            subprotocols: what the client speaks, the best first.
            kwargs: what `httpx.Client.request` takes.

        Raises:
            WebSocketDisconnect: on entering, if the app closes the websocket before accepting it.
            WebSocketDenialResponse: on entering, if the app answers with an HTTP response.
        """
        kwargs["headers"] = handshake(kwargs.get("headers"), subprotocols)
        try:
            super().request("GET", urljoin("ws://testserver", url), **kwargs)
        except Upgrade as upgrade:
            scope = self._inner.websocket_scope(upgrade.request)
            return WebSocketTestSession(self.app, scope, self._portal_factory)
        raise UsageError(f"Expected WebSocket upgrade, but {url!r} is not of one. Give a path, or a ws:// URL.")

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.portal = stack.enter_context(self._portal_factory())
            stack.callback(setattr, self, "portal", None)
            life = lifespan(self.app, state=self.app_state, required=True)
            self.app_state = self._inner.state = self._living(life.__aenter__)
            stack.callback(self._living, life.__aexit__, None, None, None)
            stack.callback(self._transport.close)
            self._exit_stack = stack.pop_all()
        return self

    def __exit__(self, *args: Any) -> None:
        self._exit_stack.close()

    def _living(self, function: Callable[..., Any], *args: Any) -> Any:
        with self._portal_factory() as portal, the_apps_own_error():
            return portal.call(function, *args)


class AsyncTestClient(httpx.AsyncClient):
    """The same for tests that await: an `httpx.AsyncClient` with `websocket_connect`.

    The app runs on the test's own event loop. Used in an `async with` block the client runs its lifespan.

    Args:
        app, base_url, raise_server_exceptions, root_path, cookies, headers, follow_redirects, client: as for
            `TestClient`.
    """

    __test__ = False

    def __init__(
        self,
        app: ASGIApp,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        cookies: Any = None,
        headers: Mapping[str, str] | None = None,
        follow_redirects: bool = True,
        client: tuple[str, int] = ("testclient", 50000),
    ) -> None:
        self.app = as_asgi3(app)
        self.app_state: dict[str, Any] = {}
        self._inner = TestTransport(
            self.app,
            raise_app_exceptions=raise_server_exceptions,
            root_path=root_path,
            client=client,
            state=self.app_state,
        )
        super().__init__(
            base_url=base_url,
            headers=with_user_agent(headers),
            transport=self._inner,
            follow_redirects=follow_redirects,
            cookies=cookies,
        )

    @contextlib.asynccontextmanager
    async def websocket_connect(
        self, url: str, subprotocols: Sequence[str] | None = None, **kwargs: Any
    ) -> AsyncIterator[AsyncWebSocketTestSession]:
        """Open a websocket; see `TestClient.websocket_connect`."""
        kwargs["headers"] = handshake(kwargs.get("headers"), subprotocols)
        request = self.build_request("GET", urljoin("ws://testserver", url), **kwargs)
        scope = self._inner.websocket_scope(request)
        session = AsyncWebSocketTestSession(self.app, scope, buffer_bytes=math.inf, grace_s=0)
        try:
            await session.open()
        except ConnectionClosed as end:
            raise disconnect(end) from None
        async with session:
            yield session

    async def __aenter__(self) -> Self:
        self._life = lifespan(self.app, state=self.app_state, required=True)
        with the_apps_own_error():
            self.app_state = self._inner.state = await self._life.__aenter__()
        return await super().__aenter__()

    async def __aexit__(self, *args: Any) -> None:
        try:
            await super().__aexit__(*args)
        finally:
            with the_apps_own_error():
                await self._life.__aexit__(None, None, None)
