"""What requests and websockets have in common: a view on an ASGI scope.

It decides when the parts of a scope are worked out (when first asked for, and once) and where a connection's
state is kept. It refuses to know how the scope was made, what comes in and what will be answered.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic

from playground.asgi import Receive, Scope
from playground.errors import UsageError

from ._cookies import parse_cookies
from .datastructures import URL, Address, Headers, QueryParams, State

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # The default lets `Request` be written without brackets under a strict type checker.
    StateT = TypeVar("StateT", default=State)
else:
    from typing import TypeVar

    StateT = TypeVar("StateT")

__all__ = ["HTTPConnection", "StateT"]

_blank: Final = object.__new__


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
        """The application that the request is in: of a mounted one, that."""
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
        """The headers, by names of any case; of one that came several times, the first. `getlist` has all."""
        headers = self._headers
        if headers is None:
            scope = self.scope
            raw = scope["headers"]
            if type(raw) is not list:  # it is taken over as a list, so that who changes the one sees the other
                raw = scope["headers"] = list(raw)
            headers = self._headers = _blank(Headers)
            headers._list = raw  # as `Headers.over` does, without a call: every request pays for it
        return headers

    @property
    def query_params(self) -> QueryParams:
        """The parameters of the query, decoded; of one that came several times, the last. `getlist` has all."""
        params = self._query_params
        if params is None:
            query = self.scope["query_string"]
            params = self._query_params = QueryParams.of_query(query) if type(query) is bytes else QueryParams(query)
        return params

    @property
    def path_params(self) -> dict[str, Any]:
        """The parameters of the path, converted as the route says."""
        params: dict[str, Any] = self.scope.get("path_params", {})
        return params

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that the client sent, by name."""
        cookies = self._cookies
        if cookies is None:
            cookies = self._cookies = {}
            for name, value in self.scope["headers"]:
                if name == b"cookie":
                    cookies.update(parse_cookies(value.decode("latin-1")))
        return cookies

    @property
    def client(self) -> Address | None:
        """Where the connection comes from; `None` if the server did not say."""
        client = self.scope.get("client")
        return None if client is None else Address(*client)

    @property
    def session(self) -> dict[str, Any]:
        """What is kept for this client from one request to the next, in a signed cookie.

        Raises:
            UsageError: there is no `SessionMiddleware` around the app.
        """
        session: dict[str, Any] = self._installed("session", "SessionMiddleware")
        # The middleware's own kind tells caches of answers that depend on it; tests may put a plain one here.
        mark_accessed = getattr(session, "mark_accessed", None)
        if mark_accessed is not None:
            mark_accessed()
        return session

    @property
    def auth(self) -> Any:
        """What the client may do: its `AuthCredentials`.

        Raises:
            UsageError: there is no `AuthenticationMiddleware` around the app.
        """
        return self._installed("auth", "AuthenticationMiddleware")

    @property
    def user(self) -> Any:
        """Who the client is: a user as the authentication's backend made it.

        Raises:
            UsageError: there is no `AuthenticationMiddleware` around the app.
        """
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
