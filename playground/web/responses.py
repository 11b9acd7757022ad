"""Responses: what a handler answers, and how it is sent.

A response decides its status, headers and body when it is made, and is then an ASGI app that sends them.
It refuses to know which request it answers, beyond what the protocol needs.
"""

from collections.abc import AsyncIterable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, ClassVar, Final, Literal
from urllib.parse import quote

from playground.asgi import Receive, Scope, Send

from ._headers import RawHeaders, encode_header
from ._json import to_json
from ._responding import denial, send_raises_on_disconnect, until_one_ends
from ._set_cookie import set_cookie_header
from .background import BackgroundTask
from .concurrency import iterate_in_threadpool
from .datastructures import URL, MutableHeaders
from .requests import ClientDisconnect

__all__ = [
    "ContentStream",
    "HTMLResponse",
    "JSONResponse",
    "PlainTextResponse",
    "RedirectResponse",
    "Response",
    "StreamingResponse",
]

Content = str | bytes | memoryview
ContentStream = AsyncIterable[Content] | Iterable[Content]
SameSite = Literal["lax", "strict", "none"] | None


class Response:
    """A response whose body is at hand.

    Args:
        content: the body, as text or bytes; `None` for none.
        status_code: the status.
        headers: headers beside `content-length` and `content-type`, or in their place.
        media_type: the type of the body; the class's own if it is not given.
        background: what to run once the response has been sent.
    """

    media_type: str | None = None
    charset: ClassVar[str] = "utf-8"
    body: bytes | memoryview

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self.status_code = status_code
        if media_type is not None:
            self.media_type = media_type
        self.background = background
        self.body = self.render(content)
        self.init_headers(headers)

    def render(self, content: Any) -> bytes | memoryview:
        """The body as bytes."""
        if content is None:
            return b""
        if isinstance(content, (bytes, memoryview)):
            return content
        encoded: bytes = content.encode(self.charset)
        return encoded

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Make `raw_headers`: those given, and the length and type of the body if they are not among them."""
        raw: RawHeaders = []
        given: set[bytes] = set()
        if headers:
            raw = [encode_header(name, value) for name, value in headers.items()]
            given = {name for name, _ in raw}
        body = getattr(self, "body", None)
        if body is not None and b"content-length" not in given and not _is_bodiless(self.status_code):
            raw.append((b"content-length", b"%d" % len(body)))
        media_type = self.media_type
        if media_type is not None and b"content-type" not in given:
            raw.append((b"content-type", _content_type(media_type, self.charset)))
        self.raw_headers = raw

    @property
    def headers(self) -> MutableHeaders:
        """The headers; what is changed in them is sent."""
        # Made anew if `raw_headers` was given another list meanwhile.
        headers: MutableHeaders | None = self.__dict__.get("_headers")
        if headers is None or headers.raw is not self.raw_headers:
            headers = self._headers = MutableHeaders(raw=self.raw_headers)
        return headers

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: int | None = None,
        expires: datetime | str | int | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite = "lax",
        partitioned: bool = False,
    ) -> None:
        """Have the client keep a cookie.

        Args:
            max_age: for how many seconds.
            expires: until when: a moment, seconds from now, or a text as in the header.
        """
        attributes = {
            "max-age": max_age,
            "expires": expires,
            "path": path,
            "domain": domain,
            "secure": secure,
            "httponly": httponly,
            "samesite": samesite,
            "partitioned": partitioned,
        }
        self.raw_headers.append(encode_header("set-cookie", set_cookie_header(key, value, attributes)))

    def delete_cookie(
        self,
        key: str,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite = "lax",
        partitioned: bool = False,
    ) -> None:
        """Have the client forget a cookie: one of this path and domain."""
        self.set_cookie(
            key,
            max_age=0,
            expires=0,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            send = denial(send)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})
        if self.background is not None:
            await self.background()


class HTMLResponse(Response):
    media_type = "text/html"


class PlainTextResponse(Response):
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
        return to_json(content).encode("utf-8")


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
        self.headers["location"] = quote(str(url), safe=_URL_SIGNS)


# What `quote` leaves alone in a URL: the delimiters of RFC 3986 (2.2) and "%", for it may be quoted already.
_URL_SIGNS: Final = ":/%#?=@[]!$&'()*+,;"


def _is_bodiless(status_code: int) -> bool:
    """RFC 9110, 8.6: no Content-Length in 1xx and 204; and none that we could know in 304."""
    return status_code < 200 or status_code in (204, 304)


# The types that one app sends are few; the limit is for those made from requests.
@lru_cache(maxsize=256)
def _content_type(media_type: str, charset: str) -> bytes:
    if media_type.startswith("text/") and "charset=" not in media_type.lower():
        media_type = f"{media_type}; charset={charset}"
    return encode_header("content-type", media_type)[1]


class StreamingResponse(Response):
    """A response whose body is made while it is sent.

    Args:
        content: gives the pieces of the body; if it is not asynchronous, each step is taken in a
            worker thread.
    """

    body_iterator: AsyncIterable[Content]

    def __init__(
        self,
        content: ContentStream,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        if isinstance(content, AsyncIterable):
            self.body_iterator = content
        else:
            self.body_iterator = iterate_in_threadpool(content)
        self.status_code = status_code
        self.media_type = self.media_type if media_type is None else media_type
        self.background = background
        self.init_headers(headers)

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Return once the client has left."""
        while (await receive())["type"] != "http.disconnect":
            pass

    async def stream_response(self, send: Send) -> None:
        """Send the start, the pieces and the end."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in self.body_iterator:
            piece = chunk if isinstance(chunk, bytes | memoryview) else chunk.encode(self.charset)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.stream_response(denial(send))
        elif send_raises_on_disconnect(scope):
            try:
                await self.stream_response(send)
            except OSError as error:
                raise ClientDisconnect from error
        else:
            await until_one_ends(partial(self.stream_response, send), partial(self.listen_for_disconnect, receive))
        if self.background is not None:
            await self.background()
