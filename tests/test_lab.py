"""A lab sends requests, records runs, and leaves nothing behind."""

import asyncio
import contextlib
import gc
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest

from playground import App, Deadlock, Lab, LabClosed, LabError, Network
from playground.errors import LifespanError
from playground.web.applications import Starlette
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, StreamingResponse
from playground.web.routing import Route
from playground.web.websockets import WebSocket

app = App()


@app.get("/hello/{name}")
async def hello(name: str) -> dict[str, str]:
    await anyio.sleep(0.001)
    return {"hello": name}


@app.get("/blocks")
async def blocks() -> str:
    time.sleep(0.1)
    return "blocked"


@app.get("/report")
def report() -> str:
    time.sleep(0.02)
    return "done"


@app.post("/echo")
async def echo(request: Request) -> bytes:
    return await request.body()


@app.get("/broken")
async def broken() -> None:
    raise ValueError("on purpose")


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def chunks() -> Any:
        for index in range(3):
            yield f"{index}".encode()
            await anyio.lowlevel.checkpoint()

    return StreamingResponse(chunks())


left = threading.Event()


@app.get("/endless")
async def endless() -> StreamingResponse:
    async def chunks() -> Any:
        try:
            while True:
                yield b"tick"
                await anyio.sleep(0.001)
        finally:
            left.set()

    return StreamingResponse(chunks())


@app.websocket("/talk")
async def talk(socket: WebSocket) -> None:
    await socket.accept(subprotocol=socket.scope["subprotocols"][0])
    await socket.send_json(
        {
            "name": socket.query_params["name"],
            "mood": socket.headers["x-mood"],
            "offered": socket.scope["subprotocols"],
        }
    )
    async for text in socket.iter_text():
        await socket.send_text(text)


@app.get("/hang")
async def hang() -> None:
    await anyio.sleep(60)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(app) as lab:
        yield lab


# -- one request ----------------------------------------------------------------------------------------------------


def test_a_request_is_answered_by_an_httpx_response(lab: Lab) -> None:
    response = lab.get("/hello/Ada")
    assert isinstance(response, httpx.Response)
    assert response.json() == {"hello": "Ada"}
    assert lab.post("/echo", content=b"as it went").content == b"as it went"
    assert lab.head("/hello/Ada").status_code == 200
    assert [getattr(lab, verb)("/hello/Ada").status_code for verb in ("put", "patch", "delete", "options")] == [405] * 4


def test_an_exception_of_the_app_reaches_the_caller(lab: Lab) -> None:
    with pytest.raises(ValueError, match=r"^on purpose$") as raised:
        lab.get("/broken")
    assert raised.traceback[-1].name == "broken"
    assert [entry.name for entry in raised.traceback] == [
        "test_an_exception_of_the_app_reaches_the_caller",
        "get",
        "broken",
    ]


def test_the_client_may_be_awaited_from_another_loop(lab: Lab) -> None:
    async def upload() -> Any:
        for chunk in (b"from ", b"this ", b"loop"):
            await asyncio.sleep(0)
            yield chunk

    async def main() -> tuple[Any, bytes, list[bytes]]:
        answer = await lab.client.get("/hello/Ada")
        echoed = await lab.client.post("/echo", content=upload())
        async with lab.client.stream("GET", "/stream") as response:
            streamed = [chunk async for chunk in response.aiter_raw()]
        return answer.json(), echoed.content, streamed

    assert asyncio.run(main()) == ({"hello": "Ada"}, b"from this loop", [b"0", b"1", b"2"])


def test_cancelling_an_awaited_request_cancels_it_in_the_lab(lab: Lab) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lab.client.get("/hang"), 0.05)

    asyncio.run(main())
    assert lab.run(_other_tasks).result == set()


async def _other_tasks() -> set[str]:
    for _ in range(5):  # what was cancelled needs a few turns to unwind
        await asyncio.sleep(0)
    own = asyncio.current_task()
    return {task.get_name() for task in asyncio.all_tasks() if task is not own} - {"lab", "lifespan", _outermost()}


def _outermost() -> str:
    """The task that awaits the recorded function."""
    return next(task.get_name() for task in asyncio.all_tasks() if "_record" in repr(task.get_coro()))


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


# -- mistakes -------------------------------------------------------------------------------------------------------


def test_what_is_no_app_is_refused() -> None:
    with pytest.raises(LabError) as refused:
        Lab("app")  # type: ignore[arg-type]
    assert (
        str(refused.value) == "expected an app, which is callable, but got 'app'. Import the app, and pass it itself."
    )


def test_a_class_is_no_app() -> None:
    with pytest.raises(LabError) as refused:
        Lab(App)
    assert str(refused.value) == "expected an app, but got the class App. Make an instance of it, and pass that."


def test_a_wsgi_app_runs_in_a_worker_thread() -> None:
    def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("content-type", "text/plain")])
        return [environ["PATH_INFO"].encode()]

    with Lab(wsgi) as lab:
        assert lab.get("/hello").text == "/hello"
        run = lab.burst("/again", n=3)
    assert [response.text for response in run.responses] == ["/again"] * 3
    assert [len(request.handoffs) for request in run.requests] == [1, 1, 1]


def test_an_asgi_2_app_runs_too() -> None:
    class Two:
        def __init__(self, scope: Any) -> None:
            self.path = scope["path"]

        async def __call__(self, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": self.path.encode()})

    with Lab(Two) as lab:
        assert lab.get("/hello").text == "/hello"


def test_the_app_is_started_up_and_shut_down_and_its_state_reaches_requests() -> None:
    told: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, str]]:
        told.append("up")
        yield {"database": "connected"}
        told.append("down")

    async def endpoint(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.state.database)

    with Lab(Starlette(routes=[Route("/", endpoint)], lifespan=lifespan)) as lab:
        assert told == ["up"]
        assert lab.get("/").text == "connected"
        assert [response.text for response in lab.burst("/", n=2).responses] == ["connected"] * 2
    assert told == ["up", "down"]


def test_an_app_that_cannot_start_up_says_why_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        if app is not None:
            raise ValueError("no database")
        yield

    with pytest.raises(LifespanError, match="no database"):
        Lab(Starlette(lifespan=lifespan))
    assert set(threading.enumerate()) == before


def test_a_stream_is_read_while_the_app_sends_and_leaving_tells_the_app(lab: Lab) -> None:
    with lab.stream("GET", "/stream") as response:
        assert response.status_code == 200
        assert list(response.iter_raw()) == [b"0", b"1", b"2"]
    with lab.stream("GET", "/endless") as response:
        assert next(response.iter_raw()) == b"tick"
    assert left.wait(10)


def test_a_websocket_talks_from_a_cell(lab: Lab) -> None:
    with lab.websocket("/talk?name=Ada", subprotocols=["chat"], headers={"x-mood": "good"}) as socket:
        assert socket.receive_json() == {"name": "Ada", "mood": "good", "offered": ["chat"]}
        socket.send_text("hello")
        assert socket.receive_text() == "hello"


def test_the_same_app_is_served_on_a_real_socket_and_recorded(lab: Lab) -> None:
    async def browse() -> list[str]:
        async with httpx.AsyncClient(base_url=server.url) as browser:
            return [(await browser.get(path)).text for path in ("/hello/Ada", "/report")]

    with lab.serve() as server:
        assert httpx.get(f"{server.url}/hello/Ada").json() == {"hello": "Ada"}
        run = lab.run(browse)
    assert run.result == ['{"hello":"Ada"}', "done"]
    assert [(request.path, request.status) for request in run.requests] == [("/hello/Ada", 200), ("/report", 200)]
    assert [len(request.handoffs) for request in run.requests] == [0, 1]
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_a_port_that_is_taken_is_refused(lab: Lab) -> None:
    with lab.serve() as server:
        port = int(server.url.rpartition(":")[2])
        taken = rf"^expected a free port on 127\.0\.0\.1, got {port}, which cannot be had"
        with pytest.raises(LabError, match=taken), lab.serve(port):
            pass


def test_a_network_delays_and_loses() -> None:
    with Lab(app, network=Network(latency_s=0.02, loss=0.5, seed=4)) as lab:
        run = lab.burst("/hello/Ada", n=20)
    assert len(run.responses) + len(run.lost) == 20
    assert run.responses
    assert run.lost
    assert all(isinstance(error, httpx.TransportError) for error in run.lost.values())
    assert all(response.elapsed.total_seconds() >= 0.04 for response in run.responses)


def test_a_clock_that_does_not_exist_is_refused() -> None:
    with pytest.raises(LabError) as refused:
        Lab(app, clock="sundial")  # type: ignore[arg-type]
    assert str(refused.value) == ("expected clock='real' or clock='virtual', got 'sundial': choose one of these")


@pytest.mark.parametrize("threads", [0, -1, "4", True])
def test_a_lab_without_threads_is_refused(threads: Any) -> None:
    with pytest.raises(LabError) as refused:
        Lab(app, threads=threads)
    assert str(refused.value) == (
        f"expected at least one thread, got {threads!r}: plain def handlers need a thread to run in"
    )


@pytest.mark.parametrize("n", [0, -1, 2.5, "5", True])
def test_a_burst_of_nothing_is_refused(lab: Lab, n: Any) -> None:
    with pytest.raises(LabError) as refused:
        lab.burst("/", n=n)
    assert str(refused.value) == f"expected at least one request, got n={n!r}: ask for n=1 or more"


def test_a_burst_of_a_function_without_an_index_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError) as refused:
        lab.burst(lambda: "/hello/Ada", n=1)  # type: ignore[arg-type, misc]
    assert str(refused.value) == (
        "expected a function of the request's index, got one that takes (): write it as lambda index: ..."
    )


def test_a_burst_of_what_is_no_request_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError) as refused:
        lab.burst(lambda index: index, n=1)  # type: ignore[arg-type, return-value]
    assert str(refused.value) == (
        "expected a path, a 'POST /path' string or an httpx.Request, got int: "
        "give one of these, or a function of the index that returns one"
    )


def test_a_run_of_a_coroutine_is_refused(lab: Lab) -> None:
    async def main() -> None: ...

    with pytest.raises(LabError) as refused:
        lab.run(main())  # type: ignore[arg-type]
    assert str(refused.value) == (
        "expected a function that gives a coroutine, got coroutine: "
        "pass the function itself, as in lab.run(main) and not lab.run(main())"
    )


def test_a_follower_that_is_interrupted_leaves_the_lab_free(lab: Lab) -> None:
    class Interrupted:
        closed = False

        def prepare(self, title: str) -> None:
            raise KeyboardInterrupt

        def begins(self, recorder: object) -> None:
            raise AssertionError("nothing begins")

        def ends(self, trace: object) -> None:
            self.closed = True

    lab.follow(Interrupted())
    with pytest.raises(KeyboardInterrupt):
        lab.burst("/hello/Ada", n=1)
    assert lab.burst("/hello/Ada", n=1).responses[0].status_code == 200


def test_a_second_run_at_the_same_time_is_refused(lab: Lab) -> None:
    started, release = threading.Event(), threading.Event()

    async def long() -> None:
        started.set()
        await anyio.to_thread.run_sync(release.wait)

    first = threading.Thread(target=lab.run, args=(long,))
    first.start()
    started.wait(10)
    with pytest.raises(LabError) as refused:
        lab.burst("/hello/Ada")
    release.set()
    first.join()
    assert str(refused.value) == (
        "expected one run at a time, got a second while the first goes on: wait for it, or make a second Lab"
    )


def test_a_blocking_call_from_within_the_lab_is_refused(lab: Lab) -> None:
    async def main() -> None:
        lab.get("/hello/Ada")

    with pytest.raises(LabError, match=r"^expected a call from outside the lab's loop"):
        lab.run(main)


# -- endings --------------------------------------------------------------------------------------------------------


def test_an_interrupt_cancels_the_request_and_leaves_the_lab_usable(lab: Lab) -> None:
    timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        lab.burst("/hang", n=3)
    timer.join()
    assert lab.run(_other_tasks).result == set()
    assert lab.burst("/hello/Ada", n=1).responses[0].status_code == 200


def test_closing_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with Lab(app) as lab:
        lab.burst("/report", n=10)
    assert set(threading.enumerate()) == before
    assert repr(lab) == "<Lab closed: 1 runs>"
    with pytest.raises(LabClosed) as refused:
        lab.get("/hello/Ada")
    assert str(refused.value) == "expected an open lab, got one that was closed: make a new Lab(app)"


def test_a_forgotten_lab_closes_itself() -> None:
    before = set(threading.enumerate())
    lab = Lab(app)
    run = lab.burst("/report", n=3)
    del lab
    gc.collect()
    assert set(threading.enumerate()) == before
    assert len(run.trace.handoffs) == 3  # what it recorded outlives it


def test_a_websocket_of_a_lab_meets_its_network() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        while (message := await websocket.receive())["type"] == "websocket.receive":
            await websocket.send_text(message["text"])

    times = []
    with Lab(echo, clock="virtual", network=Network(latency_s=0.25)) as lab, lab.websocket("/") as session:
        for text in ("a", "b"):
            before = lab.run(virtual_now).result
            session.send_text(text)
            assert session.receive_text() == text
            times.append(lab.run(virtual_now).result - before)
    assert times == pytest.approx([0.5, 0.5], abs=1e-6)


async def virtual_now() -> float:
    return asyncio.get_running_loop().time()


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
