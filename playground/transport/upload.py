"""The body of a request on its way to the app: one `http.request` message at a time.

An `Upload` decides what the next message is and when the body has ended. A body of bytes is one message.
Any other body is pulled piece by piece by a task of its own (`pump`), one piece ahead of the app: so the
client can read the start of an answer while it is still sending, a slow generator of the client's never
runs inside the app, and an app that cancels its `receive` loses nothing. It knows nothing of responses.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Any

from playground.asgi import Message
from playground.transport._crew import Crew
from playground.transport._hosts import Host

__all__ = ["Body", "Upload", "pieces_of"]

Body = bytes | AsyncIterable[bytes] | Iterable[bytes]


class Upload:
    """One request body.

    Attributes:
        moves: how often a message was laid ready or taken.
        error: what the client's own body raised while it was read, if it did.
        finished: whether all of the body has come from the client.
    """

    __slots__ = ("_next", "_source", "_taken_bell", "error", "finished", "moves")

    def __init__(self, body: Body = b"") -> None:
        self.moves = 0
        self.error: Exception | None = None
        self._source = body
        self._taken_bell: list[Any] | None = None  # made for a body that comes in pieces
        self.finished = isinstance(body, bytes)
        self._next: Message | None = None
        if self.finished:
            self._next = {"type": "http.request", "body": body, "more_body": False}

    @property
    def unread(self) -> bool:
        """Whether some of the body lies ready that the app has not taken."""
        return self._next is not None and bool(self._next["body"])

    def take(self, crew: Callable[[], Crew]) -> Message | None:
        """Hand over the next message, or `None` if there is none now."""
        message = self._next
        if message is not None:
            self._next = None
            self.moves += 1
            if self._taken_bell:
                crew().host.ring(self._taken_bell)
        return message

    async def pump(self, host: Host, arrived: Callable[[], None]) -> None:
        """Pull a body that is not bytes to its end.

        Args:
            host: the loop it runs on.
            arrived: called whenever there is a new message, and when the body has ended or failed.
        """
        self._taken_bell = []
        pieces = pieces_of(self._source)
        try:
            async for piece in pieces:
                if piece:
                    await self._put(piece, True, host, arrived)
            self.finished = True
            await self._put(b"", False, host, arrived)
        except Exception as error:  # noqa: BLE001 - it is the client's own and goes back to the client
            self.error = error
            arrived()
        finally:
            await pieces.aclose()

    async def _put(self, piece: bytes, more: bool, host: Host, arrived: Callable[[], None]) -> None:
        if not isinstance(piece, bytes):
            raise TypeError(
                f"expected a request body that yields bytes, but it yielded a {type(piece).__name__}. "
                "Encode text before sending it."
            )
        self._next = {"type": "http.request", "body": piece, "more_body": more}
        self.moves += 1
        arrived()
        while self._next is not None and self._taken_bell is not None:
            await host.wait(self._taken_bell)


async def pieces_of(source: Body) -> Any:
    """Iterate over either kind of body, and close an asynchronous one that is left early."""
    if not isinstance(source, AsyncIterable):
        for piece in source:
            yield piece
        return
    iterator: AsyncIterator[bytes] = aiter(source)
    try:
        async for piece in iterator:
            yield piece
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
