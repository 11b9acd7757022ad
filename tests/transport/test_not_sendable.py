"""What no client could send, of any length and with any character: told in a line that a terminal can show."""

import asyncio
from typing import Any

import httpx
import pytest

from playground.errors import UsageError
from playground.transport import ASGITransport, connect

LONG = "a" * 10_000


async def never(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("no app is to see this")


def words_of(method: str, path: str, headers: dict[str, str] | None = None) -> str:
    async def main() -> None:
        async with httpx.AsyncClient(transport=ASGITransport(never), base_url="http://x") as client:
            await client.request(method, path, headers=headers)

    with pytest.raises(httpx.LocalProtocolError) as caught:
        asyncio.run(main())
    return str(caught.value)


def test_a_request_is_named_shortly_and_without_control_characters() -> None:
    assert words_of("G T", f"/%1b[31m{LONG}") == (
        rf"G T /\x1b[31m{'a' * 48}...: expected a method that is a token, but it is 'G T'. Write letters alone."
    )


def test_a_long_method_is_cut() -> None:
    method = f"G {LONG.upper()}"
    assert words_of(method, "/") == (
        f"{method[:57]}... /: expected a method that is a token, but it is '{method[:56]}.... Write letters alone."
    )


def test_a_long_name_and_a_long_value_are_cut() -> None:
    assert words_of("GET", "/", {f"{LONG} a": "1"}) == (
        f"GET /: expected header names that are tokens, but one is b'{'a' * 55}.... "
        "Write letters, digits and hyphens alone."
    )
    assert words_of("GET", "/", {LONG: f"{LONG} "}) == (
        f"GET /: expected header values without line breaks, and without blanks around them, but b'{'a' * 55}... has "
        f"b'{'a' * 55}.... Strip it. Remove line breaks and other control characters from it, or encode them."
    )


def test_so_it_is_of_a_websocket() -> None:
    async def main(path: str, offered: list[str]) -> None:
        async with connect(never, path, subprotocols=offered):
            pass

    with pytest.raises(UsageError) as caught:
        asyncio.run(main(f"/{LONG}", [f"{LONG},"]))
    assert str(caught.value) == (
        f"WS '/{'a' * 55}...: expected subprotocols that are tokens, but one is '{'a' * 56}.... "
        "Write letters, digits and hyphens alone."
    )
