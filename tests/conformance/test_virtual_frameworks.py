"""Every framework answers in virtual time as it does on the real clock, and the same way each time.

The site of `frameworks` is asked on a virtual lab's loop and, by the same code, over the transport on the real clock.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from playground import Lab
from playground.errors import ConnectionDenied
from playground.trace import store
from playground.transport import ASGITransport, connect
from tests.conformance.frameworks.cases import ASKS, TALKS
from tests.conformance.frameworks.places import in_process, with_lifespan
from tests.conformance.frameworks.test_frameworks import FRAMEWORKS, asked
from tests.conformance.servers_places import HOST, ORIGIN, _follow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators:Warning"),
    # Django leaves files open, which the collector finds where it runs, at the beginning of a run
    pytest.mark.filterwarnings("ignore:Exception ignored in. <.*(FileIO|SpooledTemporaryFile)"),
]

REFUSED = {
    ("Django by WSGI", "an event before the last"): "an async view under WSGI gets a second loop, by async_to_sync",
}
"""What cannot be in virtual time."""

IN_PROCESS = [name for name in FRAMEWORKS if "Werkzeug" not in name]  # a server of its own, and no other app


@dataclass(frozen=True)
class OnLoop:
    """A lab's app, asked by code that runs on the lab's loop."""

    lab: Lab

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = ASGITransport(self.lab._host.serveable, raise_app_exceptions=False, wait_for_app=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            yield client

    async def talk(self, path: str, script: Iterable[Any], subprotocols: Sequence[str] = ()) -> list[Any]:
        app = self.lab._host.serveable
        try:
            async with connect(app, path, host=HOST, headers={"x-mine": "sent"}, subprotocols=subprotocols) as session:
                return await _follow(session, script)
        except ConnectionDenied as denial:
            return [("denied", denial.status, dict(denial.headers).get(b"x-mine", b"").decode(), denial.body)]


@dataclass(frozen=True)
class Site:
    """The site of a framework on both clocks."""

    name: str
    lacks: dict[str, str]
    lab: Lab
    real: Any


@pytest.fixture(scope="module", params=IN_PROCESS)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    framework = FRAMEWORKS[request.param]
    real, virtual = framework.make(), framework.make()  # one app has one lifespan at a time
    if not framework.lifespan:
        real = with_lifespan(real)
    with Lab(virtual, clock="virtual") as lab:
        yield Site(request.param, framework.lacks, lab, in_process(real, framework.interface))


@pytest.mark.parametrize("case", ASKS)
def test_a_request_is_answered_alike_on_both_clocks(site: Site, case: str) -> None:
    if (site.name, case) in REFUSED:
        pytest.skip(REFUSED[site.name, case])
    ask = ASKS[case]
    virtual = site.lab.run(lambda: asked(OnLoop(site.lab), ask)).result
    assert virtual == asyncio.run(asked(site.real, ask))
    assert virtual.meets(ask) is (ask.needs not in site.lacks), virtual


@pytest.mark.parametrize("case", TALKS)
def test_a_websocket_hears_the_same_on_both_clocks(site: Site, case: str) -> None:
    talk = TALKS[case]
    if talk.needs in site.lacks:
        pytest.skip(site.lacks[talk.needs])
    virtual = site.lab.run(lambda: OnLoop(site.lab).talk(talk.path, talk.script, talk.subprotocols)).result
    assert virtual == asyncio.run(site.real.talk(talk.path, talk.script, talk.subprotocols))


@pytest.mark.parametrize("name", IN_PROCESS)
def test_five_runs_of_one_framework_are_one(name: str) -> None:
    paths = ("/hello", "/stream", "/events", "/numbers/7", "/large", "/error")

    def digest() -> str:
        with Lab(FRAMEWORKS[name].make(), clock="virtual", seed=3) as lab:
            run = lab.load(lambda index: paths[index % len(paths)], rate=100, duration=0.5)
            return hashlib.sha256(store.dump(run.trace)).hexdigest()

    digest()  # what is imported or compiled once is not the same twice
    assert len({digest() for _ in range(5)}) == 1
