"""What is asked of every framework: requests, with what the site says to each, and the scripts of websockets.

Plain data, which knows no framework and no transport. A case names the feature that it needs, so that a
framework can say that it has none; what is expected is said only so far as it is the same for all.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.frameworks.pages import CHUNKS, EVENTS, HELLO, LARGE, LATIN, MOVED, Tally
from tests.conformance.servers_places import HEAR

__all__ = ["ASKS", "TALKS", "Ask", "Talk"]

ANY = object()
"""A body that is the framework's own affair."""

FILE = "The quick brown fox jumps over the lazy dog.\n" * 40


@dataclass(frozen=True)
class Ask:
    """A request, and what comes back.

    Attributes:
        method, path, more: what the client sends; `more` are further arguments of `httpx`.
        status: the one status, or those among which a framework may choose.
        says: the body: text, bytes, or what its JSON holds.
        having: some of the headers.
        needs: a feature that not every framework has.
        first: paths that the same client asks before.
        meanwhile: a path that it asks when the first piece of the body has come.
    """

    method: str
    path: str
    status: int | tuple[int, ...] = 200
    says: Any = ANY
    having: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    needs: str = "HTTP"
    first: Sequence[str] = ()
    meanwhile: str | None = None


@dataclass(frozen=True)
class Talk:
    """A websocket: the script that the client follows, and what it hears."""

    path: str
    script: list[Any]
    hears: list[Any]
    subprotocols: Sequence[str] = ()
    needs: str = "websockets"


def echo(method: str, query: list[list[str]], body: bytes = b"", **headers: str) -> dict[str, Any]:
    pairs = [[name.replace("_", "-"), value] for name, value in sorted(headers.items())]
    return {"method": method, "query": query, "headers": pairs, "body": Tally(body).told()}


async def pieces() -> AsyncIterator[bytes]:
    for chunk in CHUNKS:
        yield chunk


def file_of(name: str, filename: str, kind: str, data: bytes) -> list[Any]:
    return [name, filename, kind, Tally(data).told()]


JSON = {"content-type": "application/json"}
DATA = {"a": [1, 2.5, None, True], "\u00e9": "\u65e5\u672c", "quote": '"</script>'}
TWO_FILES = [
    ("one", ("a.txt", b"first", "text/plain")),
    ("two", ("caf\u00e9 \u65e5.bin", LARGE[:70_000], "application/x-own")),
]

METHODS: dict[str, Ask] = {
    "GET": Ask("GET", "/hello", says=HELLO, having={"x-mine": "yes"}),
    "HEAD": Ask("HEAD", "/hello", says="", having={"x-mine": "yes"}),
    "POST": Ask("POST", "/echo", says=echo("POST", [])),
    "PUT": Ask("PUT", "/echo", says=echo("PUT", [], b"put"), more={"content": b"put"}),
    "PATCH": Ask("PATCH", "/echo", says=echo("PATCH", [], b"patch"), more={"content": b"patch"}),
    "DELETE": Ask("DELETE", "/echo", says=echo("DELETE", [])),
    "DELETE with a body": Ask("DELETE", "/echo", says=echo("DELETE", [], b"why"), more={"content": b"why"}),
    "OPTIONS": Ask("OPTIONS", "/hello", (200, 204, 405)),
    "a method of one's own": Ask("BREW", "/hello", (404, 405)),
    "not allowed": Ask("DELETE", "/hello", 405),
}

ADDRESSES: dict[str, Ask] = {
    "a query": Ask("GET", "/echo?x=1&y=2", says=echo("GET", [["x", "1"], ["y", "2"]])),
    "a query that repeats": Ask("GET", "/echo?x=1&x=2&x=1", says=echo("GET", [["x", "1"], ["x", "2"], ["x", "1"]])),
    "a query with blanks": Ask("GET", "/echo?x=&y=1", says=echo("GET", [["x", ""], ["y", "1"]])),
    "a query without values": Ask("GET", "/echo?x&y"),
    "a coded query": Ask(
        "GET", "/echo?x=a%20b+c%26&%C3%A9=%C3%A9", says=echo("GET", [["x", "a b c&"], ["\u00e9", "\u00e9"]])
    ),
    "a query in no UTF-8": Ask("GET", "/echo?x=%ff%fe"),
    "an empty query": Ask("GET", "/echo?", says=echo("GET", [])),
    "a number in the path": Ask("GET", "/numbers/42", says={"number": 42}),
    "no number in the path": Ask("GET", "/numbers/forty-two", (400, 404, 422)),
    "a word in the path": Ask("GET", "/words/plain", says={"word": "plain"}),
    "a coded word": Ask("GET", "/words/a%20b%25%3F%23", says={"word": "a b%?#"}),
    "a word in UTF-8": Ask("GET", "/words/caf%C3%A9%20%E6%97%A5", says={"word": "caf\u00e9 \u65e5"}),
    "a word in no UTF-8": Ask("GET", "/words/%ff", (200, 400, 404)),
    "a coded slash": Ask("GET", "/words/a%2Fb", (200, 404)),
    "marks in a word": Ask("GET", "/words/a;b,c=~-._!$'()*@:", says={"word": "a;b,c=~-._!$'()*@:"}),
    "a path in the path": Ask("GET", "/paths/a/b.txt", says={"path": "a/b.txt"}),
    "a path of dots": Ask("GET", "/paths/a/%2e%2e/b", says={"path": "a/../b"}),
    "a doubled slash": Ask("GET", "/paths/a//b", (200, 301, 308, 404)),
    "a long path": Ask("GET", f"/words/{'w' * 3000}", says={"word": "w" * 3000}),
    "the whole address": Ask("GET", "/url?x=1&y=", says={"url": "http://app.test/url?x=1&y="}),
    "a slash too many": Ask("GET", "/hello/", (200, 301, 307, 308, 404)),
    "not found": Ask("GET", "/nowhere", 404),
}

BODIES: dict[str, Ask] = {
    "JSON": Ask("POST", "/json", says={"got": DATA}, more={"json": DATA}),
    "JSON in ASCII": Ask(
        "POST", "/json", says={"got": DATA}, more={"content": json.dumps(DATA).encode(), "headers": JSON}
    ),
    "no JSON": Ask("POST", "/json", 400, more={"content": b'{"a":', "headers": JSON}),
    "a body in UTF-8": Ask(
        "POST",
        "/echo",
        says=echo("POST", [], HELLO.encode(), content_type="text/plain; charset=utf-8"),
        more={"content": HELLO, "headers": {"content-type": "text/plain; charset=utf-8"}},
    ),
    "a body of every byte": Ask("POST", "/echo", says=echo("POST", [], LARGE[:256]), more={"content": LARGE[:256]}),
    "a large body": Ask("POST", "/echo", says=echo("POST", [], LARGE), more={"content": LARGE}),
    "a form": Ask(
        "POST",
        "/form",
        says={"fields": [["a", "1"], ["b", "x y&z"], ["\u00e9", "\u65e5"]], "files": []},
        more={"data": {"a": "1", "b": "x y&z", "\u00e9": "\u65e5"}},
    ),
    "a form that repeats": Ask(
        "POST", "/form", says={"fields": [["a", "1"], ["a", "2"]], "files": []}, more={"data": {"a": ["1", "2"]}}
    ),
    "an empty form": Ask(
        "POST",
        "/form",
        says={"fields": [], "files": []},
        more={"content": b"", "headers": {"content-type": "application/x-www-form-urlencoded"}},
    ),
    "a file": Ask(
        "POST",
        "/form",
        says={"fields": [], "files": [file_of("one", "a.txt", "text/plain", b"first")]},
        more={"files": TWO_FILES[:1]},
    ),
    "files and fields": Ask(
        "POST",
        "/form",
        says={
            "fields": [["a", "1"], ["\u00e9", "\u65e5"]],
            "files": [
                file_of("one", "a.txt", "text/plain", b"first"),
                file_of("two", "caf\u00e9 \u65e5.bin", "application/x-own", LARGE[:70_000]),
            ],
        },
        more={"data": {"a": "1", "\u00e9": "\u65e5"}, "files": TWO_FILES},
    ),
    "an empty file": Ask(
        "POST",
        "/form",
        says={"fields": [], "files": [file_of("one", "a.txt", "text/plain", b"")]},
        more={"files": {"one": ("a.txt", b"", "text/plain")}},
    ),
    "a streamed upload": Ask(
        "POST",
        "/received",
        says=Tally(b"".join(CHUNKS)).told(),
        more={"content": pieces},
        needs="streamed uploads",
    ),
    "an upload of known length": Ask("POST", "/received", says=Tally(LARGE).told(), more={"content": LARGE}),
}

ANSWERS: dict[str, Ask] = {
    "an empty body": Ask("GET", "/empty", says=""),
    "a large answer": Ask("GET", "/large", says=LARGE, having={"content-type": "application/octet-stream"}),
    "a streamed answer": Ask("GET", "/stream", says=b"".join(CHUNKS)),
    "HEAD of a streamed answer": Ask("HEAD", "/stream", says=b""),
    "server-sent events": Ask("GET", "/events", says="".join(EVENTS), having={"cache-control": "no-store"}),
    "an event before the last": Ask(
        "GET", "/waiting/NAME", says="data: first\n\ndata: opened\n\n", meanwhile="/gate/NAME", needs="streams"
    ),
    "created": Ask("GET", "/status/201", 201),
    "no content": Ask("GET", "/status/204", 204, says=""),
    "not modified": Ask("GET", "/status/304", 304, says=""),
    "a teapot": Ask("GET", "/status/418", 418),
    "unavailable": Ask("GET", "/status/503", 503),
    "headers": Ask("GET", "/headers", having={"content-type": "application/x-own", "x-empty": "", "x-spaced": "a  b"}),
    "a header in latin-1": Ask("GET", "/latin", having={"x-latin": LATIN}, needs="latin-1 headers"),
    "a header that repeats": Ask("GET", "/twice", having={"x-two": "a, b"}, needs="repeated headers"),
    "a refusal": Ask("GET", "/refused", 403),
    "a fault": Ask("GET", "/error", 500),
}

REDIRECTS: dict[str, Ask] = {
    "a redirect": Ask("GET", "/redirect/302", 302, having={"location": MOVED}),
    "a redirect that is followed": Ask(
        "GET",
        "/redirect/302",
        says=echo("GET", [["moved", "1"], ["x", "\u00e9"]]),
        more={"follow_redirects": True},
    ),
    "see other": Ask(
        "POST",
        "/redirect/303",
        says=echo("GET", [["moved", "1"], ["x", "\u00e9"]]),
        more={"content": b"gone", "follow_redirects": True},
    ),
    "a temporary redirect": Ask(
        "POST",
        "/redirect/307",
        says=echo("POST", [["moved", "1"], ["x", "\u00e9"]], b"kept"),
        more={"content": b"kept", "follow_redirects": True},
    ),
    "a permanent redirect": Ask("GET", "/redirect/308", 308, having={"location": MOVED}),
}

HEADERS: dict[str, Ask] = {
    "headers sent": Ask(
        "GET", "/echo", says=echo("GET", [], x_a="1", x_b="b  c"), more={"headers": {"X-A": "1", "x-B": "b  c"}}
    ),
    "a header sent twice": Ask("GET", "/echo", more={"headers": [("x-one", "1"), ("x-one", "2"), ("x-three", "3")]}),
    "a header sent in latin-1": Ask("GET", "/echo", more={"headers": [("x-latin", b"caf\xe9")]}),
    "an empty header": Ask("GET", "/echo", says=echo("GET", [], x_a=""), more={"headers": {"x-a": ""}}),
    "a long header": Ask("GET", "/echo", says=echo("GET", [], x_a="v" * 5000), more={"headers": {"x-a": "v" * 5000}}),
    "cookies are set": Ask("GET", "/cookies/set", 200),
    "cookies sent": Ask("GET", "/cookies", says={"a": "one", "b": "two"}, more={"headers": {"cookie": "a=one; b=two"}}),
    "odd cookies sent": Ask("GET", "/cookies", more={"headers": {"cookie": 'a="two words"; b; c=; =d; e=1; e=2'}}),
    "cookies come back": Ask("GET", "/cookies", says={"a": "one", "b": "two words"}, first=["/cookies/set"]),
    "a cookie is deleted": Ask("GET", "/cookies", says={"b": "two words"}, first=["/cookies/set", "/cookies/delete"]),
}

STATIC = "/static/file.txt"
EARLIER, LATER = "Thu, 01 Jan 1998 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"

FILES: dict[str, Ask] = {
    "a static file": Ask("GET", STATIC, says=FILE),
    "HEAD of a static file": Ask("HEAD", STATIC, says="", having={"content-length": str(len(FILE))}),
    "no static file": Ask("GET", "/static/other.txt", 404),
    "outside of the static files": Ask("GET", "/static/..%2fpages.py", (400, 404)),
    "a range": Ask("GET", STATIC, 206, says="quick", more={"headers": {"range": "bytes=4-8"}}, needs="ranges"),
    "a range from the end": Ask(
        "GET", STATIC, 206, says="dog.\n", more={"headers": {"range": "bytes=-5"}}, needs="ranges from the end"
    ),
    "a range too far": Ask("GET", STATIC, 416, more={"headers": {"range": "bytes=99999-"}}, needs="ranges"),
    "a file of the same tag": Ask(
        "GET", STATIC, 304, says="", more={"headers": {"if-none-match": "ETAG"}}, first=[STATIC], needs="tags"
    ),
    "a file of another tag": Ask("GET", STATIC, 200, says=FILE, more={"headers": {"if-none-match": '"other"'}}),
    "a file not modified": Ask(
        "GET",
        STATIC,
        304,
        says="",
        more={"headers": {"if-modified-since": LATER}},
        needs="dates",
    ),
    "a file modified": Ask("GET", STATIC, 200, says=FILE, more={"headers": {"if-modified-since": EARLIER}}),
}

ASKS: dict[str, Ask] = METHODS | ADDRESSES | BODIES | ANSWERS | REDIRECTS | HEADERS | FILES

OPEN = (None, "")
"""What is heard of an acceptance without subprotocol and headers."""

TALKS: dict[str, Talk] = {
    "text": Talk("/ws/echo", ["h\u00e9", HEAR, "", HEAR], [OPEN, "h\u00e9", ""]),
    "bytes": Talk("/ws/echo", [b"\x00\xff", HEAR], [OPEN, b"\x00\xff"]),
    "no bytes": Talk("/ws/echo", [b"", HEAR], [OPEN, b""], needs="empty messages of bytes"),
    "text and bytes in turn": Talk("/ws/echo", ["a", b"b", "c", HEAR, HEAR, HEAR], [OPEN, "a", b"b", "c"]),
    "a large message": Talk("/ws/echo", ["x" * 300_000, HEAR], [OPEN, "x" * 300_000]),
    "JSON by websocket": Talk("/ws/json", ['{"a": [1, "h\u00e9"]}', HEAR], [OPEN, {"got": {"a": [1, "h\u00e9"]}}]),
    "an address": Talk("/ws/words/caf%C3%A9%20x?q=a%20b", [HEAR], [OPEN, {"word": "caf\u00e9 x", "q": "a b"}]),
    "a subprotocol": Talk("/ws/chosen", [HEAR], [("two", "yes"), ("closed", 1000, "")], ("one", "two", "three")),
    "an end": Talk("/ws/three", [HEAR, HEAR, HEAR, HEAR], [OPEN, "1", "2", "3", ("closed", 1000, "")]),
    "a close code": Talk("/ws/over", [HEAR], [OPEN, ("closed", 4001, "that was all")]),
    "a denial": Talk("/ws/denied", [], [("denied", 451, "no", b"closed on Mondays")], needs="denials"),
}
