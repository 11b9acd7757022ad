"""Requests: what an ASGI app was asked and what it sent, message by message, for any app.

The app is wrapped once; the wrapper is told per call whether anything records. It knows nothing of the
transport that calls it, nor of the framework inside, except that Starlette and its kin put the matched route
into the scope.
"""

import copy
from collections.abc import Callable
from typing import Any, Literal, Protocol

from playground.asgi import ASGIApp, Message, Receive, Scope, Send

__all__ = ["RequestRecord", "RequestRecorder", "recorded_app"]


class RequestRecord:
    """One request while it happens. Times are nanoseconds of the recorder's clock."""

    __slots__ = ("end_ns", "error", "messages", "method", "path", "route", "start_ns", "status", "task")

    def __init__(self, method: str, path: str, task: int, start_ns: int) -> None:
        self.method = method
        self.path = path
        self.task = task
        self.start_ns = start_ns
        self.end_ns: int | None = None
        self.route: str | None = None
        self.status: int | None = None
        self.error: str | None = None
        self.messages: list[tuple[Literal["receive", "send"], str, int, str]] = []

    def frozen(self) -> "RequestRecord":
        """A copy that what still runs cannot change."""
        frozen = copy.copy(self)
        frozen.messages = list(self.messages)
        return frozen


class RequestRecorder(Protocol):
    """What the wrapper needs of a recorder."""

    now: Callable[[], int]
    requests: list[RequestRecord]

    def current_task(self) -> int:
        """The number of the task that is running; 0 for none."""


def recorded_app(app: ASGIApp, recorder: Callable[[], RequestRecorder | None]) -> ASGIApp:
    """The same app, telling `recorder()` of each request, if there is one just then."""

    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        to = recorder()
        if to is None or scope["type"] not in ("http", "websocket"):
            await app(scope, receive, send)
        else:
            await _record(app, scope, receive, send, to)

    return recorded


async def _record(app: ASGIApp, scope: Scope, receive: Receive, send: Send, recorder: RequestRecorder) -> None:
    method = scope["method"] if scope["type"] == "http" else "WEBSOCKET"
    record = RequestRecord(method, scope["path"], recorder.current_task(), recorder.now())
    recorder.requests.append(record)
    now = recorder.now
    messages = record.messages

    async def noting_receive() -> Message:
        message = await receive()
        messages.append(("receive", message["type"], now(), _detail(message)))
        return message

    async def noting_send(message: Message) -> None:
        # noted before it goes out: with backpressure, `send` returns only when the client has read on
        messages.append(("send", str(message.get("type")), now(), _detail(message)))
        if message.get("type") in ("http.response.start", "websocket.http.response.start"):
            record.status = message.get("status")
        await send(message)

    try:
        await app(scope, noting_receive, noting_send)
    except BaseException as error:
        record.error = _words(error)
        raise
    finally:
        record.end_ns = now()
        record.route = _route(scope)


def _words(error: BaseException) -> str:
    """An exception's type and text; its text is the app's own code and may fail."""
    name = type(error).__qualname__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 (the app's exception must reach its caller whatever its __str__ does)
        return f"{name} (whose text cannot be had)"
    return f"{name}: {text}" if text else name


def _route(scope: Scope) -> str | None:
    """The path template of the route that answered: Starlette, FastAPI and playground.web say it in the scope."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else None


def _detail(message: Message) -> str:
    """What a message says, in a few words: sizes and codes, never contents."""
    parts = []
    body = message.get("body", message.get("bytes"))
    if isinstance(body, (bytes, bytearray, memoryview)):
        parts.append(f"{len(body):,} bytes")
    elif isinstance(text := message.get("text"), str):
        parts.append(f"{len(text):,} characters")
    for key in ("status", "code", "subprotocol"):
        value: Any = message.get(key)
        if value is not None:
            parts.append(f"{key} {value}")
    if message.get("more_body"):
        parts.append("more to come")
    return ", ".join(parts)
