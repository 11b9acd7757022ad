"""Every framework answers over our transport as it does behind a real server.

Each case is asked in process and at a port, and both answers must be the same: status, the headers that the
app sets, body, and what is heard on a websocket. So that they are not the same mistake, each is held against
what the case expects, unless the framework says that it lacks what the case needs; then it must not be met.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from playground.transport.flavours import flavour_of
from tests.conformance.frameworks import on_django, on_fastapi, on_flask, on_litestar, on_quart, on_starlette
from tests.conformance.frameworks.cases import ANY, ASKS, TALKS, Ask
from tests.conformance.frameworks.places import Askable, at_a_port, in_process, with_lifespan

UNRAISABLE = "pytest.PytestUnraisableExceptionWarning"

pytestmark = [
    pytest.mark.slow,
    # Quart leaves a file open when it fails at a range from the end.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <_io.FileIO.*file.txt:pytest.PytestUnraisableExceptionWarning"
    ),
    # Django's own view of static files is a plain iterator under ASGI too.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators:Warning"),
]


@dataclass(frozen=True)
class Framework:
    """How a site is made, what the framework lacks, its interface and server, and whether it has lifespans."""

    make: Callable[[], Any]
    lacks: dict[str, str]
    interface: str = "asgi3"
    server: str = "uvicorn"
    lifespan: bool = True


FRAMEWORKS = {
    "playground": Framework(lambda: on_starlette.make("playground.web"), on_starlette.LACKS),
    "Starlette": Framework(lambda: on_starlette.make("starlette"), on_starlette.LACKS),
    "FastAPI": Framework(on_fastapi.make, on_fastapi.LACKS),
    "Django by ASGI": Framework(on_django.make_asgi, on_django.LACKS, lifespan=False),
    "Quart": Framework(on_quart.make, on_quart.LACKS),
    "Litestar": Framework(on_litestar.make, on_litestar.LACKS),
    "Django by WSGI": Framework(on_django.make_wsgi, on_django.LACKS_WSGI, "wsgi"),
    "Django at Werkzeug": Framework(on_django.make_wsgi, on_django.LACKS_WSGI, "wsgi", "werkzeug"),
    "Flask": Framework(on_flask.make, on_flask.LACKS, "wsgi"),
    "Flask at Werkzeug": Framework(on_flask.make, on_flask.LACKS, "wsgi", "werkzeug"),
}


@dataclass(frozen=True)
class Site:
    """The site of a framework in both places."""

    lacks: dict[str, str]
    here: Any
    there: Any


@pytest.fixture(scope="module", params=FRAMEWORKS)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    framework = FRAMEWORKS[request.param]
    here, there = framework.make(), framework.make()  # one app has one lifespan at a time
    if not framework.lifespan:
        here, there = with_lifespan(here), with_lifespan(there)
    with at_a_port(there, framework.interface, framework.server) as place:
        yield Site(framework.lacks, in_process(here, framework.interface), place)


OF_THE_SERVER = {"date", "server", "connection", "transfer-encoding"}


@dataclass(frozen=True)
class Heard:
    """An answer, less what is the server's to say and the moments at which it, or a cookie, ends."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def meets(self, ask: Ask) -> bool:
        """Whether it is what the case expects."""
        statuses = ask.status if isinstance(ask.status, tuple) else (ask.status,)
        having = {name: ", ".join(value for key, value in self.headers if key == name) for name in ask.having}
        return self.status in statuses and having == ask.having and self._says(ask.says)

    def _says(self, expected: Any) -> bool:
        if expected is ANY or isinstance(expected, str | bytes):
            return expected is ANY or self.body == (expected.encode() if isinstance(expected, str) else expected)
        try:
            return bool(json.loads(self.body) == expected)
        except ValueError:
            return False


async def asked(place: Askable, ask: Ask) -> Heard:
    """Ask one case, by a client of its own."""
    name = uuid4().hex
    more = {key: value() if callable(value) else value for key, value in ask.more.items()}
    follow = more.pop("follow_redirects", False)
    async with place.client() as client:
        for path in ask.first:
            before = await client.get(path)
            if more.get("headers") == {"if-none-match": "ETAG"}:
                more["headers"] = {"if-none-match": before.headers.get("etag", "")}
        request = client.build_request(ask.method, ask.path.replace("NAME", name), **more)
        response = await client.send(request, stream=True, follow_redirects=follow)
        pieces = []
        async for piece in response.aiter_raw():
            pieces.append(piece)
            if ask.meanwhile and len(pieces) == 1:
                (await client.get(ask.meanwhile.replace("NAME", name))).raise_for_status()
        await response.aclose()
    return Heard(response.status_code, list(_headers(response)), b"".join(pieces))


def _headers(response: httpx.Response) -> Iterator[tuple[str, str]]:
    for name, value in response.headers.raw:
        key = name.decode("ascii").lower()
        if key not in OF_THE_SERVER:
            text = "..." if key == "expires" else value.decode("latin-1")  # so long from now: it may be a second later
            yield key, re.sub("(?i)(?<=expires=)[^;]+", "...", text)


@pytest.mark.parametrize("case", ASKS)
def test_a_request_is_answered_alike_in_process_and_at_a_port(site: Site, case: str) -> None:
    ask = ASKS[case]
    here = asyncio.run(asked(site.here, ask))
    assert here == asyncio.run(asked(site.there, ask))
    assert here.meets(ask) is (ask.needs not in site.lacks), here


@pytest.mark.parametrize("case", TALKS)
def test_a_websocket_hears_the_same_in_process_and_at_a_port(site: Site, case: str) -> None:
    talk = TALKS[case]
    if talk.needs in site.lacks:
        pytest.skip(site.lacks[talk.needs])
    here, there = (
        asyncio.run(place.talk(talk.path, talk.script, talk.subprotocols)) for place in (site.here, site.there)
    )
    assert here == there
    assert [_read(line, wanted) for line, wanted in zip(here, talk.hears, strict=True)] == talk.hears


def _read(heard: Any, wanted: Any) -> Any:
    """Read what was heard as JSON where an object is wanted, as frameworks write it in their own ways."""
    return json.loads(heard) if isinstance(wanted, dict) else heard


def test_what_a_framework_lacks_is_something_that_a_case_needs() -> None:
    needs = {ask.needs for ask in ASKS.values()} | {talk.needs for talk in TALKS.values()}
    for framework in FRAMEWORKS.values():
        assert framework.lacks.keys() <= needs


def test_the_interface_of_each_is_told_without_calling_it() -> None:
    for framework in FRAMEWORKS.values():
        assert flavour_of(framework.make()) == framework.interface
