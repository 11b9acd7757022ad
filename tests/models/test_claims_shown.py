"""How much of a claim has been measured: a child tells it, whoever waits shows it, and then line and file are gone."""

from pathlib import Path

import pytest

from playground import progress
from playground.models.claims import long_waits, shown, threads_and_processes, web_benchmark
from playground.models.claims.away import away
from playground.models.claims.shown import Measuring, Tell


class Line:
    """What was written on it; cleared is `None`."""

    def __init__(self) -> None:
        self.written: list[str | None] = []

    def write(self, text: str) -> None:
        self.written.append(text)

    def clear(self) -> None:
        self.written.append(None)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    """A line that is written at once, and each time."""
    found = Line()
    monkeypatch.setattr(progress, "_line", lambda: found)
    monkeypatch.setattr(progress, "_SILENT_S", 0.0)
    monkeypatch.setattr(shown, "_EVERY_S", 0.0)
    return found


def measure(count: int, tell: Tell) -> int:
    for _ in range(count):
        tell()
    return count


def test_what_a_child_tells_is_shown_and_nothing_is_left(line: Line) -> None:
    with Measuring(8) as measuring:
        assert away(measure, 6, measuring.tell, timeout_s=30.0) == 6
        measuring.look()
        assert Path(measuring.tell.path).exists()
    bar = "█" * 22 + "░" * 8  # three quarters of thirty, the half to the even
    assert line.written == [f"{bar}  75%  6 of 8 measurements done", None]
    assert not Path(measuring.tell.path).exists()


def test_nothing_is_left_where_measuring_was_broken_off(line: Line) -> None:
    measuring = Measuring(8)

    def broken_off() -> None:
        with measuring:
            measuring.one_more()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert line.written[1:] == [None]
    assert not Path(measuring.tell.path).exists()


def test_it_is_written_anew_only_now_and_then(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "_EVERY_S", 3600.0)
    with Measuring(8) as measuring:
        for _ in range(8):
            measuring.one_more()
    assert line.written == []


def counts(line: Line, total: int) -> list[int]:
    """What the line said was done, each time, of so many in all."""
    assert line.written[-1] is None
    said = [each.split("%  ")[1] for each in line.written[:-1] if each is not None]
    assert {each.split(" of ")[1] for each in said} == {f"{total} measurements done"}
    return [int(each.split(" of ")[0]) for each in said]


@pytest.mark.slow
def test_long_waits_show_how_far_they_have_got(line: Line) -> None:
    long_waits(jobs=2, cpu_s=0.0002, waits_s=(0, 0.1), rounds=3)
    done = counts(line, 12)
    assert done == sorted(done)
    assert 0 < done[-1] <= 12


def test_threads_and_processes_show_how_far_they_have_got(line: Line) -> None:
    threads_and_processes(jobs=2, cpu_s=0.001, wait_s=0.001, rounds=2)
    assert counts(line, 12) == list(range(1, 13))


@pytest.mark.slow
def test_the_web_benchmark_shows_how_far_it_has_got(line: Line) -> None:
    web_benchmark(["playground"], rounds=8, seconds=0.02, at_once=4)
    done = counts(line, 8 * 4 + 1)
    assert done == sorted(done)
    assert 0 < done[-1] <= 33
