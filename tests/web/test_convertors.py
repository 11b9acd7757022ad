"""Each kind of path parameter reads what it writes, and refuses to write what it could not read."""

import math
import re
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import RouteError
from playground.web.convertors import (
    CONVERTOR_TYPES,
    Convertor,
    FloatConvertor,
    IntegerConvertor,
    PathConvertor,
    StringConvertor,
    UUIDConvertor,
    register_url_convertor,
)
from playground.web.routing import Route, Router

from .exchange import call, exactly


@given(st.text(min_size=1).filter(lambda text: "/" not in text))
def test_a_text_without_slashes_comes_back_as_it_was(text: str) -> None:
    convertor = StringConvertor()
    assert re.fullmatch(convertor.regex, convertor.to_string(text))
    assert convertor.convert(convertor.to_string(text)) == text


@given(st.text())
def test_a_path_comes_back_as_it_was(text: str) -> None:
    assert PathConvertor().convert(PathConvertor().to_string(text)) == text


@given(st.integers(min_value=0, max_value=10**300))
def test_a_whole_number_comes_back_as_it_was(number: int) -> None:
    text = IntegerConvertor().to_string(number)
    assert re.fullmatch(IntegerConvertor.regex, text)
    assert IntegerConvertor().convert(text) == number


@given(st.floats(min_value=1e-3, max_value=1e300))
def test_a_number_comes_back_as_it_was_to_twenty_places(number: float) -> None:
    text = FloatConvertor().to_string(number)
    assert re.fullmatch(FloatConvertor.regex, text)
    assert math.isclose(FloatConvertor().convert(text), number, rel_tol=1e-15)


@given(st.uuids())
def test_a_uuid_comes_back_as_it_was(key: uuid.UUID) -> None:
    assert UUIDConvertor().convert(UUIDConvertor().to_string(key)) == key
    assert UUIDConvertor().convert(key.hex) == key


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("str", "a/b", "May not contain path separators"),
        ("str", "", "Must not be empty"),
        ("int", -1, "Negative integers are not supported"),
        ("float", -0.5, "Negative floats are not supported"),
        ("float", math.nan, "NaN values are not supported"),
        ("float", math.inf, "Infinite values are not supported"),
    ],
)
def test_a_value_that_no_path_could_hold_is_refused(kind: str, value: Any, message: str) -> None:
    with pytest.raises(RouteError, match=exactly(f"{message}")):
        CONVERTOR_TYPES[kind].to_string(value)


class _Hex(Convertor[int]):
    regex = "[0-9a-f]+"

    def convert(self, value: str) -> int:
        return int(value, 16)

    def to_string(self, value: int) -> str:
        return f"{value:x}"


class _Anything(_Hex):
    """Its expression may match a slash, which a matcher by segments must notice."""

    regex = r"[0-9]+(?:/[0-9]+)?"

    def convert(self, value: str) -> int:
        return sum(int(part) for part in value.split("/"))


@pytest.mark.parametrize(
    ("convertor", "path", "value"),
    [(_Hex(), "/n/ff", 255), (_Anything(), "/n/1/2", 3), (_Anything(), "/n/4", 4)],
)
def test_a_registered_convertor_is_used(
    convertor: Convertor[int], path: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONVERTOR_TYPES, "mine", StringConvertor())
    register_url_convertor("mine", convertor)

    async def endpoint(request: Any) -> Any:
        raise AssertionError("only matched, never called")

    router = Router([Route("/n/{n:mine}", endpoint, methods=["POST"])])
    answer = call(router, path)
    assert answer.status == 405
    assert answer.scope["path_params"] == {"n": value}
