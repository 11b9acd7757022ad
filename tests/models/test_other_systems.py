"""Where the system has less than Linux, experiments run all the same, and what cannot be known is not told."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from playground.errors import ModelError
from playground.models import zygotes
from playground.models.apart import run_apart
from tests.models.living import ROOT, needs_fork

WINDOWS = """
import faulthandler, os, select, signal, socket, sys

for owner, names in (
    (os, "fork killpg register_at_fork setsid wait4 statvfs"),
    (signal, "SIGUSR2 SIGKILL SIGCHLD"),
    (select, "poll PIPE_BUF"),
    (socket, "send_fds recv_fds"),
    (faulthandler, "register"),
):
    for name in names.split():
        delattr(owner, name)
"""
"""What Windows does not have is not there, before anything of ours is imported."""

SCRIPT = """
from playground.models.apart import run_apart

def say(n):
    print("said", n)
    return n + 1

def hang():
    print("hanging", end="")
    while True:
        pass

told = run_apart(say, 1)
print(told.ending, told.result, repr(told.out), told.most_bytes)
told = run_apart(lambda: 1 / 0)
print(told.ending, told.error)
told = run_apart(hang, timeout_s=1, show=False)
print(told.ending, told.error, repr(told.out), repr(told.error.traceback))
"""

SAID = """\
said 1
returned 2 'said 1\\n' None
raised ZeroDivisionError: division by zero
timed out TimeoutError: expected an end within 1 s, got none: the process was killed 'hanging' ''
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="the other system is pretended with a shell's script")
def test_without_all_that_windows_lacks_experiments_run(tmp_path: Path) -> None:
    taskkill = tmp_path / "taskkill"  # as Windows has it: taskkill /F /T /PID number
    taskkill.write_text('#!/bin/sh\necho "$*" > "$0.called"\nkill -9 "$4"\n')
    taskkill.chmod(0o700)
    settings = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", WINDOWS + SCRIPT],
        text=True,
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=settings,
    )
    assert done.stdout == SAID, done.stderr
    assert re.fullmatch(r"/F /T /PID \d+\n", (tmp_path / "taskkill.called").read_text())


@pytest.mark.slow
@needs_fork
def test_where_there_is_no_folder_in_memory_the_one_for_scratch_files_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def none(path: str) -> os.statvfs_result:
        raise FileNotFoundError(path)

    zygotes.end_all()
    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", none)
        patch.setattr("tempfile.tempdir", str(tmp_path))
        assert run_apart(int).result == 0
        assert zygotes.zygote("plain").base.parent == tmp_path
    zygotes.end_all()
    assert os.listdir(tmp_path) == []


@needs_fork
def test_a_folder_in_memory_with_little_room_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Little:
        f_bavail = 10
        f_frsize = 4096

    monkeypatch.setattr(os, "statvfs", lambda path: Little)
    assert zygotes.scratch() == Path(tempfile.gettempdir())


@pytest.mark.parametrize("platform", ["emscripten", "wasi"])
def test_where_there_are_no_processes_it_is_said(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    message = f"expected a system with processes, got {platform}, which has none: choose models that need none"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        run_apart(int)
