"""Apps in a line or two, for the test clients."""

from typing import Any

from playground.asgi import Message, Receive, Scope, Send
from playground.web.applications import Starlette
from playground.web.responses import PlainTextResponse
from playground.web.routing import WebSocketRoute
from playground.web.websockets import WebSocket

START: Message = {"type": "http.response.start", "status": 200, "headers": []}

MODULES = ("playground.web.testclient", "playground.web._testing")


def app_that_sends(*messages: Message, error: Exception | None = None) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        if error is not None:
            raise error

    return app


async def talk(websocket: WebSocket[Any]) -> None:
    await websocket.accept(subprotocol="b", headers=[(b"x-b", b"2")])
    async for data in websocket.iter_text():
        await websocket.send_text(f"you said {data}")


async def refuse(websocket: WebSocket[Any]) -> None:
    await websocket.send_denial_response(PlainTextResponse("not you", status_code=403))


async def close(websocket: WebSocket[Any]) -> None:
    await websocket.accept()
    await websocket.close(4001, "enough")


SOCKETS = Starlette(
    routes=[WebSocketRoute("/talk", talk), WebSocketRoute("/refuse", refuse), WebSocketRoute("/close", close)]
)
