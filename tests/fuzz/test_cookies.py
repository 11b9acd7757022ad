"""Cookies: what is set comes back from any client as it was, written as the standard library and Starlette write it."""

import asyncio
import string
from http.cookies import CookieError, SimpleCookie
from typing import Any

import httpx
import starlette.requests
import starlette.responses
from hypothesis import strategies as st

import playground.web.requests
import playground.web.responses
from playground.asgi import Receive, Scope, Send
from playground.transport import ASGITransport
from playground.web.requests import Request
from playground.web.responses import Response
from tests.conformance.test_values import cookies_of
from tests.fuzz.kit import attempt, fuzzed, outcome

_values = st.text(st.characters(max_codepoint=255), max_size=8) | st.text('"\\;,= \t\r\n\0é%012abc', max_size=8)
_names = st.text("ab1!#$%&'*+-.^_`|~", min_size=1, max_size=3)
_rests = st.text('/ab;= \r\n\x7fé"', max_size=4)
_attributes = st.fixed_dictionaries(
    {},
    optional={
        "max_age": st.integers(-2, 10**12) | st.none(),
        "expires": st.integers(-(10**9), 10**9) | _rests | st.none(),
        "path": _rests | st.none(),
        "domain": _rests | st.none(),
        "secure": st.booleans(),
        "httponly": st.booleans(),
        "samesite": st.sampled_from([None, "lax", "LAX", "strict", "none", "no"]),
    },
)


@fuzzed(_names | _rests, _values, _attributes)
def test_a_cookie_is_one_header_and_never_more(name: str, value: str, attributes: dict[str, Any]) -> None:
    """Whatever is given, the header is one line that a standard reader takes for this cookie; or it is refused."""
    response = Response()
    _, refused = attempt(
        lambda: response.set_cookie(name, value, **attributes), CookieError, ValueError, AssertionError
    )
    fields = [text for key, text in response.headers.items() if key == "set-cookie"]
    if refused:
        assert not fields
        return
    (header,) = fields
    assert not set(header) & set("\r\n\0\x7f")
    assert header.isascii() or not all(part.isascii() for part in attributes.values() if isinstance(part, str))
    if name.startswith("$"):
        return  # which the standard reader takes for an attribute (RFC 2965), as no browser does
    read: SimpleCookie = SimpleCookie()
    read.load(header.partition("; ")[0])
    assert {key: morsel.value for key, morsel in read.items()} == {name: value}


@fuzzed(_names, _values, _attributes)
def test_a_cookie_is_set_as_starlette_sets_it(name: str, value: str, attributes: dict[str, Any]) -> None:
    if isinstance(attributes.get("expires"), int):
        del attributes["expires"]  # counted from now

    def header(toolkit: Any) -> str:
        response = toolkit.Response()
        response.set_cookie(name, value, **attributes)
        return str(response.headers["set-cookie"])

    theirs = outcome(lambda: header(starlette.responses))
    ours = outcome(lambda: header(playground.web.responses))
    texts = [value, *(part for part in attributes.values() if isinstance(part, str))]
    if any(sign < " " or sign == "\x7f" for text in texts for sign in text):
        return  # which newer releases of Python refuse in a value, where we escape it, and older let pass elsewhere
    assert ours == theirs


@fuzzed(st.dictionaries(_names.filter(lambda name: name[:1] != "$"), _values, min_size=1, max_size=3))
def test_a_cookie_comes_back_through_a_client_as_it_was_set(cookies: dict[str, str]) -> None:
    seen: list[dict[str, str]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(Request(scope).cookies)
        response = Response()
        for name, value in cookies.items():
            response.set_cookie(name, value)
        await response(scope, receive, send)

    async def main() -> None:
        async with httpx.AsyncClient(transport=ASGITransport(app), base_url="http://h.test") as client:
            await client.get("/")
            await client.get("/")

    asyncio.run(main())
    assert seen == [{}, cookies]


_scraps = st.sampled_from(
    [
        *'=;,"\\ \t$%\0\xe9',
        "a",
        "b",
        "a=",
        "=b",
        '="',
        '\\"',
        "\\073",
        "\\8",
        "$Version=1",
        "; ",
        ";;",
        "Path=/",
        "\x85",
    ]
)


@fuzzed(st.lists(_scraps, max_size=10).map("".join), examples=100)
def test_any_header_is_read_as_starlette_reads_it(header: str) -> None:
    assert cookies_of(playground.web.requests, header) == cookies_of(starlette.requests, header)


_plain = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~:", max_size=6)


@fuzzed(st.dictionaries(_names, _plain | _values, max_size=4))
def test_what_the_standard_library_writes_is_read_as_it_was_meant(cookies: dict[str, str]) -> None:
    written: SimpleCookie = SimpleCookie()
    for name, value in cookies.items():
        _, refused = attempt(lambda name=name, value=value: written.__setitem__(name, value), CookieError)  # type: ignore[misc]
        if refused:
            return  # newer releases of Python write no control characters
    header = "; ".join(morsel.OutputString() for morsel in written.values())
    assert playground.web.requests.cookie_parser(header) == cookies
