"""Endpoints and routes, as a small app has them."""

from typing import Any

from playground.asgi import Receive, Scope, Send
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from playground.web.routing import Route


async def home(request: Request[Any]) -> Response:
    return PlainTextResponse("home")


async def item(request: Request[Any]) -> Response:
    return PlainTextResponse(f"item {request.path_params['key']!r}")


def blocking(request: Request[Any]) -> Response:
    return PlainTextResponse("blocking")


class EveryMethod:
    """An endpoint that is an app itself."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self.receive, self.send = scope, receive, send

    def __await__(self) -> Any:
        return PlainTextResponse(self.scope["method"])(self.scope, self.receive, self.send).__await__()


ROUTES = [
    Route("/", home),
    Route("/items/{key:int}", item, name="item"),
    Route("/items/{key}", item, methods=["PUT", "patch"], name="item"),
    Route("/blocking/", blocking),
    Route("/every", EveryMethod),
]
