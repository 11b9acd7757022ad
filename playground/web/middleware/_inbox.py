"""What an app behind a middleware receives of the request.

It decides in which order: first what the middleware has read or peeked at, then what it has not, and from
some point on only that the client is gone. It refuses to know why it is closed.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from playground.asgi import Message
from playground.web.requests import Request

__all__ = ["Inbox"]

GONE: Message = {"type": "http.disconnect"}


class Inbox:
    """The app's `receive`: what the middleware has read of the request, then what it has not."""

    __slots__ = ("_is_closed", "_is_replayed", "_request", "_waiting")

    def __init__(self, request: Request[Any]) -> None:
        self._request = request
        self._is_replayed = self._is_closed = False
        self._waiting: set[anyio.CancelScope] = set()

    async def receive(self) -> Message:
        request = self._request
        if self._is_closed:
            return GONE
        if not self._is_replayed:
            self._is_replayed = True
            body = request._kept_body()
            if body is not None or request._stream_consumed:
                return {"type": "http.request", "body": body or b"", "more_body": False}
        if request._ahead:
            message = request._ahead.pop(0)
        elif request._is_disconnected:
            return GONE
        else:
            message = await self._unless_closed(request.receive)
        if message["type"] == "http.disconnect":
            request._is_disconnected = True
        elif not message.get("more_body", False):
            request._stream_consumed = True
        return message

    @property
    def is_client_gone(self) -> bool:
        """Whether the server has said that the client has left."""
        return self._request._is_disconnected

    def close(self) -> None:
        """From now on the client is gone, also for those who wait."""
        self._is_closed = True
        for scope in self._waiting:
            scope.cancel()

    async def _unless_closed(self, receive: Callable[[], Awaitable[Message]]) -> Message:
        message = GONE
        with anyio.CancelScope() as scope:
            self._waiting.add(scope)
            try:
                message = await receive()
            finally:
                self._waiting.discard(scope)
        return message
