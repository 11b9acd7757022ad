"""What came of the jobs that were done is there, though their process was killed before the others were."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import Workload, experiment
from playground.models.left import Left, leaving, read_left

one_after_another = pytest.mark.parametrize("name", ["sequential", "to_thread", "process_pool"])
"""With one worker all of them are."""


def ended(name: str, function: Any, *, timeout_s: float = 30.0) -> Any:
    workers = None if name in ("sequential", "asyncio_blocking") else 1
    return experiment(Workload(function, jobs=4), name, workers=workers, timeout_s=timeout_s)[name]


@pytest.mark.slow
@one_after_another
def test_results_survive_a_timeout(name: str) -> None:
    def job(number: int) -> int:
        if number == 1:
            raise ValueError("no job for me")
        while number == 3:
            time.sleep(0.01)
        return number * 10

    run = ended(name, job, timeout_s=2)
    assert run.ending == "timed out"
    assert run.results == [0, None, 20, None]
    assert [(number, str(failure)) for number, failure in run.errors.items()] == [(1, "ValueError: no job for me")]
    assert [each.error for each in run.trace.jobs if each.number == 1] == ["ValueError: no job for me"]


@pytest.mark.parametrize("name", ["sequential", "asyncio_blocking"])
def test_results_survive_a_kill(name: str) -> None:
    def job(number: int) -> str:
        if number == 2:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        return f"job {number}"

    run = ended(name, job)
    assert run.ending == "crashed"
    assert run.results == ["job 0", "job 1", None, None]


def test_a_large_result_is_not_written_while_other_jobs_go_on() -> None:
    def job(number: int) -> bytes:
        if number == 2:
            os._exit(1)
        return b"." * (100_000 if number else 100)

    run = ended("sequential", job)
    assert [None if result is None else len(result) for result in run.results] == [100, None, None, None]


def test_what_was_not_begun_has_left_nothing(tmp_path: Path) -> None:
    assert read_left(tmp_path) == []


def test_what_finds_no_room_is_not_left_and_what_is_shorter_is(tmp_path: Path) -> None:
    left = Left(tmp_path, most_bytes=20)
    for piece in (b"a" * 8, b"b" * 5, b"c" * 4, b"d"):
        left.leave(piece)
    assert read_left(tmp_path) == [b"a" * 8, b"c" * 4]


def test_a_piece_is_there_as_soon_as_it_is_left(tmp_path: Path) -> None:
    with leaving(tmp_path) as left:
        for number in range(1, 4):
            left.leave(b"." * number)
            assert [len(piece) for piece in read_left(tmp_path)] == list(range(1, number + 1))


def test_a_file_that_is_full_to_its_end_is_read_to_its_end(tmp_path: Path) -> None:
    Left(tmp_path, most_bytes=8).leave(b"full")
    assert read_left(tmp_path) == [b"full"]


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.integers(0, 500))
def test_a_piece_whose_length_was_not_written_is_none_and_those_before_it_are_there(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], killed_at: int
) -> None:
    """Its writer was killed: what comes from there on is not there."""
    folder = tmp_path_factory.mktemp("left")
    left = Left(folder, most_bytes=1000)
    starts: list[int] = []
    for piece in pieces:
        starts.append(4 * len(starts) + len(b"".join(pieces[: len(starts)])))
        left.leave(piece)
    at = next((start for start in starts if start >= killed_at), None)
    if at is not None:
        left._map[at : at + 4] = bytes(4)
    assert read_left(folder) == [piece for piece, start in zip(pieces, starts, strict=True) if at is None or start < at]
