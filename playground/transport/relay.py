"""A websocket over a simulated network: an app around the app, which carries every message when its time has come.

A `Relay` reads what the client sends at once, notes when it will be there, and hands it over then; and so on the way
back. It sleeps by the clock of its loop, real or virtual. What is decided, when and for whom, stands in `network.py`;
a reset connection is told to both sides as code 1006, as RFC 6455 (section 7.1.5) has it.
"""

from typing import Any

import anyio

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.errors import ClientGone, ProtocolError
from playground.transport.network import Fate, Network, head_bytes

__all__ = ["over"]

IN_FLIGHT = 64
"""How many messages may be under way in one direction before the next must wait: what a line and its buffers hold
of messages of 1 KiB, if that is as much as between an app and its client without a network."""

ACCEPTED = [(b"upgrade", b"websocket"), (b"connection", b"upgrade"), (b"sec-websocket-accept", bytes(28))]
"""The headers that a server's handshake has besides the app's (RFC 6455, section 4.2.2)."""


def over(app: ASGIApp, network: Network, number: int) -> ASGIApp:
    """Put a network between an app and its websockets, which meet what it has for connection `number`."""

    async def far_app(scope: Scope, receive: Receive, send: Send) -> None:
        await Relay(network, network.fate(number), receive, send).run(app, scope)

    return far_app


class Relay:
    """One connection.

    Args:
        network, fate: the conditions, and what they mean for this connection.
        receive, send: the near end.
    """

    def __init__(self, network: Network, fate: Fate, receive: Receive, send: Send) -> None:
        self._network = network
        self._fate = fate
        self._near_receive = receive
        self._near_send = send
        self._free_s = {"out": 0.0, "back": 0.0}  # when the last message had arrived
        self._to_app, self._from_client = anyio.create_memory_object_stream[tuple[float, Message]](IN_FLIGHT)
        self._to_client, self._from_app = anyio.create_memory_object_stream[tuple[float, Message]](IN_FLIGHT)
        self._next: tuple[float, Message] | None = None  # what is on its way to an app that may yet give up waiting
        self._parting: Message | None = None  # the disconnect that the app was given
        self._gone = False  # the client has, or the connection
        self._was_reset = False
        self._error: Exception | None = None

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Call the app with this end, and return when all that it has sent has arrived.

        Raises:
            Exception: what the app raised, or what the near end had against a message.
        """
        with self._to_app, self._from_client, self._to_client, self._from_app:
            connect = await self._near_receive()
            request = head_bytes(f"GET {scope['path']} HTTP/1.1", scope["headers"])
            await anyio.sleep_until(self._arrival_s("out", request))
            if self._fate.lost == "connect":
                await self._reset("before the handshake had arrived")
                return
            self._next = (0.0, connect)
            await self._carry(app, scope)
        if self._error is not None:
            raise self._error

    async def _carry(self, app: ASGIApp, scope: Scope) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._carry_out)
            tasks.start_soon(self._carry_back, tasks.cancel_scope)
            try:
                await app(scope, self.receive, self.send)
            except Exception as error:  # noqa: BLE001 - a task group would wrap it
                self._error = error
            self._to_client.close()  # which ends the way back, and that ends all

    async def receive(self) -> Message:
        """The app's `receive`."""
        if self._parting is not None:
            return dict(self._parting)
        if self._next is None:
            self._next = await self._from_client.receive()
        arrival_s, message = self._next
        await anyio.sleep_until(arrival_s)
        self._next = None
        if message["type"] == "websocket.disconnect":
            self._parting = message = {**message, "code": 1006, "reason": ""} if self._was_reset else message
        return message

    async def send(self, message: Message) -> None:
        """The app's `send`."""
        if self._gone:
            raise ClientGone(
                "expected an open connection to send to, but it has been closed, or reset by the simulated network. "
                "Clean up and return."
            )
        await self._to_client.send((self._arrival_s("back", _size(message, masked=False)), message))

    async def _carry_out(self) -> None:
        while True:
            message = await self._near_receive()
            await self._to_app.send((self._arrival_s("out", _size(message, masked=True)), message))
            if message["type"] == "websocket.disconnect":
                return

    async def _carry_back(self, all_of_it: anyio.CancelScope) -> None:
        arrived = 0
        try:
            async for arrival_s, message in self._from_app:
                if self._is_lost(message, arrived):
                    await anyio.sleep_until(arrival_s)
                    await self._reset(f"after {arrived} messages of the app" if arrived else "before any message came")
                    return
                await anyio.sleep_until(arrival_s)
                await self._near_send(message)
                arrived += message["type"] == "websocket.send"
            all_of_it.cancel()  # the app has returned, and nobody asks what the client still sends
        except ClientGone:
            self._gone = True
        except ProtocolError as error:
            self._error = error
            all_of_it.cancel()

    def _is_lost(self, message: Message, arrived: int) -> bool:
        if self._fate.lost == "response":
            return True
        return self._fate.lost == "body" and message["type"] == "websocket.send" and arrived >= self._fate.lost_at_piece

    async def _reset(self, when: str) -> None:
        self._gone = self._was_reset = True
        reason = f"the simulated network reset the connection {when}, as `loss` asks for"
        await self._near_send({"type": "websocket.close", "code": 1006, "reason": reason})

    def _arrival_s(self, way: str, size: int) -> float:
        delay_s = self._fate.out_s if way == "out" else self._fate.back_s
        arrival_s = self._network.arrival_s(anyio.current_time(), self._free_s[way], delay_s, size)
        self._free_s[way] = arrival_s
        return arrival_s


def _size(message: Message, *, masked: bool) -> int:
    """How many bytes a message is on the line: as a frame (RFC 6455, section 5.2), or as the head of an answer."""
    if message.get("type") == "websocket.accept":
        return head_bytes("HTTP/1.1 101 Switching Protocols", [*ACCEPTED, *(message.get("headers") or ())])
    data: Any = message.get("text") or message.get("bytes") or message.get("body") or b""
    length = len(data.encode() if isinstance(data, str) else data)
    return 2 + 4 * masked + (0 if length < 126 else 2 if length < 65_536 else 8) + length
