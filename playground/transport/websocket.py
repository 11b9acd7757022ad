"""Opening a websocket to an app, without a server and without a port.

`connect` makes the handshake and decides when the connection ends: with the block. What goes on meanwhile is
the `Session`'s affair.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Literal
from urllib.parse import quote

from playground.asgi import ASGIApp, Scope
from playground.errors import UsageError
from playground.transport._fields import fault_of_client, fault_of_subprotocols
from playground.transport._words import show
from playground.transport.network import Network
from playground.transport.relay import over
from playground.transport.scope import Address, websocket_scope
from playground.transport.session import Session

__all__ = ["connect", "handshake", "handshake_scope"]

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
"""The sample nonce of RFC 6455, section 1.3: nothing here needs a secret one, and scopes stay the same."""


_SENT_AS_IT_IS: Final = bytes(range(0x21, 0x7F))  # in the first line of a request


@asynccontextmanager
async def connect(
    app: ASGIApp,
    path: str,
    *,
    subprotocols: Iterable[str] = (),
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    scheme: Literal["ws", "wss"] = "ws",
    host: str = "testserver",
    client: Address = ("127.0.0.1", 123),
    root_path: str = "",
    state: Mapping[str, Any] | None = None,
    timeout: float | None = None,
    network: Network | None = None,
    number: int = 0,
) -> AsyncIterator["Session"]:
    """Open a websocket to an app, and close it with code 1000 at the end of the block.

    Args:
        app: the ASGI application.
        path: the path, with a query string if there is one, percent-encoded; what no client sends as it is, such as
            a blank, is percent-encoded here.
        subprotocols: what the client speaks, the best first.
        headers: what the handshake sends besides its own; a `host` among them stands in place of its own.
        scheme, host, client, root_path, state: parts of the scope.
        timeout: how long the app may take to accept, in seconds; `None` for any time.
        network: simulated conditions, for the handshake and for every message; `None` for none. A connection that
            is lost is closed with code 1006.
        number: which connection of the network it is. Each number meets a fate of its own, and always the same.

    Raises:
        ConnectionDenied: the app answered with an HTTP response.
        ConnectionClosed: the app closed the connection before accepting it.
        UsageError: no client could send such a path, such headers or subprotocols.
        NoAnswer: it did neither in time.
        ProtocolError: it broke the order of messages, or returned without accepting.
        Exception: what the app raised, if that was not told before.
    """
    scope = handshake_scope(
        path,
        subprotocols=subprotocols,
        headers=headers,
        scheme=scheme,
        host=host,
        client=client,
        root_path=root_path,
        state=state,
    )
    session = Session(app if network is None else over(app, network, number), scope)
    await session.open(timeout)
    async with session:
        yield session


def handshake_scope(
    path: str,
    *,
    subprotocols: Iterable[str] = (),
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    scheme: Literal["ws", "wss"] = "ws",
    host: str = "testserver",
    client: Address = ("127.0.0.1", 123),
    root_path: str = "",
    state: Mapping[str, Any] | None = None,
) -> Scope:
    """Build the scope of a websocket as a client's handshake makes it. See `connect` for the arguments.

    Raises:
        UsageError: no client could send such a path, such headers or subprotocols.
    """
    offered = list(subprotocols)
    try:
        target = quote(path, safe=_SENT_AS_IT_IS).encode("ascii")
        given = headers.items() if isinstance(headers, Mapping) else headers or ()
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given]
        if not any(name == b"host" for name, _ in pairs):
            pairs.insert(0, (b"host", host.encode()))
        fault = fault_of_client("GET", pairs + handshake(offered)) or fault_of_subprotocols(offered)
    except UnicodeEncodeError as error:
        fault = (
            f"expected text that can be encoded, but {show(error.object)} is not all of {error.encoding}. Encode it."
        )
    if fault is not None:
        raise UsageError(f"WS {show(path)}: {fault}")
    return websocket_scope(
        target,
        pairs + handshake(offered),
        scheme=scheme,
        subprotocols=offered,
        host=host,
        client=client,
        root_path=root_path,
        state=state,
    )


def handshake(subprotocols: list[str]) -> list[tuple[bytes, bytes]]:
    """The headers with which a client asks for a websocket (RFC 6455, section 4.1)."""
    pairs = [
        (b"connection", b"upgrade"),
        (b"upgrade", b"websocket"),
        (b"sec-websocket-key", KEY),
        (b"sec-websocket-version", b"13"),
    ]
    return [*pairs, (b"sec-websocket-protocol", ", ".join(subprotocols).encode())] if subprotocols else pairs
