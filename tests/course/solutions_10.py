"""Reference solutions of lesson 10, to be pasted into its notebook."""

import asyncio
import time

from playground import App
from playground.asgi import Receive, Scope, Send
from tests.course.answers import Given


def three_handlers() -> App:
    app = App()

    @app.get("/wait")
    async def wait() -> str:
        await asyncio.sleep(0.1)
        return "waited"

    @app.get("/file")
    def file() -> str:
        time.sleep(0.1)
        return "read"

    @app.get("/sum")
    async def add() -> str:
        return str(1 + 1)

    return app


async def greeting(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


SOLUTIONS: dict[str, Given] = {
    "10.1": lambda: (three_handlers(),),
    "10.2": lambda: (greeting,),
    "10.3": lambda: (echo,),
}
