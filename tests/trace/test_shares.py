"""Shares and counts of a workload's segments: on rows written by hand, and against a naive witness."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Segment, Trace, Worker
from playground.trace.shares import gil_share, parallel_share, switches
from playground.trace.tables import WORDS
from tests.by_hand import job, segment, worker

TWO_THREADS = [worker(1, 1), worker(1, 2)]
TWO_PROCESSES = [worker(1, 1, "process"), worker(2, 1, "process")]

# kinds that a system tells which says why a thread stood still
KNOWN = [kind for kind in WORDS["SegmentKind"] if kind != "off_cpu"]

workers = st.lists(st.builds(Worker, st.integers(1, 3), st.integers(1, 2), st.just("thread"), st.just("w")), min_size=4)


def segments(kinds: Sequence[str] = KNOWN) -> st.SearchStrategy[list[Segment]]:
    """Segments of four jobs and four workers within 16 ns, any of which may overlap any other."""
    one = st.builds(
        lambda job, kind, start, length, cpu, worker: Segment(job, kind, start, start + length, cpu, worker),
        st.integers(0, 3),
        st.sampled_from(kinds),
        st.integers(0, 10),
        st.integers(0, 6),
        st.integers(0, 6),
        st.integers(0, 3),
    )
    return st.lists(one, max_size=12)


# -- how much was parallel ------------------------------------------------------------------------------


def naive_parallel_share(rows: Sequence[Segment], by: Sequence[Worker]) -> float:
    """Looks at each nanosecond by itself."""
    could = [each for each in rows if each.kind in ("run", "preempt") and each.end_ns > each.start_ns]
    ones = twos = 0
    for at in range(20):
        inside = [each for each in could if each.start_ns <= at < each.end_ns]
        there = {
            who
            for who in {each.worker for each in could}
            if min(each.start_ns for each in could if each.worker == who) <= at
            and at < max(each.end_ns for each in could if each.worker == who)
        }
        able = 0
        for interpreter in {each.process for each in by}:
            mine = [each.kind for each in inside if by[each.worker].process == interpreter]
            able += mine.count("run") or min(1, len(mine))
        ones += len(there) >= 2 and able >= 1
        twos += len(there) >= 2 and able >= 2
    return twos / ones if ones else 0.0


@given(segments(), workers)
def test_the_parallel_share_is_what_looking_at_each_moment_finds(rows: list[Segment], by: list[Worker]) -> None:
    expected = naive_parallel_share(rows, by) if rows else None
    assert parallel_share(rows, by) == (None if expected is None else pytest.approx(expected))


@given(segments(), workers)
def test_the_order_of_rows_is_nothing_to_it(rows: list[Segment], by: list[Worker]) -> None:
    turned = list(reversed(rows))
    assert parallel_share(turned, by) == parallel_share(rows, by)
    assert gil_share(turned) == gil_share(rows)


def test_two_threads_that_take_turns_are_not_parallel() -> None:
    rows = [
        *(segment(0, "gil" if at % 10 else "run", at, at + 5) for at in (0, 5, 10, 15)),
        *(segment(1, "run" if at % 10 else "gil", at, at + 5, worker=1) for at in (0, 5, 10, 15)),
    ]
    assert parallel_share(rows, TWO_THREADS) == 0
    assert gil_share(rows) == 0.5


def test_two_processes_are_parallel_while_both_compute() -> None:
    rows = [segment(0, "run", 0, 10), segment(1, "run", 2, 8, worker=1), segment(1, "wait", 8, 10, worker=1)]
    # from 2 to 8, while both are there: not what went before and after
    assert parallel_share(rows, TWO_PROCESSES) == 1
    later = [*rows, segment(1, "run", 10, 12, worker=1)]
    assert parallel_share(later, TWO_PROCESSES) == 0.75


def test_a_thread_that_lost_its_processor_with_the_lock_in_its_hand_is_not_parallel_to_those_who_wait_for_it() -> None:
    rows = [segment(0, "run", 0, 2), segment(0, "preempt", 2, 10), segment(0, "run", 10, 12)]
    other = [segment(1, "run", 0, 0.5, worker=1), segment(1, "gil", 0.5, 12, worker=1)]
    assert parallel_share([*rows, *other, segment(1, "run", 12, 13, worker=1)], TWO_THREADS) == pytest.approx(0.5 / 12)


def test_of_two_threads_of_one_interpreter_that_both_lost_their_processors_one_could_go_on() -> None:
    rows = [segment(0, "preempt", 0, 10), segment(1, "preempt", 0, 10, worker=1)]
    assert parallel_share(rows, TWO_THREADS) == 0
    assert parallel_share(rows, TWO_PROCESSES) == 1


def test_while_a_thread_runs_another_of_its_interpreter_that_lost_its_processor_is_not_counted() -> None:
    rows = [segment(0, "run", 0, 10), segment(1, "preempt", 0, 10, worker=1)]
    assert parallel_share(rows, TWO_THREADS) == 0
    assert parallel_share(rows, TWO_PROCESSES) == 1


def test_threads_that_let_go_of_the_lock_are_parallel() -> None:
    rows = [segment(0, "run", 0, 10), segment(1, "run", 0, 10, worker=1)]
    assert parallel_share(rows, TWO_THREADS) == 1


def test_one_worker_alone_is_not_parallel() -> None:
    assert parallel_share([segment(0, "run", 0, 5), segment(1, "run", 5, 9)], [worker()]) == 0
    one_after_the_other = [segment(0, "run", 0, 5), segment(1, "run", 5, 9, worker=1)]
    assert parallel_share(one_after_the_other, TWO_PROCESSES) == 0
    assert parallel_share([segment(0, "wait", 0, 5)], [worker()]) == 0


def test_what_cannot_be_known_is_none() -> None:
    assert parallel_share([], []) is None
    assert gil_share([]) is None
    rows = [segment(0, "run", 0, 5), segment(1, "off_cpu", 0, 5, worker=1)]
    assert parallel_share(rows, TWO_THREADS) is None
    assert gil_share(rows) is None
    assert gil_share([replace(segment(0, "run", 0, 5), cpu_ns=None)]) is None


# -- what the lock cost ---------------------------------------------------------------------------------


@given(segments())
def test_the_share_of_the_lock_is_what_adding_up_nanoseconds_finds(rows: list[Segment]) -> None:
    waited = sum(1 for each in rows if each.kind == "gil" for _ in range(each.start_ns, each.end_ns))
    spent = sum(each.cpu_ns or 0 for each in rows if each.kind == "run")
    expected = None if not rows else waited / (waited + spent) if waited else 0.0
    assert gil_share(rows) == expected


def test_half_of_the_time_of_two_threads_that_compute_is_the_lock() -> None:
    rows = [segment(0, "gil", 0, 6), segment(0, "run", 6, 13, cpu_ms=6), segment(1, "wait", 0, 100)]
    assert gil_share(rows) == 0.5
    assert gil_share([segment(0, "run", 0, 5), segment(0, "preempt", 5, 50)]) == 0


# -- how often jobs changed -----------------------------------------------------------------------------


@given(segments(), workers)
def test_switches_are_what_a_list_of_jobs_for_each_interpreter_finds(rows: list[Segment], by: list[Worker]) -> None:
    expected = 0
    for interpreter in {each.process for each in by}:
        last = None
        for moment in range(20):
            for each in rows:
                if each.kind == "run" and each.start_ns == moment and by[each.worker].process == interpreter:
                    expected += last is not None and last != each.job
                    last = each.job
    assert switches(rows, by) == expected


def test_a_loop_that_goes_to_and_fro_switches_each_time() -> None:
    rows = [segment(0, "run", 0, 1), segment(1, "run", 1, 2), segment(0, "wait", 1, 3), segment(0, "run", 3, 4)]
    assert switches(rows, [worker(kind="loop")]) == 2
    assert switches([replace(each, worker=each.job) for each in rows], TWO_THREADS) == 2
    assert switches([replace(each, worker=each.job) for each in rows], TWO_PROCESSES) == 0


# -- asked of a recording -------------------------------------------------------------------------------


def test_a_recording_answers_for_its_own_segments() -> None:
    rows = [segment(0, "run", 0, 5), segment(1, "run", 1, 4, worker=1), segment(2, "gil", 4, 9, worker=1)]
    trace = Trace(workers=TWO_PROCESSES, jobs=[job(0, 0, 5), job(1, 1, 4), job(2, 4, 9)], segments=rows)
    assert trace.parallel_share == 1
    assert trace.gil_share == pytest.approx(5 / 13)
    assert trace.switches == 0
    assert Trace().parallel_share is None
    assert Trace().gil_share is None
    assert Trace().switches == 0


def test_jobs_overlap_from_their_beginning_and_not_while_they_queue() -> None:
    jobs = [job(0, 0, 4), job(1, 2, 6), job(2, 5, None), job(3, None, None)]
    assert Trace(jobs=jobs, duration_ns=10_000_000).max_overlap == 2
    assert Trace(jobs=[job(number, 1, 9) for number in range(20)]).max_overlap == 20


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=8))
def test_overlap_is_what_looking_at_each_moment_finds(lives: list[tuple[int, int]]) -> None:
    trace = Trace(jobs=[job(number, start, start + length) for number, (start, length) in enumerate(lives)])
    expected = max(sum(start <= at < start + length for start, length in lives) for at in range(20))
    assert trace.max_overlap == expected
