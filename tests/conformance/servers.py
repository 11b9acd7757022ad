"""Real servers for the length of a `with` block: each on a loopback port of the system's choice, in a thread.

It decides how a server is started and how it ends, and knows nothing of what it serves. The listening socket
is there before the server is, so a client may connect at once and simply waits for its answer; and the
thread is joined when the block ends, so that whatever the server raised is raised there.
"""

import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import anyio
import hypercorn
import hypercorn.asyncio
import hypercorn.trio
import trio
import uvicorn

__all__ = ["SERVERS", "serving"]

END_S = 10
"""How long a server may take to end: its own grace times are shorter."""

App = Any


@contextmanager
def serving(server: str, app: App) -> Iterator[int]:
    """Serve an app by one of `SERVERS`.

    Yields:
        The port, on 127.0.0.1.

    Raises:
        Exception: what the server raised, at the end of the block.
    """
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # said aloud: else asyncio leaves Nagle's delay on
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port: int = listener.getsockname()[1]
    stop = Event()
    with listener, ThreadPoolExecutor(1, thread_name_prefix=server) as thread:
        running = thread.submit(SERVERS[server], app, listener, stop)
        try:
            yield port
        finally:
            stop.set()
            running.result(END_S)


def _uvicorn(app: App, listener: socket.socket, stop: Event) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="wsproto",
            lifespan="on",
            log_config=None,  # pytest's own handlers take what it logs
            access_log=False,
            timeout_graceful_shutdown=3,
        )
    )

    async def end() -> None:
        await _set(stop)
        server.should_exit = True

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end)
            await server.serve([listener])
            tasks.cancel_scope.cancel()

    anyio.run(main)


def _hypercorn(listener: socket.socket) -> hypercorn.Config:
    config = hypercorn.Config()
    config.bind = [f"fd://{listener.detach()}"]  # its socket from here on
    config.errorlog = logging.getLogger("hypercorn.error")
    return config


def _hypercorn_asyncio(app: App, listener: socket.socket, stop: Event) -> None:
    config = _hypercorn(listener)
    anyio.run(lambda: hypercorn.asyncio.serve(app, config, shutdown_trigger=lambda: _set(stop)))


def _hypercorn_trio(app: App, listener: socket.socket, stop: Event) -> None:
    config = _hypercorn(listener)
    trio.run(lambda: hypercorn.trio.serve(app, config, shutdown_trigger=lambda: _set(stop)))


async def _set(stop: Event) -> None:
    await anyio.to_thread.run_sync(stop.wait, abandon_on_cancel=True)


SERVERS: dict[str, Callable[[App, socket.socket, Event], None]] = {
    "uvicorn": _uvicorn,
    "hypercorn-asyncio": _hypercorn_asyncio,
    "hypercorn-trio": _hypercorn_trio,
}
