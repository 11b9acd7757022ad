"""Frameworks' layers that raise what is no `Exception`, or recurse without end: each is told as what it is, and once.

The same app is made of our toolkit and of Starlette, and must do the same in both: a handler of either kind, a stream
of either kind, a middleware before and after the app behind it, background tasks of either kind, start-up, shut-down.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Final, NamedTuple

import pytest

from playground import App, Lab
from playground.errors import LifespanError
from playground.trace import Clock
from tests.faults.apps import RAISED
from tests.faults.test_apps import check_the_recording

KITS: Final = ("playground.web", "starlette")
PLACES: Final = (
    *("async handler", "def handler", "async stream", "def stream", "async background", "def background"),
    *("middleware before", "middleware behind"),
)
KINDS: Final[tuple[type[BaseException], ...]] = (*RAISED, RecursionError)
ENDS_ALL: Final = (KeyboardInterrupt, SystemExit)


def fail(kind: type[BaseException]) -> None:
    if kind is RecursionError:
        fail(kind)
    raise kind("on purpose")


class Seen(NamedTuple):
    """What became of one request in a burst: its status, or what was raised; and what the recording names."""

    outcome: int | type[BaseException]
    noted: str | None
    logged: list[str]
    well: str


@pytest.mark.parametrize("clock", ["real", "virtual"])
@pytest.mark.parametrize("places", [PLACES[:-2], PLACES[-2:]], ids=["inside", "middleware"])
@pytest.mark.parametrize("kit", KITS)
def test_whatever_layer_raises_the_run_names_it_and_the_lab_goes_on(
    kit: str, places: tuple[str, ...], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    cases = [(place, kind) for place in places for kind in KINDS]
    seen = {}
    with Lab(app_of(kit, layered="middleware before" in places), clock=clock) as lab:
        for place, kind in cases:
            caplog.clear()
            outcome = outcome_of(lab, f"/{place}/{kind.__name__}")
            (request,) = lab.runs[-1].trace.requests
            check_the_recording(lab.runs[-1])
            logged = [record.getMessage() for record in caplog.records]
            seen[place, kind] = Seen(outcome, request.error, logged, lab.get("/").text)
    assert seen == {(place, kind): should_be(place, kind) for place, kind in cases}


def outcome_of(lab: Lab, path: str) -> int | type[BaseException]:
    try:
        (response,) = lab.burst(path, 1).responses
    except BaseException as error:  # noqa: BLE001 (that is what is asked)
        return type(error)
    return response.status_code


def should_be(place: str, kind: type[BaseException]) -> Seen:
    text = "maximum recursion depth exceeded" if kind is RecursionError else "on purpose"
    outcome = kind if issubclass(kind, ENDS_ALL) else 200 if "background" in place else 500
    return Seen(outcome, f"{kind.__name__}: {text}", [], "well")


def app_of(kit: str, *, layered: bool) -> Any:
    """An app whose path says which of its layers raises what."""
    responses, routing = import_module(f"{kit}.responses"), import_module(f"{kit}.routing")
    background, middleware = import_module(f"{kit}.background"), import_module(f"{kit}.middleware")
    base = import_module(f"{kit}.middleware.base").BaseHTTPMiddleware

    async def on_loop(request: Any) -> Any:
        raising("async handler", request)()
        for place, stream in (("async stream", pieces), ("def stream", plain_pieces)):
            if place in names_in(request):
                return responses.StreamingResponse(stream(raising(place, request)))
        tasks = background.BackgroundTasks()
        tasks.add_task(awaited, raising("async background", request))
        tasks.add_task(raising("def background", request))
        return responses.PlainTextResponse("well", background=tasks)

    def in_thread(request: Any) -> Any:
        raising("def handler", request)()

    async def layer(request: Any, call_next: Any) -> Any:
        raising("middleware before", request)()
        response = await call_next(request)
        raising("middleware behind", request)()
        return response

    application = import_module(f"{kit}.applications").Starlette
    return application(
        routes=[routing.Route("/def handler/{kind}", in_thread), routing.Route("/{rest:path}", on_loop)],
        middleware=[middleware.Middleware(base, dispatch=layer)] if layered else [],
    )


def names_in(request: Any) -> list[str]:
    return str(request.scope["path"]).split("/")


def raising(place: str, request: Any) -> Callable[[], None]:
    """What raises if the path says that it shall be there; else does nothing."""
    names = names_in(request)

    def act() -> None:
        for kind in KINDS:
            if place in names and kind.__name__ in names:
                fail(kind)

    return act


async def awaited(act: Callable[[], None]) -> None:
    act()


async def pieces(act: Callable[[], None]) -> AsyncIterator[bytes]:
    yield b"a"
    act()


def plain_pieces(act: Callable[[], None]) -> Iterator[bytes]:
    yield b"a"
    act()


# -- lifespans ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phase", ["startup", "shutdown"])
def test_a_lifespan_that_raises_is_told_with_its_traceback_once(
    phase: str, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        if phase == "startup":
            fail(kind)
        yield
        fail(kind)

    def live() -> None:
        with Lab(App(lifespan=lifespan)) as lab:
            lab.get("/")

    with pytest.raises(LifespanError) as failed:
        live()
    assert str(failed.value).startswith(f"lifespan: expected the app's {phase} to succeed, but it failed: Traceback")
    assert isinstance(failed.value.__cause__, kind)
    assert caplog.records == []


@pytest.mark.parametrize("kind", RAISED)
def test_an_app_that_raises_on_its_lifespan_has_none_unless_it_wants_the_end(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise kind("on purpose")
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    def live() -> int:
        with Lab(app) as lab:
            return lab.get("/").status_code

    if issubclass(kind, Exception):
        assert live() == 204
    else:
        with pytest.raises(kind, match=r"^on purpose$"):
            live()
    assert caplog.records == []
