"""What the pages of the site say, in plain data: the part of it that no framework has a say in.

The site is described by the cases in `cases.py`, and made once for each framework in the modules named
`on_...`. What they have in common stands here, so that a module is about its framework alone.
"""

import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import Any

__all__ = [
    "CHUNKS",
    "EVENTS",
    "FOLDER",
    "GATES",
    "HELLO",
    "LARGE",
    "LATIN",
    "MOVED",
    "Tally",
    "echoed",
    "fail",
    "gate",
    "sent",
]

HELLO = "Hello, w\u00f6rld"
LARGE = bytes(range(256)) * 4200  # more than a mebibyte, and than any buffer on the way
CHUNKS = [b"one\n", b"\x00\xff" * 700, b"x" * 100_000, "tr\u00eas".encode()]
EVENTS = ["id: 1\ndata: h\u00e9\n\n", "event: tick\ndata: 2\n\n", ": a comment\n\n", "data: a\ndata: b\n\n"]
LATIN = "caf\u00e9"
MOVED = "/echo?moved=1&x=%C3%A9"
FOLDER = Path(__file__).parent / "static"

GATE_S = 5
"""How long a page waits for the request that its client sends while it reads; a client that cannot never comes."""

GATES: defaultdict[str, threading.Event] = defaultdict(threading.Event)


def gate(name: str) -> str:
    """Wait in a thread until a gate is opened; return the event that says whether it was."""
    return "data: opened\n\n" if GATES[name].wait(GATE_S) else "data: nobody came\n\n"


class Tally:
    """What has come of a body, without keeping it."""

    def __init__(self, data: bytes = b"") -> None:
        self.size = 0
        self._hash = hashlib.sha256()
        self.add(data)

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self._hash.update(data)

    def told(self) -> dict[str, Any]:
        return {"size": self.size, "sha256": self._hash.hexdigest()}


def by_name(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Sort pairs by their names, for Litestar gives them in any order; those of one name stay as they came."""
    return [list(pair) for pair in sorted(pairs, key=itemgetter(0))]


def echoed(method: str, query: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]], body: bytes) -> Any:
    """What `/echo` says of a request; of its headers those that begin with `x-`, and the type."""
    # With or without a space between the values of a repeated header: that is the server's choice (RFC 9110, 5.3).
    own = [(name.lower(), re.sub(", *", ",", value)) for name, value in headers]
    own = [pair for pair in own if pair[0].startswith("x-") or pair[0] == "content-type"]
    return {
        "method": method,
        "query": by_name(query),
        "headers": by_name(own),
        "body": Tally(body).told(),
    }


def sent(fields: Iterable[tuple[str, str]], files: Iterable[tuple[str, Any, Any, bytes]]) -> Any:
    """What `/form` and `/upload` say: names, and of files also file name, type and content."""
    return {
        "fields": by_name(fields),
        "files": [
            [name, filename, kind, Tally(data).told()]
            for name, filename, kind, data in sorted(files, key=itemgetter(0))
        ],
    }


def fail() -> None:
    """The fault of `/error`."""
    raise RuntimeError("on purpose")
