"""Apps at the far end of a websocket."""

from collections.abc import Awaitable, Callable

from playground.asgi import ASGIApp, Message, Receive, Scope, Send

ACCEPT: Message = {"type": "websocket.accept"}
GONE = "websocket.disconnect"


def text(data: str) -> Message:
    return {"type": "websocket.send", "text": data}


def app_of(handler: Callable[[Receive, Send], Awaitable[object]], *first: Message) -> ASGIApp:
    """An app that sends `first` as soon as it is asked, and goes on with `handler`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert await receive() == {"type": "websocket.connect"}
        for message in first:
            await send(message)
        await handler(receive, send)

    return app


async def nothing(receive: Receive, send: Send) -> None:
    pass


async def until_gone(receive: Receive, send: Send) -> Message:
    while (message := await receive())["type"] != GONE:
        pass
    return message


async def echo(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != GONE:
        await send({**message, "type": "websocket.send"})
