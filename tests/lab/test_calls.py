"""What a lab is asked at the wrong time or in the wrong form is refused in words, and it leaves nothing behind."""

import gc
import os
import signal
import threading
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from playground import Lab, LabClosed, LabError
from tests.lab.app import app, other_tasks

# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, -1, 2.5, "5", True])
def test_a_burst_of_nothing_is_refused(lab: Lab, n: Any) -> None:
    with pytest.raises(LabError) as refused:
        lab.burst("/", n=n)
    assert str(refused.value) == f"expected at least one request, got n={n!r}: ask for n=1 or more"


def test_a_burst_of_a_function_without_an_index_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError) as refused:
        lab.burst(lambda: "/hello/Ada", n=1)  # type: ignore[arg-type, misc]
    assert str(refused.value) == (
        "expected a function of the request's index, got one that takes (): write it as lambda index: ..."
    )


def test_a_burst_of_what_is_no_request_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError) as refused:
        lab.burst(lambda index: index, n=1)  # type: ignore[arg-type, return-value]
    assert str(refused.value) == (
        "expected a path, a 'POST /path' string or an httpx.Request, got int: "
        "give one of these, or a function of the index that returns one"
    )


def test_a_run_of_a_coroutine_is_refused(lab: Lab) -> None:
    async def main() -> None: ...

    with pytest.raises(LabError) as refused:
        lab.run(main())  # type: ignore[arg-type]
    assert str(refused.value) == (
        "expected a function that gives a coroutine, got coroutine: "
        "pass the function itself, as in lab.run(main) and not lab.run(main())"
    )


def test_a_follower_that_is_interrupted_leaves_the_lab_free(lab: Lab) -> None:
    class Interrupted:
        closed = False

        def prepare(self, title: str) -> None:
            raise KeyboardInterrupt

        def begins(self, recorder: object) -> None:
            raise AssertionError("nothing begins")

        def ends(self, trace: object) -> None:
            self.closed = True

    lab.follow(Interrupted())
    with pytest.raises(KeyboardInterrupt):
        lab.burst("/hello/Ada", n=1)
    assert lab.burst("/hello/Ada", n=1).responses[0].status_code == 200


def test_a_second_run_at_the_same_time_is_refused(lab: Lab) -> None:
    started, release = threading.Event(), threading.Event()

    async def long() -> None:
        started.set()
        await anyio.to_thread.run_sync(release.wait)

    first = threading.Thread(target=lab.run, args=(long,))
    first.start()
    started.wait(10)
    with pytest.raises(LabError) as refused:
        lab.burst("/hello/Ada")
    release.set()
    first.join()
    assert str(refused.value) == (
        "expected one run at a time, got a second while the first goes on: wait for it, or make a second Lab"
    )


def test_a_blocking_call_from_within_the_lab_is_refused(lab: Lab) -> None:
    async def main() -> None:
        lab.get("/hello/Ada")

    with pytest.raises(LabError, match=r"^expected a call from outside the lab's loop"):
        lab.run(main)


# -- what is left ---------------------------------------------------------------------------------------------------


def test_an_interrupt_cancels_the_request_and_leaves_the_lab_usable(lab: Lab) -> None:
    timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        lab.burst("/hang", n=3)
    timer.join()
    assert lab.run(other_tasks).result == set()
    assert lab.burst("/hello/Ada", n=1).responses[0].status_code == 200


def test_closing_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with Lab(app) as lab:
        lab.burst("/report", n=10)
    assert set(threading.enumerate()) == before
    assert repr(lab) == "<Lab closed: 1 runs>"
    with pytest.raises(LabClosed) as refused:
        lab.get("/hello/Ada")
    assert str(refused.value) == "expected an open lab, got one that was closed: make a new Lab(app)"


def test_a_forgotten_lab_closes_itself() -> None:
    before = set(threading.enumerate())
    lab = Lab(app)
    run = lab.burst("/report", n=3)
    del lab
    gc.collect()
    assert set(threading.enumerate()) == before
    assert len(run.trace.handoffs) == 3  # what it recorded outlives it
