"""The response whose body is made while it is sent.

It decides in which steps a body is asked for and sent, and that it ends when its client leaves. It refuses to
know what makes the body.
"""

from collections.abc import AsyncIterable, Iterable, Mapping
from functools import partial
from typing import Any

from playground.asgi import Receive, Scope, Send

from ._responding import denial, send_raises_on_disconnect, until_disconnected, until_one_ends
from ._response import Content, Response, as_bytes_view
from .background import BackgroundTask
from .concurrency import iterate_in_threadpool
from .requests import ClientDisconnect

__all__ = ["AsyncContentStream", "ContentStream", "StreamingResponse", "SyncContentStream"]

SyncContentStream = Iterable[Content]
AsyncContentStream = AsyncIterable[Content]
ContentStream = AsyncContentStream | SyncContentStream


class StreamingResponse(Response):
    """A response whose body is made while it is sent.

    Args:
        content: gives the pieces of the body; if it is not asynchronous, each step is taken in a
            worker thread.
        status_code, headers, media_type, background: as of `Response`.
    """

    body_iterator: AsyncContentStream

    def __init__(
        self,
        content: ContentStream,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        if isinstance(content, AsyncIterable):
            self.body_iterator = content
        else:
            self.body_iterator = iterate_in_threadpool(content)
        self.status_code = status_code
        self.media_type = self.media_type if media_type is None else media_type
        self.background = background
        self.init_headers(headers)

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Return once the client has left."""
        await until_disconnected(receive)

    async def stream_response(self, send: Send) -> None:
        """Send the start, the pieces and the end."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for chunk in self.body_iterator:
                piece = chunk if type(chunk) is bytes else self._encoded(chunk)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except BaseException:
            await _close(self.body_iterator)
            raise
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _encoded(self, chunk: Content) -> bytes | memoryview:
        if isinstance(chunk, str):
            return chunk.encode(self.charset)
        return as_bytes_view(chunk) if isinstance(chunk, memoryview) else chunk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.stream_response(denial(send))
        elif send_raises_on_disconnect(scope):
            try:
                await self.stream_response(send)
            except OSError as error:
                raise ClientDisconnect from error
        else:
            await until_one_ends(partial(self.stream_response, send), partial(self.listen_for_disconnect, receive))
        if self.background is not None:
            await self.background()


async def _close(iterator: Any) -> None:
    """End a generator that will not be asked again, so that what it holds is let go now."""
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()
