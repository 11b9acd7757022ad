"""Our transport beside httpx's own, and `lab.burst` beside the two ways in which people send many requests.

The app is the same one on both sides of a case, bare ASGI, so that what is timed is who calls it. In each case ours is
at a disadvantage that the figures contain: our transport streams and runs the app in a task of its own, as a server
does; a burst is recorded, sends what httpx's clients send, and keeps what comes back.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import httpx
from starlette.testclient import TestClient

from playground import Lab
from playground.asgi import Receive, Scope, Send
from playground.transport import ASGITransport
from tests.benchmarks.harness import Case, Operation, Result

__all__ = ["NAMES", "cases", "missed"]

NAMES: Final = ("playground", "the other")

HELLO: Final = "a hello request: httpx.AsyncClient over our transport / over httpx's own"
BURST: Final = "a burst: lab.burst / httpx.AsyncClient over httpx's transport"
BLOCKING: Final = "a burst: lab.burst / Starlette's TestClient"

TARGETS: Final[Mapping[str, float]] = {HELLO: 1.0, BURST: 1 / 3, BLOCKING: 1 / 5}
"""How much of the other's time ours may take, from the transport's issue: no more for one request; three and five
times as many requests a second in a burst."""

AT_ONCE: Final = 200  # requests in a burst: enough for what a burst does once to be little, few enough for a sample


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await no_lifespan(receive, send)
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"Hello, world!"})


async def no_lifespan(receive: Receive, send: Send) -> None:
    """Nothing to start or to stop, said in the way that the test client's block understands."""
    for stage in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{stage}.complete"})


def one_request(transport: httpx.AsyncBaseTransport) -> Operation:
    client = httpx.AsyncClient(transport=transport, base_url="http://lab")

    async def operation() -> None:
        await client.get("/")

    return operation


def burst_of_the_lab(trace: bool = True) -> Operation:
    lab = Lab(hello, trace=trace)
    assert {response.status_code for response in lab.burst("/", n=AT_ONCE).responses} == {200}

    async def operation() -> None:
        lab.burst("/", n=AT_ONCE)
        lab.runs.clear()  # or the lab would keep the recordings of all rounds

    return operation


def burst_of_httpx() -> Operation:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(hello), base_url="http://lab")

    async def operation() -> None:
        await asyncio.gather(*(client.get("/") for _ in range(AT_ONCE)))

    return operation


def burst_of_the_test_client() -> Operation:
    """One after the other, which is all that it can; within its block, so that its loop is there all the time."""
    client = TestClient(hello).__enter__()

    async def operation() -> None:
        for _ in range(AT_ONCE):
            client.get("/")

    return operation


def cases() -> Iterator[Case]:
    """All cases, in the order of the table."""
    yield Case(HELLO, (lambda: one_request(ASGITransport(hello)), lambda: one_request(httpx.ASGITransport(hello))))
    yield Case(BURST, (burst_of_the_lab, burst_of_httpx))
    yield Case(BLOCKING, (burst_of_the_lab, burst_of_the_test_client))


def missed(results: Sequence[Result]) -> list[str]:
    """The targets that these figures miss, in words."""
    return [
        f"{result.name}: {result.ratio:.3f} of the time, not {TARGETS[result.name]:.3f}"
        for result in results
        if result.ratio > TARGETS[result.name]
    ]
