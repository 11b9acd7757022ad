"""Mounts and hosts: what lies below a path or on a host, found by look-up, and its names."""

from typing import Any

import pytest

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import RouteError, UsageError
from playground.web._hosts import parse_host_header
from playground.web._matching import Declared, Matcher
from playground.web._template import parse_template
from playground.web.applications import Starlette
from playground.web.middleware import Middleware
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from playground.web.routing import Host, Match, Mount, NoMatchFound, Route, Router, WebSocketRoute
from playground.web.websockets import WebSocket

from .exchange import call, exactly
from .websocket_script import close, converse


async def where(request: Request[Any]) -> Response:
    """What a request is told of its place."""
    scope = request.scope
    return PlainTextResponse(f"{scope['root_path']}|{scope['path']}|{scope['path_params']}|{request.url_for('where')}")


async def hang_up(websocket: WebSocket[Any]) -> None:
    await websocket.close(reason=websocket.scope["root_path"])


def on(host: str) -> dict[str, Any]:
    return {"headers": [(b"host", host.encode())]}


INSIDE = Router(
    [Route("/where/{x:int}", where, name="place"), Route("/", where, name="where"), WebSocketRoute("/ws", hang_up)]
)


def test_a_mounted_app_sees_its_place_and_its_parameters() -> None:
    app = Router([Mount("/{tenant}", INSIDE, name="t"), Route("/where", where, name="where")])
    assert call(app, "/blue/where/7").text == ("/blue|/blue/where/7|{'tenant': 'blue', 'x': 7}|http://testserver/where")
    assert call(app, "/api/blue/where/7", root_path="/api").text == (
        "/api/blue|/api/blue/where/7|{'tenant': 'blue', 'x': 7}|http://testserver/api/where"
    )
    assert converse(app, path="/blue/ws").sent == [close(reason="/blue")]
    assert converse(app, path="/blue/none").sent == [close()]


@pytest.mark.parametrize("path", ["", "/"])
def test_an_app_may_be_mounted_at_the_root(path: str) -> None:
    app = Router([Mount(path, routes=[Route("/x", where, name="where")])])
    assert call(app, "/x").text == "|/x|{}|http://testserver/x"


def test_a_mount_stands_in_the_declared_order() -> None:
    def answer(word: str) -> ASGIApp:
        return PlainTextResponse(word)

    app = Router(
        [
            Route("/a/first", answer("first")),
            Mount("/a", answer("mount")),
            Route("/a/late", answer("late")),
            Route("/{x:path}", answer("rest")),
        ]
    )
    paths = ["/a/first", "/a/late", "/a/", "/ab"]
    assert [call(app, path).text for path in paths] == ["first", "mount", "mount", "rest"]


def test_a_whole_match_of_a_mount_goes_before_a_partial_one() -> None:
    app = Router([Route("/a/b", where, methods=["POST"]), Mount("/a", PlainTextResponse("mount"))])
    assert call(app, "/a/b").text == "mount"


def test_a_mount_does_not_look_for_others_when_it_has_nothing() -> None:
    app = Router([Mount("/a", routes=[]), Route("/a/b", where)])
    assert call(app, "/a/b").status == 404


def test_a_request_for_the_mount_itself_is_sent_on_to_its_slash() -> None:
    app = Router([Mount("/a", INSIDE)])
    answer = call(app, "/a")
    assert (answer.status, answer.headers["location"]) == (307, "http://testserver/a/")
    assert call(app, "/a/where/7/").headers["location"] == "http://testserver/a/where/7"


def test_the_matched_route_is_in_the_scope() -> None:
    mount = Mount("/a", INSIDE)
    app = Router([mount])
    assert call(app, "/a/where/1").scope["route"] is INSIDE.routes[0]
    assert call(app, "/a/none").scope["route"] is mount


class _Mark:
    """Middleware that leaves its mark on responses."""

    def __init__(self, app: ASGIApp, mark: str) -> None:
        self.app, self.mark = app, mark

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-mark", self.mark.encode()))
            await send(message)

        await self.app(scope, receive, marked)


def test_a_mounts_middleware_goes_around_its_app_and_hides_no_names() -> None:
    mount = Mount("/a", routes=INSIDE.routes, middleware=[Middleware(_Mark, "1"), Middleware(_Mark, "2")])
    app = Router([mount])
    marks = [value for name, value in call(app, "/a/where/1").sent[0]["headers"] if name == b"x-mark"]
    assert marks == [b"2", b"1"]
    assert app.url_path_for("place", x=1) == "/a/where/1"


def test_a_body_may_be_limited_by_route_mount_router_and_app() -> None:
    async def length(request: Request[Any]) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    route = Route("/", length, methods=["POST"])
    tight = Route("/", length, methods=["POST"], max_body_size=2)
    body = [{"type": "http.request", "body": b"1234"}]
    limited: list[ASGIApp] = [
        Router([tight]),
        Router([Mount("", routes=[route], max_body_size=2)]),
        Router([route], max_body_size=2),
        Starlette(routes=[route], max_body_size=2),
        Starlette(routes=[tight], max_body_size=9),
    ]
    assert [call(app, "/", "POST", messages=body).status for app in limited] == [413] * len(limited)
    widened = Starlette(routes=[Route("/", length, methods=["POST"], max_body_size=9)], max_body_size=2)
    assert call(widened, "/", "POST", messages=body).text == "4"


def test_hosts_are_compared_without_port_and_in_any_case() -> None:
    app = Router(
        [
            Host("api.Example.org:3600", PlainTextResponse("api")),
            Host("{sub}.example.org", Router([Route("/", where, name="where")])),
            Host("[::1]", PlainTextResponse("loopback")),
            Route("/", PlainTextResponse("elsewhere")),
        ]
    )
    assert call(app, **on("API.example.ORG:99999")).text == "api"
    assert call(app, **on("A.b.example.org")).text.startswith("|/|{'sub': 'a.b'}|")
    assert call(app, **on("[::1]:80")).text == "loopback"
    for other in ("example.org", "api.example.org:", "api.example.org:x", "api.example.org.", "[:::]", "", "x" * 9999):
        assert call(app, **on(other)).text == "elsewhere"
    assert call(app).text == "elsewhere"


def test_hosts_and_paths_keep_the_declared_order() -> None:
    answers = [PlainTextResponse(word) for word in ("early", "host", "late")]
    app = Router([Route("/early", answers[0]), Host("a.org", answers[1]), Route("/late", answers[2])])
    assert [call(app, path, **on("a.org")).text for path in ("/early", "/late", "/x")] == ["early", "host", "host"]
    assert [call(app, path, **on("b.org")).status for path in ("/early", "/late", "/x")] == [200, 200, 404]


def test_a_look_up_does_not_try_the_other_mounts_and_hosts() -> None:
    mounts = [parse_template(f"/m{i}/{{path:path}}") for i in range(2_000)]
    tails = [parse_template(f"/{{x:path}}/t{i}") for i in range(2_000)]
    prefixed = [parse_template(f"/p{i:04}{{x:path}}") for i in range(2_000)]
    hosts = [parse_template(f"{{x}}.h{i}.org") for i in range(2_000)]
    paths: Matcher[int] = Matcher(map(Declared, range(6_000), [*mounts, *tails, *prefixed]))
    for path in ("/m7/x", "/m1999/x/y", "/x/y/t7", "/t1999", "/p0007", "/p1999/x", "/none/x"):
        assert len(paths.find(path)[0]) <= 1
    by_host: Matcher[int] = Matcher([Declared(rank, host, is_host=True) for rank, host in enumerate(hosts)])
    assert [entry.target for entry in by_host.with_others((), "a.b.h7.org")] == [7]


@pytest.mark.parametrize(
    ("route", "name", "params", "path", "host"),
    [
        (Mount("/m", INSIDE, name="m"), "m:place", {"x": 1}, "/m/where/1", ""),
        (Mount("/m", INSIDE), "place", {"x": 1}, "/m/where/1", ""),
        (Mount("/{t}", INSIDE, name="m"), "m:place", {"x": 1, "t": "a"}, "/a/where/1", ""),
        (Mount("/m", INSIDE, name="m"), "m", {"path": "/css/x.css"}, "/m/css/x.css", ""),
        (Mount("/o", routes=[Mount("/m", INSIDE, name="m")], name="o"), "o:m:where", {}, "/o/m/", ""),
        (Mount("/o", routes=[Mount("/m", INSIDE, name="m")]), "m", {"path": "x"}, "/o/m/x", ""),
        (Host("{t}.org:8", INSIDE, name="h"), "h:place", {"x": 1, "t": "a"}, "/where/1", "a.org:8"),
        (Host("a.org", INSIDE), "where", {}, "/", "a.org"),
        (Host("{t}.org", INSIDE, name="h"), "h", {"path": "/x", "t": "a"}, "/x", "a.org"),
    ],
)
def test_names_are_found_across_the_border(route: Any, name: str, params: Any, path: str, host: str) -> None:
    found = Router([Route("/other", where, name="other"), route]).url_path_for(name, **params)
    assert (found, found.host) == (path, host)


@pytest.mark.parametrize("route", [Mount("/m", INSIDE, name="m"), Host("a.org", INSIDE, name="m")])
@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("place", {"x": 1}),
        ("m:place", {}),
        ("m:none", {}),
        ("m", {}),
        ("m", {"path": "x", "y": 1}),
        ("mm:place", {"x": 1}),
    ],
)
def test_a_name_that_lies_elsewhere_is_not_found(route: Any, name: str, params: dict[str, Any]) -> None:
    expected = f'No route exists for name "{name}" and params "{", ".join(params)}".'
    with pytest.raises(NoMatchFound, match=exactly(expected)):
        Router([route]).url_path_for(name, **params)


def test_routes_may_be_added_to_what_is_mounted_already() -> None:
    inside = Router()
    app = Starlette()
    app.mount("/m", inside, name="m")
    app.host("a.org", inside)
    assert call(app, "/m/where").status == 404
    inside.add_route("/where", where)
    inside.add_websocket_route("/ws", hang_up)
    assert call(app, "/m/where").status == 200
    assert call(app, "/where", **on("a.org")).status == 200
    assert converse(app, path="/m/ws").sent == [close(reason="/m")]
    assert app.url_path_for("m:where") == "/m/where"


def test_an_app_without_routes_has_none_to_show() -> None:
    app = PlainTextResponse("x")
    assert Mount("/m", app).routes == []
    assert Host("a.org", app).routes == []
    assert Mount("/m", INSIDE).routes is INSIDE.routes


def test_mounts_and_hosts_are_shown_and_compared_by_place_and_app() -> None:
    app = PlainTextResponse("x")
    assert repr(Mount("/m", app, name="n")) == f"Mount(path='/m', name='n', app={app!r})"
    assert repr(Host("a.org", app)) == f"Host(host='a.org', name='', app={app!r})"
    assert Mount("/m/", app) == Mount("/m", app, name="n")
    assert Mount("/m", app) != Mount("/n", app)
    assert Host("a.org", app) == Host("a.org", app, name="n")
    assert Host("a.org", app) != Mount("/m", app)


@pytest.mark.parametrize("route", [Mount("/m", INSIDE), Host("a.org", INSIDE)])
def test_mounts_and_hosts_have_no_lifespan_of_their_own(route: Any) -> None:
    assert route.matches({"type": "lifespan"}) == (Match.NONE, {})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mount("m", INSIDE), "Routed paths must start with '/': got 'm'. Write '/m'."),
        (
            lambda: Mount("/m"),
            (
                "Either 'app=...', or 'routes=' must be specified: Mount('/m') got neither. Write "
                "Mount('/m', routes=[...]) or Mount('/m', app)."
            ),
        ),
        (
            lambda: Host("/m", INSIDE),
            "Host must not start with '/': got '/m'. A path is mounted by Mount('/m', ...).",
        ),
        (
            lambda: Mount("/{path}", INSIDE),
            (
                "Duplicated param name path at path /{path}/{path:path}. Give every parameter "
                "of a path a name of its own."
            ),
        ),
    ],
)
def test_what_cannot_be_mounted_is_refused_in_words(make: Any, message: str) -> None:
    with pytest.raises((RouteError, UsageError), match=exactly(message)):
        make()


def test_a_number_that_is_too_long_for_python_is_not_found() -> None:
    # Else a path of 5,000 digits would be a ValueError, and a 500.
    app = Router([Route("/n/{x:int}", where), Route("/a{x:int}b", where)])
    assert call(app, "/n/" + "9" * 5_000).status == 404
    assert call(app, f"/a{'9' * 5_000}b").status == 404
    assert Route("/n/{x:int}", where).matches({"type": "http", "path": "/n/" + "9" * 5_000})[0] is Match.NONE


def test_a_host_header_is_taken_apart() -> None:
    parsed = parse_host_header("[::1]:0080")
    assert parsed is not None
    assert (parsed.host, parsed.port, parsed.authority, parsed.is_valid_port) == ("[::1]", "0080", "[::1]:0080", True)
    too_far = parse_host_header("a.org:65536")
    assert too_far is not None
    assert not too_far.is_valid_port
    assert [parse_host_header(text) for text in (None, "", "a b", "a:1:2", "::1", "é.org")] == [None] * 6
