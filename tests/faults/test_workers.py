"""What does not end: a worker thread, a handler that waits for ever, a task that swallows each cancellation.

Nobody can end a thread from outside, and nobody has to wait for one: who asked is told, others are answered, and when
the lab is closed it is said what goes on. That it is, and at which line, is shown in `tests/test_closing.py`.
"""

import asyncio
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import httpx
import pytest

from playground import App, Deadlock, Lab
from playground.clock import life
from playground.trace import Clock
from playground.transport import _crew
from tests.lines import line_of

KITS: Final = ("playground.web", "starlette", "wsgi")


def app_of(kit: str, waits: Callable[[], object]) -> Any:
    """An app of which `/waits` is a plain function that does not return, and `/` answers."""
    if kit == "wsgi":

        def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            if environ["PATH_INFO"] == "/waits":
                waits()
            start_response("200 OK", [])
            return [b"well"]

        return wsgi
    responses, routing = import_module(f"{kit}.responses"), import_module(f"{kit}.routing")

    def in_thread(request: Any) -> Any:
        waits()
        return responses.PlainTextResponse("late")

    def well(request: Any) -> Any:
        return responses.PlainTextResponse("well")

    routes = [routing.Route("/waits", in_thread), routing.Route("/", well)]
    return import_module(f"{kit}.applications").Starlette(routes=routes)


@pytest.mark.parametrize("kit", KITS)
def test_of_a_worker_that_does_not_end_its_client_is_told_and_others_are_answered(
    kit: str, released: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_crew, "GRACE_S", 0.01)
    with Lab(app_of(kit, released.wait), threads=2) as lab:
        with pytest.raises(httpx.ReadTimeout) as told:
            lab.get("/waits", timeout=0.05)
        assert str(told.value) == (
            "GET /waits: expected `http.response.start` from the app within 0.05 s, but nothing came. Send it sooner, "
            "or give the client a longer timeout."
        )
        assert lab.burst("/", 3).responses[-1].text == "well"  # in the thread that is left
        released.set()
        assert lab.get("/waits").status_code == 200


@pytest.mark.parametrize("kit", KITS)
def test_a_worker_that_waits_for_ever_in_virtual_time_is_a_deadlock_and_the_lab_goes_on(kit: str) -> None:
    def waits() -> None:
        threading.Event().wait()

    with Lab(app_of(kit, waits), clock="virtual", threads=2) as lab:
        for _ in range(3):  # more often than there are threads
            with pytest.raises(Deadlock, match=r"waits at .*test_workers\.py:\d+ in .*\.waits"):
                lab.burst("/waits", 1)
            assert lab.get("/").text == "well"
        assert [run.trace.requests[0].status for run in lab.runs] == [None] * 3


async def stubborn() -> None:
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_a_task_that_swallows_each_cancellation_is_named_and_the_loop_ends_without_it(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "_PATIENCE_S", (0.01, 0.01, 0.01))
    app = App()
    kept = []

    @app.get("/")
    async def index() -> str:
        kept.append(asyncio.create_task(stubborn(), name="stubborn"))
        return "well"

    with Lab(app, clock=clock) as lab:
        assert lab.get("/").text == "well"
    assert not lab._thread._thread.is_alive()
    kept.clear()
    (record,) = caplog.records
    assert record.getMessage() == (
        "The lab is closed. Expected the tasks of its app to end when they are cancelled, but these outlasted 3 "
        "cancellations within 1.5 s, and are left where they stand. Let `CancelledError` pass, and clean up in less "
        f"time:\n  task 'stubborn' waits at {__file__}:{line_of(stubborn, 'sleep(3600)')} in stubborn, in sleep"
    )


def test_a_handler_that_swallows_each_cancellation_is_told_of_and_others_are_answered(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_crew, "GRACE_S", 0.01)
    monkeypatch.setattr(life, "_PATIENCE_S", (0.01, 0.01, 0.01))
    app = App()
    app.get("/stubborn")(stubborn)
    app.get("/")(lambda: "well")
    with Lab(app) as lab:
        with pytest.raises(httpx.ReadTimeout):
            lab.get("/stubborn", timeout=0.05)
        assert lab.get("/").text == "well"
    told = [record.getMessage().split(".")[0] for record in caplog.records]
    assert told == [
        "GET /stubborn: expected the app to end when it is cancelled, but it outlasted 3 cancellations, 0",
        "The lab is closed",
    ]
