"""Headers, multi-dictionaries, URLs and state, held against what they are made from."""

import copy
import pickle
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UsageError
from playground.web.datastructures import (
    URL,
    Address,
    Headers,
    ImmutableMultiDict,
    MultiDict,
    MutableHeaders,
    QueryParams,
    Secret,
    State,
    URLPath,
)

from .exchange import exactly, http_scope

_names = st.text("abcABC-", min_size=1, max_size=4)
_values = st.text(st.characters(max_codepoint=255, blacklist_characters="\r\n\0"), max_size=5)


@given(st.lists(st.tuples(_names, _values), max_size=8))
def test_headers_keep_every_value_under_a_name_in_any_case(pairs: list[tuple[str, str]]) -> None:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs]
    headers = Headers(raw=raw)
    assert headers.raw == raw
    assert headers.items() == [(name.lower(), value) for name, value in pairs]
    for name, _ in pairs:
        values = [value for other, value in pairs if other.lower() == name.lower()]
        assert headers.getlist(name.upper()) == values
        assert headers[name.swapcase()] == headers.get(name) == values[0]
        assert name.upper() in headers
    assert len(headers) == len(list(headers)) == len(pairs)


@given(st.lists(st.tuples(_names, _values), max_size=6), _names, _values)
def test_setting_a_header_leaves_one_in_the_place_of_the_first(
    pairs: list[tuple[str, str]], name: str, value: str
) -> None:
    headers = MutableHeaders()
    for pair in pairs:
        headers.append(*pair)
    before = headers.keys()
    headers[name] = value
    assert headers.getlist(name) == [value]
    place = before.index(name.lower()) if name.lower() in before else len(headers) - 1
    assert headers.items()[place] == (name.lower(), value)
    assert [other for other in headers.items() if other[0] != name.lower()] == [
        (other.lower(), text) for other, text in pairs if other.lower() != name.lower()
    ]
    del headers[name.upper()]
    assert name not in headers


def test_headers_are_shown_as_a_dictionary_or_as_a_list_if_a_name_is_there_twice() -> None:
    assert repr(Headers({"A": "1", "b": "2"})) == "Headers({'a': '1', 'b': '2'})"
    assert repr(Headers(raw=[(b"a", b"1"), (b"a", b"2")])) == "Headers(raw=[(b'a', b'1'), (b'a', b'2')])"


def test_headers_are_equal_in_any_order() -> None:
    assert Headers({"a": "1", "b": "2"}) == Headers({"B": "2", "A": "1"})
    assert Headers({"a": "1"}) != Headers({"a": "2"})
    assert Headers({"a": "1"}) != {"a": "1"}


def test_headers_of_a_scope_follow_the_scope() -> None:
    scope: dict[str, Any] = {"headers": ((b"a", b"1"),)}
    headers = Headers(scope=scope)
    scope["headers"].append((b"b", b"2"))
    assert headers.keys() == ["a", "b"]
    MutableHeaders(scope=scope)["c"] = "3"
    assert (b"c", b"3") in scope["headers"]
    assert "c" not in headers


def test_a_missing_header_is_a_key_error_or_the_default() -> None:
    with pytest.raises(KeyError, match=exactly("'X-No'")):
        Headers()["X-No"]
    assert Headers().get("x-no") is None
    assert Headers().get("x-no", "none") == "none"
    assert 3 not in Headers()  # type: ignore[comparison-overlap]


def test_headers_are_merged_and_extended() -> None:
    headers = MutableHeaders({"a": "1"})
    both = headers | {"B": "2"}
    assert (headers.keys(), both.keys()) == (["a"], ["a", "b"])
    headers |= {"A": "3"}
    assert headers.items() == [("a", "3")]
    assert (headers.setdefault("a", "4"), headers.setdefault("c", "5")) == ("3", "5")
    headers.add_vary_header("Accept")
    headers.append("vary", "Cookie")
    headers.add_vary_header("Origin")
    assert headers.getlist("vary") == ["Accept, Cookie, Origin"]
    with pytest.raises(TypeError, match=exactly("Expected a mapping but got int")):
        headers | 3  # type: ignore[operator]


@pytest.mark.parametrize("break_", ["\r", "\n", "\0"])
def test_a_header_cannot_smuggle_in_another(break_: str) -> None:
    message = (
        f"The header 'x' was given the value {f'a{break_}b'!r}, which holds {break_!r}: it would end the header "
        "and begin another. Remove line breaks and zero bytes from the value, or encode them."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        Headers({"x": f"a{break_}b"})
    with pytest.raises(ValueError, match=exactly(message)):
        MutableHeaders().append("x", f"a{break_}b")


def test_headers_are_made_from_one_thing() -> None:
    with pytest.raises(UsageError, match=exactly('Cannot set both "headers" and "raw".')):
        Headers({"a": "1"}, raw=[])
    with pytest.raises(UsageError, match=exactly('Cannot set both "raw" and "scope".')):
        Headers(raw=[], scope={"headers": []})


_pairs = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=8)


@given(_pairs)
def test_a_multidict_has_the_last_value_and_keeps_all(pairs: list[tuple[str, int]]) -> None:
    multi = ImmutableMultiDict(pairs)
    assert multi.multi_items() == pairs
    assert dict(multi) == dict(pairs)
    for key in "abc":
        assert multi.getlist(key) == [value for name, value in pairs if name == key]
    assert MultiDict(multi) == MultiDict(pairs)


@given(_pairs, st.randoms(use_true_random=False))
def test_multidicts_are_equal_if_each_key_has_the_same_values(pairs: list[tuple[str, int]], random: Any) -> None:
    keys = sorted({name for name, _ in pairs})
    random.shuffle(keys)
    regrouped = [pair for key in keys for pair in pairs if pair[0] == key]
    assert ImmutableMultiDict(pairs) == ImmutableMultiDict(regrouped)
    assert ImmutableMultiDict([*pairs, ("a", 10)]) != ImmutableMultiDict(pairs)
    assert ImmutableMultiDict(pairs) != dict(pairs)


def test_a_multidict_is_changed_key_by_key() -> None:
    multi = MultiDict([("a", 1), ("b", 2), ("a", 3)])
    multi["a"] = 4
    assert multi.multi_items() == [("b", 2), ("a", 4)]
    multi.append("b", 5)
    assert (multi.getlist("b"), multi["b"]) == ([2, 5], 5)
    assert (multi.pop("b"), multi.pop("b"), multi.poplist("a")) == (5, None, [4])
    multi.setlist("c", [6, 7])
    assert multi.popitem() == ("c", 7)
    assert (multi.setdefault("d", 8), multi.setdefault("d", 9)) == (8, 8)
    multi.update([("d", 1), ("d", 2)], e=3)
    assert multi.multi_items() == [("d", 1), ("d", 2), ("e", 3)]
    multi.setlist("d", [])
    del multi["e"]
    with pytest.raises(KeyError):
        del multi["e"]
    multi.clear()
    assert len(multi) == 0
    with pytest.raises(
        UsageError, match=exactly("Too many arguments. Expected at most one positional argument, got 2.")
    ):
        MultiDict([], [])


@given(st.text("ab=&%+;é2Cf", max_size=16))
def test_a_query_is_read_as_the_standard_library_reads_it(query: str) -> None:
    params = QueryParams(query)
    assert params.multi_items() == parse_qsl(query, keep_blank_values=True)
    assert QueryParams(str(params)) == params


def test_query_parameters_are_made_of_text_bytes_or_pairs() -> None:
    assert str(QueryParams(b"a=1&a=2")) == "a=1&a=2"
    assert str(QueryParams([("a", 1), ("a", "x y")])) == "a=1&a=x+y"
    assert str(QueryParams({"a": 1}, b=2)) == "a=1&b=2"
    assert repr(QueryParams("a=1", b=2)) == "QueryParams('a=1&b=2')"
    assert QueryParams()._list == []


def test_a_url_is_taken_apart_and_put_together() -> None:
    url = URL("https://u:p@example.org:123/path?abc=123#end")
    assert (url.scheme, url.hostname, url.port, url.path, url.query, url.fragment) == (
        "https",
        "example.org",
        123,
        "/path",
        "abc=123",
        "end",
    )
    assert (url.username, url.password, url.netloc, url.is_secure) == ("u", "p", "u:p@example.org:123", True)
    assert url.replace(port=None) == "https://u:p@example.org/path?abc=123#end"
    assert url.replace(username=None, password=None, hostname="h") == "https://h:123/path?abc=123#end"
    assert URL("http://h/").replace(hostname="::1", port=8000) == "http://[::1]:8000/"
    assert URL("http://[::1]:80/").replace(hostname="h:81", port=None) == "http://h:81/"
    assert url.include_query_params(abc=4, d="x y") == "https://u:p@example.org:123/path?abc=4&d=x+y#end"
    assert url.replace_query_params(q=1) == "https://u:p@example.org:123/path?q=1#end"
    assert url.remove_query_params(["abc"]) == "https://u:p@example.org:123/path#end"
    assert URL(scheme="http", hostname="h", path="/a") == "http://h/a"


def test_a_urls_password_is_not_shown() -> None:
    assert repr(URL("http://u:secret@h/")) == "URL('http://u:********@h/')"
    assert repr(Secret("secret")) == "Secret('**********')"
    assert (str(Secret("secret")), bool(Secret(""))) == ("secret", False)


@pytest.mark.parametrize(
    ("scope", "url"),
    [
        ({}, "http://testserver/"),
        ({"server": ("h", 8000)}, "http://h:8000/"),
        ({"scheme": "https", "server": ("h", 443)}, "https://h/"),
        ({"server": ("::1", 8000)}, "http://[::1]:8000/"),
        ({"server": None}, "/"),
        ({"server": ("/run/app.sock", None)}, "/"),
        ({"headers": [(b"host", b"Example.com:99")]}, "http://Example.com:99/"),
        ({"path": "/a?b#c", "query_string": b"d=1"}, "http://testserver/a%3Fb%23c?d=1"),
        ({"path": "//evil.example/x", "server": None}, "/%2Fevil.example/x"),
        ({"path": "/\\evil.example/x", "server": None}, "/%5Cevil.example/x"),
    ],
)
def test_the_url_of_a_scope(scope: dict[str, Any], url: str) -> None:
    assert str(URL(scope=http_scope(**scope))) == url


@pytest.mark.parametrize(
    "host", ["a b", "a/b", "user@h", "h:", "h:99999", "[::1", "[::g]", "h\n", "", ":80", "[1.2.3.4]"]
)
def test_a_host_header_that_is_no_host_is_not_believed(host: str) -> None:
    assert str(URL(scope=http_scope(headers=[(b"host", host.encode())]))) == "http://testserver/"


@pytest.mark.parametrize("host", ["h", "h:80", "[::1]", "[::1]:80", "a_b", "a.b-c", "%41", "1.2.3.4", "[v1.x]"])
def test_a_host_header_that_is_a_host_is_believed(host: str) -> None:
    assert URL(scope=http_scope(headers=[(b"host", host.encode())])).netloc == host


def test_a_url_is_made_from_one_thing() -> None:
    with pytest.raises(UsageError, match=exactly('Cannot set both "url" and "scope".')):
        URL("http://h", scope=http_scope())
    with pytest.raises(UsageError, match=exactly('Cannot set both "scope" and "**components".')):
        URL(scope=http_scope(), path="/")


def test_a_path_becomes_a_url_by_its_protocol_and_host() -> None:
    assert URLPath("/p", "http").make_absolute_url("https://h/root/") == "https://h/root/p"
    assert URLPath("/p", "websocket", host="ws.h").make_absolute_url("https://h") == "wss://ws.h/p"
    assert URLPath("/p").make_absolute_url(URL("ws://h")) == "ws://h/p"
    with pytest.raises(UsageError, match=exactly("Expected the protocol 'http', 'websocket' or '', got 'gopher'.")):
        URLPath("/p", "gopher")  # type: ignore[arg-type]


def test_state_is_had_as_attributes_and_as_items() -> None:
    backing: dict[str, Any] = {"a": 1}
    state = State(backing)
    state.b, state["c"] = 2, 3
    assert backing == {"a": 1, "b": 2, "c": 3}
    assert (state["a"], state.c, list(state), len(state)) == (1, 3, ["a", "b", "c"], 3)
    del state.a, state["b"]
    assert backing == {"c": 3}
    with pytest.raises(AttributeError, match=exactly("'State' object has no attribute 'a'")):
        _ = state.a
    with pytest.raises(KeyError, match=exactly("'a'")):
        _ = state["a"]


def test_an_address_is_a_host_and_a_port() -> None:
    assert Address("h", 1) == ("h", 1)


def test_a_state_can_be_copied_and_pickled() -> None:
    state = State({"seen": [1]})
    twins = [copy.copy(state), copy.deepcopy(state), pickle.loads(pickle.dumps(state))]
    assert [twin.seen for twin in twins] == [[1], [1], [1]]
    twins[1].seen = twins[2].seen = [2]
    assert state.seen == [1]
