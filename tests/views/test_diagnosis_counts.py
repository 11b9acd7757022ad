"""Every number in every sentence is one that the rows say: counted once more, for recordings of all sorts and sizes."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Trace
from playground.views.diagnosis import diagnose
from playground.views.findings import Finding, Rule
from tests.by_hand import handoff, job, ns, request, step, task
from tests.recordings import blocked_run, load
from tests.views.recount import _RULES, numbers_of, recounted
from tests.views.test_diagnosis_lost import cut, loss, lost, run
from tests.views.test_diagnosis_waits import called, convoy, fetch, row, turns
from tests.views.troubles import blocked, failed, locked_out, repeated, short

counts = st.integers(1, 12)
lengths = st.lists(st.floats(10, 120), min_size=1, max_size=8)


def check(trace: Trace, rule: str) -> Finding | None:
    """All findings hold the numbers that the rows say; gives that of a rule, if there is one."""
    findings = diagnose(trace)
    for finding in findings:
        assert numbers_of(finding) == recounted(trace, finding), str(finding)
    return next((finding for finding in findings if finding.rule == rule), None)


def test_each_rule_can_be_recounted() -> None:
    assert set(_RULES) == set(get_args(Rule))


@given(st.floats(50, 400), st.integers(0, 12))
def test_of_one_block(length_ms: float, waiting: int) -> None:
    assert check(blocked(length_ms=length_ms, waiting=waiting), "loop-blocked") is not None


@given(counts)
def test_of_blocks_of_one_line(times: int) -> None:
    assert check(repeated(times=times, paths=("/a", "/b")), "loop-blocked") is not None


@given(lengths)
def test_of_short_steps(lengths_ms: list[float]) -> None:
    check(short(*lengths_ms), "loop-blocked")


@given(st.lists(st.floats(10, 90), min_size=1, max_size=6), st.floats(0, 100))
def test_of_what_kept_the_interpreter(waits_ms: list[float], cpu_ms: float) -> None:
    check(locked_out(*waits_ms, cpu_ms=cpu_ms), "threads-compute")


@given(st.lists(st.tuples(st.floats(0, 40), st.floats(0, 90), st.floats(0, 90)), min_size=1, max_size=10))
def test_of_calls_that_queued(calls: list[tuple[float, float, float]]) -> None:
    rows, at = [], 0.0
    for queued_ms, ran_ms, late_ms in calls:
        rows.append(handoff(at + 40, at + 41, at + 41 + ran_ms, at + 42 + ran_ms + late_ms, queued_ms=queued_ms))
        at += ran_ms
    steps = [step(None, 10 * n, 9, "callback") for n in range(100)]
    check(Trace(handoffs=rows, steps=steps), "thread-queue")


@given(st.lists(st.tuples(st.floats(0, 200), st.floats(1, 90)), min_size=1, max_size=10), st.integers(1, 3))
def test_of_calls_that_queued_in_a_pool(calls: list[tuple[float, float]], threads: int) -> None:
    free = [0.0] * threads
    rows = []
    for at_ms, ran_ms in sorted(calls):
        thread = min(range(threads), key=free.__getitem__)
        began_ms = max(at_ms, free[thread])
        free[thread] = began_ms + ran_ms
        rows.append(handoff(at_ms, began_ms, free[thread], free[thread] + 0.1, thread=thread))
    check(Trace(handoffs=rows), "pool-full")


@given(st.integers(3, 12), st.floats(1, 60), st.booleans())
def test_of_convoys(count: int, hold_ms: float, requests: bool) -> None:
    found = check(convoy(count, hold_ms=hold_ms, requests=requests), "lock-convoy")
    assert found is not None or (count - 1) * hold_ms < 52 or count < 5  # each came 0.1 ms after the one before it


@given(st.integers(1, 20), st.floats(0.5, 9.9), st.integers(0, 4), st.floats(0, 20))
def test_of_who_starved(count: int, length_ms: float, others: int, gap_ms: float) -> None:
    check(turns(count, length_ms=length_ms, others=others, gap_ms=gap_ms), "task-starved")


@given(st.lists(st.floats(1, 200), min_size=1, max_size=5), counts, st.floats(0, 500))
def test_of_waits_in_a_row(lengths_ms: list[float], times: int, more_ms: float) -> None:
    sites = [fetch(5 + n % 2) for n in range(len(lengths_ms))]
    end_ms = sum(lengths_ms) + len(lengths_ms) + more_ms
    check(row(*sites, lengths_ms=tuple(lengths_ms), times=times, end_ms=end_ms, on="io"), "awaits-in-a-row")


@given(counts, st.integers(0, 9), st.sampled_from([None, 500, 504]), lengths)
def test_of_deadlines(count: int, more: int, status: int | None, lengths_ms: list[float]) -> None:
    ended = {"status": status, "error": None if status else "TimeoutError"}
    trace = cut(count=count, of=count + more, lengths_ms=tuple(each / 2 for each in lengths_ms), **ended)  # type: ignore[arg-type]
    assert check(trace, "deadline") is not None


@given(st.lists(st.sampled_from(["KeyError: 1", "KeyError: 2", "ValueError"]), max_size=9), st.integers(0, 5))
def test_of_losses(errors: list[str], coroutines: int) -> None:
    told = [*(lost(task=1, name=name) for name in errors), *(loss() for _ in range(coroutines))]
    check(run(*told), "never-retrieved")


@given(
    st.lists(st.sampled_from(["/ok", "/a", "/b"]), min_size=1, max_size=12),
    st.sampled_from([200, 404, 500, 503]),
    st.sampled_from([None, "KeyError: 1"]),
)
def test_of_failures(paths: list[str], status: int, error: str | None) -> None:
    check(failed(*paths, status=status, error=error), "server-error")


@pytest.mark.parametrize("library", ["requests", "sqlite3"])
def test_of_libraries(library: str) -> None:
    assert check(called(library, library), "sync-library") is not None


@pytest.mark.slow
@given(st.integers(1, 80), st.integers(0, 99), st.floats(20, 400), st.integers(0, 80))
def test_of_runs_of_an_app(requests: int, seed: int, rate: float, blocked_at: int) -> None:
    check(load(requests, seed=seed, rate=rate, blocked_at=blocked_at), "loop-blocked")
    late = replace(blocked_run().handoffs[0], ended_ns=ns(1), woken_ns=ns(400))
    check(Trace(handoffs=[late], requests=[request(0, 0, 500, task=0)], tasks=[task()]), "late-wake")


@given(
    st.lists(st.sampled_from(["returned", "raised", "cancelled", "pending", "never begun"]), min_size=1, max_size=12)
)
def test_of_jobs_that_came_to_no_good_end(ends: list[str]) -> None:
    jobs = [
        job(number, None, None)
        if end == "never begun"
        else job(number, 1, None if end == "pending" else 9, error="ValueError: 7 is odd" if end == "raised" else None)
        for number, end in enumerate(ends)
    ]
    trace = Trace(jobs=jobs, duration_ns=ns(10))
    assert (check(trace, "job-raised") is not None) == ("raised" in ends)
    assert (check(trace, "job-pending") is not None) == bool({"pending", "never begun"} & set(ends))
