"""What one weighs, from counts and bytes; and the order of weights, where all four are known and stand apart."""

import os
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.models.claims import weighing, weights
from playground.models.claims.away import NotTriedError, away
from playground.models.claims.weighing import UNITS, Weighed, can_weigh, weigh
from playground.models.claims.weight import judged, weight_of_one

HERE = "playground.models.claims.weight"
KIB = 1024
ONES = {
    "fresh_process": 3000 * KIB,
    "forked_process": 1000 * KIB,
    "thread": 36 * KIB,
    "gevent": 8 * KIB,
    "greenlet": 6 * KIB,
    "task": 1.5 * KIB,
}


def weighed(one: float, off: float = 0.0) -> Weighed:
    """Counts of a unit of so many bytes, where every second figure is off by so much."""
    return [(count, round(1e6 + one * count + off * (count % 20 == 0))) for count in range(10, 80, 10)]


def found(**changed: Weighed | str) -> dict[str, Weighed | str]:
    return {key: weighed(one) for key, one in ONES.items()} | changed


COUNTS = st.lists(st.integers(1, 10_000), min_size=4, max_size=9, unique=True)


@given(st.floats(100, 1e7), st.integers(0, 10**9), COUNTS)
def test_the_weight_of_one_is_the_slope_whatever_was_there_before(one: float, before: int, counts: list[int]) -> None:
    found = weight_of_one([(count, before + round(one * count)) for count in sorted(counts)])
    assert found.median == pytest.approx(one, abs=1)
    assert found.rounds == len(counts) * (len(counts) - 1) // 2


def test_one_count_that_is_off_hardly_moves_the_weight_of_one() -> None:
    counts = weighed(1000.0)
    counts[3] = (counts[3][0], counts[3][1] + 10**6)
    assert weight_of_one(counts).median == pytest.approx(1000.0)


def test_it_holds_where_all_stand_in_order() -> None:
    claim = judged(found(), with_stacks=True)
    assert claim.verdict == "holds"
    assert claim.sentence == (
        "A process that was started anew takes 2.93 MiB, one that was forked takes 1,000 KiB, a thread takes 36 KiB, a "
        "green thread of gevent takes 8 KiB, a greenlet takes 6 KiB and a task of asyncio takes 1.5 KiB."
    )
    assert claim.figures == {f"{key}_bytes": one for key, one in ONES.items()}


def test_it_does_not_hold_where_one_is_heavier_than_what_should_be() -> None:
    claim = judged(found(task=weighed(7 * KIB)), with_stacks=True)
    assert claim.verdict == "does not hold"
    assert claim.sentence.endswith("That a task of asyncio weighs more than a greenlet is against it.")


def test_nothing_is_said_of_neighbours_whose_middle_halves_touch() -> None:
    claim = judged(found(greenlet=weighed(2 * KIB, off=60 * KIB)), with_stacks=True)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith(
        "Which is heavier, a greenlet or a task of asyncio, cannot be told: they are too near."
    )


def test_nothing_is_said_where_one_of_the_four_is_not_known() -> None:
    why = "gevent is not installed: pip install 'playground[models]'"
    claim = judged(found(gevent=why, greenlet=why), with_stacks=True)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith("To tell, it takes all four: of any green thread nothing is known.")
    assert [row.note for row in claim.rows if row.median is None] == [f"not measured here: {why}"] * 2


def test_one_green_thread_is_enough() -> None:
    assert judged(found(gevent="not installed"), with_stacks=True).verdict == "holds"


def test_too_few_counts_are_no_weight() -> None:
    claim = judged(found(thread=weighed(36 * KIB)[:3]), with_stacks=True)
    assert claim.verdict == "not here"
    assert "not measured here: it takes 4 counts of it, got 3" in [row.note for row in claim.rows]


def test_whether_the_kernels_stacks_are_in_it_is_told() -> None:
    assert judged(found(), with_stacks=True).notes[-1].startswith("The kernel's stacks are in it")
    assert judged(found(), with_stacks=False).notes[-1].startswith("The kernel's stacks are not in it")


def test_where_the_system_does_not_tell_memory_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{HERE}.can_weigh", lambda: False)
    claim = weights()
    assert (claim.verdict, claim.sentence, dict(claim.figures), list(claim.rows)) == (
        "not here",
        "This system does not say how much memory is a process's own, as Linux does in /proc/self/smaps_rollup.",
        {},
        [],
    )


def test_a_child_that_fails_is_a_unit_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotTriedError("It crashed.")

    monkeypatch.setattr(f"{HERE}.can_weigh", lambda: True)
    monkeypatch.setattr(f"{HERE}.kernel_stacks", lambda: False)
    monkeypatch.setattr(f"{HERE}.away", fail)
    claim = weights()
    assert claim.verdict == "not here"
    assert claim.sentence == (
        "To tell, it takes all four: of any process, any thread, any green thread and any task nothing is known."
    )
    assert len(claim.rows) == len(UNITS)


@pytest.mark.skipif(not can_weigh(), reason="Linux alone says how much memory is a process's own")
@pytest.mark.parametrize("key", list(UNITS))
def test_every_unit_is_weighed_at_each_count(key: str) -> None:
    before = set(sys.modules)
    counted = away(weigh, key, [1, 3], timeout_s=30.0)
    assert not {"gevent", "greenlet"} & (set(sys.modules) - before)
    assert not isinstance(counted, str), counted
    assert [count for count, _ in counted] == [1, 3]
    assert all(held > 0 for _, held in counted)


@pytest.mark.skipif(not can_weigh(), reason="Linux alone says how much memory is a process's own")
@pytest.mark.parametrize("key", ["fresh_process", "thread", "task"])
def test_nothing_is_left_of_what_was_weighed(key: str) -> None:
    # what an earlier test left may end meanwhile
    threads, files = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    weigh(key, [3])
    assert not set(threading.enumerate()) - threads
    assert len(os.listdir("/proc/self/fd")) <= files


def test_a_library_that_is_missing_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "greenlet", None)
    assert weigh("greenlet", [1]) == "greenlet is not installed: pip install 'playground[models]'"


def test_what_the_system_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", refuse)
    assert weigh("thread", [1]) == "RuntimeError: can't start new thread"


def test_a_figure_of_a_table_that_has_none_is_nothing(tmp_path: Path) -> None:
    table = tmp_path / "table"
    table.write_text("Rss: 12 kB\nPss:  3 kB\n", encoding="ascii")
    assert weighing._line(table, "Pss:") == 3 * KIB
    assert weighing._line(table, "KernelStack:") == 0


@pytest.mark.slow
@pytest.mark.skipif(not can_weigh(), reason="Linux alone says how much memory is a process's own")
def test_a_process_weighs_more_than_a_thread_and_so_on_here() -> None:
    claim = weights()
    assert claim.verdict != "does not hold", claim.sentence
    assert claim.figures["forked_process_bytes"] > claim.figures["thread_bytes"] > claim.figures["task_bytes"]
