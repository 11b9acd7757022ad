"""Routes to a whole app: everything below a path (`Mount`), or everything on a host (`Host`).

They decide which part of the path is theirs (it moves from the route's path to `root_path`) and how names
are looked up across the border. What the app inside answers is its own affair.
"""

import functools
import re
from collections.abc import Sequence
from typing import Any, Final

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import RouteError, UsageError

from ._base_route import BaseRoute, Match, NoMatchFound, refuse_relative, with_outer
from ._hosts import routable_host
from ._reading import values_of
from ._template import Template, fill, parse_template
from ._utils import get_route_path
from .datastructures import URLPath
from .middleware import Middleware, within

__all__ = ["MOUNTED_STATE", "AppRoute", "Host", "Mount"]

# Where a request's state holds what the lifespans of mounted apps yielded: a mapping by the app's id.
MOUNTED_STATE: Final = "playground.web.mounted"


class AppRoute(BaseRoute):
    """What the two kinds share: an app, perhaps with routes and names of its own.

    Attributes:
        app: the app, inside its layers.
        base_app: the app itself.
        name: the prefix of the names inside.
        lifespan: whether the app's lifespan runs within that of the app around it.
    """

    app: ASGIApp
    base_app: ASGIApp
    name: str | None
    lifespan: bool

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes of the app inside; none if it is no router."""
        return getattr(self.base_app, "routes", None) or []

    def _entering(self, scope: Scope, values: dict[str, Any]) -> Scope:
        """What is added to the scope for any app inside."""
        child_scope: Scope = {"path_params": with_outer(scope, values), "endpoint": self.app}
        state = scope.get("state")
        if state and MOUNTED_STATE in state:
            child_scope["state"] = {**state, **state[MOUNTED_STATE].get(id(self.base_app), {})}
        return child_scope

    def _inner_name(self, name: str) -> str | None:
        """What a name is called inside; `None` if it lies elsewhere."""
        if self.name is None:
            return name
        return name[len(self.name) + 1 :] if name.startswith(f"{self.name}:") else None

    def _inner_path(self, inner: str, name: str, path_params: dict[str, Any], rest: dict[str, Any]) -> URLPath:
        """The path of a route inside, by the parameters that the border has left over."""
        for route in self.routes:
            try:
                return route.url_path_for(inner, **rest)
            except NoMatchFound:
                continue
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Mount(AppRoute):
    """Everything below a path.

    Args:
        path: the template of the path, such as `/static` or `/{tenant}`; a slash at its end says nothing.
        app: the ASGI app there; or
        routes: the routes of a router that is made for them.
        name: the prefix, before a colon, of the names inside. Without it they are known as they are.
        middleware: layers around the app, outermost first.
        max_body_size: the most bytes that a request's body may have here; routes inside may say otherwise.
        lifespan: whether the app's lifespan runs within that of the app around it. (Starlette leaves it
            out.) Say false for an app whose start-up and shut-down you look after yourself.

    Raises:
        RouteError: the path is no template, or does not begin with a slash.
        UsageError: neither an app nor routes are given.
    """

    def __init__(
        self,
        path: str,
        app: ASGIApp | None = None,
        routes: Sequence[BaseRoute] | None = None,
        name: str | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
        lifespan: bool = True,
    ) -> None:
        if path:
            refuse_relative(path)
        self.path = path.rstrip("/")
        self.base_app = _router(path, routes) if app is None else app
        self.app = within(self.base_app, middleware, max_body_size)
        self.name = name
        self.lifespan = lifespan
        self.template: Template = parse_template(self.path + "/{path:path}")
        self.path_format = self.template.format
        self.param_convertors = self.template.convertors

    @functools.cached_property
    def path_regex(self) -> re.Pattern[str]:
        """Matches the paths below this one; the group `path` is what is left for the app."""
        return self.template.regex

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] not in ("http", "websocket"):
            return Match.NONE, {}
        path = get_route_path(scope)
        found = self.path_regex.match(path)
        if found is None or (values := values_of(self.param_convertors, found.groupdict())) is None:
            return Match.NONE, {}
        return Match.FULL, self.child_scope(scope, path, values)

    def child_scope(self, scope: Scope, path: str, values: dict[str, Any]) -> Scope:
        """What to add to the scope, once the path has matched."""
        mounted_at = path[: -len(values.pop("path")) - 1]
        root_path: str = scope.get("root_path", "")
        child_scope = self._entering(scope, values)
        # `url_for` looks from the outermost app, however deep a request has come.
        child_scope["app_root_path"] = scope.get("app_root_path", root_path)
        child_scope["root_path"] = root_path + mounted_at
        return child_scope

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        if self.name is not None and name == self.name and "path" in path_params:
            whole = {**path_params, "path": path_params["path"].lstrip("/")}
            path, rest = fill(self.path_format, self.param_convertors, whole)
            if rest:
                raise NoMatchFound(name, path_params)
            return URLPath(path=path)
        inner = self._inner_name(name)
        if inner is None:
            raise NoMatchFound(name, path_params)
        prefix, rest = fill(self.path_format.removesuffix("/{path}"), self.param_convertors, dict(path_params))
        below = self._inner_path(inner, name, path_params, rest)
        return URLPath(path=prefix + below, protocol=below.protocol)  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mount) and self.path == other.path and self.app == other.app

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name or ''!r}, app={self.app!r})"


class Host(AppRoute):
    """Everything on a host.

    Args:
        host: the template of the host, such as `api.example.org` or `{tenant}.example.org`. It is compared
            in any case and without its port, which counts in `url_for` alone.
        app: the ASGI app there.
        name: the prefix, before a colon, of the names inside. Without it they are known as they are.

    Raises:
        RouteError: the host is no template, or begins with a slash.
    """

    def __init__(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        if host.startswith("/"):
            raise RouteError(f"Host must not start with '/': got {host!r}. A path is mounted by Mount({host!r}, ...).")
        self.host = host
        self.app = self.base_app = app
        self.name = name
        self.lifespan = True
        self.template: Template = parse_template(host)
        self.host_format = self.template.format
        self.param_convertors = self.template.convertors

    @functools.cached_property
    def host_regex(self) -> re.Pattern[str]:
        """Matches the names of this host, without a port."""
        return self.template.regex

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] not in ("http", "websocket"):
            return Match.NONE, {}
        found = self.host_regex.match(routable_host(scope))
        if found is None or (values := values_of(self.param_convertors, found.groupdict())) is None:
            return Match.NONE, {}
        return Match.FULL, self.child_scope(scope, values)

    def child_scope(self, scope: Scope, values: dict[str, Any]) -> Scope:
        """What to add to the scope, once the host has matched."""
        return self._entering(scope, values)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        if self.name is not None and name == self.name and "path" in path_params:
            others = {key: value for key, value in path_params.items() if key != "path"}
            host, rest = fill(self.host_format, self.param_convertors, others)
            if rest:
                raise NoMatchFound(name, path_params)
            return URLPath(path=path_params["path"], host=host)
        inner = self._inner_name(name)
        if inner is None:
            raise NoMatchFound(name, path_params)
        host, rest = fill(self.host_format, self.param_convertors, dict(path_params))
        inside = self._inner_path(inner, name, path_params, rest)
        return URLPath(path=str(inside), protocol=inside.protocol, host=host)  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Host) and self.host == other.host and self.app == other.app

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(host={self.host!r}, name={self.name or ''!r}, app={self.app!r})"


def _router(path: str, routes: Sequence[BaseRoute] | None) -> ASGIApp:
    if routes is None:
        raise UsageError(
            f"Either 'app=...', or 'routes=' must be specified: Mount({path!r}) got neither. "
            f"Write Mount({path!r}, routes=[...]) or Mount({path!r}, app)."
        )
    from .routing import Router  # a router holds mounts, and a mount a router

    return Router(routes)
