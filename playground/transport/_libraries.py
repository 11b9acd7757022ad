"""Which client library a request comes from: httpx, or httpx2 where that is what the caller uses.

The two have the same names and do not know each other's classes, so a response must be built from the
classes of the library that asked. This module finds them; it never imports a library that is not there.
"""

import sys
from dataclasses import dataclass
from typing import Any

__all__ = ["Library", "library_of"]


@dataclass(frozen=True, slots=True)
class Library:
    """The classes of one client library that a transport answers with.

    Attributes:
        stream: the transport's own class of bodies, made one of the library's `AsyncByteStream`s.
        response, content: the library's `Response` and `ByteStream`.
        read_timeout, read_error, protocol_error, not_read: its `ReadTimeout`, `ReadError`,
            `RemoteProtocolError` and `RequestNotRead`.
    """

    stream: Any
    response: Any
    content: Any
    read_timeout: Any
    read_error: Any
    protocol_error: Any
    not_read: Any


_KNOWN: dict[tuple[type, type], Library] = {}


def library_of(request: object, body: type) -> Library:
    """Find the library that `request` belongs to.

    Args:
        request: a request of that library, or of a class derived from its own.
        body: the class that gives the library's streams their `__init__`, `__aiter__` and `aclose`.
    """
    found = _KNOWN.get((type(request), body))
    if found is None:
        found = _KNOWN[type(request), body] = _library(_module_of(request), body)
    return found


def _module_of(request: object) -> Any:
    for kind in type(request).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in ("httpx", "httpx2"):
            return sys.modules[name]
    raise TypeError(
        f"expected a request of httpx or httpx2, but got a {type(request).__name__}. "
        "Send it with httpx.AsyncClient(transport=...)."
    )


def _library(module: Any, body: type) -> Library:
    return Library(
        stream=type(body.__name__, (body, module.AsyncByteStream), {}),
        response=module.Response,
        content=module.ByteStream,
        read_timeout=module.ReadTimeout,
        read_error=module.ReadError,
        protocol_error=module.RemoteProtocolError,
        not_read=module.RequestNotRead,
    )
