"""A websocket, from the side of the app: what may be sent and received now, and what it means.

Two tables decide (`_websocket_states`): `client_state` says what has been received, and so what may come
next; `application_state` says what has been sent, and so what may follow. This module makes messages of data,
and data of messages. It refuses to know about routes and about servers.
"""

import json
from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING, Any, Final

from playground.asgi import Message, Receive, Scope, Send
from playground.errors import UsageError, WrongFrame

from ._connection import HTTPConnection, StateT
from ._websocket_states import RECEIVE, SEND, WebSocketState, after

if TYPE_CHECKING:
    from .responses import Response

__all__ = ["WebSocket", "WebSocketClose", "WebSocketDisconnect", "WebSocketDisconnected", "WebSocketState"]


_CONNECTING: Final = WebSocketState.CONNECTING
_CONNECTED: Final = WebSocketState.CONNECTED
_DISCONNECTED: Final = WebSocketState.DISCONNECTED

# ASGI: a disconnect without a code means that none was received (RFC 6455, 7.1.5).
_NO_CODE: Final = 1005
# RFC 6455, 7.1.5: the connection was lost without a closing handshake.
_LOST: Final = 1006

# Made once: `json.dumps` makes an encoder for each call that has arguments like these.
_encode: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class WebSocketDisconnect(Exception):
    """The other side has left.

    Attributes:
        code: its close code (RFC 6455, 7.4); 1006 if it left without one.
        reason: its reason, perhaps empty.
    """

    def __init__(self, code: int = 1000, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason or ""


class WebSocketDisconnected(RuntimeError):
    """A websocket was used before it was accepted, or after it was closed."""


class WebSocket(HTTPConnection[StateT]):
    """A websocket.

    Args:
        scope: its ASGI scope, of type `websocket`.
        receive, send: the rest of its ASGI interface.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            raise UsageError(f"Expected a scope of type 'websocket', got {scope['type']!r}.")
        self.scope = scope
        self._receive = receive
        self._send = send
        self.client_state = _CONNECTING
        self.application_state = _CONNECTING

    async def receive(self) -> Message:
        """The next ASGI message.

        Raises:
            WebSocketDisconnected: the client's leaving has been received already.
            ProtocolError: the server sent a message that may not come now.
        """
        state = self.client_state
        if state is _DISCONNECTED:
            raise WebSocketDisconnected(
                f'Cannot call "receive" once a disconnect message has been received. {RECEIVE[state].advice}'
            )
        message = await self._receive()
        # Nearly every message is data, which changes nothing.
        if state is not _CONNECTED or message["type"] != "websocket.receive":
            self.client_state = after(RECEIVE[state], message)
        return message

    async def send(self, message: Message) -> None:
        """Send an ASGI message.

        Raises:
            WebSocketDisconnected: the websocket was closed or refused by this app.
            ProtocolError: the message may not be sent now.
            WebSocketDisconnect: the server told that the client has left.
        """
        state = self.application_state
        if state is not _CONNECTED or message["type"] != "websocket.send":
            if state is _DISCONNECTED:
                raise WebSocketDisconnected(
                    f'Cannot call "send" once a close message has been sent. {SEND[state].advice}'
                )
            self.application_state = after(SEND[state], message)
        if state is not _CONNECTED:
            await self._send(message)
            return
        try:
            await self._send(message)
        except OSError as error:  # by which servers tell, since ASGI 2.4, that nobody listens any more
            self.application_state = _DISCONNECTED
            raise WebSocketDisconnect(_LOST) from error

    async def accept(
        self, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] | None = None
    ) -> None:
        """Accept the connection.

        Args:
            subprotocol: which of those that the client offered is spoken.
            headers: headers of the answer to the handshake.
        """
        if self.client_state is _CONNECTING:
            await self.receive()
        accept = {"type": "websocket.accept", "subprotocol": subprotocol, "headers": list(headers or ())}
        await self.send(accept)

    async def receive_text(self) -> str:
        """The next message, a text.

        Raises:
            WebSocketDisconnect: the client has left.
            WebSocketDisconnected: the websocket is not accepted, or closed.
            WrongFrame: the message is bytes.
        """
        if self.application_state is not _CONNECTED:
            raise self._not_connected()
        message = await self.receive()
        text: str | None = message.get("text")
        if text is None:
            raise _instead_of("text", message)
        return text

    async def receive_bytes(self) -> bytes:
        """The next message, bytes.

        Raises:
            WebSocketDisconnect: the client has left.
            WebSocketDisconnected: the websocket is not accepted, or closed.
            WrongFrame: the message is a text.
        """
        if self.application_state is not _CONNECTED:
            raise self._not_connected()
        message = await self.receive()
        data: bytes | None = message.get("bytes")
        if data is None:
            raise _instead_of("bytes", message)
        return data

    async def receive_json(self, mode: str = "text") -> Any:
        """The next message, parsed as JSON.

        Args:
            mode: whether it comes as `text` or as bytes (`binary`).

        Raises:
            json.JSONDecodeError: it is no JSON.
            WebSocketDisconnect, WebSocketDisconnected, WrongFrame: as `receive_text`.
        """
        if mode == "text":
            return json.loads(await self.receive_text())
        _refuse_mode(mode)
        return json.loads((await self.receive_bytes()).decode("utf-8"))

    async def iter_text(self) -> AsyncGenerator[str, None]:
        """Each message, a text, until the client leaves."""
        try:
            while True:
                yield await self.receive_text()
        except WebSocketDisconnect:
            return

    async def iter_bytes(self) -> AsyncGenerator[bytes, None]:
        """Each message, bytes, until the client leaves."""
        try:
            while True:
                yield await self.receive_bytes()
        except WebSocketDisconnect:
            return

    async def iter_json(self) -> AsyncGenerator[Any, None]:
        """Each message, parsed as JSON, until the client leaves."""
        try:
            while True:
                yield await self.receive_json()
        except WebSocketDisconnect:
            return

    async def send_text(self, data: str) -> None:
        """Send a message of text; see `send`."""
        await self.send({"type": "websocket.send", "text": data})

    async def send_bytes(self, data: bytes) -> None:
        """Send a message of bytes; see `send`."""
        await self.send({"type": "websocket.send", "bytes": data})

    async def send_json(self, data: Any, mode: str = "text") -> None:
        """Send a value as JSON.

        Args:
            data: what has a JSON: dicts with names, lists, texts, numbers, booleans, `None`.
            mode: whether it goes as `text` or as bytes (`binary`).
        """
        text = _encode(data)
        if mode == "text":
            await self.send({"type": "websocket.send", "text": text})
            return
        _refuse_mode(mode)
        await self.send({"type": "websocket.send", "bytes": text.encode("utf-8")})

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the connection; before it is accepted, the client is answered by 403."""
        await self.send({"type": "websocket.close", "code": code, "reason": reason or ""})

    async def send_denial_response(self, response: "Response") -> None:
        """Refuse the connection by a response.

        Raises:
            RuntimeError: the server cannot send one; `close` refuses by a plain 403.
        """
        if "websocket.http.response" not in (self.scope.get("extensions") or {}):
            raise RuntimeError("The server doesn't support the Websocket Denial Response extension.")
        await response(self.scope, self.receive, self.send)

    def _not_connected(self) -> WebSocketDisconnected:
        if self.application_state is _CONNECTING:
            return WebSocketDisconnected(
                'WebSocket is not connected. Need to call "accept" first. '
                "Write `await websocket.accept()` before anything is received."
            )
        return WebSocketDisconnected(f"WebSocket is not connected. {SEND[_DISCONNECTED].advice}")


class WebSocketClose:
    """An app that closes a websocket; before it is accepted, the client is answered by 403."""

    def __init__(self, code: int = 1000, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason or ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "code": self.code, "reason": self.reason})


def _instead_of(wanted: str, message: Message) -> Exception:
    """What to raise of a message that does not hold what was wanted."""
    if message["type"] == "websocket.disconnect":
        return WebSocketDisconnect(message.get("code", _NO_CODE), message.get("reason"))
    other = "bytes" if wanted == "text" else "text"
    return WrongFrame(
        f"Expected a websocket message of {wanted}, got {other}. Call `await websocket.receive_{other}()`, or have "
        f"the client send {wanted}."
    )


def _refuse_mode(mode: str) -> None:
    if mode != "binary":
        raise RuntimeError(f'The "mode" argument should be "text" or "binary". It is {mode!r}.')
