"""What CORS adds to Starlette's; that it says the same otherwise is held in `tests/conformance`."""

from playground.asgi import Message, Receive, Scope, Send
from playground.web.applications import Starlette
from playground.web.middleware import Middleware
from playground.web.middleware.cors import CORSMiddleware
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse
from playground.web.routing import Route
from tests.web.exchange import call

ORIGIN = [(b"origin", b"https://a.org")]


def fail(request: Request) -> PlainTextResponse:
    raise ValueError("unforeseen")


def test_a_500_has_the_headers_too() -> None:
    cors = Middleware(CORSMiddleware, allow_origins=["https://a.org"])
    app = Starlette(routes=[Route("/", fail)], middleware=[cors])
    exchange = call(app, headers=ORIGIN)
    assert exchange.status == 500
    assert exchange.headers["access-control-allow-origin"] == "https://a.org"
    assert exchange.headers["vary"] == "Origin"
    assert repr(exchange.error) == "ValueError('unforeseen')"


def test_a_500_has_none_for_a_page_that_is_not_allowed() -> None:
    cors = Middleware(CORSMiddleware, allow_origins=["https://b.org"])
    app = Starlette(routes=[Route("/", fail)], middleware=[cors], debug=True)
    assert "access-control-allow-origin" not in call(app, headers=ORIGIN).headers


def test_an_apps_constant_message_is_not_written_into() -> None:
    start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"vary", b"Accept")]}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body"})

    layer = CORSMiddleware(app, allow_origins=["*"])
    first, second = (call(layer, headers=ORIGIN).sent[0] for _ in range(2))
    assert first == second
    assert start["headers"] == [(b"vary", b"Accept")]
