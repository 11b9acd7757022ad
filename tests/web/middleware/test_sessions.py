"""Sessions: what changed is sent, what was not ours is refused, what was not asked for says nothing."""

import json
import sys
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import itsdangerous
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.web.middleware.sessions import Session, SessionMiddleware
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse
from tests.web.exchange import Exchange, call, exactly


def doing(action: Callable[[Any], object], **options: Any) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        action(Request(scope).session)
        await PlainTextResponse("")(scope, receive, send)

    return SessionMiddleware(app, "secret", **options)


def with_cookie(app: ASGIApp, value: str | None) -> Exchange:
    return call(app, headers=[] if value is None else [(b"cookie", f"session={value}".encode())])


def signed(data: bytes, key: str = "secret") -> str:
    return itsdangerous.TimestampSigner(key).sign(b64encode(data)).decode()


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


@pytest.mark.slow
@given(st.dictionaries(st.text(), JSON, min_size=1))
def test_what_is_put_in_comes_back_with_the_cookie(data: dict[str, Any]) -> None:
    cookie = with_cookie(doing(lambda session: session.update(data)), None).headers["set-cookie"]
    value = cookie.removeprefix("session=").partition(";")[0]
    seen: list[dict[str, Any]] = []
    assert "set-cookie" not in with_cookie(doing(seen.append), value).headers
    assert seen == [data]


@pytest.mark.parametrize(
    "value",
    [
        "nonsense",
        "",
        signed(b'{"user": "eve"}', key="guessed"),
        signed(b"[1]"),
        signed(b"no json"),
        signed(b"\xff"),
        signed(b"null"),
    ],
    ids=["nonsense", "nothing", "of another key", "a list", "no JSON", "no text", "null"],  # a signature tells the time
)
def test_a_cookie_that_is_none_of_ours_is_an_empty_session(value: str) -> None:
    seen: list[dict[str, Any]] = []
    assert with_cookie(doing(seen.append), value).error is None
    assert seen == [{}]


def test_a_session_that_was_emptied_takes_its_cookie_away() -> None:
    headers = with_cookie(doing(lambda session: session.clear()), signed(b'{"a": 1}')).headers
    assert headers["set-cookie"] == (
        "session=null; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly; samesite=lax"
    )


def test_attributes_are_those_that_were_asked_for() -> None:
    app = doing(
        lambda session: session.update(a=1),
        max_age=5,
        path="/p",
        same_site="none",
        https_only=True,
        domain="a.org",
        partitioned=True,
    )
    attributes = with_cookie(app, None).headers["set-cookie"].partition("; ")[2]
    assert attributes == "path=/p; Max-Age=5; httponly; samesite=none; secure; domain=a.org; partitioned"


def test_an_answer_varies_by_cookie_only_if_the_session_was_asked_for() -> None:
    assert with_cookie(doing(lambda session: None), None).headers["vary"] == "Cookie"
    assert "vary" not in call(SessionMiddleware(PlainTextResponse(""), "secret")).headers


OPERATIONS: dict[str, Callable[[Any], object]] = {
    "set": lambda session: session.__setitem__("a", 2),
    "delete": lambda session: session.__delitem__("a"),
    "clear": lambda session: session.clear(),
    "pop": lambda session: session.pop("a"),
    "pop other": lambda session: session.pop("other", None),
    "popitem": lambda session: session.popitem(),
    "setdefault": lambda session: session.setdefault("a", 2),
    "setdefault other": lambda session: session.setdefault("other", 2),
    "update": lambda session: session.update(b=2),
    "or": lambda session: session.__ior__({"b": 2}),
    "get": lambda session: session.get("a"),
    "items": json.dumps,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_changes_a_session_is_noticed(name: str) -> None:
    session = Session({"a": 1})
    OPERATIONS[name](session)
    assert session.modified is session.accessed is (session != {"a": 1})


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "itsdangerous", None)
    monkeypatch.delitem(sys.modules, "playground.web.middleware.sessions")
    message = "SessionMiddleware needs the package itsdangerous. Run `pip install itsdangerous`."
    with pytest.raises(ImportError, match=exactly(message)):
        __import__("playground.web.middleware.sessions")
