"""Parameters of `App`'s handlers: where they come from, how they are converted, and what is said if they do not."""

import json
import uuid
from typing import Annotated, Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import App
from playground.web.exceptions import HTTPException
from playground.web.requests import Request
from tests.asking import ask, problem_of
from tests.web.exchange import call


def many(  # type: ignore[no-untyped-def]  # a learner's first handler has no annotations
    text: str,
    whole: int,
    number: float,
    flag: bool,
    key: uuid.UUID,
    maybe: Optional[int] = None,  # noqa: UP045  the older spelling must work too
    union: int | None = None,
    noted: Annotated[int, "a note"] = 5,
    bare="bare",
) -> list[Any]:
    return [text, whole, number, flag, str(key), maybe, union, noted, bare]


KEY = "12345678-1234-5678-1234-567812345678"


def test_parameters_are_converted_by_their_annotations() -> None:
    query = f"text=a+b&whole=-7&number=1e3&flag=Yes&key={KEY}"
    assert json.loads(ask(many, query).body) == ["a b", -7, 1000.0, True, KEY, None, None, 5, "bare"]
    more = f"{query}&maybe=1&union=2&noted=3&bare=4"
    assert json.loads(ask(many, more).body)[5:] == [1, 2, 3, "4"]


def test_parameters_come_from_the_path_by_name_whatever_its_convertors() -> None:
    def handler(a: int, b: int, c: float, d: uuid.UUID, e) -> list[Any]:  # type: ignore[no-untyped-def]
        return [a, b, c, str(d), str(e)]

    template = "/{a}/{b:int}/{c:int}/{d:uuid}/{e:path}"
    assert json.loads(ask(handler, path=f"/1/2/3/{KEY}/x/y", template=template).body) == [1, 2, 3.0, KEY, "x/y"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("TRUE", True), ("on", True), ("y", True), ("0", False), ("False", False), ("off", False)],
)
def test_a_flag_is_said_in_many_words(text: str, value: bool) -> None:
    def handler(flag: bool) -> list[bool]:
        return [flag]

    assert json.loads(ask(handler, f"flag={text}").body) == [value]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("whole", "x", "a whole number"),
        ("whole", "1.5", "a whole number"),
        ("whole", "1_000", "a whole number"),
        ("whole", "%201", "a whole number"),
        ("whole", "9" * 5000, "a whole number"),
        ("number", "1,5", "a number"),
        ("number", "nan", "a number"),
        ("number", "1_0.0", "a number"),
        ("flag", "maybe", "true or false"),
        ("key", "123", "a UUID"),
        ("union", "", "a whole number"),
    ],
)
def test_a_parameter_that_does_not_convert_is_named(name: str, text: str, wanted: str) -> None:
    good = {"text": "a", "whole": "1", "number": "1", "flag": "1", "key": KEY}
    query = "&".join(f"{key}={value}" for key, value in {**good, name: text}.items())
    shown = text.replace("%20", " ")
    message = f"The query parameter {name!r} must be {wanted}, got {shown!r}."
    answer = problem_of(ask(many, query))
    assert answer == (422, [{"loc": ["query", name], "msg": message, "input": shown}])


def test_every_parameter_that_is_missing_or_wrong_is_named() -> None:
    def handler(key: int, whole: int, text: str) -> str:
        return "never"

    status, problems = problem_of(ask(handler, "whole=x", path="/seven", template="/{key}"))
    assert status == 422
    assert [problem["msg"] for problem in problems] == [
        "The path parameter 'key' must be a whole number, got 'seven'.",
        "The query parameter 'whole' must be a whole number, got 'x'.",
        "The query parameter 'text' is missing: it must be a text.",
    ]


def test_a_422_may_be_answered_in_ones_own_way() -> None:
    app = App()

    @app.get("/x")
    def handler(whole: int) -> str:
        return "never"

    @app.exception_handler(422)
    def explain(request: Request[Any], error: HTTPException) -> str:
        return error.detail

    answer = call(app, "/x")
    assert (answer.status, answer.text) == (422, "The query parameter 'whole' is missing: it must be a whole number.")


@given(st.integers(-(10**40), 10**40), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.uuids())
def test_what_python_writes_is_read_back(whole: int, number: float, flag: bool, key: uuid.UUID) -> None:
    def handler(whole: int, number: float, flag: bool, key: uuid.UUID) -> dict[str, Any]:
        return {"same": [whole, number, flag, key] == expected}

    expected = [whole, number, flag, key]
    number_text = repr(number).replace("+", "%2B")
    answer = ask(handler, f"whole={whole}&number={number_text}&flag={flag}&key={key}")
    assert answer.text == '{"same":true}'


def test_a_handler_may_take_the_request_by_name_or_by_annotation() -> None:
    def by_name(request, whole: int) -> str:  # type: ignore[no-untyped-def]
        return f"{request.method} {whole}"

    def by_annotation(whole: int, asked: Request) -> str:
        return f"{asked.method} {whole}"

    def by_annotation_with_state(asked: Request[Any]) -> str:
        return asked.url.path

    def for_the_path(request: Request) -> str:
        return str(request.path_params)

    assert ask(by_name, "whole=1").text == "GET 1"
    assert ask(by_annotation, "whole=1").text == "GET 1"
    assert ask(by_annotation_with_state).text == "/x"
    assert ask(for_the_path, path="/items/7", template="/items/{key}").text == "{'key': '7'}"
