"""Answers that are tried in a process of their own: whatever they do there, it is told here, and nothing stays."""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from playground.code import short_name
from playground.course import check, lesson_07
from tests.course.wrong_07 import only_computes


def never_looks_whether_one_is_over(greens: list[Any]) -> None:
    while greens:
        green = greens.pop(0)
        green.switch()
        greens.append(green)


def ends_its_process(greens: list[Any]) -> None:
    os._exit(3)


def gives_up(number: int, load: Callable[[], list[int]]) -> int:
    raise LookupError(f"no entry {load()[0]}")


@pytest.mark.slow
def test_turns_that_never_end_are_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson_07, "_LIMIT_S", 0.5)
    checked = check("07.2", never_looks_whether_one_is_over)
    assert checked.judged[0].finding == "it goes round without end: it was broken off while it still ran."
    assert [each.kept for each in checked.judged] == [False, None, None]


def test_an_answer_that_ends_its_process_is_told_so_and_ends_no_other() -> None:
    finding = check("07.2", ends_its_process).judged[0].finding
    assert finding == "Crash: ended by itself before the function returned, as os._exit(3) does"


@pytest.mark.slow
def test_a_job_that_raises_in_a_pool_is_told_with_what_it_raised() -> None:
    checked = check("06.3", gives_up)
    assert (checked.points, checked.mistake) == (0, "")
    place = f"{short_name(__file__)}, line {gives_up.__code__.co_firstlineno + 1}"
    assert checked.judged[0].finding == f"it raised `LookupError: no entry 7` ({place})."


@pytest.mark.slow
def test_what_gevent_replaces_is_not_replaced_where_the_check_is_asked() -> None:
    before = set(sys.modules)
    assert check("07.3", only_computes).mistake == "never-gives-way"
    assert not {"gevent", "greenlet"} & (set(sys.modules) - before)
    assert time.sleep.__module__ == "time"
