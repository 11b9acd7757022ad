"""Every sentence that a diagnosis can say, whole, with the recording that calls for it."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Handoff, Sample, Site, Span, SpanKind, Step, Task, Trace
from playground.trace.looks import STARTING
from playground.views.blocked import loop_blocked
from playground.views.diagnosis import diagnose
from playground.views.failures import app_errors, not_found, server_errors
from playground.views.findings import Finding, Findings, listed, plain
from playground.views.held import NOTICED_NS, WITHIN_NS, crowded, held_steps
from playground.views.late import late_wakes
from playground.views.queues import pool_queue, thread_queue
from tests.by_hand import LINE, handoff, looks, ns, request, step, task, wait
from tests.recordings import blocked_run, healthy_run

SLEEP = Site("cell 2", 5, "report", "time.sleep(0.2)")
OTHER = Site("cell 3", 25, "report", "rows = parse(body)")

MAKE_DEF = "Make the handler a plain `def`, or `await asyncio.to_thread(...)`."

RECORD_AGAIN = "Record it again to see where: a line that holds the loop is seen every few milliseconds."
LIBRARY = Site("/usr/lib/python3.11/threading.py", 327, "Condition.wait", "waiter.acquire()")
PROCESSES = (
    "Python runs one thread at a time, so hand what computes to processes, `await anyio.to_process.run_sync(...)`, "
    "or make it shorter."
)

MORE_THREADS = (
    "If these calls wait for something, allow more threads: as the app starts, set "
    "`anyio.to_thread.current_default_thread_limiter().total_tokens`; in a lab, `Lab(app, threads=...)`. "
    "If they compute, more threads would only take turns: make the calls shorter."
)


def blocked(
    *,
    site: Site | None = LINE,
    call: str = "df.to_csv()",
    length_ms: float = 230,
    waiting: int = 0,
    samples: list[Sample] | None = None,
) -> Trace:
    """One request that blocks from 10 ms on, and `waiting` others that came in meanwhile."""
    seen = looks(0, 20, 200, site=site, call=call) if samples is None else samples
    end = 10 + length_ms
    tasks = [task(10), *(task(50 + n) for n in range(waiting))]
    first = step(0, 10, length_ms, "waits" if samples == [] else "returned", site=site)
    steps = [first, *(step(1 + n, end + n, 1, "returned") for n in range(waiting))]
    requests = [request(0, 10, end + 50, task=0, route="/report")]
    requests += [request(1 + n, end + n, end + n + 1, task=1 + n) for n in range(waiting)]
    return Trace(tasks=tasks, steps=steps, samples=seen, requests=requests, spans=[span(0, 10, end)])


def span(request: int, start_ms: float, end_ms: float | None, kind: SpanKind = "handler", name: str = "report") -> Span:
    """A layer around a request; by default the handler that `LINE` and `SLEEP` stand in."""
    return Span(request, kind, name, ns(start_ms), None if end_ms is None else ns(end_ms), None, None, None)


def only(trace: Trace) -> Finding:
    (finding,) = diagnose(trace)
    return finding


# -- the loop stood still -------------------------------------------------------------------------------


def test_a_block_names_route_call_line_and_who_waited() -> None:
    finding = only(blocked(waiting=36))
    assert str(finding) == (
        "The event loop stood still for 230 ms. `GET /report` ran `df.to_csv()` on the loop (cell 3, line 24); "
        f"36 requests waited behind it. {MAKE_DEF}"
    )
    assert finding.suggestion == MAKE_DEF
    assert (finding.rule, finding.severity) == ("loop-blocked", "bad")
    assert (finding.start_ns, finding.end_ns) == (ns(10), ns(240))
    assert finding.evidence == (("steps", 0), *(("requests", 1 + n) for n in range(36)))


def test_its_parts_tell_what_is_strong_and_what_is_code() -> None:
    assert only(blocked(waiting=1)).parts == (
        ("strong", "The event loop stood still for 230 ms."),
        ("text", " "),
        ("code", "GET /report"),
        ("text", " ran "),
        ("code", "df.to_csv()"),
        ("text", " on the loop (cell 3, line 24)"),
        ("text", "; 1 request waited behind it."),
        ("text", " "),
        ("text", "Make the handler a plain "),
        ("code", "def"),
        ("text", ", or "),
        ("code", "await asyncio.to_thread(...)"),
        ("text", "."),
    )


def test_nobody_is_said_to_have_waited_if_nobody_did() -> None:
    assert str(only(blocked())) == (
        "The event loop stood still for 230 ms. `GET /report` ran `df.to_csv()` on the loop (cell 3, line 24). "
        f"{MAKE_DEF}"
    )


def test_a_sleep_is_told_its_asynchronous_twin() -> None:
    assert str(only(blocked(site=SLEEP, call="time.sleep(0.2)"))) == (
        "The event loop stood still for 230 ms. `GET /report` ran `time.sleep(0.2)` on the loop (cell 2, line 5). "
        "Make the handler a plain `def`, or `await asyncio.sleep(0.2)`."
    )


def test_without_a_call_the_source_line_is_quoted() -> None:
    assert "`GET /report` ran `body = df.to_csv()` on the loop (cell 3, line 24)." in str(only(blocked(call="")))


def test_without_a_call_or_a_source_line_the_place_is_named() -> None:
    bare = Site("cell 3", 24, "report")
    assert "`GET /report` ran on the loop (cell 3, line 24)." in str(only(blocked(site=bare, call="")))


def test_several_lines_in_one_step_are_admitted() -> None:
    samples = [*looks(0, 20, 90, 160), *looks(0, 180, 185, 190, 195, site=OTHER, call="parse(body)")]
    assert "`GET /report` ran `df.to_csv()` on the loop (cell 3, line 24, for 160 of 230 ms)." in str(
        only(blocked(samples=samples))
    )


def test_a_block_that_nobody_looked_at_blames_no_line() -> None:
    assert str(only(blocked(samples=[]))) == (
        "The event loop stood still for 230 ms. `GET /report` ran on the loop until it stopped at cell 3, line 24. "
        f"{RECORD_AGAIN}"
    )


def test_a_block_of_which_nothing_is_known_says_so() -> None:
    assert str(only(blocked(site=None, samples=[]))) == (
        "The event loop stood still for 230 ms. `GET /report` ran on the loop, at a line that was not seen. "
        f"{RECORD_AGAIN}"
    )


def test_a_handler_that_nobody_saw_is_not_told_to_be_what_it_may_be_already() -> None:
    finding = only(blocked(site=LIBRARY, samples=[]))
    assert finding.suggestion == RECORD_AGAIN


def test_of_a_librarys_line_alone_the_app_is_not_told_to_change_its_handler() -> None:
    assert str(only(blocked(site=LIBRARY, call="waiter.acquire()"))) == (
        "The event loop stood still for 230 ms. `GET /report` ran `waiter.acquire()` on the loop "
        "(/usr/lib/python3.11/threading.py, line 327). That line is a library's, and no line of the app's own was seen "
        "on the way to it: look for what has the library do this on the loop."
    )


def test_time_that_the_system_took_is_told_apart() -> None:
    samples = [Sample(0, ns(20), 0, LINE, "df.to_csv()"), Sample(0, ns(240), ns(30), None)]
    assert str(only(blocked(samples=samples))) == (
        "The event loop stood still for 200 ms. `GET /report` ran `df.to_csv()` on the loop (cell 3, line 24). "
        f"Another 30 ms, when the system did not run the thread, is not counted. {MAKE_DEF}"
    )


def repeated(*, call: str = "time.sleep(0.2)", paths: tuple[str, ...] = ("/block",), times: int = 50) -> Trace:
    """`times` requests at once, each of which blocks for 200 ms when its turn comes."""
    tasks = [task(0) for _ in range(times)]
    steps = [step(n, 200 * n, 200 + n % 2, "returned") for n in range(times)]
    samples = [look for n in range(times) for look in looks(n, 200 * n + 20, 200 * n + 90, site=SLEEP, call=call)]
    requests = [request(n, 200 * n, 200 * n + 200 + n % 2, task=n, route=paths[n % len(paths)]) for n in range(times)]
    spans = [span(n, 200 * n, 200 * n + 200 + n % 2) for n in range(times)]
    return Trace(tasks=tasks, steps=steps, samples=samples, requests=requests, spans=spans)


def test_fifty_blocks_by_one_line_are_one_finding_with_count_total_and_longest() -> None:
    finding = only(repeated())
    assert str(finding) == (
        "The event loop stood still 50 times, for 10 s in all. The longest time was 201 ms. "
        "`GET /block` ran `time.sleep(0.2)` on the loop each time (cell 2, line 5); "
        "49 requests waited behind them. Make the handler a plain `def`, or `await asyncio.sleep(0.2)`."
    )
    assert (finding.start_ns, finding.end_ns) == (0, ns(49 * 200 + 201))
    assert finding.evidence[:50] == tuple(("steps", n) for n in range(50))


def short(*lengths_ms: float, site: Site = SLEEP, call: str = "time.sleep(0.04)") -> Trace:
    """Requests that hold the loop one after the other, 100 ms apart."""
    count = len(lengths_ms)
    steps = [step(n, 100 * n, lengths_ms[n], "returned") for n in range(count)]
    return Trace(
        tasks=[task(100 * n) for n in range(count)],
        steps=steps,
        samples=[look for n in range(count) for look in looks(n, 100 * n + 6, site=site, call=call)],
        requests=[request(n, 100 * n, 100 * n + lengths_ms[n], task=n, route="/q") for n in range(count)],
        spans=[span(n, 100 * n, 100 * n + lengths_ms[n]) for n in range(count)],
    )


def test_fifty_short_steps_by_one_line_are_one_finding() -> None:
    finding = only(short(*[40] * 50))
    assert str(finding) == (
        "The event loop was held 50 times by the same line, 2 s in all (40 ms each). `GET /q` ran `time.sleep(0.04)` "
        "on the loop each time (cell 2, line 5). Make the handler a plain `def`, or `await asyncio.sleep(0.04)`."
    )
    assert (finding.rule, finding.severity) == ("loop-blocked", "bad")
    assert (finding.start_ns, finding.end_ns) == (0, ns(4940))
    assert finding.evidence == tuple(("steps", n) for n in range(50))


@pytest.mark.parametrize(
    ("lengths_ms", "words"),
    [
        ((25, 25), "held 2 times by the same line, 50 ms in all (25 ms each)."),
        ((40, 40.6, 41), "held 3 times by the same line, 122 ms in all (about 40.5 ms each)."),
        ((12, 45), "held 2 times by the same line, 57 ms in all (12 ms to 45 ms each)."),
        ((60, 30, 25), "held 3 times by the same line, 115 ms in all (25 ms to 60 ms each)."),
    ],
)
def test_short_steps_are_told_by_their_number_sum_and_length(lengths_ms: tuple[float, ...], words: str) -> None:
    assert only(short(*lengths_ms)).parts[0] == ("strong", f"The event loop was {words}")


@pytest.mark.parametrize("lengths_ms", [(12, 12, 12, 12), (49.9,), (9.9,) * 50])
def test_short_steps_that_do_not_add_up_are_no_finding(lengths_ms: tuple[float, ...]) -> None:
    assert diagnose(short(*lengths_ms)) == []
    assert held_steps(short(*lengths_ms)) == {}


def spread(*starts_ms: float, length_ms: float = 12) -> Trace:
    """Steps of one line that begin at these moments."""
    return Trace(
        tasks=[task()],
        steps=[step(0, start_ms, length_ms) for start_ms in starts_ms],
        samples=[look for n, start_ms in enumerate(starts_ms) for look in looks(n, start_ms + 6)],
    )


def test_short_steps_count_by_their_share_of_the_time() -> None:
    assert diagnose(spread(*(700_000 * n for n in range(5)))) == []
    assert diagnose(spread(*(251 * n for n in range(5)))) == []
    assert len(held_steps(spread(*(247 * n for n in range(5))))) == 5  # the last ends a second after the first began
    among = spread(0, 5_000, 5_100, 5_200, 5_300, 5_400, 9_000)
    assert only(among).evidence == tuple(("steps", n) for n in range(1, 6))
    assert str(only(among)).startswith("The event loop was held 5 times by the same line, 60 ms in all (12 ms each).")


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 60)), max_size=12))
def test_spans_are_crowded_where_some_second_holds_enough_of_them(spans: list[tuple[int, int]]) -> None:
    edges, now = [], 0
    for gap_ms, length_ms in spans:
        edges.append((ns(now + gap_ms), ns(now + gap_ms + length_ms), ns(length_ms)))
        now += gap_ms + length_ms
    among = {
        index
        for first in range(len(edges))
        for last in range(first, len(edges))
        if first == last or edges[last][1] - edges[first][0] <= WITHIN_NS
        if sum(edge[2] for edge in edges[first : last + 1]) >= NOTICED_NS
        for index in range(first, last + 1)
    }
    assert crowded(edges) == sorted(among)


def test_a_block_stays_one_beside_a_short_step_of_its_line() -> None:
    finding = only(short(60, 30))
    assert finding.parts[0] == ("strong", "The event loop stood still for 60 ms.")
    assert finding.evidence == (("steps", 0),)


def test_short_steps_of_different_lines_do_not_add_up() -> None:
    one, other = short(40, 0), short(0, 40, site=OTHER, call="parse(body)")
    steps, samples = [one.steps[0], other.steps[1]], [one.samples[0], replace(other.samples[1], step=1)]
    assert diagnose(Trace(tasks=one.tasks, steps=steps, samples=samples, requests=one.requests)) == []


def test_short_steps_that_nobody_looked_at_do_not_add_up() -> None:
    trace = short(*[40] * 50)
    assert diagnose(Trace(tasks=trace.tasks, steps=trace.steps, requests=trace.requests)) == []


def test_it_is_time_that_counts_and_not_looks() -> None:
    # a sleep is looked at every 5 ms, the computing before it but twice
    samples = [*looks(0, 60, 120), *looks(0, 190, 195, 200, 205, 210, site=SLEEP, call="time.sleep(0.2)")]
    assert "ran `df.to_csv()` on the loop (cell 3, line 24, for 145 of 230 ms)." in str(only(blocked(samples=samples)))


@pytest.mark.parametrize(
    ("slept_from_ms", "instead"),
    [(20, "asyncio.sleep(0.2)"), (33, "asyncio.sleep(0.2)"), (34, "asyncio.to_thread(...)")],
)
def test_the_twin_of_a_sleep_is_named_only_if_it_is_all_but_the_whole_block(slept_from_ms: int, instead: str) -> None:
    seen = [*looks(0, slept_from_ms - 1), *looks(0, slept_from_ms + 1, 200, site=SLEEP, call="time.sleep(0.2)")]
    assert str(only(blocked(samples=seen))).endswith(f"Make the handler a plain `def`, or `await {instead}`.")


def test_a_line_that_several_routes_share_names_them() -> None:
    assert "`GET /a` and `GET /b` ran `time.sleep(0.2)` on the loop each time" in str(
        only(repeated(paths=("/a", "/b"), times=4))
    )
    assert "`GET /a`, `GET /b` and 2 others ran" in str(only(repeated(paths=("/a", "/b", "/c", "/d"), times=8)))


def test_blocks_by_two_lines_are_two_findings_in_order_of_time() -> None:
    steps = [step(0, 0, 60), step(0, 100, 70), step(0, 200, 60)]
    samples = [*looks(0, 30), *looks(1, 130, site=OTHER, call="parse(body)"), *looks(2, 230)]
    findings = diagnose(Trace(tasks=[task()], steps=steps, samples=samples, requests=[request(0, 0, 300, task=0)]))
    assert [finding.parts[0][1] for finding in findings] == [
        "The event loop stood still 2 times, for 120 ms in all.",
        "The event loop stood still for 70 ms.",
    ]


def test_a_task_that_is_no_requests_is_named_by_its_coroutine() -> None:
    trace = Trace(
        tasks=[task(coroutine="main"), task(20, coroutine="tick")],
        steps=[step(0, 0, 60), step(1, 61, 1)],
        samples=looks(0, 30, site=replace(LINE, function="main")),
    )
    assert str(only(trace)) == (
        "The event loop stood still for 60 ms. The task `main` ran `df.to_csv()` on the loop (cell 3, line 24); "
        "1 task waited behind it. Instead, `await asyncio.to_thread(...)`."
    )
    assert only(trace).evidence == (("steps", 0), ("tasks", 1))


def test_a_callback_is_named_by_its_function() -> None:
    place = Site("cell 1", 3, "tick")
    told = "The event loop stood still for 60 ms. The callback `tick` (cell 1, line 3) ran on the loop. "
    advice = "Hand the call to a thread: `loop.run_in_executor(None, ...)`."
    assert str(only(Trace(steps=[step(None, 0, 60, "callback", site=place)]))) == told + advice
    assert str(only(Trace(steps=[step(None, 0, 60, "callback")]))) == (
        f"The event loop stood still for 60 ms. A callback ran on the loop, at a line that was not seen. {RECORD_AGAIN}"
    )


def test_a_request_is_not_said_to_wait_behind_itself() -> None:
    # its own child was ready while it blocked
    trace = Trace(
        tasks=[task(), task(5, parent=0)],
        steps=[step(0, 0, 60), step(1, 60, 1, "returned")],
        samples=looks(0, 30),
        requests=[request(0, 0, 70, task=0, route="/report")],
    )
    assert "waited" not in str(only(trace))


def test_only_requests_that_were_ready_during_the_block_count() -> None:
    trace = Trace(
        tasks=[task(10), task(0), task(0), task(300)],
        steps=[
            step(0, 10, 230, "returned"),
            step(1, 245, 1, "returned"),  # its wait ended in the block
            step(2, 290, 1, "returned"),  # its wait ended after it
            step(3, 310, 1, "returned"),  # came later
        ],
        waits=[],
        samples=looks(0, 20),
        requests=[request(0, 10, 240, task=0), *(request(n, 0, 320, task=n) for n in (1, 2, 3))],
    )
    first = [step(1, 1, 1), step(2, 3, 1)]
    trace = Trace(
        tasks=trace.tasks,
        steps=sorted([*trace.steps, *first], key=lambda one: one.start_ns),
        waits=[wait(1, 2, 200), wait(2, 4, 280)],
        samples=looks(2, 20),
        requests=trace.requests,
    )
    assert "; 1 request waited behind it." in str(only(trace))
    assert only(trace).evidence == (("steps", 2), ("requests", 1))


# -- worker threads that compute ------------------------------------------------------------------------


def locked_out(*locks_ms: float, apart_ms: float = 200, cpu_ms: float = 90, waiting: bool = True) -> Trace:
    """Steps of 12 ms of which each also waits for the interpreter, beside two calls that compute all the time."""
    count, end_ms = len(locks_ms), apart_ms * len(locks_ms)
    steps = [step(n, apart_ms * n, 12 + lock_ms, "returned") for n, lock_ms in enumerate(locks_ms)]
    samples = []
    for n, lock_ms in enumerate(locks_ms):
        for at_ms, lock in ((5.0, 0.0), (8 + lock_ms, lock_ms)):
            samples.append(Sample(n, ns(apart_ms * n + at_ms), 0, LINE, "df.to_csv()", ns(lock)))
    calls = [replace(handoff(0, 0, end_ms, end_ms, thread=n, function="cpu"), cpu_ns=ns(cpu_ms)) for n in range(2)]
    requests = [request(n, apart_ms * n, apart_ms * n + 12, task=n, route="/small") for n in range(count)]
    return Trace(
        tasks=[task(0 if waiting else apart_ms * n) for n in range(count)],
        steps=steps,
        samples=samples,
        handoffs=calls,
        requests=requests,
    )


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


# -- requests that failed -------------------------------------------------------------------------------


def failed(
    *paths: str, status: int | None = 500, error: str | None = None, route: str | None = None, method: str = "GET"
) -> Trace:
    """Requests that all ended the same way, except those to /ok."""
    requests = [request(n, n, n + 5, path=path, route=route if path != "/ok" else path) for n, path in enumerate(paths)]
    changes = {"status": status, "error": error, "method": method}
    return Trace(requests=[replace(one, **({} if one.path == "/ok" else changes)) for one in requests])  # type: ignore[arg-type]


def test_an_exception_that_the_app_let_out_is_told_with_its_route_and_text() -> None:
    finding = only(failed(*["/b"] * 50, error="ValueError: on purpose\nin two lines", route="/b"))
    assert str(finding) == (
        "All 50 requests ended in an exception that the app let out. `GET /b` raised `ValueError: on purpose`. "
        'To see its traceback, send such a request alone: `lab.get("/b")`.'
    )
    assert (finding.rule, finding.severity) == ("app-error", "bad")
    assert (finding.start_ns, finding.end_ns) == (0, ns(54))
    assert finding.evidence == tuple(("requests", n) for n in range(50))
    assert finding.suggestion == 'To see its traceback, send such a request alone: `lab.get("/b")`.'


def test_exceptions_are_counted_by_route_and_type() -> None:
    trace = failed("/ok", "/b/1", "/b/2", "/ok", error="KeyError: 1", route="/b/{n}")
    requests = [replace(one, error=f"KeyError: {one.number}") if one.error else one for one in trace.requests]
    assert str(only(Trace(requests=requests))).startswith(
        "2 of 4 requests ended in an exception that the app let out. `GET /b/{n}` raised `KeyError` with 2 different "
        "texts, the first `KeyError: 1`. "
    )
    mixed = [requests[0], requests[1], replace(requests[2], error="ValueError")]
    assert len(app_errors(Trace(requests=mixed))) == 2


@pytest.mark.parametrize(
    ("method", "suggestion"),
    [
        ("POST", 'To see its traceback, send such a request alone: `lab.post("/b")`.'),
        ("QUERY", 'To see its traceback, send such a request alone: `lab.request("QUERY", "/b")`.'),
        ("WEBSOCKET", "Catch it in the app, and close the session with a code that says why."),
    ],
)
def test_an_exception_is_looked_at_in_the_way_of_its_method(method: str, suggestion: str) -> None:
    finding = only(failed("/b", status=None, error="OSError", method=method))
    assert str(finding) == (
        f"The request ended in an exception that the app let out. `{method} /b` raised `OSError`. {suggestion}"
    )


@pytest.mark.parametrize(
    "error", ["CancelledError", "CancelledError: the client left", "Cancelled", "ClientDisconnect"]
)
def test_a_request_that_was_cancelled_is_no_mistake_of_the_apps(error: str) -> None:
    assert diagnose(failed("/b", status=None, error=error)) == []


def test_answers_5xx_without_an_exception_are_noted() -> None:
    finding = only(failed("/ok", "/down", "/down", status=503))
    assert str(finding) == (
        "2 of 3 requests were answered 503. `GET /down` sent that itself: no exception left the app. "
        "Read what it says there: `run.responses` holds the answers."
    )
    assert (finding.rule, finding.severity) == ("server-error", "note")
    assert finding.evidence == (("requests", 1), ("requests", 2))
    assert "The request was answered 500." in str(server_errors(failed("/down"))[0])


def test_a_run_of_nothing_but_404_is_noted() -> None:
    finding = only(failed(*["/helo/Ada"] * 50, status=404))
    assert str(finding) == (
        "All 50 requests were answered 404. The app named no route for `/helo/Ada`. "
        "Compare the path with those of the app's routes."
    )
    assert (finding.rule, finding.severity) == ("not-found", "note")
    assert str(only(failed("/a", "/b", status=404))).endswith(
        "for `/a` and `/b`. Compare the paths with those of the app's routes."
    )


def test_a_404_of_a_route_is_the_routes_own() -> None:
    assert str(only(failed("/items/7", status=404, route="/items/{id}"))) == (
        "The request was answered 404. This is the answer of `GET /items/{id}`. "
        "Look for what `GET /items/{id}` did not find."
    )


def test_a_404_among_other_answers_is_not_noted() -> None:
    assert not_found(failed("/ok", "/helo", status=404)) == []
    assert not_found(Trace()) == []


# -- a list that reads as its sentences -----------------------------------------------------------------


def test_findings_are_a_list_that_reads_as_paragraphs_of_at_most_80_columns() -> None:
    found = diagnose(blocked_run())
    assert isinstance(found, Findings)
    assert isinstance(found, list)
    assert repr(found).split("\n\n")[0] == (
        "The event loop stood still for 230 ms. `GET /report` ran `df.to_csv()` on the\n"
        "loop (cell 3, line 24); 36 requests waited behind it. Instead,\n"
        "`await asyncio.to_thread(...)`."
    )
    assert [" ".join(paragraph.split()) for paragraph in repr(found).split("\n\n")] == [str(one) for one in found]


def test_no_findings_say_what_was_looked_for() -> None:
    assert repr(diagnose(Trace())) == (
        "No findings: nothing held the event loop for long, no call queued for a thread\n"
        "or came back late, and no exception left the app."
    )


def test_no_findings_in_virtual_time_say_what_could_not_be_seen_in_it() -> None:
    assert repr(diagnose(Trace(clock="virtual"))) == (
        "No findings: nothing held the event loop for long, no call queued for a thread\n"
        "or came back late, and no exception left the app. In virtual time computing\n"
        "takes none, but in playground.work or where Lab(app, charge_cpu=True) counts it:\n"
        "real time shows what computes for long."
    )


# -- whole runs -----------------------------------------------------------------------------------------


def test_a_healthy_run_has_no_findings() -> None:
    assert diagnose(healthy_run()) == []
    assert diagnose(Trace()) == []


def test_a_blocked_run_is_diagnosed_worst_first() -> None:
    findings = diagnose(blocked_run())
    assert [(one.rule, one.severity) for one in findings] == [
        ("loop-blocked", "bad"),
        ("late-wake", "note"),
        ("thread-queue", "note"),  # two calls, for 13 ms at most
    ]
    assert str(findings[0]) == (
        "The event loop stood still for 230 ms. `GET /report` ran `df.to_csv()` on the loop (cell 3, line 24); "
        "36 requests waited behind it. Instead, `await asyncio.to_thread(...)`."
    )


def test_names_from_the_app_stay_on_one_line() -> None:
    steps = [Step(0, 0, ns(60), None, "returned", None)]
    trace = Trace(tasks=[Task("t", "evil\n# heading\x1b[2J", None, 0, None, "returned")], steps=steps)
    assert "The task `evil # heading [2J` ran" in str(loop_blocked(trace)[0])


def test_names_are_listed_by_how_often_they_came() -> None:
    assert plain(listed(Counter("a"))) == "`a`"
    assert plain(listed(Counter("bbaaac"))) == "`a`, `b` and `c`"
    assert plain(listed(Counter("bbaaacd"))) == "`a`, `b` and 2 others"


def test_a_step_that_waited_for_a_new_thread_to_come_up_is_nobodys_mistake() -> None:
    seen = [replace(look, library=STARTING) for look in looks(0, 20, 100, 200)]
    assert diagnose(blocked(samples=seen)) == []
    mostly_not = [*seen[:1], *looks(0, 100, 200)]
    assert only(blocked(samples=mostly_not)).rule == "loop-blocked"
