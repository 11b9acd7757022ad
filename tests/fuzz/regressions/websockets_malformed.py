"""Malformed messages of an app over a websocket that were taken, or refused in Python's words.

A header `(5, b"b")` of an accept became five zero bytes, a header of text a TypeError, and one with a line break went
through; a close code of text was taken, and the client heard of it by a ValueError from within; text with half of a
surrogate pair, which no socket can carry, came through. Servers by wsproto and by websockets refuse them all.
"""

import asyncio
from typing import Any

import pytest

from playground.asgi import Message, Receive, Scope, Send
from playground.errors import ProtocolError, UsageError
from playground.transport import connect
from tests.web.exchange import exactly

ACCEPT: Message = {"type": "websocket.accept"}


def _refused(words: str, *messages: Message) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    async def main() -> None:
        async with connect(app, "/x") as session:
            await session.receive()

    with pytest.raises(ProtocolError, match=exactly(f"WS /x: expected {words}")):
        asyncio.run(main())


def test_headers_that_are_not_pairs_of_bytes_are_refused() -> None:
    cases: list[tuple[Any, str]] = [([(5, b"b")], "a tuple"), ([(b"a", "b")], "a tuple"), (7, "7")]
    for headers, shown in cases:
        _refused(
            f"`headers` of (name, value) pairs of bytes, but `websocket.accept` holds {shown}. "
            'Write b"name", or encode the text as latin-1.',
            {**ACCEPT, "headers": headers},
        )


def test_a_header_with_a_line_break_is_refused() -> None:
    _refused(
        "header values without line breaks, but `websocket.accept` holds b'b\\r\\nc: d' as b'a'. "
        "Remove line breaks and other control characters from it, or encode them.",
        {**ACCEPT, "headers": [(b"a", b"b\r\nc: d")]},
    )


def test_a_subprotocol_that_is_no_token_is_refused() -> None:
    for chosen in (7, "a\r\nb", " "):
        _refused(
            f"a `subprotocol` that is a token, or none, but `websocket.accept` holds {chosen!r}. "
            'Choose one of scope["subprotocols"].',
            {**ACCEPT, "subprotocol": chosen},
        )


def test_a_close_code_that_does_not_fit_into_two_bytes_is_refused() -> None:
    for code in ("1000", -1, 65_536):
        _refused(
            f"a `code` of two bytes, an int, but `websocket.close` holds {code!r}. "
            "Send 1000, or one from 3000 to 4999 of your own.",
            ACCEPT,
            {"type": "websocket.close", "code": code},
        )


def test_a_reason_that_is_no_text_is_refused() -> None:
    _refused(
        "a `reason` of str, but `websocket.close` holds 7. Send text, or none.",
        ACCEPT,
        {"type": "websocket.close", "reason": 7},
    )


def test_text_that_is_no_utf_8_is_refused() -> None:
    _refused(
        "`text` that is UTF-8 on the wire, but `websocket.send` holds half of a surrogate pair. "
        "Send what came as bytes as bytes, or decode it with errors='replace'.",
        ACCEPT,
        {"type": "websocket.send", "text": "\ud800"},
    )


def test_a_client_cannot_send_such_text_either() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await receive()
        await receive()

    async def main() -> None:
        async with connect(app, "/x") as session:
            await session.send_text("\ud800")

    message = (
        "WS /x: expected text that is UTF-8 on the wire, but it holds half of a surrogate pair. "
        "Send what came as bytes as bytes, or decode it with errors='replace'."
    )
    with pytest.raises(UsageError, match=exactly(message)):
        asyncio.run(main())
