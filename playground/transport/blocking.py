"""A websocket for a thread that may wait: each call is made on an event loop that a portal of anyio's lends.

`BlockingSession` decides nothing: it is a `Session`, called from outside its loop.
"""

from collections.abc import Iterator
from typing import Any

from anyio.from_thread import BlockingPortal

from playground.asgi import Message
from playground.transport.websocket import Mode, Session

__all__ = ["BlockingSession"]


class BlockingSession:
    """An open websocket; see `Session` for what each call does and raises.

    Args:
        session: the session.
        portal: leads to its loop.
    """

    def __init__(self, session: Session, portal: BlockingPortal) -> None:
        self._session = session
        self._portal = portal

    @property
    def subprotocol(self) -> str | None:
        """What the app chose of the subprotocols, or `None`."""
        return self._session.subprotocol

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers with which the app accepted."""
        return self._session.headers

    def send(self, message: Message) -> None:
        """Send a message with `text` or `bytes`."""
        self._portal.call(self._session.send, message)

    def send_text(self, data: str) -> None:
        """Send text."""
        self._portal.call(self._session.send_text, data)

    def send_bytes(self, data: bytes) -> None:
        """Send bytes."""
        self._portal.call(self._session.send_bytes, data)

    def send_json(self, data: Any, mode: Mode = "text") -> None:
        """Send JSON, as text or as bytes."""
        self._portal.call(self._session.send_json, data, mode)

    def receive(self, timeout_s: float | None = None) -> Message:
        """Return the app's next message."""
        return self._portal.call(self._session.receive, timeout_s)

    def receive_text(self, timeout_s: float | None = None) -> str:
        """Return the next message, which must be text."""
        return self._portal.call(self._session.receive_text, timeout_s)

    def receive_bytes(self, timeout_s: float | None = None) -> bytes:
        """Return the next message, which must be bytes."""
        return self._portal.call(self._session.receive_bytes, timeout_s)

    def receive_json(self, mode: Mode = "text", timeout_s: float | None = None) -> Any:
        """Return what the next message holds as JSON."""
        return self._portal.call(self._session.receive_json, mode, timeout_s)

    def __iter__(self) -> Iterator[str | bytes]:
        """Yield what the app sends until it closes the connection."""
        pieces = aiter(self._session)
        while (piece := self._portal.call(anext, pieces, None)) is not None:
            yield piece

    def close(self, code: int = 1000, reason: str | None = "") -> None:
        """Close the connection."""
        self._portal.call(self._session.close, code, reason)
