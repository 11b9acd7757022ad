"""An open websocket from the client's side: both sides may speak at any time, and either may close.

A `Session` decides who waits for whom: the client while the app has not taken what it sent, and whoever
receives until there is something. What the app may say is `Dialogue`'s affair, and what it sees of this
`WebSocketSide`'s. An exception of the app reaches the caller once, by whatever the caller waits for, or at
the end.
"""

import json
from collections.abc import AsyncIterator
from typing import Any, Literal, Self

from playground.asgi import Message
from playground.errors import ConnectionClosed, NoAnswer, UsageError, WrongFrame
from playground.transport import _verdicts
from playground.transport._app_side import log
from playground.transport._dialogue import is_utf8, size_of
from playground.transport._websocket_side import WebSocketSide

__all__ = ["Mode", "Session", "is_text", "json_text"]

Mode = Literal["text", "binary"]

NORMAL = (1000, 1001)  # done, and going away: RFC 6455, section 7.4.1


class Session(WebSocketSide):
    """An open websocket, from the client's side. Sending and receiving may go on at the same time.

    Args:
        app: the ASGI application.
        scope: the scope of a websocket.
        buffer_bytes: how much may lie unread in either direction before the sender waits.
        grace_s: how long the app may take to end after a disconnect; see `Exchange`.
    """

    @property
    def subprotocol(self) -> str | None:
        """What the app chose of the subprotocols, or `None`."""
        return self._said.subprotocol

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers with which the app accepted."""
        return self._said.headers

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        await self.aclose(quiet=error is not None)

    async def open(self, timeout: float | None = None) -> None:
        """Call the app and return when it has accepted. See `connect` for what it raises."""
        self._crew.start("app", self._run, self.label)
        try:
            while not self._said.accepted:
                if self._said.closed:
                    raise self._said.ending()
                self._raise_the_end()
                if not await self._crew.host.wait(self._readers, timeout):
                    raise NoAnswer(
                        f"{self.label}: expected {self._said.stage.expects} from the app within {timeout:g} s, "
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
        """Send text; see `send`.

        Raises:
            UsageError: it holds half of a surrogate pair, which is no UTF-8.
        """
        if not is_utf8(data):
            raise UsageError(
                f"{self.label}: expected text that is UTF-8 on the wire, but it holds half of a surrogate pair. "
                "Send what came as bytes as bytes, or decode it with errors='replace'."
            )
        await self.send({"type": "websocket.receive", "text": data})

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes; see `send`."""
        await self.send({"type": "websocket.receive", "bytes": data})

    async def send_json(self, data: Any, mode: Mode = "text") -> None:
        """Send JSON, as text or as bytes; see `send`."""
        text = json_text(data)
        await (self.send_text(text) if is_text(mode) else self.send_bytes(text.encode()))

    async def receive(self, timeout: float | None = None) -> Message:
        """Return the app's next `websocket.send`.

        Args:
            timeout: how long to wait, in seconds; `None` for any time. The session stays open after it.

        Raises:
            ConnectionClosed: there is none to come, for the connection is closed.
            NoAnswer: none came in time.
            Exception: what the app has raised.
        """
        while (message := self._said.pop()) is None:
            self._raise_if_over()
            if not await self._crew.host.wait(self._readers, timeout) and self._quiet():
                raise NoAnswer(
                    f"{self.label}: expected `websocket.send` from the app within {timeout:g} s, but nothing came. "
                    "Send it sooner, or wait longer."
                )
        if self._writers and self._said.buffered < self._room:
            self._crew.host.ring(self._writers)
        return message

    async def receive_text(self, timeout: float | None = None) -> str:
        """Return the next message, which must be text; see `receive`."""
        text: str = self._part(await self.receive(timeout), "text")
        return text

    async def receive_bytes(self, timeout: float | None = None) -> bytes:
        """Return the next message, which must be bytes; see `receive`."""
        data: bytes = self._part(await self.receive(timeout), "bytes")
        return data

    async def receive_json(self, mode: Mode = "text", timeout: float | None = None) -> Any:
        """Return what the next message holds as JSON; see `receive`."""
        return json.loads(await (self.receive_text(timeout) if is_text(mode) else self.receive_bytes(timeout)))

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Yield what the app sends, text or bytes, until it closes the connection.

        Raises:
            ConnectionClosed: with another code than 1000 and 1001.
        """
        while (data := await self.receive_any()) is not None:
            yield data

    async def receive_any(self, timeout: float | None = None) -> str | bytes | None:
        """Return the next message, text or bytes, or `None` if the app has closed with code 1000 or 1001."""
        try:
            message = await Session.receive(self, timeout)  # whatever a subclass makes of its errors
        except ConnectionClosed as end:
            if end.code in NORMAL:
                return None
            raise
        data: str | bytes = message["bytes"] if message.get("text") is None else message["text"]
        return data

    async def close(self, code: int = 1000, reason: str | None = "") -> None:
        """Close the connection: the app receives `websocket.disconnect`. Closing twice changes nothing."""
        if self._parting is None and not self._said.closed:
            self.hang_up(code, reason)

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
            raise _verdicts.unstoppable(self._said, self._crew.in_thread())
        error, self._error = self._error, None
        if error is None or _verdicts.was_ended(self._crew.host, error) or _verdicts.is_of_leaving(error):
            return
        if not quiet:
            raise error
        log.error("%s: the app raised this.", self.label, exc_info=error)

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
        if error is None:
            raise self._said.left_early()
        if _verdicts.was_ended(self._crew.host, error):
            raise _verdicts.was_cancelled(self._said) from error
        raise error

    def _part(self, message: Message, part: Literal["text", "bytes"]) -> Any:
        data = message.get(part)
        if data is None:
            other = "bytes" if part == "text" else "text"
            raise WrongFrame(
                f"{self.label}: expected {part} from the app, but it sent {other}. Receive it with `receive_{other}`."
            )
        return data

    async def _break_off(self) -> None:
        """Cancel the app at once, for the client cannot stay."""
        self.hang_up()
        if not await self._crew.stop(in_haste=True):
            log.error("%s", _verdicts.unstoppable(self._said, self._crew.in_thread()))


def is_text(mode: str) -> bool:
    """Whether JSON goes as text, not as bytes."""
    if mode not in ("text", "binary"):
        raise UsageError(f'The "mode" argument should be "text" or "binary", but it is {mode!r}.')
    return mode == "text"


def json_text(data: Any) -> str:
    """JSON, as Starlette's websockets write it."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
