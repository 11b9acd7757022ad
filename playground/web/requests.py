"""What a handler sees of a request.

A request is a view on an ASGI scope and on the `receive` beside it. It decides when the parts are worked
out (when first asked for, and once) and how a body may be read; it refuses to know how the scope was
made and what will be answered.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn

import anyio

from playground.asgi import Message, Receive, Scope, Send
from playground.errors import StreamConsumed, UsageError

from ._cookies import parse_cookies
from .datastructures import URL, Address, Headers, QueryParams, State

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # The default lets `Request` be written without brackets under a strict type checker.
    StateT = TypeVar("StateT", default=State)
else:
    from typing import TypeVar

    StateT = TypeVar("StateT")

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


class ClientDisconnect(Exception):
    """The client left before its request was read."""


async def empty_receive() -> NoReturn:
    """The `receive` of a request that was made without one."""
    raise RuntimeError("Receive channel has not been made available")


async def empty_send(message: Message) -> NoReturn:
    """The `send` of a request that was made without one."""
    raise RuntimeError("Send channel has not been made available")


class HTTPConnection(Mapping[str, Any], Generic[StateT]):
    """What requests and websockets have in common; as a mapping, the scope itself.

    Two connections are equal only if they are the same object.
    """

    _url: URL | None = None
    _base_url: URL | None = None
    _headers: Headers | None = None
    _query_params: QueryParams | None = None
    _cookies: dict[str, str] | None = None
    _state: Any = None

    def __init__(self, scope: Scope, receive: Receive | None = None) -> None:
        if scope["type"] not in ("http", "websocket"):
            raise UsageError(f"Expected a scope of type 'http' or 'websocket', got {scope['type']!r}.")
        self.scope = scope

    def __getitem__(self, key: str) -> Any:
        return self.scope[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scope)

    def __len__(self) -> int:
        return len(self.scope)

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def app(self) -> Any:
        return self.scope["app"]

    @property
    def url(self) -> URL:
        """The URL that the client asked for, as far as the scope tells."""
        if self._url is None:
            self._url = URL(scope=self.scope)
        return self._url

    @property
    def base_url(self) -> URL:
        """The URL under which the app is mounted; its path ends in a slash."""
        if self._base_url is None:
            path: str = self.scope.get("app_root_path", self.scope.get("root_path", ""))
            whole = {**self.scope, "path": path if path.endswith("/") else path + "/", "query_string": b""}
            self._base_url = URL(scope=whole)
        return self._base_url

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            self._headers = Headers(scope=self.scope)
        return self._headers

    @property
    def query_params(self) -> QueryParams:
        if self._query_params is None:
            self._query_params = QueryParams(self.scope["query_string"])
        return self._query_params

    @property
    def path_params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.scope.get("path_params", {})
        return params

    @property
    def cookies(self) -> dict[str, str]:
        if self._cookies is None:
            self._cookies = {}
            for header in self.headers.getlist("cookie"):
                self._cookies.update(parse_cookies(header))
        return self._cookies

    @property
    def client(self) -> Address | None:
        """Where the connection comes from; `None` if the server did not say."""
        client = self.scope.get("client")
        return None if client is None else Address(*client)

    @property
    def session(self) -> dict[str, Any]:
        session: dict[str, Any] = self._installed("session", "SessionMiddleware")
        return session

    @property
    def auth(self) -> Any:
        return self._installed("auth", "AuthenticationMiddleware")

    @property
    def user(self) -> Any:
        return self._installed("user", "AuthenticationMiddleware")

    @property
    def state(self) -> StateT:
        """What this request remembers; it begins with what the lifespan yielded."""
        if self._state is None:
            # Kept in the scope, so that all who hold a request of this scope see the same.
            self._state = State(self.scope.setdefault("state", {}))
        state: StateT = self._state
        return state

    def url_for(self, name: str, /, **path_params: Any) -> URL:
        """The whole URL of the route with this name.

        Raises:
            NoMatchFound: no route has this name and these parameters.
            RuntimeError: no router has seen this request.
        """
        router = self.scope.get("router") or self.scope.get("app")
        if router is None:
            raise RuntimeError("The `url_for` method can only be used inside a Starlette application or with a router.")
        url: URL = router.url_path_for(name, **path_params).make_absolute_url(base_url=self.base_url)
        return url

    def _installed(self, key: str, middleware: str) -> Any:
        if key not in self.scope:
            raise UsageError(f"{middleware} must be installed to access request.{key}")
        return self.scope[key]


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
    _stream_consumed = False
    _is_disconnected = False

    def __init__(self, scope: Scope, receive: Receive = empty_receive, send: Send = empty_send) -> None:
        if scope["type"] != "http":
            raise UsageError(f"Expected a scope of type 'http', got {scope['type']!r}.")
        self.scope = scope
        self._receive = receive
        self._send = send

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    @property
    def receive(self) -> Receive:
        return self._receive

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body, piece by piece as it arrives; at its end, an empty piece.

        Raises:
            ClientDisconnect: the client left before the body was complete.
            StreamConsumed: the body was streamed before (a body read by `body` can be had again).
        """
        if self._body is not None:
            yield self._body
            yield b""
            return
        if self._stream_consumed:
            raise StreamConsumed(
                "Stream consumed: the body of this request was streamed before, and a stream passes once. "
                "Call `await request.body()` first, which keeps the body for every later reader."
            )
        while not self._stream_consumed:
            message = await self._receive()
            if message["type"] == "http.request":
                self._stream_consumed = not message.get("more_body", False)
                if piece := message.get("body", b""):
                    yield piece
            elif message["type"] == "http.disconnect":
                self._is_disconnected = True
                raise ClientDisconnect
        yield b""

    async def body(self) -> bytes:
        """The whole body; it is kept.

        Raises:
            ClientDisconnect, StreamConsumed: as `stream`.
        """
        if self._body is None:
            self._body = b"".join([piece async for piece in self.stream()])
        return self._body

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

    async def is_disconnected(self) -> bool:
        """Whether the client is known to have left; it does not wait to hear of it."""
        if not self._is_disconnected:
            # In a scope that is cancelled already, `receive` gets as far as it can without waiting.
            with anyio.CancelScope() as scope:
                scope.cancel()
                message = await self._receive()
                self._is_disconnected = message.get("type") == "http.disconnect"
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
