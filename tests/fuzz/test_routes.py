"""Routes: whatever is declared and asked for, they answer as Starlette's do, and their links lead back to them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

import starlette.routing
from hypothesis import strategies as st
from starlette.requests import Request as StarletteRequest

import playground.web.routing
from playground.errors import RouteError
from playground.transport import http_scope
from playground.web._hosts import parse_host_header
from playground.web._template import parse_template
from playground.web.datastructures import URL
from playground.web.requests import Request
from playground.web.routing import Match, Route
from tests.fuzz.kit import fuzzed, outcome
from tests.web.exchange import call
from tests.web.test_matching import _any_path, _templates

# What a template is made of, whole and broken.
_scraps = st.sampled_from(
    [
        *("/", "{", "}", "{x}", "{y:int}", "{z:path}", "{x:float}", "{u:uuid}", "{x:no}", "{}", "{1}", "{x:}", "{{x}}"),
        *("a", ".", "*", "é", "\n", "\\", "(", "[^/]+", "%20", "{x:int", "$", "^", "?P<x>"),
    ]
)
_texts = st.lists(_scraps, max_size=6).map("".join) | st.text("/{}:xy_intpath.é", max_size=14)


@fuzzed(_texts, _texts | _any_path)
def test_any_text_is_a_template_as_it_is_for_starlette_or_is_refused(text: str, path: str) -> None:
    try:
        regex, form, convertors = starlette.routing.compile_path(text)
    except (AssertionError, ValueError):
        try:
            parse_template(text)
        except RouteError:
            return
        raise
    ours = parse_template(text)
    assert (ours.format, list(ours.convertors)) == (form, list(convertors))
    if not text.startswith("/"):
        return  # a host, which is compared in any case (RFC 9110, 4.2.3), and so not as Starlette does
    theirs, found = regex.match(path), ours.regex.match(path)
    assert (found and found.groupdict()) == (theirs and theirs.groupdict())


# A tree of routes: a template and a method, or a mount with a tree below it. Names tell them apart.
_leaves = st.tuples(st.just("route"), _templates, st.sampled_from(["GET", "POST"]), st.sampled_from(["a", "b", "a:b"]))
_prefixes = st.sampled_from(["", "/", "/a", "/a/", "/{tenant}", "/a/{n:int}", "/7", "/a-{m}", "/{tenant}/b"])
_trees: st.SearchStrategy[list[Any]] = st.recursive(
    st.lists(_leaves, max_size=3),
    lambda below: st.lists(
        _leaves | st.tuples(st.just("mount"), _prefixes, below, st.sampled_from([None, "a", "b"])), max_size=4
    ),
    max_leaves=8,
)


def _routes(kit: Any, tree: list[Any], place: str = "") -> list[Any]:
    made = []
    for index, (kind, text, more, name) in enumerate(tree):
        here = f"{place}.{index}"
        if kind == "route":
            made.append(kit.Route(text, _answer(here), methods=[more], name=name))
        else:
            made.append(kit.Mount(text, routes=_routes(kit, more, here), name=name))
    return made


def _answer(place: str) -> Callable[..., Any]:
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        said = [place, scope["path_params"], scope["root_path"], scope["path"], scope.get("app_root_path")]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": repr(said).encode()})

    return _App(endpoint)


class _App:
    """An ASGI app that is no function, so that both toolkits call it as it is."""

    def __init__(self, app: Any) -> None:
        self.__name__ = "app"
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)


@fuzzed(_trees, _any_path, st.sampled_from(["GET", "HEAD", "POST"]), st.sampled_from(["", "", "/a", "/a/7", "/x"]))
def test_a_tree_of_mounts_answers_as_starlettes(tree: list[Any], path: str, method: str, root_path: str) -> None:
    answers = []
    for kit in (playground.web.routing, starlette.routing):
        router = kit.Router(_routes(kit, tree))
        answer = call(router, root_path + path, method, root_path=root_path)
        assert answer.error is None, answer.error
        allowed = set(answer.headers.get("allow", "").split(", "))  # Starlette's order is that of a set's hashes
        answers.append((answer.status, answer.headers.get("location"), allowed, answer.body))
    assert answers[0] == answers[1]


_values = st.sampled_from(
    ["", "a", "a/b", "//h", "{x0}", "%2F", "é", "7", 7, -1, 0, 1.5, 1e300, UUID(int=7), "\\", "\n"]
)
_anything = _values | st.text(max_size=4) | st.integers(-9, 9**40) | st.floats() | st.none()


@fuzzed(
    _trees,
    st.sampled_from(["a", "b", "a:b", "a:a", "a:a:b", "b:a:b", "c"]),
    st.dictionaries(st.sampled_from(["x0", "x1", "y0", "tenant", "n", "m", "path"]), _anything, max_size=3),
)
def test_links_are_made_as_starlette_makes_them(tree: list[Any], name: str, values: dict[str, Any]) -> None:
    if values.get("path", "") is None:
        return  # which Starlette's mounts take for no parameter at all, and ours for one too many
    ours, theirs = (
        outcome(lambda kit=kit: _link(kit, tree, name, values))  # type: ignore[misc]
        for kit in (playground.web.routing, starlette.routing)
    )
    assert ours == theirs


def _link(kit: Any, tree: list[Any], name: str, values: dict[str, Any]) -> tuple[str, str, str]:
    path = kit.Router(_routes(kit, tree)).url_path_for(name, **values)
    return str(path), path.protocol, str(path.make_absolute_url("https://h/base/"))


# Starlette leaves it to the caller to quote what has a meaning in a URL, and a path's `.*` stops at a line feed.
_SPECIAL = "%?#\\\n"
_fit: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/" + _SPECIAL), min_size=1),
    "path": st.text(st.characters(exclude_categories=["Cs"], exclude_characters=_SPECIAL)),
    "int": st.integers(0, 10**40),
    "float": st.floats(0, 1e15).map(lambda number: float(f"{number:.20f}")),
    "uuid": st.uuids(),
}
_kinds = st.sampled_from(sorted(_fit))


@st.composite
def _declared(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A template in which every parameter is a segment of its own, and fitting values."""
    kinds = draw(st.lists(_kinds, max_size=4))
    text = "".join(f"/{{p{place}:{kind}}}" for place, kind in enumerate(kinds))
    return text or "/", {f"p{place}": draw(_fit[kind]) for place, kind in enumerate(kinds)}


@fuzzed(_declared())
def test_a_link_leads_to_its_route_with_its_values(declared: tuple[str, dict[str, Any]]) -> None:
    text, values = declared
    route = Route(text, _answer("here"), name="here")
    link = route.url_path_for("here", **values)
    scope = http_scope("GET", quote(link, safe="/%").encode("ascii"))
    assert scope["path"] == unquote(link)
    match, child = route.matches(scope)
    assert match is Match.FULL
    # a path takes whatever it can, so of two that are neighbours the first may take from the second
    if text.count(":path") < 2:
        assert child["path_params"] == values


_quoted = st.text("/a%2fF5Ce9?#é\\ \x00", max_size=12).map(lambda text: "/" + text)


@fuzzed(
    _quoted, st.sampled_from([None, b"h", b"h:8", b"[::1]:8", b"\xff", b"a b", b"h/..", b"u@h"]), st.binary(max_size=6)
)
def test_the_url_of_any_request_can_be_told(path: str, host: bytes | None, query: bytes) -> None:
    """Whatever a client asks for, an endpoint that looks at its URL, or links to another, does not fail."""
    scope = http_scope("GET", quote(path, safe="/%?#").replace("?", "%3F").encode("ascii"))
    scope["query_string"] = query
    scope["headers"] = [] if host is None else [(b"host", host)]
    request: Request[Any] = Request(scope)
    url = request.url
    assert isinstance(url, URL)
    if query.isascii() and query.decode().isprintable() and b"#" not in query:
        assert url.query == query.decode()
        again = StarletteRequest({**scope}).url
        assert unquote(url.path) == unquote(again.path)
    assert str(request.base_url)
    assert request.query_params.multi_items() is not None


_hosts = st.text("ahH0.:[]%-_@/ \\é\x00", max_size=10) | st.sampled_from(
    ["[::1]:80", "h:65535", "h:65536", "[v1.a]", "h:"]
)


@fuzzed(_hosts)
def test_what_is_no_host_is_never_believed(text: str) -> None:
    """Against RFC 3986, 3.2.2 in other words: what names a host has no sign that ends an authority."""
    parsed = parse_host_header(text)
    if parsed is not None:
        assert not set(text) & set(' /\\@?#\x00"<>')
        assert parsed.authority == text
