"""Our router and Starlette's, over the same mounts, hosts and routes, give the same answers."""

from collections.abc import Callable
from typing import Any

import starlette.responses
import starlette.routing
from hypothesis import given
from hypothesis import strategies as st

import playground.web.responses
import playground.web.routing
from tests.web.exchange import Exchange, call

# A route written down for either toolkit: its kind, its template, and what is inside.
Plan = tuple[str, str, Any]

_routes = st.tuples(
    st.just("route"), st.sampled_from(["/", "/a", "/{x}", "/{x:int}", "/{x:path}", "/a{x:path}"]), st.none()
)
_prefixes = st.sampled_from(["", "/", "/a", "/{y}", "/{y:int}", "/a/b", "/{y:path}", "/p{y}"])
_hosts = st.sampled_from(["a.org", "A.org:80", "{h}.org", "b.{h}.org", "{h:int}.org", "[::1]"])


def _inside(plans: st.SearchStrategy[Plan]) -> st.SearchStrategy[Plan]:
    several = st.lists(plans, max_size=4)
    return st.tuples(st.just("mount"), _prefixes, several) | st.tuples(st.just("host"), _hosts, several)


_plans = st.recursive(_routes, _inside, max_leaves=8)
_paths = st.lists(st.sampled_from(["a", "b", "7", "ab", "pa", ""]), min_size=1, max_size=4).map(
    lambda words: "/" + "/".join(words)
)
_any_path = _paths | _paths.map(lambda path: path + "\n") | st.text(max_size=4)
_host_headers = st.sampled_from([None, "a.org", "A.ORG:9", "b.c.org", "7.org", "[::1]:80", "a.org:", "", "nowhere"])


def _build(toolkit: Any, responses: Any, plans: list[Plan]) -> Any:
    return toolkit.Router([_route(toolkit, responses, plan, str(number)) for number, plan in enumerate(plans)])


def _route(toolkit: Any, responses: Any, plan: Plan, name: str) -> Any:
    kind, template, inside = plan
    if kind == "route":
        return toolkit.Route(template, _endpoint(responses, f"{name} {template}"), name=f"r{len(template)}")
    if kind == "mount":
        return toolkit.Mount(template, _build(toolkit, responses, inside), name="m" if len(inside) % 2 else None)
    return toolkit.Host(template, _build(toolkit, responses, inside), name="h" if len(inside) % 2 else None)


def _endpoint(responses: Any, word: str) -> Callable[[Any], Any]:
    async def endpoint(request: Any) -> Any:
        scope = request.scope
        told = [word, scope["path_params"], scope["root_path"], scope.get("app_root_path")]
        return responses.PlainTextResponse(repr(told))

    return endpoint


def _both(plans: list[Plan]) -> tuple[Any, Any]:
    return (
        _build(playground.web.routing, playground.web.responses, plans),
        _build(starlette.routing, starlette.responses, plans),
    )


def _told(exchange: Exchange) -> tuple[Any, ...]:
    return exchange.status, exchange.text, exchange.headers.get("location"), exchange.headers.get("allow")


@given(st.lists(_plans, max_size=5), _any_path, _host_headers, st.sampled_from(["", "/a"]))
def test_both_answer_alike(plans: list[Plan], path: str, host: str | None, root_path: str) -> None:
    headers = [] if host is None else [(b"host", host.encode())]
    ours, theirs = (call(app, path, headers=headers, root_path=root_path) for app in _both(plans))
    assert repr(ours.error) == repr(theirs.error)
    assert _told(ours) == _told(theirs)


_names = st.sampled_from(["r1", "r4", "r8", "m", "h", "m:r4", "h:r1", "m:m:r4", "m:h:r8", "m:m"])
_params = st.fixed_dictionaries(
    {}, optional={"x": st.just("7"), "y": st.just("8"), "h": st.just("9"), "path": st.just("/p")}
)


@given(st.lists(_plans, max_size=5), _names, _params)
def test_both_find_names_alike(plans: list[Plan], name: str, params: dict[str, Any]) -> None:
    ours, theirs = (_path(app, name, params) for app in _both(plans))
    assert ours == theirs


def _path(router: Any, name: str, params: dict[str, Any]) -> tuple[str, ...]:
    try:
        path = router.url_path_for(name, **params)
    except Exception as error:  # noqa: BLE001  the kinds of error must be alike too
        return type(error).__name__, str(error)
    return str(path), path.protocol, path.host
