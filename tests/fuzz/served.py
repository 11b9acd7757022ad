"""An app under uvicorn without a socket: bytes in, bytes out. On a loop in virtual time a hang is found at once.

It decides how a connection begins and ends; what is sent over it, and what the bytes mean, is for the tests to say.
uvicorn's protocols are those that a lab's server runs: h11 for HTTP and wsproto for websockets.
"""

import asyncio
from functools import cache
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from playground.asgi import ASGIApp, Receive, Scope, Send

__all__ = ["Connection"]

PEERS = {"peername": ("127.0.0.1", 123), "sockname": ("testserver", 80)}


class _Wire(asyncio.Transport):
    """What uvicorn writes to; it is lost as soon as it is closed."""

    def __init__(self) -> None:
        super().__init__(PEERS)
        self.said = bytearray()
        self.protocol: Any = None
        self.closing = False

    def write(self, data: Any) -> None:
        if not self.closing:
            self.said += data

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def pause_reading(self) -> None:
        """All is there already."""

    def resume_reading(self) -> None:
        """All is there already."""


async def _to_the_app(scope: Scope, receive: Receive, send: Send) -> None:
    await scope["state"]["app"](scope, receive, send)


@cache
def _config() -> Any:
    """Made once, as it costs more than a request: each connection brings its own app in its state."""
    config = uvicorn.Config(
        _to_the_app, http="h11", ws="wsproto", interface="asgi3", lifespan="off", log_config=None, log_level="critical",
        access_log=False, proxy_headers=False, ws_ping_interval=None,
    )  # fmt: skip
    config.load()
    return config


class Connection:
    """One connection of a client to an app; made on a running loop.

    Attributes:
        server: uvicorn's own record, with the tasks that run.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.server = ServerState()
        self._wire = _Wire()
        protocol = H11Protocol(_config(), self.server, {"app": app})
        self._wire.set_protocol(protocol)
        protocol.connection_made(self._wire)

    @property
    def said(self) -> bytes:
        """What the server has written so far."""
        return bytes(self._wire.said)

    @property
    def closed(self) -> bool:
        return self._wire.closing

    def say(self, data: bytes) -> None:
        """Send bytes to the server."""
        if not self._wire.closing:
            self._wire.protocol.data_received(data)

    async def ended(self) -> None:
        """Wait until the app has ended."""
        while self.server.tasks:
            await asyncio.wait(self.server.tasks)

    async def finish(self) -> None:
        """Wait until the app has ended, and then hang up."""
        await self.ended()
        await self.lose()

    async def lose(self) -> None:
        """Break the line off, and cancel an app that has not ended by itself ten seconds later.

        uvicorn tells an app of a websocket once that its client is gone; whoever asks again waits for ever.
        """
        self._wire.close()
        await asyncio.sleep(0)  # for the loop to tell of it
        if self.server.tasks:
            await asyncio.wait(self.server.tasks, timeout=10)
        for task in self.server.tasks:
            task.cancel()
        await self.ended()
