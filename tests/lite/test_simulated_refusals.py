"""What needs real threads is refused in virtual time without them, at its line, and the lab goes on."""

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from playground import App, Lab, LabError, work
from playground.errors import Deadlock, NotInVirtualTime
from tests.lite.threadless import threadless


def refused(function: Callable[[], Any], n: int = 1) -> str:
    """What a run is refused with in which worker threads call a function."""
    app = App()
    app.get("/")(function)
    with threadless(), Lab(app, clock="virtual") as lab:
        with pytest.raises(NotInVirtualTime) as caught:
            lab.burst("/", n=n)
        assert len(lab.runs) == 1
    return str(caught.value)


@pytest.mark.parametrize(
    "wait",
    [
        lambda: threading.Event().wait(),
        lambda: threading.Event().wait(1),
        lambda: concurrent.futures.Future[None]().result(),
        lambda: concurrent.futures.ThreadPoolExecutor(1).submit(time.sleep, 1).result(),
    ],
    ids=["event", "event with timeout", "future", "executor"],
)
def test_a_worker_that_waits_for_another_is_refused_at_its_line(wait: Callable[[], Any]) -> None:
    def handler() -> None:
        wait()

    begins, ends = refused(handler).split(", at ")
    assert begins == (
        "expected a worker that waits for time only, got one that waits for another worker or for the event loop"
    )
    place, _, advice = ends.partition(": this Python")
    assert place.startswith(f"{__file__}:")
    assert advice == (
        " has no threads (as in a browser), so workers are simulated one after another and cannot meet. Run it where "
        "there are threads."
    )


def test_locks_asked_for_out_of_order_are_refused() -> None:
    sleeps = iter([0.2, 0.1])
    locks: list[Any] = []

    def handler() -> None:
        locks[:] = locks or [threading.Lock()]
        time.sleep(next(sleeps))
        with locks[0]:
            time.sleep(0.1)

    words = refused(handler, n=2)
    assert words.startswith(
        "expected locks to be asked for in the order of time, got one at 0.1 s that was asked for at 0.2 s already, at "
    )


def test_calls_back_into_the_loop_are_refused() -> None:
    def handler() -> None:
        time.sleep(0.1)
        anyio.from_thread.run(anyio.sleep, 1)

    words = refused(handler)
    assert words.startswith("expected a worker that waits for time only, got a call of anyio.from_thread.run, at ")
    assert words.endswith("Make the handler an async def, or run it where there are threads.")


def test_computing_is_charged_alone_and_refused_to_two() -> None:
    def handler() -> None:
        work(0.1)

    app = App()
    app.get("/")(handler)
    with threadless(), Lab(app, clock="virtual") as lab:
        (handoff,) = lab.burst("/", n=1).trace.handoffs
    assert (handoff.ended_ns, handoff.cpu_ns) == (100_000_000, 100_000_000)
    assert refused(handler, n=2).startswith(
        "expected one thread to compute at a time, got a second that computes while another has the interpreter lock"
    )


def test_a_deadlock_is_told_and_the_lab_goes_on() -> None:
    app = App()

    @app.get("/stuck")
    async def stuck() -> None:
        await asyncio.Event().wait()

    @app.get("/fine")
    def fine() -> str:
        time.sleep(1)
        return "fine"

    with threadless(), Lab(app, clock="virtual") as lab:
        with pytest.raises(Deadlock, match=r"^expected somebody to go on, but nothing can run and no timer is set"):
            lab.burst("/stuck", n=2)
        assert lab.get("/fine").text == "fine"


def test_an_interrupt_ends_the_call_and_no_more() -> None:
    app = App()

    @app.get("/interrupted")
    async def interrupted() -> None:
        raise KeyboardInterrupt

    @app.get("/fine")
    def fine() -> str:
        return "fine"

    with threadless(), Lab(app, clock="virtual") as lab:
        with pytest.raises(KeyboardInterrupt):
            lab.get("/interrupted")
        assert lab.get("/fine").text == "fine"


def test_real_time_is_refused_in_words() -> None:
    expected = (
        r"^expected clock='virtual' where Python has no threads \(as in a browser\), got clock='real', which needs one "
        r"for the lab's loop: make it Lab\(app, clock='virtual'\)$"
    )
    with threadless(), pytest.raises(LabError, match=expected):
        Lab(App())


def test_what_was_computed_cannot_be_charged() -> None:
    expected = (
        r"^expected charge_cpu=False where Python has no threads \(as in a browser\), got charge_cpu=True: there, the "
        r"processor time of a worker cannot be told from the loop's$"
    )
    with threadless(), pytest.raises(LabError, match=expected):
        Lab(App(), clock="virtual", charge_cpu=True)


def test_a_worker_cannot_call_its_own_lab() -> None:
    app = App()
    labs: list[Lab] = []

    @app.get("/")
    def handler() -> str:
        return labs[0].get("/other").text

    with threadless(), Lab(app, clock="virtual") as lab:
        labs.append(lab)
        with pytest.raises(NotInVirtualTime, match=r"got one that calls its own lab: this Python has no threads"):
            lab.get("/")
