"""Probes of what calls an app: each really does one thing with one client and tells whether it could.

A client is asked in the way in which its own documentation asks it. Where the answer hangs on who goes first, the app
waits for the client, but no longer than `PATIENCE_S`.
"""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final
from unittest.mock import patch

import anyio
import httpx
import sniffio
import trio
from starlette.testclient import TestClient

from playground import Lab
from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.transport import ASGITransport

PATIENCE_S: Final = 0.25


class Talk:
    """An app that notes what it was called for, and goes step by step with its client.

    Attributes:
        heard: kinds of scope, and stages of the lifespan.
        first_piece_seen: set by the client that has read the first piece of a response.
        first_piece_came: set when the first piece of a request's body is there.
        in_step: whether the app saw the client read its first piece before it sent the second.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.first_piece_seen = threading.Event()
        self.first_piece_came = threading.Event()
        self.in_step = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.heard.append(scope["type"])
        await {"http": self._http, "lifespan": self._lifespan, "websocket": self._websocket}[scope["type"]](
            receive, send
        )

    async def _http(self, receive: Receive, send: Send) -> None:
        message = await receive()
        if message["body"]:
            self.first_piece_came.set()
        while message.get("more_body", False):
            message = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        with anyio.move_on_after(PATIENCE_S):
            while not self.first_piece_seen.is_set():
                await anyio.sleep(0.005)
            self.in_step = True
        await send({"type": "http.response.body", "body": b"two"})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        for stage in ("startup", "shutdown"):
            await receive()
            self.heard.append(stage)
            await send({"type": f"lifespan.{stage}.complete"})

    async def _websocket(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": (await receive())["text"]})
        await send({"type": "websocket.close"})


def wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"from WSGI"]


def _no_sockets(stack: ExitStack) -> None:
    for name in ("bind", "connect", "listen"):
        stack.enter_context(patch.object(socket.socket, name, side_effect=AssertionError("a socket was used")))


# -- ours ----------------------------------------------------------------------------------------------------------


def lab_without_a_server() -> bool:
    app = Talk()
    app.first_piece_seen.set()
    with ExitStack() as stack:
        _no_sockets(stack)
        lab = stack.enter_context(Lab(app))
        return lab.get("/").text == "onetwo"


def lab_streams_out() -> bool:
    app = Talk()
    with Lab(app) as lab, lab.stream("GET", "/") as response:
        for piece in response.iter_text():
            if piece:
                app.first_piece_seen.set()
    return app.in_step


def lab_streams_in() -> bool:
    return _streams_in(ASGITransport)


def lab_websocket() -> bool:
    with Lab(Talk()) as lab, lab.websocket("/") as websocket:
        websocket.send_text("echo")
        return websocket.receive_text() == "echo"


def lab_lifespan() -> bool:
    app = Talk()
    Lab(app).close()
    return app.heard == ["lifespan", "startup", "shutdown"]


def lab_wsgi() -> bool:
    with Lab(wsgi_app) as lab:
        return lab.get("/").text == "from WSGI"


def ours_on_trio() -> bool:
    return _on_trio(ASGITransport)


# -- Starlette's test client ---------------------------------------------------------------------------------------


def testclient_without_a_server() -> bool:
    app = Talk()
    app.first_piece_seen.set()
    with ExitStack() as stack:
        _no_sockets(stack)
        return TestClient(app).get("/").text == "onetwo"


def testclient_streams_out() -> bool:
    app = Talk()
    with TestClient(app).stream("GET", "/") as response:
        for piece in response.iter_text():
            if piece:
                app.first_piece_seen.set()
    return app.in_step


def testclient_streams_in() -> bool:
    app, came = Talk(), []
    app.first_piece_seen.set()

    def body() -> Iterator[bytes]:
        yield b"one"
        came.append(app.first_piece_came.wait(PATIENCE_S))
        yield b"two"

    TestClient(app).post("/", content=body())
    return came == [True]


def testclient_websocket() -> bool:
    with TestClient(Talk()).websocket_connect("/") as websocket:
        websocket.send_text("echo")
        return bool(websocket.receive_text() == "echo")


def testclient_lifespan() -> bool:
    app = Talk()
    with TestClient(app):
        pass
    return app.heard == ["lifespan", "startup", "shutdown"]


def testclient_wsgi() -> bool:
    try:
        return bool(TestClient(wsgi_app).get("/").text == "from WSGI")  # type: ignore[arg-type]  # that is the question
    except TypeError:
        return False


def testclient_on_trio() -> bool:
    app = Library()
    TestClient(app, backend="trio").get("/")
    return app.heard == ["trio"]


# -- httpx's transport ---------------------------------------------------------------------------------------------


def _client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=transport, base_url="http://probe")


def httpx_without_a_server() -> bool:
    app = Talk()
    app.first_piece_seen.set()

    async def main() -> str:
        async with _client(httpx.ASGITransport(app)) as client:
            return (await client.get("/")).text

    with ExitStack() as stack:
        _no_sockets(stack)
        return asyncio.run(main()) == "onetwo"


def httpx_streams_out() -> bool:
    app = Talk()

    async def main() -> None:
        async with _client(httpx.ASGITransport(app)) as client, client.stream("GET", "/") as response:
            async for piece in response.aiter_text():
                if piece:
                    app.first_piece_seen.set()

    asyncio.run(main())
    return app.in_step


def httpx_streams_in() -> bool:
    return _streams_in(httpx.ASGITransport)


def httpx_websocket() -> bool:
    """It has no way to ask for one: neither a method nor a scheme."""

    async def main() -> bool:
        app = Talk()
        app.first_piece_seen.set()
        async with _client(httpx.ASGITransport(app)) as client:
            await client.get("ws://probe/")
        return "websocket" in app.heard

    return asyncio.run(main()) or any("websocket" in name.lower() for name in dir(httpx.AsyncClient))


def httpx_lifespan() -> bool:
    app = Talk()
    app.first_piece_seen.set()

    async def main() -> None:
        async with _client(httpx.ASGITransport(app)) as client:
            await client.get("/")

    asyncio.run(main())
    return "startup" in app.heard


def httpx_wsgi() -> bool:
    with httpx.Client(transport=httpx.WSGITransport(wsgi_app), base_url="http://probe") as client:
        return client.get("/").text == "from WSGI"


def httpx_on_trio() -> bool:
    return _on_trio(httpx.ASGITransport)


# -- what they share -----------------------------------------------------------------------------------------------

Maker = Callable[[ASGIApp], httpx.AsyncBaseTransport]


class Library:
    """An app that notes which library runs it."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.heard.append(sniffio.current_async_library())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def _on_trio(make: Maker) -> bool:
    app = Library()

    async def main() -> None:
        async with _client(make(app)) as client:
            await client.get("/")

    trio.run(main)
    return app.heard == ["trio"]


def _streams_in(make: Maker) -> bool:
    app, came = Talk(), []
    app.first_piece_seen.set()

    async def body() -> AsyncIterator[bytes]:
        yield b"one"
        with anyio.move_on_after(PATIENCE_S):
            while not app.first_piece_came.is_set():
                await anyio.sleep(0.005)
            came.append(True)
        yield b"two"

    async def main() -> None:
        async with _client(make(app)) as client:
            await client.post("/", content=body())

    asyncio.run(main())
    return came == [True]
