"""Who is asking: found out once for a request, before the app sees it.

It decides where the answer is kept (`scope["auth"]` and `scope["user"]`) and what is sent if the asking
fails. How a user is known is the backend's affair; what users may do, that of `requires` and of the app.
"""

from collections.abc import Callable

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.web.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    UnauthenticatedUser,
)
from playground.web.requests import HTTPConnection
from playground.web.responses import PlainTextResponse, Response

__all__ = ["AuthenticationMiddleware"]


class AuthenticationMiddleware:
    """Ask a backend who a request comes from.

    Args:
        app: the app inside.
        backend: says who; `None` from it means nobody that is known.
        on_error: makes the answer if the backend raises an `AuthenticationError`; without it, a 400 with
            the error's text. A websocket is closed instead.
    """

    def __init__(
        self,
        app: ASGIApp,
        backend: AuthenticationBackend,
        on_error: Callable[[HTTPConnection, AuthenticationError], Response] | None = None,
    ) -> None:
        self.app = app
        self.backend = backend
        self.on_error = on_error or self.default_on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection: HTTPConnection = HTTPConnection(scope)
        try:
            found = await self.backend.authenticate(connection)
        except AuthenticationError as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            else:
                await self.on_error(connection, error)(scope, receive, send)
            return
        scope["auth"], scope["user"] = (AuthCredentials(), UnauthenticatedUser()) if found is None else found
        await self.app(scope, receive, send)

    @staticmethod
    def default_on_error(conn: HTTPConnection, exc: Exception) -> Response:
        return PlainTextResponse(str(exc), status_code=400)
