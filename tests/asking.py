"""An `App` asked once, what it answers, and a layer to be put around it."""

import json
from collections.abc import Callable
from typing import Any

from playground import App
from playground.asgi import ASGIApp, Receive, Scope, Send
from tests.web.exchange import Exchange, call


def ask(handler: Callable[..., Any], query: str = "", path: str = "/x", template: str = "/x") -> Exchange:
    """The answer of an app that has this handler alone."""
    app = App()
    app.get(template)(handler)
    return call(app, path, query_string=query.encode())


def problem_of(answer: Exchange) -> tuple[int, list[Any]]:
    return answer.status, json.loads(answer.body)["detail"]


class Layer:
    """Middleware that adds a word to the path's query."""

    def __init__(self, app: ASGIApp, word: str = "layer") -> None:
        self.app, self.word = app, word

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["words"] = [*scope.get("words", []), self.word]
        await self.app(scope, receive, send)
