"""Who takes part in the web benchmark: each framework, the ways in which it can be asked, and which are compared.

Plain data, and the one function that a child runs. A framework's ways are measured in one child, in turn, round by
round, so that whatever else the machine does meets all of them alike; only what needs a process of another kind, as
gevent does, is measured in a child of its own.
"""

import asyncio
import gc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from statistics import quantiles
from typing import Any, Final, Literal

from playground.models.claims import web_apps
from playground.models.claims.web_asked import Asked, ask_asgi, ask_wsgi

__all__ = ["FRAMEWORKS", "THREADS", "Framework", "Lacking", "Page", "Pair", "Tried", "Way", "few", "measure"]

Page = Literal["hello", "io"]

THREADS: Final = 40
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
        blocks: whether its handler holds up the loop, so that requests are answered one by one.
        pages: which it has.
    """

    name: str
    path: str
    make: Callable[[], Any]
    by: Literal["asgi", "wsgi"] = "asgi"
    green: bool = False
    blocks: bool = False
    pages: tuple[Page, ...] = ("hello", "io")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ways of one framework that are compared, by their names.

    Attributes:
        quick: the asynchronous one.
        plain: the other.
        is_async: whether the first is an async method indeed; else the two are shown beside each other, and say nothing
            of async methods.
    """

    quick: str
    plain: str
    is_async: bool = True


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

    @property
    def has_async(self) -> bool:
        """Whether any of what is compared is an async method: Flask answers from plain functions in both its ways."""
        return any(pair.is_async for pair in self.pairs)

    def lacking(self, way: Way) -> tuple[str, ...]:
        """What a way needs that is not installed here; empty if it has all. Nothing is imported to find out."""
        needed = [self.package, "gevent"] if way.green else [self.package]
        return tuple(each for each in needed if each and find_spec(each) is None)


def _by_asgi(name: str, package: str, make: Callable[[], Any], threads: str) -> Framework:
    plain = f"def on {threads}"
    ways = (
        Way("async def", "/async", make),
        Way(plain, "/def", make),
        Way("async def, blocking", "/blocking", make, blocks=True, pages=("io",)),
    )
    return Framework(name, package, ways, (Pair("async def", plain),))


_ANYIOS: Final = "40 threads"
_ASYNCIOS: Final = "asyncio's pool"
"""Of as many threads as the machine has processors, and four; of 32 at most."""

_FRAMEWORKS: Final = (
    Framework(
        "Flask",
        "flask",
        (
            Way("WSGI on gevent", "/def", web_apps.flask, "wsgi", green=True),
            Way(f"WSGI on {THREADS} threads", "/def", web_apps.flask, "wsgi"),
        ),
        (Pair("WSGI on gevent", f"WSGI on {THREADS} threads", is_async=False),),
    ),
    Framework(
        "Django",
        "django",
        (
            Way("ASGI async def", "/async", web_apps.django_asgi),
            Way("ASGI def", "/def", web_apps.django_asgi),
            Way("ASGI blocking", "/blocking", web_apps.django_asgi, blocks=True, pages=("io",)),
            Way(f"WSGI on {THREADS} threads", "/def", web_apps.django_wsgi, "wsgi"),
        ),
        (Pair("ASGI async def", "ASGI def"), Pair("ASGI async def", f"WSGI on {THREADS} threads")),
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
        latencies_ns: of all answers, in no order.
    """

    way: str
    page: Page
    rates: tuple[float, ...]
    cpus_ns: tuple[float, ...]
    latencies_ns: tuple[int, ...]

    def and_then(self, other: "Tried") -> "Tried":
        """The rounds of both."""
        rates, cpus_ns = self.rates + other.rates, self.cpus_ns + other.cpus_ns
        return Tried(self.way, self.page, rates, cpus_ns, self.latencies_ns + other.latencies_ns)

    @property
    def half_ns(self) -> float:
        """How long half of all answers took at most."""
        return _hundredths(self.latencies_ns)[49]

    @property
    def late_ns(self) -> float:
        """How long 99 of 100 took at most."""
        return _hundredths(self.latencies_ns)[98]


@dataclass(frozen=True, slots=True)
class Lacking:
    """Why a way was not measured: `not installed: pip install flask`.

    Attributes:
        way, why: which, and why.
        packages: what it lacks, if that is the reason.
    """

    way: str
    why: str
    packages: tuple[str, ...] = ()

    @classmethod
    def not_installed(cls, way: str, packages: Sequence[str]) -> "Lacking":
        """For want of packages."""
        return cls(way, f"not installed: pip install {' '.join(packages)}", tuple(packages))


def few(at_once: int) -> int:
    """How many clients ask a handler that blocks, once: its answers come 20 ms apart, however many wait for them."""
    return max(1, at_once // 4)


def measure(
    framework: str,
    ways: Sequence[str],
    rounds: int,
    seconds: float,
    at_once: int,
    tell: Callable[[], object] = lambda: None,
) -> list[Tried]:
    """Measure some ways of a framework, in turn; to be run in a child.

    Args:
        framework, ways: by name.
        rounds: how often each of their pages is measured.
        seconds: for how long requests are sent in each.
        at_once: how many clients there are.
        tell: called after each measurement.
    """
    chosen = [way for way in FRAMEWORKS[framework].ways if way.name in ways]
    apps = {make: make() for make in {way.make for way in chosen}}
    turns = [_Turn(way, page, apps[way.make]) for way in chosen for page in way.pages]
    return asyncio.run(_in_turn(turns, rounds, seconds, at_once, tell), debug=False)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One page of one way, and what came of asking for it."""

    way: Way
    page: Page
    app: Any
    found: list[Asked] = field(default_factory=list)

    async def ask(self, pool: ThreadPoolExecutor, seconds: float, at_once: int) -> Asked:
        """Ask the app; a WSGI one while the loop, which has nothing else to do, stands still."""
        path = f"{self.way.path}/{self.page}"
        if self.way.by == "asgi":
            return await ask_asgi(self.app, path, seconds=seconds, at_once=at_once)
        workers = at_once if self.way.green else THREADS  # gevent's own server has a green thread for each request
        return ask_wsgi(self.app, path, pool, workers, seconds=seconds, at_once=at_once)


async def _in_turn(
    turns: list[_Turn], rounds: int, seconds: float, at_once: int, tell: Callable[[], object]
) -> list[Tried]:
    """Measure each in every round, beginning with another each time; on one loop, or threads would be made anew."""
    often = [turn for turn in turns if not turn.way.blocks]
    with ThreadPoolExecutor(max(THREADS, at_once)) as pool:
        for turn in turns:  # what is made at the first requests: threads, compiled routes
            await turn.ask(pool, 0.0, 1 if turn.way.blocks else at_once)
        gc.freeze()  # the collector passes over what importing has made
        for turn in turns:
            if turn.way.blocks:
                turn.found.append(await turn.ask(pool, 0.0, few(at_once)))
                tell()
        for number in range(rounds):
            at = number % max(1, len(often))
            for turn in often[at:] + often[:at]:
                turn.found.append(await turn.ask(pool, seconds, at_once))
                tell()
    return [_tried(turn.way.name, turn.page, turn.found) for turn in turns]


def _tried(way: str, page: Page, found: Sequence[Asked]) -> Tried:
    return Tried(
        way,
        page,
        tuple(len(one.latencies_ns) / one.wall_ns * 1e9 for one in found),
        tuple(one.cpu_ns / len(one.latencies_ns) for one in found),
        tuple(each for one in found for each in one.latencies_ns),
    )


def _hundredths(values: Sequence[float]) -> list[float]:
    return quantiles(values, n=100, method="inclusive") if len(values) > 1 else list(values) * 99
