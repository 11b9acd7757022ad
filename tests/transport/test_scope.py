"""What an app is told of a request before its body."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from playground.transport import http_scope


def test_the_scope_holds_what_the_specification_lists_and_nothing_else() -> None:
    assert http_scope(
        "get",
        b"/a%20b/%C3%A9?q=%20&r",
        [(b"Host", b"lab"), (b"X-A", b"One"), (b"x-a", b"Two")],
        scheme="https",
        host="lab",
        root_path="/sub",
    ) == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": "/a b/é",
        "raw_path": b"/a%20b/%C3%A9",
        "query_string": b"q=%20&r",
        "root_path": "/sub",
        "headers": [(b"host", b"lab"), (b"x-a", b"One"), (b"x-a", b"Two")],
        "client": ("127.0.0.1", 123),
        "server": ("lab", 443),
        "extensions": {"http.response.trailers": {}, "http.response.early_hint": {}},
    }


def test_a_port_that_is_given_is_the_servers() -> None:
    assert http_scope("GET", b"/", port=8000)["server"] == ("testserver", 8000)


def test_the_state_is_copied_for_every_request() -> None:
    state = {"db": [1]}
    first, second = http_scope("GET", b"/", state=state), http_scope("GET", b"/", state=state)
    first["state"]["mine"] = True
    assert second["state"] == {"db": [1]}
    assert second["state"]["db"] is state["db"]
    assert "state" not in http_scope("GET", b"/")


def test_two_scopes_share_nothing_that_an_app_could_write_to() -> None:
    first, second = http_scope("GET", b"/"), http_scope("GET", b"/")
    for key, value in first.items():
        if isinstance(value, dict | list):
            assert second[key] is not value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_path_is_decoded_to_what_was_quoted(path: str) -> None:
    assert http_scope("GET", quote("/" + path).encode("ascii"))["path"] == "/" + path
