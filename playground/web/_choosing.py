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
from ._matching import Declared, Entry, Matcher
from ._mount import Host, Mount
from ._names import Names
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

    __slots__ = ("_matchers", "_names", "routes")

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.routes: RouteList[BaseRoute] = RouteList(routes)
        self._matchers: dict[str, Matcher[_Target]] = {}
        self._names: Names | None = None

    def named(self, name: str) -> Sequence[BaseRoute]:
        """The routes that may have this name, in order."""
        if self._names is None or self.routes.changed:
            self._forget()
            self._names = Names(self.routes)
        return self._names.asked(name)

    def choose(self, scope: Scope) -> ASGIApp | None:
        """What answers; its route and the route's values are put into the scope. `None` if no route matches."""
        matcher = self._matchers.get(scope["type"])
        if matcher is None or self.routes.changed:
            matcher = self._compile(scope["type"])
        path: str = get_route_path(scope) if scope.get("root_path") else scope["path"]
        entries, segments = matcher.find(path)
        if matcher.has_others:
            entries = matcher.with_others(entries, routable_host(scope) if matcher.has_hosts else "")
        in_part: tuple[_Target, Scope] | None = None
        for entry in entries:
            route, base, directly = target = entry.target
            if base is not Route and base is not WebSocketRoute:
                match, child_scope = _ask(entry, scope, path, segments)
                if match is Match.FULL:
                    return _take(scope, target, child_scope)
                if match is Match.PARTIAL:
                    in_part = in_part or (target, child_scope)
            elif (values := entry.values(path, segments)) is None:
                continue
            elif base is WebSocketRoute or not route.methods or scope["method"] in route.methods:
                # The usual end, written out: no dictionary is made to be copied and thrown away.
                outer = scope.get("path_params")
                scope["route"] = route
                scope["endpoint"] = route.endpoint
                scope["path_params"] = {**outer, **values} if outer else values
                return route.app if directly else route.handle  # type: ignore[no-any-return]
            elif in_part is None:
                in_part = target, {"endpoint": route.endpoint, "path_params": with_outer(scope, values)}
        return None if in_part is None else _take(scope, in_part[0]._replace(directly=False), in_part[1])

    def _compile(self, kind: str) -> Matcher[_Target]:
        """The matcher for scopes of one type, made of the routes as they are now."""
        if self.routes.changed:
            self._forget()
        declared = [declaration for route in self.routes if (declaration := _declare(route, kind)) is not None]
        return self._matchers.setdefault(kind, Matcher(declared))

    def _forget(self) -> None:
        """Forget what was made of the routes as they were."""
        self._matchers.clear()
        self._names = None
        self.routes.changed = False


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


def _ask(entry: Entry[_Target], scope: Scope, path: str, segments: Sequence[str] | None) -> tuple[Match, Scope]:
    """How well a route matches that is no `Route` or `WebSocketRoute`, and what it adds to the scope."""
    route, base, _ = entry.target
    if base is Mount:
        values = entry.values(path, segments)
        return (Match.NONE, {}) if values is None else (Match.FULL, route.child_scope(scope, path, values))
    if base is Host:
        values = entry.values(routable_host(scope), None)
        return (Match.NONE, {}) if values is None else (Match.FULL, route.child_scope(scope, values))
    match: tuple[Match, Scope] = route.matches(scope)
    return match


def _take(scope: Scope, target: _Target, child_scope: Scope) -> ASGIApp:
    scope["route"] = target.route
    scope.update(child_scope)
    app: ASGIApp = target.route.app if target.directly else target.route.handle
    return app
