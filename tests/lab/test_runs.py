"""A lab's bursts and runs: answered, recorded, and as many threads as it allows."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from playground import App, Deadlock, Lab, LabError
from tests.lab.app import app

# -- runs -----------------------------------------------------------------------------------------------------------


def test_a_burst_is_recorded(lab: Lab) -> None:
    run = lab.burst("/hello/Ada", n=5)
    assert [response.json() for response in run.responses] == [{"hello": "Ada"}] * 5
    assert [(request.method, request.path, request.route, request.status) for request in run.requests] == [
        ("GET", "/hello/Ada", "/hello/{name}", 200)
    ] * 5
    assert [message.type for message in run.requests[0].messages][-2:] == [
        "http.response.start",
        "http.response.body",
    ]
    assert run.trace.max_overlap == 5
    assert run.trace.handoffs == ()
    assert run.diagnosis == []
    assert "5 requests" in run.summary
    assert lab.runs == [run]


@pytest.mark.parametrize(
    "request_like",
    [
        "POST /echo",
        httpx.Request("POST", "http://lab/echo"),
        lambda index: f"POST /echo?{index}",
        lambda index: httpx.Request("POST", f"http://lab/echo?{index}"),
    ],
)
def test_a_burst_takes_paths_strings_requests_and_functions(
    lab: Lab, request_like: str | httpx.Request | Callable[[int], str]
) -> None:
    run = lab.burst(request_like, n=2)
    assert [request.method for request in run.requests] == ["POST", "POST"]
    assert [response.status_code for response in run.responses] == [200, 200]


def test_a_burst_answers_an_exception_with_a_500_and_names_it(lab: Lab) -> None:
    run = lab.burst("/broken", n=2)
    assert [response.status_code for response in run.responses] == [500, 500]
    assert [request.error for request in run.requests] == ["ValueError: on purpose"] * 2


def test_an_app_that_cancels_itself_is_a_500_too() -> None:
    async def cancels(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError("by the app")

    with Lab(cancels) as lab:
        run = lab.burst("/", n=2)
    assert [response.status_code for response in run.responses] == [500, 500]
    assert [request.error for request in run.requests] == ["CancelledError: by the app"] * 2


def test_fifty_requests_show_each_hand_off_and_the_blocked_stretch(lab: Lab) -> None:
    def mixed(index: int) -> str:
        return "/blocks" if index == 20 else ("/hello/Ada", "/report")[index % 2]

    run = lab.burst(mixed, n=50)
    assert all(response.status_code == 200 for response in run.responses)
    trace = run.trace
    plain = [request for request in trace.requests if request.path == "/report"]
    assert len(trace.handoffs) == len(plain) == 25
    assert all(len(request.handoffs) == 1 for request in plain)
    assert {trace.handoffs[request.handoffs[0]].function for request in plain} == {"report"}
    # on a busy machine, starting threads may hold the loop for as long: only ours has this line
    (block,) = (block for block in trace.blocks() if block.call == "time.sleep(0.1)")
    assert abs(block.duration_ns - 100_000_000) < 5_000_000
    assert block.site is not None
    assert block.site.text == "time.sleep(0.1)"
    (sentence,) = (str(finding) for finding in run.diagnosis if "time.sleep(0.1)" in str(finding))
    assert f"line {block.site.line}" in sentence


def test_a_request_that_queues_for_the_loop_has_taken_that_long(lab: Lab) -> None:
    run = lab.burst(lambda index: "/blocks" if index == 0 else "/hello/Ada", n=3)
    for request, response in zip(run.requests, run.responses, strict=True):
        assert request.end_ns is not None
        assert request.end_ns - request.start_ns >= 100_000_000
        assert response.elapsed.total_seconds() >= 0.1
    assert run.trace.max_overlap == 3


def test_as_many_threads_run_as_the_lab_allows() -> None:
    with Lab(app, threads=2) as lab:
        trace = lab.burst("/report", n=6).trace
    assert len({handoff.thread for handoff in trace.handoffs}) == 2
    assert sum(handoff.limiter_wait_ns > 0 for handoff in trace.handoffs) == 4


def test_run_awaits_a_function_on_the_labs_loop_and_keeps_its_result_and_responses(lab: Lab) -> None:
    async def conversation() -> str:
        first = await lab.client.get("/hello/Ada")
        second = await lab.client.get("/hello/" + first.json()["hello"])
        return str(second.json()["hello"])

    run = lab.run(conversation)
    assert run.result == "Ada"
    assert [response.status_code for response in run.responses] == [200, 200]
    assert len(run.requests) == 2


def test_run_raises_what_the_function_raises_and_leaves_the_lab_usable(lab: Lab) -> None:
    async def fail() -> None:
        raise ValueError("in the experiment")

    with pytest.raises(ValueError, match=r"^in the experiment$"):
        lab.run(fail)
    assert lab.burst("/hello/Ada", n=1).responses[0].status_code == 200


def test_a_lab_that_does_not_record_has_responses_and_no_trace() -> None:
    with Lab(app, trace=False) as lab:
        run = lab.burst("/hello/Ada", n=2)
        assert len(run.responses) == 2
        with pytest.raises(LabError) as refused:
            _ = run.trace
    assert str(refused.value) == (
        "expected a run that was recorded, got one of a lab that does not record: "
        "make it with Lab(app), without trace=False"
    )


# -- runs that fail, and what a trace tells -------------------------------------------------------------------------


def test_a_run_that_fails_is_kept_as_far_as_it_got() -> None:
    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise ValueError("on purpose")

    with Lab(app) as lab:
        with pytest.raises(ValueError, match="on purpose"):
            lab.run(fails)
        (run,) = lab.runs
        assert [task.outcome for task in run.trace.tasks if task.name == "experiment"] == ["raised"]
        assert run.responses == []
        assert lab.burst("/hello/Ada", n=1).title == "Run 2"


def test_a_deadlocked_run_is_kept_too() -> None:
    stuck = App()

    @stuck.get("/")
    async def index() -> None:
        await asyncio.Event().wait()

    with Lab(stuck, clock="virtual") as lab:
        with pytest.raises(Deadlock):
            lab.burst("/", n=2)
        (run,) = lab.runs
        assert len(run.requests) == 2


def test_a_trace_tells_what_a_run_tells() -> None:
    with Lab(app) as lab:
        run = lab.burst("/blocks", n=2)
    assert run.trace.summary == run.summary
    assert list(run.trace.diagnosis) == list(run.diagnosis)
    assert str(run.trace) == str(run)
