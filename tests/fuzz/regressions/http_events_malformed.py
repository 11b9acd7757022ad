"""Malformed messages of an app that were not refused in words, or not at all.

A `content-length` of 5,000 digits was Python's own ValueError about reading numbers, `links` that are no list a
TypeError; headers that are no list too (see `headers_no_one_sends`). Of two lengths that differ the last one counted,
where every server refuses both.
"""

import asyncio
from typing import Any

import pytest

from playground.asgi import Receive, Scope, Send
from playground.errors import ProtocolError
from playground.transport import Exchange, http_scope
from tests.web.exchange import exactly


def _refused(message: dict[str, Any], words: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, **message})

    with pytest.raises(ProtocolError, match=exactly(f"GET /x: expected {words}")):
        asyncio.run(Exchange(app, http_scope("GET", b"/x")).complete())


def test_a_length_of_too_many_digits_is_refused() -> None:
    _refused(
        {"headers": [(b"content-length", b"9" * 5_000)]},
        f"a `content-length` in at most 18 digits, but `http.response.start` holds b'{'9' * 55}.... "
        "Send the number of bytes of the body, or leave the header out.",
    )


def test_two_lengths_are_refused_but_for_one_told_twice() -> None:
    for other in (b"2", b""):
        _refused(
            {"headers": [(b"content-length", b"3"), (b"Content-Length", other)]},
            f"one `content-length`, but `http.response.start` holds b'3' and {other!r}. "
            "Send the number of bytes of the body, or leave the header out.",
        )


def test_links_that_are_no_list_of_bytes_are_refused() -> None:
    cases: list[tuple[Any, str]] = [(7, "7"), (["a"], "'a'"), ("a", "'a'"), (b"a", "97"), ([None], "None")]
    for links, shown in cases:
        _refused(
            {"type": "http.response.early_hint", "links": links},
            f"`links` of bytes, but `http.response.early_hint` holds {shown}. "
            "Send a list of the values of `Link` headers.",
        )
