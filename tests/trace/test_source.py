"""The text of a line is what ran, or none."""

import importlib
import linecache
import os
import sys
import time
from pathlib import Path
from types import CodeType

import pytest

from playground.trace.sites import Sites
from playground.trace.source import call_text, locate


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CodeType:
    """Of a module in a file, written a minute ago."""
    path = tmp_path / "edited.py"
    path.write_text("def f():\n    return sum([1, 2])\n")
    os.utime(path, (time.time() - 60,) * 2)
    monkeypatch.syspath_prepend(tmp_path)
    found: CodeType = importlib.import_module("edited").f.__code__
    del sys.modules["edited"]
    return found


def call_at(code: CodeType) -> int:
    """The offset of the instruction that calls `sum`."""
    texts = {call_text(code, 2 * index): 2 * index for index in range(len(list(code.co_positions())))}
    return texts["sum([1, 2])"]


def test_a_file_as_it_was_gives_its_text(code: CodeType) -> None:
    offset, met_s = call_at(code), time.time()
    site = locate(code, offset, met_s)
    assert (site.line, site.function, site.text) == (2, "f", "return sum([1, 2])")
    assert call_text(code, offset, met_s) == "sum([1, 2])"


def test_a_file_that_was_changed_since_gives_no_text_rather_than_another(code: CodeType) -> None:
    offset = call_at(code)
    sites = Sites()
    number = sites.number(code)
    path = Path(code.co_filename)
    path.write_text("def f():\n    return max([7, 9])\n")
    os.utime(path, (time.time() + 60,) * 2)
    linecache.checkcache(code.co_filename)  # as a traceback would
    site = sites.site(number, offset)
    assert site is not None
    assert (site.line, site.function, site.text) == (2, "f", "")
    assert call_text(code, offset, sites.met_s) == ""


def test_what_was_read_before_a_change_still_holds(code: CodeType) -> None:
    offset, met_s = call_at(code), time.time()  # which has read the file
    path = Path(code.co_filename)
    path.write_text("def f():\n    return max([7, 9])\n")
    os.utime(path, (time.time() + 60,) * 2)
    assert locate(code, offset, met_s).text == "return sum([1, 2])"


def test_a_cell_is_never_changed() -> None:
    linecache.cache["<cell>"] = (9, None, ["x = 1\n"], "<cell>")
    try:
        assert locate(compile("x = 1", "<cell>", "exec"), 0, 0.0).text == "x = 1"
    finally:
        del linecache.cache["<cell>"]
