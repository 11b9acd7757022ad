"""The sampler is not woken while the loop moves on, is let in where it is awake, and misses no long step for that."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from playground.clock.loop import LabLoop
from playground.trace import alarm as alarm_module
from playground.trace import sampler as module
from playground.trace.build import build
from playground.trace.recorder import Recorder, recording
from playground.trace.sampler import Look, Sampler

MS = 1_000_000


class Idle:
    step = 0


class Told:
    """An alarm that tells when it is put off, and does not go off before the last time."""

    def __init__(self, delay_ns: int) -> None:
        self.can_be_put_off = True
        self.put_off_times = 0
        self._over = threading.Event()

    def sleep(self) -> bool:
        self._over.wait()
        return False

    def put_off(self) -> None:
        self.put_off_times += 1

    def ring(self) -> None:
        self._over.set()

    def close(self) -> None:
        self.can_be_put_off = False


class Bench:
    """A sampler on a clock that is set by hand."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.slept_s: list[float] = []
        self.looks: list[Look] = []
        self.sampler = Sampler(Idle(), lambda: self.now_ns, self.looks)
        self.alarm: Any = self.sampler._alarm

    def moves_on(self, at_ms: float) -> tuple[int, int]:
        """How often the next look was put off, and the sampler let in, by then."""
        self.now_ns = round(at_ms * MS)
        self.sampler.moved_on()
        return self.alarm.put_off_times, len(self.slept_s)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(module, "Alarm", Told)
    bench = Bench()
    monkeypatch.setattr(module, "sleep", bench.slept_s.append)
    yield bench
    bench.sampler.close()


def test_a_loop_that_moves_on_puts_off_the_next_look(bench: Bench) -> None:
    assert bench.sampler.due_ns == 2.5 * MS
    assert [bench.moves_on(at) for at in (2.6, 5.2, 7.8)] == [(1, 0), (2, 0), (3, 0)]
    assert bench.sampler.due_ns == 10.3 * MS  # not again at once


def test_a_sampler_that_is_awake_is_let_in_and_not_put_off(bench: Bench) -> None:
    assert [bench.moves_on(at) for at in (2.6, 7.6)] == [(1, 0), (1, 1)]
    assert bench.sampler.due_ns == 10.1 * MS


def test_where_it_cannot_be_put_off_it_is_let_in_once_it_is_awake(bench: Bench) -> None:
    bench.alarm.can_be_put_off = False
    assert [bench.moves_on(at) for at in (2.6, 5.1)] == [(0, 0), (0, 1)]


def test_a_closed_sampler_is_never_due(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Sampler(Idle(), time.perf_counter_ns, [])
    sampler.close()
    assert sampler.due_ns > 1 << 62


@pytest.fixture(params=["timer", "no timer"])
def any_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "no timer":
        monkeypatch.setattr(alarm_module, "_library", None)


@pytest.mark.usefixtures("any_system")
def test_a_step_that_blocks_after_a_busy_stretch_is_found_at_its_line() -> None:
    async def busy(recorder: Recorder) -> None:
        until_ns = recorder.now() + 20 * MS
        while recorder.now() < until_ns:
            await asyncio.sleep(0)

    async def main() -> Recorder:
        with recording(loop) as recorder:
            await busy(recorder)
            time.sleep(0.03)  # here
            await asyncio.sleep(0)
            await busy(recorder)
        return recorder

    with contextlib.closing(LabLoop()) as loop:
        trace = build(loop.run_until_complete(main()))
    block = max(trace.blocks(0), key=lambda block: block.duration_ns)
    assert block.call == "time.sleep(0.03)"
    assert block.duration_ns >= 20 * MS


class Asked:
    """Somebody who looks at the loop, and is due once in a millisecond."""

    def __init__(self, recorder: Recorder, loop: LabLoop) -> None:
        self._recorder, self._loop = recorder, loop
        self.due_ns = 0
        self.steps: list[int] = []
        self.early = 0

    def moved_on(self) -> None:
        now_ns = self._recorder.now()
        self.early += now_ns < self.due_ns
        self.steps.append(self._loop.step)
        self.due_ns = now_ns + MS

    def end_of(self, step: int) -> None:
        """A busy machine makes any step a long one."""


def test_a_busy_loop_says_between_two_steps_that_it_moves_on_as_often_as_it_is_due() -> None:
    async def main() -> tuple[Asked, int]:
        with recording(loop) as recorder:
            sampler = recorder.sampler
            recorder.sampler = asked = Asked(recorder, loop)  # type: ignore[assignment]
            began_ns = recorder.now()
            while recorder.now() - began_ns < 20 * MS or not asked.steps:  # a busy machine may take the whole time
                await asyncio.sleep(0)
            took_ns = recorder.now() - began_ns
            recorder.sampler = sampler
        return asked, took_ns

    with contextlib.closing(LabLoop()) as loop:
        asked, took_ns = loop.run_until_complete(main())
    assert len(asked.steps) <= took_ns // MS + 1
    assert set(asked.steps) == {0}
    assert asked.early == 0
