"""One request's way over a simulated network: the waiting that its fate asks for.

A `Journey` sleeps, by the clock of the loop it runs on, real or virtual; the app's side is only watched, to
know when a piece was sent. What is decided, when and for whom, stands in `network.py`.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import anyio

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.transport._libraries import Library
from playground.transport.network import Fate, Network, head_bytes
from playground.transport.upload import Body, pieces_of

__all__ = ["Journey"]


class Journey:
    """One request over a network.

    Args:
        network, fate: the conditions, and what they mean for this request.
        library: whose errors are raised.
        request: the request, for these errors.
        timeout_s: how long the client waits for a response, or a piece of it.
    """

    def __init__(self, network: Network, fate: Fate, library: Library, request: Any, timeout_s: float | None) -> None:
        self._network = network
        self._fate = fate
        self._library = library
        self._request = request
        self._timeout_s = timeout_s
        self._sent_s: deque[float] = deque()  # when the app sent each piece of the body that is under way
        self._free_s = 0.0  # when the last piece had arrived
        self._arrived = 0

    def watched(self, app: ASGIApp) -> ASGIApp:
        """The app, with the moments noted at which it sends."""

        async def watched_app(scope: Scope, receive: Receive, send: Send) -> None:
            async def watched_send(message: Message) -> None:
                await send(message)
                if message["type"] == "http.response.start" or message.get("body"):
                    self._sent_s.append(anyio.current_time())

            await app(scope, receive, watched_send)

        return watched_app

    async def out(self, body: Body) -> Body:
        """Wait until the request is with the app; return its body, whose pieces take their time too."""
        now_s = anyio.current_time()
        request = self._request
        size = head_bytes(f"{request.method} {request.url.raw_path.decode()} HTTP/1.1", request.headers.raw)
        size += len(body) if isinstance(body, bytes) else 0
        await anyio.sleep_until(self._network.arrival_s(now_s, now_s, self._fate.out_s, size))
        if self._fate.lost == "connect":
            raise self._lost(self._library.connect_error, "before the request had arrived")
        bandwidth_bps = self._network.bandwidth_bps
        return body if isinstance(body, bytes) or bandwidth_bps is None else self._slowed(body, bandwidth_bps)

    async def head(self, response: Any) -> None:
        """Wait until the start of a response is with the client."""
        sent_s = self._sent_s.popleft() if self._sent_s else anyio.current_time()  # by the server, if the app failed
        first_line = f"HTTP/1.1 {response.status_code} {response.reason_phrase}"
        await self._arrive(sent_s, head_bytes(first_line, response.headers.raw))
        if self._fate.lost == "response":
            raise self._lost(self._library.read_error, "before the response had arrived")

    async def piece(self, data: bytes) -> bytes:
        """Wait until a piece of the body is with the client."""
        if self._fate.lost == "body" and self._arrived >= self._fate.lost_at_piece:
            self.end()
        await self._arrive(self._sent_s.popleft(), len(data))
        self._arrived += 1
        return data

    def end(self) -> None:
        """Called when the body has ended."""
        if self._fate.lost == "body":
            raise self._lost(self._library.read_error, f"after {self._arrived} pieces of the body")

    async def _arrive(self, sent_s: float, size: int) -> None:
        self._free_s = arrival_s = self._network.arrival_s(sent_s, self._free_s, self._fate.back_s, size)
        now_s = anyio.current_time()
        if self._timeout_s is not None and arrival_s > now_s + self._timeout_s:
            await anyio.sleep(self._timeout_s)
            raise self._library.read_timeout(
                f"{self._name}: expected data over the simulated network within {self._timeout_s:g} s, but it needs "
                f"{arrival_s - now_s:g} s. Give the client a longer timeout, or the network less to do.",
                request=self._request,
            )
        if arrival_s > now_s:
            await anyio.sleep_until(arrival_s)

    async def _slowed(self, body: Body, bandwidth_bps: float) -> AsyncIterator[bytes]:
        async with aclosing(pieces_of(body)) as pieces:
            async for piece in pieces:
                await anyio.sleep(len(piece) * 8 / bandwidth_bps)
                yield piece

    @property
    def _name(self) -> str:
        return f"{self._request.method} {self._request.url.path}"

    def _lost(self, kind: Any, when: str) -> Exception:
        error: Exception = kind(
            f"{self._name}: the simulated network reset the connection {when}, as `loss` asks for. "
            "Catch this and try again, as over a real one.",
            request=self._request,
        )
        return error
