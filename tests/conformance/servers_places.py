"""Where the site can be asked: in this process, over the virtual transport, or at a port of a real server.

A `Place` decides how a client reaches the app and gives what it hears in one form, so that a test compares
one place with another. It knows nothing of what is asked.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import anyio
import httpx
import websocket

from playground.errors import ConnectionClosed, ConnectionDenied
from playground.transport import ASGITransport, Session, connect, lifespan
from tests.conformance.servers_kit import Notes

__all__ = ["HEAR", "HOST", "InProcess", "Leave", "OnSocket", "Place"]

HOST = "app.test"
ORIGIN = f"http://{HOST}"
TIMEOUT_S = 5


@dataclass(frozen=True)
class Leave:
    """A line of a websocket's script: the client closes with this code."""

    code: int


HEAR = object()
"""A line of a websocket's script: the client waits for what the app says next."""

Heard = list[Any]


class Place(Protocol):
    """Somewhere the app can be asked."""

    @property
    def notes(self) -> Notes:
        """What the app says."""
        ...

    def client(self) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        """Open a client that asks the app, its cookies and connections its own."""
        ...

    async def talk(self, path: str, script: Iterable[Any], subprotocols: Sequence[str] = ()) -> Heard:
        """Open a websocket and follow the script: text and bytes are sent, for `HEAR` one message is received.

        Returns:
            The subprotocol and the header `x-mine` of the acceptance; then what came, a closing as `("closed",
            code, reason)`. For a refusal only `("denied", status, x-mine, body)`.
        """
        ...


@dataclass(frozen=True)
class InProcess:
    """The app in the test's own loop, its lifespan as long as the client, or the websocket."""

    app: Any
    notes: Notes

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        async with lifespan(self.app, required=True) as state:
            transport = ASGITransport(self.app, state=state, raise_app_exceptions=False, wait_for_app=False)
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                yield client

    async def talk(self, path: str, script: Iterable[Any], subprotocols: Sequence[str] = ()) -> Heard:
        headers = {"x-mine": "sent"}
        try:
            async with (
                lifespan(self.app, required=True) as state,
                connect(self.app, path, host=HOST, headers=headers, subprotocols=subprotocols, state=state) as session,
            ):
                return await _follow(session, script)
        except ConnectionDenied as denial:
            return [("denied", denial.status, dict(denial.headers).get(b"x-mine", b"").decode(), denial.body)]


async def _follow(session: Session, script: Iterable[Any]) -> Heard:
    heard: Heard = [(session.subprotocol, dict(session.headers).get(b"x-mine", b"").decode())]
    for line in script:
        if isinstance(line, Leave):
            await session.close(line.code)
        elif line is not HEAR:
            await (session.send_text if isinstance(line, str) else session.send_bytes)(line)
        else:
            try:
                message = await session.receive(TIMEOUT_S)
            except ConnectionClosed as end:
                heard.append(("closed", end.code, end.reason))
            else:
                heard.append(message["bytes"] if message.get("text") is None else message["text"])
    return heard


@dataclass(frozen=True)
class OnSocket:
    """The app behind a real server."""

    port: int
    notes: Notes
    http2: bool = False

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.AsyncHTTPTransport(verify=False, trust_env=False, http1=not self.http2, http2=self.http2)
        origin = f"http://127.0.0.1:{self.port}"
        async with httpx.AsyncClient(transport=transport, base_url=origin, headers={"host": HOST}) as client:
            yield client

    async def talk(self, path: str, script: Iterable[Any], subprotocols: Sequence[str] = ()) -> Heard:
        return await anyio.to_thread.run_sync(self._talk, path, script, subprotocols)

    def _talk(self, path: str, script: Iterable[Any], subprotocols: Sequence[str]) -> Heard:
        try:
            connection = websocket.create_connection(
                f"ws://127.0.0.1:{self.port}{path}",
                timeout=TIMEOUT_S,
                host=HOST,
                header=["x-mine: sent"],
                subprotocols=list(subprotocols),
                suppress_origin=True,
            )
        except websocket.WebSocketBadStatusException as denial:
            headers = denial.resp_headers or {}
            return [("denied", denial.status_code, headers.get("x-mine", ""), denial.resp_body)]
        try:
            return _follow_blocking(connection, script)
        finally:
            connection.shutdown()  # type: ignore[no-untyped-call]


def _follow_blocking(connection: websocket.WebSocket, script: Iterable[Any]) -> Heard:
    heard: Heard = [(connection.getsubprotocol(), (connection.getheaders() or {}).get("x-mine", ""))]
    for line in script:
        if isinstance(line, Leave):
            connection.send_close(line.code)
        elif line is not HEAR:
            (connection.send_text if isinstance(line, str) else connection.send_binary)(line)
        else:
            heard.append(_read(*connection.recv_data()))
    return heard


def _read(kind: int, data: bytes) -> Any:
    if kind == websocket.ABNF.OPCODE_CLOSE:
        return "closed", int.from_bytes(data[:2], "big"), data[2:].decode()
    return data.decode() if kind == websocket.ABNF.OPCODE_TEXT else data
