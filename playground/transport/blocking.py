"""A websocket for a thread that may wait: each call is made on an event loop that a portal of anyio's lends.

A `BlockingSession` decides nothing: it is a `Session`, opened and used from outside its loop.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, Protocol, Self

from playground.asgi import ASGIApp, Message, Scope
from playground.errors import ConnectionClosed, UsageError
from playground.transport.session import Mode, Session, is_text, json_text

__all__ = ["BlockingSession", "Portals"]


class Portal(Protocol):
    """Calls a function on an event loop and waits for its result, as anyio's `BlockingPortal` does."""

    def call(self, func: Callable[..., Any], /, *args: Any) -> Any: ...


Portals = Callable[[], AbstractContextManager[Portal]]


class BlockingSession:
    """A websocket, open within a `with` block. See `Session` for what each call does and raises.

    Args:
        app: the ASGI application.
        scope: the scope of a websocket.
        portals: gives the event loop.
        options: what else a `Session` takes.
    """

    def __init__(self, app: ASGIApp, scope: Scope, portals: Portals, **options: Any) -> None:
        self.app = app
        self.scope = scope
        self._portals = portals
        self._options = options
        self._session: Session | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._portal = stack.enter_context(self._portals())
            try:
                self._portal.call(self._begin)
            except BaseException:
                if self._session is not None:  # an interrupt came when it was open already
                    self._close(quiet=True)
                raise
            self._exit_stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._exit_stack:
            self._close(quiet=error is not None)

    @property
    def subprotocol(self) -> str | None:
        """What the app chose of the subprotocols, or `None`."""
        return self._opened().subprotocol

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers with which the app accepted."""
        return self._opened().headers

    def send(self, message: Message) -> None:
        """Send a message with `text` or `bytes`."""
        self._call(Session.send, message)

    def send_text(self, data: str) -> None:
        """Send text."""
        self.send({"type": "websocket.receive", "text": data})

    def send_bytes(self, data: bytes) -> None:
        """Send bytes."""
        self.send({"type": "websocket.receive", "bytes": data})

    def send_json(self, data: Any, mode: Mode = "text") -> None:
        """Send JSON, as text or, with `mode="binary"`, as bytes."""
        if is_text(mode):
            self.send_text(json_text(data))
        else:
            self.send_bytes(json_text(data).encode())

    def receive(self, timeout: float | None = None) -> Message:
        """Return the app's next message."""
        message: Message = self._call(Session.receive, timeout)
        return message

    def receive_text(self, timeout: float | None = None) -> str:
        """Return the next message, which must be text."""
        text: str = self._call(Session.receive_text, timeout)
        return text

    def receive_bytes(self, timeout: float | None = None) -> bytes:
        """Return the next message, which must be bytes."""
        data: bytes = self._call(Session.receive_bytes, timeout)
        return data

    def receive_json(self, mode: Mode = "text", timeout: float | None = None) -> Any:
        """Return what the next message holds as JSON."""
        return self._call(Session.receive_json, mode, timeout)

    def __iter__(self) -> Iterator[str | bytes]:
        """Yield what the app sends, text or bytes, until it closes the connection."""
        while (piece := self._call(Session.receive_any)) is not None:
            yield piece

    def close(self, code: int = 1000, reason: str | None = "") -> None:
        """Close the connection."""
        self._call(Session.close, code, reason)

    async def _begin(self) -> None:
        session = Session(self.app, self.scope, **self._options)
        try:
            await session.open()
        except ConnectionClosed as end:
            raise self._translated(end) from None
        self._session = session

    def _close(self, quiet: bool) -> None:
        # a lab's portal knows of cleaning up, which an interrupt may not wait for
        call = getattr(self._portal, "tidy", self._portal.call)
        call(self._opened().aclose, quiet)

    def _call(self, function: Callable[..., Any], *args: Any) -> Any:
        session = self._opened()
        try:
            return self._portal.call(function, session, *args)
        except ConnectionClosed as end:
            translated = self._translated(end)
            if translated is end:
                raise
            raise translated from None

    def _translated(self, end: ConnectionClosed) -> Exception:
        """Find what is raised in place of `end`."""
        return end

    def _opened(self) -> Session:
        if self._session is None:
            raise UsageError(
                "expected a websocket that was entered, but this one was not. "
                'Write `with client.websocket_connect("/path") as websocket:`.'
            )
        return self._session
