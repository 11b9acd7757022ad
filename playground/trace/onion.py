"""The onion: how the layers of Starlette, FastAPI and `playground.web` apps hold one another, and where a handler is.

Nothing of theirs is imported; an app is known by its shape. An application and a router hold the outermost of
their layers as `middleware_stack`, a layer holds what is inside it as `app` (or as its only ASGI app, by whatever
name, or in a closure), and at the core stands the router's own method `app`. Below it, routes hold in `app` what
`request_response` or `websocket_session` made of a handler: a closure, whose cell holds the handler. An app whose
layers do not lead to such a router is left alone: of Django, Quart and Litestar nothing is known but the request.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import FunctionType, MethodType
from typing import Any, Final

from playground.asgi import ASGIApp
from playground.trace.seams import borrow, found
from playground.trace.sites import label
from playground.trace.spans import Told
from playground.trace.standins import Layer, Mounted, Routing, Shell, arguments, code_of, endpoint, handler

__all__ = ["watch_app"]

_Held = tuple[Any, str]
"""Where something is held: whose attribute, and which."""

# Cells of the closures that routes hold, by who makes them (starlette/routing.py 1.10, fastapi/routing.py 0.165,
# playground/web/_endpoint.py), and which of them holds the async function that is called with the request.
_MAKERS: Final = ("request_response.<locals>.app", "websocket_session.<locals>.app")
_CELLS: Final = ("f", "call", "func")
_FASTAPIS: Final = "get_request_handler.<locals>.app"
_FASTAPIS_CALL: Final = "run_endpoint_function"

_DEEPEST: Final = 100
"""How many layers are followed; more are taken for a circle."""


def watch_app(app: ASGIApp, borrowed: ExitStack) -> ASGIApp | None:
    """Have the spans of an app noted until `borrowed` is closed.

    Returns:
        what to call in its place; `None` if its layers are not known.
    """
    layers, core = _layers(app)
    if not _is_router(core):
        return None
    _watch_layers(layers, core, borrowed)
    return app if _is_stack(app) else _layer(app)


def _watch_layers(layers: list[_Held], core: Any, borrowed: ExitStack) -> None:
    """Stand in for what each of these places holds; `core` is held by the last."""
    for holder, name in layers:
        inner = found(holder, name)
        if inner is not core and not _is_stack(inner):
            _put(holder, name, _layer, borrowed)
    holder, name = layers[-1]
    watched = _watch_routes(core.__self__, borrowed)
    told = Told("routing", type(core.__self__).__qualname__)
    _put(holder, name, lambda own: Routing(own, told, _watch_routes, watched), borrowed)


def _put(holder: Any, name: str, stand_in: Callable[[Any], Any], borrowed: ExitStack) -> None:
    give_back = borrow(holder, name, stand_in)
    if give_back is not None:
        borrowed.callback(give_back)


# -- layers ---------------------------------------------------------------------------------------------------


def _layers(app: Any) -> tuple[list[_Held], Any]:
    """Where each layer below `app` holds the next, and what the innermost holds."""
    layers: list[_Held] = []
    while len(layers) < _DEEPEST and (held := _held(app)) is not None:
        layers.append(held)
        app = found(*held)
    return layers, app


def _held(layer: Any) -> _Held | None:
    """Where a layer holds the app inside it; `None` if it is no layer."""
    if isinstance(layer, FunctionType):
        return None if _is_made(layer) else _only_app([(cell, "cell_contents") for cell in layer.__closure__ or ()])
    if isinstance(layer, type | MethodType):
        return None
    if _is_stack(layer):
        _build(layer)
        return None if layer.middleware_stack is None else (layer, "middleware_stack")
    names = [name for name in _attributes(layer) if name == "app"] or _attributes(layer)
    return _only_app([(layer, name) for name in names])


def _only_app(places: list[_Held]) -> _Held | None:
    apps = [place for place in places if _is_filled(*place) and _is_app(found(*place))]
    return apps[0] if len(apps) == 1 else None


def _is_filled(holder: Any, name: str) -> bool:
    try:
        getattr(holder, name)
    except (AttributeError, ValueError):  # a slot, or a cell, that holds nothing yet
        return False
    return True


def _attributes(thing: object) -> list[str]:
    """What an object holds, without asking for anything that runs code of its class."""
    names = list(getattr(thing, "__dict__", ()))
    for kind in type(thing).__mro__:
        names += [name for name, value in vars(kind).items() if inspect.ismemberdescriptor(value)]
    return names


def _has(thing: object, name: str) -> bool:
    return name in getattr(thing, "__dict__", ()) or any(name in vars(kind) for kind in type(thing).__mro__)


def _is_stack(thing: object) -> bool:
    """Whether it is an application or a router, which have layers and routes."""
    return not isinstance(thing, type) and _has(thing, "middleware_stack") and _has(thing, "routes")


def _build(application: Any) -> None:
    """Have the layers built that an application builds at its first request, which this is."""
    if application.middleware_stack is None:
        try:
            application.middleware_stack = application.build_middleware_stack()
        except Exception:  # noqa: BLE001 (the application itself is about to fail in the same way, and to say so)
            return


def _is_router(core: object) -> bool:
    """Whether it is what stands at the core of a router's layers: its own method `app`."""
    return isinstance(core, MethodType) and core.__name__ == "app" and _is_stack(core.__self__)


def _is_app(thing: object) -> bool:
    """Whether it is called with scope, receive and send."""
    if isinstance(thing, type):
        return False
    if _is_stack(thing):
        return True
    function = thing if isinstance(thing, FunctionType | MethodType) else _call_of(type(thing))
    own = not isinstance(thing, FunctionType)
    if isinstance(function, MethodType):
        function = function.__func__
    return isinstance(function, FunctionType) and function.__code__.co_argcount - own == 3


def _call_of(kind: type) -> Any:
    """What is called when an instance of a class is; `None` if it cannot be."""
    return next((vars(base)["__call__"] for base in kind.__mro__ if "__call__" in vars(base)), None)


def _told_of(layer: Any) -> Told:
    name, function = type(layer).__qualname__, _call_of(type(layer))
    if isinstance(layer, FunctionType):  # the function that made it has the telling name
        name, function = layer.__qualname__.removesuffix(f".<locals>.{layer.__name__}"), layer
    dispatch = getattr(layer, "__dict__", {}).get("dispatch_func")  # of BaseHTTPMiddleware, and what it is given
    if dispatch is not None:
        function = dispatch
        name = name if getattr(dispatch, "__self__", None) is layer else label(dispatch)
    return Told("middleware", name, code_of(function))


def _layer(layer: Any) -> Layer:
    return Layer(layer, _told_of(layer))


def _mounted(layer: Any) -> Layer:
    return Mounted(layer, _told_of(layer))


# -- routes ---------------------------------------------------------------------------------------------------


def _watch_routes(router: Any, borrowed: ExitStack) -> frozenset[int]:
    watched = set()
    for holder, route, written in _entrances(router.routes):
        if "app" in _attributes(holder) and holder.app is not None:
            _watch_route(holder, written, borrowed)
            watched.add(id(route))
    if getattr(router.default, "__self__", None) is not router:
        _put(router, "default", _handler_app, borrowed)
    return frozenset(watched)


def _entrances(routes: list[Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Who holds the app of a route, the route, and its endpoint. FastAPI's included routers hold several."""
    for route in routes:
        contexts = getattr(route, "effective_route_contexts", None)
        if contexts is None:
            yield route, route, getattr(route, "endpoint", None)
            continue
        for context in contexts():
            if context.starlette_route is not None:
                yield from _entrances([context.starlette_route])
            else:
                yield context, context.original_route, context.endpoint


def _watch_route(holder: Any, written: Any, borrowed: ExitStack) -> None:
    app = found(holder, "app")
    layers, core = _layers(app)
    places = [(holder, "app"), *layers]
    if _is_router(core):  # a router or an application is mounted
        if not _is_stack(app):
            _put(holder, "app", _mounted, borrowed)
        _watch_layers(layers, core, borrowed)
        return
    for place in places[:-1]:
        _put(*place, _mounted if place[0] is holder else _layer, borrowed)
    if not (isinstance(core, FunctionType) and _is_made(core) and _watch_handler(core, written, borrowed)):
        _put(*places[-1], _handler_app, borrowed)
    elif layers:
        _put(*places[-1], Shell, borrowed)


def _is_made(function: FunctionType) -> bool:
    return function.__qualname__ in _MAKERS


def _watch_handler(made: FunctionType, written: Any, borrowed: ExitStack) -> bool:
    """Stand in for the function in a route's closure; false if it is not to be found there."""
    cells = dict(zip(made.__code__.co_freevars, made.__closure__ or (), strict=True))
    cell = next((cells[name] for name in _CELLS if name in cells), None)
    function = None if cell is None else found(cell, "cell_contents")
    if not inspect.iscoroutinefunction(function):
        return False
    if isinstance(function, FunctionType) and function.__qualname__ == _FASTAPIS:
        _put(cell, "cell_contents", arguments, borrowed)
        module = sys.modules.get(function.__module__)
        if hasattr(module, _FASTAPIS_CALL):
            _put(module, _FASTAPIS_CALL, endpoint, borrowed)
        return True
    written = function if written is None else written
    told = Told("handler", label(written), code_of(written))
    _put(cell, "cell_contents", lambda real: handler(real, told), borrowed)
    return True


def _handler_app(app: Any) -> Layer:
    """A handler that is an ASGI app itself: a class such as `HTTPEndpoint`, or a mounted app of another kind."""
    function = app if isinstance(app, FunctionType | MethodType) else _call_of(type(app))
    return Mounted(app, Told("handler", label(app), None if isinstance(app, type) else code_of(function)))
