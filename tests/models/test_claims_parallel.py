"""Threads for I/O and processes for CPU: a verdict only on a machine, and of a Python, that can tell."""

from dataclasses import replace
from pathlib import Path

import pytest

from playground.models.claims import parallel, threads_and_processes
from playground.models.claims.away import NotTriedError
from playground.models.claims.parallel import Here, judged
from playground.models.claims.ways import CPU, IO, Timed, has_lock, processors

NAMES = {IO: "jobs that wait", CPU: "jobs that compute"}
TWO = Here(2.0, True)


def timed(ms: float, parallel: float | None = None, gil: float | None = None, had: float | None = None) -> Timed:
    return Timed([ms * 1e6] * 12, parallel, gil, had)


def found(**changed: Timed) -> dict[tuple[str, str], Timed]:
    """Figures as of two free processors; changed ones by names such as `cpu_threads`."""
    usual = {
        "io_sequential": timed(120),
        "io_threads": timed(21),
        "io_processes": timed(30),
        "cpu_sequential": timed(120, 0.0, 0.0, 1.0),
        "cpu_threads": timed(125, 0.01, 0.6, 1.0),
        "cpu_processes": timed(65, 1.0, 0.0, 1.9),
    } | changed
    kinds = {"io": IO, "cpu": CPU}
    return {(kinds[name.split("_")[0]], name.split("_")[1]): one for name, one in usual.items()}


def test_it_holds_with_threads_for_waits_and_processes_for_computing() -> None:
    claim = judged(found(), TWO, NAMES)
    assert claim.verdict == "holds"
    assert claim.sentence == (
        "Jobs that wait were 5.71 × as fast in threads as in a row, jobs that compute 0.96 × in threads, and 1.85 × in "
        "processes. Two threads could compute at once for 1% of the time, and waited for the interpreter's lock for "
        "60% of what they took; two processes could for 100%."
    )
    assert claim.figures["cpu_processes_speed_up"] == pytest.approx(120 / 65)
    assert claim.figures["cpu_threads_gil_share"] == 0.6


def test_shares_that_are_not_known_are_not_told() -> None:
    claim = judged(found(cpu_threads=timed(125)), TWO, NAMES)
    assert claim.verdict == "holds"
    assert "could compute at once" not in claim.sentence
    assert "cpu_threads_gil_share" not in claim.figures


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"io_threads": timed(118)}, "Threads are no gain where jobs wait."),
        ({"cpu_threads": timed(70, 0.9, 0.0, 1.9)}, "Threads are a gain where jobs compute."),
        (
            {"cpu_processes": timed(118, 1.0, 0.0, 1.8)},
            "Processes are no gain, though they had 1.8 processors on average.",
        ),
    ],
)
def test_it_does_not_hold_where_a_part_is_surely_otherwise(changed: dict[str, Timed], why: str) -> None:
    claim = judged(found(**changed), TWO, NAMES)
    assert claim.verdict == "does not hold"
    assert claim.sentence.endswith(why)


def test_threads_that_took_turns_gain_nothing_whatever_the_clock_says() -> None:
    claim = judged(found(cpu_threads=timed(70, 0.01, 0.8, 0.9)), TWO, NAMES)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith("As threads took turns, that is the work of others on this machine.")


@pytest.mark.parametrize(
    ("had", "told"),
    [(1.1, "these had 1.1 processors on average."), (None, "it is not known how many these had.")],
)
def test_nothing_is_said_of_processes_that_had_no_processors_of_their_own(had: float | None, told: str) -> None:
    claim = judged(found(cpu_processes=timed(118, 1.0, 0.0, had)), TWO, NAMES)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith(f"Processes gain only if processors are free for them: {told}")


@pytest.mark.parametrize(
    ("here", "told"),
    [
        (Here(1.0, True), "What processes gain shows on two processors or more: this process may use 1 of them."),
        (Here(1.5, True), "What processes gain shows on two processors or more: this process may use 1.5 of them."),
        (
            Here(8.0, False),
            "This Python is free-threaded: its threads compute at once, as the claim says they do not.",
        ),
    ],
)
def test_nothing_is_said_on_a_machine_or_of_a_python_that_cannot_tell(here: Here, told: str) -> None:
    claim = judged(found(), here, NAMES)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith(told)


def test_nothing_is_said_where_the_rounds_do_not_tell() -> None:
    usual = found()
    mixed = replace(usual[CPU, "processes"], walls_ns=[65e6] * 8 + [130e6] * 4)
    claim = judged(usual | {(CPU, "processes"): mixed}, TWO, NAMES)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith(
        "The rounds lie too far apart to tell (CPU-bound in processes): is the machine busy?"
    )


def test_too_few_rounds_are_not_laid_to_the_machine() -> None:
    two = {key: replace(one, walls_ns=one.walls_ns[:2]) for key, one in found().items()}
    claim = judged(two, TWO, NAMES)
    assert claim.verdict == "not here"
    assert claim.sentence.endswith("To tell, it takes at least 6 rounds, and there were 2.")


def test_rounds_of_processes_with_waits_are_no_part_of_the_claim() -> None:
    usual = found()
    mixed = replace(usual[IO, "processes"], walls_ns=[30e6] * 6 + [130e6] * 6)
    assert judged(usual | {(IO, "processes"): mixed}, TWO, NAMES).verdict == "holds"


@pytest.mark.parametrize(
    ("processors", "note"),
    [
        (2.0, "This process may use 2 processors: computing gets 2 times as fast at most."),
        (1.0, "This process may use 1 processor: computing gets no faster than in a row."),
    ],
)
def test_what_the_machine_allows_is_told(processors: float, note: str) -> None:
    assert judged(found(), Here(processors, True), NAMES).notes[-1] == note


def test_bars_stand_in_two_groups_with_how_many_times_as_fast() -> None:
    rows = judged(found(), TWO, NAMES).rows
    assert [(row.group, row.name, row.note) for row in rows] == [
        ("jobs that wait", "in a row", ""),
        ("jobs that wait", "threads", "5.71 × as fast"),
        ("jobs that wait", "processes", "4 × as fast"),
        ("jobs that compute", "in a row", ""),
        ("jobs that compute", "threads", "0.96 × as fast"),
        ("jobs that compute", "processes", "1.85 × as fast"),
    ]


@pytest.mark.parametrize(("quota", "at_most"), [("50000 100000\n", 0.5), ("max 100000\n", 1e4), ("nonsense", 1e4)])
def test_a_container_may_have_parts_of_a_processor(tmp_path: Path, quota: str, at_most: float) -> None:
    table = tmp_path / "cpu.max"
    table.write_text(quota, encoding="ascii")
    whole = processors(tmp_path / "none")
    assert processors(table) == min(whole, at_most)
    assert whole >= 1


def test_a_python_without_a_lock_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys._is_gil_enabled", lambda: False, raising=False)
    assert not has_lock()
    monkeypatch.delattr("sys._is_gil_enabled")
    assert has_lock()


def test_what_cannot_be_carried_out_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise NotTriedError("This cannot be tried here.")

    monkeypatch.setattr(parallel, "time_ways", fail)
    claim = threads_and_processes()
    assert (claim.verdict, claim.sentence) == ("not here", "This cannot be tried here.")


@pytest.mark.slow
def test_threads_are_for_waits_and_processes_for_computing_here() -> None:
    claim = threads_and_processes(jobs=4, cpu_s=0.02, wait_s=0.02, rounds=6)
    assert claim.verdict != "does not hold", claim.sentence
    assert claim.figures["io_threads_speed_up"] > 1
    assert claim.figures["processors"] == processors()
