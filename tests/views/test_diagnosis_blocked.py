"""What a diagnosis says of a loop that stood still: which line, for how long, who waited, and what to do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Sample, Site, Trace
from playground.views.diagnosis import diagnose
from playground.views.held import NOTICED_NS, WITHIN_NS, crowded, held_steps
from tests.by_hand import LINE, looks, ns, request, step, task, wait
from tests.views.troubles import MAKE_DEF, OTHER, SLEEP, blocked, only, repeated, short

RECORD_AGAIN = "Record it again to see where: a line that holds the loop is seen every few milliseconds."
LIBRARY = Site("/usr/lib/python3.11/threading.py", 327, "Condition.wait", "waiter.acquire()")


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


def test_in_virtual_time_nobody_looks_and_another_recording_in_it_is_not_advised() -> None:
    unseen = Trace(steps=[step(None, 0, 60, "callback")], clock="virtual")
    assert only(unseen).suggestion == (
        "Record it with `clock='real'` to see where: in real time a line that holds the loop is seen every few "
        "milliseconds."
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


def test_fifty_blocks_by_one_line_are_one_finding_with_count_total_and_longest() -> None:
    finding = only(repeated())
    assert str(finding) == (
        "The event loop stood still 50 times, for 10 s in all. The longest time was 201 ms. "
        "`GET /block` ran `time.sleep(0.2)` on the loop each time (cell 2, line 5); "
        "49 requests waited behind them. Make the handler a plain `def`, or `await asyncio.sleep(0.2)`."
    )
    assert (finding.start_ns, finding.end_ns) == (0, ns(49 * 200 + 201))
    assert finding.evidence[:50] == tuple(("steps", n) for n in range(50))


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
