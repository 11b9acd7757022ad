"""Who takes part in the web benchmark: each framework, the ways in which it can be asked, and which are compared.

Plain data, and the one function that a child runs. A framework's ways are measured in one child, in turn, round by
round, so that whatever else the machine does meets all of them alike; only what needs a process of another kind, as
gevent does, is measured in a child of its own.
"""

import asyncio
import gc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import quantiles
from typing import Any, Final, Literal

from playground.models.claims import web_apps
from playground.models.claims.web_asked import Asked, ask_asgi, ask_wsgi

__all__ = ["FRAMEWORKS", "Framework", "Page", "Pair", "Tried", "Way", "measure"]

Page = Literal["hello", "io"]

_THREADS: Final = 40
"""Of a WSGI app: as many as anyio, and so most ASGI frameworks, have for plain functions."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to have a framework answer.

    Attributes:
        name: what it is called.
        path: below which path its pages stand.
        make: makes the app.
        by: the interface that it is asked by.
        green: whether that is in green threads, in a process that gevent has patched.
        pages: which it has.
    """

    name: str
    path: str
    make: Callable[[], Any]
    by: Literal["asgi", "wsgi"] = "asgi"
    green: bool = False
    pages: tuple[Page, ...] = ("hello", "io")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ways of one framework of which the first is asynchronous and the second is not, by their names."""

    quick: str
    plain: str


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework: the package that has it, how it is installed, its ways and what is compared.

    Attributes:
        name: what it is called.
        package: what is imported; empty for our own.
        ways: in the order in which they are shown.
        pairs: what is compared.
    """

    name: str
    package: str
    ways: tuple[Way, ...]
    pairs: tuple[Pair, ...]

    def lacking(self, way: Way) -> str:
        """What a way needs that is not installed here; empty if it has all. Nothing is imported to find out."""
        needed = [self.package, "gevent"] if way.green else [self.package]
        return next((each for each in needed if each and find_spec(each) is None), "")


def _by_asgi(name: str, package: str, make: Callable[[], Any], threads: str) -> Framework:
    plain = f"def, {threads}"
    ways = (
        Way("async def", "/async", make),
        Way(plain, "/def", make),
        Way("async def that blocks", "/blocking", make, pages=("io",)),
    )
    return Framework(name, package, ways, (Pair("async def", plain),))


_ANYIOS: Final = "40 threads"
_ASYNCIOS: Final = "asyncio's threads"
"""As many as the machine's processors and four, and 32 at most."""

_FRAMEWORKS: Final = (
    Framework(
        "Flask",
        "flask",
        (
            Way("WSGI, gevent", "/def", web_apps.flask, "wsgi", green=True),
            Way(f"WSGI, {_THREADS} threads", "/def", web_apps.flask, "wsgi"),
        ),
        (Pair("WSGI, gevent", f"WSGI, {_THREADS} threads"),),
    ),
    Framework(
        "Django",
        "django",
        (
            Way("ASGI, async def", "/async", web_apps.django_asgi),
            Way("ASGI, def", "/def", web_apps.django_asgi),
            Way("ASGI, async def that blocks", "/blocking", web_apps.django_asgi, pages=("io",)),
            Way(f"WSGI, def, {_THREADS} threads", "/def", web_apps.django_wsgi, "wsgi"),
        ),
        (Pair("ASGI, async def", "ASGI, def"), Pair("ASGI, async def", f"WSGI, def, {_THREADS} threads")),
    ),
    _by_asgi("Starlette", "starlette", web_apps.starlette, _ANYIOS),
    _by_asgi("FastAPI", "fastapi", web_apps.fastapi, _ANYIOS),
    _by_asgi("Litestar", "litestar", web_apps.litestar, _ASYNCIOS),
    _by_asgi("Quart", "quart", web_apps.quart, _ASYNCIOS),
    _by_asgi("playground", "", web_apps.ours, _ANYIOS),
)
FRAMEWORKS: Final = {framework.name: framework for framework in _FRAMEWORKS}


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one page of one way, over all rounds.

    Attributes:
        way, page: what was asked.
        rates: answers a second, by round.
        cpus_ns: processor time of an answer, by round.
        half_ns, late_ns: how long half of all answers took at most, and 99 of 100.
        answers: how many there were.
    """

    way: str
    page: Page
    rates: tuple[float, ...]
    cpus_ns: tuple[float, ...]
    half_ns: float
    late_ns: float
    answers: int


def measure(framework: str, ways: Sequence[str], rounds: int, seconds: float, at_once: int) -> list[Tried]:
    """Measure some ways of a framework, in turn; to be run in a child.

    Args:
        framework, ways: by name.
        rounds: how often each of their pages is measured.
        seconds: for how long requests are sent in each.
        at_once: how many clients there are.

    A handler that blocks is measured once: the last of its clients has waited for all others by then, which takes
    `at_once` times 20 ms, and hardly varies.
    """
    chosen = [way for way in FRAMEWORKS[framework].ways if way.name in ways]
    apps = {make: make() for make in {way.make for way in chosen}}
    asked: dict[tuple[str, Page], list[Asked]] = {(way.name, page): [] for way in chosen for page in way.pages}
    turns = [(way, page) for way in chosen for page in way.pages if "blocks" not in way.name]
    slow = [(way, page) for way in chosen for page in way.pages if "blocks" in way.name]
    for way, page in turns + slow:
        _ask(way, apps[way.make], page, 0.0, 1)  # what is made at the first request
    gc.freeze()  # the collector passes over what importing has made
    for turn in range(rounds):
        at = turn % len(turns)
        for way, page in turns[at:] + turns[:at] + (slow if turn == 0 else []):
            asked[way.name, page].append(_ask(way, apps[way.make], page, seconds, at_once))
    return [_tried(way, page, found) for (way, page), found in asked.items()]


def _ask(way: Way, app: Any, page: Page, seconds: float, at_once: int) -> Asked:
    path = f"{way.path}/{page}"
    if way.by == "asgi":

        async def warm_and_asked() -> Asked:
            await ask_asgi(app, path, seconds=0.0, at_once=1 if "blocks" in way.name else at_once)
            return await ask_asgi(app, path, seconds=seconds, at_once=at_once)

        return asyncio.run(warm_and_asked())
    workers = at_once if way.green else _THREADS  # a green thread for each request, as gevent's own server has it
    with ThreadPoolExecutor(workers) as pool:
        ask_wsgi(app, path, pool, workers, seconds=0.0, at_once=at_once)
        return ask_wsgi(app, path, pool, workers, seconds=seconds, at_once=at_once)


def _tried(way: str, page: Page, found: Sequence[Asked]) -> Tried:
    latencies = [each for one in found for each in one.latencies_ns]
    hundredths = quantiles(latencies, n=100, method="inclusive") if len(latencies) > 1 else latencies * 99
    return Tried(
        way,
        page,
        tuple(len(one.latencies_ns) / one.wall_ns * 1e9 for one in found),
        tuple(one.cpu_ns / len(one.latencies_ns) for one in found),
        hundredths[49],
        hundredths[98],
        len(latencies),
    )
