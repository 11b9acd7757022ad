"""Middleware: layers around an app, one layer a module.

This module decides only how a layer is written down before the app that it goes around exists (its class and the
arguments beside the app), and in which order layers go around an app. It refuses to know what any layer does, and
imports none: each is loaded by who wants it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ParamSpec, Protocol

from playground.asgi import ASGIApp

__all__ = ["Middleware", "MiddlewareFactory", "within"]

P = ParamSpec("P")


class MiddlewareFactory(Protocol[P]):
    """A middleware class, or a function: takes an app and more, returns an app."""

    def __call__(self, app: ASGIApp, /, *args: P.args, **kwargs: P.kwargs) -> ASGIApp: ...


_MiddlewareFactory = MiddlewareFactory  # Starlette's name for it, which its users' annotations import


class Middleware:
    """A middleware and its arguments, to be put around an app later.

    It unpacks into class, positional and keyword arguments.
    """

    def __init__(self, cls: MiddlewareFactory[P], *args: P.args, **kwargs: P.kwargs) -> None:
        self.cls: Any = cls
        self.args = args
        self.kwargs = kwargs

    def __iter__(self) -> Iterator[Any]:
        return iter((self.cls, self.args, self.kwargs))

    def __repr__(self) -> str:
        parts = [
            getattr(self.cls, "__name__", ""),
            *map(repr, self.args),
            *(f"{name}={value!r}" for name, value in self.kwargs.items()),
        ]
        return f"{type(self).__name__}({', '.join(part for part in parts if part)})"


def within(app: ASGIApp, layers: Sequence[Middleware] | None, max_body_size: int | None = None) -> ASGIApp:
    """An app inside its layers, outermost first; a limit on the bodies of requests goes around them all."""
    for cls, args, kwargs in reversed(layers or ()):
        app = cls(app, *args, **kwargs)
    if max_body_size is None:
        return app
    from .body_limit import RequestBodyLimitMiddleware  # it needs requests and responses, which need this package

    return RequestBodyLimitMiddleware(app, max_body_size=max_body_size)
