"""Calling an ASGI app with a written scope and script of messages: the plainest client there is."""

import re
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import anyio

from playground.asgi import ASGIApp, Message, Scope

Backend = Literal["asyncio", "trio"]
T = TypeVar("T")


def http_scope(path: str = "/", method: str = "GET", **more: Any) -> Scope:
    """An HTTP scope with what the specification requires, and more on request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "server": ("testserver", 80),
        **more,
    }


def request_message(body: bytes = b"", *, more_body: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more_body}


@dataclass
class Exchange:
    """What an app sent, and the exception that it let out."""

    scope: Scope
    sent: list[Message] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(bytes(message["body"]) for message in self.sent[1:])

    @property
    def text(self) -> str:
        return self.body.decode()


def call(
    app: ASGIApp,
    path: str = "/",
    method: str = "GET",
    *,
    messages: Iterable[Message] | None = None,
    backend: Backend = "asyncio",
    **scope: Any,
) -> Exchange:
    """Call an app and return all that it sent; the script of messages ends with the client's leaving."""
    return call_scope(app, http_scope(path, method, **scope), messages=messages, backend=backend)


def call_scope(
    app: ASGIApp, scope: Scope, *, messages: Iterable[Message] | None = None, backend: Backend = "asyncio"
) -> Exchange:
    exchange = Exchange(scope)
    script = iter([request_message()] if messages is None else messages)

    async def receive() -> Message:
        return next(script, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        exchange.sent.append(message)

    async def main() -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:  # noqa: BLE001  it is what a test looks at
            exchange.error = error

    anyio.run(main, backend=backend)
    return exchange


def exactly(message: str) -> str:
    """A pattern for `pytest.raises` that matches this message and no other."""
    return f"^{re.escape(message)}$"


def run(function: Callable[[], Coroutine[Any, Any, T]], backend: Backend = "asyncio") -> T:
    return anyio.run(function, backend=backend)
