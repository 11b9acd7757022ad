"""Responses compressed with gzip, for clients that take it.

It decides whether a response is worth compressing, by its size, its type and its headers, and where: a
large piece in a worker thread, of which there are as many as processors and no more, so that compressing
holds up neither the loop nor the threads that handlers run in. Each piece of a stream is flushed, so that
it arrives when it was sent.
"""

import os
import re
import zlib
from functools import lru_cache
from typing import Any, Final, NoReturn

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.web.datastructures import MutableHeaders

from ._start import with_own_headers

__all__ = ["DEFAULT_EXCLUDED_CONTENT_TYPES", "GZipMiddleware", "GZipResponder", "IdentityResponder"]

# Formats that are compressed already, and those whose messages must not wait for one another.
DEFAULT_EXCLUDED_CONTENT_TYPES: Final = (
    "application/grpc",
    "application/gzip",
    "application/x-gzip",
    "application/zip",
    "audio/*",
    "font/woff",
    "font/woff2",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/event-stream",
    "video/*",
)

_GZIP_FORMAT: Final = 16 + zlib.MAX_WBITS  # as zlib's `wbits` says "with a gzip header"
_REFUSED: Final = re.compile(rb"gzip\s*;\s*q=0(?:\.0*)?\s*(?:,|$)")  # RFC 9110, 12.4.2: a weight of 0
_threads: Final = RunVar[CapacityLimiter]("playground.gzip_threads")


class GZipMiddleware:
    """Compress responses.

    Args:
        app: the app inside.
        minimum_size: the least bytes of a body that are compressed; a stream is always.
        compresslevel: from 1, fast, to 9, small.
        thread_minimum_size: from how many bytes a piece is compressed in a worker thread.
        exclude_content_types: types that are left as they are; `image/*` for all of a kind.
    """

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int = 500,
        compresslevel: int = 9,
        thread_minimum_size: int = 128 * 1024,
        *,
        exclude_content_types: tuple[str, ...] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        self.app = app
        self.minimum_size = minimum_size
        self.compresslevel = compresslevel
        self.thread_minimum_size = thread_minimum_size
        self.exclude_content_types = _normalized(exclude_content_types)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        responder: IdentityResponder
        if _takes_gzip(scope):
            responder = GZipResponder(
                self.app,
                self.minimum_size,
                self.compresslevel,
                thread_minimum_size=self.thread_minimum_size,
                exclude_content_types=self.exclude_content_types,
            )
        else:
            responder = IdentityResponder(self.app, self.minimum_size, exclude_content_types=self.exclude_content_types)
        await responder(scope, receive, send)


class IdentityResponder:
    """One response that is not compressed, but says that for another client it would be."""

    content_encoding = ""

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int,
        *,
        exclude_content_types: tuple[str, ...] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        self.app = app
        self.minimum_size = minimum_size
        self.exclude_content_types = _normalized(exclude_content_types)
        self.send: Send = unattached_send
        self._held: Message | None = None  # the start, until the first of the body shows what is to come
        self._headers = MutableHeaders()
        self._encodes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.send = send
        await self.app(scope, receive, self.send_with_compression)

    async def send_with_compression(self, message: Message) -> None:
        """The app's `send`."""
        kind = message["type"]
        if kind == "http.response.start":
            start, headers = with_own_headers(message)
            if self._is_left_alone(start["status"], headers):
                await self.send(message)
            else:
                self._held, self._headers = start, headers
        elif kind == "http.response.body":
            await self._send_body(message)
        else:
            if kind == "http.response.pathsend":  # the server reads the file; there is nothing to compress
                await self._let_go()
            await self.send(message)

    async def _send_body(self, message: Message) -> None:
        body, more_body = message.get("body", b""), message.get("more_body", False)
        is_first = self._held is not None
        if is_first:
            self._encodes = more_body or len(body) >= self.minimum_size
        if self._encodes and self.content_encoding:
            body = await self.apply_compression(body, more_body=more_body)
            message = {**message, "body": body}
        if is_first and self._encodes:
            self._announce(None if more_body else len(body))
        await self._let_go()
        await self.send(message)

    def _announce(self, length: int | None) -> None:
        """Say in the headers what is done to the body.

        Args:
            length: how many bytes the body has now; `None` if nobody knows.
        """
        headers = self._headers
        headers.add_vary_header("Accept-Encoding")
        if self.content_encoding:
            headers["Content-Encoding"] = self.content_encoding
            if length is None:
                del headers["Content-Length"]
            elif "Content-Length" in headers:
                headers["Content-Length"] = str(length)

    async def _let_go(self) -> None:
        start, self._held = self._held, None
        if start is not None:
            await self.send(start)

    def _is_left_alone(self, status: int, headers: MutableHeaders) -> bool:
        return (
            status == 206  # ranges count the bytes of what was not compressed
            or "content-encoding" in headers
            or _is_excluded(headers.get("content-type", ""), self.exclude_content_types)
        )

    async def apply_compression(self, body: bytes, *, more_body: bool) -> bytes:
        """A piece of the body as it is sent."""
        return body


class GZipResponder(IdentityResponder):
    """One response that is compressed, if it is worth it."""

    content_encoding = "gzip"

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int,
        compresslevel: int = 9,
        *,
        thread_minimum_size: int = 128 * 1024,
        exclude_content_types: tuple[str, ...] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        super().__init__(app, minimum_size, exclude_content_types=exclude_content_types)
        self.compresslevel = compresslevel
        self.thread_minimum_size = thread_minimum_size
        self._compressor: Any = None

    @property
    def compressor(self) -> Any:
        """Made when it is first needed, for it takes 256 KiB."""
        if self._compressor is None:
            self._compressor = zlib.compressobj(self.compresslevel, zlib.DEFLATED, _GZIP_FORMAT)
        return self._compressor

    async def apply_compression(self, body: bytes, *, more_body: bool) -> bytes:
        if len(body) < self.thread_minimum_size:
            return self._compress(body, more_body)
        return await to_thread.run_sync(self._compress, body, more_body, limiter=_thread_limiter())

    def _compress(self, body: bytes, more_body: bool) -> bytes:
        compressor = self.compressor
        compressed: bytes = compressor.compress(body)
        compressed += compressor.flush(zlib.Z_SYNC_FLUSH if more_body else zlib.Z_FINISH)
        return compressed


def unattached_send(message: Message) -> NoReturn:
    """The `send` of a responder that was not called yet."""
    raise RuntimeError("send awaitable not set")


def _takes_gzip(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"accept-encoding" and b"gzip" in value and not _REFUSED.search(value):
            return True
    return False


def _thread_limiter() -> CapacityLimiter:
    """That of this event loop."""
    limiter = _threads.get(None)
    if limiter is None:
        limiter = CapacityLimiter(os.cpu_count() or 1)
        _threads.set(limiter)
    return limiter


@lru_cache(maxsize=64)  # an app has one or two such tuples
def _normalized(content_types: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_media_type(content_type) for content_type in content_types)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


# The types that an app sends are few; the limit is for those made from requests.
@lru_cache(maxsize=256)
def _is_excluded(content_type: str, excluded: tuple[str, ...]) -> bool:
    media_type = _media_type(content_type)
    kind = media_type.partition("/")[0]
    if media_type in excluded or f"{kind}/*" in excluded:
        return True
    return media_type.startswith("application/grpc+") and "application/grpc" in excluded
