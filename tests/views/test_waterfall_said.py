"""What a waterfall says in words: where the time went, to the nanosecond, and what cannot be known."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from playground.errors import TraceError
from playground.trace import Request, Sample, Site, Trace
from playground.views.findings import plain
from playground.views.spent import STATES
from playground.views.waterfall import Waterfall, part_words, waterfall
from tests.by_hand import LINE, handoff, looks, ns, request, step, task, wait
from tests.recordings import blocked_run, healthy_run
from tests.trace.traces import traces
from tests.views.falls import NOT_RECORDED, export, told_shares

# -- shares and sentence ------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(traces())
@settings(max_examples=60)
def test_the_shares_add_up_to_the_nanosecond_whatever_the_rows_say(trace: Trace) -> None:
    for index in range(len(trace.requests)):
        fall = waterfall(trace, index)
        assert sum(share.ns for share in fall.shares) == fall.duration_ns
        assert all(share.ns > 0 for share in fall.shares)


@pytest.mark.parametrize("trace", [blocked_run(), healthy_run(), export()])
def test_the_shares_of_each_request_of_a_run_add_up(trace: Trace) -> None:
    for index, row in enumerate(trace.requests):
        fall = waterfall(trace, index)
        assert row.end_ns is not None
        assert sum(share.ns for share in fall.shares) == fall.duration_ns == row.end_ns - row.start_ns
        assert [share.ns for share in fall.shares] == sorted((share.ns for share in fall.shares), reverse=True)


def test_it_says_where_the_time_went() -> None:
    fall = waterfall(export(), 0)
    assert told_shares(fall) == [
        ("Ready, while `GET /report` (request 26) held the loop with `df.to_csv()`", "83%", 210),
        ("In a worker thread, in `render_pdf`", "7%", 18),
        ("Running in the handler `export`", "5%", 13),
        ("Running in the response `PlainTextResponse`", "1%", 2),
        ("Running outside of the app's layers", "1%", 2),
        ("Running in the middleware `TimingMiddleware`", "1%", 2),
        ("Queued for a thread to run `render_pdf`", "1%", 2),
        ("Running in the middleware `AuthMiddleware`", "<1%", 1),
        ("Running in the routing `Router`", "<1%", 1),
        ("Waiting to be woken after `render_pdf`", "<1%", 1),
    ]
    assert plain(fall.sentence) == (
        "The request spent 210 of 252 ms ready, while `GET /report` (request 26) held the loop with `df.to_csv()`; "
        "18 ms in a worker thread, in `render_pdf`; and 24 ms otherwise."
    )


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (
            Trace(tasks=[task()], steps=[step(0, 0, 9, "returned")], requests=[request(0, 0, 9, task=0)]),
            "The request spent 9 of 9 ms running.",
        ),
        (
            Trace(
                tasks=[task()],
                steps=[step(0, 0, 9)],
                waits=[wait(0, 9, 20, "lock")],
                requests=[request(0, 0, None, task=0)],
                duration_ns=ns(20),
            ),
            "The request is not over; so far it spent 11 of 20 ms waiting for a lock; 9 ms running.",
        ),
        (
            Trace(requests=[request(0, 3, 3)], clock="virtual"),
            "The request took no time. In virtual time, what only computes takes no time.",
        ),
        (Trace(requests=[request(0, 3, 3)]), "The request took no time."),
        (
            Trace(requests=[request(0, 0, 8)]),
            "The request spent 8 of 8 ms in a way that was not recorded.",
        ),
        (
            Trace(
                tasks=[task()],
                steps=[step(0, 0, 60, "returned", site=LINE)],
                samples=looks(0, 10, 30),
                requests=[request(0, 0, 60, task=0)],
            ),
            "The request spent 60 of 60 ms holding the loop with `df.to_csv()`.",
        ),
    ],
)
def test_the_sentence_is_true_of_every_kind_of_request(trace: Trace, expected: str) -> None:
    assert plain(waterfall(trace, 0).sentence) == expected


@pytest.mark.parametrize(
    ("owner", "site", "expected"),
    [
        (1, LINE, "Ready, while the task `heartbeat` held the loop"),
        (None, LINE, "Ready, while a callback `report` held the loop"),
        (None, None, "Ready, while a callback held the loop"),
    ],
)
def test_what_held_the_loop_and_is_no_request_is_named_as_what_it_is(
    owner: int | None, site: Site | None, expected: str
) -> None:
    trace = Trace(
        tasks=[task(), task(coroutine="heartbeat")],
        steps=[step(owner, 0, 60, site=site), step(0, 60, 2, "returned")],
        requests=[request(0, 0, 62, task=0)],
    )
    assert part_words(waterfall(trace, 0).shares[0]) == expected


def test_many_shares_become_few_and_nothing_is_lost() -> None:
    count = 40
    calls = [handoff(n, n, n + 0.5, n + 0.75, task=0, function=f"f{n}") for n in range(count)]
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 0.01)],
        waits=[wait(0, 0.01, 40, "thread")],
        handoffs=calls,
        requests=[request(0, 0, 40, task=0, handoffs=tuple(range(count)))],
    )
    fall = waterfall(trace, 0)
    assert len(fall.shares) <= 12 + len(STATES)
    assert sum(share.ns for share in fall.shares) == ns(40)
    assert ("Waiting to be woken, in 40 smaller shares", ns(10)) in [(part_words(s), s.ns) for s in fall.shares]


# -- what is not known -----------------------------------------------------------------------------------------------


def test_what_the_recording_does_not_hold_is_said() -> None:
    trace = Trace(
        tasks=[task(), task(1, parent=0)],
        steps=[step(0, 0, 2), step(1, 2, 2, "returned")],
        requests=[request(0, 0, 9, task=0)],
        dropped=3,
    )
    assert waterfall(trace, 0).notes == [
        "The layers of this app are not known: what is shown is what the request's tasks did.",
        (
            "2 tasks worked for this request. Each moment is counted once: as what ran, or else what a thread did, or "
            "else what was ready, or else a wait."
        ),
        "The recorder dropped 3 events, the oldest: what they told of this request is missing.",
        NOT_RECORDED,
    ]
    assert waterfall(Trace(requests=[request(0, 0, 9)]), 0).notes == [
        "Which task called the app was not recorded, so nothing is known of what it did.",
        NOT_RECORDED,
    ]


def test_input_that_may_have_come_while_another_held_the_loop_is_told_of() -> None:
    def held(on: Any) -> list[str]:
        trace = Trace(
            tasks=[task(), task()],
            steps=[step(0, 0, 1), step(1, 1, 60, site=LINE), step(0, 70, 1, "returned")],
            waits=[wait(0, 1, 70, on)],
            requests=[request(0, 0, 71, task=0)],
        )
        return waterfall(trace, 0).notes[:-2]

    (told,) = held("io")
    assert told == (
        "60 ms of the wait for I/O went by while other steps held the loop. When in that time it was there could not "
        "be seen."
    )
    assert held("timer") == []  # when a timer is due is known


def test_what_the_diagnosis_does_not_count_of_a_held_loop_is_told_beside_the_whole() -> None:
    def held(away_ms: float) -> Waterfall:
        told = [Sample(0, ns(20), 0, LINE, "time.sleep(0.2)"), Sample(0, ns(230), ns(away_ms), None)]
        trace = Trace(
            tasks=[task()],
            steps=[step(0, 0, 230, "returned")],
            samples=told,
            requests=[request(0, 0, 230, task=0)],
        )
        return waterfall(trace, 0)

    assert plain(held(30).sentence).startswith(
        "The request spent 230 of 230 ms holding the loop with `time.sleep(0.2)`"
    )
    assert held(30).notes[0] == (
        "The step that held the loop took 230 ms, with 30 ms in which the system did not run the thread."
    )
    assert held(10).notes[0].startswith("The layers of this app"), "a small part changes nothing that is seen"


def test_steps_of_others_that_held_the_loop_are_told_together() -> None:
    trace = Trace(
        tasks=[task(), task(), task()],
        steps=[step(1, 0, 100, "returned"), step(2, 100, 100, "returned"), step(0, 200, 1, "returned")],
        samples=[
            Sample(0, ns(50), 0, LINE, "time.sleep(0.1)"),
            Sample(0, ns(100), ns(40), None),
            Sample(1, ns(150), 0, LINE, "time.sleep(0.1)"),
            Sample(1, ns(200), 0, None, "", ns(20)),
        ],
        requests=[request(number, 0, 201, task=number) for number in range(3)],
    )
    assert waterfall(trace, 0).notes[0] == (
        "The 2 steps that held the loop took 200 ms, with 40 ms in which the system did not run the thread and 20 ms "
        "in which other threads had the interpreter."
    )


def test_time_in_which_it_was_ready_and_nothing_ran_is_told_of() -> None:
    trace = Trace(
        tasks=[task(), task()],
        steps=[step(0, 0, 1), step(1, 14, 2), step(0, 20, 1, "returned")],
        waits=[wait(0, 1, 10, "timer")],
        requests=[request(0, 0, 21, task=0)],
    )
    assert waterfall(trace, 0).notes[0] == (
        "Of the 10 ms in which it was ready and no step held the loop, other steps ran for 2 ms. In the rest the loop "
        "did its own work, or the system woke it late."
    )
    busy = replace(trace.steps[1], start_ns=ns(10), duration_ns=ns(9.5))
    queued = Trace(tasks=trace.tasks, steps=[trace.steps[0], busy, trace.steps[2]], waits=trace.waits,
                   requests=trace.requests)  # fmt: skip
    assert not waterfall(queued, 0).notes[0].startswith("Of the")


def test_the_scope_is_what_was_recorded() -> None:
    fall = waterfall(export(), 0)
    assert fall.scope == [
        ("method", "GET"),
        ("path", "/export"),
        ("route", "/export"),
        ("status", "200"),
        ("came in", "100 ms after the run began"),
    ]
    assert (fall.title, fall.summary, fall.failure) == ("#25 GET /export", "200 · 252 ms", "")


def test_a_request_that_failed_tells_its_exception_and_one_without_an_answer_that_it_has_none() -> None:
    row = replace(request(3, 0, 5), status=None, error="ValueError: no luck")
    fall = waterfall(Trace(requests=[row]), 0)
    assert fall.scope[2:5] == [
        ("route", "not told by the app"),
        ("status", "none sent"),
        ("exception", "ValueError: no luck"),
    ]
    assert (fall.failure, fall.summary) == ("error", "error · 5 ms")


def test_a_websocket_has_no_status_and_one_that_is_not_over_says_so() -> None:
    row = Request(0, "WEBSOCKET", "/ws", "/ws", None, 0, None, None, (), (), None)
    fall = waterfall(Trace(requests=[row], duration_ns=ns(40)), 0)
    assert [term for term, _ in fall.scope] == ["method", "path", "route", "came in"]
    assert (fall.title, fall.summary) == ("#0 WEBSOCKET /ws", "40 ms so far, not over")
    pending = waterfall(Trace(requests=[replace(row, route=None)], duration_ns=ns(40)), 0)
    assert pending.scope[2] == ("route", "not known before the request is over")


@pytest.mark.parametrize("index", [2, -3])
def test_a_request_that_is_not_there_is_refused(index: int) -> None:
    trace = Trace(requests=[request(0, 0, 1), request(1, 0, 1)])
    expected = f"expected the index of one of 2 requests, got {index}: give one of trace.requests"
    with pytest.raises(TraceError, match=f"^{re.escape(expected)}$"):
        waterfall(trace, index)


def test_an_index_may_count_from_the_end() -> None:
    assert waterfall(export(), -2) == waterfall(export(), 0)
