"""Exceptions by which a handler answers a request, or ends a websocket.

They carry what the answer needs. What is made of them is decided by the exception middleware and by the
app's own handlers.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

__all__ = ["HTTPException", "StarletteDeprecationWarning", "WebSocketException"]

# A status of the app's own has no phrase. (Asking `HTTPStatus` takes as long as choosing a route.)
_PHRASES: Final[dict[int, str]] = {status.value: status.phrase for status in HTTPStatus}


class StarletteDeprecationWarning(UserWarning):
    """Something still works that will go; a `UserWarning`, so that it is shown by default."""


class HTTPException(Exception):
    """Answer the request with this status.

    Args:
        status_code: the status of the response.
        detail: the body; if it is not given, the standard phrase of the status.
        headers: headers of the response.
    """

    def __init__(self, status_code: int, detail: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = status_code
        self.detail = _PHRASES.get(status_code, "") if detail is None else detail
        self.headers = headers

    def __str__(self) -> str:
        return f"{self.status_code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code!r}, detail={self.detail!r})"


class WebSocketException(Exception):
    """Close the websocket with this code and reason."""

    def __init__(self, code: int, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason or ""

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, reason={self.reason!r})"
