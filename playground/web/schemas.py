"""Schemas of an API, made of its routes and of the docstrings of its endpoints.

It decides which endpoints a schema shows and under which path; what it says of each is YAML in its
docstring, written by hand. PyYAML is needed only when a schema is made, and then named if it is missing.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from ._mount import AppRoute, Mount
from ._route import Route
from .requests import Request
from .responses import Response
from .routing import BaseRoute

__all__ = ["BaseSchemaGenerator", "EndpointInfo", "OpenAPIResponse", "SchemaGenerator"]

# Methods that a schema may show of a class, in the order of OpenAPI; its `query` is new in version 3.2.
_METHODS: Final = ("get", "post", "put", "patch", "delete", "options", "query")
_QUERY_SINCE: Final = (3, 2)

_CONVERTOR: Final = re.compile(r":[^}]*}")


class OpenAPIResponse(Response):
    """A schema, as YAML."""

    media_type = "application/vnd.oai.openapi"

    def render(self, content: Any) -> bytes:
        if not isinstance(content, dict):
            raise TypeError(f"The schema passed to OpenAPIResponse should be a dictionary, got {content!r}.")
        text: str = _yaml().dump(content, default_flow_style=False)
        return text.encode("utf-8")


class EndpointInfo(NamedTuple):
    """An endpoint that a schema shows.

    Attributes:
        path: the path, without the convertors of its parameters.
        http_method: the method, in lower case.
        func: the function, or the method of a class, whose docstring describes it.
    """

    path: str
    http_method: str
    func: Callable[..., Any]


class BaseSchemaGenerator:
    """Finds the endpoints and reads their docstrings; a class of one's own makes a schema of them."""

    def get_schema(self, routes: list[BaseRoute]) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} must define get_schema(routes).")

    def get_endpoints(self, routes: list[BaseRoute]) -> list[EndpointInfo]:
        """The endpoints of the routes and of what is mounted in them, but for those left out of schemas."""
        return list(_endpoints(routes, prefix=""))

    def parse_docstring(self, func_or_method: Callable[..., Any]) -> dict[str, Any]:
        """The part of a docstring that is for the schema: all of it, or what follows `---`.

        Returns:
            What its YAML says; nothing if it is a plain text, or there is none.
        """
        docstring = inspect.getdoc(func_or_method)
        if not docstring:
            return {}
        parsed = _yaml().safe_load(docstring.split("---")[-1])
        # A docstring that was written for readers alone is YAML too: one long text.
        return parsed if isinstance(parsed, dict) else {}

    def OpenAPIResponse(self, request: Request[Any]) -> Response:
        """The schema of the app that this request came to, as a response."""
        return OpenAPIResponse(self.get_schema(routes=request.app.routes))


class SchemaGenerator(BaseSchemaGenerator):
    """Makes an OpenAPI schema.

    Args:
        base_schema: what does not come from routes: `openapi`, `info` and so on.
    """

    def __init__(self, base_schema: dict[str, Any]) -> None:
        self.base_schema = base_schema

    def get_schema(self, routes: list[BaseRoute]) -> dict[str, Any]:
        paths: dict[str, Any] = {path: dict(methods) for path, methods in self.base_schema.get("paths", {}).items()}
        shows_query = _version(self.base_schema.get("openapi", "")) >= _QUERY_SINCE
        for path, method, func in self.get_endpoints(routes):
            described = self.parse_docstring(func)
            if described and (method != "query" or shows_query):
                paths.setdefault(path, {})[method] = described
        return {**self.base_schema, "paths": paths}


def _endpoints(routes: Sequence[BaseRoute], prefix: str) -> Iterator[EndpointInfo]:
    for route in routes:
        if isinstance(route, AppRoute):
            path = _CONVERTOR.sub("}", route.path) if isinstance(route, Mount) else ""
            yield from _endpoints(route.routes, prefix + path)
        elif isinstance(route, Route) and route.include_in_schema:
            path = prefix + _CONVERTOR.sub("}", route.path)
            yield from (EndpointInfo(path, method, func) for method, func in _handlers(route))


def _handlers(route: Route) -> Iterator[tuple[str, Callable[..., Any]]]:
    endpoint = route.endpoint
    if inspect.isfunction(endpoint) or inspect.ismethod(endpoint):
        methods = sorted(route.methods or {"GET"})
        yield from ((method.lower(), endpoint) for method in methods if method != "HEAD")
    else:
        yield from ((method, getattr(endpoint, method)) for method in _METHODS if hasattr(endpoint, method))


def _version(text: object) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", str(text))
    return tuple(int(digits) for digits in found.groups()) if found else ()


def _yaml() -> Any:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError as error:
        raise RuntimeError("`pyyaml` must be installed to use schemas: `pip install pyyaml`.") from error
    return yaml
