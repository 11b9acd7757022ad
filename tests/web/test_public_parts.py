"""Parts of the toolkit that its own code goes round for speed, or leaves to subclasses, do what their names say."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from playground.asgi import Receive, Scope, Send
from playground.web import status
from playground.web._base_route import BaseRoute
from playground.web._exception_handler import HANDLERS_KEY, wrap_app_handling_exceptions
from playground.web.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    BaseUser,
    SimpleUser,
    UnauthenticatedUser,
    requires,
)
from playground.web.convertors import Convertor
from playground.web.datastructures import Headers, QueryParams
from playground.web.exceptions import StarletteDeprecationWarning
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, RedirectResponse, Response
from playground.web.routing import Host, Match, Mount
from playground.web.schemas import OpenAPIResponse
from playground.web.websockets import WebSocket

from .exchange import call, exactly, http_scope
from .websocket_script import ACCEPT, close, converse

SITE = PlainTextResponse("the site's")


async def idle(*args: Any) -> None:
    """A `receive` and a `send` that nobody asks."""


class Plain(BaseRoute, BaseUser, AuthenticationBackend, Convertor[str]):
    """What subclasses are to define, left out."""


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        (
            lambda plain: asyncio.run(plain.handle({}, idle, idle)),
            "must define handle(scope, receive, send).",
        ),
        (lambda plain: asyncio.run(plain.authenticate(None)), "has no authenticate: define it in the class."),
        (lambda plain: plain.is_authenticated, "has no is_authenticated: define it in the class."),
        (lambda plain: plain.display_name, "has no display_name: define it in the class."),
        (lambda plain: plain.identity, "has no identity: define it in the class."),
        (lambda plain: plain.convert("1"), "must define convert(value)."),
        (lambda plain: plain.to_string(1), "must define to_string(value)."),
    ],
)
def test_what_a_subclass_left_out_is_named(left_out: Callable[[Plain], object], words: str) -> None:
    with pytest.raises(NotImplementedError, match=exactly(f"Plain {words}")):
        left_out(Plain())


def test_users_say_who_they_are() -> None:
    ada, nobody = SimpleUser("ada"), UnauthenticatedUser()
    assert (ada.is_authenticated, ada.display_name, ada.identity) == (True, "ada", "ada")
    assert (nobody.is_authenticated, nobody.display_name, nobody.identity) == (False, "", "")


@pytest.mark.parametrize(("scopes", "sent"), [(["talk"], [ACCEPT, close()]), ([], [close()])])
def test_a_websocket_without_the_permission_is_closed_unopened(scopes: list[str], sent: list[Any]) -> None:
    @requires("talk")
    async def talks(websocket: WebSocket[Any]) -> None:
        await websocket.accept()
        await websocket.close()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await talks(WebSocket(scope, receive, send))

    heard = converse(app, auth=AuthCredentials(scopes)).sent
    assert [message["type"] for message in heard] == [message["type"] for message in sent]


def test_an_app_may_be_wrapped_so_that_the_handlers_in_the_scope_answer() -> None:
    async def raises(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("x") if scope["path"] == "/known" else ValueError("y")

    async def answers(request: Request[Any], error: Exception) -> Response:
        return PlainTextResponse(f"{error!r} at {request.url.path}", 418)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope[HANDLERS_KEY] = ({KeyError: answers}, {})
        await wrap_app_handling_exceptions(raises, Request(scope, receive))(scope, receive, send)

    known = call(app, "/known")
    assert (known.status, known.text) == (418, "KeyError('x') at /known")
    with pytest.raises(ValueError, match=exactly("y")):
        raise call(app, "/unknown").error or AssertionError("expected an error, got an answer")


def test_a_border_matches_by_itself_as_its_router_does() -> None:
    mount, host = Mount("/{tenant}/files", SITE), Host("{tenant}.example.org", SITE)
    match, inner = mount.matches(http_scope("/ada/files/a/b"))
    assert (match, inner["path_params"], inner["root_path"]) == (Match.FULL, {"tenant": "ada"}, "/ada/files")
    assert mount.matches(http_scope("/ada/pictures/a")) == (Match.NONE, {})
    match, inner = host.matches(http_scope(headers=[(b"host", b"ada.example.org:8000")]))
    assert (match, inner["path_params"]) == (Match.FULL, {"tenant": "ada"})
    assert host.matches(http_scope(headers=[(b"host", b"example.com")])) == (Match.NONE, {})


def test_of_a_repeated_name_each_view_of_a_query_has_the_last_and_each_of_headers_all() -> None:
    query, headers = QueryParams("a=1&b=2&a=3"), Headers(raw=[(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])
    assert (list(query.values()), list(query.items())) == (["3", "2"], [("a", "3"), ("b", "2")])
    assert (headers.values(), headers.items()) == (["1", "2", "3"], [("a", "1"), ("b", "2"), ("a", "3")])


def test_a_redirects_own_place_replaces_one_in_the_headers_it_is_given() -> None:
    answer = call(RedirectResponse("/there", headers={"Location": "/elsewhere", "x-kept": "1"}))
    assert (answer.headers["location"], answer.headers["x-kept"]) == ("/there", "1")


def test_an_old_name_of_a_status_warns_with_the_new_one_and_is_listed() -> None:
    with pytest.warns(
        StarletteDeprecationWarning,
        match=exactly("'HTTP_422_UNPROCESSABLE_ENTITY' is deprecated. Use 'HTTP_422_UNPROCESSABLE_CONTENT' instead."),
    ):
        assert status.HTTP_422_UNPROCESSABLE_ENTITY == 422
    assert {"HTTP_422_UNPROCESSABLE_ENTITY", "HTTP_200_OK"} <= set(dir(status))
    with pytest.raises(AttributeError, match=exactly("module 'playground.web.status' has no attribute 'HTTP_299'")):
        _ = status.HTTP_299


def test_a_schema_without_yaml_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    words = "`pyyaml` must be installed to use schemas: `pip install pyyaml`."
    with pytest.raises(RuntimeError, match=exactly(words)):
        OpenAPIResponse({"openapi": "3.0.0"})


def test_closing_a_request_closes_the_form_that_was_read() -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\nhello\r\n--b--\r\n'
    files: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.close()  # nothing to do yet
        files.append((await request.form())["f"])
        assert not files[0].file.closed
        await request.close()
        await PlainTextResponse("read")(scope, receive, send)

    kind = [(b"content-type", b"multipart/form-data; boundary=b")]
    message = {"type": "http.request", "body": body, "more_body": False}
    assert call(app, "/", "POST", headers=kind, messages=[message]).text == "read"
    assert files[0].file.closed
