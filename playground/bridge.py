"""The bridge: a transport on one loop, awaited from another.

A notebook's cell awaits on the kernel's loop what must happen on the lab's. This decides nothing but on which
side each await takes place.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import httpx

from playground.clock.thread import LoopThread
from playground.errors import LabClosed

__all__ = ["Bridge", "blocking_response"]


class Bridge(httpx.AsyncBaseTransport):
    """The lab's transport as seen from any loop: what is awaited elsewhere happens on the lab's loop.

    A request body that streams is read to its end before it crosses over, since its source belongs to the
    caller's loop; the response's body crosses chunk by chunk.
    """

    def __init__(self, thread: LoopThread, transport: httpx.AsyncBaseTransport) -> None:
        self._thread = thread
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if asyncio.get_running_loop() is self._thread.loop:
            return await self._transport.handle_async_request(request)
        if not isinstance(request.stream, httpx.ByteStream):
            await request.aread()
        begun: list[httpx.Response] = []  # filled over there: who is cancelled as it begins would lose the result
        try:
            await self._thread.call_async(self._begin, request, begun)
        except BaseException:
            for response in begun:
                if isinstance(response.stream, httpx.AsyncByteStream):
                    await _FarStream(self._thread, response.stream).aclose()
            raise
        (response,) = begun
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _FarStream(self._thread, response.stream)
        return response

    async def _begin(self, request: httpx.Request, begun: list[httpx.Response]) -> None:
        begun.append(await self._transport.handle_async_request(request))


class _FarStream(httpx.AsyncByteStream):
    """A response's body that is produced on another loop."""

    def __init__(self, thread: LoopThread, stream: httpx.AsyncByteStream) -> None:
        self._thread = thread
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._stream)
        while (chunk := await self._thread.call_async(_next, chunks)) is not None:
            yield chunk

    async def aclose(self) -> None:
        if not self._thread.forked:
            with contextlib.suppress(LabClosed):  # the stream went with the loop
                await self._thread.call_async(self._stream.aclose)


def blocking_response(thread: LoopThread, response: httpx.Response) -> httpx.Response:
    """The same response, to be read by a thread that may wait: `iter_bytes` in place of `aiter_bytes`."""
    if not isinstance(response.stream, httpx.AsyncByteStream):
        return response
    return httpx.Response(
        response.status_code,
        headers=response.headers,
        stream=_NearStream(thread, response.stream),
        request=response.request,
        extensions=response.extensions,
        history=response.history,
    )


class _NearStream(httpx.SyncByteStream):
    """A response's body that is produced on another loop, for a thread that may wait."""

    def __init__(self, thread: LoopThread, stream: httpx.AsyncByteStream) -> None:
        self._thread = thread
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        chunks = aiter(self._stream)
        while (chunk := self._thread.call(_next, chunks)) is not None:
            yield chunk


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)
