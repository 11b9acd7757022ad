"""What a diagnosis says of worker threads: those that compute, those that queue, those whose results come late."""

from dataclasses import replace

import pytest

from playground.trace import Handoff, Sample, Trace
from playground.views.diagnosis import diagnose
from playground.views.late import late_wakes
from playground.views.queues import pool_queue, thread_queue
from tests.by_hand import LINE, handoff, ns, step
from tests.views.troubles import MAKE_DEF, blocked, locked_out, only, short

PROCESSES = (
    "Python runs one thread at a time, so hand what computes to processes, `await anyio.to_process.run_sync(...)`, "
    "or make it shorter."
)

MORE_THREADS = (
    "If these calls wait for something, allow more threads: as the app starts, set "
    "`anyio.to_thread.current_default_thread_limiter().total_tokens`; in a lab, `Lab(app, threads=...)`. "
    "If they compute, more threads would only take turns: make the calls shorter."
)


# -- worker threads that compute ------------------------------------------------------------------------


def test_waiting_for_the_interpreter_is_the_threads_doing_and_no_handlers() -> None:
    finding = only(locked_out(60, waiting=False))
    assert str(finding) == (
        "Worker threads computed and kept the interpreter from the event loop for 60 ms. What computed was `cpu` "
        f"(2 calls, 180 ms of processor time). {PROCESSES}"
    )
    assert (finding.rule, finding.severity, finding.suggestion) == ("threads-compute", "warn", PROCESSES)
    assert finding.evidence == (("steps", 0), ("handoffs", 0), ("handoffs", 1))
    assert (finding.start_ns, finding.end_ns) == (0, ns(72))


def test_steps_that_waited_for_the_interpreter_are_counted_with_their_sum_and_the_longest() -> None:
    finding = only(locked_out(60, 20, 80))
    assert str(finding) == (
        "Worker threads computed and kept the interpreter from the event loop in 3 of its steps, for 160 ms in all. "
        "The longest time was 80 ms. What computed was `cpu` (2 calls, 180 ms of processor time); 2 requests waited "
        f"meanwhile. {PROCESSES}"
    )
    assert finding.evidence[:3] == (("steps", 0), ("steps", 1), ("steps", 2))


@pytest.mark.parametrize(
    "trace",
    [
        locked_out(49),
        locked_out(40, 40, apart_ms=2_000),
        locked_out(60, cpu_ms=0),  # no worker of the app's: what the others did is not recorded
        locked_out(60, 60, cpu_ms=29),  # most of it was not theirs
    ],
)
def test_what_computed_little_or_is_not_known_is_no_finding(trace: Trace) -> None:
    assert diagnose(trace) == []


def test_what_held_the_loop_is_told_apart_from_what_it_waited_for() -> None:
    samples = [Sample(0, ns(20), 0, LINE, "df.to_csv()", 0), Sample(0, ns(240), 0, None, "", ns(30))]
    assert str(only(blocked(samples=samples))) == (
        "The event loop stood still for 200 ms. `GET /report` ran `df.to_csv()` on the loop (cell 3, line 24). "
        f"Another 30 ms, when other threads had the interpreter, is not counted. {MAKE_DEF}"
    )


# -- worker threads -------------------------------------------------------------------------------------


def test_calls_that_queued_for_a_thread_are_counted_with_the_longest_wait() -> None:
    calls = [handoff(0, 1, 100, 101, thread=0), handoff(0, 1, 90, 91, thread=1)]
    calls += [handoff(101, 102, 200, 201, thread=0, queued_ms=99), handoff(91, 92, 190, 191, thread=1, queued_ms=89)]
    finding = only(Trace(handoffs=calls))
    assert str(finding) == (
        "2 of 4 calls queued for a worker thread, the longest for 99 ms. What queued was `render_pdf`; "
        "no more than 2 calls ran at once. " + MORE_THREADS
    )
    assert (finding.rule, finding.severity) == ("thread-queue", "warn")
    assert (finding.start_ns, finding.end_ns) == (ns(2), ns(101))
    assert finding.evidence == (("handoffs", 2), ("handoffs", 3))
    assert finding.suggestion == MORE_THREADS


def test_one_call_that_queued_reads_in_the_singular() -> None:
    calls = [handoff(0, 1, 10, 11), handoff(12, 13, 20, 21, queued_ms=9, function="hash")]
    assert str(only(Trace(handoffs=calls))).startswith(
        "1 of 2 calls queued for a worker thread, for 9 ms. What queued was `hash`; no more than 1 call ran at once."
    )


def test_a_queue_too_short_to_be_one_is_not_reported() -> None:
    assert thread_queue(Trace(handoffs=[handoff(1, 2, 3, 4, queued_ms=0.9)])) == []


LARGER_POOL = (
    "If these calls wait for something, give the pool that runs them more threads; the loop's own is set by "
    "`loop.set_default_executor(ThreadPoolExecutor(max_workers=...))`. If they compute, more threads would only take "
    "turns: make the calls shorter."
)


def test_calls_that_queued_in_a_pool_are_counted_with_the_longest_wait() -> None:
    calls = [handoff(0, 1, 100, 101, thread=0), handoff(0, 1, 90, 91, thread=1)]
    calls += [handoff(2, 92, 190, 191, thread=1), handoff(3, 101, 200, 201, thread=0)]
    finding = only(Trace(handoffs=calls))
    assert str(finding) == (
        "2 of 4 calls queued for a worker thread, the longest for 97 ms. What queued was `render_pdf`; "
        "no more than 2 calls ran at once. " + LARGER_POOL
    )
    assert (finding.rule, finding.severity, finding.suggestion) == ("pool-full", "warn", LARGER_POOL)
    assert (finding.start_ns, finding.end_ns) == (ns(2), ns(101))
    assert finding.evidence == (("handoffs", 2), ("handoffs", 3))


@pytest.mark.parametrize(
    "second",
    [
        handoff(99.1, 100.5, 150, 151),  # the thread was done within a millisecond
        handoff(110, 190, 195, 196),  # it was free: what delayed the call is not known
        handoff(2, 60, 70, 71, thread=1),  # another thread, begun late
        handoff(2, 60, 70, 71),  # a call within the first, in its thread
        handoff(2, None, None, None, thread=None),
    ],
)
def test_a_call_that_did_not_find_its_thread_at_another_did_not_queue(second: Handoff) -> None:
    assert pool_queue(Trace(handoffs=[handoff(0, 1, 100, 101), second])) == []


# -- late wakes -----------------------------------------------------------------------------------------


def test_a_result_that_waited_for_a_blocked_loop_names_who_held_it() -> None:
    trace = blocked()
    late = Trace(
        tasks=trace.tasks, steps=trace.steps, samples=trace.samples, requests=trace.requests,
        handoffs=[handoff(5, 6, 30, 241)],
    )  # fmt: skip
    (finding,) = late_wakes(late)
    assert str(finding) == (
        "A finished call waited 211 ms for the event loop. `render_pdf` was done in a worker thread, but the loop was "
        "held by `GET /report`. Mend that: a faster thread would not help."
    )
    assert (finding.rule, finding.severity) == ("late-wake", "note")
    assert (finding.start_ns, finding.end_ns) == (ns(30), ns(241))
    assert finding.evidence == (("handoffs", 0),)
    assert [one.rule for one in diagnose(late)] == ["loop-blocked", "late-wake"]


def test_results_that_waited_behind_many_short_steps_are_counted() -> None:
    steps = [step(None, 10 * n, 9, "callback") for n in range(12)]
    calls = [handoff(1, 2, 30, 110), handoff(1, 2, 40, 110, thread=1, function="hash")]
    (finding,) = late_wakes(Trace(steps=steps, handoffs=calls))
    assert str(finding) == (
        "2 finished calls waited for the event loop, the longest for 80 ms. `render_pdf` and `hash` were done in a "
        "worker thread, but the loop had 8 steps to run before it took up the slowest of them. "
        "Do less on the loop, or take in fewer requests at once."
    )
    assert finding.severity == "warn"


def test_results_that_waited_behind_the_light_steps_of_many_requests_are_no_finding() -> None:
    steps = [step(None, 0.5 * n, 0.4, "callback") for n in range(400)]
    assert late_wakes(Trace(steps=steps, handoffs=[handoff(1, 2, 30, 110)])) == []


def test_a_result_that_waited_while_threads_computed_is_not_blamed_on_the_loop() -> None:
    # 12 ms of steps in 80: the rest of the time, the loop's thread did not get to run
    calls = [
        handoff(1, 2, 30, 110),
        replace(handoff(1, 2, 130, 131, thread=1, function="cpu"), cpu_ns=ns(64)),
        replace(handoff(1, 2, 130, 131, thread=2, function="cpu"), cpu_ns=ns(64)),
    ]
    (finding,) = late_wakes(Trace(steps=[step(None, 60, 12, "callback")], handoffs=calls))
    assert str(finding) == (
        "A finished call waited 80 ms for the event loop. `render_pdf` was done in a worker thread, but the loop's "
        f"thread hardly got to run, as worker threads computed: `cpu`. {PROCESSES}"
    )
    assert (finding.severity, finding.suggestion) == ("warn", PROCESSES)


def test_a_result_that_waited_for_a_busy_machine_is_no_finding() -> None:
    steps = [step(None, 60, 12, "callback"), step(None, 100, 5, "callback")]
    assert late_wakes(Trace(steps=steps, handoffs=[handoff(1, 2, 30, 110)])) == []


def test_the_time_of_a_step_in_which_other_threads_had_the_interpreter_is_no_work_of_the_loops() -> None:
    seen = [Sample(0, ns(45), 0, LINE, "f()", 0), Sample(0, ns(105), 0, LINE, "f()", ns(60))]
    trace = Trace(steps=[step(None, 40, 70, "callback")], samples=seen, handoffs=[handoff(1, 2, 30, 110)])
    assert late_wakes(trace) == []


@pytest.mark.parametrize("call", [handoff(1, 2, 30, 79.9), handoff(1, 2, 30, None), handoff(1, 2, None, None)])
def test_a_result_taken_up_soon_or_never_is_not_late(call: object) -> None:
    assert late_wakes(Trace(handoffs=[call])) == []  # type: ignore[list-item]


def test_a_result_that_waited_for_short_steps_of_one_line_names_who_held_the_loop() -> None:
    trace = short(40, 40, 40)
    calls = [handoff(5, 6, 30, 241)]
    (finding,) = late_wakes(
        Trace(tasks=trace.tasks, steps=trace.steps, samples=trace.samples, requests=trace.requests, handoffs=calls)
    )
    assert "but the loop was held by `GET /q`. Mend that:" in str(finding)
