"""How the time of a thread that computes is told, with clocks that are turned by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.models import units
from playground.models.units import UNKNOWN, Senses, burn, loops_of_a_unit, units_of

MS = 1_000_000
LINUX, MACOS, WINDOWS = Senses(True, True), Senses(True, False), Senses(False, False)
ONE_THREAD = Senses(True, True, shares_lock=False)
Told = list[tuple[str, int, int, int]]
Unit = tuple[int, int, int, int]
"""What happens in a unit: it computes, it is away, it goes to sleep so many times, it queues for a processor."""


class Machine:
    """Clocks that move only while a unit is done, as a list says."""

    def __init__(self, todo: list[Unit]) -> None:
        self.now_ns = 1_000 * MS
        self.cpu_ns = self.sleeps = self.delay_ns = 0
        self._todo = iter(todo)

    def unit(self, loops: int) -> int:
        cpu_ns, away_ns, slept, queued_ns = next(self._todo)
        self.now_ns += cpu_ns + away_ns
        self.cpu_ns += cpu_ns
        self.sleeps += slept
        self.delay_ns += queued_ns
        return loops

    def slept(self) -> int:
        return self.sleeps

    def queued_ns(self) -> int:
        return self.delay_ns


def told(todo: list[Unit], known: Senses) -> Told:
    """What is told of these units, with moments since the start."""
    machine = Machine(todo)
    rows: Told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "unit", machine.unit)
        patch.setattr(units, "perf_counter_ns", lambda: machine.now_ns)
        patch.setattr(units, "thread_time_ns", lambda: machine.cpu_ns)
        patch.setattr(units, "_gauge", lambda: machine)
        burn(len(todo), 1, known, lambda kind, start, end, cpu: rows.append((kind, start, end, cpu)))
    return [(kind, start - 1_000 * MS, end - 1_000 * MS, cpu) for kind, start, end, cpu in rows]


WORK: Unit = (100_000, 0, 0, 0)


def test_who_is_not_held_up_runs_from_start_to_end() -> None:
    assert told([WORK] * 3, LINUX) == [("run", 0, 300_000, 300_000)]
    assert told([], LINUX) == []


def test_a_gap_in_which_the_thread_went_to_sleep_was_a_wait_for_the_lock() -> None:
    assert told([WORK, (100_000, 5 * MS, 1, 40_000), WORK], LINUX) == [
        ("run", 0, 150_000, 150_000),
        ("gil", 150_000, 150_000 + 5 * MS, 40_000),
        ("run", 150_000 + 5 * MS, 300_000 + 5 * MS, 150_000),
    ]


def test_who_shares_the_lock_with_none_of_the_jobs_waits_for_none_of_them() -> None:
    """It went to sleep, for our own recording had the lock and the system had taken its processor from it."""
    assert told([WORK, (100_000, 5 * MS, 1, 2 * MS), WORK], ONE_THREAD) == [
        ("run", 0, 150_000, 150_000),
        ("preempt", 150_000, 150_000 + 5 * MS, 2 * MS),
        ("run", 150_000 + 5 * MS, 300_000 + 5 * MS, 150_000),
    ]


def test_a_gap_in_which_it_did_not_was_the_systems_doing() -> None:
    assert told([(100_000, 4 * MS, 0, 4 * MS)], LINUX) == [
        ("run", 0, 50_000, 50_000),
        ("preempt", 50_000, 50_000 + 4 * MS, 4 * MS),
        ("run", 50_000 + 4 * MS, 100_000 + 4 * MS, 50_000),
    ]


def test_a_short_wait_for_the_lock_is_known_and_another_short_gap_is_none() -> None:
    assert [row[0] for row in told([(100_000, 300_000, 1, 0)], LINUX)] == ["run", "gil", "run"]
    assert told([(100_000, 300_000, 0, 0)], LINUX) == [("run", 0, 400_000, 100_000)]


def test_where_the_system_does_not_say_why_a_gap_is_a_gap() -> None:
    assert told([(100_000, 5 * MS, 1, 5 * MS)], MACOS) == [
        ("run", 0, 50_000, 50_000),
        ("off_cpu", 50_000, 50_000 + 5 * MS, 0),
        ("run", 50_000 + 5 * MS, 100_000 + 5 * MS, 50_000),
    ]


def test_where_a_threads_time_is_not_told_a_unit_is_taken_for_a_tenth_of_a_millisecond() -> None:
    assert told([(120_000, 0, 0, 0)] * 2, WINDOWS) == [("run", 0, 240_000, UNKNOWN)]
    gap_ns = 120_000 + 5 * MS - units.UNIT_NS
    assert told([(120_000, 5 * MS, 0, 0)], WINDOWS) == [
        ("run", 0, 50_000, UNKNOWN),
        ("off_cpu", 50_000, 50_000 + gap_ns, 0),
        ("run", 50_000 + gap_ns, 120_000 + 5 * MS, UNKNOWN),
    ]


some_unit = st.tuples(st.integers(1, 400_000), st.integers(0, 20 * MS), st.integers(0, 2), st.integers(0, 20 * MS))


@given(st.lists(some_unit, min_size=1, max_size=30), st.sampled_from([LINUX, MACOS]))
def test_stretches_follow_one_another_and_lose_no_processor_time(todo: list[Unit], known: Senses) -> None:
    rows = told(todo, known)
    assert rows[0][1] == 0
    assert rows[-1][2] == sum(cpu + away for cpu, away, _, _ in todo)
    for (_, start, end, _), (_, following, _, _) in zip(rows, [*rows[1:], ("", rows[-1][2], 0, 0)], strict=True):
        assert start <= end == following
    assert [row[0] == "run" for row in rows] == [at % 2 == 0 for at in range(len(rows))]
    assert sum(row[3] for row in rows if row[0] == "run") == sum(cpu for cpu, _, _, _ in todo)


def test_a_job_is_a_count_of_units_however_fast_the_machine_is() -> None:
    assert [units_of(seconds) for seconds in (0, 0.00001, 0.0001, 0.005, 1)] == [0, 1, 1, 50, 10_000]


def test_a_unit_is_measured_once() -> None:
    assert loops_of_a_unit() == loops_of_a_unit() >= 1


def test_a_unit_does_its_work() -> None:
    assert units.unit(4) == 0 + 1 + 4 + 9


@pytest.mark.parametrize(
    ("platform", "known"), [("linux", LINUX), ("darwin", MACOS), ("win32", WINDOWS), ("emscripten", MACOS)]
)
def test_what_a_system_tells_is_known_by_its_name(
    platform: str, known: Senses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    assert units.senses() == known
