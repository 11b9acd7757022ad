"""Of an experiment nothing is left over, and the notebook's process is as it was: whoever is killed, and however."""

import multiprocessing
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
from playground.models import zygotes
from playground.models.apart import run_apart
from playground.models.flavours import WARMING, import_path
from tests.models.living import PATIENCE_S, ROOT, in_another_process, lives, needs_fork, needs_proc, until

pytestmark = needs_fork


@needs_proc
def test_processes_that_it_started_are_gone_when_it_has_ended(way: str) -> None:
    def start_others() -> list[int]:
        sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
        forked = multiprocessing.get_context("fork").Process(target=time.sleep, args=[600])
        forked.start()
        return [subprocess.Popen(sleeper).pid, forked.pid or 0]

    pids = run_apart(start_others, show=False).result
    assert pids
    until(lambda: not any(lives(pid) for pid in pids))


@needs_proc
def test_one_that_made_itself_independent_is_gone_too() -> None:
    def start_another() -> int:
        sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
        return subprocess.Popen(sleeper, start_new_session=True).pid

    pid = run_apart(start_another, show=False).result
    until(lambda: not lives(pid))


def test_folders_are_gone_afterwards() -> None:
    run_apart(lambda: None)
    base = zygotes.zygote("plain").base
    run_apart(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert os.listdir(base) == []


@pytest.mark.slow
@needs_proc
def test_many_experiments_leave_no_descriptor_and_no_thread(way: str) -> None:
    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    run_apart(int)
    before = held()
    for _ in range(5):
        run_apart(int)
        run_apart(lambda: os._exit(3))
    assert held() == before


@pytest.mark.slow
def test_the_notebooks_modules_stay_the_same(way: str) -> None:
    script = f"""
import os, sys
from playground.models.apart import run_apart
from playground.models.flavours import WARMING, import_path
if {way == "fresh"}:
    del os.fork
before = set(sys.modules)
run_apart(lambda: 1 / 0)
run_apart(print, "said", timeout_s=20)
print(run_apart(lambda: [object]).result, set(sys.modules) - before, before - set(sys.modules))
"""
    assert in_another_process(script) == "said\n[<class 'object'>] set() set()\n"


def test_the_second_experiment_is_forked_from_the_same_process() -> None:
    first, second = (run_apart(os.getppid).result for _ in range(2))
    assert first == second == zygotes.zygote("plain").pid


def test_a_zygote_has_one_thread() -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/task")) if sys.platform == "linux" else threading.active_count()

    assert run_apart(count).result == 1


def test_a_zygote_that_was_killed_is_replaced() -> None:
    first = run_apart(os.getppid).result
    os.kill(first, signal.SIGKILL)
    assert run_apart(os.getppid).result not in (first, os.getpid())


@pytest.mark.slow
@needs_proc
def test_zygotes_import_side_by_side_and_are_waited_for() -> None:
    zygotes.end_all()
    zygotes.warm("plain", "eventlet")
    plain, eventlet = zygotes.zygote("plain"), zygotes.zygote("eventlet")
    assert run_apart(os.getppid).result == plain.pid
    assert run_apart(os.getppid, flavour="eventlet").result == eventlet.pid
    os.kill(plain.pid, signal.SIGKILL)
    zygotes.warm("plain")
    assert run_apart(int).result == 0


def test_where_processes_cannot_be_forked_nobody_waits_for_zygotes(monkeypatch: pytest.MonkeyPatch) -> None:
    zygotes.end_all()
    monkeypatch.delattr(os, "fork")
    zygotes.warm("plain", "gevent")
    assert zygotes._started == {}


@needs_proc
def test_an_experiment_whose_zygote_is_killed_is_told_so_and_gone() -> None:
    def end_both() -> None:
        print(os.getpid(), flush=True)
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)

    told = run_apart(end_both, show=False)
    assert (told.ending, str(told.error)) == (
        "crashed",
        "Crash: killed, together with the process that it was forked from",
    )
    until(lambda: not lives(int(told.out)))


@pytest.mark.slow
@needs_proc
def test_a_process_forked_from_the_notebooks_has_zygotes_of_its_own() -> None:
    # one that multiprocessing forks from a notebook must not take the notebook's along when it ends
    script = """
import os
from playground.models.apart import run_apart
from playground.models.flavours import WARMING, import_path
first = run_apart(os.getppid).result
pid = os.fork()
if pid == 0:
    other = run_apart(os.getppid).result
    os._exit(0 if other not in (first, os.getppid()) else 1)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status), run_apart(os.getppid).result == first)
"""
    assert in_another_process(script) == "0 True\n"


@needs_proc
@pytest.mark.slow
def test_interrupts_at_any_moment_leave_nothing() -> None:
    script = """
import os, signal, threading, time
from playground.models import zygotes
from playground.models.apart import run_apart

def state():
    zygote = zygotes.zygote("plain")
    with open(f"/proc/{zygote.pid}/task/{zygote.pid}/children") as children:
        return children.read(), os.listdir(zygote.base), len(os.listdir("/proc/self/fd"))

run_apart(int)
before = state()
for number in range(30):
    timer = threading.Timer(number / 1000, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        run_apart(time.sleep, 600)
    except KeyboardInterrupt:
        timer.join()
    else:
        raise SystemExit("it was not interrupted")
deadline_s = time.monotonic() + 30
while state() != before and time.monotonic() < deadline_s:
    time.sleep(0.01)
print(state() == before, state(), run_apart(int).result)
"""
    assert in_another_process(script).startswith("True ('', [], ")


@pytest.mark.slow
@needs_proc
def test_a_killed_notebook_leaves_no_process_and_no_folder() -> None:
    script = """
import os, subprocess, sys, time
from playground.models import zygotes
from playground.models.apart import run_apart
from playground.models.flavours import WARMING, import_path

def work(base):
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    print(os.getppid(), os.getpid(), subprocess.Popen(sleeper, start_new_session=True).pid, base)
    time.sleep(600)

run_apart(work, str(zygotes.zygote("plain").base))
"""
    process = subprocess.Popen([sys.executable, "-u", "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    with process:
        assert process.stdout is not None
        *pids, base = process.stdout.readline().split()
        assert all(lives(int(pid)) for pid in pids)
        process.kill()
    until(lambda: not any(lives(int(pid)) for pid in pids))
    until(lambda: not os.path.exists(base))


@needs_proc
def test_a_killed_notebook_leaves_no_fresh_process_and_no_folder() -> None:
    script = """
import os, time
del os.fork
from playground.models.apart import run_apart
from playground.models.flavours import WARMING, import_path

def work():
    print(os.getpid(), os.environ["PLAYGROUND_ROWS"])
    time.sleep(600)

run_apart(work)
"""
    process = subprocess.Popen([sys.executable, "-u", "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    with process:
        assert process.stdout is not None
        pid, folder = process.stdout.readline().split()
        assert lives(int(pid))
        process.kill()
    until(lambda: not lives(int(pid)))
    assert not os.path.exists(folder)


@pytest.mark.slow
@needs_proc
def test_at_the_end_of_a_program_nothing_is_left() -> None:
    script = """
from playground.models import zygotes
from playground.models.apart import run_apart
from playground.models.flavours import WARMING, import_path
run_apart(int)
print(zygotes.zygote("plain").pid, zygotes.zygote("plain").base)
"""
    pid, base = in_another_process(script).split()
    assert not lives(int(pid))
    assert not os.path.exists(base)


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize("flavour", ["gevent", "eventlet"])
def test_a_flavours_library_is_in_place_there_and_not_here(way: str, flavour: Any) -> None:
    before = set(sys.modules)

    def work() -> tuple[int, int]:
        together = threading.Barrier(5)
        seen: list[int] = []

        def meet() -> None:
            together.wait()
            seen.append(len(os.listdir("/proc/self/task")))

        threads = [threading.Thread(target=meet) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(seen), max(seen)

    told = run_apart(work, flavour=flavour, timeout_s=PATIENCE_S)
    assert told.ending == "returned", told.error
    met, threads_of_the_system = told.result
    assert met == 5
    assert threads_of_the_system == (1 if way == "forked" else 2)  # a fresh one waits for the notebook's end
    assert set(sys.modules) == before


@pytest.mark.slow
def test_zygotes_that_die_at_once_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    zygotes.end_all()
    monkeypatch.setattr(zygotes, "import_path", list)  # not even the standard library
    message = (
        r"^expected a process for plain experiments that lives, got two that died as soon as they were asked for "
        r"something\. Restart the kernel; perhaps the machine has no memory left$"
    )
    with pytest.raises(ModelError, match=message):
        run_apart(int)
    monkeypatch.undo()
    assert run_apart(int).result == 0  # the next one is started anew


@pytest.mark.slow
def test_a_zygote_that_cannot_import_what_it_needs_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "trio.py").write_text("raise RuntimeError('broken')\n")
    path = [str(tmp_path), *import_path()]
    zygotes.end_all()
    monkeypatch.setattr(zygotes, "import_path", lambda: path)
    with pytest.raises(ModelError) as told:
        run_apart(int)
    first, *_, last = str(told.value).splitlines()
    assert first == (
        "expected a process for plain experiments that is ready, got one that could not import what it needs:"
    )
    assert last == "RuntimeError: broken"
    monkeypatch.undo()
    assert run_apart(int).result == 0


def test_a_students_file_does_not_stand_in_for_a_library_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "trio.py").write_text("raise RuntimeError('not the one that is meant')\n")
    zygotes.end_all()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run_apart(int).result == 0
    zygotes.end_all()


def test_a_script_that_experiments_as_a_zygote_imports_it_is_told_to_change_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(WARMING, "1")
    message = (
        "expected a library's module, got a script of yours of the same name, which makes an experiment when it is "
        "imported: give the script another name"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        run_apart(int)
