"""How what an app defines is named: by the recorder's own means where the app's would fail or run code of its own."""

import enum
from typing import Any

import pytest

from playground import App, Lab
from playground.trace.sites import label


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_an_exception_whose_text_fails_is_recorded_by_its_type_and_reaches_its_caller() -> None:
    app = App()

    @app.get("/")
    def fails() -> Any:
        raise MuteError

    with Lab(app) as lab:
        run = lab.burst("/", n=1)
        with pytest.raises(MuteError):
            lab.get("/")
    assert [request.error for request in run.trace.requests] == ["MuteError (whose text cannot be had)"]


def test_a_class_of_another_kind_is_named_as_any_class() -> None:
    class Colour(enum.Enum):
        RED = 1

    assert [label(each) for each in (int, Colour, Colour.RED, len, "".join)] == [
        "int",
        f"{test_a_class_of_another_kind_is_named_as_any_class.__name__}.<locals>.Colour",
        f"{test_a_class_of_another_kind_is_named_as_any_class.__name__}.<locals>.Colour",
        "len",
        "str.join",
    ]
