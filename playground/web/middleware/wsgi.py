"""A WSGI app, made into an ASGI one (deprecated, as in Starlette).

It decides how PEP 3333 is spoken: the app runs in a worker thread and hands its response on piece by
piece, waiting for the client to take each. The request's body is read before the app is called. Who needs
more than this takes a2wsgi.
"""

import io
import sys
import warnings
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from anyio import from_thread, to_thread

from playground.asgi import Message, Receive, Scope, Send
from playground.errors import ProtocolError, UsageError
from playground.web.exceptions import StarletteDeprecationWarning
from playground.web.requests import Request

__all__ = ["WSGIMiddleware", "WSGIResponder", "build_environ"]

warnings.warn(
    "The module `middleware.wsgi` is deprecated and will go in a later release. Use a2wsgi in its place: "
    "https://github.com/abersheeran/a2wsgi",
    StarletteDeprecationWarning,
    stacklevel=2,
)

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class WSGIMiddleware:
    """Serve a WSGI app.

    Args:
        app: a function of the environment and of `start_response`.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise UsageError(f"A WSGI app answers HTTP requests only, got a scope of type {scope['type']!r}.")
        await WSGIResponder(self.app, scope)(receive, send)


class WSGIResponder:
    """One request to a WSGI app."""

    def __init__(self, app: Callable[..., Any], scope: Scope) -> None:
        self.app = app
        self.scope = scope
        self.exc_info: ExcInfo | None = None
        self._start: Message | None = None
        self._is_started = False

    async def __call__(self, receive: Receive, send: Send) -> None:
        body = await Request(self.scope, receive).body()
        self._send = send
        await to_thread.run_sync(self.wsgi, build_environ(self.scope, body), self.start_response)
        if self.exc_info is not None:
            raise self.exc_info[1].with_traceback(self.exc_info[2])

    def start_response(
        self, status: str, response_headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """What the app calls to say status and headers, by PEP 3333; it may do so twice only with an error."""
        if exc_info is not None:
            if self._is_started:
                raise exc_info[1].with_traceback(exc_info[2])
            self.exc_info = exc_info
        elif self._start is not None:
            raise ProtocolError(
                "Expected one call of start_response, got another. Only a call with exc_info may replace the first."
            )
        # servers refuse the space that Django's handler writes before each cookie; RFC 9110 lets it go (section 5.5)
        headers = [
            (name.strip().lower().encode("latin-1"), value.strip(" \t").encode("latin-1"))
            for name, value in response_headers
        ]
        self._start = {"type": "http.response.start", "status": int(status.split(" ", 1)[0]), "headers": headers}
        return self._write

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> None:
        """Call the app and send its response; runs in a worker thread."""
        pieces: Iterable[bytes] = self.app(environ, start_response)
        try:
            for piece in pieces:
                if piece:
                    self._write(piece)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        self._write(b"", more_body=False)

    def _write(self, body: bytes, more_body: bool = True) -> None:
        if not self._is_started:
            if self._start is None:
                raise ProtocolError(
                    "Expected a call of start_response before the body, got none. "
                    "A WSGI app calls start_response(status, headers) once, then returns its body."
                )
            self._is_started = True
            from_thread.run(self._relay, self._start)
        from_thread.run(self._relay, {"type": "http.response.body", "body": body, "more_body": more_body})

    async def _relay(self, message: Message) -> None:
        await self._send(message)


def build_environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The environment of PEP 3333 for a request; its texts are bytes in the guise of latin-1."""
    root_path, path = scope.get("root_path", ""), scope["path"]
    server = scope.get("server") or ("localhost", 80)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": _as_latin(root_path),
        "PATH_INFO": _as_latin(_below(root_path, path)),
        "QUERY_STRING": scope["query_string"].decode("ascii"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": server[1],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stdout,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.get("client"):
        environ["REMOTE_ADDR"] = scope["client"][0]
    _add_headers(environ, scope["headers"])
    return environ


def _add_headers(environ: dict[str, Any], headers: Iterable[tuple[bytes, bytes]]) -> None:
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        key = name.upper().replace("-", "_")
        if name not in ("content-length", "content-type"):
            key = f"HTTP_{key}"
        # RFC 9110, 5.3; cookies are parted by semicolons (RFC 9113, 8.2.3).
        separator = "; " if name == "cookie" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value


def _below(root_path: str, path: str) -> str:
    """The path that is left below where the app is mounted, cut only between segments."""
    if root_path and path.startswith(root_path):
        rest = path[len(root_path) :]
        if not rest or rest.startswith("/") or root_path.endswith("/"):
            return rest
    return path


def _as_latin(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")
