"""What the two test clients share: the client library, the headers they send, and the errors a test sees.

It chooses httpx2 where that is installed, as Starlette does, and httpx otherwise. It calls no app.
"""

import contextlib
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from playground.errors import ConnectionClosed, ConnectionDenied, LifespanError

from .websockets import WebSocketDisconnect

if TYPE_CHECKING:
    import httpx
else:
    try:
        import httpx2 as httpx
    except ModuleNotFoundError:
        import httpx

__all__ = ["WebSocketDenialResponse", "disconnect", "handshake", "httpx", "the_apps_own_error", "with_user_agent"]

HANDSHAKE = {"connection": "upgrade", "sec-websocket-key": "testserver==", "sec-websocket-version": "13"}
"""What Starlette's client sends to ask for a websocket; tests compare it."""


class WebSocketDenialResponse(httpx.Response, WebSocketDisconnect):  # type: ignore[misc]  # `__setstate__`, unused
    """Raised when the app answers a websocket's handshake with an HTTP response: it is that response."""

    code = 1006  # RFC 6455, 7.1.5: there was no closing handshake
    reason = ""


def with_user_agent(given: Mapping[str, str] | None) -> dict[str, str]:
    headers = dict(given or {})
    headers.setdefault("user-agent", "testclient")
    return headers


def handshake(given: Any, subprotocols: Sequence[str] | None) -> httpx.Headers:
    headers = httpx.Headers(given)
    for name, value in HANDSHAKE.items():
        headers.setdefault(name, value)
    if subprotocols is not None:
        headers.setdefault("sec-websocket-protocol", ", ".join(subprotocols))
    return headers


def disconnect(end: ConnectionClosed) -> WebSocketDisconnect:
    """What Starlette's users catch, for what the transport raises."""
    if isinstance(end, ConnectionDenied):
        return WebSocketDenialResponse(status_code=end.status, headers=end.headers, content=end.body)
    return WebSocketDisconnect(end.code, end.reason)


@contextlib.contextmanager
def the_apps_own_error() -> Generator[None, None, None]:
    """Raise what the app raised in its lifespan, rather than that it did."""
    try:
        yield
    except LifespanError as error:
        raise error.__cause__ or error from None
