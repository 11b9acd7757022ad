"""The environ of a WSGI app, from the scope of an ASGI one (PEP 3333, "environ Variables").

Plain functions. Strings are what the PEP calls native: bytes decoded as latin-1, whatever they mean. The two
streams, `wsgi.input` and `wsgi.errors`, are for who calls the app to add.
"""

from typing import Any

from playground.asgi import Scope

__all__ = ["environ_of", "has_body"]

NOT_PREFIXED = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


def environ_of(scope: Scope) -> dict[str, Any]:
    """Build the environ of one request, all but its streams."""
    root_path, path = scope.get("root_path", ""), scope["path"]
    if root_path and path.startswith(root_path + "/"):
        path = path[len(root_path) :]
    host, port = scope.get("server") or ("localhost", 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": _native(root_path),
        "PATH_INFO": _native(path),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input_terminated": True,  # reading ends where the body does; Werkzeug asks for this
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if scope.get("client"):
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = scope["client"][0], str(scope["client"][1])
    for name, value in scope["headers"]:
        _add_header(environ, name, value.decode("latin-1"))
    return environ


def has_body(scope: Scope) -> bool:
    """Whether the headers announce a body (RFC 9112, section 6.3)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


def _add_header(environ: dict[str, Any], name: bytes, value: str) -> None:
    key = NOT_PREFIXED.get(name) or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
    if key in environ:  # RFC 9110, section 5.3; cookies by RFC 6265, section 4.2
        value = environ[key] + ("; " if key == "HTTP_COOKIE" else ", ") + value
    environ[key] = value


def _native(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")
