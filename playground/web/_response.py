"""The plain response: a status, headers and a body that is at hand, and how they are sent.

It decides all that it sends when it is made. Most responses are alike (status 200, no headers of their own, a
short body in UTF-8), so the two headers that those have are taken from tables instead of being written
again. It refuses to know which request it answers, beyond what the protocol needs.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

from playground.asgi import Receive, Scope, Send
from playground.errors import HandlerError

from ._headers import MutableHeaders, RawHeaders, encode_header, encode_headers
from ._responding import denial
from ._set_cookie import set_cookie_header
from .background import BackgroundTask

__all__ = ["Content", "Response", "SameSite", "as_bytes_view", "content_type"]

Content = str | bytes | memoryview
SameSite = Literal["lax", "strict", "none"] | None

# `content-length` of every short body: 4,096 headers take 0.4 MB, and 1 ms to make. (The number stands below as
# a literal, for a name would be looked up for every response.)
_LENGTHS: Final = tuple((b"content-length", b"%d" % length) for length in range(4096))

_USUAL: Final = frozenset({b"content-length", b"content-type"})

# `content-type` by media type, in UTF-8. An app's types are few; the limit is for those made from requests.
_TYPES: Final[dict[str, tuple[bytes, bytes]]] = {}
_MOST_TYPES: Final = 256


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
    background: BackgroundTask | None
    raw_headers: RawHeaders

    _headers: MutableHeaders | None = None
    _encodes_plainly: ClassVar[bool] = True  # `render` makes UTF-8 of a text
    _has_usual_headers: ClassVar[bool] = True  # `init_headers` does what it does here, in UTF-8

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        is_utf8 = cls.charset == "utf-8"
        cls._encodes_plainly = is_utf8 and cls.render is Response.render
        cls._has_usual_headers = is_utf8 and cls.init_headers is Response.init_headers

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        # All in one function, for each call would take a tenth of the time that making a response takes.
        self.status_code = status_code
        self.background = background
        if media_type is not None:
            self.media_type = media_type
        body: bytes | memoryview
        kind = type(content)
        if kind is str and self._encodes_plainly:
            self.body = body = content.encode()
        elif kind is bytes and self._encodes_plainly:
            self.body = body = content
        else:
            self.body = body = self.render(content)
        if not self._has_usual_headers or (status_code != 200 and _is_bodiless(status_code)):
            self.init_headers(headers)
            return
        self.raw_headers = raw = []
        if headers is not None:
            for name, value in headers.items():
                raw.append(pair := encode_header(name, value))
                if pair[0] in _USUAL:
                    self.init_headers(headers)
                    return
        length = len(body)
        raw.append(_LENGTHS[length] if length < 4096 else (b"content-length", b"%d" % length))
        media_type = self.media_type
        if media_type is not None:
            raw.append(_TYPES[media_type] if media_type in _TYPES else content_type(media_type, "utf-8"))

    def render(self, content: Any) -> bytes | memoryview:
        """The body as bytes."""
        if content is None:
            return b""
        if isinstance(content, memoryview):
            return as_bytes_view(content)
        if isinstance(content, bytes):
            return content
        try:
            encoded: bytes = content.encode(self.charset)
        except AttributeError:
            raise _wrong_content(self, content) from None
        return encoded

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Make `raw_headers`: those given, and the length and type of the body if they are not among them."""
        raw = encode_headers(headers) if headers else []
        given = [name for name, _ in raw]
        status, body, media_type = self.status_code, getattr(self, "body", None), self.media_type
        if body is not None and b"content-length" not in given and not _is_bodiless(status):
            length = len(body)
            raw.append(_LENGTHS[length] if length < 4096 else (b"content-length", b"%d" % length))
        if media_type is not None and b"content-type" not in given:
            raw.append(content_type(media_type, self.charset))
        self.raw_headers = raw

    @property
    def headers(self) -> MutableHeaders:
        """The headers; what is changed in them is sent."""
        # Made anew if `raw_headers` was given another list meanwhile.
        headers = self._headers
        if headers is None or headers.raw is not self.raw_headers:
            headers = self._headers = MutableHeaders.over(self.raw_headers)
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
            key, value: its name and what it holds; what a cookie cannot hold as it is, is quoted.
            max_age: for how many seconds.
            expires: until when: a moment in UTC, seconds from now, or a text as in the header.
            path, domain: below which paths, and on which host and those below it, the client sends it back.
            secure: only over https.
            httponly: out of reach for the page's scripts.
            samesite: `lax`, `strict` or `none`: whether it goes along with requests that other sites cause.
            partitioned: apart for each top-level site (CHIPS); from Python 3.14.
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


def as_bytes_view(view: memoryview) -> memoryview:
    """A view whose items are its bytes, in a row, so that its length is that of the body."""
    if view.ndim == 1 and view.itemsize == 1 and view.c_contiguous:
        return view
    return view.cast("B") if view.c_contiguous else memoryview(view.tobytes())


def _wrong_content(response: Response, content: object) -> HandlerError:
    return HandlerError(
        f"{type(response).__name__} expects text or bytes as its content, got {type(content).__name__}. "
        "Make a text of it, or return JSONResponse(...), which takes whatever has a form in JSON."
    )


def _is_bodiless(status: int) -> bool:
    """RFC 9110, 8.6: no Content-Length in 1xx and 204; and none that we could know in 304."""
    return status < 200 or status in (204, 304)


def content_type(media_type: str, charset: str) -> tuple[bytes, bytes]:
    """The header that tells a media type, with the charset if it is one of text and does not name its own."""
    if charset == "utf-8":
        known = _TYPES.get(media_type)
        if known is not None:
            return known
    text = media_type
    if text.startswith("text/") and "charset=" not in text.lower():
        text = f"{text}; charset={charset}"
    pair = encode_header("content-type", text)
    if charset == "utf-8" and len(_TYPES) < _MOST_TYPES:
        _TYPES[media_type] = pair
    return pair
