"""Rows are whole or not there, come from every process of an experiment, and outlive whoever wrote them."""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import ModelError
from playground.models import rows as module
from playground.models.rows import FOLDER_VARIABLE, Row, Rows, current, read_dropped, read_rows, record_in
from tests.models.living import needs_fork

WORDS = st.integers(-(2**63), 2**63 - 1)
FIELDS = st.tuples(st.integers(0, 254), st.integers(-(2**31), 2**31 - 1), WORDS, WORDS, WORDS, WORDS)


@pytest.fixture(autouse=True)
def nobody_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook's process: no experiment, and no folder told."""
    monkeypatch.setattr(module, "_current", [])
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)


def in_another_process(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script, str(folder)], text=True, capture_output=True, check=False)


@given(st.lists(FIELDS, max_size=30))
def test_rows_are_read_as_they_were_written(written: list[tuple[int, int, int, int, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        rows = Rows(Path(name), capacity=40)
        for fields in written:
            rows.add(*fields)
        found, dropped = read_rows(Path(name)), read_dropped(Path(name))
    here = os.getpid(), threading.get_ident()
    expected = [Row(*fields[:5], *here, fields[5]) for fields in written]
    assert found == sorted(expected, key=lambda row: row.start_ns)
    assert dropped == 0


@given(st.integers(0, 20), st.integers(0, 64 + 21 * 48))
def test_of_a_file_that_is_cut_off_the_whole_rows_are_read(count: int, length: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        rows = Rows(Path(name), capacity=20)
        for number in range(count):
            rows.add(1, number, number, number + 1, 0)
        rows._map.close()
        (path,) = Path(name).iterdir()
        os.truncate(path, min(length, path.stat().st_size))
        found = read_rows(Path(name))
    assert [row.job for row in found] == list(range(min(count, max(0, length - 64) // 48)))


@given(st.sets(st.integers(0, 19)))
def test_a_row_whose_last_byte_was_not_written_is_left_out(torn: set[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        rows = Rows(Path(name), capacity=20)
        for number in range(20):
            rows.add(1, number, number, number + 1, 0)
        for number in torn:
            rows._map[64 + number * 48 + 47] = 0
        assert {row.job for row in read_rows(Path(name))} == set(range(20)) - torn


def test_what_finds_no_room_is_counted(tmp_path: Path) -> None:
    rows = Rows(tmp_path, capacity=3)
    for number in range(8):
        rows.add(0, number, number, number, 0)
    assert [row.job for row in read_rows(tmp_path)] == [0, 1, 2]
    assert read_dropped(tmp_path) == 5


def test_no_row_of_many_threads_is_lost(tmp_path: Path) -> None:
    rows = Rows(tmp_path)
    start = threading.Barrier(6)

    def write(thread: int) -> None:
        start.wait()
        for number in range(2000):
            rows.add(thread, number, number, number, thread)

    threads = [threading.Thread(target=write, args=[thread]) for thread in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = read_rows(tmp_path)
    assert Counter((row.kind, row.job) for row in found) == Counter((t, n) for t in range(6) for n in range(2000))
    assert all(row.cpu_ns == row.kind for row in found)
    assert len({row.thread for row in found}) <= 6


def test_a_kill_leaves_what_was_written(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from playground.models.rows import record_in
rows = record_in(Path(sys.argv[1]))
for number in range(100):
    rows.add(2, number, number, number + 5, 1)
os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
"""
    assert in_another_process(script, tmp_path).returncode != 0
    assert [row.job for row in read_rows(tmp_path)] == list(range(100))


@needs_fork
def test_a_forked_process_writes_into_a_file_of_its_own_behind_the_same_object(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from playground.models.rows import record_in
rows = record_in(Path(sys.argv[1]))
rows.add(0, 1, 1, 1, 0)
pid = os.fork()
rows.add(0, 2 if pid else 3, 2 if pid else 3, 9, 0)
if pid:
    os.waitpid(pid, 0)
    rows.add(0, 4, 4, 9, 0)
    print(os.getpid(), pid)
"""
    parent, child = map(int, in_another_process(script, tmp_path).stdout.split())
    assert [(row.job, row.process) for row in read_rows(tmp_path)] == [
        (1, parent),
        (2, parent),
        (3, child),
        (4, parent),
    ]


def test_a_process_that_is_started_afresh_is_told_the_folder_by_its_environment(tmp_path: Path) -> None:
    record_in(tmp_path).add(0, 1, 1, 1, 0)
    script = "from playground.models.rows import current; current().add(0, 2, 2, 2, 0)"
    assert in_another_process(script, tmp_path).returncode == 0
    assert [row.job for row in read_rows(tmp_path)] == [1, 2]
    assert len({row.process for row in read_rows(tmp_path)}) == 2


def test_two_writers_of_one_process_do_not_share_a_file(tmp_path: Path) -> None:
    # two interpreters of one process are such a pair
    first, second = Rows(tmp_path), Rows(tmp_path)
    first.add(0, 1, 1, 1, 0)
    second.add(0, 2, 2, 2, 0)
    assert [row.job for row in read_rows(tmp_path)] == [1, 2]


def test_the_writer_is_the_same_for_who_asks_twice(tmp_path: Path) -> None:
    rows = record_in(tmp_path)
    assert current() is rows
    assert current() is rows


def test_outside_of_an_experiment_there_is_no_writer() -> None:
    message = (
        "expected to be in a process of an experiment, where rows are recorded, got a process that is none: call this "
        "from within run_apart or an experiment"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        current()


def test_a_file_that_was_not_begun_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "rows-1-0.bin").write_bytes(b"")
    (tmp_path / "rows-2-0.bin").write_bytes(bytes(200))
    assert read_rows(tmp_path) == []
    assert read_dropped(tmp_path) == 0
