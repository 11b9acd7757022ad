"""Every sentence that a diagnosis can say, whole, with the recording that calls for it."""

from collections import Counter

import pytest

from playground.trace import Sample, Site, Step, Task, Trace
from playground.views.diagnosis import diagnose, late_wakes, loop_blocked, thread_queue
from playground.views.findings import Finding, listed, plain
from tests.by_hand import LINE, handoff, looks, ns, request, step, task, wait
from tests.recordings import blocked_run, healthy_run

SLEEP = Site("cell 2", 5, "report", "time.sleep(0.2)")
OTHER = Site("cell 3", 25, "report", "rows = parse(body)")

MAKE_DEF = "Make the handler a plain `def`, or `await anyio.to_thread.run_sync(...)`."


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
    steps = [step(0, 10, length_ms, site=site), *(step(1 + n, end + n, 1, "returned") for n in range(waiting))]
    requests = [request(0, 10, end + 50, task=0, route="/report")]
    requests += [request(1 + n, end + n, end + n + 1, task=1 + n) for n in range(waiting)]
    return Trace(tasks=tasks, steps=steps, samples=seen, requests=requests)


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
        ("code", "await anyio.to_thread.run_sync(...)"),
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
        "Make the handler a plain `def`, or `await anyio.sleep(0.2)`."
    )


def test_without_a_call_the_source_line_is_quoted() -> None:
    assert "`GET /report` ran `body = df.to_csv()` on the loop (cell 3, line 24)." in str(only(blocked(call="")))


def test_without_a_call_or_a_source_line_the_place_is_named() -> None:
    bare = Site("cell 3", 24, "report")
    assert "`GET /report` ran on the loop (cell 3, line 24)." in str(only(blocked(site=bare, call="")))


def test_several_lines_in_one_step_are_admitted() -> None:
    samples = [*looks(0, 20, 40, 60), *looks(0, 80, site=OTHER, call="parse(body)")]
    assert "`GET /report` ran `df.to_csv()` on the loop (cell 3, line 24; seen there in 3 of 4 looks)." in str(
        only(blocked(samples=samples))
    )


def test_a_block_that_nobody_looked_at_blames_no_line() -> None:
    assert str(only(blocked(samples=[]))) == (
        "The event loop stood still for 230 ms. `GET /report` ran on the loop until it stopped at cell 3, line 24. "
        f"{MAKE_DEF}"
    )


def test_a_block_of_which_nothing_is_known_says_so() -> None:
    assert "`GET /report` ran on the loop, at a line that was not seen." in str(only(blocked(site=None, samples=[])))


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
    return Trace(tasks=tasks, steps=steps, samples=samples, requests=requests)


def test_fifty_blocks_by_one_line_are_one_finding_with_count_total_and_longest() -> None:
    finding = only(repeated())
    assert str(finding) == (
        "The event loop stood still 50 times, for 10 s in all. The longest time was 201 ms. "
        "`GET /block` ran `time.sleep(0.2)` on the loop each time (cell 2, line 5); "
        "49 requests waited behind them. Make the handler a plain `def`, or `await anyio.sleep(0.2)`."
    )
    assert (finding.start_ns, finding.end_ns) == (0, ns(49 * 200 + 201))
    assert finding.evidence[:50] == tuple(("steps", n) for n in range(50))


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
        samples=looks(0, 30),
    )
    assert str(only(trace)) == (
        "The event loop stood still for 60 ms. The task `main` ran `df.to_csv()` on the loop (cell 3, line 24); "
        "1 task waited behind it. Instead, `await anyio.to_thread.run_sync(...)`."
    )
    assert only(trace).evidence == (("steps", 0), ("tasks", 1))


def test_a_callback_is_named_by_its_function() -> None:
    place = Site("cell 1", 3, "tick")
    told = "The event loop stood still for 60 ms. The callback `tick` (cell 1, line 3) ran on the loop. "
    advice = "Hand the call to a thread: `loop.run_in_executor(None, ...)`."
    assert str(only(Trace(steps=[step(None, 0, 60, "callback", site=place)]))) == told + advice
    assert str(only(Trace(steps=[step(None, 0, 60, "callback")]))) == (
        f"The event loop stood still for 60 ms. A callback ran on the loop, at a line that was not seen. {advice}"
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


# -- worker threads -------------------------------------------------------------------------------------


def test_calls_that_queued_for_a_thread_are_counted_with_the_longest_wait() -> None:
    calls = [handoff(0, 1, 100, 101, thread=0), handoff(0, 1, 90, 91, thread=1)]
    calls += [handoff(101, 102, 200, 201, thread=0, queued_ms=99), handoff(91, 92, 190, 191, thread=1, queued_ms=89)]
    finding = only(Trace(handoffs=calls))
    assert str(finding) == (
        "2 of 4 calls queued for a worker thread, the longest for 99 ms. What queued was `render_pdf`; "
        "no more than 2 calls ran at once. Allow more threads with `Lab(app, threads=...)`, or make the calls shorter."
    )
    assert (finding.rule, finding.severity) == ("thread-queue", "warn")
    assert (finding.start_ns, finding.end_ns) == (ns(2), ns(101))
    assert finding.evidence == (("handoffs", 2), ("handoffs", 3))
    assert finding.suggestion == "Allow more threads with `Lab(app, threads=...)`, or make the calls shorter."


def test_one_call_that_queued_reads_in_the_singular() -> None:
    calls = [handoff(0, 1, 10, 11), handoff(12, 13, 20, 21, queued_ms=9, function="hash")]
    assert str(only(Trace(handoffs=calls))).startswith(
        "1 of 2 calls queued for a worker thread, for 9 ms. What queued was `hash`; no more than 1 call ran at once."
    )


def test_a_queue_too_short_to_be_one_is_not_reported() -> None:
    assert thread_queue(Trace(handoffs=[handoff(1, 2, 3, 4, queued_ms=0.9)])) == []


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


@pytest.mark.parametrize("call", [handoff(1, 2, 30, 79.9), handoff(1, 2, 30, None), handoff(1, 2, None, None)])
def test_a_result_taken_up_soon_or_never_is_not_late(call: object) -> None:
    assert late_wakes(Trace(handoffs=[call])) == []  # type: ignore[list-item]


# -- whole runs -----------------------------------------------------------------------------------------


def test_a_healthy_run_has_no_findings() -> None:
    assert diagnose(healthy_run()) == []
    assert diagnose(Trace()) == []


def test_a_blocked_run_is_diagnosed_worst_first() -> None:
    findings = diagnose(blocked_run())
    assert [(one.rule, one.severity) for one in findings] == [
        ("loop-blocked", "bad"),
        ("thread-queue", "warn"),
        ("late-wake", "note"),
    ]
    assert str(findings[0]) == (
        "The event loop stood still for 230 ms. `GET /report` ran `df.to_csv()` on the loop (cell 3, line 24); "
        f"36 requests waited behind it. {MAKE_DEF}"
    )


def test_names_from_the_app_stay_on_one_line() -> None:
    steps = [Step(0, 0, ns(60), None, "returned", None)]
    trace = Trace(tasks=[Task("t", "evil\n# heading\x1b[2J", None, 0, None, "returned")], steps=steps)
    assert "The task `evil # heading [2J` ran" in str(loop_blocked(trace)[0])


def test_names_are_listed_by_how_often_they_came() -> None:
    assert plain(listed(Counter("a"))) == "`a`"
    assert plain(listed(Counter("bbaaac"))) == "`a`, `b` and `c`"
    assert plain(listed(Counter("bbaaacd"))) == "`a`, `b` and 2 others"
