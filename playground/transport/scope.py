"""The scope of a connection: what an app is told of a request before it reads the body, or of a websocket.

Plain functions from a request's parts to a new dict, as the ASGI specification's HTTP and websocket parts
(version 2.5) list them. An app may write to its scope, so nothing in one is shared with the next, but for
the tuples.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from playground.asgi import Scope
from playground.transport.reply import Header

__all__ = ["Address", "http_scope", "websocket_scope"]

Address = tuple[str, int]

OFFERED = ("http.response.trailers", "http.response.early_hint")
"""The extensions that an exchange understands."""

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def http_scope(
    method: str,
    target: bytes,
    headers: Iterable[Header] = (),
    *,
    scheme: str = "http",
    host: str = "testserver",
    port: int | None = None,
    client: Address | None = ("127.0.0.1", 123),
    root_path: str = "",
    state: Mapping[str, Any] | None = None,
    extensions: Iterable[str] = OFFERED,
) -> Scope:
    """Build the scope of one request.

    Args:
        method: upper-cased here.
        target: path and query string as they stand in the request's first line, percent-encoded.
        headers: pairs of bytes; names are lower-cased here, order and repetitions stay.
        scheme, host, port: where the request was sent; without a port, the scheme's own.
        client: address and port of the client, or `None` for unknown.
        root_path: where the app is mounted. It is not put in front of the path.
        state: the lifespan's state; the scope gets a shallow copy, or no `state` if there is none.
        extensions: names of the extensions that are offered to the app.
    """
    raw_path, _, query_string = target.partition(b"?")
    path = raw_path.decode("ascii")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": method.upper(),
        "scheme": scheme,
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": query_string,
        "root_path": root_path,
        "headers": [(name.lower(), value) for name, value in headers],
        "client": client,
        "server": (host, DEFAULT_PORTS.get(scheme, 80) if port is None else port),
        "extensions": {OFFERED[0]: {}, OFFERED[1]: {}} if extensions is OFFERED else {name: {} for name in extensions},
    }
    if state is not None:
        scope["state"] = dict(state)
    return scope


def websocket_scope(
    target: bytes,
    headers: Iterable[Header] = (),
    *,
    scheme: str = "ws",
    subprotocols: Iterable[str] = (),
    extensions: Iterable[str] = ("websocket.http.response",),
    **parts: Any,
) -> Scope:
    """Build the scope of one websocket.

    Args:
        target, headers, scheme, extensions: as for `http_scope`.
        subprotocols: what the client speaks, the best first.
        parts: the other arguments of `http_scope`.
    """
    scope = http_scope("GET", target, headers, scheme=scheme, extensions=extensions, **parts)
    del scope["method"]
    scope["type"] = "websocket"
    scope["subprotocols"] = list(subprotocols)
    return scope
