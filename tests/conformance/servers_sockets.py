"""The pages of the site that answer websockets; see `servers_app`."""

from typing import Any

from tests.conformance.servers_kit import Notes, Toolkit

__all__ = ["Sockets"]


class Sockets:
    """The pages that answer websockets."""

    def __init__(self, kit: Toolkit, notes: Notes) -> None:
        self.kit = kit
        self.notes = notes

    def routes(self) -> list[Any]:
        Route = self.kit.routing.WebSocketRoute
        return [
            Route("/ws/echo", self.echo),
            Route("/ws/scope/{number:int}", self.scope),
            Route("/ws/chosen", self.chosen),
            Route("/ws/over", self.over),
            Route("/ws/leaving/{name}", self.leaving),
            Route("/ws/denied", self.denied),
            Route("/ws/refused", self.refused),
            Route("/ws/unwanted", self.unwanted),
        ]

    async def echo(self, websocket: Any) -> None:
        await websocket.accept()
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            if message.get("text") is not None:
                await websocket.send_text(message["text"])
            else:
                await websocket.send_bytes(message["bytes"])

    async def scope(self, websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_json(
            {
                "path": websocket.scope["path"],
                "query": websocket.query_params.multi_items(),
                "path_params": websocket.path_params,
                "header": websocket.headers["x-mine"],
                "greeting": websocket.state.greeting,
                "heard": await websocket.receive_json(),
            },
        )
        await websocket.send_json([1, 2], mode="binary")
        await websocket.close()

    async def chosen(self, websocket: Any) -> None:
        await websocket.accept(subprotocol=websocket.scope["subprotocols"][1], headers=[(b"x-mine", b"yes")])
        await websocket.close(1000)

    async def over(self, websocket: Any) -> None:
        await websocket.accept()
        await websocket.close(4001, "that was all")

    async def leaving(self, websocket: Any) -> None:
        await websocket.accept()
        texts = []
        try:
            while True:
                texts.append(await websocket.receive_text())
        except self.kit.websockets.WebSocketDisconnect as end:
            self.notes.say(websocket.path_params["name"], (texts, end.code))

    async def denied(self, websocket: Any) -> None:
        answer = self.kit.responses.JSONResponse({"why": "closed"}, status_code=451, headers={"x-mine": "no"})
        await websocket.send_denial_response(answer)

    async def refused(self, websocket: Any) -> None:
        raise self.kit.exceptions.HTTPException(401, "who are you?")

    async def unwanted(self, websocket: Any) -> None:
        await websocket.close(4003)
