"""A small dictionary for each browser, kept by the browser itself in a signed cookie.

It decides when the cookie is read, and when it is sent: only if the session was changed. The signature
keeps a client from changing a session, not from reading it. It refuses to know what is in a session, but
it must have a JSON.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable
from functools import partial
from typing import Any, Literal

try:
    import itsdangerous
except ImportError as error:
    raise ImportError("SessionMiddleware needs the package itsdangerous. Run `pip install itsdangerous`.") from error

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.web.datastructures import Secret
from playground.web.requests import HTTPConnection

from ._start import with_own_headers

__all__ = ["Session", "SessionMiddleware"]


class Session(dict[str, Any]):
    """A session, that knows what was done to it.

    What is changed inside of a value is not noticed; put the value in again.

    Attributes:
        accessed: whether the app has asked for it, so that its answer may depend on it.
        modified: whether it was changed, so that it must be sent.
    """

    accessed = False
    modified = False

    def mark_accessed(self) -> None:
        self.accessed = True

    def mark_modified(self) -> None:
        self.accessed = self.modified = True

    def __setitem__(self, key: str, value: Any) -> None:
        self.mark_modified()
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self.mark_modified()
        super().__delitem__(key)

    def clear(self) -> None:
        if self:
            self.mark_modified()
        super().clear()

    def pop(self, key: str, *args: Any) -> Any:
        if key in self or not args:
            self.mark_modified()
        return super().pop(key, *args)

    def popitem(self) -> tuple[str, Any]:
        self.mark_modified()
        return super().popitem()

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self.mark_modified()
        return super().setdefault(key, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        self.mark_modified()
        super().update(*args, **kwargs)

    def __ior__(self, other: Any, /) -> "Session":  # type: ignore[override,misc]
        self.update(other)
        return self


class SessionMiddleware:
    """Give every request a `session`.

    Args:
        app: the app inside.
        secret_key: what sessions are signed with; a long random text.
        session_cookie: the cookie's name.
        max_age: for how many seconds a session lasts; `None`: as long as the browser runs.
        path: the paths that the cookie is sent to.
        same_site: when the browser may send the cookie along from other sites.
        https_only: whether the cookie is sent over HTTPS alone.
        domain: the domain that the cookie is for, if not only for this host.
        partitioned: whether each site in which this one is embedded gets a session of its own.
    """

    def __init__(
        self,
        app: ASGIApp,
        secret_key: str | Secret,
        session_cookie: str = "session",
        max_age: int | None = 14 * 24 * 60 * 60,
        path: str = "/",
        same_site: Literal["lax", "strict", "none"] = "lax",
        https_only: bool = False,
        domain: str | None = None,
        partitioned: bool = False,
    ) -> None:
        self.app = app
        self.signer = itsdangerous.TimestampSigner(str(secret_key))
        self.session_cookie = session_cookie
        self.max_age = max_age
        self.path = path
        flags = ["httponly", f"samesite={same_site}"]
        flags += ["secure"] * https_only
        flags += [f"domain={domain}"] * (domain is not None)
        flags += ["partitioned"] * partitioned
        self.security_flags = "; ".join(flags)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        sent = HTTPConnection(scope).cookies.get(self.session_cookie)
        session = scope["session"] = Session() if sent is None else self._load(sent)
        await self.app(scope, receive, partial(self._send, send, session, bool(session)))

    def _send(self, send: Send, session: Session, was_there: bool, message: Message) -> Awaitable[None]:
        # No coroutine function, for all but one message only pass through.
        if session.accessed and message["type"] == "http.response.start":
            message, headers = with_own_headers(message)
            headers.add_vary_header("Cookie")
            if session.modified and session:
                age = "" if self.max_age is None else f"Max-Age={self.max_age}; "
                headers.append("Set-Cookie", self._cookie(self._dump(session), age))
            elif session.modified and was_there:
                headers.append("Set-Cookie", self._cookie("null", "expires=Thu, 01 Jan 1970 00:00:00 GMT; "))
        return send(message)

    def _cookie(self, value: str, until: str) -> str:
        return f"{self.session_cookie}={value}; path={self.path}; {until}{self.security_flags}"

    def _dump(self, session: Session) -> str:
        return self.signer.sign(b64encode(json.dumps(session).encode("utf-8"))).decode("utf-8")

    def _load(self, cookie: str) -> Session:
        """What a cookie holds; an empty session if it is too old or none of ours."""
        try:
            data = json.loads(b64decode(self.signer.unsign(cookie.encode("utf-8"), max_age=self.max_age)))
        except (itsdangerous.BadSignature, ValueError):
            return Session()
        return Session(data) if isinstance(data, dict) else Session()
