"""Functions travel by value, results come back, and errors come back in the student's own lines."""

import json
import linecache
import pickle
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from playground import code
from playground.errors import ModelError
from playground.models import parcel
from playground.models.parcel import Failure, failed, opened, own_lines, packed, received, result_of, sources

CELL = "/tmp/ipykernel_7/123.py"
TEXT = """\
def boom(n):
    whole = n - 1
    return 1 / whole

class Job:
    def __init__(self, n):
        self.n = n

def read(text):
    return json.loads(text)
"""


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What a cell has defined, as IPython runs it: no file, but its text is to be had."""
    monkeypatch.setitem(linecache.cache, CELL, (len(TEXT), None, TEXT.splitlines(keepends=True), CELL))
    monkeypatch.setitem(code.GIVEN_NAMES, CELL, "cell 3")
    names: dict[str, Any] = {"__name__": "__main__", "json": json}
    exec(compile(TEXT, CELL, "exec"), names)
    yield names
    linecache.cache.pop("cell 3", None)


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A `__main__` as an experiment's process has it."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


def raised(function: Any, *args: Any) -> Any:
    try:
        function(*args)
    except BaseException as error:  # noqa: BLE001  (an exit is one of them)
        return error
    raise AssertionError("it did not raise")


def test_a_cells_function_travels_by_value_with_its_source(cell: dict[str, Any], main: ModuleType) -> None:
    sent, texts = packed(cell["boom"], (3,))
    assert texts == {CELL: ("cell 3", TEXT)}
    function, args = opened(sent)
    assert function is not cell["boom"]
    assert function(*args) == 0.5


def test_what_was_defined_in_a_notebook_is_found_in_main_by_pickle(cell: dict[str, Any], main: ModuleType) -> None:
    sent, _ = packed(lambda: (cell["boom"], cell["Job"]), ())
    boom, job = opened(sent)[0]()
    assert pickle.loads(pickle.dumps(boom)) is boom
    assert pickle.loads(pickle.dumps(job)) is job


def test_a_closure_and_a_default_travel(main: ModuleType) -> None:
    scale = [2]

    def scaled(n: int, by: int = 3) -> int:
        return n * by * scale[0]

    function, args = opened(packed(scaled, (5,))[0])
    assert function(*args) == 30


def test_a_modules_function_travels_by_name(main: ModuleType) -> None:
    sent, texts = packed(json.dumps, ([1],))
    assert texts == {}
    assert opened(sent) == (json.dumps, ([1],))


def test_a_class_of_the_notebook_is_the_same_class_when_it_comes_back(cell: dict[str, Any]) -> None:
    job = received(result_of(cell["Job"](4)))
    assert type(job) is cell["Job"]
    assert job.n == 4


def test_what_cannot_travel_is_an_error_that_says_so() -> None:
    lock = threading.Lock()
    message = (
        "expected a function that can be sent to another process, got one that cannot: cannot pickle '_thread.lock' "
        "object. Make what it uses (an open file, a lock, a connection) inside the function"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        packed(lambda: lock, ())


def test_a_result_that_cannot_travel_is_an_error_that_says_so() -> None:
    message = (
        "expected a result that can be sent back to the notebook's process, got one that cannot: cannot pickle "
        "'_thread.lock' object. Return plain values"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        result_of(threading.Lock())


def test_without_cloudpickle_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "_LIBRARY", None)
    message = (
        "expected cloudpickle, which sends a notebook's functions to another process, got none installed: run "
        "pip install 'playground[models]'"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        packed(print, ())


def test_a_result_does_not_bring_green_threads_into_the_notebook() -> None:
    assert "gevent.pool" not in sys.modules
    sent = b"\x80\x04cgevent.pool\nPool\n."
    message = (
        "expected a result of types that the notebook's process may have, got gevent.pool.Pool: gevent stays in the "
        "experiment's process. Return plain values"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        received(sent)
    assert "gevent.pool" not in sys.modules


class Fussy:
    def __reduce__(self) -> Any:
        return refuse, ()


def refuse() -> None:
    raise LookupError("not here")


def test_a_result_that_cannot_be_made_again_is_an_error_that_says_so() -> None:
    message = (
        "expected a result that can be read in the notebook's process, got LookupError: not here. Return plain values"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        received(result_of(Fussy()))


def test_an_error_is_told_with_the_cells_own_line(cell: dict[str, Any]) -> None:
    lines = own_lines(raised(cell["boom"], 1)).splitlines()
    at = lines.index('  File "cell 3", line 3, in boom')
    assert lines[at + 1] == "    return 1 / whole"
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_the_lines_of_libraries_are_left_out(cell: dict[str, Any]) -> None:
    text = own_lines(raised(cell["read"], "{"))
    assert '  File "cell 3", line 10, in read\n    return json.loads(text)\n' in text
    assert "json/" not in text
    assert "JSONDecodeError: Expecting property name" in text


def test_of_causes_and_groups_too_only_the_own_lines_are_told(cell: dict[str, Any]) -> None:
    def both() -> None:
        try:
            cell["read"]("{")
        except ValueError as error:
            raise ExceptionGroup("two", [raised(cell["read"], "["), raised(cell["boom"], 1)]) from error

    text = own_lines(raised(both))
    assert text.count('File "cell 3", line 10, in read') == 2
    assert text.count('File "cell 3", line 3, in boom') == 1
    assert "direct cause" in text
    assert "json/" not in text


def test_an_error_can_be_raised_again_as_its_own_type(cell: dict[str, Any]) -> None:
    failure = failed(raised(cell["boom"], 1))
    assert str(failure) == "ZeroDivisionError: division by zero"
    error = failure.exception()
    assert type(error) is ZeroDivisionError
    (note,) = error.__notes__
    assert note.startswith("In the experiment's process:\nTraceback (most recent call last):\n")
    assert 'File "cell 3", line 3, in boom' in note


class Odd(Exception):
    """One that pickle cannot make again: its arguments are not those it is made with."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def test_an_error_that_cannot_be_made_again_is_raised_in_words() -> None:
    failure = failed(raised(_raise, Odd("a", "b")))
    error = failure.exception()
    assert type(error) is ModelError
    assert str(error) == "Odd: ab"


def test_an_error_whose_module_is_not_here_is_raised_in_words_and_imports_nothing(tmp_path: Path) -> None:
    failure = Failure("HubError", "lost", "", b"\x80\x04cgevent.exceptions\nLoopExit\n)R.")
    assert type(failure.exception()) is ModelError
    assert "gevent.exceptions" not in sys.modules


def test_an_exit_is_told_but_not_raised_here() -> None:
    failure = failed(raised(sys.exit, 3))
    assert (failure.type, failure.message) == ("SystemExit", "3")
    assert type(failure.exception()) is ModelError


def test_an_error_without_words_is_told_by_its_type() -> None:
    assert str(failed(KeyboardInterrupt())) == "KeyboardInterrupt"


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_an_error_whose_text_cannot_be_had_is_told_nevertheless() -> None:
    assert failed(Mute()).message == "<its text cannot be had: RuntimeError>"


def test_only_sources_that_are_no_files_are_sent(cell: dict[str, Any]) -> None:
    assert sources([__file__, CELL, "<frozen os>"]) == {CELL: ("cell 3", TEXT)}


def _raise(error: BaseException) -> None:
    raise error
