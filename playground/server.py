"""The server: a lab's app on a real socket, by uvicorn, on the lab's own loop.

It decides on which address, and when that opens and closes. What is asked over it is recorded like all else that
the loop does, for it is the same loop.
"""

import asyncio
import socket
from typing import Any, Final

from playground.asgi import ASGIApp
from playground.clock.thread import LoopThread
from playground.errors import LabError
from playground.forwarded import behind_proxy

__all__ = ["Server"]

_HOST: Final = "127.0.0.1"
_STOP_S: Final = 3
"""How long connections may take to end when the server stops, in seconds."""


class Server:
    """An app that listens on a loopback port until it is closed.

    Behind a proxy that says so in `X-Forwarded-Prefix`, as jupyter-server-proxy does, links and redirects keep the
    proxy's part of the path: it is the requests' `root_path`.

    Args:
        thread: the loop to run on.
        app: the app, started up already.
        port: the port; 0 for a free one.

    Attributes:
        url: where it listens, such as `http://127.0.0.1:50123`.

    Raises:
        LabError: uvicorn is missing, or the port cannot be had.
    """

    def __init__(self, thread: LoopThread, app: ASGIApp, port: int) -> None:
        try:
            import uvicorn
        except ImportError:
            raise LabError(
                "expected uvicorn to be installed, which serves an app on a socket: run pip install 'playground[serve]'"
            ) from None
        self._thread = thread
        self._socket = _listen(port)
        self.url = f"http://{_HOST}:{self._socket.getsockname()[1]}"
        # the lab has run the app's start-up; a server's own words would land in the notebook's cells
        config = uvicorn.Config(
            behind_proxy(app), lifespan="off", log_level="error", access_log=False, timeout_graceful_shutdown=_STOP_S
        )
        self._server: Any = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None
        try:
            thread.call(self._start)
        except BaseException:  # an interrupt may come when it listens already
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<Server {self.url}>"

    def close(self) -> None:
        """Stop listening, and end the connections that are open."""
        if self._thread.reachable:
            self._thread.tidy(self._stop)
        if self._thread.closed or self._thread.forked:
            self._socket.close()  # in a forked process, its copy: nobody else would ever let go of it

    async def _start(self) -> None:
        task = self._task = asyncio.create_task(self._serve(), name="uvicorn")
        while not (self._server.started or task.done()):  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0)
        if task.done():
            await task

    async def _serve(self) -> None:
        try:
            await self._server.serve(sockets=[self._socket])
        finally:  # a lab may be closed while it serves: who connects then is to be refused, not kept waiting
            self._hang_up()

    async def _stop(self) -> None:
        self._server.should_exit = True
        try:
            if self._task is not None:
                await asyncio.wait([self._task])
        except asyncio.CancelledError:  # who closes this was interrupted: requests get no time to end
            self._server.force_exit = True
            if self._task is not None and not self._server.started:
                self._task.cancel()
            for request in self._server.server_state.tasks:
                request.cancel()
            raise
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        """Have the loop forget the socket, then close it.

        The other way round the loop would take the next socket that gets the same number for this one, which it
        knows already, and never hear of anybody who connects to it.
        """
        for listening in getattr(self._server, "servers", ()):
            listening.close()
        if self._socket.fileno() != -1:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()


def _listen(port: int) -> socket.socket:
    # with the protocol named, asyncio switches Nagle's algorithm off: else each answer may wait 40 ms for an ACK
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except (OSError, OverflowError, TypeError) as error:
        listener.close()
        raise LabError(
            f"expected a free port on {_HOST}, got {port!r}, which cannot be had ({error}): take port=0 for any"
        ) from None
    listener.listen()
    return listener
