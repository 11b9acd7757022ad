"""URLs: the whole of one, the path of one that awaits a host, and that of a request.

It decides how a request's URL is put together from its scope: a `Host` header is believed only if it is
a host (RFC 3986), else the server's own address stands in. It refuses to know about routes.
"""

import ipaddress
import re
from collections.abc import Sequence
from typing import Any, Final, Literal
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from playground.asgi import Scope
from playground.errors import UsageError

from ._multidict import MultiDict

__all__ = ["URL", "URLPath"]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}

# What would end a path, and the backslash, which browsers take for a slash.
_ENDS_PATH: Final = re.compile(r"[?#\\]")

_ASCII: Final = bytes(range(128))

# RFC 3986, 3.2.2 and 3.2.3: an address in brackets, or a registered name; then perhaps a port.
_HOST: Final = re.compile(
    r"(?:\[(?P<ip>[0-9A-Fa-f:.]+)\]|\[v[0-9A-Fa-f]+\.[\w.~!$&'()*+,;=:-]+\]"
    r"|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)"
    r"(?::(?P<port>0*[0-9]{1,5}))?",
    re.ASCII,
)


class URL:
    """A URL and its parts.

    Args:
        url: the URL as text; or
        scope: the ASGI scope of a request; or
        components: parts by name, put onto the empty URL as `replace` would.
    """

    def __init__(self, url: str = "", scope: Scope | None = None, **components: Any) -> None:
        if scope is not None:
            _refuse_both("url", url, "scope")
            _refuse_both("scope", components, "**components")
            url = _scope_url(scope)
        elif components:
            _refuse_both("url", url, "**components")
            url = URL("").replace(**components).components.geturl()
        self._url = url
        self._components: SplitResult | None = None

    @property
    def components(self) -> SplitResult:
        """All parts, as `urllib.parse.urlsplit` gives them."""
        if self._components is None:
            self._components = urlsplit(self._url)
        return self._components

    @property
    def scheme(self) -> str:
        """What comes before the colon: `https`; may be empty."""
        return self.components.scheme

    @property
    def netloc(self) -> str:
        """User, host and port, as they stand there; may be empty."""
        return self.components.netloc

    @property
    def path(self) -> str:
        """The path, quoted as it stands there."""
        return self.components.path

    @property
    def query(self) -> str:
        """What follows the question mark, quoted as it stands there; may be empty."""
        return self.components.query

    @property
    def fragment(self) -> str:
        """What follows the number sign; may be empty."""
        return self.components.fragment

    @property
    def username(self) -> str | None:
        """The user's name before the host; `None` if there is none."""
        return self.components.username

    @property
    def password(self) -> str | None:
        """The password before the host; `None` if there is none."""
        return self.components.password

    @property
    def hostname(self) -> str | None:
        """The host, in lower case; `None` if there is none."""
        return self.components.hostname

    @property
    def port(self) -> int | None:
        """The port's number; `None` if it is not named.

        Raises:
            ValueError: it is no number from 0 to 65535.
        """
        return self.components.port

    @property
    def is_secure(self) -> bool:
        """Whether it is one of https or wss."""
        return self.scheme in ("https", "wss")

    def replace(self, **kwargs: Any) -> "URL":
        """A URL with other parts: those of `urlsplit`, or username, password, hostname and port."""
        authority: dict[str, Any] = {name: kwargs.pop(name) for name in _AUTHORITY if name in kwargs}
        if authority:
            kwargs["netloc"] = self._netloc_with(authority)
        return type(self)(self.components._replace(**kwargs).geturl())

    def include_query_params(self, **kwargs: Any) -> "URL":
        """A URL whose query has these parameters too, in place of those of the same name."""
        params = MultiDict(parse_qsl(self.query, keep_blank_values=True))
        params.update({name: str(value) for name, value in kwargs.items()})
        return self.replace(query=urlencode(params.multi_items()))

    def replace_query_params(self, **kwargs: Any) -> "URL":
        """A URL whose query has these parameters alone."""
        return self.replace(query=urlencode([(name, str(value)) for name, value in kwargs.items()]))

    def remove_query_params(self, keys: str | Sequence[str]) -> "URL":
        """A URL whose query lacks these parameters."""
        gone = {keys} if isinstance(keys, str) else set(keys)
        params = parse_qsl(self.query, keep_blank_values=True)
        return self.replace(query=urlencode([pair for pair in params if pair[0] not in gone]))

    def _netloc_with(self, changes: dict[str, Any]) -> str:
        host, port = _host_and_port(self.netloc)
        if "hostname" in changes and changes["hostname"] is not None:
            host = changes["hostname"]
            if host.count(":") > 1 and not host.startswith("["):  # an address of IPv6; one colon leads a port
                host = f"[{host}]"
        port = changes.get("port", port)
        username = changes.get("username", self.username)
        password = changes.get("password", self.password)
        netloc = host if port is None else f"{host}:{port}"
        if username is not None:
            netloc = f"{username if password is None else f'{username}:{password}'}@{netloc}"
        return netloc

    def __eq__(self, other: Any) -> bool:
        return str(self) == str(other)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self._url

    def __repr__(self) -> str:
        shown = str(self.replace(password="********")) if self.password else str(self)
        return f"{type(self).__name__}({shown!r})"


_AUTHORITY: Final = ("username", "password", "hostname", "port")


class URLPath(str):
    """A path made by `url_path_for`, with the protocol and host that its route asked for."""

    protocol: str
    host: str

    def __new__(cls, path: str, protocol: Literal["http", "websocket", ""] = "", host: str = "") -> "URLPath":
        if protocol not in ("http", "websocket", ""):
            raise UsageError(f"Expected the protocol 'http', 'websocket' or '', got {protocol!r}.")
        # A browser takes a backslash for a slash, and two slashes at the start for the start of a host.
        path = path.replace("\\", "%5C")
        self = str.__new__(cls, f"/%2F{path[2:]}" if path.startswith("//") else path)
        self.protocol = protocol
        self.host = host
        return self

    def make_absolute_url(self, base_url: str | URL) -> URL:
        """The whole URL, seen from a base URL, whose path it is put behind."""
        base = URL(base_url) if isinstance(base_url, str) else base_url
        secure = {"http": "https", "websocket": "wss", "": base.scheme}
        plain = {"http": "http", "websocket": "ws", "": base.scheme}
        return URL(
            scheme=(secure if base.is_secure else plain)[self.protocol],
            netloc=self.host or base.netloc,
            path=base.path.rstrip("/") + str(self),
        )


def _scope_url(scope: Scope) -> str:
    # A path may hold what would end it in a URL, for it reaches an app unquoted.
    path: str = scope["path"]
    if _ENDS_PATH.search(path):
        path = path.replace("?", "%3F").replace("#", "%23").replace("\\", "%5C")
    query: bytes = scope.get("query_string", b"")
    if query:
        path = f"{path}?{_query_text(query)}"
    scheme = scope.get("scheme", "http")
    netloc = _host_header(scope) or _server_address(scope, scheme)
    if netloc is None:
        # Without a host, two slashes at the start would make one of the path.
        return f"/%2F{path[2:]}" if path.startswith("//") else path
    return f"{scheme}://{netloc}{path if path[:1] in ('/', '?', '') else '/' + path}"


def _query_text(query: bytes) -> str:
    """A query string as text. What is not UTF-8, which any client may send, is percent-encoded byte by byte."""
    try:
        return query.decode()
    except UnicodeDecodeError:
        return quote(query, safe=_ASCII)


def _host_header(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"host":
            host: str = value.decode("latin-1")
            return host if _is_host(host) else None
    return None


def _is_host(host: str) -> bool:
    found = _HOST.fullmatch(host)
    if found is None or int(found["port"] or 0) > 65535:
        return False
    try:
        return found["ip"] is None or ipaddress.ip_address(found["ip"]).version == 6
    except ValueError:
        return False


def _server_address(scope: Scope, scheme: str) -> str | None:
    host, port = scope.get("server") or (None, None)
    if host is None or port is None:  # none, or a Unix socket
        return None
    if ":" in host:
        host = f"[{host}]"
    return host if port == _DEFAULT_PORTS.get(scheme) else f"{host}:{port}"


def _host_and_port(netloc: str) -> tuple[str, str | None]:
    address = netloc.rpartition("@")[2]
    bracketed, bracket, rest = address.rpartition("]")
    name, _, port = rest.partition(":")
    return bracketed + bracket + name, port or None


def _refuse_both(one: str, value: object, other: str) -> None:
    if value:
        raise UsageError(f'Cannot set both "{one}" and "{other}".')
