"""Experiments of a notebook: what they say appears in the cell that asked, and nothing of them outlives the kernel."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.living import lives, needs_fork, needs_proc, until
from tests.notebooks.kernel import How, Kernel, separate_kernel

pytestmark = [pytest.mark.slow, needs_fork, needs_proc]

SETUP = """
import os, subprocess, sys, threading, time
from playground.models.apart import run_apart

def hang():
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    print(os.getppid(), os.getpid(), subprocess.Popen(sleeper, start_new_session=True).pid, end="", flush=True)
    print(" hanging")
    while True:
        pass
"""


@pytest.fixture
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with separate_kernel(tmp_path_factory) as kernel:
        assert kernel.run(SETUP) == ""
        yield kernel


def test_what_is_printed_appears_in_its_cell_live_and_in_order(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    monkeypatch.setattr(kernel, "interrupt", lambda how: seen.touch())  # it goes on when it was heard here
    cell = kernel.cell(
        f"""
def say():
    print("one")
    print("two", file=sys.stderr)
    print("three")
    while not os.path.exists({str(seen)!r}):
        time.sleep(0.001)
    print("four")

run_apart(say).ending
""",
        interrupt_at="three",
    )
    assert [(said["name"], said["text"]) for _, said in cell.of_type("stream")] == [
        *(("stdout", "one\n"), ("stderr", "two\n"), ("stdout", "three\n"), ("stdout", "four\n")),
    ], cell.error


def test_an_error_names_the_cells_and_their_lines(kernel: Kernel) -> None:
    kernel.run("def helper(n):\n    return 1 / n")
    kernel.run("def work(n):\n    return helper(n)")
    cell = kernel.cell("raise run_apart(work, 0).error.exception()")
    assert cell.said == "ZeroDivisionError: division by zero\n" + cell.said.partition("\n")[2]
    note = cell.error[cell.error.index("In the experiment's process:") :]
    assert '  File "cell 3", line 2, in work\n    return helper(n)\n' in note
    assert '  File "cell 2", line 2, in helper\n    return 1 / n\n' in note
    assert "playground" not in note


def test_classes_of_cells_travel_there_and_back(kernel: Kernel) -> None:
    kernel.run("class Job:\n    def __init__(self, n):\n        self.n = n")
    assert kernel.run("print(type(run_apart(lambda job: Job(job.n + 1), Job(3)).result) is Job)") == "True\n"


def test_the_kernels_modules_stay_the_same(kernel: Kernel) -> None:
    said = kernel.run(
        """
before = set(sys.modules)
endings = [run_apart(lambda: 1, flavour=flavour).ending for flavour in ("plain", "gevent", "eventlet")]
print(endings, set(sys.modules) ^ before)
"""
    )
    assert said == "['returned', 'returned', 'returned'] set()\n"


@pytest.mark.parametrize("how", ["signal", "message"])
def test_an_interrupt_leaves_no_process_and_the_next_experiment_runs(kernel: Kernel, how: How) -> None:
    for _ in range(3):
        cell = kernel.cell("run_apart(hang)", interrupt_at="hanging", how=how)
        assert "KeyboardInterrupt: the experiment's process was killed" in cell.said
        _, *pids = map(int, cell.said.split(" hanging")[0].split())
        assert len(pids) == 2
        gone(pids)
    assert kernel.run("print(run_apart(lambda: 42).result)") == "42\n"


def gone(pids: list[int]) -> None:
    until(lambda: not any(map(lives, pids)))


def begun(kernel: Kernel) -> list[int]:
    """The processes of an experiment that a thread has asked for: its zygote's, its own, and one that it started."""
    kernel.run("threading.Thread(target=run_apart, args=[hang]).start()")
    said = ""
    while "hanging" not in said:
        said += kernel.run("time.sleep(0.05)")
    pids = [int(word) for word in said.split(" hanging")[0].split()]
    assert len(pids) == 3
    assert all(map(lives, pids))
    return pids


def test_a_restart_leaves_no_process(kernel: Kernel) -> None:
    pids = begun(kernel)
    kernel.manager.shutdown_kernel(restart=True)
    gone(pids)


def test_a_kernel_that_is_killed_leaves_no_process(kernel: Kernel) -> None:
    pids = begun(kernel)
    os.kill(kernel.pid, signal.SIGKILL)
    gone(pids)


def test_a_kernel_that_is_asked_to_end_while_a_thread_experiments_leaves_no_process(kernel: Kernel) -> None:
    pids = begun(kernel)
    kernel.manager.shutdown_kernel(now=False)
    gone(pids)
