"""Clients for tests: requests and websockets to an app, with no port and no server between.

`TestClient` is Starlette's blocking client: an event loop runs the app in a thread, which the client borrows
for one request or, in a `with` block, for all of them. `AsyncTestClient` is the same for tests that await.
What a client decides is when the app starts up and shuts down, and what its failures look like in a test;
how an app is called is the transport's affair. They are built on httpx2 where that is installed and on httpx
otherwise; the base install of this package has httpx, so there is no warning about it.
"""

import contextlib
import json as jsonlib
import math
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict
from urllib.parse import urljoin

import anyio
import anyio.from_thread

from playground.errors import ConnectionClosed, ConnectionDenied, LifespanError, UsageError
from playground.transport.flavours import as_asgi3
from playground.transport.lifespan import lifespan
from playground.transport.scope import websocket_scope
from playground.transport.testing import Blocking, TestTransport
from playground.transport.websocket import Session, handshake

from .exceptions import StarletteDeprecationWarning
from .types import ASGIApp, Message, Receive, Scope, Send
from .websockets import WebSocketDisconnect

if TYPE_CHECKING:
    import httpx2 as httpx
else:
    try:
        import httpx2 as httpx
    except ModuleNotFoundError:
        try:
            import httpx
        except ModuleNotFoundError:
            raise RuntimeError(
                "expected httpx2 or httpx, which `playground.web.testclient` is built on, but neither is installed. "
                "Run `pip install httpx`."
            ) from None

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

PortalFactory = Callable[[], contextlib.AbstractContextManager[anyio.from_thread.BlockingPortal]]
Mode = Literal["text", "binary"]

HANDSHAKE = {"connection": "upgrade", "sec-websocket-key": "testserver==", "sec-websocket-version": "13"}
"""What Starlette's client sends to ask for a websocket; tests compare it."""

TIMEOUT = (
    "You should not use the 'timeout' argument with the TestClient. "
    "See https://github.com/Kludex/starlette/issues/1108 for more information."
)


class Backend(TypedDict):
    """What `anyio.from_thread.start_blocking_portal` is called with."""

    backend: Literal["asyncio", "trio"]
    backend_options: dict[str, Any]


class WebSocketDenialResponse(httpx.Response, WebSocketDisconnect):
    """Raised when the app answers a websocket's handshake with an HTTP response: it is that response."""

    code = 1006  # RFC 6455, 7.1.5: there was no closing handshake
    reason = ""


class Upgrade(Exception):
    """Brings a websocket's handshake, as the client has made it, to where the session is begun."""

    def __init__(self, request: httpx.Request) -> None:
        self.request = request


class WebSocketTestSession:
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

    def __init__(self, app: ASGI3App, scope: Scope, portal_factory: PortalFactory) -> None:
        self.app = app
        self.scope = scope
        self.portal_factory = portal_factory
        self._session: Session | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.portal = stack.enter_context(self.portal_factory())
            self._session = session = self.portal.call(_begin, self.app, self.scope)
            self._exit_stack = stack.pop_all()
        self.accepted_subprotocol = session.subprotocol
        self.extra_headers = session.headers
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._exit_stack:
            self.portal.call(self._opened().aclose, error is not None)

    def send(self, message: Message) -> None:
        """Put a raw ASGI message before the app."""
        self.portal.call(self._post, message)

    def send_text(self, data: str) -> None:
        """Send text."""
        self.send({"type": "websocket.receive", "text": data})

    def send_bytes(self, data: bytes) -> None:
        """Send bytes."""
        self.send({"type": "websocket.receive", "bytes": data})

    def send_json(self, data: Any, mode: Mode = "text") -> None:
        """Send JSON, as text or, with `mode="binary"`, as bytes."""
        text = jsonlib.dumps(data, separators=(",", ":"), ensure_ascii=False)
        if mode == "text":
            self.send_text(text)
        else:
            self.send_bytes(text.encode())

    def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the websocket: the app receives `websocket.disconnect`."""
        self.portal.call(self._opened().close, code, reason)

    def receive(self, timeout: float | None = None) -> Message:
        """Return the app's next raw message; if it has closed the websocket, that is a `websocket.close`.

        Args:
            timeout: how long to wait, in seconds; `None` for any time.

        Raises:
            NoAnswer: a `TimeoutError`; nothing came in time. The websocket stays open.
        """
        try:
            return self.portal.call(self._opened().receive, timeout)
        except ConnectionClosed as end:
            return {"type": "websocket.close", "code": end.code, "reason": end.reason}

    def receive_text(self, timeout: float | None = None) -> str:
        """Return the next message, which must be text; raises `WebSocketDisconnect` if there is none to come."""
        return self._call(self._opened().receive_text, timeout)

    def receive_bytes(self, timeout: float | None = None) -> bytes:
        """Return the next message, which must be bytes; raises `WebSocketDisconnect` if there is none to come."""
        return self._call(self._opened().receive_bytes, timeout)

    def receive_json(self, mode: Mode = "text", timeout: float | None = None) -> Any:
        """Return what the next message holds as JSON; raises `WebSocketDisconnect` if there is none to come."""
        return self._call(self._opened().receive_json, mode, timeout)

    def _call(self, function: Callable[..., Any], *args: Any) -> Any:
        try:
            return self.portal.call(function, *args)
        except ConnectionClosed as end:
            raise _disconnect(end) from None

    async def _post(self, message: Message) -> None:
        self._opened().post(message)

    def _opened(self) -> Session:
        if self._session is None:
            raise UsageError(
                "expected a websocket that was entered, but this one was not. "
                'Write `with client.websocket_connect("/path") as websocket:`.'
            )
        return self._session


class Door(Blocking):
    """The transport of a `TestClient`: a request for a websocket goes back to the client."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme in ("ws", "wss"):
            raise Upgrade(request)
        return super().handle_request(request)


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
            headers=_headers(headers),
            transport=Door(self._inner, self._portal_factory, httpx.SyncByteStream),
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
        kwargs["headers"] = _handshake(kwargs.get("headers"), subprotocols)
        try:
            super().request("GET", urljoin("ws://testserver", url), **kwargs)
        except Upgrade as upgrade:
            scope = _websocket_scope(upgrade.request, self._inner)
            return WebSocketTestSession(self.app, scope, self._portal_factory)
        raise UsageError(f"Expected WebSocket upgrade, but {url!r} is not of one. Give a path, or a ws:// URL.")

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.portal = portal = stack.enter_context(self._portal_factory())
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
        assert_portal = self.portal
        try:
            return assert_portal.call(function, *args)
        except LifespanError as error:
            raise error.__cause__ or error from None


def _headers(given: Mapping[str, str] | None) -> dict[str, str]:
    headers = dict(given or {})
    headers.setdefault("user-agent", "testclient")
    return headers


def _handshake(given: Any, subprotocols: Sequence[str] | None) -> httpx.Headers:
    headers = httpx.Headers(given)
    for name, value in HANDSHAKE.items():
        headers.setdefault(name, value)
    if subprotocols is not None:
        headers.setdefault("sec-websocket-protocol", ", ".join(subprotocols))
    return headers


def _websocket_scope(request: httpx.Request, transport: TestTransport) -> Scope:
    url = request.url
    offered = request.headers.get("sec-websocket-protocol")
    scope = websocket_scope(
        url.raw_path,
        request.headers.raw,
        scheme=url.scheme,
        subprotocols=[name.strip() for name in offered.split(",")] if offered else (),
        host=url.host,
        port=url.port,
        client=transport.client,
        root_path=transport.root_path,
        state=transport.state,
    )
    scope["server"] = list(scope["server"])
    return scope


async def _begin(app: ASGIApp, scope: Scope) -> Session:
    """Open a websocket without limits, as a test may send much before it reads."""
    session = Session(app, scope, buffer_bytes=math.inf, grace_s=0)
    try:
        await session.open()
    except ConnectionClosed as end:
        raise _disconnect(end) from None
    return session


def _disconnect(end: ConnectionClosed) -> WebSocketDisconnect:
    """What Starlette's users catch, for what the transport raises."""
    if isinstance(end, ConnectionDenied):
        return WebSocketDenialResponse(status_code=end.status, headers=end.headers, content=end.body)
    return WebSocketDisconnect(end.code, end.reason)
