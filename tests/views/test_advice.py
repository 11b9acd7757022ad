"""What a diagnosis advises, whole: for the function in which the line stands, for the loop, and for the server."""

import time
from dataclasses import replace

import anyio
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.routing import Route

from playground import Lab, watch
from playground.errors import NoAnswer
from playground.trace import Request, Site, Span, SpanKind, Step, Trace
from playground.views.advice import loop_of
from playground.views.diagnosis import diagnose
from playground.views.failures import app_errors
from playground.views.queues import thread_queue
from tests.by_hand import handoff, looks, ns, request, step, task, wait

SLEEP = "time.sleep(0.2)"
TWIN = "await asyncio.sleep(0.2)"
MAKE_DEF = f"Make the handler a plain `def`, or `{TWIN}`."


def line(function: str, file: str = "fa.py") -> Site:
    return Site(file, 46, function, SLEEP)


def layer(kind: SpanKind, name: str, start_ms: float = 0, end_ms: float | None = 300, request: int = 0) -> Span:
    return Span(request, kind, name, ns(start_ms), None if end_ms is None else ns(end_ms), None, 0, None)


def held(
    site: Site, *spans: Span, call: str = SLEEP, method: str = "GET", also: tuple[Step, ...] = (), times: int = 1
) -> Trace:
    """A request (or several, one after the other) that holds the loop at a line for 200 ms, within these layers."""
    return Trace(
        tasks=[task(coroutine="serve") for _ in range(times)],
        steps=[*(step(n, 10 + 300 * n, 200, "returned") for n in range(times)), *also],
        samples=[look for n in range(times) for look in looks(n, 30 + 300 * n, 200 + 300 * n, site=site, call=call)],
        requests=[replace(request(n, 300 * n, 300 * n + 299, task=n), method=method) for n in range(times)],
        spans=spans,
    )


def advice(trace: Trace) -> str:
    (finding,) = diagnose(trace)
    assert str(finding).endswith(f" {finding.suggestion}")
    return finding.suggestion


def either(function: str, within: str = "", instead: str = f"`{TWIN}`") -> str:
    return (
        f"That line stands in `{function}`{within}. If `{function}` is an `async def`, {instead} there; if it is a "
        "plain `def`, have it called in a thread: `await asyncio.to_thread(...)`."
    )


# -- the function in which the line stands --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("bad", "bad"),
        ("bad", "bad.<locals>.<genexpr>"),
        ("bad", "bad.<locals>.<listcomp>.<locals>.<dictcomp>"),
        ("app.<locals>.bad", "app.<locals>.bad"),
        ("Page", "Page.get"),
        ("Page", "Page.__call__"),
    ],
)
def test_a_handler_that_awaits_nothing_is_told_to_become_a_plain_def(name: str, function: str) -> None:
    assert advice(held(line(function), layer("middleware", "timing"), layer("handler", name))) == MAKE_DEF


def test_a_sleep_by_its_own_name_is_told_its_twin_and_a_librarys_is_not() -> None:
    trace = held(line("bad"), layer("handler", "bad"), call="sleep(0.2)")
    assert advice(trace) == MAKE_DEF
    into = Trace(
        tasks=trace.tasks,
        steps=trace.steps,
        samples=[replace(look, library="robot") for look in trace.samples],
        requests=trace.requests,
        spans=trace.spans,
    )
    assert advice(into) == "Make the handler a plain `def`, or `await asyncio.to_thread(...)`."


def test_a_handler_that_awaits_elsewhere_cannot_become_a_plain_def() -> None:
    waits = step(0, 250, 1, "waits", site=Site("fa.py", 40, "bad", "await load()"))
    assert advice(held(line("bad"), layer("handler", "bad"), also=(waits,))) == f"In the handler, `{TWIN}` instead."


def test_a_websockets_handler_cannot_become_a_plain_def() -> None:
    trace = held(line("chat"), layer("handler", "chat"), method="WEBSOCKET")
    assert advice(trace) == f"In the handler, `{TWIN}` instead."


@pytest.mark.parametrize("function", ["helper", "bad.<locals>.helper", "bad.<locals>.<lambda>", "badly", "Page._load"])
def test_a_function_that_a_handler_called_is_named_with_it(function: str) -> None:
    assert advice(held(line(function), layer("handler", "bad"))) == either(
        function, ", which ran within the handler `bad`"
    )


def test_a_function_of_the_handlers_name_in_another_file_is_not_the_handler() -> None:
    handler = replace(layer("handler", "bad"), site=Site("views.py", 3, "bad"))
    assert advice(held(line("bad"), handler)) == either("bad", ", which ran within the handler `bad`")


def test_a_background_task_is_not_taken_for_the_handler() -> None:
    spans = [layer("handler", "post_badlog", 0, 12), layer("response", "JSONResponse", 12)]
    assert advice(held(line("bad_bg"), *spans)) == either(
        "bad_bg", ", which ran after the handler, for its response or a background task"
    )


def test_a_dependency_is_not_taken_for_the_handler() -> None:
    spans = [layer("dependency", "dependencies", 0, 250), layer("handler", "bad", 250)]
    assert advice(held(line("user"), *spans)) == either(
        "user", ", which ran while the handler's dependencies were found"
    )


@pytest.mark.parametrize(("name", "function"), [("timing", "timing"), ("Timing", "Timing.dispatch")])
def test_a_middleware_is_told_what_to_await(name: str, function: str) -> None:
    span = replace(layer("middleware", name), site=Site("fa.py", 7, name))
    assert advice(held(line(function), span)) == f"In `{function}`, `{TWIN}` instead."


def test_what_a_middleware_called_is_named_with_it() -> None:
    assert advice(held(line("sign"), layer("middleware", "timing"))) == either(
        "sign", ", which ran within the middleware `timing`"
    )


def test_a_librarys_middleware_is_not_named_but_that_the_handler_was_over_is_told() -> None:
    library = Site("/x/site-packages/fastapi/stack.py", 15, "Stack.__call__")
    stack = replace(layer("middleware", "Stack"), site=library)
    assert advice(held(line("bad_bg"), stack)) == either("bad_bg")
    assert advice(held(line("bad_bg"), stack, layer("handler", "later", 0, 12))) == either(
        "bad_bg", ", which ran after the handler"
    )


def test_a_function_that_was_seen_to_wait_is_known_to_be_async() -> None:
    waits = wait(0, 210, 250, "timer", Site("fa.py", 30, "bad_bg", "await asyncio.sleep(0.04)"))
    seen = held(line("bad_bg"), layer("response", "JSONResponse"))
    trace = Trace(
        tasks=seen.tasks,
        steps=seen.steps,
        samples=seen.samples,
        requests=seen.requests,
        spans=seen.spans,
        waits=[waits],
    )
    assert advice(trace) == f"In `bad_bg`, `{TWIN}` instead."


def test_where_no_layers_were_recorded_nobody_is_said_to_have_called_it() -> None:
    assert advice(held(line("bad"))) == either("bad")
    assert advice(held(line("bad"), call="parse()")) == either("bad", instead="`await asyncio.to_thread(...)`")


def test_a_helper_of_two_handlers_is_not_said_to_be_of_one() -> None:
    spans = [layer("handler", "a"), layer("handler", "b", 300, 600, request=1)]
    assert advice(held(line("helper"), *spans, times=2)) == either("helper")


def test_what_a_tasks_own_coroutine_does_is_told_in_short() -> None:
    assert advice(held(line("serve"))) == f"Instead, `{TWIN}`."


async def bad_bg() -> None:
    time.sleep(0.06)


def helper() -> None:
    time.sleep(0.06)


async def calls(request: StarletteRequest) -> Response:
    helper()
    return Response()


async def blocks(request: StarletteRequest) -> Response:
    time.sleep(0.06)
    return Response()


async def later(request: StarletteRequest) -> Response:
    return Response(background=BackgroundTask(bad_bg))


def test_a_background_task_and_a_helper_are_told_apart_from_the_handler_in_a_real_run() -> None:
    app = Starlette(routes=[Route(f"/{endpoint.__name__}", endpoint) for endpoint in (calls, blocks, later)])
    twin = "await asyncio.sleep(0.06)"
    with Lab(app) as lab:
        told = {path: advice(lab.burst(path, n=1).trace) for path in ("/calls", "/later", "/blocks")}
    assert told == {
        "/calls": either("helper", ", which ran within the handler `calls`", f"`{twin}`"),
        "/later": either("bad_bg", ", which ran after the handler, for its response or a background task", f"`{twin}`"),
        "/blocks": f"Make the handler a plain `def`, or `{twin}`.",
    }


# -- whose loop it was ----------------------------------------------------------------------------------


def on_trio(call: str, function: str = "child") -> Trace:
    root = task(coroutine="Runner.init", name="<init>")
    return Trace(
        tasks=[root, task(coroutine="main", parent=0), task(coroutine="child", parent=1)],
        steps=[step(2, 10, 120)],
        samples=looks(0, 30, 100, site=line(function), call=call),
    )


def test_a_trio_task_is_told_what_trio_has() -> None:
    assert advice(on_trio("time.sleep(0.12)")) == "Instead, `await trio.sleep(0.12)`."
    assert advice(on_trio("parse()")) == "Instead, `await trio.to_thread.run_sync(...)`."
    assert advice(on_trio("parse()", "helper")) == (
        "That line stands in `helper`. If `helper` is an `async def`, `await trio.to_thread.run_sync(...)` there; if "
        "it is a plain `def`, have it called in a thread: `await trio.to_thread.run_sync(...)`."
    )


def test_where_the_first_tasks_were_dropped_the_loop_is_not_known() -> None:
    def orphan(call: str) -> Trace:
        return Trace(
            tasks=[task(coroutine="child")],
            steps=[step(0, 10, 120)],
            samples=looks(0, 30, 100, site=line("child"), call=call),
            dropped=9,
            forgotten={"tasks": 2},
        )

    assert advice(orphan("time.sleep(0.12)")) == "Instead, await an async sleep."
    assert advice(orphan("parse()")) == "Instead, `await anyio.to_thread.run_sync(...)`."


def test_a_task_of_asyncios_is_not_taken_for_trios() -> None:
    trace = Trace(tasks=[task(coroutine="main"), task(coroutine="child", parent=0)])
    assert [loop_of(trace, at) for at in (0, 1, None)] == ["asyncio", "asyncio", "asyncio"]


def test_trio_is_known_in_a_real_run() -> None:
    trio = pytest.importorskip("trio")

    async def child() -> None:
        time.sleep(0.06)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)

    with watch() as trace:
        trio.run(main)
    assert advice(trace) == "Instead, `await trio.sleep(0.06)`."


# -- more threads ---------------------------------------------------------------------------------------

IF_THEY_COMPUTE = "If they compute, more threads would only take turns: make the calls shorter."
OF_THE_SERVER = (
    "If these calls wait for something, give the server more threads; in a lab, `Lab(app, threads=...)`. "
    + IF_THEY_COMPUTE
)
OF_THE_LIMITER = (
    "If these calls wait for something, allow more threads: as the app starts, set "
    "`anyio.to_thread.current_default_thread_limiter().total_tokens`; in a lab, `Lab(app, threads=...)`. "
    + IF_THEY_COMPUTE
)


def queued(site: Site | None, function: str = "Flask", *spans: Span, forgot: int = 0, **more: object) -> str:
    calls = [handoff(1, 2, 99, 100, task=0), handoff(100, 101, 200, 201, task=1, queued_ms=98)]
    trace = Trace(
        tasks=[task(), task()],
        handoffs=[replace(call, function=function, site=site) for call in calls],
        requests=[replace(request(n, 0, 202, task=n, handoffs=(n,)), **more) for n in range(2)],  # type: ignore[arg-type]
        spans=spans,
        forgotten={"spans": forgot},
    )
    (finding,) = thread_queue(trace)
    return finding.suggestion


@pytest.mark.parametrize(
    "site",
    [
        Site("", 0, "Flask"),
        Site("shop.py", 3, "wsgi"),
        Site("/usr/lib/python3/site-packages/flask/app.py", 1479, "Flask.wsgi_app"),
    ],
)
def test_a_wsgi_apps_calls_are_given_threads_by_the_server(site: Site) -> None:
    assert queued(site, site.function) == OF_THE_SERVER


def test_other_calls_are_given_threads_by_the_limiter() -> None:
    whole = Site("shop.py", 3, "hello")
    assert queued(None) == OF_THE_LIMITER
    assert queued(Site("shop.py", 9, "app"), "time.sleep") == OF_THE_LIMITER
    assert queued(Site("/x/site-packages/starlette/wsgi.py", 9, "Responder.wsgi"), "Responder.wsgi") == OF_THE_LIMITER
    assert queued(whole, "hello", layer("handler", "hello", request=1)) == OF_THE_LIMITER
    assert queued(whole, "hello", route="/hello") == OF_THE_LIMITER
    assert queued(whole, "hello", handoffs=(0, 1)) == OF_THE_LIMITER
    assert queued(whole, "hello", forgot=1) == OF_THE_LIMITER


def test_a_trio_programs_calls_are_given_threads_by_trio() -> None:
    root = task(coroutine="Runner.init", name="<init>")
    call = handoff(100, 101, 200, 201, task=1, queued_ms=98)
    (finding,) = thread_queue(Trace(tasks=[root, task(parent=0)], handoffs=[call]))
    assert finding.suggestion == (
        "If these calls wait for something, allow more threads: as the program starts, set "
        f"`trio.to_thread.current_default_thread_limiter().total_tokens`. {IF_THEY_COMPUTE}"
    )


def test_a_wsgi_app_is_known_from_an_asgi_app_in_a_real_run() -> None:
    def wsgi(environ: dict[str, object], start_response: object) -> list[bytes]:
        time.sleep(0.02)
        start_response("200 OK", [])  # type: ignore[operator]
        return [b"done"]

    async def asgi(scope: dict[str, object], receive: object, send: object) -> None:
        if scope["type"] == "http":
            await anyio.to_thread.run_sync(time.sleep, 0.02)
            await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
            await send({"type": "http.response.body", "body": b"done"})  # type: ignore[operator]

    for app, told in ((wsgi, OF_THE_SERVER), (asgi, OF_THE_LIMITER)):
        with Lab(app, threads=1) as lab:
            assert [finding.suggestion for finding in thread_queue(lab.burst("/", n=3).trace)] == [told]


# -- an exception's text --------------------------------------------------------------------------------


def raised(error: str) -> str:
    failed: Request = replace(request(0, 0, 5, task=0, route="/b", path="/b"), error=error, status=None)
    (finding,) = app_errors(Trace(tasks=[task()], requests=[failed]))
    return str(finding)


BEFORE = "The request ended in an exception that the app let out. `GET /b` raised "
AFTER = ' To see its traceback, send such a request alone: `lab.get("/b")`.'


def test_an_error_of_our_own_is_told_whole() -> None:
    told = "expected what virtual time can wait for, got a call of `socket.connect`. " + "Do this, and do that. " * 12
    assert raised(f"{NoAnswer.__name__}: {told}") == f"{BEFORE}`NoAnswer`: {told.strip()}{AFTER}"
    assert raised(f"NotInVirtualTime: {'x ' * 60}got a thread") == (
        f"{BEFORE}`NotInVirtualTime`: {'x ' * 60}got a thread.{AFTER}"
    )


def test_a_long_text_of_anothers_is_cut_at_a_words_end() -> None:
    whole = "lorem ipsum, " * 15 + "lorem"  # 200 characters
    assert raised(f"ValueError: {whole} ipsum") == f"{BEFORE}`ValueError`: {whole} …{AFTER}"
    assert raised(f"ValueError: {whole}s ipsum") == f"{BEFORE}`ValueError`: {'lorem ipsum, ' * 14}lorem ipsum …{AFTER}"
    assert raised(f"ValueError: {'y' * 300}") == f"{BEFORE}`ValueError`: {'y' * 200} …{AFTER}"
    assert raised(f"ValueError: {'z ' * 50}end!") == f"{BEFORE}`ValueError`: {'z ' * 50}end!{AFTER}"


def test_a_short_text_stays_code_and_control_characters_go() -> None:
    assert raised("ValueError: on purpose") == f"{BEFORE}`ValueError: on purpose`.{AFTER}"
    assert raised("ValueError: \x1b[31m" + "a b " * 30) == f"{BEFORE}`ValueError`: [31m{' a b' * 30}.{AFTER}".replace(
        "[31m a", "[31ma"
    )


def test_of_several_long_texts_the_first_is_told() -> None:
    errors = [f"KeyError: {'no such key ' * 8}{n}" for n in range(2)]
    failed = [replace(request(n, 0, 5, route="/b", path="/b"), error=errors[n]) for n in range(2)]
    (finding,) = app_errors(Trace(requests=failed))
    assert str(finding) == (
        "All 2 requests ended in an exception that the app let out. `GET /b` raised `KeyError` with 2 different "
        f"texts, the first `KeyError`: {'no such key ' * 8}0.{AFTER}"
    )
