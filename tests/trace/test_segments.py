"""Jobs, workers and segments in a recording: how long it lasts, how it is kept and read back, what it calls itself."""

import pytest

from playground.errors import TraceError
from playground.trace import Sample, Trace
from playground.trace.store import dump, restore
from tests.by_hand import job, ns, segment, step, task, worker


def test_a_run_lasts_to_the_last_moment_of_any_job_or_segment() -> None:
    assert Trace(jobs=[job(0, None, None, submitted_ms=3)]).duration_ns == ns(3)
    assert Trace(jobs=[job(0, 4, None)]).duration_ns == ns(4)
    assert Trace(jobs=[job(0, 4, 9)]).duration_ns == ns(9)
    assert Trace(workers=[worker()], jobs=[job(0, 0, 5)], segments=[segment(0, "handoff", 5, 7)]).duration_ns == ns(7)


def test_it_names_its_jobs_in_a_line() -> None:
    assert repr(Trace(jobs=[job(0, 0, 2.5)] * 3, title="threads")) == (
        "<Trace 'threads': 2.5 ms real, 3 jobs, 0 steps, 0 hand-offs>"
    )


def test_jobs_are_read_back_with_who_did_them() -> None:
    trace = Trace(
        workers=[worker(1, 1, "process", "process 1"), worker(2, 7, "green", "hub")],
        jobs=[job(0, 1, 2), job(1, None, None, outcome="cancelled"), job(2, 1, 4, error="ValueError: no")],
        segments=[
            segment(0, "queue", 0, 1),
            segment(0, "run", 1, 2, cpu_ms=0.5),
            segment(2, "off_cpu", 2, 4, worker=1),
        ],
    )
    back = restore(Trace, dump(trace))
    assert (back.workers, back.jobs, back.segments) == (trace.workers, trace.jobs, trace.segments)
    assert (back.switches, back.max_overlap, back.parallel_share) == (0, 2, None)


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        (
            Trace(workers=[worker()], segments=[segment(2, "run", 0, 1)]),
            "expected indexes below 0 in segments.job, found 2: the file is damaged; save it again",
        ),
        (
            Trace(jobs=[job(0, 0, 1)], segments=[segment(0, "run", 0, 1, worker=4)]),
            "expected indexes below 0 in segments.worker, found 4: the file is damaged; save it again",
        ),
    ],
)
def test_segments_that_point_nowhere_are_refused(trace: Trace, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        restore(Trace, dump(trace))
    assert str(caught.value) == message


def test_a_block_is_no_shorter_than_what_a_job_is_known_to_have_slept_in_it() -> None:
    loop = worker(1, 1, "loop", "event loop")
    slept = [segment(0, "run", 0, 1), segment(0, "wait", 1, 61), segment(0, "run", 61, 62)]
    looks = [Sample(0, ns(at), delay_ns, None, "") for at, delay_ns in ((0, 0), (30, ns(20)), (60, ns(20)))]
    held = Trace(
        workers=[loop], jobs=[job(0, 0, 62)], segments=slept, steps=[step(0, 0, 62)], tasks=[task()], samples=looks
    )
    assert held.waits_held == {1: 0}
    assert [(block.duration_ns, block.delayed_ns) for block in held.blocks()] == [(ns(60), ns(2))]


def test_a_wait_in_a_thread_or_between_steps_holds_no_loop() -> None:
    loop, thread = worker(1, 1, "loop", "event loop"), worker(1, 2, "thread", "thread 1")
    waits = [segment(0, "wait", 1, 61, worker=1), segment(0, "wait", 2, 63), segment(0, "wait", 70, 80)]
    trace = Trace(workers=[loop, thread], jobs=[job(0, 0, 90)], segments=waits, steps=[step(0, 0, 62)], tasks=[task()])
    assert trace.waits_held == {}
