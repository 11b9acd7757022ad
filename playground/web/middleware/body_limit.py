"""How large the body of a request may be, whoever reads it.

It decides when a body is too large: by its `Content-Length` when the app first asks for it or begins to
answer, and in any case by the bytes that come. Not sooner, because a limit further in, such as a route's,
may allow more than the app's and takes its place. What is in a body is not its affair.
"""

from typing import Any, Final

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.errors import UsageError
from playground.web.exceptions import HTTPException
from playground.web.responses import PlainTextResponse

from ._discarded import Discarded, is_said_back

__all__ = ["MAX_BODY_SIZE_SCOPE_KEY", "RequestBodyLimitMiddleware"]

# The limit that holds, for whoever wants to know; Starlette's key.
MAX_BODY_SIZE_SCOPE_KEY: Final = "starlette.max_body_size"

# The innermost limit, which one further in takes over.
_LIMIT_KEY: Final = "playground.body_limit"

_REASON: Final = "Content Too Large"


class BodyTooLarge(HTTPException):
    """The body is larger than allowed; raised by the app's `receive`, where its handlers may answer it."""

    def __init__(self) -> None:
        super().__init__(status_code=413, detail=_REASON)


class RequestBodyLimitMiddleware:
    """Answer 413 to requests whose body is too large.

    Args:
        app: the app inside.
        max_body_size: the most bytes that a body may have, counted as they arrive.

    Raises:
        UsageError: the size is negative.
    """

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        if max_body_size < 0:
            raise UsageError(f"Expected a max_body_size of 0 or more bytes, got {max_body_size}.")
        self.app = app
        self.max_body_size = max_body_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        outer_size, outer = scope.get(MAX_BODY_SIZE_SCOPE_KEY), scope.get(_LIMIT_KEY)
        limit = _Limit(self.max_body_size, outer, scope, receive, send)
        scope[MAX_BODY_SIZE_SCOPE_KEY], scope[_LIMIT_KEY] = self.max_body_size, limit
        try:
            await limit.run(self.app)
        finally:
            _restore(scope, MAX_BODY_SIZE_SCOPE_KEY, outer_size)
            _restore(scope, _LIMIT_KEY, outer)


class _Limit:
    """The limit of one request.

    Attributes:
        size: the limit that holds: that of the innermost one.
        outer: the limit around this one.
        is_told: whether the app knows that the body is too large, so that its answer may stand.
    """

    __slots__ = (
        "_is_replaced",
        "_length",
        "_receive",
        "_received",
        "_scope",
        "_send",
        "_started",
        "is_told",
        "outer",
        "size",
    )

    def __init__(self, size: int, outer: "_Limit | None", scope: Scope, receive: Receive, send: Send) -> None:
        self.size = size
        self.outer = outer
        self.is_told = False
        self._scope = scope
        self._receive = receive
        self._send = send
        self._length = _content_length(scope)
        self._received = 0
        self._started = self._is_replaced = False
        while outer is not None:
            outer.size, outer = size, outer.outer

    async def run(self, app: ASGIApp) -> None:
        try:
            await app(self._scope, self.receive, self.send)
        except BodyTooLarge:
            if self._started:
                raise
            await self._answer()
        except Exception as error:
            if not (self._is_replaced and is_said_back(error)):
                raise

    async def receive(self) -> Message:
        """The app's `receive`.

        Raises:
            BodyTooLarge: what has come is more than allowed, or will be.
        """
        if self._length > self.size:
            raise self._too_large()
        message = await self._receive()
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            if self._received > self.size:
                raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        """The app's `send`: if its body is too large and it has not noticed, its answer is replaced."""
        if self._is_replaced:
            if message.get("more_body", False):
                raise Discarded(f"The request was answered with 413, {_REASON}: stop sending.")
            return
        if message["type"] == "http.response.start":
            self._started = True
            if self._length > self.size and not self.is_told:
                self._is_replaced = True
                await self._answer()
                return
        await self._send(message)

    async def _answer(self) -> None:
        self._too_large()
        response = PlainTextResponse(_REASON, status_code=413)
        await response(self._scope, self._receive, self._send)

    def _too_large(self) -> BodyTooLarge:
        limit: _Limit | None = self
        while limit is not None:
            limit.is_told, limit = True, limit.outer
        return BodyTooLarge()


def _content_length(scope: Scope) -> int:
    """The length that a request announces; 0 if it announces none, or not by digits."""
    for name, value in scope["headers"]:
        # Longer numbers are as absurd as they are slow to parse.
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


def _restore(scope: Scope, key: str, value: Any) -> None:
    if value is None:
        scope.pop(key, None)
    else:
        scope[key] = value
