"""Assertions on schedules, held against rows written by hand: each message whole, and nothing passes unseen."""

from collections.abc import Callable
from typing import get_args

import pytest

from playground import Trace
from playground.assertions import (
    assert_all_answered,
    assert_handoffs,
    assert_never_blocks,
    assert_no_findings,
    assert_nothing_left,
    assert_overlap,
    assert_responds_within,
)
from playground.trace import Clock, Message, Request, Sample, Site, Step, Task
from playground.views.findings import Rule
from tests.judged import OTHER, call, failure, refusal
from tests.recordings import MS, blocked_run, healthy_run

HANDLER = Site("shop.py", 12, "report", "time.sleep(0.2)")


def request(
    number: int,
    start_ms: int,
    end_ms: int | None,
    *,
    status: int | None = 200,
    more: bool = False,
    handoffs: tuple[int, ...] = (),
    error: str | None = None,
    method: str = "GET",
) -> Request:
    """A request to /report, answered as it ends."""
    messages: list[Message] = []
    if status is not None and end_ms is not None:
        messages.append(Message("send", "http.response.start", end_ms * MS, f"status {status}"))
        messages.append(Message("send", "http.response.body", end_ms * MS, "2 bytes" + ", more to come" * more))
    end_ns = None if end_ms is None else end_ms * MS
    return Request(
        number, method, "/report", None, status, start_ms * MS, end_ns, number, handoffs, tuple(messages), error
    )


def answers(*took_ms: int, clock: Clock = "real", dropped: int = 0) -> Trace:
    """One request after the other, each answered after so many milliseconds."""
    starts = [sum(took_ms[:number]) for number in range(len(took_ms))]
    requests = [request(number, starts[number], starts[number] + took) for number, took in enumerate(took_ms)]
    return Trace(requests=requests, clock=clock, dropped=dropped)


# -- never blocks ---------------------------------------------------------------------------------------------------


def held(*, dropped: int = 0, seen: bool = True) -> Trace:
    """Request 1 holds the loop for 200 ms, of which the system took 50 ms; a callback holds it for 80 ms."""
    looks = [Sample(1, 20 * MS, 0, HANDLER, "time.sleep(0.2)"), Sample(1, 210 * MS, 50 * MS, None)] if seen else []
    return Trace(
        tasks=[Task("r0", "ok", None, 0, 5 * MS, "returned"), Task("r1", "report", None, 0, 210 * MS, "returned")],
        steps=[
            Step(0, 0, 5 * MS, None, "returned", OTHER),
            Step(1, 10 * MS, 200 * MS, None, "returned", OTHER),
            Step(None, 210 * MS, 80 * MS, None, "callback", Site("shop.py", 30, "tick")),
        ],
        samples=looks,
        requests=[request(0, 0, 5), request(1, 0, 210)],
        dropped=dropped,
    )


def test_a_step_that_held_the_loop_is_named_with_its_request_its_line_and_its_length() -> None:
    assert failure(assert_never_blocks, held()) == (
        "expected no step to hold the event loop for 50 ms or longer, got 2 of 3 steps that did in Run (real clock), "
        "the longest for 150 ms:\n"
        "  - 150 ms from 10 ms on: request 1, GET /report, in `time.sleep(0.2)` (shop.py, line 12) "
        "(not counting 50 ms in which the system did not run the thread)\n"
        "  - 80 ms from 210 ms on: callback `tick`, defined at shop.py, line 30\n"
        "Instead, `await asyncio.sleep(0.2)`. "
        "Hand the call to a thread: `loop.run_in_executor(None, ...)`."
    )


def test_a_line_that_nobody_saw_is_not_named() -> None:
    assert "  - 200 ms from 10 ms on: request 1, GET /report, at a line that was not seen\n" in failure(
        assert_never_blocks, held(seen=False)
    )


def test_a_short_threshold_finds_short_steps_and_still_says_what_to_do() -> None:
    told = failure(assert_never_blocks, healthy_run(), 0.0001)
    first, *rows, advice = told.splitlines()
    assert first.startswith("expected no step to hold the event loop for 100 µs or longer, got ")
    assert len(rows) == 6
    assert rows[-1].endswith(" more")
    assert advice == "Hand what takes that long to a thread: `await asyncio.to_thread(...)`."


def test_where_the_longest_line_held_the_loop_for_a_part_the_part_is_told() -> None:
    looks = [Sample(0, 10 * MS, None, OTHER, "thing()"), Sample(0, 30 * MS, None, HANDLER, "time.sleep(0.2)")]
    run = Trace(
        steps=[Step(0, 0, 100 * MS, None, "returned", None)],
        tasks=[Task("t", "main", None, 0, None, "pending")],
        samples=looks,
    )
    assert (
        "  - 100 ms from 0 ms on: task `main`, for 80 of 100 ms in `time.sleep(0.2)` (shop.py, line 12)\n"
        in failure(assert_never_blocks, run)
    )


@pytest.mark.parametrize("check", [assert_never_blocks, assert_no_findings])
def test_what_is_judged_by_steps_does_not_pass_where_there_were_none(check: Callable[..., None]) -> None:
    assert failure(check, Trace(title="Run 3")).endswith(
        ", got a recording without any step in Run 3 (real clock).\n"
        "Judge the run that did the work: what Lab.burst, Lab.load or Lab.run returned."
    )


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (assert_never_blocks, "expected no step to hold the event loop for 50 ms or longer"),
        (assert_no_findings, "expected a run without findings"),
        (lambda run: assert_responds_within(run, 9), "expected every request to be answered within 9 s"),
        (
            lambda run: assert_responds_within(run, 9, share=0.5),
            "expected 50 % of the requests to be answered within 9 s",
        ),
        (lambda run: assert_all_answered(run, range(600)), "expected every request to be answered 0 to 599"),
        (assert_nothing_left, "expected nothing to be left when the run ended"),
        (lambda run: assert_overlap(run, at_most=99), "expected at most 99 requests in progress at one moment"),
        (
            lambda run: assert_handoffs(run, total=len(run.handoffs)),
            f"expected {len(healthy_run().handoffs)} hand-offs to worker threads in all",
        ),
    ],
)
def test_a_recording_that_dropped_events_does_not_pass_for_what_it_does_not_hold(
    check: Callable[..., None], expected: str
) -> None:
    whole = healthy_run()
    check(whole)
    rows = {name: getattr(whole, name) for name in ("steps", "tasks", "waits", "handoffs", "requests", "samples")}
    assert failure(check, Trace(**rows, dropped=1_234)) == (
        f"{expected}, got a recording that cannot say in Run (real clock): 1,234 events, the oldest, and what only "
        "they spoke of were dropped, because the recorder's ring was full.\n"
        "Send fewer requests in one run, or split it into several."
    )


def test_what_dropped_events_leave_is_judged_first() -> None:
    assert failure(assert_never_blocks, held(dropped=5)) == failure(assert_never_blocks, held())


@pytest.mark.parametrize("threshold_s", [0, -1, float("nan")])
def test_a_threshold_of_nothing_is_refused(threshold_s: float) -> None:
    assert refusal(assert_never_blocks, held(), threshold_s) == (
        f"expected a threshold above 0 seconds, got {threshold_s!r}: 0.05 is what a person notices"
    )


# -- hand-offs ------------------------------------------------------------------------------------------------------


def handed() -> Trace:
    return Trace(
        requests=[request(0, 0, 10, handoffs=(0,)), request(1, 0, 10, handoffs=(1, 2)), request(2, 0, 10)],
        handoffs=[call(0, "report", 12, 1, 5), call(1, "report", 12, 1, 6), call(1, "user", 3, 6, 9)],
    )


def test_requests_with_another_number_of_handoffs_are_named_with_their_calls() -> None:
    assert failure(assert_handoffs, handed(), per_request=1) == (
        "expected 1 hand-off to a worker thread for each request, got another number for 2 of 3 requests in Run (real "
        "clock):\n"
        "  - request 1, GET /report: 2, `report` (shop.py, line 12), `user` (shop.py, line 3)\n"
        "  - request 2, GET /report: 0\n"
        "An `async def` runs on the loop: write a plain `def`, or `await asyncio.to_thread(...)`."
    )
    assert failure(assert_handoffs, handed(), per_request=0).splitlines()[-1] == (
        "Every plain `def` handler and dependency is one hand-off: make those `async def` that do not block."
    )


def test_the_calls_of_a_request_with_very_many_are_counted() -> None:
    run = Trace(
        requests=[request(0, 0, 10, handoffs=tuple(range(8)))], handoffs=[call(0, "part", 3, 1, 5) for _ in range(8)]
    )
    told = failure(assert_handoffs, run, per_request=1).splitlines()
    assert told[1] == "  - request 0, GET /report: 8, " + ", ".join(["`part` (shop.py, line 3)"] * 5) + " and 3 more"


def test_another_number_of_handoffs_in_all_lists_them() -> None:
    assert_handoffs(handed(), total=3)
    assert failure(assert_handoffs, handed(), total=2) == (
        "expected 2 hand-offs to worker threads in all, got 3 in Run (real clock):\n"
        "  - call of `report` (shop.py, line 12), from 1 ms to 5 ms\n"
        "  - call of `report` (shop.py, line 12), from 1 ms to 6 ms\n"
        "  - call of `user` (shop.py, line 3), from 6 ms to 9 ms\n"
        "Every plain `def` handler and dependency is one hand-off: make those `async def` that do not block."
    )
    assert failure(assert_handoffs, Trace(), total=1) == (
        "expected 1 hand-off to worker threads in all, got 0 in Run (real clock).\n"
        "An `async def` runs on the loop: write a plain `def`, or `await asyncio.to_thread(...)`."
    )


def test_handoffs_for_each_request_need_a_request() -> None:
    assert_handoffs(Trace(), total=0)
    assert failure(assert_handoffs, Trace(), per_request=0) == (
        "expected 0 hand-offs to a worker thread for each request, got a run without requests in Run (real clock).\n"
        "Judge the run that did the work: what Lab.burst, Lab.load or Lab.run returned."
    )


def test_websockets_are_no_requests_to_judge() -> None:
    run = Trace(requests=[request(0, 0, 10), request(1, 0, None, method="WEBSOCKET", status=None, handoffs=(0, 1))])
    assert_handoffs(run, per_request=0)
    assert_all_answered(run)
    assert_responds_within(run, 1)


def test_asking_for_no_number_is_refused() -> None:
    assert refusal(assert_handoffs, handed()) == (
        "expected per_request=..., total=... or both, got neither: say how many hand-offs are right"
    )
    assert refusal(assert_overlap, handed()) == (
        "expected at_least=..., at_most=... or both, got neither: say how much overlap is right"
    )


# -- overlap --------------------------------------------------------------------------------------------------------


def test_too_little_overlap_lists_from_when_to_when() -> None:
    run = Trace(requests=[request(0, 0, 10), request(1, 10, None)], duration_ns=30 * MS)
    assert_overlap(run, at_least=1, at_most=1)
    assert failure(assert_overlap, run, at_least=2) == (
        "expected at least 2 requests in progress at one moment, got 1 in Run (real clock):\n"
        "  - request 0, GET /report: 0 ms to 10 ms\n"
        "  - request 1, GET /report: 10 ms to 30 ms, not over\n"
        "Requests follow one another where each is awaited before the next is sent, and where the handler holds the "
        "loop or a lock: see assert_never_blocks, and print(run) for the timeline."
    )


def test_too_much_overlap_lists_from_when_to_when() -> None:
    run = Trace(tasks=[Task("a", "first", None, 0, 9 * MS, "returned"), Task("b", "second", None, MS, None, "pending")])
    assert_overlap(run, at_least=2, at_most=2)
    assert failure(assert_overlap, run, at_most=1) == (
        "expected at most 1 task in progress at one moment, got 2 in Run (real clock):\n"
        "  - task `first`: 0 ms to 9 ms\n"
        "  - task `second`: 1 ms to 9 ms, not over\n"
        "Bound it where the work is done, by an anyio.CapacityLimiter or an asyncio.Semaphore."
    )


def test_a_bound_on_overlap_needs_something_that_could() -> None:
    assert failure(assert_overlap, Trace(), at_most=1).splitlines()[0] == (
        "expected at most 1 task in progress at one moment, got a recording without any task in Run (real clock)."
    )


# -- answers --------------------------------------------------------------------------------------------------------


def test_late_answers_are_listed_the_slowest_first_and_the_clock_is_told() -> None:
    run = Trace(requests=[request(0, 0, 100), request(1, 0, 130), request(2, 5, None, status=None), request(3, 0, 110)])
    assert_responds_within(run, 0.1, share=0.25)
    assert failure(assert_responds_within, run, 0.1) == (
        "expected every request to be answered within 100 ms, got 3 of 4 requests in Run (real clock) that took longer "
        "or got none:\n"
        "  - request 2, GET /report: no answer\n"
        "  - request 1, GET /report: answered 200 after 130 ms, 30 ms too late\n"
        "  - request 3, GET /report: answered 200 after 110 ms, 10 ms too late\n"
        "See print(run) for where the time went. On the real clock the machine's own load counts too: "
        "Lab(app, clock='virtual') takes that away."
    )
    assert failure(assert_responds_within, answers(100, 101, clock="virtual"), 0.1, share=0.75) == (
        "expected 75 % of the requests to be answered within 100 ms, got 1 of 2 requests in Run (virtual clock) that "
        "took longer or got none:\n"
        "  - request 1, GET /report: answered 200 after 101 ms, 1 ms too late\n"
        "See print(run) for where the time went; in virtual time it is the same in every run."
    )


@pytest.mark.parametrize(("late", "total", "share"), [(1, 20, 0.95), (3, 10, 0.7), (43, 100, 0.57), (1, 3, 2 / 3)])
def test_a_share_is_met_exactly(late: int, total: int, share: float) -> None:
    assert_responds_within(answers(*[10] * (total - late), *[20] * late), 0.01, share=share)
    failure(assert_responds_within, answers(*[10] * (total - late - 1), *[20] * (late + 1)), 0.01, share=share)


def test_what_happens_after_the_response_does_not_count() -> None:
    answered = request(0, 0, 10)
    still_at_work = Request(**{name: getattr(answered, name) for name in answered.__slots__} | {"end_ns": None})
    assert_responds_within(Trace(requests=[still_at_work], duration_ns=9_000 * MS), 0.01)
    assert_all_answered(Trace(requests=[still_at_work]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-0.1, 1.0), "expected 0 seconds or more, got -0.1: say how long an answer may take"),
        ((1.0, 0.0), "expected a share above 0 and up to 1, got 0.0: 0.95 stands for 95 %"),
        ((1.0, 95), "expected a share above 0 and up to 1, got 95: 0.95 stands for 95 %"),
    ],
)
def test_bounds_that_mean_nothing_are_refused(arguments: tuple[float, float], message: str) -> None:
    assert refusal(assert_responds_within, answers(1), *arguments) == message


def test_requests_that_were_not_answered_right_are_listed() -> None:
    run = Trace(
        requests=[
            request(0, 0, 10),
            request(1, 0, 11, status=404),
            request(2, 0, 12, more=True, error="ValueError: in the\nmiddle"),
            request(3, 0, None, status=None),
        ]
    )
    assert failure(assert_all_answered, run) == (
        "expected every request to be answered 200, got 3 of 4 requests in Run (real clock) that were not:\n"
        "  - request 1, GET /report: answered 404 after 11 ms\n"
        "  - request 2, GET /report: answered 200, but not to the end, raised `ValueError: in the middle`\n"
        "  - request 3, GET /report: no answer\n"
        'Send such a request alone and read its answer, or the app\'s traceback: lab.request("GET", "/report").'
    )
    assert failure(assert_all_answered, run, {404, 200}).startswith(
        "expected every request to be answered one of 200, 404, got 2 of 4 requests in Run (real clock) that were not:"
    )
    assert failure(assert_all_answered, run, range(200, 300)).startswith(
        "expected every request to be answered 200 to 299, got 3 of 4 requests in Run (real clock) that were not:"
    )


# -- findings -------------------------------------------------------------------------------------------------------


def test_findings_are_told_with_the_names_of_their_rules() -> None:
    run = Trace(steps=held().steps[:1], requests=[request(0, 0, 5, status=404)])
    assert failure(assert_no_findings, run) == (
        "expected a run without findings, got 1 in Run (real clock):\n"
        "  - not-found: The request was answered 404. The app named no route for `/report`. Compare the path with "
        "those of the app's routes.\n"
        "Mend what each says last; what is all right in this test is left out by ignore={'not-found'}."
    )
    assert_no_findings(run, ignore={"not-found"})
    assert failure(assert_no_findings, blocked_run(), ignore=["not-found"]).startswith("expected a run without")


def test_a_rule_that_there_is_not_cannot_be_ignored() -> None:
    assert refusal(assert_no_findings, held(), ignore=["late-wakes"]) == (
        f"expected names of rules to ignore, got 'late-wakes': there are {', '.join(sorted(get_args(Rule)))}"
    )
