"""What is thrown at a thread lands in its own code, at whatever it is, and what was borrowed for it is given back."""

import asyncio
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from playground.clock.thrown import IS_KEPT, forget, throw

monitoring: Any = getattr(sys, "monitoring", None)


class Thrown(BaseException):
    pass


def spin(begun: threading.Event) -> None:
    begun.set()
    while True:
        pass


def spin_in_one_line(begun: threading.Event) -> None:
    begun.set()
    while True: pass  # fmt: skip  # noqa: E701


def spin_in_a_generator(begun: threading.Event) -> None:
    begun.set()
    sum(1 for _ in itertools.count())


def spin_in_calls(begun: threading.Event) -> None:
    def nothing(_: int) -> bool:
        return False

    begun.set()
    any(map(nothing, itertools.count()))


def spin_in_a_comprehension(begun: threading.Event) -> None:
    begun.set()
    [1 for number in itertools.count() if number < 0]


def spin_among_exceptions(begun: threading.Event) -> None:
    begun.set()
    while True:
        try:
            raise ValueError
        except Exception:  # noqa: BLE001, S110 (what an app may do)
            pass


def spin_in_a_library(begun: threading.Event) -> None:
    begun.set()
    while True:
        threading.Event().is_set()


@pytest.fixture(autouse=True)
def nothing_is_left_borrowed() -> Iterator[None]:
    yield
    if monitoring is not None:
        assert [monitoring.get_tool(number) for number in (3, 4)] == [None, None]


@pytest.mark.parametrize(
    "function",
    [
        *(spin, spin_in_one_line, spin_in_a_generator, spin_in_calls),
        *(spin_in_a_comprehension, spin_among_exceptions, spin_in_a_library),
    ],
)
def test_it_ends_whatever_spins(function: Callable[[threading.Event], None]) -> None:
    begun = threading.Event()
    ended: list[str] = []

    def run() -> None:
        try:
            function(begun)
        except Thrown:
            ended.append("Thrown")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    begun.wait(30)
    ident = thread.ident or 0
    for _ in range(50):
        throw(Thrown, ident, lambda: [True])
        thread.join(0.1)
        if not thread.is_alive():
            break  # else another look: the first may have been too early
    forget(ident)
    assert ended == ["Thrown"]


def test_nothing_is_raised_if_it_is_not_so() -> None:
    begun, released = threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        while not released.is_set():
            pass

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait(30)
    assert throw(Thrown, thread.ident or 0, lambda: [False]) is False
    assert throw(Thrown, thread.ident or 0, lambda: [True], sys._getframe()) is False  # it is not within this
    released.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_thread_that_has_nothing_of_its_own_is_left_alone() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(30)
    assert throw(Thrown, thread.ident or 0, lambda: [True]) is False
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    assert not thread.is_alive()
    loop.close()


@pytest.mark.skipif(not IS_KEPT, reason="raised at once")
def test_what_is_forgotten_is_not_raised() -> None:
    begun, go_on, over = threading.Event(), threading.Event(), threading.Event()
    lines: list[int] = []

    def run() -> None:
        begun.set()
        go_on.wait(30)
        lines.append(1)
        over.wait(30)
        lines.append(2)

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait(30)
    ident = thread.ident or 0
    assert throw(Thrown, ident, lambda: [True]) is True
    forget(ident)
    go_on.set()
    over.set()
    thread.join(30)
    assert lines == [1, 2]


@pytest.mark.skipif(monitoring is None, reason="without sys.monitoring")
def test_where_other_tools_watch_all_lines_nothing_is_thrown() -> None:
    begun, released = threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        while not released.is_set():
            pass

    for number in (3, 4):
        monitoring.use_tool_id(number, "another")
    try:
        thread = threading.Thread(target=run)
        thread.start()
        begun.wait(30)
        assert throw(Thrown, thread.ident or 0, lambda: [True]) is False
        assert monitoring.get_tool(4) == "another"
    finally:
        for number in (3, 4):
            monitoring.free_tool_id(number)
        released.set()
    thread.join(30)
    assert not thread.is_alive()
