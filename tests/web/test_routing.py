"""Which route answers, what it leaves in the scope, and what is said when none does."""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import UsageError
from playground.web.applications import Starlette
from playground.web.datastructures import URLPath
from playground.web.middleware import Middleware
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from playground.web.routing import NoMatchFound, Route, Router, compile_path, get_name, replace_params
from tests.web.places import ROUTES, EveryMethod, blocking, home, item

from .exchange import call, call_scope, exactly, http_scope


@pytest.mark.parametrize("make", [Router, lambda routes: Starlette(routes=routes)])
@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/", 200, "home"),
        ("HEAD", "/", 200, "home"),
        ("GET", "/items/7", 200, "item 7"),
        ("PUT", "/items/7", 200, "item '7'"),
        ("PATCH", "/items/seven", 200, "item 'seven'"),
        ("GET", "/blocking/", 200, "blocking"),
        ("QUERY", "/every", 200, "QUERY"),
        ("GET", "/nowhere", 404, "Not Found"),
        ("DELETE", "/items/7", 405, "Method Not Allowed"),
        ("GET", "/items/seven", 405, "Method Not Allowed"),
    ],
)
def test_the_first_route_that_matches_answers(
    make: Callable[[list[Route]], ASGIApp], method: str, path: str, status: int, text: str
) -> None:
    answer = call(make(ROUTES), path, method)
    assert answer.error is None
    assert (answer.status, answer.text) == (status, text)


@pytest.mark.parametrize("make", [Router, lambda routes: Starlette(routes=routes)])
def test_405_names_the_methods_of_the_first_route_that_matches_in_part(make: Any) -> None:
    assert call(make(ROUTES), "/items/7", "DELETE").headers["allow"] == "GET, HEAD"
    assert call(make(ROUTES), "/items/seven", "GET").headers["allow"] == "PATCH, PUT"


def test_the_scope_tells_which_route_answered() -> None:
    router = Router(ROUTES)
    scope = call(router, "/items/7", path_params={"outer": 1}).scope
    assert scope["route"] is ROUTES[1]
    assert scope["endpoint"] is item
    assert scope["path_params"] == {"outer": 1, "key": 7}
    assert scope["router"] is router
    assert call(router, "/items/7", "DELETE").scope["route"] is ROUTES[1]
    assert "route" not in call(router, "/nowhere").scope


@pytest.mark.parametrize(
    ("path", "root_path", "query", "location"),
    [
        ("/blocking", "", b"", "http://testserver/blocking/"),
        ("/items/7/", "", b"", "http://testserver/items/7"),
        ("/items/7/", "", b"a=1", "http://testserver/items/7?a=1"),
        ("/api/blocking", "/api", b"", "http://testserver/api/blocking/"),
    ],
)
def test_a_slash_too_many_or_too_few_is_redirected(path: str, root_path: str, query: bytes, location: str) -> None:
    answer = call(Router(ROUTES), path, root_path=root_path, query_string=query)
    assert (answer.status, answer.headers["location"]) == (307, location)
    assert "route" not in answer.scope


def test_redirects_can_be_switched_off() -> None:
    assert call(Router(ROUTES, redirect_slashes=False), "/blocking").status == 404


@pytest.mark.parametrize(
    ("path", "status"), [("/api/items/7", 200), ("/items/7", 200), ("/apis/items/7", 404), ("/api", 307)]
)
def test_the_path_below_the_root_path_is_matched(path: str, status: int) -> None:
    assert call(Router(ROUTES), path, root_path="/api").status == status


def test_a_change_to_the_routes_counts_from_the_next_request_on() -> None:
    router = Router()
    assert call(router, "/").status == 404
    router.routes.append(Route("/", home))
    assert call(router, "/").text == "home"
    router.routes.insert(0, Route("/", blocking))
    assert call(router, "/").text == "blocking"
    del router.routes[0]
    assert call(router, "/").text == "home"
    router.routes[0] = Route("/", blocking)
    assert call(router, "/").text == "blocking"
    router.routes = [Route("/", home)]
    assert call(router, "/").text == "home"
    router.routes.clear()
    assert call(router, "/").status == 404
    router.add_route("/new/{key}", item, methods=["POST"], name="new")
    assert call(router, "/new/a", "POST").text == "item 'a'"


def test_a_default_answers_what_no_route_matches() -> None:
    answer = call(Router(ROUTES, default=PlainTextResponse("elsewhere", 410)), "/nowhere")
    assert (answer.status, answer.text) == (410, "elsewhere")


def test_a_websocket_that_no_route_takes_is_closed() -> None:
    scope = {**http_scope("/"), "type": "websocket"}
    expected = [{"type": "websocket.close", "code": 1000, "reason": ""}]
    assert call_scope(Router(ROUTES), dict(scope)).sent == expected
    assert call_scope(Starlette(routes=ROUTES), dict(scope)).sent == expected


def test_a_scope_of_an_unknown_type_is_refused() -> None:
    error = call_scope(Router(), {"type": "carrier-pigeon"}).error
    assert isinstance(error, UsageError)
    assert str(error) == "Expected a scope of type 'http', 'websocket' or 'lifespan', got 'carrier-pigeon'."


def test_a_route_answers_as_an_app_of_its_own() -> None:
    assert call(ROUTES[1], "/items/7").text == "item 7"
    assert call(ROUTES[1], "/elsewhere").status == 404
    assert call(ROUTES[1], "/items/7", "POST").headers["allow"] == "GET, HEAD"


def test_methods_are_upper_case_and_get_brings_head() -> None:
    assert Route("/", home).methods == {"GET", "HEAD"}
    assert Route("/", home, methods=["post", "Get"]).methods == {"POST", "GET", "HEAD"}
    assert Route("/", home, methods=["delete"]).methods == {"DELETE"}
    assert Route("/", EveryMethod).methods is None


def test_a_route_is_shown_by_path_name_and_methods() -> None:
    assert repr(Route("/x", home, methods=["POST", "GET"])) == (
        "Route(path='/x', name='home', methods=['GET', 'HEAD', 'POST'])"
    )


def test_routes_are_equal_if_path_endpoint_and_methods_are() -> None:
    assert Route("/", home) == Route("/", home, name="other")
    assert Route("/", home) != Route("/", blocking)
    assert Route("/", home) != Route("/", home, methods=["POST"])
    assert Router(ROUTES) == Router(list(ROUTES))
    assert Router(ROUTES) != Router([])


def test_an_endpoint_names_its_route() -> None:
    assert get_name(home) == "home"
    assert get_name(EveryMethod) == "EveryMethod"
    assert get_name(partial(home)) == "partial"


def test_methods_and_partials_are_endpoints_as_functions_are() -> None:
    class Shop:
        async def open(self, request: Request[Any]) -> Response:
            return PlainTextResponse("open")

        def shut(self, request: Request[Any]) -> Response:
            return PlainTextResponse("shut")

    async def greet(greeting: str, request: Request[Any]) -> Response:
        return PlainTextResponse(greeting)

    endpoints: list[Callable[..., Awaitable[Response] | Response]] = [
        Shop().open,
        Shop().shut,
        partial(greet, "hello"),
    ]
    assert [call(Route("/", endpoint), "/").text for endpoint in endpoints] == ["open", "shut", "hello"]


@pytest.mark.parametrize(
    ("name", "params", "path"),
    [
        ("home", {}, "/"),
        ("item", {"key": 7}, "/items/7"),
        ("blocking", {}, "/blocking/"),
    ],
)
def test_a_path_is_made_from_a_name(name: str, params: dict[str, Any], path: str) -> None:
    made = Router(ROUTES).url_path_for(name, **params)
    assert (made, made.protocol, made.host) == (path, "http", "")
    assert Starlette(routes=ROUTES).url_path_for(name, **params) == path


@pytest.mark.parametrize(("name", "params"), [("nobody", {}), ("item", {}), ("item", {"key": 1, "more": 2})])
def test_a_name_with_other_parameters_is_not_found(name: str, params: dict[str, Any]) -> None:
    expected = f'No route exists for name "{name}" and params "{", ".join(params)}".'
    with pytest.raises(NoMatchFound, match=exactly(expected)):
        Router(ROUTES).url_path_for(name, **params)


def test_a_name_is_looked_up_in_the_routes_as_they_are_now() -> None:
    router = Router([Route("/old", home)])
    assert router.url_path_for("home") == "/old"
    router.routes.insert(0, Route("/new", home))
    assert router.url_path_for("home") == "/new"
    assert call(router, "/new").text == "home"
    router.routes[0].name = "renamed"  # type: ignore[attr-defined]
    assert router.url_path_for("renamed") == "/new"
    router.routes.clear()
    with pytest.raises(NoMatchFound):
        router.url_path_for("home")


def test_a_route_that_finds_names_in_its_own_way_keeps_its_place() -> None:
    class Knowing(Route):
        def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
            return URLPath("/any")

    router = Router([Route("/first", home, name="a"), Knowing("/x", home), Route("/last", home, name="b")])
    assert [router.url_path_for(name) for name in ("a", "b", "c")] == ["/first", "/any", "/any"]


def test_url_for_gives_the_whole_url() -> None:
    async def link(request: Request[Any]) -> Response:
        return PlainTextResponse(str(request.url_for("item", key=7)))

    routes = [*ROUTES, Route("/link", link)]
    assert call(Router(routes), "/link").text == "http://testserver/items/7"
    assert call(Starlette(routes=routes), "/api/link", root_path="/api").text == "http://testserver/api/items/7"


def test_a_value_that_looks_like_a_parameter_is_not_filled_again() -> None:
    _, path_format, convertors = compile_path("/{a}/{b}")
    assert replace_params(path_format, convertors, {"a": "{b}", "b": "x", "c": 1}) == ("/{b}/x", {"c": 1})


def test_a_made_path_never_leads_to_another_host() -> None:
    router = Router([Route("/{rest:path}", home, name="rest")])
    assert router.url_path_for("rest", rest="/example.org/a") == "/%2Fexample.org/a"
    assert router.url_path_for("rest", rest="\\example.org") == "/%5Cexample.org"


def test_a_path_is_compiled_to_expression_format_and_convertors() -> None:
    regex, path_format, convertors = compile_path("/a-{x:int}.json")
    assert regex.pattern == r"^/a\-(?P<x>[0-9]+)\.json$"
    assert path_format == "/a-{x}.json"
    assert list(convertors) == ["x"]
    route = Route("/a-{x:int}.json", home)
    assert (route.path_regex, route.path_format, route.param_convertors) == (regex, path_format, convertors)


def test_a_host_is_compiled_without_its_port_and_in_any_case() -> None:
    regex, path_format, _ = compile_path("{sub}.example.org:8000")
    assert regex == re.compile(r"^(?P<sub>[^/]+)\.example\.org$", re.IGNORECASE)
    assert path_format == "{sub}.example.org:8000"


class _Shout:
    """Middleware that answers in capitals, so that its place can be seen."""

    def __init__(self, app: ASGIApp, mark: str = "!") -> None:
        self.app, self.mark = app, mark

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def shout(message: Any) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": message["body"] + self.mark.encode()}
            await send(message)

        await self.app(scope, receive, shout)


def test_a_routes_and_a_routers_middleware_go_around_it_outermost_first() -> None:
    layers = [Middleware(_Shout, "1"), Middleware(_Shout, mark="2")]
    assert call(Route("/", home, middleware=layers), "/").text == "home21"
    assert call(Router([Route("/", home)], middleware=layers), "/").text == "home21"
