"""What is asked of every server: requests, each with what `httpx` is to send, and the scripts of websockets."""

from typing import Any

from tests.conformance.servers_places import HEAR

__all__ = ["ASKED", "TALKS"]

Ask = tuple[str, str, dict[str, Any]]

ASKED: dict[str, Ask] = {
    "the scope": ("GET", "/scope/a/7", {}),
    "a query": ("GET", "/scope/a/7?x=1&y=&x=a%20b+c&%C3%A9=%C3%A9", {}),
    "a coded path": ("GET", "/scope/caf%C3%A9%20%25%3F/none", {}),
    "a coded word": ("GET", "/scope/caf%C3%A9%20%25%3F~/12", {}),
    "headers": ("GET", "/scope/a/7", {"headers": [("x-one", "1"), ("x-one", "2"), ("x-latin", b"caf\xe9")]}),
    "a body": ("POST", "/scope/a/7", {"content": "h\u00e9".encode()}),
    "the state": ("GET", "/state", {}),
    "a thread": ("GET", "/thread", {}),
    "a slash too few": ("GET", "/slash?q=1", {}),
    "a slash too many": ("GET", "/thread/", {}),
    "HEAD": ("HEAD", "/long", {}),
    "not found": ("GET", "/nowhere", {}),
    "not allowed": ("DELETE", "/state", {}),
    "answered headers": ("GET", "/headers", {}),
    "cookies": ("GET", "/cookies", {"headers": {"cookie": 'x=1; y="two words"; x=3'}}),
    "no content": ("GET", "/empty", {}),
    "a long text": ("GET", "/long", {"headers": {"accept-encoding": "identity"}}),
    "gzip": ("GET", "/long", {"headers": {"accept-encoding": "gzip"}}),
    "a file": ("GET", "/file", {}),
    "a file's HEAD": ("HEAD", "/file", {}),
    "a range": ("GET", "/file", {"headers": {"range": "bytes=70000-"}}),
    "ranges": ("GET", "/file", {"headers": {"range": "bytes=0-4,300-309"}}),
    "a range too far": ("GET", "/file", {"headers": {"range": "bytes=999999-"}}),
    "a static file": ("GET", "/static/file.bin", {}),
    "a static file's range": ("GET", "/static/file.bin", {"headers": {"range": "bytes=-3"}}),
    "no static file": ("GET", "/static/other.bin", {}),
    "outside of the static files": ("GET", "/static/..%2f..%2fetc/passwd", {}),
    "an HTTP error": ("GET", "/refused", {}),
    "a preflight": (
        "OPTIONS",
        "/state",
        {"headers": {"origin": "https://a.org", "access-control-request-method": "PUT"}},
    ),
    "another's preflight": (
        "OPTIONS",
        "/state",
        {"headers": {"origin": "https://b.org", "access-control-request-method": "PUT"}},
    ),
    "another origin": ("GET", "/state", {"headers": {"origin": "https://a.org"}}),
    "an urlencoded form": ("POST", "/form", {"data": {"word": ["a", "b"]}}),
    # The last, for uvicorn closes the connection after it without having said so.
    "a fault": ("GET", "/error", {}),
}

TALKS: dict[str, tuple[str, list[Any], tuple[str, ...]]] = {
    "echo": ("/ws/echo", ["h\u00e9", HEAR, b"\x00\xff", HEAR, "", HEAR, "x" * 300_000, HEAR], ()),
    "JSON": ("/ws/scope/7?x=a%20b&x=2", ['{"a": [1]}', HEAR, HEAR, HEAR], ()),
    "a subprotocol": ("/ws/chosen", [HEAR], ("one", "two", "three")),
    "a close code": ("/ws/over", [HEAR], ()),
    "a denial": ("/ws/denied", [], ()),
    "an HTTP error": ("/ws/refused", [], ()),
}
