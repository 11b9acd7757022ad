"""The site in Starlette's words, for our toolkit and for Starlette."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from tests.conformance.frameworks import pages
from tests.conformance.servers_kit import Toolkit

__all__ = ["LACKS", "make"]

LACKS: dict[str, str] = {}

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def make(package: str) -> Any:
    """Make the site of `playground.web` or of `starlette`."""
    site = Site(Toolkit(package))
    return site.kit.applications.Starlette(routes=[*site.routes(), *site.sockets()])


class Site:
    """The pages."""

    def __init__(self, kit: Toolkit) -> None:
        self.kit = kit

    def routes(self) -> list[Any]:
        Route = self.kit.routing.Route
        return [
            Route("/hello", self.hello),
            Route("/echo", self.echo, methods=METHODS),
            Route("/numbers/{number:int}", self.parameters),
            Route("/words/{word}", self.parameters),
            Route("/paths/{path:path}", self.parameters),
            Route("/url", self.url),
            Route("/json", self.json, methods=["POST"]),
            Route("/form", self.form, methods=["POST"]),
            Route("/received", self.received, methods=["POST"]),
            Route("/empty", self.empty),
            Route("/large", self.large),
            Route("/stream", self.stream),
            Route("/events", self.events),
            Route("/waiting/{name}", self.waiting),
            Route("/gate/{name}", self.gate),
            Route("/status/{code:int}", self.status),
            Route("/headers", self.headers),
            Route("/latin", self.latin),
            Route("/twice", self.twice),
            Route("/refused", self.refused),
            Route("/error", self.error),
            Route("/redirect/{code:int}", self.redirect, methods=["GET", "POST"]),
            Route("/cookies/set", self.set_cookies),
            Route("/cookies/delete", self.delete_cookie),
            Route("/cookies", self.cookies),
            self.kit.routing.Mount("/static", self.kit.staticfiles.StaticFiles(directory=pages.FOLDER)),
        ]

    async def hello(self, request: Any) -> Any:
        return self.kit.responses.PlainTextResponse(pages.HELLO, headers={"x-mine": "yes"})

    async def echo(self, request: Any) -> Any:
        told = pages.echoed(
            request.method, request.query_params.multi_items(), request.headers.items(), await request.body()
        )
        return self.kit.responses.JSONResponse(told)

    async def parameters(self, request: Any) -> Any:
        return self.kit.responses.JSONResponse(request.path_params)

    async def url(self, request: Any) -> Any:
        return self.kit.responses.JSONResponse({"url": str(request.url)})

    async def json(self, request: Any) -> Any:
        try:
            return self.kit.responses.JSONResponse({"got": await request.json()})
        except json.JSONDecodeError:
            return self.kit.responses.PlainTextResponse("no JSON", 400)

    async def form(self, request: Any) -> Any:
        async with request.form() as form:
            items = form.multi_items()
            fields = [pair for pair in items if isinstance(pair[1], str)]
            files = [
                (name, file.filename, file.content_type, await file.read())
                for name, file in items
                if not isinstance(file, str)
            ]
        return self.kit.responses.JSONResponse(pages.sent(fields, files))

    async def received(self, request: Any) -> Any:
        tally = pages.Tally()
        async for piece in request.stream():
            tally.add(piece)
        return self.kit.responses.JSONResponse(tally.told())

    def empty(self, request: Any) -> Any:
        return self.kit.responses.Response()

    def large(self, request: Any) -> Any:
        return self.kit.responses.Response(pages.LARGE, media_type="application/octet-stream")

    async def stream(self, request: Any) -> Any:
        return self.kit.responses.StreamingResponse(iter(pages.CHUNKS), media_type="application/x-own")

    async def events(self, request: Any) -> Any:
        return self.kit.responses.StreamingResponse(
            iter(pages.EVENTS), headers={"cache-control": "no-store"}, media_type="text/event-stream"
        )

    async def waiting(self, request: Any) -> Any:
        async def events() -> AsyncIterator[str]:
            yield "data: first\n\n"
            yield await asyncio.to_thread(pages.gate, request.path_params["name"])

        return self.kit.responses.StreamingResponse(events(), media_type="text/event-stream")

    async def gate(self, request: Any) -> Any:
        pages.GATES[request.path_params["name"]].set()
        return self.kit.responses.Response()

    async def status(self, request: Any) -> Any:
        return self.kit.responses.Response(status_code=request.path_params["code"])

    async def headers(self, request: Any) -> Any:
        own = {"x-empty": "", "x-spaced": "a  b", "content-type": "application/x-own"}
        return self.kit.responses.Response(b"\x00", headers=own)

    async def latin(self, request: Any) -> Any:
        return self.kit.responses.Response(headers={"x-latin": pages.LATIN})

    async def twice(self, request: Any) -> Any:
        response = self.kit.responses.Response()
        response.headers.append("x-two", "a")
        response.headers.append("x-two", "b")
        return response

    async def refused(self, request: Any) -> Any:
        raise self.kit.exceptions.HTTPException(403, "not for you", headers={"x-why": "me"})

    async def error(self, request: Any) -> Any:
        pages.fail()

    async def redirect(self, request: Any) -> Any:
        return self.kit.responses.RedirectResponse(pages.MOVED, request.path_params["code"])

    async def set_cookies(self, request: Any) -> Any:
        response = self.kit.responses.Response()
        response.set_cookie("a", "one", httponly=True, samesite="strict")
        response.set_cookie("b", "two words", path="/cookies")
        return response

    async def delete_cookie(self, request: Any) -> Any:
        response = self.kit.responses.Response()
        response.delete_cookie("a")
        return response

    async def cookies(self, request: Any) -> Any:
        return self.kit.responses.JSONResponse(request.cookies)

    def sockets(self) -> list[Any]:
        Route = self.kit.routing.WebSocketRoute
        return [
            Route("/ws/echo", self.ws_echo),
            Route("/ws/json", self.ws_json),
            Route("/ws/words/{word}", self.ws_words),
            Route("/ws/chosen", self.ws_chosen),
            Route("/ws/three", self.ws_three),
            Route("/ws/over", self.ws_over),
            Route("/ws/denied", self.ws_denied),
        ]

    async def ws_echo(self, websocket: Any) -> None:
        await websocket.accept()
        while (message := await websocket.receive())["type"] == "websocket.receive":
            text = message.get("text")
            await (websocket.send_bytes(message["bytes"]) if text is None else websocket.send_text(text))

    async def ws_json(self, websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_json({"got": await websocket.receive_json()})

    async def ws_words(self, websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_json({**websocket.path_params, "q": websocket.query_params["q"]})

    async def ws_chosen(self, websocket: Any) -> None:
        await websocket.accept(subprotocol=websocket.scope["subprotocols"][1], headers=[(b"x-mine", b"yes")])
        await websocket.close()

    async def ws_three(self, websocket: Any) -> None:
        await websocket.accept()
        for number in "123":
            await websocket.send_text(number)
        await websocket.close()

    async def ws_over(self, websocket: Any) -> None:
        await websocket.accept()
        await websocket.close(4001, "that was all")

    async def ws_denied(self, websocket: Any) -> None:
        response = self.kit.responses.PlainTextResponse("closed on Mondays", 451, headers={"x-mine": "no"})
        await websocket.send_denial_response(response)
