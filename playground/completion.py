"""Completing a route: what stands in the string of `lab.get("…` is looked up in the app of that lab.

It looks a plain name up in the user's namespace and runs nothing. It knows the calls of a lab by their names, and of an
app what Starlette and its kin tell: a list of `routes`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from playground.lab import Lab

__all__ = ["routes_for"]

_VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
_CALL: Final = re.compile(
    rf"\b(\w+)(?:\.client)?\.({'|'.join(_VERBS)}|request|stream|websocket|burst|load)"
    r"""\(\s*(?:["']([A-Z]+)["']\s*,\s*)?["'](?:([A-Z]+) )?([^"'\s]*)$"""
)
"""A call of a lab, or of its client, up to the end of the path: its name, what is called, a method or two."""


def routes_for(line: str, names: dict[str, Any]) -> list[str]:
    """The paths that a line, up to the cursor, may go on with; none if it is no call of a lab.

    Args:
        line: the line's text up to the cursor.
        names: the user's namespace.
    """
    found = _CALL.search(line)
    if found is None:
        return []
    name, called, first, second, begun = found.groups()
    lab = names.get(name)
    if not isinstance(lab, Lab):
        return []
    method = called.upper() if called in _VERBS else first or second
    if called == "websocket":
        method = "WEBSOCKET"
    paths = (path for path, methods in _routes(lab.app) if method is None or method in methods)
    return sorted({path for path in paths if path.startswith(begun)})


def _routes(app: Any) -> Iterator[tuple[str, Iterable[str]]]:
    """Path and methods of each route, those of mounted apps with their prefix."""
    for route in getattr(app, "routes", None) or ():
        path = getattr(route, "path", None)
        if not isinstance(path, str):
            continue
        inner = list(_routes(route))
        if inner:
            yield from ((path + below, methods) for below, methods in inner)
        else:
            yield path, getattr(route, "methods", None) or ("WEBSOCKET",)
