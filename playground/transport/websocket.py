"""A websocket to an app, without a server: both sides may speak at any time, and either may close.

A `Session` decides who waits for whom: the app while the client has not taken what it sent, the client while
the app has not taken what *it* sent, and whoever receives until there is something. What the app may say is
`Dialogue`'s affair. The app runs in a task of its own, named like "WS /path", which belongs to no scope of
the caller's; an exception of the app reaches the caller once, by whatever the caller waits for, or at the end.
"""

import json
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from playground.asgi import ASGIApp, Message, Scope
from playground.errors import ClientGone, ConnectionClosed, NoAnswer, WrongFrame
from playground.transport import _verdicts
from playground.transport._app_side import BUFFER_BYTES, log
from playground.transport._crew import Crew
from playground.transport._dialogue import Dialogue, size_of
from playground.transport._hosts import current_host
from playground.transport.scope import Address, websocket_scope

__all__ = ["Mode", "Session", "connect", "handshake"]

Mode = Literal["text", "binary"]

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
"""The sample nonce of RFC 6455, section 1.3: nothing here needs a secret one, and scopes stay the same."""

NORMAL = (1000, 1001)  # done, and going away: RFC 6455, section 7.4.1


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
    timeout_s: float | None = None,
) -> AsyncIterator["Session"]:
    """Open a websocket to an app, and close it with code 1000 at the end of the block.

    Args:
        app: the ASGI application.
        path: the path, with a query string if there is one, percent-encoded.
        subprotocols: what the client speaks, the best first.
        headers: what the handshake sends besides its own.
        scheme, host, client, root_path, state: parts of the scope.
        timeout_s: how long the app may take to accept, in seconds; `None` for any time.

    Raises:
        ConnectionDenied: the app answered with an HTTP response.
        ConnectionClosed: the app closed the connection before accepting it.
        NoAnswer: it did neither in time.
        ProtocolError: it broke the order of messages, or returned without accepting.
        Exception: what the app raised, if that was not told before.
    """
    given = headers.items() if isinstance(headers, Mapping) else headers or ()
    offered = list(subprotocols)
    pairs = [(b"host", host.encode())]
    pairs += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given]
    scope = websocket_scope(
        path.encode("ascii"),
        pairs + handshake(offered),
        scheme=scheme,
        subprotocols=offered,
        host=host,
        client=client,
        root_path=root_path,
        state=state,
    )
    session = Session(app, scope)
    await session.open(timeout_s)
    try:
        yield session
    except BaseException:
        await session.aclose(quiet=True)
        raise
    await session.aclose()


def handshake(subprotocols: list[str]) -> list[tuple[bytes, bytes]]:
    """The headers with which a client asks for a websocket (RFC 6455, section 4.1)."""
    pairs = [
        (b"connection", b"upgrade"),
        (b"upgrade", b"websocket"),
        (b"sec-websocket-key", KEY),
        (b"sec-websocket-version", b"13"),
    ]
    return [*pairs, (b"sec-websocket-protocol", ", ".join(subprotocols).encode())] if subprotocols else pairs


class Session:
    """An open websocket, from the client's side. Sending and receiving may go on at the same time.

    Args:
        app: the ASGI application.
        scope: the scope of a websocket.
        buffer_bytes: how much may lie unread in either direction before the sender waits.
        grace_s: how long the app may take to end after a disconnect; see `Exchange`.
    """

    def __init__(
        self, app: ASGIApp, scope: Scope, *, buffer_bytes: float = BUFFER_BYTES, grace_s: float | None = None
    ) -> None:
        self.label = f"WS {scope['path']}"
        self._app = app
        self._scope = scope
        self._room = buffer_bytes
        self._grace_s = grace_s
        self._crew = Crew(current_host(), _nothing)
        self._said = Dialogue(self.label)
        self._inbox: deque[Message] = deque([{"type": "websocket.connect"}])
        self._inbox_size = 0
        self._parting: Message | None = None  # the client's `websocket.disconnect`
        self._told_disconnect = False
        self._error: BaseException | None = None
        # Who waits: the client for a message, the app for room to send; the app for a message, the client for room.
        self._readers: list[Any] = []
        self._writers: list[Any] = []
        self._receivers: list[Any] = []
        self._senders: list[Any] = []

    @property
    def subprotocol(self) -> str | None:
        """What the app chose of the subprotocols, or `None`."""
        return self._said.subprotocol

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers with which the app accepted."""
        return self._said.headers

    async def open(self, timeout_s: float | None = None) -> None:
        """Call the app and return when it has accepted. See `connect` for what it raises."""
        self._crew.start("app", self._run, self.label)
        try:
            while not self._said.accepted:
                if self._said.closed:
                    raise self._said.ending()
                self._raise_the_end()
                if not await self._crew.host.wait(self._readers, timeout_s):
                    raise NoAnswer(
                        f"{self.label}: expected {self._said.stage.expects} from the app within {timeout_s:g} s, "
                        "but nothing came. Send it sooner, or give the client a longer timeout."
                    )
        except BaseException:
            await self._break_off()
            raise

    async def send(self, message: Message) -> None:
        """Send a message with `text` or `bytes`. It waits while the app has not taken what came before.

        Raises:
            ConnectionClosed: the connection is closed, by either side.
            Exception: what the app has raised.
        """
        while True:
            self._raise_if_over()
            if self._inbox_size < self._room:
                break
            await self._crew.host.wait(self._senders)
        self.post(message)

    def post(self, message: Message) -> None:
        """Put a message before the app whatever else lies there."""
        self._inbox.append(message)
        self._inbox_size += size_of(message)
        self._crew.host.ring(self._receivers)

    async def send_text(self, data: str) -> None:
        """Send text; see `send`."""
        await self.send({"type": "websocket.receive", "text": data})

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes; see `send`."""
        await self.send({"type": "websocket.receive", "bytes": data})

    async def send_json(self, data: Any, mode: Mode = "text") -> None:
        """Send JSON, as text or as bytes; see `send`."""
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        await (self.send_text(text) if mode == "text" else self.send_bytes(text.encode()))

    async def receive(self, timeout_s: float | None = None) -> Message:
        """Return the app's next `websocket.send`.

        Args:
            timeout_s: how long to wait, in seconds; `None` for any time. The session stays open after it.

        Raises:
            ConnectionClosed: there is none to come, for the connection is closed.
            NoAnswer: none came in time.
            Exception: what the app has raised.
        """
        while (message := self._said.pop()) is None:
            self._raise_if_over()
            if not await self._crew.host.wait(self._readers, timeout_s) and self._quiet():
                raise NoAnswer(
                    f"{self.label}: expected `websocket.send` from the app within {timeout_s:g} s, but nothing came. "
                    "Send it sooner, or wait longer."
                )
        if self._writers and self._said.buffered < self._room:
            self._crew.host.ring(self._writers)
        return message

    async def receive_text(self, timeout_s: float | None = None) -> str:
        """Return the next message, which must be text; see `receive`."""
        return str(self._part(await self.receive(timeout_s), "text"))

    async def receive_bytes(self, timeout_s: float | None = None) -> bytes:
        """Return the next message, which must be bytes; see `receive`."""
        return bytes(self._part(await self.receive(timeout_s), "bytes"))

    async def receive_json(self, mode: Mode = "text", timeout_s: float | None = None) -> Any:
        """Return what the next message holds as JSON; see `receive`."""
        return json.loads(await (self.receive_text(timeout_s) if mode == "text" else self.receive_bytes(timeout_s)))

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Yield what the app sends, text or bytes, until it closes the connection.

        Raises:
            ConnectionClosed: with another code than 1000 and 1001.
        """
        while True:
            try:
                message = await self.receive()
            except ConnectionClosed as end:
                if end.code in NORMAL:
                    return
                raise
            yield message["bytes"] if message.get("text") is None else message["text"]

    async def close(self, code: int = 1000, reason: str | None = "") -> None:
        """Close the connection: the app receives `websocket.disconnect`. Closing twice changes nothing."""
        if self._parting is None and not self._said.closed:
            self.hang_up(code, reason)

    def hang_up(self, code: int = 1000, reason: str | None = "") -> None:
        """Do what `close` does, at once."""
        if self._parting is None:
            self._parting = {"type": "websocket.disconnect", "code": code, "reason": reason}
        for waiting in (self._readers, self._writers, self._receivers, self._senders):
            self._crew.host.ring(waiting)

    async def aclose(self, quiet: bool = False) -> None:
        """Close the connection and end the app: it gets the grace time, and is then cancelled.

        Args:
            quiet: log what the app raises instead of raising it, as the caller raises something else.

        Raises:
            Exception: what the app raised and nobody was told of.
            ProtocolError: the app cannot be stopped.
        """
        self.hang_up()
        try:
            await self._crew.linger(self._grace_s)
        except BaseException:
            await self._break_off()
            raise
        if not await self._crew.stop():
            raise _verdicts.unstoppable(self._said)
        error, self._error = self._error, None
        if not isinstance(error, Exception | KeyboardInterrupt | SystemExit) or _verdicts.is_of_leaving(error):
            return
        if not quiet:
            raise error
        log.error("%s: the app raised this.", self.label, exc_info=error)

    # What the app sees.

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception as error:
            self._error = error
            if self._crew.host.may_fail(error):
                raise
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._crew.left("app")
            self._crew.host.ring(self._readers)
            self._crew.host.ring(self._senders)

    async def _receive(self) -> Message:
        while not self._inbox:
            if self._parting is not None or self._said.closed:
                return await self._disconnect()
            await self._crew.host.wait(self._receivers)
        message = self._inbox.popleft()
        if message["type"] == "websocket.receive":
            self._inbox_size -= size_of(message)
            if self._senders and self._inbox_size < self._room:
                self._crew.host.ring(self._senders)
        return message

    async def _disconnect(self) -> Message:
        if self._told_disconnect:
            await self._crew.host.let_others_run()  # an app that asks on and on would hold the loop
        self._told_disconnect = True
        closed = {"type": "websocket.disconnect", "code": self._said.close_code, "reason": ""}
        return closed if self._parting is None else dict(self._parting)

    async def _send(self, message: Message) -> None:
        while self._said.buffered >= self._room and self._parting is None:
            await self._crew.host.wait(self._writers)
        if self._parting is not None and not self._said.closed:
            await self._crew.host.let_others_run()  # as above
            raise ClientGone(
                f"{self.label}: expected an open connection to send to, but the client has closed it. "
                "Clean up and return."
            )
        self._said.take(message)
        self._crew.host.ring(self._readers)
        if self._said.closed:
            self._crew.host.ring(self._receivers)
            self._crew.host.ring(self._senders)

    # What the client may expect.

    def _quiet(self) -> bool:
        """Whether nothing has happened that `receive` would tell of."""
        return not self._said.buffered and not self._said.closed and "app" in self._crew and self._parting is None

    def _raise_if_over(self) -> None:
        if self._said.closed:
            raise self._said.ending()
        self._raise_the_end()
        if self._parting is not None:
            code = self._parting["code"]
            raise ConnectionClosed(
                f"{self.label}: expected an open connection, but the client has closed it with code {code}. "
                "Send and receive before closing it.",
                code,
                self._parting["reason"] or "",
            )

    def _raise_the_end(self) -> None:
        if "app" in self._crew:
            return
        error, self._error = self._error, None
        if isinstance(error, Exception | KeyboardInterrupt | SystemExit):
            raise error
        if error is not None:
            raise _verdicts.was_cancelled(self._said) from error
        raise self._said.left_early()

    def _part(self, message: Message, part: Literal["text", "bytes"]) -> str | bytes:
        data: str | bytes | None = message.get(part)
        if data is None:
            other = "bytes" if part == "text" else "text"
            raise WrongFrame(
                f"{self.label}: expected {part} from the app, but it sent {other}. Receive it with `receive_{other}`."
            )
        return data

    async def _break_off(self) -> None:
        """Cancel the app at once, for the client cannot stay."""
        self.hang_up()
        if not await self._crew.stop():
            log.error("%s", _verdicts.unstoppable(self._said))


def _nothing() -> None:
    """The end of the crew is of no interest to anyone else."""

