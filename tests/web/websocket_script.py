"""A websocket's client, written down beforehand: what it sends, and what it was sent."""

from collections.abc import Iterable
from typing import Any

from playground.asgi import ASGIApp, Message, Scope

from .exchange import Backend, Exchange, call_scope, http_scope

CONNECT: Message = {"type": "websocket.connect"}
LEAVE: Message = {"type": "websocket.disconnect", "code": 1001, "reason": "bye"}
ACCEPT: Message = {"type": "websocket.accept", "subprotocol": None, "headers": []}


def text(data: str) -> Message:
    return {"type": "websocket.receive", "text": data}


def data(data: bytes) -> Message:
    return {"type": "websocket.receive", "bytes": data}


def sent_text(data: str) -> Message:
    return {"type": "websocket.send", "text": data}


def close(code: int = 1000, reason: str = "") -> Message:
    return {"type": "websocket.close", "code": code, "reason": reason}


def websocket_scope(path: str = "/", *, can_refuse: bool = True, **more: Any) -> Scope:
    scope = http_scope(path, **more)
    del scope["method"]
    extensions: dict[str, Any] = {"websocket.http.response": {}} if can_refuse else {}
    return {**scope, "type": "websocket", "scheme": "ws", "subprotocols": [], "extensions": extensions, **more}


def converse(app: ASGIApp, *incoming: Message, path: str = "/", backend: Backend = "asyncio", **scope: Any) -> Exchange:
    """Connect, send these messages, and leave."""
    script: Iterable[Message] = [CONNECT, *incoming, LEAVE]
    return call_scope(app, websocket_scope(path, **scope), messages=script, backend=backend)
