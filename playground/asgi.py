"""ASGI in types: the three callables of the specification and the messages that travel between them.

This module decides nothing and imports nothing of ours but the errors, so every room may rest on it.
Names are those of the ASGI 3.0 specification.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["ASGIApp", "Message", "Receive", "Scope", "Send"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
