"""`lab.snapshot()`: another thread looks at a run that goes on, and the run is none the worse for it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from playground import App, Lab, LabError, Run
from playground.trace import Trace

NO_RUN = (
    "^expected a recorded run that goes on, got none: ask from another thread while lab.burst, lab.load or lab.run "
    r"goes on; when it is over, its Run has the trace$"
)
LOOKS = 4
EVERY_S = 0.1


class Looker:
    """A thread that takes snapshots while the block runs, every so often; times at which no run went on are counted."""

    def __init__(self, lab: Lab, every_s: float) -> None:
        self.seen: list[Trace] = []
        self.enough = threading.Event()
        self._lab = lab
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.wait(self._every_s):
            try:
                self.seen.append(self._lab.snapshot())
            except LabError:
                continue  # before the run or after it
            if len(self.seen) == LOOKS:
                self.enough.set()

    def __enter__(self) -> "Looker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


app = App()
looked: list[threading.Event] = []


@app.get("/until-seen")
async def until_seen() -> str:
    while not looked[-1].is_set():
        await asyncio.sleep(0.005)
    return "seen"


@app.get("/in-a-worker")
def in_a_worker() -> str:
    looked[-1].wait(30)
    return "seen"


@app.get("/brief")
async def brief() -> str:
    await asyncio.sleep(0.001)
    await asyncio.sleep(0)
    return "brief"


def by_burst(lab: Lab) -> Run:
    return lab.burst(lambda index: "/in-a-worker" if index % 4 == 0 else "/until-seen", n=12)


def by_load(lab: Lab) -> Run:
    return lab.load("/until-seen", rate=40, duration=0.5, arrivals="uniform")


def by_run(lab: Lab) -> Run:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(lab.client.get("/until-seen"))

    return lab.run(main)


def check_within_bounds(trace: Trace) -> None:
    """Every row points to rows that are there, and nothing is later than the look."""
    tasks, steps = len(trace.tasks), len(trace.steps)
    for number, step in enumerate(trace.steps):
        assert step.task is None or 0 <= step.task < tasks
        assert step.woken_by is None or 0 <= step.woken_by < number
        assert 0 <= step.start_ns <= step.end_ns <= trace.duration_ns
    for wait in trace.waits:
        assert 0 <= wait.task < tasks
        assert 0 <= wait.start_ns <= wait.end_ns <= trace.duration_ns
    for request in trace.requests:
        assert request.task is None or 0 <= request.task < tasks
        assert request.end_ns is None or request.start_ns <= request.end_ns <= trace.duration_ns
        assert all(0 <= handoff < len(trace.handoffs) for handoff in request.handoffs)
    for sample in trace.samples:
        assert 0 <= sample.step < steps


@pytest.mark.slow
@pytest.mark.parametrize("make", [by_burst, by_load, by_run])
def test_each_look_is_a_trace_of_what_has_happened_so_far(make: Callable[[Lab], Run]) -> None:
    with Lab(app) as lab, Looker(lab, EVERY_S) as looker:
        looked.append(looker.enough)
        run = make(lab)
    final = run.trace
    steps = list(final.steps)
    assert len(looker.seen) >= LOOKS
    for seen in looker.seen:
        check_within_bounds(seen)
        assert list(seen.steps) == steps[: len(seen.steps)]
        assert seen.title == "Run 1"
        assert seen.duration_ns <= final.duration_ns
    sizes = [len(seen.steps) for seen in looker.seen]
    assert sizes == sorted(sizes)
    assert sizes[-1] <= len(steps)
    # nobody was answered before there had been enough looks
    for seen in looker.seen[: LOOKS - 1]:
        assert {(request.status, request.end_ns) for request in seen.requests} <= {(None, None)}
    assert [request.status for request in final.requests] == [200] * len(final.requests)


@contextmanager
def nobody() -> Iterator[None]:
    yield


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["fifo", "random"])
def test_in_virtual_time_a_looker_changes_nothing(tmp_path: Path, schedule: str) -> None:
    saved = []
    counts = []
    for looks in (False, True):
        with Lab(app, clock="virtual", seed=3, schedule=schedule) as lab:  # type: ignore[arg-type]
            looker = Looker(lab, 0.001)
            with looker if looks else nobody():
                run = lab.load("/brief", rate=1000, duration=2)
        path = tmp_path / f"{looks}.trace"
        run.trace.save(path)
        saved.append(path.read_bytes())
        counts.append(len(run.trace.steps))
    assert looker.seen
    assert counts[0] == counts[1]
    assert saved[0] == saved[1]


def test_without_a_run_there_is_nothing_to_look_at() -> None:
    with Lab(app) as lab:
        with pytest.raises(LabError, match=NO_RUN):
            lab.snapshot()
        lab.burst("/brief", n=2)
        with pytest.raises(LabError, match=NO_RUN):
            lab.snapshot()


def test_a_lab_that_does_not_record_has_nothing_to_look_at() -> None:
    async def look() -> None:
        with pytest.raises(LabError, match=NO_RUN):
            lab.snapshot()

    with Lab(app, trace=False) as lab:
        lab.run(look)


def test_a_run_may_be_looked_at_from_within() -> None:
    async def look() -> list[str]:
        await asyncio.sleep(0)  # a step is told of when it is over
        return [step.outcome for step in lab.snapshot().steps]

    with Lab(app) as lab:
        assert "yields" in lab.run(look).result
