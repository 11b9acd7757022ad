"""What an app does wrong, and how its lifespan fails, as a test client tells of it."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from playground.asgi import Message, Receive, Scope, Send
from playground.errors import LifespanError, ProtocolError
from playground.web.applications import Starlette
from playground.web.requests import Request
from playground.web.responses import JSONResponse, Response
from playground.web.routing import Route
from tests.transport.helpers import body
from tests.web.tested import START, app_that_sends

# What an app does wrong.


@pytest.mark.parametrize("first", [(), (START,), (START, body(b"a", more=True)), (START, body(b"a"))])
def test_what_the_app_raises_is_raised_in_the_test_or_ends_the_response(client_of: Any, first: Any) -> None:
    app = app_that_sends(*first, error=ValueError("broken"))
    with pytest.raises(ValueError, match=r"^broken$"):
        client_of(app).get("/")
    response = client_of(app, raise_server_exceptions=False).get("/")
    assert (response.status_code, response.content) == (200 if first else 500, b"a" if len(first) > 1 else b"")


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (
            [],
            (
                "TestClient did not receive any response. GET /: expected `http.response.start`, but the app returned "
                "without sending one. Send a response in every branch of the app."
            ),
        ),
        (
            [body()],
            (
                'Received "http.response.body" without "http.response.start". GET /: expected `http.response.start`, '
                "but the app sent `http.response.body`. Send the status and the headers first, then the body."
            ),
        ),
        (
            [START, START],
            (
                'Received multiple "http.response.start" messages. GET /: expected `http.response.body`, but the '
                "app sent `http.response.start`. Send the status and the headers once, then only the body."
            ),
        ),
        (
            [START, body(b"a"), body()],
            (
                'Received "http.response.body" after response completed. GET /: expected nothing more, but the app '
                "sent `http.response.body`. A body message without `more_body=True` ends the response; "
                "send nothing after it."
            ),
        ),
    ],
)
def test_a_message_out_of_turn_fails_in_starlettes_words_and_ours(
    client_of: Any, messages: list[Message], words: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        client_of(app_that_sends(*messages)).get("/")
    assert isinstance(caught.value, ProtocolError)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    "messages",
    [
        [START, {"type": "of.another.world"}, body(b"a")],
        [{**START, "headers": [(b"content-length", b"9")]}, body(b"a")],
        [{**START, "status": 204}, body(b"a")],
        [START, body(b"a", more=True)],
        [{**START, "trailers": True}, body(b"a")],
    ],
)
def test_what_starlettes_client_forgives_is_forgiven(client_of: Any, messages: list[Message]) -> None:
    assert client_of(app_that_sends(*messages)).get("/").content == b"a"


def test_trailers_and_debug_information_are_on_the_response(client_of: Any) -> None:
    trailer = {"type": "http.response.trailers", "headers": [(b"x", b"1")]}
    debug = {"type": "http.response.debug", "info": {"template": "t", "context": {"a": 1}}}
    response = client_of(app_that_sends({**START, "trailers": True}, debug, body(b"a"), trailer)).get("/")
    assert response.extensions["http.response.trailers"] == [(b"x", b"1")]
    assert response.extensions["http.response.debug"] == debug["info"]
    assert (response.template, response.context) == ("t", {"a": 1})
    plain = client_of(app_that_sends(START, body())).get("/")
    assert "http.response.trailers" not in plain.extensions


# The lifespan.


def test_a_block_runs_the_lifespan_and_keeps_one_loop(client_of: Any) -> None:
    seen: list[Any] = []

    @asynccontextmanager
    async def of_app(app: Any) -> AsyncIterator[dict[str, Any]]:
        seen.append(threading.current_thread())
        yield {"db": 1}
        seen.append(threading.current_thread())

    async def home(request: Request[Any]) -> Response:
        seen.append(threading.current_thread())
        return JSONResponse(request.state.db)

    client = client_of(Starlette(routes=[Route("/", home)], lifespan=of_app))
    for _ in range(2):  # a client may be entered again
        seen.clear()
        with client:
            assert client.app_state == {"db": 1}
            assert client.get("/").json() == 1
        assert len(seen) == 3
        assert len(set(seen)) == 1
    assert client.portal is None


def test_a_lifespan_that_fails_raises_what_the_app_raised(client_of: Any) -> None:
    @asynccontextmanager
    async def of_app(app: Any) -> AsyncIterator[None]:
        if app is not None:
            raise ValueError("no database")
        yield

    with pytest.raises(ValueError, match=r"^no database$"), client_of(Starlette(lifespan=of_app)):
        pytest.fail("it was never up")


def test_a_lifespan_that_only_says_that_it_fails_is_a_named_error(client_of: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(LifespanError) as caught, client_of(app):
        pytest.fail("it was never up")
    assert str(caught.value) == "lifespan: expected the app's startup to succeed, but it failed: no database"
