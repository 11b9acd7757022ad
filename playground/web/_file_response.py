"""The response whose body is a file.

It decides what a file's headers are, which of its bytes are sent (all, one stretch, several in parts, none) and
how they are read: a short body in one visit to a worker thread, a long one piece by piece until the client
leaves. Which file it is, and whether the client may have it, is not its affair.
"""

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache, partial
from mimetypes import guess_type
from secrets import token_hex
from typing import ClassVar, Final
from urllib.parse import quote

import anyio
import anyio.to_thread

from playground.asgi import Receive, Scope, Send

from ._headers import Headers
from ._pieces import Piece, Plan, StrPath, opened, read_pieces, read_start, too_short
from ._ranges import MalformedRangeHeader, RangeNotSatisfiable, parse_ranges
from ._responding import denial, send_raises_on_disconnect, until_disconnected, until_one_ends
from ._response import Response
from .background import BackgroundTask

__all__ = ["FileResponse"]

# A visit to a worker thread costs about as much as reading 256 KiB that are in the system's cache.
_CHUNKS_A_VISIT: Final = 4


class FileResponse(Response):
    """A response that sends a file, or the ranges of it that the client asks for.

    Args:
        path: the file.
        status_code, background: as of `Response`.
        headers: headers beside those that tell the file's length, time, tag and type, or in their place.
        media_type: the type; guessed from the name if it is not given.
        filename: the name under which the client is to save the file.
        stat_result: what is known of the file already; else it is looked at for each answer.
        content_disposition_type: `attachment`, to be saved, or `inline`, to be shown.
    """

    chunk_size: ClassVar[int] = 64 * 1024
    max_ranges: ClassVar[int] = 100

    def __init__(
        self,
        path: StrPath,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
        filename: str | None = None,
        stat_result: os.stat_result | None = None,
        content_disposition_type: str = "attachment",
    ) -> None:
        self.path = path
        self.status_code = status_code
        self.filename = filename
        if media_type is None:
            media_type = guess_type(filename or path)[0] or "application/octet-stream"
        self.media_type = media_type
        self.background = background
        self.init_headers(headers)
        self.headers.setdefault("accept-ranges", "bytes")
        if filename is not None:
            self.headers.setdefault("content-disposition", _disposition(content_disposition_type, filename))
        self.stat_result = stat_result
        self._from_stat: set[str] = set()
        if stat_result is not None:
            self.set_stat_headers(stat_result)

    def set_stat_headers(self, stat_result: os.stat_result) -> None:
        """Set the headers that tell the file's length, time and tag, where the app has not set its own."""
        for name, value in (
            ("content-length", str(stat_result.st_size)),
            ("last-modified", _http_date(int(stat_result.st_mtime))),
            ("etag", f'"{stat_result.st_mtime_ns:x}-{stat_result.st_size:x}"'),
        ):
            if name in self._from_stat or name not in self.headers:
                self.headers[name] = value
                self._from_stat.add(name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            send = denial(send)
        method = scope.get("method", "GET").upper()
        sends_path = "http.response.pathsend" in scope.get("extensions", {})
        stat_result, whole = await self._look(wants_body=method != "HEAD" and not sends_path)
        try:
            plan = self._plan(method, Headers.over(list(scope["headers"])), stat_result.st_size)
        except MalformedRangeHeader as error:
            await _refusal(400, error.content)(scope, receive, send)
        except RangeNotSatisfiable as error:
            await _refusal(416, "", {"Content-Range": f"bytes */{error.max_size}"})(scope, receive, send)
        else:
            await self._send(plan, method, whole, scope, receive, send)
        if self.background is not None:
            await self.background()

    async def _look(self, wants_body: bool) -> tuple[os.stat_result, bytes | None]:
        """What is known of the file, and the whole of it if it is short: by one visit to a worker thread."""
        if self.stat_result is None:
            stat_result, whole = await anyio.to_thread.run_sync(self._stat_and_read, wants_body)
            self.set_stat_headers(stat_result)
            return stat_result, whole
        if wants_body and self.stat_result.st_size <= self.chunk_size:
            read = partial(read_start, self.path, self.stat_result.st_size)
            return self.stat_result, await anyio.to_thread.run_sync(read)
        return self.stat_result, None

    def _stat_and_read(self, wants_body: bool) -> tuple[os.stat_result, bytes | None]:
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            raise RuntimeError(f"File at path {self.path} does not exist.") from None
        if not stat.S_ISREG(found.st_mode):
            raise RuntimeError(f"File at path {self.path} is not a file.")
        if wants_body and found.st_size <= self.chunk_size:
            return found, read_start(self.path, found.st_size)
        return found, None

    def _plan(self, method: str, asked: Headers, size: int) -> Plan:
        ranges = self._ranges(method, asked, size)
        headers = self.headers.mutablecopy()
        if ranges is None:
            return Plan(self.status_code, headers, [Piece(0, size)])
        if len(ranges) == 1:
            start, end = ranges[0]
            headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
            headers["content-length"] = str(end - start)
            return Plan(206, headers, [Piece(start, end)])
        boundary = token_hex(13)
        length, head = self.generate_multipart(ranges, boundary, size, headers["content-type"])
        headers["content-type"] = f"multipart/byteranges; boundary={boundary}"
        headers["content-length"] = str(length)
        pieces = [Piece(start, end, head(start, end), b"\r\n") for start, end in ranges]
        return Plan(206, headers, pieces, f"--{boundary}--".encode())

    def _ranges(self, method: str, asked: Headers, size: int) -> list[tuple[int, int]] | None:
        """The ranges to send; `None` if it is the whole file."""
        wanted = asked.get("range")
        if wanted is None or method not in ("GET", "HEAD") or self.status_code != 200:
            return None
        condition = asked.get("if-range")
        if condition is not None and not self._is_unchanged_since(condition):
            return None
        return parse_ranges(wanted, size, self.max_ranges)

    def _is_unchanged_since(self, condition: str) -> bool:
        """RFC 9110, 13.1.5: the same tag, which must be strong, or the same date."""
        if condition == self.headers.get("last-modified"):
            return True
        return condition == self.headers.get("etag") and not condition.startswith("W/")

    def generate_multipart(
        self, ranges: Sequence[tuple[int, int]], boundary: str, max_size: int, content_type: str
    ) -> tuple[int, Callable[[int, int], bytes]]:
        """How several ranges are sent: the length of the whole in bytes, and what makes the head of each part."""

        def head(start: int, end: int) -> bytes:
            return (
                f"--{boundary}\r\nContent-Type: {content_type}\r\n"
                f"Content-Range: bytes {start}-{end - 1}/{max_size}\r\n\r\n"
            ).encode("latin-1")

        parts = sum(len(head(start, end)) + end - start + len("\r\n") for start, end in ranges)
        return parts + len(f"--{boundary}--"), head

    async def _send(
        self, plan: Plan, method: str, whole: bytes | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        sends_path = plan.status != 206 and "http.response.pathsend" in scope.get("extensions", {})
        body: bytes | None = b"" if method == "HEAD" else None
        if whole is not None:
            body = plan.body(lambda piece: whole[piece.start : piece.end])
        elif body is None and not sends_path and plan.length <= self.chunk_size:
            body = await anyio.to_thread.run_sync(read_pieces, self.path, plan)
        await send({"type": "http.response.start", "status": plan.status, "headers": plan.headers.raw})
        if body is not None:
            await send({"type": "http.response.body", "body": body, "more_body": False})
        elif sends_path:
            await send({"type": "http.response.pathsend", "path": _absolute(self.path)})
        elif scope["type"] == "websocket" or send_raises_on_disconnect(scope):
            await self._stream(plan, send)
        else:
            await until_one_ends(partial(self._stream, plan, send), partial(until_disconnected, receive))

    async def _stream(self, plan: Plan, send: Send) -> None:
        async with opened(self.path) as file:
            for piece in plan.pieces:
                if piece.before:
                    await send({"type": "http.response.body", "body": piece.before, "more_body": True})
                await self._copy(file, piece, send, is_last=not plan.end)
                if piece.after:
                    await send({"type": "http.response.body", "body": piece.after, "more_body": True})
        if plan.end:
            await send({"type": "http.response.body", "body": plan.end, "more_body": False})

    async def _copy(self, file: anyio.AsyncFile[bytes], piece: Piece, send: Send, is_last: bool) -> None:
        """Send a stretch of the file, chunk by chunk."""
        await file.seek(piece.start)
        left = piece.end - piece.start
        while left:
            read = await file.read(min(left, self.chunk_size * _CHUNKS_A_VISIT))
            if not read:
                raise too_short(self.path)
            left -= len(read)
            for place in range(0, len(read), self.chunk_size):
                chunk = read[place : place + self.chunk_size]
                more = not is_last or left > 0 or place + self.chunk_size < len(read)
                await send({"type": "http.response.body", "body": chunk, "more_body": more})


def _absolute(path: StrPath) -> str:
    """The path that a server understands, whatever folder it runs in."""
    return os.path.abspath(os.fspath(path))


def _refusal(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(text, status, headers, media_type="text/plain")


def _disposition(kind: str, filename: str) -> str:
    """RFC 6266: a name that has only plain signs as it is, else percent-encoded."""
    quoted = quote(filename)
    return f'{kind}; filename="{filename}"' if quoted == filename else f"{kind}; filename*=utf-8''{quoted}"


# The files of one directory were often written in the same second; 256 dates are 30 KB.
@lru_cache(maxsize=256)
def _http_date(time_s: int) -> str:
    return formatdate(time_s, usegmt=True)
