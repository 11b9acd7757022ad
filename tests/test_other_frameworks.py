"""How often a request is handed to a thread, and what is: exactly, for other people's frameworks in a lab.

The numbers are those of the locked versions (FastAPI 0.165, Starlette 1.10, Django 5.2 and 6.1, Quart 0.22 and 0.23,
Litestar 2.25, Flask 3.1, asgiref 3.13), and each says why: a framework that hands over more or less one day fails
here, and its reason is where to look. `tests/conformance/test_traced_frameworks.py` has what else is seen of them.
"""

# mypy: disable-error-code="import-untyped"
# Django has no types of its own.

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from asgiref.current_thread_executor import CurrentThreadExecutor
from django.db import connections

from playground import Lab
from playground.errors import NotInVirtualTime
from playground.trace import Clock, Trace, store
from tests.conformance.frameworks import on_django
from tests.conformance.test_traced_frameworks import handed_over
from tests.pages_of_django import book, lookup, on_django_by, our_pages
from tests.pages_of_others import (
    by_asgirefs_adapter,
    on_fastapi,
    on_flask,
    on_litestar,
    on_playground,
    on_quart,
    on_starlette,
)

REQUESTS = 3  # at once, so that a call taken for another request's would show


@pytest.fixture(scope="module", autouse=True)
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Django's own database: a file, for each thread has a connection of its own, and in memory a database too."""
    on_django.make_asgi()
    file = tmp_path_factory.mktemp("django") / "books.sqlite3"
    configured = connections.configure_settings({"default": sqlite(file)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connections.settings, "default", configured["default"])
        found = connections["default"]  # made for the settings that stood there
        del connections["default"]
        with connections["default"].schema_editor() as editor:
            editor.create_model(book())
        book().objects.create(title="Emma")
        connections["default"].close()
        yield
        connections["default"] = found


def sqlite(file: Path) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": {"timeout": 60}}


@dataclass(frozen=True)
class Page:
    """A page, and what is handed over for a request of it.

    Attributes:
        make: makes the app.
        path: the page's.
        calls: what is handed to a thread, in order.
        because: why, by the framework's own source.
        real_only: what keeps it out of virtual time: the beginning of what the lab says; empty if nothing does.
        ask: the request, if it is no GET of `path`.
        around: what must be open while it is asked.
    """

    make: Callable[[], Any]
    path: str
    calls: tuple[str, ...]
    because: str
    real_only: str = ""
    ask: Callable[[Lab], Any] | None = None
    around: Callable[[], AbstractContextManager[None]] = nullcontext


_HELD = ("_GeneratorContextManager.__enter__", "_GeneratorContextManager.__exit__")
_PAGES = [
    # -- FastAPI
    Page(on_fastapi, "/async", (), "a coroutine function is awaited on the loop (run_endpoint_function)"),
    Page(on_fastapi, "/def", ("from_thread",), "run_endpoint_function gives a plain function to run_in_threadpool"),
    Page(on_fastapi, "/async/model", (), "serialize_response validates on the loop for a coroutine function"),
    Page(
        *(on_fastapi, "/def/model", ("modelled", "ModelField.validate")),
        "serialize_response has the result of a plain function validated in a thread as well: it may be large",
    ),
    Page(
        *(on_fastapi, "/def/annotated", ("annotated", "ModelField.validate")),
        "an annotation of what is returned is its response model",
    ),
    Page(on_fastapi, "/def/needs", ("plain_need", "needing"), "solve_dependencies gives each plain one to a thread"),
    Page(on_fastapi, "/async/needs", ("plain_need",), "as is a coroutine function's plain dependency"),
    Page(on_fastapi, "/async/needs-async", (), "a coroutine function is awaited, as a dependency too"),
    Page(
        *(on_fastapi, "/def/holds", (_HELD[0], "holding", _HELD[1])),
        "contextmanager_in_threadpool enters and leaves a dependency that yields, each with a call of its own",
    ),
    Page(
        *(on_fastapi, "/def/holds/model", (_HELD[0], "holding_modelled", "ModelField.validate", _HELD[1])),
        "all of these come together",
    ),
    Page(on_fastapi, "/async/later", ("plain_need",), "BackgroundTask gives a plain function to run_in_threadpool"),
    # -- Starlette and ours
    Page(on_starlette, "/async", (), "request_response awaits a coroutine function"),
    Page(on_starlette, "/def", ("from_thread",), "request_response gives a plain function to run_in_threadpool"),
    Page(
        *(on_starlette, "/stream", ("_next",) * 3),
        "iterate_in_threadpool asks a plain iterator in a thread: for each piece, and for the end",
    ),
    Page(
        *(on_starlette, "/file", ("stat", "open", "BufferedReader.read", "BufferedReader.close")),
        "FileResponse goes through anyio's files: the size, then open, read (it is less than a piece) and close",
    ),
    Page(on_starlette, "/later", ("plain_need",), "BackgroundTask gives a plain function to run_in_threadpool"),
    Page(on_playground, "/async", (), "a coroutine function is awaited"),
    Page(on_playground, "/def", ("from_thread",), "a plain function is given to anyio's worker threads"),
    # -- Quart and Litestar, by the loop's own executor
    Page(on_quart, "/async", (), "a coroutine function is awaited"),
    Page(on_quart, "/def", ("from_thread",), "ensure_async wraps a plain function by run_sync: run_in_executor"),
    Page(on_litestar, "/async", (), "a coroutine function is awaited"),
    Page(on_litestar, "/def", ("from_thread",), "sync_to_thread=True goes to the loop's run_in_executor"),
    Page(on_litestar, "/def/on-the-loop", (), "sync_to_thread=False calls it on the loop, as its user asked"),
    Page(
        *(on_quart, "/stream", ("streamed", *("run_sync_iterable.<locals>._gen_wrapper.<locals>._inner",) * 3)),
        "run_sync_iterable asks a plain generator in a thread: for each piece, and for the end",
    ),
    Page(
        *(on_litestar, "/stream", ("AsyncIteratorWrapper._call_next",) * 3),
        "AsyncIteratorWrapper asks a plain iterator in a thread: for each piece, and for the end",
    ),
    # -- WSGI: the whole of the app's call is one hand-off
    Page(on_flask, "/def", ("Flask",), "our adapter gives the app's call to one thread"),
    Page(on_flask, "/stream", ("Flask",), "what iterates the body is in that thread, and goes back for each piece"),
    Page(
        *(on_flask, "/upload", ("Flask",), "what reads the body is in that thread, and goes back for each piece"),
        ask=lambda lab: lambda _: lab.client.build_request("POST", "/upload", content=bytes(300_000)),
    ),
    Page(
        *(on_flask, "/async", ("Flask",)),
        "Flask runs a coroutine function on a second loop, in the request's own thread (async_to_sync)",
        real_only="expected nothing from outside in virtual time, got a call of a second event loop's run_forever",
    ),
    Page(
        *(by_asgirefs_adapter, "/def", ("WsgiToAsgiInstance.run_wsgi_app",)),
        "asgiref's adapter gives it by sync_to_async to the one thread that all such calls share outside Django",
        real_only="expected an executor that can be in virtual time, got a thread pool made before the lab",
    ),
]

_FIRST = "Signal.asend.<locals>.sync_send"
_LAST = "HttpResponseBase.close"
_ASGI = on_django_by(on_django.make_asgi)
_WSGI = on_django_by(on_django.make_wsgi)
_DJANGO = [
    Page(
        *(_ASGI, "/async_view", (_FIRST, _LAST)),
        "request_started.asend has its two plain receivers, of django.db, called in a thread by one call; "
        "ASGIHandler.handle closes the response in one, which sends request_finished",
    ),
    Page(*(_ASGI, "/sync_view", (_FIRST, "sync_view", _LAST)), "and a plain view is wrapped by sync_to_async"),
    Page(
        *(on_django_by(on_django.make_asgi, "async_layer"), "/async_view", (_FIRST, _LAST)),
        "middleware that is a coroutine function costs none",
    ),
    Page(
        on_django_by(on_django.make_asgi, "sync_layer"),
        "/async_view",
        (_FIRST, "sync_layer.<locals>.layer", _LAST),
        "adapt_method_mode gives plain middleware to a thread, which comes back to the loop for the view",
    ),
    Page(
        on_django_by(on_django.make_asgi, "sync_layer"),
        "/sync_view",
        (_FIRST, "sync_layer.<locals>.layer", "sync_view", _LAST),
        "a plain view below plain middleware goes loop, thread, loop, and to the same thread, which waits for it",
    ),
    Page(
        *(_ASGI, "/helped", (_FIRST, "lookup", "free", _LAST)),
        "each sync_to_async is one, to the request's own thread or to any",
    ),
    Page(*(_ASGI, "/to_the_loop", (_FIRST, "to_the_loop", _LAST)), "async_to_sync goes back to the loop: no hand-off"),
    Page(
        *(_ASGI, "/there_and_back", (_FIRST, "there_and_back", "lookup", _LAST)),
        "sync_to_async within async_to_sync is handed to the thread that waits there (CurrentThreadExecutor)",
    ),
    Page(
        *(_ASGI, "/streamed", (_FIRST, "list", _LAST)),
        "StreamingHttpResponse makes a list of a plain iterator, in one call",
    ),
    # -- the ORM: every method whose name begins with a is sync_to_async of the one without
    Page(*(_ASGI, "/orm", (_FIRST, "orm", _LAST)), "a plain view asks the database in its own thread"),
    Page(*(_ASGI, "/orm_wrapped", (_FIRST, "QuerySet.count", _LAST)), "sync_to_async is one call"),
    Page(*(_ASGI, "/orm_asked", (_FIRST, "QuerySet.get", _LAST)), "QuerySet.aget is sync_to_async(self.get)"),
    Page(
        *(_ASGI, "/orm_listed", (_FIRST, "QuerySet._fetch_all", _LAST)),
        "`async for` over a query set fetches all rows in one call (QuerySet.__aiter__)",
    ),
    Page(
        *(_ASGI, "/orm_written", (_FIRST, "Model.save", "Model.delete", _LAST)),
        "asave and adelete are a call each",
    ),
    # -- through our adapter for WSGI
    Page(*(_WSGI, "/sync_view", ("WSGIHandler",)), "the whole of the app's call, signals included, is in one thread"),
    Page(*(_WSGI, "/orm", ("WSGIHandler",)), "the database too"),
    Page(
        *(_WSGI, "/async_view", ("WSGIHandler",)),
        "async_to_sync runs the view on a second loop, in the request's own thread",
        real_only="expected nothing from outside in virtual time, got a call of a second event loop's run_forever",
    ),
]

PAGES = [*_PAGES, *(replace(page, around=our_pages) for page in _DJANGO)]


def each_of(pages: list[Page]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=[f"{page.make.__name__} {page.path}" for page in pages])


def recorded(page: Page, clock: Clock) -> tuple[Trace, set[int]]:
    """The recording of a few requests at once, and how they were answered."""
    with page.around(), Lab(page.make(), clock=clock) as lab:
        run = lab.burst(page.ask(lab) if page.ask else page.path, REQUESTS)
        return run.trace, {response.status_code for response in run.responses}


def check(page: Page, trace: Trace, answers: set[int]) -> None:
    assert answers <= {200, 201}
    assert handed_over(trace, {"returned", "raised"}) == [list(page.calls)] * REQUESTS, page.because


@each_of(PAGES)
def test_as_many_calls_are_handed_over_as_the_framework_makes(page: Page) -> None:
    check(page, *recorded(page, "real"))


@each_of([page for page in PAGES if not page.real_only])
def test_as_many_are_in_virtual_time(page: Page) -> None:
    check(page, *recorded(page, "virtual"))


@pytest.mark.filterwarnings("ignore:.*coroutine.*AsyncToSync::")  # asgiref lets go of what it did not get to run
@each_of([page for page in PAGES if "executor" in page.real_only])  # `tests/clock` has second loops
def test_what_cannot_be_in_virtual_time_says_so_and_is_not_answered(
    page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    trace, answers = recorded(page, "virtual")
    assert answers == {500}
    told = [request.error or "" for request in trace.requests] + [
        str(each.exc_info[1]) for each in caplog.records if each.exc_info
    ]
    assert any(page.real_only in each for each in told)
    caplog.clear()
    gc.collect()  # here, where asgiref's warnings are expected


def test_each_request_of_django_has_a_thread_of_its_own() -> None:
    """`ASGIHandler.__call__` opens a `ThreadSensitiveContext`: one thread for all that is sensitive in a request."""
    (page,) = (page for page in PAGES if page.path == "/orm_written")
    trace, _ = recorded(page, "real")
    threads = [{trace.handoffs[call].thread for call in request.handoffs} for request in trace.requests]
    assert [len(of_one) for of_one in threads] == [1] * REQUESTS
    assert len(set.union(*threads)) == REQUESTS


def test_a_call_that_is_handed_to_a_thread_that_waits_takes_virtual_time_and_the_same_each_time() -> None:
    page = replace(PAGES[0], make=_ASGI, path="/there_and_back_for_long", around=our_pages)
    traces = [recorded(page, "virtual")[0] for _ in range(5)]
    assert {request.end_ns - request.start_ns for request in traces[0].requests if request.end_ns} == {3_000_000_000}
    assert [call.function for call in traces[0].handoffs].count("nap") == REQUESTS
    assert len({store.dump(trace) for trace in traces}) == 1


def test_a_thread_that_waits_in_real_time_is_handed_nothing_in_virtual_time() -> None:
    waiting = CurrentThreadExecutor(None)  # made before the lab, and so of real locks

    async def hand_over() -> None:
        await asyncio.get_running_loop().run_in_executor(waiting, lookup)

    with (
        Lab(on_starlette(), clock="virtual") as lab,
        pytest.raises(
            NotInVirtualTime,
            match=r"^expected an executor that can be in virtual time, got CurrentThreadExecutor: use a "
            r"ThreadPoolExecutor made after the lab, or clock='real'$",
        ),
    ):
        lab.run(hand_over)
