"""Queries and paths: whatever stands there is read as Starlette reads it, and bound to a handler or told in words."""

import json
import uuid
from typing import Any
from urllib.parse import parse_qsl, urlencode

import starlette.datastructures
import starlette.requests
from hypothesis import strategies as st

import playground.web.datastructures
import playground.web.requests
from playground import App
from playground.web.datastructures import QueryParams
from tests.conformance.test_values import query_of
from tests.fuzz.kit import fuzzed, outcome
from tests.web.exchange import call

_texts = st.text(max_size=5) | st.text("a=&%+; é\x00\ud800", max_size=5)
_encodable = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_pairs = st.lists(st.tuples(_encodable, _encodable), max_size=4)
_scraps = st.sampled_from([b"a", b"=", b"&", b"%", b"%41", b"%e9", b"%c3%a9", b"%zz", b"+", b";", b"\xe9", b"\0", b"#"])
_queries = st.lists(_scraps, max_size=10).map(b"".join) | st.binary(max_size=12)


@fuzzed(_queries, examples=100)
def test_any_query_is_read_as_starlette_reads_it(query: bytes) -> None:
    assert query_of(playground.web.requests, query) == query_of(starlette.requests, query)


@fuzzed(_pairs)
def test_parameters_that_are_written_are_read_again(pairs: list[tuple[str, str]]) -> None:
    assert QueryParams(str(QueryParams(pairs))).multi_items() == pairs
    assert QueryParams(urlencode(pairs)).multi_items() == parse_qsl(urlencode(pairs), keep_blank_values=True)


@fuzzed(_queries, st.sampled_from(["a", "b", "é", ""]), _texts)
def test_a_urls_parameters_are_changed_as_starlette_changes_them(query: bytes, name: str, value: str) -> None:
    text = "http://h/p?" + query.decode("latin-1")

    def changed(toolkit: Any) -> list[str]:
        url = toolkit.URL(text)
        included = url.include_query_params(**{name: value}) if name else url
        return [str(included), str(url.replace_query_params(x=value)), str(url.remove_query_params(name)), repr(url)]

    ours = outcome(lambda: changed(playground.web.datastructures))
    assert ours == outcome(lambda: changed(starlette.datastructures))


_calls = st.sampled_from(
    ["set", "del", "pop", "popitem", "poplist", "clear", "setdefault", "setlist", "append", "update", "updates"]
)
_keys = st.sampled_from(["a", "b", "c"])


@fuzzed(_pairs, st.lists(st.tuples(_calls, _keys, st.lists(st.integers(0, 3), max_size=3)), max_size=6))
def test_a_dictionary_of_many_values_changes_as_starlettes(pairs: list[Any], calls: list[Any]) -> None:
    pairs = [*pairs, ("a", 1), ("b", 2), ("a", 3)]
    ours, theirs = playground.web.datastructures.MultiDict(pairs), starlette.datastructures.MultiDict(pairs)
    for what, key, values in calls:
        assert outcome(lambda: _change(ours, what, key, values)) == outcome(  # noqa: B023  called at once
            lambda: _change(theirs, what, key, values)  # noqa: B023
        )
        assert (ours.multi_items(), dict(ours)) == (theirs.multi_items(), dict(theirs))
        assert (ours.getlist("a"), len(ours), list(ours)) == (theirs.getlist("a"), len(theirs), list(theirs))


def _change(data: Any, what: str, key: str, values: list[int]) -> Any:
    value = values[0] if values else None
    if what == "set":
        data[key] = value
        return None
    if what == "del":
        del data[key]
        return None
    if what == "update":
        return data.update({key: value})
    if what == "updates":
        return data.update([(key, one) for one in values], z=value)
    arguments: dict[str, tuple[Any, ...]] = {
        "pop": (key, value), "popitem": (), "poplist": (key,), "clear": (), "setdefault": (key, value),
        "setlist": (key, values), "append": (key, value),
    }  # fmt: skip
    return getattr(data, what)(*arguments[what])


app = App()


@app.get("/query")
def of_query(
    whole: int, number: float = 0.5, flag: bool = False, key: uuid.UUID | None = None, text: str = ""
) -> dict[str, Any]:
    return {"whole": whole, "number": number, "flag": flag, "key": str(key), "text": text}


@app.get("/whole/{whole:int}")
def of_whole(whole: int) -> dict[str, Any]:
    return {"whole": whole}


@app.get("/number/{number:float}")
def of_number(number: float) -> dict[str, Any]:
    return {"number": number}


@app.get("/as/{number:int}")
def of_whole_as_number(number: float) -> dict[str, Any]:
    return {"number": number}


@app.get("/key/{key:uuid}")
def of_key(key: uuid.UUID) -> dict[str, Any]:
    return {"key": str(key)}


_odd = st.sampled_from(
    [
        *("1", "-1", "+1", "1_0", " 1", "1e400", "-0.0", "nan", "inf", "٣", "²", "1.5", "0x1", "true", "Ⅷ", "", "\x00"),
        *("9" * 400, "9" * 5_000, "0" * 5_000 + "1", "1." + "9" * 400, "{" + "0" * 32 + "}", "urn:uuid:" + "0" * 32),
    ]
)
_given = st.dictionaries(
    st.sampled_from(["whole", "number", "flag", "key", "text", "x"]), _odd | _encodable, max_size=5
)


@fuzzed(_given)
def test_any_query_is_bound_or_answered_422_in_words(given: dict[str, str]) -> None:
    answer = call(app, "/query", query_string=urlencode(given).encode())
    assert answer.error is None
    assert answer.status in (200, 422), answer.text
    if answer.status == 422:
        assert answer.text.startswith(("The query parameter '", '{"')), answer.text
        return
    said = json.loads(answer.text, parse_constant=_refuse)
    assert said["whole"] == int(given["whole"])
    assert said["text"] == given.get("text", "")


@fuzzed(st.sampled_from(["whole", "number", "key", "as"]), _odd | _encodable)
def test_any_path_is_bound_or_not_found(kind: str, text: str) -> None:
    answer = call(app, f"/{kind}/{text}")
    assert answer.error is None
    assert answer.status in (200, 404, 422, 307), answer.text
    if answer.status == 200:
        json.loads(answer.text, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@fuzzed(_texts | st.text("htp:/[]@?#a%1 é", max_size=12))
def test_any_text_is_a_url_as_it_is_for_starlette(text: str) -> None:
    def parts(toolkit: Any) -> list[Any]:
        url = toolkit.URL(text)
        names = (
            "scheme",
            "netloc",
            "path",
            "query",
            "fragment",
            "username",
            "password",
            "hostname",
            "port",
            "is_secure",
        )
        return [getattr(url, name) for name in names]

    assert outcome(lambda: parts(playground.web.datastructures)) == outcome(lambda: parts(starlette.datastructures))
