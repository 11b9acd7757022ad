"""Several labs at once: on two threads, one closed while the other is busy, one within another's handler."""

import asyncio
import contextlib
import gc
import threading
import time
from _thread import LockType
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

import playground.clock.locks
from playground import App, Lab, Trace
from playground.clock.loop import LabLoop
from playground.clock.thread import LoopThread
from playground.errors import NotInVirtualTime
from playground.flag import Flag
from playground.trace import Clock, store
from playground.trace.build import Live
from playground.widgets.live import Watch

outers = pytest.mark.parametrize("outer", ["real", "virtual"])
inners = pytest.mark.parametrize("inner", ["real", "virtual"])
hows = pytest.mark.parametrize("how", ["async def", "await", "def"])


def small_app() -> App:
    app = App()

    @app.get("/task")
    async def task() -> str:
        await anyio.sleep(0.001)
        return "from a task"

    @app.get("/worker")
    def worker() -> str:
        time.sleep(0.001)
        return "from a worker"

    return app


def traces(lab: Lab) -> list[Trace]:
    """Some runs, with tasks and with worker threads."""
    return [lab.burst(path, n=10).trace for path in ("/task", "/worker") * 3]


# -- side by side --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clocks", [("real", "real"), ("real", "virtual"), ("virtual", "virtual")])
def test_two_labs_on_two_threads_know_nothing_of_each_other(clocks: tuple[Clock, Clock]) -> None:
    with Lab(small_app(), clock="virtual") as lab:
        alone = [store.dump(trace) for trace in traces(lab)]
    made: list[list[Trace]] = [[], []]
    start = threading.Barrier(2)

    def run(lab: Lab, into: list[Trace]) -> None:
        start.wait(30)
        into.extend(traces(lab))

    with Lab(small_app(), clock=clocks[0]) as first, Lab(small_app(), clock=clocks[1]) as second:
        threads = [threading.Thread(target=run, args=job) for job in zip((first, second), made, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    for clock, found in zip(clocks, made, strict=True):
        assert [[request.status for request in trace.requests] for trace in found] == [[200] * 10] * 6
        assert [len(trace.handoffs) for trace in found] == [0, 10] * 3
        if clock == "virtual":  # to the byte
            assert [store.dump(trace) for trace in found] == alone


@outers
@inners
def test_a_lab_goes_on_while_another_is_closed(outer: Clock, inner: Clock) -> None:
    app = small_app()
    at_it, closed = threading.Event(), threading.Event()

    @app.get("/waits")
    async def waits() -> str:
        at_it.set()
        while not closed.is_set():
            await anyio.sleep(0.001)
        return "still here"

    other = Lab(small_app(), clock=outer)
    with Lab(app, clock=inner) as lab:
        said: list[str] = []
        asking = threading.Thread(target=lambda: said.append(lab.get("/waits", timeout=None).text))
        asking.start()
        assert at_it.wait(30)
        assert other.get("/worker").text == "from a worker"
        other.close()
        closed.set()
        asking.join(30)
        assert said == ["still here"]
        assert lab.get("/worker").text == "from a worker"


# -- a lab within a lab's handler ----------------------------------------------------------------------------------


def asks(how: str, inner: Callable[[], contextlib.AbstractContextManager[Lab]]) -> App:
    """An app that asks a lab's app, which it makes or has."""
    app = App()
    if how == "await":

        @app.get("/")
        async def awaits() -> str:
            with inner() as lab:
                return (await lab.client.get("/worker")).text

    elif how == "async def":

        @app.get("/")
        async def blocks() -> str:
            with inner() as lab:
                return lab.get("/worker").text + f", {len(lab.burst('/task', n=3).responses)} times"

    else:

        @app.get("/")
        def waits() -> str:
            with inner() as lab:
                return lab.get("/worker").text + f", {len(lab.burst('/task', n=3).responses)} times"

    return app


ANSWER = {"await": "from a worker", "async def": "from a worker, 3 times", "def": "from a worker, 3 times"}
MADE_WITHIN = (
    "expected labs to be made outside of virtual time, got one made by code that runs in it, where its thread could "
    "not start: make it before, or make the outer lab with clock='real'"
)
ASKED_WITHIN = (
    "expected calls from virtual time to stay in it, got one of another lab, which would answer at a random virtual "
    "moment: let the handler talk to an app in this process (ASGITransport), or make the lab with clock='real'"
)


@inners
@hows
def test_in_real_time_a_handler_may_make_a_lab_and_use_it(inner: Clock, how: str) -> None:
    with Lab(asks(how, lambda: Lab(small_app(), clock=inner))) as lab:
        assert lab.get("/").text == ANSWER[how]
        assert {response.text for response in lab.burst("/", n=2).responses} == {ANSWER[how]}


@inners
@pytest.mark.parametrize("how", ["async def", "await"])
def test_in_real_time_a_handler_may_use_a_lab_that_was_there(inner: Clock, how: str) -> None:
    with Lab(small_app(), clock=inner) as other, Lab(asks(how, lambda: contextlib.nullcontext(other))) as lab:
        assert {response.text for response in lab.burst("/", n=2).responses} == {ANSWER[how]}


@inners
@hows
def test_in_virtual_time_a_lab_cannot_be_made_and_says_so(inner: Clock, how: str) -> None:
    with Lab(asks(how, lambda: Lab(small_app(), clock=inner)), clock="virtual") as lab:
        with pytest.raises(NotInVirtualTime) as refused:
            lab.get("/")
        assert lab.burst("/", n=1).responses[0].status_code == 500
    assert str(refused.value) == MADE_WITHIN


@inners
@hows
def test_in_virtual_time_another_lab_cannot_be_asked_and_says_so(inner: Clock, how: str) -> None:
    with Lab(small_app(), clock=inner) as other:
        with Lab(asks(how, lambda: contextlib.nullcontext(other)), clock="virtual") as lab:
            with pytest.raises(NotInVirtualTime) as refused:
                lab.get("/")
            assert lab.burst("/", n=1).responses[0].status_code == 500
        assert other.get("/worker").text == "from a worker"
    assert str(refused.value) == ASKED_WITHIN


@outers
@inners
@pytest.mark.parametrize("how", ["async def", "def"])
def test_a_handler_may_close_another_lab(outer: Clock, inner: Clock, how: str) -> None:
    """In real time it is closed at once; in virtual time, where nobody can wait for it, when that has answered."""
    heard: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        yield
        await asyncio.sleep(0.001)
        heard.append("down")

    other = Lab(App(lifespan=lifespan), clock=inner)

    def close() -> str:
        other.close()
        return f"{other!r} {heard}"

    async def close_in_a_task() -> str:
        return close()

    app = App()
    app.get("/")(close_in_a_task if how == "async def" else close)
    with Lab(app, clock=outer) as lab:
        said = lab.get("/").text
        assert heard == ["down"]
        assert repr(other) == "<Lab closed: 0 runs>"
        assert lab.burst("/", n=2).responses[0].text == "<Lab closed: 0 runs> ['down']"
    assert said == ("<Lab closed: 0 runs> ['down']" if outer == "real" else "<Lab open: 0 runs> []")


# -- what labs in virtual time share with threads outside it ---------------------------------------------------------


def test_no_virtual_time_passes_while_somebody_outside_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that parked for the other looker would let time jump to whatever comes next."""
    at_it, looking, jumped = threading.Event(), threading.Event(), threading.Event()
    look = Live.trace

    def slowly(live: Live, title: str) -> Trace:
        if not looking.is_set():
            looking.set()
            jumped.wait(0.05)
        return look(live, title)

    monkeypatch.setattr(Live, "trace", slowly)
    app = App()

    @app.get("/looks")
    def looks() -> str:
        at_it.set()
        while not looking.is_set():
            pass  # to wait for it would be to let time pass
        before_s = time.monotonic()
        lab.snapshot()
        return str(time.monotonic() - before_s)

    @app.get("/sleeps")
    async def sleeps() -> str:
        await anyio.sleep(5)
        jumped.set()
        return "0.0"

    with Lab(app, clock="virtual") as lab:
        outside = threading.Thread(target=lambda: (at_it.wait(30), lab.snapshot()))
        outside.start()
        run = lab.burst(lambda index: ("/sleeps", "/looks")[index], n=2)
        outside.join(30)
        assert [response.text for response in run.responses] == ["0.0", "0.0"]


def shared(*found: object) -> list[object]:
    """What can be reached from some objects of ours, but through a loop or its thread."""
    seen: dict[int, object] = {}
    waiting = list(found)
    while waiting:
        each = waiting.pop()
        ours = type(each).__module__.startswith("playground.") or type(each) in (dict, list, tuple, LockType)
        if id(each) in seen or not ours or isinstance(each, LabLoop | LoopThread):
            continue
        seen[id(each)] = each
        waiting += gc.get_referents(each)
    return list(seen.values())


def test_what_a_loop_in_virtual_time_shares_with_those_who_look_is_made_of_real_locks() -> None:
    recorders: list[Any] = []

    async def main() -> None:
        recorders.append(lab._thread.loop.recorder)

    with Lab(small_app(), clock="virtual") as lab:
        watch = Watch("made while virtual time is open")
        lab.run(main)
        found = shared(lab._recordings, recorders, watch)
    assert sum(isinstance(each, LockType) for each in found) > 2
    assert [each for each in found if isinstance(each, playground.clock.locks.Lock)] == []


def test_a_flag_is_waited_for_by_many_and_raised_once() -> None:
    flag = Flag()
    assert not flag.wait(0)
    assert not flag.wait(0.001)
    threads = [threading.Thread(target=flag.wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    flag.set()
    flag.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert flag.wait()
    assert flag.wait(0)
    assert flag.up
