"""Sites: whose code it is, what its lines are, and names that are found without touching the user's objects."""

import asyncio
import contextvars
import functools
import inspect
import json

import anyio.to_thread
import httpx
import pytest

import playground.demo
import playground.lab
from playground.code import is_own
from playground.trace.sites import WAITS, Sites, label
from playground.trace.source import call_text


def plain() -> None: ...


def takes(argument: int) -> None: ...


class Thing:
    def method(self) -> None: ...

    def __call__(self, argument: int) -> None: ...

    def __repr__(self) -> str:
        raise AssertionError("the recorder must not repr() a user's object")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise AssertionError("the recorder must not compare a user's object")

    __hash__ = object.__hash__


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (plain, "plain"),
        (Thing().method, "Thing.method"),
        (Thing(), "Thing"),
        (len, "len"),
        ([].append, "list.append"),
        (functools.partial(functools.partial(takes), 1), "takes"),
        (functools.partial(contextvars.copy_context().run, plain), "plain"),
        (functools.partial(contextvars.copy_context().run, functools.partial(takes, 1)), "takes"),
        (functools.partial(Thing(), 1), "Thing"),
    ],
)
def test_a_callable_is_called_by_its_name(function: object, name: str) -> None:
    assert label(function) == name


@pytest.mark.parametrize(
    ("filename", "own"),
    [
        (__file__, True),
        ("/home/ada/project/app.py", True),
        ("<ipython-input-3-abc>", True),
        ("/tmp/ipykernel_42/123.py", True),
        (playground.demo.__file__, True),
        (playground.lab.__file__, False),
        (asyncio.sleep.__code__.co_filename, False),
        (json.__file__, False),
        (httpx.__file__, False),
        ("<frozen importlib._bootstrap>", False),
    ],
)
def test_own_code_is_told_from_libraries(filename: str, own: bool) -> None:
    assert is_own(filename) is own


def test_waiting_inside_library_code_has_a_meaning() -> None:
    sites = Sites()
    meanings = {
        function: WAITS[sites.meet(function.__code__)[0]]
        for function in (
            asyncio.sleep,
            asyncio.Lock.acquire,
            asyncio.Semaphore.acquire,
            asyncio.Event.wait,
            asyncio.Condition.wait,
            asyncio.Queue.get,
            asyncio.Queue.put,
            asyncio.wait,
            asyncio.to_thread,
            asyncio.StreamReader.read,
            asyncio.StreamWriter.drain,
            anyio.sleep,
            anyio.to_thread.run_sync,
        )
    }
    assert list(meanings.values()) == [
        "timer",
        "lock",
        "lock",
        "event",
        "event",
        "queue",
        "queue",
        "task",
        "thread",
        "io",
        "io",
        "timer",
        "thread",
    ]


def test_a_number_and_an_offset_lead_back_to_the_line() -> None:
    def two_lines() -> int:
        first = 1
        return first + len(str(first))

    code = two_lines.__code__
    sites = Sites()
    _, number, own = sites.meet(code)
    assert own
    definition = sites.site(number, 0)
    assert definition is not None
    assert definition.line == code.co_firstlineno
    assert definition.text == "def two_lines() -> int:"
    offsets = {
        call_text(code, 2 * index): 2 * index
        for index, (line, *_) in enumerate(code.co_positions())
        if line == code.co_firstlineno + 2
    }
    site = sites.site(number, offsets["str(first)"])
    assert site is not None
    assert (site.line, site.text) == (code.co_firstlineno + 2, "return first + len(str(first))")
    assert site.function == two_lines.__qualname__
    assert site.file == "tests/trace/test_sites.py"
    assert str(site) == f"tests/trace/test_sites.py, line {site.line}"


def test_no_number_is_no_site() -> None:
    assert Sites().site(0, 0) is None


def test_a_callback_written_in_c_has_a_name_and_no_line() -> None:
    sites = Sites()
    site = sites.site(sites.callback([].append), 0)
    assert site is not None
    assert (site.file, site.line, site.function) == ("", 0, "list.append")
    assert sites.callback([].append) == sites.callback([1].append)


def test_the_text_of_a_call_spans_lines_and_is_cut() -> None:
    def long() -> str:
        return repr(
            "this is a call whose text is longer than sixty characters and so is cut to that length, at its end"
        )

    code = long.__code__
    texts = {call_text(code, 2 * index) for index in range(len(list(code.co_positions())))}
    assert 'repr( "this is a call whose text is longer than sixty chara…' in texts
    assert max(map(len, texts)) == 60


def test_code_without_source_has_an_empty_text() -> None:
    namespace: dict[str, object] = {}
    exec("def made():\n    return len('x')\n", namespace)
    made = namespace["made"]
    assert inspect.isfunction(made)
    assert call_text(made.__code__, 4) == ""
    assert call_text(made.__code__, 10_000) == ""
    sites = Sites()
    site = sites.site(sites.meet(made.__code__)[1], 0)
    assert site is not None
    assert (site.file, site.line, site.text) == ("<string>", 1, "")
