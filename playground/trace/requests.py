"""Requests: what an ASGI app was asked and what it sent, message by message, for any app.

The app is wrapped once; the wrapper is told per call whether anything records. It knows nothing of the
transport that calls it, nor of the framework inside, except that Starlette and its kin put the matched route
into the scope.
"""

import asyncio
import copy
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.trace.kept import Kept
from playground.trace.onion import watch_app
from playground.trace.texts import cut
from playground.trace.ways import SpanRecorder, arrive, set_out, task_on

__all__ = ["RequestRecord", "detail_of", "recorded_app", "words_of"]


Direction = Literal["receive", "send"]
NotedMessage = tuple[Direction, Any, int, int | None, str, tuple[tuple[str, Any], ...], bool]
"""Direction, type, time in ns, length, its unit, codes, and whether more of the body follows."""

_CODES: Final = ("status", "code", "subprotocol")
_LARGEST: Final = 10**18
"""Larger numbers are nobody's code; and of those with thousands of digits, Python refuses to write any."""


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
        self.messages: list[NotedMessage] = []

    def frozen(self) -> "RequestRecord":
        """A copy that what still runs cannot change; itself, if it is over."""
        if self.end_ns is not None:
            return self
        frozen = copy.copy(self)
        frozen.messages = list(self.messages)
        return frozen


class RequestRecorder(SpanRecorder, Protocol):
    """What the wrapper needs of a recorder."""

    requests: Kept[RequestRecord]
    entrances: dict[int, ASGIApp | None]
    """What to call in place of an app while its spans are noted, by the app's `id`; `None` where it has none."""

    def current_task(self) -> int:
        """The number of the task that is running; 0 for none."""


def recorded_app(app: ASGIApp, recorder: Callable[[], RequestRecorder | None]) -> ASGIApp:
    """The same app, telling `recorder()` of each request, if there is one just then, and of the spans within it."""
    key = id(app)

    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        to = recorder()
        kind = scope["type"]
        if to is None or kind not in ("http", "websocket"):
            await app(scope, receive, send)
            return
        loop = asyncio._get_running_loop()
        task = task_on(loop)
        number = to.current_task() if loop is None else to.number_of(task)
        record = RequestRecord(scope["method"] if kind == "http" else "WEBSOCKET", scope["path"], number, to.now())
        requests = to.requests
        requests[index := requests.added] = record  # `append`, written out, as each call counts here
        requests.added = index + 1
        entrance = to.entrances[key] if key in to.entrances else _entrance(app, to)
        receive, send = _noting(record, receive, send, to.now)
        token = None
        trail: list[Any] = []
        if entrance is None or loop is None:  # spans know asyncio's tasks, not trio's
            entrance = app
        else:
            token = set_out(to, trail, index, loop, task, number)
        try:
            await entrance(scope, receive, send)
        except BaseException as error:
            record.error = words_of(error)
            raise
        finally:
            record.end_ns = end_ns = to.now()
            record.route = _route(scope)
            if token is not None:
                arrive(trail, token, end_ns)

    return recorded


def _noting(record: RequestRecord, receive: Receive, send: Send, now: Callable[[], int]) -> tuple[Receive, Send]:
    """The same two, noting what passes; quick where it is what nearly all answers are made of."""
    note = record.messages.append

    async def noting_receive() -> Message:
        message = await receive()
        note(_noted("receive", message, now()))
        return message

    async def noting_send(message: Message) -> None:
        # noted before it goes out: with backpressure, `send` returns only when the client has read on
        kind = message.get("type")
        if kind == "http.response.body" and type(body := message.get("body")) is bytes:
            note(("send", kind, now(), len(body), "bytes", (), bool(message.get("more_body"))))
        elif kind == "http.response.start":
            record.status = status = message.get("status")
            note(("send", kind, now(), None, "", (("status", status),), False))
        else:
            note(_noted("send", message, now()))
            if kind == "websocket.http.response.start":
                record.status = message.get("status")
        await send(message)

    return noting_receive, noting_send


def _entrance(app: ASGIApp, recorder: RequestRecorder) -> ASGIApp | None:
    """What to call in place of an app from now on, so that its spans are noted."""
    recorder.entrances[id(app)] = entrance = watch_app(app, recorder.borrowed)
    return entrance


def words_of(error: BaseException) -> str:
    """An exception's type and text; its text is the app's own code and may fail."""
    name = type(error).__qualname__
    try:
        text = str.__str__(str(error))  # of a subclass nothing more is asked
    except Exception:  # noqa: BLE001 (the app's exception must reach its caller whatever its __str__ does)
        return f"{name} (whose text cannot be had)"
    return cut(f"{name}: {text}" if text else name)


def _route(scope: Scope) -> str | None:
    """The path template of the route that answered. Starlette, FastAPI and playground.web put the route into the
    scope, Litestar the template; Django, Quart and WSGI apps keep it to themselves.
    """
    path = getattr(scope.get("route"), "path", None) or scope.get("path_template")
    return path if isinstance(path, str) else None


def _noted(direction: Direction, message: Message, at_ns: int) -> "NotedMessage":
    """A message, as little as is needed to say later what it said: sizes and codes, never contents."""
    kind = message.get("type")
    data = message.get("body")
    if data is None and (data := message.get("bytes")) is None:
        data = message.get("text")
    size = len(data) if isinstance(data, (bytes, bytearray, memoryview, str)) else None
    unit = "characters" if type(data) is str else "bytes"
    codes: Any = ()
    if data is None:
        codes = tuple((key, message[key]) for key in _CODES if key in message)
    return direction, kind, at_ns, size, unit, codes, bool(message.get("more_body"))


def _said(code: object) -> str | None:
    """A code in letters; `None` for what is none. Of an app's own kind of number or text, nothing of its own is run."""
    if isinstance(code, str):
        return cut(code)
    return int.__repr__(code) if isinstance(code, int) and int.__abs__(code) < _LARGEST else None


def detail_of(noted: "NotedMessage") -> str:
    """What a message said, in a few words."""
    _, _, _, size, unit, codes, more = noted
    parts = [] if size is None else [f"{size:,} {unit if size != 1 else unit.removesuffix('s')}"]
    parts += [f"{key} {said}" for key, value in codes if (said := _said(value)) is not None]
    if more:
        parts.append("more to come")
    return ", ".join(parts)
