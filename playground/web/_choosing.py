"""Which route answers: the first that matches wholly, else the first whose path alone matches.

The routes of a router are compiled into matchers, one for each type of scope, and compiled anew when the
list of routes has changed. A route that matches in a way of its own (a class that defines `matches`) keeps
its place and is asked. How candidates are found fast is `_matching`'s affair; what is sent when nothing
matches is the router's.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from playground.asgi import ASGIApp, Scope

from ._base_route import BaseRoute, Match, with_outer
from ._hosts import routable_host
from ._matching import Declared, Matcher
from ._mount import Host, Mount
from ._route import Route, WebSocketRoute
from ._routes import RouteList
from ._utils import get_route_path

__all__ = ["Chooser"]


class _Target(NamedTuple):
    """A route in the matcher.

    Attributes:
        base: the class whose way of matching is compiled, or `None` if the route must be asked.
        directly: whether its app may be called without its `handle`, once path and method match.
    """

    route: Any
    base: type[BaseRoute] | None
    directly: bool


# Which classes' templates say all about what they match, in scopes of which type.
_COMPILED: Final[dict[type[BaseRoute], tuple[str, ...]]] = {
    Route: ("http",),
    WebSocketRoute: ("websocket",),
    Mount: ("http", "websocket"),
    Host: ("http", "websocket"),
}


class Chooser:
    """The routes of one router, compiled.

    Attributes:
        routes: the routes; a change to the list counts from the next request on.
    """

    __slots__ = ("_matchers", "routes")

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.routes: RouteList[BaseRoute] = RouteList(routes)
        self._matchers: dict[str, Matcher[_Target]] = {}

    def choose(self, scope: Scope) -> ASGIApp | None:
        """What answers; its route and the route's values are put into the scope. `None` if no route matches."""
        kind: str = scope["type"]
        matcher = self._compile(kind) if self.routes.changed or kind not in self._matchers else self._matchers[kind]
        path: str = get_route_path(scope) if scope.get("root_path") else scope["path"]
        host = routable_host(scope) if matcher.has_hosts else ""
        entries, segments = matcher.find(path, host)
        in_part: tuple[BaseRoute, Scope] | None = None
        for entry in entries:
            route, base, directly = entry.target
            wholly = True
            if base is Route or base is WebSocketRoute:
                if (values := entry.values(path, segments)) is None:
                    continue
                child_scope: Scope = {"endpoint": route.endpoint, "path_params": with_outer(scope, values)}
                wholly = base is WebSocketRoute or not route.methods or scope["method"] in route.methods
            elif base is Mount:
                if (values := entry.values(path, segments)) is None:
                    continue
                child_scope = route.child_scope(scope, path, values)
            elif base is Host:
                if (values := entry.values(host, None)) is None:
                    continue
                child_scope = route.child_scope(scope, values)
            else:
                match, child_scope = route.matches(scope)
                if match is Match.NONE:
                    continue
                wholly = match is Match.FULL
            if wholly:
                _enter(scope, route, child_scope)
                app: ASGIApp = route.app if directly else route.handle
                return app
            in_part = in_part or (route, child_scope)
        if in_part is None:
            return None
        _enter(scope, *in_part)
        return in_part[0].handle

    def _compile(self, kind: str) -> Matcher[_Target]:
        """The matcher for scopes of one type, made of the routes as they are now."""
        if self.routes.changed:
            self._matchers.clear()
            self.routes.changed = False
        declared = [declaration for route in self.routes if (declaration := _declare(route, kind)) is not None]
        return self._matchers.setdefault(kind, Matcher(declared))


def _declare(route: BaseRoute, kind: str) -> Declared[_Target] | None:
    """How a route stands in the matcher for scopes of a type; `None` if it answers none of them."""
    base = next((cls for cls in _COMPILED if isinstance(route, cls)), None)
    template = getattr(route, "template", None)
    if base is None or template is None or type(route).matches is not base.matches:
        return Declared(_Target(route, None, directly=False))
    if kind not in _COMPILED[base]:
        return None
    target = _Target(route, base, directly=type(route).handle is base.handle)
    return Declared(target, template, is_host=base is Host)


def _enter(scope: Scope, route: BaseRoute, child_scope: Scope) -> None:
    scope["route"] = route
    scope.update(child_scope)
