"""A lab that is closed while its app holds it: closing ends, says what it could not end, and leaves nobody waiting."""

import logging
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

import playground.clock.thread
import playground.host
from playground import App, Lab
from playground.errors import LabClosed
from tests.faults.busy import CUT_OFF

STANDS = r'  File "[^"]+", line \d+, in \w+\n    .*'


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playground.clock.thread, "_CLOSE_S", 0.3)
    monkeypatch.setattr(playground.host, "_SHUT_DOWN_S", 0.3)


def close_while(lab: Lab, at_it: threading.Event, said: list[str]) -> None:
    """Close a lab during a request that another thread waits for."""

    def ask() -> None:
        try:
            lab.get("/")
        except LabClosed as error:
            said.append(str(error))
        except BaseException as error:  # noqa: BLE001 (told, as what it was)
            said.append(type(error).__name__)

    asking = threading.Thread(target=ask)
    asking.start()
    assert at_it.wait(30)
    closing = threading.Thread(target=lab.close)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()
    asking.join(30)
    assert not asking.is_alive()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.slow
def test_a_handler_that_blocks_the_loop_is_named_and_not_waited_for(
    caplog: pytest.LogCaptureFixture, released: threading.Event
) -> None:
    at_it = threading.Event()
    app = App()

    @app.get("/")
    async def hold() -> None:
        at_it.set()
        released.wait()

    lab = Lab(app)
    said: list[str] = []
    close_while(lab, at_it, said)
    assert said == [CUT_OFF]
    (warning,) = warnings(caplog)
    assert re.fullmatch(
        "The lab is closed, but code of its app still holds the event loop and cannot be stopped from outside; the "
        rf"loop's thread ends when it returns\. It stands at:\n{STANDS}  \(in GET /\)",
        warning,
    )
    released.set()
    lab._thread._thread.join(30)
    assert not lab._thread._thread.is_alive()


def test_a_handler_that_spins_is_ended_and_the_app_shut_down(caplog: pytest.LogCaptureFixture) -> None:
    at_it = threading.Event()
    ended: list[str] = []

    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        yield
        ended.append("shut down")

    app = App(lifespan=lifespan)

    @app.get("/")
    async def spin() -> None:
        at_it.set()
        try:
            while True:
                pass
        finally:
            ended.append("spinning")

    lab = Lab(app)
    said: list[str] = []
    close_while(lab, at_it, said)
    assert ended == ["spinning", "shut down"]
    assert len(said) == 1  # whatever the app makes of it
    assert warnings(caplog) == []
    assert not lab._thread._thread.is_alive()


def test_a_worker_thread_that_goes_on_is_named(caplog: pytest.LogCaptureFixture, released: threading.Event) -> None:
    at_it = threading.Event()
    app = App()

    @app.get("/")
    def hold() -> None:
        at_it.set()
        released.wait()

    lab = Lab(app)
    said: list[str] = []
    close_while(lab, at_it, said)
    assert said == [CUT_OFF]
    (warning,) = warnings(caplog)
    assert re.fullmatch(
        r"The lab is closed\. A thread cannot be stopped from outside: these worker threads of the lab go on to the "
        rf"end of what they do\. They stand at:\n{STANDS}",
        warning,
    )


def sleeps(released: threading.Event) -> None:
    released.wait()


def spins(released: threading.Event) -> None:
    while not released.is_set():
        pass


@pytest.mark.slow
@pytest.mark.parametrize("holds", [sleeps, spins])
def test_an_app_whose_shutdown_holds_the_loop_is_not_waited_for(
    holds: Callable[[threading.Event], None], caplog: pytest.LogCaptureFixture, released: threading.Event
) -> None:
    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        yield
        holds(released)

    lab = Lab(App(lifespan=lifespan))

    def close() -> None:
        with suppress(BaseException):  # what an app raises while it is shut down is its caller's
            lab.close()

    closing = threading.Thread(target=close)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()
    held = [warning for warning in warnings(caplog) if "still holds the event loop" in warning]
    assert len(held) == (1 if holds is sleeps else 0)
    released.set()
    lab._thread._thread.join(30)
    assert not lab._thread._thread.is_alive()
