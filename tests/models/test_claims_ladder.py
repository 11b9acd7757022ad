"""The latency ladder: every rung is measured, and the verdict speaks only where the rungs stand apart."""

import os
import threading
from pathlib import Path

import pytest

from playground.models.claims import ladder, latency_ladder, rungs
from playground.models.claims.away import NotTriedError
from playground.models.claims.ladder import judged, kind_of_folder
from playground.models.claims.rounds import Spread
from playground.models.claims.rungs import NAMES, climb

COMPUTING = {"attribute": 10.0, "dict": 20.0, "call": 40.0, "near": 30.0}
OUTSIDE = {"read": 1000.0, "loopback": 9000.0, "fsync": 300_000.0}


def around(median: float, part: float = 0.05) -> Spread:
    return Spread(median, median * (1 - part), median * (1 + part), 20)


def found(**changed: Spread) -> dict[str, Spread]:
    return {key: around(ns) for key, ns in (COMPUTING | OUTSIDE).items()} | changed


def test_it_holds_where_reading_takes_ten_times_as_long_as_computing() -> None:
    claim = judged(found(), {})
    assert claim.verdict == "holds"
    assert claim.sentence == (
        "Reading 4 KiB of a file in memory took 1 µs (950 ns to 1.05 µs), 25 × as long as a function call, 40 ns "
        "(38 to 42 ns); a byte over loopback and back 9 µs (8.55 to 9.45 µs) and writing 4 KiB and syncing it 300 µs "
        "(285 to 315 µs)."
    )


def test_it_does_not_hold_where_reading_takes_hardly_longer() -> None:
    claim = judged(found(read=around(200.0)), {})
    assert claim.verdict == "does not hold"
    assert claim.sentence.endswith("Far longer would be ten times as long.")


@pytest.mark.parametrize("read", [around(400.0), around(600.0, 0.5), Spread(2000.0, 300.0, 4000.0, 20)])
def test_nothing_is_said_where_the_rounds_lie_too_far_apart(read: Spread) -> None:
    claim = judged(found(read=read), {})
    assert claim.verdict == "not here"
    assert claim.sentence.endswith("The rounds lie too far apart to tell whether that is ten times as long.")


def test_nothing_is_said_where_nothing_reads_or_writes() -> None:
    claim = judged({"call": around(40.0)}, dict.fromkeys(OUTSIDE, "no such thing"))
    assert (claim.verdict, claim.sentence) == (
        "not here",
        "Nothing that computes, or nothing that reads or writes, could be measured here.",
    )


def test_the_rungs_rise_and_what_was_not_measured_stands_last_with_its_reason() -> None:
    claim = judged(found(), {"fork": "this system cannot copy a process"})
    medians = [row.median for row in claim.rows if row.median is not None]
    assert medians == sorted(medians)
    assert [(row.name, row.note) for row in claim.rows if row.median is None] == [
        (NAMES["fork"], "not measured here: this system cannot copy a process"),
        ("answer of another machine", "not measured here: this asks no network"),
    ]


def test_a_rung_is_told_in_function_calls() -> None:
    notes = {row.name: row.note for row in judged(found(), {}).rows}
    assert notes[NAMES["fsync"]] == "as long as 7,500 calls"
    assert notes[NAMES["attribute"]] == "as long as 0.25 calls"
    assert notes[NAMES["call"]] == ""
    notes = {row.name: row.note for row in judged(found(fsync=around(126_480_000.0), dict=around(12.68)), {}).rows}
    assert notes[NAMES["fsync"]] == "as long as 3,200,000 calls"
    assert notes[NAMES["dict"]] == "as long as 0.32 calls"


def test_figures_have_their_unit_in_their_name() -> None:
    assert judged(found(), {}).figures == {f"{key}_ns": ns for key, ns in (COMPUTING | OUTSIDE).items()}


def test_a_temporary_folder_in_memory_is_told() -> None:
    told = "The temporary folder is in memory (tmpfs): a sync waits for no disk."
    assert told in judged(found(), {}, "tmpfs").notes
    assert told not in judged(found(), {}, "ext4").notes


def test_the_kind_of_a_folder_is_that_of_the_innermost_mount(tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    mounts = ("disk / ext4 rw 0 0", "none /tmp ramfs rw 0 0", "none /tmp tmpfs rw 0 0", "d /tmp/a\\040b xfs rw 0 0")
    table.write_text("\n".join(mounts), encoding="utf-8")
    asked = ("/tmp/x", "/tmp/a b/c", "/tmpx", "/")
    assert [kind_of_folder(folder, str(table)) for folder in asked] == ["tmpfs", "xfs", "ext4", "ext4"]
    assert kind_of_folder("/tmp", str(tmp_path / "none")) == ""


def test_what_cannot_be_begun_is_told_by_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.fork")
    monkeypatch.setattr("socket.create_server", refused)
    stage = tuple(rung for stage in rungs._STAGES for rung in stage if rung.key in ("fork", "loopback", "call"))
    measured = rungs._measured(stage, 0.001, 0.0)
    assert measured["fork"] == "this system cannot copy a process"
    assert measured["loopback"] == "no sockets"
    assert len(measured["call"]) == 5


def refused(*_: object) -> None:
    raise OSError("no sockets")


def test_a_child_that_fails_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotTriedError("It crashed.")

    monkeypatch.setattr(ladder, "away", fail)
    claim = latency_ladder()
    assert (claim.verdict, claim.sentence, list(claim.rows)) == ("not here", "It crashed.", [])


@pytest.mark.slow
def test_a_ladder_is_climbed_here() -> None:
    claim = latency_ladder(0.3)
    measured = {row.name: row for row in claim.rows if row.median is not None}
    absent = {row.name: row.note for row in claim.rows if row.median is None}
    assert set(measured) | set(absent) == {*NAMES.values(), "answer of another machine"}
    assert all(row.rounds >= 5 and row.low <= row.median <= row.high for row in measured.values())  # type: ignore[operator]
    assert claim.verdict != "does not hold", claim.sentence
    assert measured["sleep of 1 ms"].median >= 1e6  # type: ignore[operator]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


@pytest.mark.slow
def test_what_a_ladder_opens_it_closes() -> None:
    files, threads = open_files(), set(threading.enumerate())
    climb(0.1)
    assert open_files() <= files  # as with threads
    assert set(threading.enumerate()) <= threads  # others may have left some that end meanwhile
