"""Which interface an app has: ASGI 3, ASGI 2, whose apps are called twice, or WSGI.

Pure look-ups and one adapter. An app is never called to find out, and no framework is imported: what tells
the three apart is whether a call can be awaited, and how many arguments it takes. ASGI 3 takes three, WSGI
two (PEP 3333), ASGI 2 one. Only where a signature fits several is the name of the first parameter asked.
"""

import functools
import inspect
from types import ModuleType
from typing import Any, Literal

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import UsageError
from playground.transport._words import show

__all__ = ["Flavour", "as_asgi3", "flavour_of", "is_asgi3"]

Flavour = Literal["asgi3", "asgi2", "wsgi"]

BY_COUNT: dict[int, Flavour] = {3: "asgi3", 2: "wsgi", 1: "asgi2"}
"""How many arguments an app of each interface is called with."""

NAMED: dict[str, tuple[int, ...]] = {"scope": (3, 1), "environ": (2,), "env": (2,)}
"""What the first parameter's name says of how many there are, if it may be several."""

WANTED = "expected an app that takes (scope, receive, send), or for WSGI (environ, start_response)"


def flavour_of(app: Any) -> Flavour:
    """Return which interface an app has.

    Raises:
        UsageError: it is no app, or its signature does not tell.
    """
    if not callable(app):
        raise _not_callable(app)
    if inspect.isclass(app):
        return _flavour_of_class(app)
    call = _call_of(app)
    if inspect.isasyncgenfunction(call):
        raise UsageError(
            f"expected an app that can be awaited, but {_name(app)} yields. "
            "Write `await send(...)` in place of each `yield`."
        )
    counts = _counts(app)
    if counts is None:
        return "asgi3"  # written in C, without a signature: most such apps are
    if inspect.iscoroutinefunction(call):
        if 3 in counts:
            return "asgi3"
        raise _wrong_parameters(app, counts)
    return BY_COUNT[_one_of(app, counts)]


def is_asgi3(app: Any) -> bool:
    """Whether one call of `app` with scope, receive and send gives something to await.

    A class is one of ASGI 2, since calling it makes an instance and cannot be awaited, unless its
    instances can be. Of an app that is known to be one of ASGI; so in doubt it is ASGI 3.
    """
    if inspect.isclass(app):
        return hasattr(app, "__await__")
    return inspect.iscoroutinefunction(_call_of(app)) or _takes(app, 3)


def as_asgi3(app: Any) -> ASGIApp:
    """Return `app` if it is an ASGI 3 app, or one that calls it twice if it is an ASGI 2 app."""
    if is_asgi3(app):
        asgi3: ASGIApp = app
        return asgi3

    async def called_twice(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope)(receive, send)

    return called_twice


def _call_of(app: Any) -> Any:
    """Return the function behind an app: below partials and what `functools.wraps` has put around it."""
    app = inspect.unwrap(app)
    while isinstance(app, functools.partial):
        app = inspect.unwrap(app.func)
    return app if inspect.isroutine(app) else inspect.unwrap(app.__call__)


def _flavour_of_class(kind: Any) -> Flavour:
    """Return which interface a class is, as calling it makes what an app returns."""
    call = kind.__call__ if "__call__" in dir(kind) else None  # an instance's, not that of the class
    if call is None and hasattr(kind, "__await__") and _takes(kind, 3):
        return "asgi3"
    if call is None and hasattr(kind, "__iter__") and _takes(kind, 2):
        return "wsgi"
    two = inspect.iscoroutinefunction(call) and _takes(call, 3) and not _takes(call, 4)  # and `self`
    if two and _takes(kind, 1):
        return "asgi2"
    raise UsageError(f"expected an app, but got the class {kind.__name__}. Make an instance of it, and pass that.")


def _one_of(app: Any, counts: set[int]) -> int:
    """Choose among the numbers of arguments that an app could be called with."""
    possible = counts & BY_COUNT.keys()
    if len(counts) == 1 and possible:
        return possible.pop()
    named = next(iter(inspect.signature(app).parameters), "")
    for count in NAMED.get(named, (2,) if hasattr(app, "wsgi_app") else ()):
        if count in possible:
            return count
    raise _wrong_parameters(app, counts)


def _counts(app: Any) -> set[int] | None:
    """Return with how many arguments, up to four, a callable can be called, or `None` if it does not say."""
    try:
        inspect.signature(app)
    except (TypeError, ValueError):
        return None
    return {count for count in range(5) if _takes(app, count)}


def _takes(call: Any, count: int) -> bool:
    """Whether a callable takes this many arguments: a plain function may return another's coroutine."""
    try:
        inspect.signature(call).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True


# The refusals. Only names are shown: a default value is the user's object, whose `repr` may do anything.


def _not_callable(app: Any) -> UsageError:
    what, advice = show(app), "Pass the app itself."
    if isinstance(app, ModuleType):
        what, advice = f"the module {app.__name__}", "Pass the app that is in it."
    elif inspect.iscoroutine(app):
        what, advice = f"a coroutine of {app.__qualname__}", "Await it first, and pass what it returns."
    elif isinstance(app, str):
        advice = "Import the app, and pass it itself."
    return UsageError(f"expected an app, which is callable, but got {what}. {advice}")


def _wrong_parameters(app: Any, counts: set[int]) -> UsageError:
    advice = "Pass the app, not a handler."
    if counts >= {2, 3} or counts >= {1, 2}:
        advice = "That fits several interfaces: write the parameters out."
    elif 0 in counts:
        advice = "If it makes an app, call it first."
    return UsageError(f"{WANTED}, but {_name(app)} takes {_parameters(app)}. {advice}")


def _name(app: Any) -> str:
    return f"`{app.__name__}`" if inspect.isroutine(app) else f"an instance of {type(app).__name__}"


def _parameters(app: Any) -> str:
    stars: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(app).parameters.values()
    names = [stars.get(one.kind, "") + one.name for one in parameters]
    return f"({', '.join(names)})" if names else "nothing"
