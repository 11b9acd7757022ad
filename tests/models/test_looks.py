"""Threads looked at from outside: what is told of them by looks, and how a function's run is divided by that."""

import itertools
import sys
import threading
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import experiment
from playground.models.kinds import LOOKED, SEGMENTS, Moment
from playground.models.looker import Threads
from playground.models.pieces import divided
from playground.models.rows import Row
from playground.models.units import UNKNOWN

MS = 1_000_000
RUN: Final = SEGMENTS["run"]


class Folder:
    """What the system would show of threads, as a test says it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_ns = 0
        self.told: list[tuple[str, int, int, int, int]] = []
        self.threads = Threads(str(path), lambda *row: self.told.append(row), lambda: self.now_ns)

    def look(self, at_ms: float, **threads: tuple[str, float]) -> None:
        """Have all looked at: in which call each thread stands, and how much it has computed so far."""
        for folder in self.path.iterdir():
            if f"t{folder.name}" not in threads:
                for file in folder.iterdir():
                    file.unlink()
                folder.rmdir()
        for name, (call, computed_ms) in threads.items():
            folder = self.path / name[1:]
            folder.mkdir(exist_ok=True)
            (folder / "schedstat").write_text(f"{round(computed_ms * MS)} 0 1\n")
            (folder / "syscall").write_text(call)
        self.now_ns = round(at_ms * MS)
        self.threads.look()


RUNNING, IN_A_CALL = "running\n", "202 0x10 0x80 0x0 0x0 0x0 0x0 0x7ffd 0x7f00\n"


def test_a_thread_that_does_not_sleep_and_has_its_processor_has_nothing_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for at in range(4):
        folder.look(at, t7=(RUNNING, 0.8 * at))
    folder.threads.end()
    assert folder.told == []


def test_a_sleep_lasts_from_the_look_that_sees_it_to_the_look_that_does_not(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for at, (call, computed_ms) in enumerate(((RUNNING, 0), (IN_A_CALL, 1), (IN_A_CALL, 1), (RUNNING, 1))):
        folder.look(at, t7=(call, computed_ms))
    assert folder.told == [("wait", MS, 3 * MS, 0, 7)]


def test_who_goes_on_when_another_stops_is_seen_to_at_one_moment(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.look(0, t7=(RUNNING, 0), t8=(IN_A_CALL, 0))
    folder.look(1, t7=(IN_A_CALL, 1), t8=(RUNNING, 0))
    folder.look(2, t7=(RUNNING, 1), t8=(IN_A_CALL, 1))
    assert sorted(folder.told) == [("wait", 0, MS, 0, 8), ("wait", MS, 2 * MS, 0, 7)]


def test_a_thread_that_is_awake_and_does_not_compute_has_lost_its_processor(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for at, computed_ms in enumerate((0, 1, 1, 1, 1.5, 2.5)):
        folder.look(at, t7=(RUNNING, computed_ms))
    assert folder.told == [("preempt", MS, round(3.5 * MS), 0, 7)]


def test_what_a_thread_computes_may_be_brought_up_to_date_late(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for at, (call, computed_ms) in enumerate(((RUNNING, 0), (RUNNING, 0), (RUNNING, 0), (RUNNING, 3), (IN_A_CALL, 4))):
        folder.look(at, t7=(call, computed_ms))
    assert folder.told == []


def test_a_thread_queues_no_longer_than_it_was_awake(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for at, call in enumerate((IN_A_CALL, IN_A_CALL, RUNNING, IN_A_CALL)):
        folder.look(at, t7=(call, 0))
    assert folder.told == [("wait", 0, 2 * MS, 0, 7), ("preempt", 2 * MS, 3 * MS, 0, 7)]


def test_a_sleep_on_an_address_of_the_interpreters_is_a_wait_for_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.models.looker.waits_in_runtime", lambda fields: fields[1] == b"0x10")
    folder = Folder(tmp_path)
    for at, call in enumerate((IN_A_CALL, IN_A_CALL, RUNNING)):
        folder.look(at, t7=(call, 0))
    assert folder.told == [("gil", 0, 2 * MS, 0, 7)]


def test_what_is_kept_from_the_looker_is_not_guessed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for at, call in enumerate(("", "", RUNNING)):
        folder.look(at, t7=(call, 0))
    assert folder.told == [("off_cpu", 0, 2 * MS, 0, 7)]


def test_a_thread_that_is_gone_is_told_up_to_the_last_look_at_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.look(0, t7=(IN_A_CALL, 0), t8=(IN_A_CALL, 0))
    folder.look(1, t7=(IN_A_CALL, 0), t8=(IN_A_CALL, 0))
    folder.look(2, t8=(IN_A_CALL, 0))
    assert folder.told == [("wait", 0, MS, 0, 7)]
    folder.threads.end()
    assert folder.told[1:] == [("wait", 0, 2 * MS, 0, 8)]
    assert len(folder.threads) == 0


# -- a run in pieces -------------------------------------------------------------------------------------------------


def began(job: int, thread: int) -> Row:
    return Row(Moment.BEGAN, job, 0, 0, thread, 1, 1, 0)


def run(start_ms: float, end_ms: float, cpu_ms: float, job: int = 0) -> Row:
    return Row(RUN, job, round(start_ms * MS), round(end_ms * MS), round(cpu_ms * MS), 1, 1, 0)


def seen(kind: str, start_ms: float, end_ms: float, thread: int) -> Row:
    number = {str(name): number for name, number in LOOKED.items()}[kind]
    return Row(number, 0, round(start_ms * MS), round(end_ms * MS), 0, 2, 2, thread)


def pieces(*rows: Row) -> list[tuple[int, float, float, float]]:
    ordered = sorted(rows, key=lambda row: row.start_ns)
    made = [row for row in divided(ordered) if row.kind != Moment.BEGAN]
    return [(row.kind, row.start_ns / MS, row.end_ns / MS, row.cpu_ns / MS) for row in made]


def test_a_run_is_divided_by_what_its_own_thread_was_seen_to_do() -> None:
    assert pieces(began(0, 7), began(1, 8), run(10, 30, 12), seen("gil", 14, 22, 7), seen("gil", 11, 29, 8)) == [
        (RUN, 10, 14, 4),
        (SEGMENTS["gil"], 14, 22, 0),
        (RUN, 22, 30, 8),
    ]


def test_what_reaches_beyond_a_run_counts_as_far_as_it_lies_within() -> None:
    assert pieces(began(0, 7), run(10, 30, 6), seen("gil", 5, 14, 7), seen("preempt", 20, 40, 7)) == [
        (SEGMENTS["gil"], 10, 14, 0),
        (RUN, 14, 20, 6),
        (SEGMENTS["preempt"], 20, 30, 0),
    ]


def test_the_functions_own_sleep_is_not_told_twice() -> None:
    assert pieces(began(0, 7), run(10, 30, 20), seen("wait", 29, 60, 7)) == [(RUN, 10, 30, 20)]
    assert pieces(began(0, 7), run(10, 30, 15), seen("wait", 25, 60, 7))[-1] == (SEGMENTS["wait"], 25, 30, 0)


def test_processor_time_that_is_not_known_stays_so() -> None:
    unknown = run(0, 10, 0)._replace(cpu_ns=UNKNOWN)
    assert [row.cpu_ns for row in divided([began(0, 7), unknown, seen("gil", 2, 4, 7)])][1:] == [UNKNOWN, 0, UNKNOWN]


stretches = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), max_size=12)


@given(stretches, st.integers(0, 200), st.integers(1, 200), st.integers(0, 200), st.sampled_from(["gil", "preempt"]))
def test_pieces_cover_a_run_and_lose_no_processor_time(
    gaps: list[tuple[int, int]], start_ms: int, length_ms: int, cpu_ms: int, kind: str
) -> None:
    looks, at = [], 0
    for gap, length in gaps:
        looks.append(seen(kind, at + gap, at + gap + length, 7))
        at += gap + length
    rows = [began(0, 7), run(start_ms, start_ms + length_ms, cpu_ms), *looks]
    made = pieces(*rows)
    assert made[0][1] == start_ms
    assert made[-1][2] == start_ms + length_ms
    assert all(before[2] == after[1] for before, after in itertools.pairwise(made))
    assert round(sum(cpu for *_, cpu in made), 6) == (cpu_ms if any(each == RUN for each, *_ in made) else 0)
    away = sum(max(0, min(row.end_ns, rows[1].end_ns) - max(row.start_ns, rows[1].start_ns)) for row in looks)
    told = sum(end - start for each, start, end, _ in made if each != RUN)
    assert told == (0 if 2 * (length_ms - away / MS) < cpu_ms else away / MS)


# -- for real --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a thread does that does not run")
def test_a_function_in_two_threads_is_seen_to_take_turns() -> None:
    def job(number: int) -> int:
        total = 0
        for each in range(1_500_000):
            total += each * each
        return total % 7

    threads = experiment(job, "threads", jobs=2)["threads"]
    assert threads.parallel_share is not None
    assert threads.parallel_share <= 0.1
    assert any(segment.kind == "gil" for segment in threads.trace.segments)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a thread does that does not run")
def test_a_call_that_blocks_is_seen_as_a_wait() -> None:
    def job(number: int) -> None:
        threading.Event().wait(0.1)

    (segments,) = [experiment(job, "threads", jobs=1)["threads"].trace.segments]
    waited = sum(segment.end_ns - segment.start_ns for segment in segments if segment.kind == "wait")
    assert waited >= 0.05 * 1e9
