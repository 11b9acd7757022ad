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
        response: the library's `Response`, which takes a body that has come as a whole at once.
        content: its `ByteStream`.
        read_timeout, connect_error, read_error, protocol_error, not_sendable, not_read: its `ReadTimeout`,
            `ConnectError`, `ReadError`, `RemoteProtocolError`, `LocalProtocolError` and `RequestNotRead`.
    """

    stream: Any
    response: Any
    content: Any
    read_timeout: Any
    connect_error: Any
    read_error: Any
    protocol_error: Any
    not_sendable: Any
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


def _quick_to_read(response: Any) -> Any:
    """Derive a class of responses that do not pass a body that is all there through the library's generators.

    A body comes through four of them, one in the other, at twice the cost of the app's call. The four
    attributes are those that the library's own `aread` and `aclose` set; these are called in all other cases.
    """

    class Response(response):  # type: ignore[misc]  # known at run time only
        is_stream_consumed: bool
        is_closed: bool
        whole: Any = None  # gives the body if it is all there and its app has ended, and ended well

        async def aread(self) -> bytes:
            whole, self.whole = self.whole, None
            if whole is None or self.is_stream_consumed or self.is_closed:
                return bytes(await super().aread())
            data = whole()
            if data is None:
                return bytes(await super().aread())
            self._content = data
            self._num_bytes_downloaded = len(data)
            self.is_stream_consumed = self.is_closed = True
            await self.stream.aclose()  # which can raise nothing that the library would have to name a request for
            return bytes(data)

        def __reduce__(self) -> tuple[Any, ...]:
            state: Any = self.__getstate__()
            state.pop("whole", None)
            return _plain, (response, state)

    Response.__module__, Response.__qualname__ = response.__module__, response.__qualname__
    return Response


def _plain(kind: Any, state: dict[str, Any]) -> Any:
    """Make a response of the library's own class, for pickles."""
    response = kind.__new__(kind)
    response.__setstate__(state)
    return response


def _library(module: Any, body: type) -> Library:
    return Library(
        stream=type(body.__name__, (body, module.AsyncByteStream), {}),
        response=_quick_to_read(module.Response),
        content=module.ByteStream,
        read_timeout=module.ReadTimeout,
        connect_error=module.ConnectError,
        read_error=module.ReadError,
        protocol_error=module.RemoteProtocolError,
        not_sendable=module.LocalProtocolError,
        not_read=module.RequestNotRead,
    )
