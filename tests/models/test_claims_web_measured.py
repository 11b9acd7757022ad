"""The web benchmark's measuring: every client asks as it should, and each way answers what was asked."""

import asyncio
import itertools
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from playground.errors import ModelError
from playground.models.apart import run_apart
from playground.models.claims import web, web_ways
from playground.models.claims.web import web_benchmark
from playground.models.claims.web_asked import ask_asgi, ask_wsgi
from playground.models.claims.web_ways import FRAMEWORKS, THREADS, few, measure
from tests.by_hand import MS

# -- asking -------------------------------------------------------------------------------------------------------


class Enough(Exception):
    """What ends a test without looking at the clock."""


class CountingASGI:
    """An app that notes how many requests it answers at once."""

    def __init__(self, enough: int = 1000) -> None:
        self.now = self.most = self.all = 0
        self.enough = enough

    def enter(self) -> None:
        self.now += 1
        self.all += 1
        if self.all > self.enough:
            raise Enough
        self.most = max(self.most, self.now)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.enter()
        assert (await receive()) == {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(0.001)
        self.now -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})


def test_every_client_has_one_request_at_a_time_and_sends_the_next_when_it_is_answered() -> None:
    app = CountingASGI(50)
    with pytest.raises(Enough):
        asyncio.run(ask_asgi(app, "/", seconds=3600.0, at_once=7))
    assert app.most == 7
    assert app.all > 50


def test_no_time_is_one_request_of_each_client() -> None:
    app = CountingASGI()
    asked = asyncio.run(ask_asgi(app, "/", seconds=0.0, at_once=5))
    assert len(asked.latencies_ns) == app.all == 5
    assert all(0 < each <= asked.wall_ns for each in asked.latencies_ns)


async def blocking(scope: Any, receive: Any, send: Any) -> None:
    time.sleep(0.002)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


def test_who_waits_for_others_is_told_to_have_waited() -> None:
    """Ten are sent at once to a loop that is held up: the last waits for all, though its own answer takes 2 ms."""
    asked = asyncio.run(ask_asgi(blocking, "/", seconds=0.0, at_once=10))
    waits = sorted(asked.latencies_ns)
    assert all(later - sooner >= 2 * MS for sooner, later in itertools.pairwise(waits))
    assert waits[-1] >= 20 * MS


async def failing(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 500, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


async def raising(scope: Any, receive: Any, send: Any) -> None:
    raise ZeroDivisionError("mine")


async def unended(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})


async def listening(scope: Any, receive: Any, send: Any) -> None:
    """Waits for its client to leave before it ends, as Quart does from 0.23 on."""
    assert (await receive())["type"] == "http.request"
    gone = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    assert not gone.done()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})
    assert await gone == {"type": "http.disconnect"}


def test_the_client_leaves_when_it_has_its_answer() -> None:
    assert len(asyncio.run(ask_asgi(listening, "/", seconds=0.0, at_once=3)).latencies_ns) == 3


def test_an_app_that_fails_is_not_measured() -> None:
    with pytest.raises(RuntimeError, match=r"^expected the answer 200 to GET /a, got \[500\]$"):
        asyncio.run(ask_asgi(failing, "/a", seconds=0.0, at_once=3))
    with pytest.raises(RuntimeError, match=r"^expected the answer 200 to GET /a, got \[200\], unended$"):
        asyncio.run(ask_asgi(unended, "/a", seconds=0.0, at_once=1))
    with pytest.raises(ZeroDivisionError, match=r"^mine$"):
        asyncio.run(ask_asgi(raising, "/a", seconds=0.0, at_once=3))


async def cancelled(scope: Any, receive: Any, send: Any) -> None:
    raise asyncio.CancelledError


def test_an_app_that_is_cancelled_is_no_endless_wait() -> None:
    with pytest.raises(RuntimeError, match=r"^expected the answer 200 to GET /a, but the app was cancelled$"):
        asyncio.run(ask_asgi(cancelled, "/a", seconds=0.0, at_once=3))


def test_a_wsgi_app_is_asked_in_as_many_threads() -> None:
    closed = []

    class Body(list[bytes]):
        def close(self) -> None:
            closed.append(1)

    def app(environ: dict[str, Any], start_response: Any) -> Body:
        assert (environ["PATH_INFO"], environ["wsgi.input"].read()) == ("/a", b"")
        start_response("200 OK", [])
        return Body([b"x"])

    with ThreadPoolExecutor(3) as pool:
        asked = ask_wsgi(app, "/a", pool, 3, seconds=0.0, at_once=8)
        assert len(asked.latencies_ns) == len(closed) == 8
        with pytest.raises(RuntimeError, match=r"^expected the answer 200 to GET /a, got \['404 None'\]$"):
            ask_wsgi(not_found, "/a", pool, 3, seconds=0.0, at_once=1)


def not_found(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("404 None", [])
    return []


# -- measuring ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("framework", "ways"),
    [(name, tuple(way.name for way in each.ways if not way.green)) for name, each in FRAMEWORKS.items()],
    ids=FRAMEWORKS,
)
def test_each_framework_answers_each_page_of_each_way(framework: str, ways: tuple[str, ...]) -> None:
    """Away, where Django may have its configuration and threads end with their process."""
    apart = run_apart(measure, framework, ways, 2, 0.0, 4)
    assert (apart.ending, apart.error) == ("returned", None)
    chosen = [way for way in FRAMEWORKS[framework].ways if way.name in ways]
    found = {(each.way, each.page): each for each in apart.result}
    assert list(found) == [(way.name, page) for way in chosen for page in way.pages]
    for way in chosen:
        for page in way.pages:
            one = found[way.name, page]
            rounds, clients = (1, few(4)) if way.blocks else (2, 4)
            assert (len(one.rates), len(one.cpus_ns), len(one.latencies_ns)) == (rounds, rounds, rounds * clients)
            assert page == "hello" or min(one.latencies_ns) >= 19 * MS  # it did wait


@pytest.mark.slow
def test_what_wants_a_process_of_another_kind_is_measured_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away(
        function: Any, framework: str, ways: list[str], rounds: int, *given: Any, flavour: Any, **more: Any
    ) -> Any:
        asked.append((flavour, tuple(ways), rounds))
        return run_apart(function, framework, ways, rounds, 0.0, 2, flavour=flavour, **more)

    monkeypatch.setattr(web, "run_apart", away)
    claim = web_benchmark(["Flask"], rounds=3)
    assert asked == [
        ("plain", ("WSGI on 40 threads",), 2),
        ("gevent", ("WSGI on gevent",), 2),
        ("plain", ("WSGI on 40 threads",), 1),
        ("gevent", ("WSGI on gevent",), 1),
    ]
    assert [(row.name, row.page, row.rounds) for row in claim.rows] == [
        ("WSGI on gevent", "hello", 3),
        ("WSGI on gevent", "io", 3),
        ("WSGI on 40 threads", "hello", 3),
        ("WSGI on 40 threads", "io", 3),
    ]
    assert claim.verdict == "not here"  # three rounds say nothing


def test_what_is_not_installed_is_not_measured_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        return None if name in ("gevent", "quart") else name

    monkeypatch.setattr(web_ways, "find_spec", missing)
    monkeypatch.setattr(web, "run_apart", lambda *args, **more: pytest.fail("measured"))
    claim = web_benchmark(["Quart"])
    assert {row.note for row in claim.rows} == {"not installed: pip install quart"}
    flask = FRAMEWORKS["Flask"]
    assert [flask.lacking(way) for way in flask.ways] == [("gevent",), ()]
    assert not any(FRAMEWORKS["playground"].lacking(way) for way in FRAMEWORKS["playground"].ways)


def test_a_child_that_fails_is_told_in_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(function: Any, *given: Any, **more: Any) -> Any:
        return run_apart(fail, **more)

    monkeypatch.setattr(web, "run_apart", away)
    claim = web_benchmark(["playground"])
    assert {row.note for row in claim.rows} == {"not measured here: its process raised, ZeroDivisionError: mine"}


def fail() -> None:
    raise ZeroDivisionError("mine")


def test_where_there_are_no_processes_the_rows_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*given: Any, **more: Any) -> Any:
        raise ModelError("no processes here")

    monkeypatch.setattr(web, "run_apart", away)
    claim = web_benchmark(["playground"])
    assert {row.note for row in claim.rows} == {"not measured here: no processes here"}
    assert claim.verdict == "not here"


def test_what_cannot_be_asked_is_refused_in_words() -> None:
    with pytest.raises(
        ModelError,
        match=r"^expected frameworks among Flask, Django, Starlette, FastAPI, Litestar, Quart, playground, "
        r"got 'flask': check its spelling$",
    ):
        web_benchmark("flask")
    with pytest.raises(
        ModelError,
        match=r"^expected at least one framework, got none: leave frameworks out to have all of them$",
    ):
        web_benchmark([])


@pytest.mark.slow
def test_the_notebooks_own_process_imports_none_of_them() -> None:
    before = set(sys.modules)
    claim = web_benchmark(rounds=1, seconds=0.0, at_once=2)
    assert set(claim.verdicts) == set(FRAMEWORKS)
    assert {each for each in set(sys.modules) - before if each.split(".")[0] in {*packages(), "gevent"}} == set()
    assert all(row.median is not None for row in claim.rows)


def packages() -> set[str]:
    return {framework.package for framework in FRAMEWORKS.values()} - {""}


def test_a_wsgi_app_has_as_many_threads_as_plain_handlers_elsewhere() -> None:
    import anyio

    async def anyios() -> float:
        return anyio.to_thread.current_default_thread_limiter().total_tokens

    assert anyio.run(anyios) == THREADS
