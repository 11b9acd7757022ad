"""Where an app is, as its visitors see it: the prefix that a proxy has taken off their paths.

JupyterHub and Binder show a port of the notebook's machine as `/user/ann/proxy/8000/`, by jupyter-server-proxy, which
asks the app for the rest of the path and says in `X-Forwarded-Prefix` what it took off. Put back as ASGI's
`root_path`, that is in every link and redirect which an app makes. This module decides which prefixes are believed;
it knows nothing of sockets, and is for servers that listen on the loopback address only: there each peer is a
process of this machine, and a web page elsewhere would have to be allowed by the app to send the header.
"""

import re
from typing import Final
from urllib.parse import unquote

from playground.asgi import ASGIApp, Receive, Scope, Send

__all__ = ["behind_proxy", "forwarded_prefix"]

_HEADER: Final = b"x-forwarded-prefix"
_PATH: Final = re.compile(rb"(/[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)+")
"""Segments of a URL's path (RFC 3986, section 3.3) of which none is empty: `//host` would be another host."""


def behind_proxy(app: ASGIApp) -> ASGIApp:
    """An app that finds the prefix of its requests in `root_path` and, as ASGI wants it, before `path`."""

    async def with_prefix(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and (prefix := forwarded_prefix(scope)):
            # in the scope that came, not in a copy: who records reads there afterwards which route has answered
            scope["root_path"] = unquote(prefix) + scope.get("root_path", "")
            scope["path"] = unquote(prefix) + scope["path"]
            if scope.get("raw_path") is not None:
                scope["raw_path"] = prefix.encode() + scope["raw_path"]
        await app(scope, receive, send)

    return with_prefix


def forwarded_prefix(scope: Scope) -> str:
    """The prefix that a request's proxy took off, as in its URL and without a slash at the end.

    Returns:
        The prefix; empty where there is none, where two are said, or where it is no path: it must begin with one
        slash, hold only what a URL's path may, and neither hide a control character nor a backslash.
    """
    said = [value for name, value in scope["headers"] if name == _HEADER]
    if len(said) != 1 or _PATH.fullmatch(stem := said[0].rstrip(b"/")) is None:
        return ""
    prefix: str = stem.decode("ascii")
    plain = unquote(prefix)
    return prefix if plain.isprintable() and "\\" not in plain and not plain.startswith("//") else ""
