"""Responses: what a handler answers, and how it is sent.

Here are the short ones, which decide only what their content becomes, and the names of all. How a response is
sent is decided by `Response` and, for bodies that are not at hand, by the modules of the streaming and of
the file response.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from ._file_response import FileResponse
from ._headers import encode_header
from ._json import to_json
from ._ranges import MalformedRangeHeader, RangeNotSatisfiable
from ._response import Content, Response
from ._streaming import AsyncContentStream, ContentStream, StreamingResponse, SyncContentStream
from .background import BackgroundTask
from .datastructures import URL
from .requests import ClientDisconnect

__all__ = [
    "AsyncContentStream",
    "ClientDisconnect",
    "Content",
    "ContentStream",
    "FileResponse",
    "HTMLResponse",
    "JSONResponse",
    "MalformedRangeHeader",
    "PlainTextResponse",
    "RangeNotSatisfiable",
    "RedirectResponse",
    "Response",
    "StreamingResponse",
    "SyncContentStream",
]


class HTMLResponse(Response):
    """A response whose content is HTML, which it does not look at: what comes from outside, escape first."""

    media_type = "text/html"


class PlainTextResponse(Response):
    """A response whose content is plain text."""

    media_type = "text/plain"


class JSONResponse(Response):
    """A response whose content becomes JSON, compact and in UTF-8.

    Raises:
        TypeError: something in the content has no JSON.
        ValueError: a number is infinite or not a number, which JSON does not have.
    """

    media_type = "application/json"

    def __init__(
        self,
        content: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(content, status_code, headers, media_type, background)

    def render(self, content: Any) -> bytes:
        return to_json(content).encode()


class RedirectResponse(Response):
    """A response that sends the client to another URL."""

    def __init__(
        self,
        url: str | URL,
        status_code: int = 307,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(b"", status_code, headers, background=background)
        text = str(url)
        location = text if _IS_QUOTED.fullmatch(text) else quote(text, safe=_URL_SIGNS)
        if headers:
            self.headers["location"] = location
        else:
            self.raw_headers.append(encode_header("location", location))


# What `quote` leaves alone in a URL: the delimiters of RFC 3986 (2.2) and "%", for it may be quoted already.
_URL_SIGNS: Final = ":/%#?=@[]!$&'()*+,;"
_IS_QUOTED: Final = re.compile(rf"[\w.~\-{re.escape(_URL_SIGNS)}]*", re.ASCII)
