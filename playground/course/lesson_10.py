"""Lesson 10, `async def` and `def` handlers, and ASGI by hand: who calls what on which thread, message by message."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.mistakes import blocking, forgotten_await, no_handler
from playground.course.rules import answers, broke, never_held, took_at_least
from playground.course.takes import an_app, an_async_function
from playground.course.trials import Tried, try_burst, try_request
from playground.course.words import shown
from playground.errors import ProtocolError
from playground.trace import Request
from playground.views.evidence import handed_line
from playground.views.wording import counted

__all__ = ["EXERCISES"]

# -- 10.1 -----------------------------------------------------------------------------------------------------

_PATHS: Final = ("/wait", "/file", "/sum")


def _three_handlers(app: Any) -> Attempt:
    return Attempt((app,), [try_burst(app, lambda index: _PATHS[index % 3], 12)])


def _asked(attempt: Attempt, path: str) -> list[Request]:
    return [request for request in attempt.trace.requests if request.path == path]


def _handed(path: str, count: int) -> Callable[[Attempt], str | None]:
    def judge(attempt: Attempt) -> str | None:
        wrong = [request for request in _asked(attempt, path) if len(request.handoffs) != count]
        if not wrong:
            return None
        return f"expected {counted(count, 'hand-off')}, got another number for {handed_line(attempt.trace, wrong[0])}."

    return judge


def _not_handed(attempt: Attempt) -> str | None:
    return _handed("/wait", 0)(attempt) or _handed("/sum", 0)(attempt)


def _still_slow(attempt: Attempt) -> str | None:
    for path in ("/wait", "/file"):
        if told := took_at_least(path, 0.1)(attempt):
            return f"`{path}`: {told}"
    return None


def _all_plain(attempt: Attempt) -> str | None:
    if broke(attempt) or _not_handed(attempt) is None:
        return None
    calls = sum(len(request.handoffs) for path in ("/wait", "/sum") for request in _asked(attempt, path))
    return (
        f"It works, but {counted(calls, 'call')} went to a worker thread and back without need. A plain `def` handler "
        "is always handed over: what only awaits, or is done at once, is cheaper as `async def`, on the loop."
    )


_KINDS: Final = Exercise(
    id="10.1",
    question="Write three handlers of the right kind: `/wait` awaits `asyncio.sleep(0.1)`, `/file` calls "
    "`time.sleep(0.1)`, `/sum` returns at once. Hand to threads what must be, and nothing else.",
    takes=(an_app(),),
    attempt=_three_handlers,
    rules=(
        Rule("every request is answered", answers()),
        Rule("`/wait` and `/file` take their 100 ms", _still_slow),
        Rule("nobody holds the loop", never_held(0.01)),
        Rule("each `/file` is handed to a worker thread", _handed("/file", 1)),
        Rule("`/wait` and `/sum` are not", _not_handed),
    ),
    mistakes=(no_handler, blocking(0.01), forgotten_await, Mistake("all-plain", _all_plain)),
    hints=(
        "`async def` for what awaits, `def` for what blocks. And for what does neither?",
        "A hand-off to a thread and back costs some tenth of a millisecond: more than adding two numbers.",
    ),
)


# -- 10.2 -----------------------------------------------------------------------------------------------------


def _by_hand(app: ASGIApp) -> ASGIApp:
    """The app, lent a `receive` and a `send` that are called so, so that a recording names them as their user does."""

    async def lent(scope: Scope, outer_receive: Receive, outer_send: Send) -> None:
        async def receive() -> Message:
            return await outer_receive()

        async def send(message: Message) -> None:
            await outer_send(message)

        await app(scope, receive, send)

    return lent


def _greeting(app: ASGIApp) -> Attempt:
    return Attempt((app,), [try_request(_by_hand(app), "GET", "/")])


def _with_body(body: bytes) -> Callable[[Tried], str | None]:
    def judge(tried: Tried) -> str | None:
        content = tried.responses[0].content
        return None if content == body else f"expected the body {shown(body)}, got {shown(content)}."

    return judge


def _answered_with(body: bytes) -> Callable[[Attempt], str | None]:
    def judge(attempt: Attempt) -> str | None:
        if told := broke(attempt):
            return told
        status = attempt.tried.responses[0].status_code
        return f"expected status 200, got {status}." if status != 200 else _with_body(body)(attempt.tried)

    return judge


def _plain_text(attempt: Attempt) -> str | None:
    kind = attempt.tried.responses[0].headers.get("content-type")
    if kind is not None and kind.partition(";")[0].strip() == "text/plain":
        return None
    return f"expected text/plain, got {shown(kind)}." if kind else "there is no such header."


def _sent(attempt: Attempt) -> list[str]:
    return [note.type for request in attempt.trace.requests for note in request.messages if note.direction == "send"]


def _no_start(attempt: Attempt) -> str | None:
    if _sent(attempt)[:1] != ["http.response.body"]:
        return None
    return (
        "The first message was the body. A response begins with `http.response.start`, which holds the status and the "
        "headers: they go over the wire before the body does."
    )


def _no_end(attempt: Attempt) -> str | None:
    if _sent(attempt) != ["http.response.start"] or not isinstance(attempt.tried.error, ProtocolError):
        return None
    if "returned" not in str(attempt.tried.error):
        return None
    return (
        "Only the beginning was sent. `http.response.body` ends a response, and it has to be sent even where the body "
        "is empty: the client is waiting for it."
    )


def _returned(attempt: Attempt) -> str | None:
    if _sent(attempt) or forgotten_await.explain(attempt) or not isinstance(attempt.tried.error, ProtocolError):
        return None
    return "Nothing was sent. An ASGI app answers by what it sends; what it returns is looked at by nobody."


def _text_for_bytes(attempt: Attempt) -> str | None:
    if "of bytes" not in str(attempt.tried.error or "") or not isinstance(attempt.tried.error, ProtocolError):
        return None
    return (
        'ASGI knows no text: names and values of headers and the body are bytes, as they go over the wire. `b"hello"`, '
        'or `"hello".encode()`.'
    )


_GREETING: Final = Exercise(
    id="10.2",
    question='Write an ASGI app by hand: it answers status 200, `content-type: text/plain` and the body `b"hello"`.',
    takes=(an_async_function("app", "async def app(scope, receive, send)"),),
    attempt=_greeting,
    rules=(
        Rule("it answers 200 and `hello`", _answered_with(b"hello"), 2),
        Rule("the header `content-type` says text/plain", _plain_text),
    ),
    mistakes=(
        forgotten_await,
        Mistake("no-start", _no_start),
        Mistake("text-for-bytes", _text_for_bytes),
        Mistake("no-end", _no_end),
        Mistake("returned", _returned),
    ),
    hints=(
        "An answer is two messages: `http.response.start`, and then `http.response.body`.",
        "A message is a dict with a `type`. The start has a `status`, and `headers`: a list of pairs of bytes.",
        'The body\'s is `{"type": "http.response.body", "body": b"hello"}`. Await each `send`.',
    ),
)


# -- 10.3 -----------------------------------------------------------------------------------------------------

_PIECES: Final = (b"one, ", b"two, ", b"three")


def _echo(app: ASGIApp) -> Attempt:
    async def upload() -> AsyncIterator[bytes]:
        for piece in _PIECES:
            yield piece

    return Attempt((app,), [try_request(_by_hand(app), "POST", "/", content=upload())])


def _whole(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    if (status := attempt.tried.responses[0].status_code) != 200:
        return f"expected status 200, got {status}."
    content = attempt.tried.responses[0].content
    if content and b"".join(_PIECES).startswith(content):
        return None
    return f"expected what was sent, got {shown(content)}."


def _to_the_end(attempt: Attempt) -> str | None:
    content, sent = attempt.tried.responses[0].content, b"".join(_PIECES)
    return None if content == sent else f"{len(sent)} bytes were sent, {len(content)} came back: {shown(content)}."


def _one_piece(attempt: Attempt) -> str | None:
    received = [note for request in attempt.trace.requests for note in request.messages if note.direction == "receive"]
    if broke(attempt) or len(received) != 1:
        return None
    return (
        "It received one message. A body comes in as many as the network brings, and each but the last says "
        '`"more_body": True`; what you have not received, you do not have.'
    )


_ECHO: Final = Exercise(
    id="10.3",
    question="Write an ASGI app by hand that answers 200 and sends back the body that it was sent, however many pieces "
    "that comes in.",
    takes=(an_async_function("app", "async def app(scope, receive, send)"),),
    attempt=_echo,
    rules=(
        Rule("it answers 200 with what was sent", _whole),
        Rule("it sends back the whole body", _to_the_end, 2),
    ),
    mistakes=(
        forgotten_await,
        Mistake("no-start", _no_start),
        Mistake("text-for-bytes", _text_for_bytes),
        Mistake("one-piece", _one_piece),
        Mistake("returned", _returned),
    ),
    hints=(
        '`message = await receive()` gives a part of the body, in `message["body"]`.',
        'Go on while `message.get("more_body", False)`, and put the parts together.',
    ),
)

EXERCISES: Final = (_KINDS, _GREETING, _ECHO)
