"""Waiting for the interpreter is told apart from waiting in a call and from computing: worked out, and for real."""

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import playground
from playground.clock.loop import LabLoop
from playground.trace import Block
from playground.trace.build import build
from playground.trace.lockout import Lockouts, Outside, Reading, starts_a_thread
from playground.trace.recorder import Recorder, recording
from tests.clock.virtually import recorded_virtually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that tells how another thread waits")

MS = 1_000_000


# -- worked out from readings -----------------------------------------------------------------------------------


def lock_ms(
    *looks: tuple[float, float, float, bool | None], start_ms: float = 0, delays_ms: tuple[float, ...] = ()
) -> float:
    """The sum at the last of some looks: when, the thread's processor time, that of others, whether it slept."""
    lockouts, found = Lockouts(), None
    for number, (at_ms, cpu_ms, others_ms, asleep) in enumerate(looks):
        known = Reading(round(cpu_ms * MS), round(others_ms * MS), asleep)
        delay_ns = round(delays_ms[number] * MS) if delays_ms else None
        found = lockouts.at(1, round(at_ms * MS), round(start_ms * MS), known, delay_ns)
    assert found is not None
    return found / MS


def test_what_neither_ran_nor_slept_nor_queued_waited_for_the_interpreter() -> None:
    assert lock_ms((0, 0, 0, False), (50, 10, 40, False)) == 40
    assert lock_ms((0, 0, 0, False), (50, 10, 40, False), delays_ms=(0, 15)) == 25
    assert lock_ms((0, 0, 0, False), (50, 10, 40, False), (80, 12, 70, False)) == 68


def test_a_call_that_slept_did_not_wait_for_the_interpreter() -> None:
    assert lock_ms((0, 0, 0, True), (50, 0, 50, True)) == 0
    assert lock_ms((0, 0, 0, True), (50, 0, 50, False)) == 0  # when it woke up is not known
    assert lock_ms((0, 0, 0, False), (50, 0, 50, True)) == 0
    assert lock_ms((0, 0, 0, True), (50, 0, 50, None)) == 0


def test_nobody_waits_for_the_interpreter_where_nobody_else_computes() -> None:
    assert lock_ms((0, 0, 0, False), (50, 0, 0, False)) == 0
    assert lock_ms((0, 0, 0, False), (50, 0, 2, False)) == 2
    assert lock_ms((0, 0, 0, False), (50, 0, 5, False)) == 50  # who computed queued for a processor too


def test_of_the_time_before_a_step_nothing_counts_and_all_that_was_used_in_it_is_taken_off() -> None:
    assert lock_ms((-10, 0, 0, None), (50, 5, 50, False)) == 45
    assert lock_ms((-10, 0, 0, None), (50, 60, 50, False)) == 0


def told_ms(*looks: tuple[float, float], end_ms: float = 1_000) -> list[float]:
    """What is taken for the delays read at some looks into a step that begins at 0."""
    lockouts = Lockouts()
    told = [lockouts.delay_ns(1, round(at * MS), 0, round(end_ms * MS), round(delay * MS)) for at, delay in looks]
    return [ns / MS for ns in told if ns is not None]


def test_of_a_delay_before_the_first_look_as_much_counts_as_the_step_must_have_had() -> None:
    # 4 ms before the step began, it had been 3 ms; at the first look 30: of these 27, 4 may have been before
    assert told_ms((-4, 3), (30, 30), (40, 31)) == [7, 30, 31]
    assert told_ms((-4, 3), (30, 5), (40, 9)) == [7, 7, 9]
    assert told_ms((5, 3), (30, 5)) == [3, 5]
    assert Lockouts().delay_ns(3, 0, 0, 0, None) is None


def test_of_a_delay_read_after_a_step_as_much_counts_as_the_step_must_have_had() -> None:
    assert told_ms((0, 3), (62, 30), end_ms=60) == [3, 28]
    assert told_ms((0, 3), (62, 4), end_ms=60) == [3, 3]


DELAYS = st.tuples(st.lists(st.tuples(st.booleans(), st.integers(1, 50)), min_size=3, max_size=20), st.data())


@given(DELAYS)
def test_whatever_a_thread_queues_around_a_step_no_more_is_counted_than_it_queued_within(
    lived: tuple[list[tuple[bool, int]], st.DataObject],
) -> None:
    queues, data = lived
    spent = [queued for queued, length in queues for _ in range(length)]
    first, start, end, last = sorted(data.draw(st.integers(0, len(spent))) for _ in range(4))
    told = told_ms((first - start, sum(spent[:first])), (last - start, sum(spent[:last])), end_ms=end - start)
    assert 0 <= told[1] - told[0] <= sum(spent[start:end])


def test_what_a_thread_queues_at_a_look_is_not_also_a_wait_for_the_interpreter() -> None:
    lockouts = Lockouts()
    # from 10 ms to 40 ms it queues, of which the system tells only when it runs again
    looks = [
        (0, Reading(0, 0, False), 0),
        (30, Reading(10 * MS, 20 * MS, False, queued=True), 0),
        (50, Reading(20 * MS, 40 * MS, False), 30),
    ]
    assert [lockouts.at(1, at * MS, 0, known, delay * MS) for at, known, delay in looks] == [0, 0, 0]


def test_what_is_not_known_is_not_said() -> None:
    assert Lockouts().at(1, 5, 0, None, None) is None
    assert lock_ms((10, 1, 100, False)) == 0  # nothing to compare it with


def test_where_the_wait_is_known_itself_it_is_counted_from_the_steps_first_look() -> None:
    lockouts = Lockouts()
    assert [lockouts.at(1, 0, 0, known, None) for known in (70, 70, 90)] == [0, 0, 20]
    assert lockouts.at(2, 0, 0, 90, None) == 0


LOOKS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.sampled_from([True, False, None])),
    min_size=1,
    max_size=8,
)


@given(LOOKS)
def test_the_wait_never_shrinks_and_is_no_longer_than_the_time_in_which_the_thread_did_not_run(
    gaps: list[tuple[int, int, int, bool | None]],
) -> None:
    lockouts, at, cpu, others, before = Lockouts(), 0, 0, 0, 0
    lockouts.at(1, 0, 0, Reading(0, 0), None)
    for wall, ran, rest, asleep in gaps:
        at, cpu, others = at + wall, cpu + min(ran, wall), others + rest
        now = lockouts.at(1, at, 0, Reading(cpu, others, asleep), None)
        assert now is not None
        assert before <= now <= at - cpu
        before = now


# -- read from a thread ---------------------------------------------------------------------------------------


class Watched:
    """A thread that does something, and what is read of it from here until it is over."""

    def __init__(self, act: "contextlib.AbstractContextManager[None]") -> None:
        self.act = act
        self.outside: Outside | None = None
        self.ready, self.over = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        self.outside = Outside()
        self.ready.set()
        with self.act:
            self.over.wait()

    def __enter__(self) -> Outside:
        self.thread.start()
        self.ready.wait()
        assert self.outside is not None
        return self.outside

    def __exit__(self, *exc_info: object) -> None:
        self.over.set()
        self.thread.join()
        assert self.outside is not None
        self.outside.close()
        assert (self.outside.reading(), self.outside.delay_ns()) == (None, None)


def test_a_thread_that_waits_for_a_lock_of_the_programs_is_asleep_in_a_call() -> None:
    with Watched(contextlib.nullcontext()) as outside:
        for _ in range(1_000):
            reading = outside.looked(outside.reading())
            assert reading is not None
            if reading.asleep:
                break
            time.sleep(0.001)  # it is on its way there
        else:
            pytest.fail("the thread waits for an event, and was never seen asleep")


def test_a_thread_that_computes_is_never_asleep_in_a_call() -> None:
    stop = threading.Event()

    @contextlib.contextmanager
    def spinning() -> Iterator[None]:
        while not stop.is_set():
            pass
        yield

    with Watched(spinning()) as outside:
        before, seen = outside.reading(), set()
        assert before is not None
        for _ in range(1_000):
            reading = outside.looked(outside.reading())
            assert reading is not None
            seen.add(reading.asleep)
            if reading.cpu_ns > before.cpu_ns:
                break
            time.sleep(0.001)  # let it compute
        else:
            pytest.fail("the thread computes, and was never seen to use the processor")
        stop.set()
    assert seen == {False}


def test_who_looks_is_not_among_the_others() -> None:
    outside = Outside()
    told = []

    def look() -> None:
        outside.leave_out()
        before = outside.reading()
        playground.work(0.05)
        told.append((before, outside.reading()))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    ((before, after),) = told
    outside.close()
    assert before is not None
    assert after is not None
    assert after.others_ns - before.others_ns < 25 * MS


def test_a_frame_of_thread_start_is_known_from_within() -> None:
    found = []

    class Told(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            found.append(starts_a_thread(sys._getframe()))
            return super().wait(timeout)

    thread = threading.Thread(target=int)
    thread._started = Told()  # type: ignore[attr-defined]
    thread.start()
    thread.join()
    assert found[0]
    assert not starts_a_thread(sys._getframe())
    assert not starts_a_thread(None)


# -- recorded -------------------------------------------------------------------------------------------------


def beside_computing(act: Callable[[], None], threads: int = 4) -> Block:
    """The long step in which `act` was called while so many threads computed."""
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            pass

    others = [threading.Thread(target=compute) for _ in range(threads)]

    async def main() -> Recorder:
        with recording(loop) as recorder:
            await asyncio.sleep(0)
            for other in others:
                other.start()
            await asyncio.sleep(0)
            act()
            stop.set()
            await asyncio.sleep(0)
        return recorder

    loop = LabLoop()
    try:
        trace = build(loop.run_until_complete(main()))
    finally:
        stop.set()
        loop.close()
        for other in others:
            other.join()
    step = max(range(len(trace.steps)), key=lambda index: trace.steps[index].duration_ns)
    return next(block for block in trace.blocks(0) if block.step == step)


@pytest.mark.slow
def test_a_step_that_computes_beside_threads_that_compute_waits_for_the_interpreter() -> None:
    block = beside_computing(lambda: playground.work(0.1))
    assert block.duration_ns >= 100 * MS  # what it computed is its own
    assert block.lock_ns > block.duration_ns // 2  # and of five threads, it had its turn


@pytest.mark.slow
def test_a_step_that_sleeps_beside_threads_that_compute_holds_the_loop_itself() -> None:
    block = beside_computing(lambda: time.sleep(0.5))
    assert block.duration_ns > 2 * block.lock_ns
    assert block.call == "time.sleep(0.5)"


def test_a_step_alone_does_not_wait_for_the_interpreter() -> None:
    block = beside_computing(lambda: playground.work(0.1), threads=0)
    assert block.lock_ns < block.duration_ns // 4


@contextlib.contextmanager
def busy_machine(programs: int = 4) -> Iterator[None]:
    """So many programs compute meanwhile; each ends by itself should this one be killed."""
    computes = "import time\nwhile time.process_time() < 60: pass"
    running = [subprocess.Popen([sys.executable, "-c", computes]) for _ in range(programs)]
    try:
        yield
    finally:
        for program in running:
            program.kill()
        for program in running:
            program.wait()


@pytest.mark.slow
def test_on_a_busy_machine_no_sleep_is_told_shorter_than_it_was() -> None:
    sleep_s = 0.02
    slept_at_ns: list[int] = []

    async def main() -> Recorder:
        with recording(loop) as recorder:
            for turn in range(100):
                await asyncio.sleep(0.001 * (turn % 7))  # so that it wakes up, and queues, at all times of a tick
                playground.work(0.001 * (turn % 3))
                await asyncio.sleep(0)
                slept_at_ns.append(recorder.now() - recorder.started_ns)
                time.sleep(sleep_s)
                await asyncio.sleep(0)
        return recorder

    loop = LabLoop()
    try:
        with busy_machine():
            trace = build(loop.run_until_complete(main()))
    finally:
        loop.close()
    # which steps slept is not asked of the looks: a step that only queued for as long may be told at the wrong line
    slept = [block for block in trace.blocks(0) if any(block.start_ns <= at < block.end_ns for at in slept_at_ns)]
    assert len(slept) == 100
    # one in a few hundred still is, where the thread that looks was starved itself: see the note of 2026-11-22
    assert sum(block.duration_ns < sleep_s * 1e9 for block in slept) <= 2


def test_in_virtual_time_the_wait_for_the_simulated_lock_is_exact() -> None:
    def compute() -> None:
        playground.work(0.05)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        calls = [loop.run_in_executor(None, compute) for _ in range(4)]
        await asyncio.sleep(0.001)
        playground.work(0.012)
        await asyncio.gather(*calls)

    trace = recorded_virtually(main)
    (block,) = trace.locked_out(0.01)
    # from 1 ms on: 19 ms until the four have had a slice each, then 5 and 5 of its own with four of theirs between
    assert (block.duration_ns, block.lock_ns) == (12 * MS, (19 + 20 + 20) * MS)
    assert block.end_ns == block.start_ns + 71 * MS
    assert trace.blocks() == []
