"""A thread that is gone, a moment that never comes, a system that pins nothing: each is told, and nothing raises."""

import math
import os
import threading

import pytest

from playground.clock.affinity import pin, unpin
from playground.clock.baton import NEVER_NS
from playground.clock.native import cpu_s, processor, sleeps
from playground.clock.ordered import OrderedSet
from playground.clock.timers import moment_ns

NOBODY = 2**30
"""Above what Linux numbers threads by (PID_MAX_LIMIT in linux/threads.h is 2**22)."""


def test_of_a_thread_that_is_gone_nothing_is_known() -> None:
    assert (sleeps(NOBODY), processor(NOBODY), pin(NOBODY), cpu_s(0)) == (None, None, None, None)
    unpin(NOBODY, {0})


def test_no_thread_is_pinned_where_the_system_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    assert pin(threading.get_native_id()) is None


def test_a_thread_that_vanishes_meanwhile_is_not_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.clock.affinity.processor", lambda native_id: 0)
    assert pin(NOBODY) is None


def test_what_is_never_due_has_the_last_moment() -> None:
    assert moment_ns(math.inf) == NEVER_NS
    assert moment_ns(1.5) == 1_500_000_000


def test_members_of_an_ordered_set_are_walked_as_they_came() -> None:
    members = OrderedSet(["c", "a", "b", "a"])
    members.add("d")
    members.discard("a")
    members.discard("z")
    assert list(members) == ["c", "b", "d"]
