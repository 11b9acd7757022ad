"""A function in a process of its own: what it returns, prints, records and costs, however it ends."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from playground.errors import ModelError
from playground.models import apart as module
from playground.models import zygotes
from playground.models.apart import run_apart
from tests.models.living import PATIENCE_S, needs_fork

pytestmark = needs_fork


def test_a_function_is_called_in_another_process(way: str) -> None:
    ours = os.getpid()

    def work(a: int, b: int) -> tuple[int, bool]:
        return a * b, os.getpid() != ours

    told = run_apart(work, 6, 7)
    assert (told.ending, told.result, told.error) == ("returned", (42, True), None)
    assert told.wall_s >= 0
    assert told.overhead_s > 0


def test_it_has_a_session_of_its_own_and_an_empty_input(way: str) -> None:
    told = run_apart(lambda: (os.getsid(0), os.getpid(), sys.stdin.read()))
    session, process, said = told.result
    assert session == process != os.getsid(0)
    assert said == ""


def test_a_crash_leaves_no_file_in_the_notebooks_folder() -> None:
    def room_for_a_dump() -> int:
        import resource

        return resource.getrlimit(resource.RLIMIT_CORE)[0]

    assert run_apart(room_for_a_dump).result == 0


def test_it_is_where_the_notebook_is(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "helpers_of_mine.py").write_text("def double(n):\n    return 2 * n\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MINE", "yes")

    def work() -> tuple[str, str | None, int]:
        import helpers_of_mine  # type: ignore[import-not-found]

        return os.getcwd(), os.environ.get("MINE"), helpers_of_mine.double(4)

    assert run_apart(work).result == (str(tmp_path), "yes", 8)
    monkeypatch.delenv("MINE")
    assert run_apart(lambda: os.environ.get("MINE")).result is None


def test_an_error_is_told_and_can_be_raised_again(way: str) -> None:
    def boom(n: int) -> float:
        return 1 / n

    told = run_apart(boom, 0)
    assert told.ending == "raised"
    assert told.error is not None
    assert str(told.error) == "ZeroDivisionError: division by zero"
    assert f'File "{os.path.relpath(__file__)}", line ' in told.error.traceback
    assert "return 1 / n" in told.error.traceback
    assert "playground/models" not in told.error.traceback
    with pytest.raises(ZeroDivisionError, match=r"^division by zero\nIn the experiment's process:"):
        raise told.error.exception()


def test_an_exit_is_an_error(way: str) -> None:
    told = run_apart(lambda: sys.exit("enough"))
    assert (told.ending, str(told.error)) == ("raised", "SystemExit: enough")


def test_an_interrupt_of_the_process_is_told(way: str) -> None:
    def interrupted() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(PATIENCE_S)

    assert run_apart(interrupted).ending == "interrupted"


def test_what_is_printed_is_shown_and_kept(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    def say() -> None:
        print("one")
        print("two", file=sys.stderr)
        print("three", end="")

    told = run_apart(say)
    assert (told.out, told.err) == ("one\nthree", "two\n")
    assert capsys.readouterr() == ("one\nthree", "two\n")
    assert run_apart(say, show=False).out == "one\nthree"
    assert capsys.readouterr() == ("", "")


def test_what_programs_write_is_heard_too(way: str) -> None:
    told = run_apart(lambda: subprocess.run([sys.executable, "-c", "print('from afar')"], check=True), show=False)
    assert told.out == "from afar\n"


def test_what_is_printed_is_shown_while_it_runs(monkeypatch: pytest.MonkeyPatch, way: str, tmp_path: Path) -> None:
    class Screen:
        """It lets the process go on only when what it said was shown."""

        def write(self, text: str) -> None:
            if text == "ready\n":
                (tmp_path / "seen").touch()

        def flush(self) -> None:
            """Nothing is held back."""

    def say(seen: str) -> bool:
        print("ready")
        while not os.path.exists(seen):
            time.sleep(0.001)
        return True

    monkeypatch.setattr(sys, "stdout", Screen())
    assert run_apart(say, str(tmp_path / "seen"), timeout_s=PATIENCE_S).result is True


def test_more_output_than_a_notebook_bears_is_left_out(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OUTPUT_BYTES", 100_000)

    def chatter() -> None:
        for _ in range(300):
            print("x" * 999)

    told = run_apart(chatter, show=False)
    assert len(told.out) == 100_000
    assert told.err == "\n[0.1 MB of output are kept; 200,000 bytes more were printed]\n"


@pytest.mark.slow
def test_a_timeout_ends_it_and_keeps_what_was(way: str) -> None:
    def spin() -> None:
        from playground.models.rows import current

        current().add(3, 1, 10, 20, 5)
        print("begun")
        print("not ended", end="")
        while True:
            pass

    told = run_apart(spin, timeout_s=1.0, show=False)
    assert told.ending == "timed out"
    assert told.error is not None
    assert str(told.error) == "TimeoutError: expected an end within 1 s, got none: the process was killed"
    assert told.error.traceback.startswith("Where it was (most recent call last):\n")
    assert re.search(r"line \d+, in spin\n    (while True:|pass)\n$", told.error.traceback)
    assert told.out == "begun\nnot ended"
    assert [(row.kind, row.job) for row in told.rows] == [(3, 1)]


def test_a_crash_is_told_in_words_with_the_line(way: str) -> None:
    def crash() -> None:
        from playground.models.rows import current

        current().add(3, 1, 10, 20, 5)
        os.kill(os.getpid(), signal.SIGSEGV)

    told = run_apart(crash)
    assert (told.ending, str(told.error)) == ("crashed", "Crash: killed by SIGSEGV")
    assert told.error is not None
    assert told.error.traceback.endswith("in crash\n    os.kill(os.getpid(), signal.SIGSEGV)\n")
    assert len(told.rows) == 1


def test_a_process_that_ends_itself_is_told(way: str) -> None:
    told = run_apart(lambda: os._exit(3))
    assert told.ending == "crashed"
    assert str(told.error) == "Crash: ended by itself before the function returned, as os._exit(3) does"


def test_a_kill_from_outside_is_told(way: str) -> None:
    told = run_apart(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert str(told.error) == (
        "Crash: killed by SIGKILL, and not by its timeout: by somebody else, or by the system for want of memory"
    )


def test_a_file_system_that_is_full_is_thought_of() -> None:
    told = run_apart(lambda: os.kill(os.getpid(), signal.SIGBUS))
    assert str(told.error) == "Crash: killed by SIGBUS: perhaps the file system is full that holds what was recorded"


def test_a_process_that_is_too_slow_to_begin_has_timed_out(way: str) -> None:
    assert run_apart(time.sleep, 600, timeout_s=0.0).ending == "timed out"


def test_a_result_that_cannot_travel_is_an_error(way: str) -> None:
    told = run_apart(threading.Lock)
    assert told.ending == "raised"
    assert told.error is not None
    assert told.error.message.startswith("expected a result that can be sent back to the notebook's process, got one")


def test_a_result_for_which_there_is_no_room_is_an_error(way: str) -> None:
    def much() -> bytes:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        return bytes(100_000)

    told = run_apart(much)
    assert told.ending == "raised"
    assert told.error is not None
    assert re.fullmatch(
        r"expected room for the result in \S+, got none: File too large\. Return less", told.error.message
    )


def test_what_cannot_be_opened_there_is_an_error(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fleeting.py").write_text("def work():\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import fleeting  # type: ignore[import-not-found]

    (tmp_path / "fleeting.py").write_text("1 / 0\n")
    told = run_apart(fleeting.work)
    assert (told.ending, str(told.error)) == ("raised", "ZeroDivisionError: division by zero")


def test_a_pool_of_the_students_own_finds_its_functions() -> None:
    code = """
def square(n):
    return n * n

def pool():
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as executor:
        return list(executor.map(square, range(4)))
"""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(code, names)
    told = run_apart(names["pool"])
    assert told.result == [0, 1, 4, 9], told.error


def test_rows_of_its_processes_are_among_its_own(way: str) -> None:
    def work() -> int:
        from playground.models.rows import current

        current().add(0, 1, 1, 2, 0)
        subprocess.run(
            [sys.executable, "-c", "from playground.models.rows import current; current().add(0, 2, 2, 3, 0)"],
            check=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        return os.getpid()

    told = run_apart(work)
    assert [row.job for row in told.rows] == [1, 2], told.error
    assert told.rows[0].process == told.result != told.rows[1].process
    assert told.dropped == 0


def test_what_it_cost_is_told() -> None:
    def work() -> int:
        kept = bytearray(80_000_000)
        until_s = time.process_time() + 0.1
        while time.process_time() < until_s:
            pass
        return len(kept)

    told = run_apart(work)
    assert told.cpu_s is not None
    assert told.cpu_s >= 0.1
    assert told.most_bytes is not None
    assert told.most_bytes > 80_000_000
    assert told.wall_s >= 0.1


def test_where_it_cannot_be_measured_no_memory_is_told(way: str) -> None:
    if way == "fresh":
        assert run_apart(lambda: None).most_bytes is None


def test_two_threads_may_ask_at_once(way: str, tmp_path: Path) -> None:
    def meet(mine: str, others: str) -> str:
        Path(mine).touch()
        while not os.path.exists(others):
            time.sleep(0.001)
        return mine

    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    results: list[Any] = []
    asking = [
        threading.Thread(target=lambda pair=pair: results.append(run_apart(meet, *pair, timeout_s=PATIENCE_S).result))
        for pair in ((first, second), (second, first))
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert sorted(results) == [first, second]


def test_a_missing_library_names_the_extra(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    zygotes.end_all()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    message = "expected gevent to be installed, got none: run pip install 'playground[models]', or leave the model out"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        run_apart(int, flavour="gevent")
