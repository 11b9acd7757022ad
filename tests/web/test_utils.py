"""The small questions that several modules ask."""

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import create_autospec

import pytest

from playground.web._utils import create_collapsing_task_group, get_route_path, is_async_callable

from .exchange import Backend, exactly, run

BACKENDS: list[Backend] = ["asyncio", "trio"]


async def asynchronous() -> None: ...


def synchronous() -> None: ...


class Asynchronous:
    async def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (asynchronous, True),
        (synchronous, False),
        (partial(partial(asynchronous)), True),
        (partial(synchronous), False),
        (Asynchronous(), True),
        (partial(Asynchronous()), True),
        (Asynchronous, False),
        (create_autospec(asynchronous), True),
        (3, False),
    ],
)
def test_what_gives_a_coroutine_is_known_before_it_is_called(function: Any, expected: bool) -> None:
    assert is_async_callable(function) is expected


@pytest.mark.parametrize(
    ("path", "root_path", "rest"),
    [("/a/b", "", "/a/b"), ("/a/b", "/a", "/b"), ("/a", "/a", ""), ("/ab", "/a", "/ab"), ("/b", "/a", "/b")],
)
def test_the_path_without_its_root_is_cut_at_a_slash(path: str, root_path: str, rest: str) -> None:
    assert get_route_path({"path": path, "root_path": root_path}) == rest


def _raising(error: Exception) -> Callable[[], Any]:
    async def function() -> None:
        raise error

    return function


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_only_error_of_a_group_is_raised_as_it_is(backend: Backend) -> None:
    async def one() -> None:
        async with create_collapsing_task_group() as group:
            group.start_soon(_raising(LookupError("one")))

    async def own_group() -> None:
        async with create_collapsing_task_group():
            raise ExceptionGroup("the app's own", [LookupError("one")])

    async def two() -> None:
        async with create_collapsing_task_group() as group:
            group.start_soon(_raising(LookupError("one")))
            raise ValueError("two")

    with pytest.raises(LookupError, match=exactly("one")):
        run(one, backend)
    with pytest.raises(ExceptionGroup, match=r"^the app's own"):
        run(own_group, backend)
    with pytest.raises(ExceptionGroup) as caught:
        run(two, backend)
    assert {type(error) for error in caught.value.exceptions} == {LookupError, ValueError}
