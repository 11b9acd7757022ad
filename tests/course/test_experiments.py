"""What is asked of an experiment's recording: held to recordings by hand, a naive count, and jobs that go wrong."""

import base64
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import Workload
from playground.course import check
from playground.course.exercise import Attempt
from playground.course.experiments import (
    computes_in_parallel,
    computing_s,
    most_computing,
    named_ways,
    try_models,
    waiting_s,
)
from playground.course.rules import broke
from playground.trace import Job, Segment, SegmentKind, Trace, Worker
from tests.lines import line_of

MS = 1_000_000
Stretch = tuple[SegmentKind, int, int]


def recording(*jobs: Sequence[Stretch], processes: bool = False) -> Trace:
    """Of jobs that each have a worker of their own, from their stretches in milliseconds; what runs computes."""
    segments, rows, workers = [], [], []
    for at, stretches in enumerate(jobs):
        process, thread = (at + 1, 1) if processes else (1, at + 1)
        workers.append(Worker(process, thread, "process" if processes else "thread", f"worker {at + 1}"))
        rows.append(Job(at, 0, stretches[0][1] * MS, stretches[-1][2] * MS, "returned", None))
        for kind, start, end in stretches:
            cpu_ns = (end - start) * MS if kind == "run" else 0
            segments.append(Segment(at, kind, start * MS, end * MS, cpu_ns, at))
    segments.sort(key=lambda each: each.start_ns)
    return Trace(workers=workers, jobs=rows, segments=segments)


def test_computing_and_waiting_are_added_up_and_what_others_took_is_neither() -> None:
    trace = recording([("run", 0, 10), ("preempt", 10, 100), ("wait", 100, 130), ("ready", 130, 200)], [("gil", 0, 50)])
    assert computing_s(trace) == pytest.approx(0.010)
    assert waiting_s(trace) == pytest.approx(0.030)


def test_of_threads_that_take_turns_one_computes_at_a_time() -> None:
    turns = recording([("run", 0, 10), ("gil", 10, 20), ("run", 20, 30)], [("gil", 0, 10), ("run", 10, 20)])
    assert most_computing(turns) == 1
    assert not computes_in_parallel(turns)


def test_where_one_stops_as_the_next_goes_on_is_no_computing_at_once() -> None:
    blurred = recording([("run", 0, 51), ("gil", 51, 100)], [("gil", 0, 50), ("run", 50, 100)])
    assert most_computing(blurred) == 1
    together = recording([("run", 0, 60), ("gil", 60, 100)], [("gil", 0, 50), ("run", 50, 100)])
    assert most_computing(together) == 2


def test_processes_whose_processor_is_taken_away_could_compute_though_they_do_not() -> None:
    one_processor = recording(
        [("run", 0, 10), ("preempt", 10, 20), ("run", 20, 30)], [("preempt", 0, 10), ("run", 10, 20)], processes=True
    )
    assert most_computing(one_processor) == 1
    assert computes_in_parallel(one_processor)


def test_a_system_that_does_not_tell_why_goes_by_how_many_interpreters_had_jobs() -> None:
    jobs = [("run", 0, 10), ("off_cpu", 10, 20)], [("off_cpu", 0, 10), ("run", 10, 20)]
    threads, processes = recording(*jobs), recording(*jobs, processes=True)  # type: ignore[arg-type]
    assert threads.parallel_share is processes.parallel_share is None
    assert not computes_in_parallel(threads)
    assert computes_in_parallel(processes)


def test_processes_one_after_another_are_not_parallel_either_way() -> None:
    for kind in ("preempt", "off_cpu"):
        jobs: Any = [("run", 0, 10), (kind, 10, 20)], [("run", 20, 30)]
        assert not computes_in_parallel(recording(*jobs, processes=True))


runs = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), min_size=1, max_size=6)


@given(runs)
def test_how_many_compute_at_once_is_what_one_counts_moment_by_moment(starts: list[tuple[int, int]]) -> None:
    jobs: list[list[Stretch]] = [[("run", start, start + length)] for start, length in starts]
    trace = recording(*jobs)
    at = Counter(moment for start, length in starts for moment in range(start, start + length))
    lasted = Counter(at.values())
    least = 0.05 * sum(lasted.values())
    counted = [many for many in lasted if sum(n for more, n in lasted.items() if more >= many) >= least]
    assert most_computing(trace) == max(counted)


def test_nothing_computed_is_nobody() -> None:
    assert most_computing(recording([("wait", 0, 10)])) == 0


# -- trying ---------------------------------------------------------------------------------------------------


def square(number: int) -> int:
    return number * number


def raises(number: int) -> None:
    raise ValueError(f"no {number}")


def sleeps(number: int) -> None:
    time.sleep(60)


@pytest.mark.slow
def test_each_way_is_a_try_with_the_results_of_its_jobs() -> None:
    tries = try_models(Workload(square, jobs=3), "sequential", "threads")
    assert [tried.result for tried in tries] == [[0, 1, 4]] * 2
    assert broke(Attempt((), tries)) is None
    assert list(named_ways(("one", "two"), tries)) == ["one", "two"]


def test_a_job_that_raises_is_told_as_what_it_raised() -> None:
    (tried,) = try_models(Workload(raises, jobs=2), "sequential")
    place = f"(tests/course/test_experiments.py, line {line_of(raises, 'ValueError')})"
    assert broke(Attempt((), [tried])) == f"it raised `ValueError: no 0` {place}."


@pytest.mark.slow
def test_jobs_that_never_end_are_broken_off() -> None:
    (tried,) = try_models(Workload(sleeps, jobs=1), "sequential", limit_s=0.5)
    assert tried.unending
    assert broke(Attempt((), [tried])) == "it goes round without end: it was broken off while it still ran."


def test_a_platform_without_processes_is_told_in_the_checks_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    checked = check("02.1", 4, 9, 0)
    assert checked.points == 0
    assert checked.judged[0].finding.startswith(
        "expected a platform with threads and processes, which the model 'processes' needs, got emscripten"
    )
    assert checked.why == ""


def test_several_ways_are_shown_on_one_axis_each_by_its_name() -> None:
    checked = check("01.3", Workload(jobs=1, cpu_s=0.005, wait_s=0.09))
    assert checked.attempt is not None
    assert list(checked.attempt.ways) == ["half the computing", "half the waiting"]
    assert re.search(r"^Your run: 2 ways · half the \w+ \S+ \w+ to half the \w+ \S+ \w+$", str(checked), re.MULTILINE)
    (picture,) = re.findall(r"base64,([\w+/=]+)", checked._repr_mimebundle_()["text/html"])
    drawn = base64.b64decode(picture).decode()
    assert "Your run" in drawn
    assert all(name in drawn for name in checked.attempt.ways)
