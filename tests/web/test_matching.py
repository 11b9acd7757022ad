"""The compiled matcher finds what trying each regular expression in turn would find, and nothing else."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Route as StarletteRoute
from starlette.routing import Router as StarletteRouter

from playground.asgi import Receive, Scope, Send
from playground.web._matching import Declared, Matcher
from playground.web._template import parse_template
from playground.web.responses import PlainTextResponse
from playground.web.routing import BaseRoute, Match, Route, Router

from .exchange import call

# Few words, so that literals, parameters and tails of different templates often cover the same path.
_words = st.sampled_from(["a", "b", "7", "42", "a-7", "b.json", ""])
_segments = st.sampled_from(
    [
        "a",
        "b",
        "7",
        "a-7",
        "{x}",
        "{x:int}",
        "{x:float}",
        "{x:uuid}",
        "a-{x:int}",
        "{x}.json",
        "{x}-{y}",
        "{x:path}",
        "a{x:path}",
        "{x:path}/b",
        "",
    ]
)
_templates = st.lists(_segments, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(_renamed(parts)))
_paths = st.lists(_words, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
_any_path = st.one_of(_paths, _paths.map(lambda path: path + "\n"), st.text(max_size=6))
_methods = st.sampled_from([["GET"], ["POST"], ["PUT", "DELETE"], None])


def _renamed(parts: Sequence[str]) -> list[str]:
    """The parts with parameters of different names, for a template may not name one twice."""
    return [part.replace("{x", f"{{x{place}").replace("{y", f"{{y{place}") for place, part in enumerate(parts)]


@given(st.lists(_templates, max_size=12), _any_path)
def test_it_finds_what_the_expressions_find_in_the_declared_order(texts: list[str], path: str) -> None:
    templates = [parse_template(text) for text in texts]
    expected = [
        (rank, {name: found[name] for name in template.convertors})
        for rank, template in enumerate(templates)
        if (found := template.regex.match(path))
    ]
    entries, segments = Matcher(map(Declared, range(len(templates)), templates)).find(path)
    answers = [(entry.target, entry.values(path, segments)) for entry in entries]
    assert [(rank, _as_texts(values)) for rank, values in answers if values is not None] == [
        (rank, _converted(templates[rank].convertors, texts)) for rank, texts in expected
    ]


def _converted(convertors: Any, texts: dict[str, str]) -> dict[str, str]:
    return {name: str(convertors[name].convert(text)) for name, text in texts.items()}


def _as_texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


@given(st.lists(st.tuples(_templates, _methods), max_size=10), _any_path, st.sampled_from(["GET", "POST", "HEAD"]))
def test_the_router_chooses_as_starlettes_does(
    declared: list[tuple[str, list[str] | None]], path: str, method: str
) -> None:
    ours = Router([Route(text, _answer(rank), methods=methods) for rank, (text, methods) in enumerate(declared)])
    theirs = StarletteRouter(
        [StarletteRoute(text, _answer(rank), methods=methods) for rank, (text, methods) in enumerate(declared)]
    )
    our_answer, their_answer = call(ours, path, method), call(theirs, path, method)
    assert our_answer.sent[0]["status"] == their_answer.sent[0]["status"]
    assert our_answer.headers.get("location") == their_answer.headers.get("location")
    assert our_answer.text == their_answer.text
    assert our_answer.scope.get("path_params") == their_answer.scope.get("path_params")


def _answer(rank: int) -> Any:
    async def endpoint(request: Any) -> PlainTextResponse:
        return PlainTextResponse(f"{rank} {request.path_params}")

    return endpoint


@pytest.mark.parametrize("path", ["/items/5", "/items/first", "/items/5/notes"])
def test_a_literal_path_does_not_hide_an_earlier_pattern(path: str) -> None:
    router = Router(
        [
            Route("/items/{key}", _answer(0)),
            Route("/items/5", _answer(1)),
            Route("/{rest:path}", _answer(2)),
            Route("/items/5/notes", _answer(3)),
        ]
    )
    expected = {"/items/5": "0 {'key': '5'}", "/items/first": "0 {'key': 'first'}"}
    assert call(router, path).text == expected.get(path, "2 {'rest': 'items/5/notes'}")


class _Everything(BaseRoute):
    """A route with ways of its own to match."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return Match.FULL, {"endpoint": self}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("everything")(scope, receive, send)


class _Picky(Route):
    """A route that matches less than its template."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["path"] == "/items/no":
            return Match.NONE, {}
        return super().matches(scope)


def test_a_route_that_matches_in_its_own_way_keeps_its_place() -> None:
    router = Router(
        [Route("/a", _answer(0)), _Picky("/items/{key}", _answer(1)), _Everything(), Route("/b", _answer(3))]
    )
    texts = [call(router, path).text for path in ("/a", "/items/yes", "/items/no", "/b")]
    assert texts == ["0 {}", "1 {'key': 'yes'}", "everything", "everything"]


def test_a_lookup_does_not_try_the_other_routes() -> None:
    templates = [parse_template(text) for i in range(2_000) for text in (f"/s{i}", f"/p{i}/{{x}}", f"/q/{{x}}/e{i}")]
    matcher = Matcher(map(Declared, range(len(templates)), templates))
    for path in ("/s0", "/s1999", "/p0/1", "/p1999/1", "/q/1/e1999", "/none", "/p1/", "/x" * 50):
        entries, _ = matcher.find(path)
        assert len(entries) <= 1


def test_templates_that_differ_in_a_parameters_edges_are_told_apart() -> None:
    templates = [parse_template(f"/file{i}-{{x}}.v{i}") for i in range(1_000)]
    matcher = Matcher(map(Declared, range(len(templates)), templates))
    entries, segments = matcher.find("/file500-q.v500")
    assert [(entry.target, entry.values("/file500-q.v500", segments)) for entry in entries] == [(500, {"x": "q"})]
