"""Where the site of a framework can be asked: over our transports, or at a port of a real server.

ASGI apps are asked in the places of `servers_places`. WSGI apps are asked in process, behind Werkzeug's own
server, which owes nothing to us, and behind uvicorn with our adapter between, as a lab would serve them.
uvicorn's own WSGI layer is no witness: in 0.54 it is deprecated, calls no `close()`, reads nothing of a chunked
body, and fails at a header in latin-1 and at Django's cookies.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any, Protocol

import httpx
from werkzeug.serving import WSGIRequestHandler, make_server

from playground.transport import WSGITransport
from playground.transport.wsgi import wsgi_as_asgi
from tests.conformance.servers import serving
from tests.conformance.servers_kit import Notes
from tests.conformance.servers_places import HOST, InProcess, OnSocket

__all__ = ["Askable", "WSGIInProcess", "at_a_port", "in_process", "with_lifespan"]


class Askable(Protocol):
    """Somewhere an app can be asked; see `Place` of `servers_places`."""

    def client(self) -> AbstractAsyncContextManager[httpx.AsyncClient]: ...


@dataclass(frozen=True)
class WSGIInProcess:
    """A WSGI app over `WSGITransport`."""

    app: Any

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = WSGITransport(self.app, raise_app_exceptions=False, wait_for_app=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            yield client


def with_lifespan(app: Any) -> Any:
    """Give a lifespan to an app that has none: the servers and places here ask for one."""

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for what in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{what}.complete"})

    return outer


def in_process(app: Any, interface: str) -> Any:
    """Return the place of an app over our transport."""
    return WSGIInProcess(app) if interface == "wsgi" else InProcess(app, Notes())


@contextmanager
def at_a_port(app: Any, interface: str, server: str) -> Iterator[Any]:
    """Serve an app, by `uvicorn` or by `werkzeug`."""
    if server == "werkzeug":
        with _werkzeug(app) as port:
            yield OnSocket(port, Notes())
        return
    served = with_lifespan(wsgi_as_asgi(app)) if interface == "wsgi" else app
    with serving("uvicorn", served) as port:
        yield OnSocket(port, Notes())


class _Quiet(WSGIRequestHandler):
    """Speaks HTTP/1.1, for chunked bodies, and keeps no log of requests."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def _werkzeug(app: Any) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, args=[0.01], name="werkzeug")
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
