"""Cookies as they are written, and as they are read again."""

import time
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.web._set_cookie import set_cookie_header
from playground.web.requests import Request, cookie_parser
from playground.web.responses import Response

from .exchange import exactly, http_scope

_KEY = "abcXYZ019!#$%&'*+-.^_`|~"
_values = st.text(st.characters(max_codepoint=255), max_size=12)


@given(st.text(_KEY, min_size=1, max_size=6), _values)
def test_a_cookie_is_read_as_it_was_set(key: str, value: str) -> None:
    if key.lower() in {"path", "domain"}:
        return
    header = set_cookie_header(key, value, {})
    assert cookie_parser(header) == {key: value}


@given(_values)
def test_a_value_is_written_as_the_standard_library_writes_it(value: str) -> None:
    cookie: SimpleCookie = SimpleCookie()
    try:
        cookie["a"] = value
        expected = cookie["a"].OutputString()
    except CookieError:  # newer releases refuse control characters, which are escaped here
        return
    assert set_cookie_header("a", value, {}) == expected


@given(st.lists(st.tuples(st.text(_KEY, min_size=1, max_size=4), _values), max_size=6))
def test_all_cookies_of_a_request_are_read_and_the_last_of_a_name_stands(pairs: list[tuple[str, str]]) -> None:
    written = [set_cookie_header(f"k{name}", value, {}) for name, value in pairs]
    expected = {f"k{name}": value for name, value in pairs}
    together = [(b"cookie", "; ".join(written).encode("latin-1"))] if written else []
    apart = [(b"cookie", cookie.encode("latin-1")) for cookie in written]
    for headers in (together, apart):
        assert Request(http_scope(headers=headers)).cookies == expected


@given(st.text(max_size=60))
def test_whatever_a_cookie_header_holds_it_is_read(header: str) -> None:
    assert all(isinstance(value, str) for value in cookie_parser(header).values())


def test_every_attribute_is_written_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: datetime(2037, 1, 22, 12, tzinfo=UTC).timestamp())
    attributes: dict[str, Any] = {
        "secure": True,
        "samesite": "none",
        "path": "/",
        "max-age": 10,
        "httponly": True,
        "expires": 10,
        "domain": "h",
    }
    assert set_cookie_header("a", "b", attributes) == (
        "a=b; Domain=h; expires=Thu, 22 Jan 2037 12:00:10 GMT; HttpOnly; Max-Age=10; Path=/; SameSite=none; Secure"
    )


def test_a_moment_must_be_in_utc() -> None:
    with pytest.raises(ValueError, match=exactly("usegmt option requires a UTC datetime")):
        Response().set_cookie("a", expires=datetime(2037, 1, 22))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "a b",
            "Illegal key 'a b': expected a cookie's name of letters, digits and !#$%&'*+-.^_`|~: alone. Rename it.",
        ),
        ("", "Illegal key '': expected a cookie's name of letters, digits and !#$%&'*+-.^_`|~: alone. Rename it."),
        ("Path", "Attempt to set a reserved key 'Path': it is an attribute's name. Rename the cookie."),
    ],
)
def test_a_key_that_cannot_be_is_refused(key: str, message: str) -> None:
    with pytest.raises(CookieError, match=exactly(message)):
        Response().set_cookie(key)


@pytest.mark.parametrize("attribute", ["path", "domain", "expires"])
def test_an_attribute_cannot_smuggle_in_a_header(attribute: str) -> None:
    response = Response()
    written = {"path": "Path", "domain": "Domain", "expires": "expires"}[attribute]
    message = (
        f"The attribute {written} of the cookie 'a' was given 'x\\r\\nY: z', which holds a control character: "
        "it could end the header. Remove or encode it."
    )
    with pytest.raises(CookieError, match=exactly(message)):
        response.set_cookie("a", **{attribute: "x\r\nY: z"})  # type: ignore[arg-type]
    assert "set-cookie" not in response.headers


def test_a_value_cannot_smuggle_in_a_header() -> None:
    response = Response()
    response.set_cookie("a", "x\r\nY: z; Path=/")
    assert response.headers["set-cookie"] == 'a="x\\015\\012Y: z\\073 Path=/"; Path=/; SameSite=lax'
