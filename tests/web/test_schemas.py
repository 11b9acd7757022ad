"""Schemas show the documented endpoints, under the paths that a client would ask for."""

from typing import Any

import pytest

from playground.web.applications import Starlette
from playground.web.endpoints import HTTPEndpoint
from playground.web.requests import Request
from playground.web.responses import Response
from playground.web.routing import Host, Mount, Route, Router, WebSocketRoute
from playground.web.schemas import BaseSchemaGenerator, EndpointInfo, OpenAPIResponse, SchemaGenerator

from .exchange import call, exactly


def documented(request: Any) -> None:
    """
    For readers.
    ---
    summary: documented
    """


def prose(request: Any) -> None:
    """For readers alone."""


def silent(request: Any) -> None: ...


class Things(HTTPEndpoint):
    def get(self, request: Any) -> None:
        """summary: get things"""

    def query(self, request: Any) -> None:
        """summary: query things"""

    def helper(self) -> None:
        """summary: never shown"""


INSIDE = Router([Route("/in/{x:int}", documented, methods=["POST", "GET"])])
ROUTES = [
    Route("/things", Things),
    Route("/prose", prose),
    Route("/silent", silent),
    Route("/hidden", documented, include_in_schema=False),
    WebSocketRoute("/ws", documented),
    Mount("/m/{t:path}", INSIDE),
    Host("a.org", Router([Mount("/h", INSIDE)])),
]
BASE = {"openapi": "3.2.0", "info": {"title": "T", "version": "1"}}


def test_documented_endpoints_are_shown_by_path_and_method() -> None:
    schema = SchemaGenerator(BASE).get_schema(ROUTES)
    shown = {"get": {"summary": "documented"}, "post": {"summary": "documented"}}
    assert schema == {
        **BASE,
        "paths": {
            "/things": {"get": {"summary": "get things"}, "query": {"summary": "query things"}},
            "/m/{t}/in/{x}": shown,
            "/h/in/{x}": shown,
        },
    }
    assert BASE.keys() == {"openapi", "info"}


@pytest.mark.parametrize("version", ["3.1.2", "3.0", "", "next"])
def test_query_is_shown_from_version_3_2_on(version: str) -> None:
    schema = SchemaGenerator({**BASE, "openapi": version}).get_schema(ROUTES)
    assert list(schema["paths"]["/things"]) == ["get"]


def test_paths_of_the_base_schema_stay_and_are_not_changed() -> None:
    base = {**BASE, "paths": {"/things": {"put": {}}, "/by-hand": {}}}
    schema = SchemaGenerator(base).get_schema(ROUTES)
    assert set(schema["paths"]["/things"]) == {"put", "get", "query"}
    assert base["paths"] == {"/things": {"put": {}}, "/by-hand": {}}


def test_endpoints_are_listed_with_the_function_that_describes_them() -> None:
    listed = BaseSchemaGenerator().get_endpoints([Route("/x/{y:float}", documented), Route("/t", Things)])
    assert listed == [
        EndpointInfo("/x/{y}", "get", documented),
        EndpointInfo("/t", "get", Things.get),
        EndpointInfo("/t", "query", Things.query),
    ]


def test_a_schema_is_answered_as_yaml() -> None:
    def show(request: Request[Any]) -> Response:
        return SchemaGenerator(BASE).OpenAPIResponse(request=request)

    app = Starlette(routes=[Route("/schema", show, include_in_schema=False), Route("/prose", prose)])
    answer = call(app, "/schema")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi"
    assert answer.text == "info:\n  title: T\n  version: '1'\nopenapi: 3.2.0\npaths: {}\n"


def test_a_schema_is_a_dictionary() -> None:
    message = "The schema passed to OpenAPIResponse should be a dictionary, got 3."
    with pytest.raises(TypeError, match=exactly(message)):
        OpenAPIResponse(3)


def test_a_generator_must_define_how_a_schema_is_made() -> None:
    message = "BaseSchemaGenerator must define get_schema(routes)."
    with pytest.raises(NotImplementedError, match=exactly(message)):
        BaseSchemaGenerator().get_schema([])
