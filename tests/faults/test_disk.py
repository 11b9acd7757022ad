"""A disk that is full, or a folder that takes nothing: what was at the path is whole, nothing else is left, and whoever
asked is told which path and what to do.

The disk is full by a limit that the system sets to files (it says "File too large" then); by `/dev/full`, which says
"No space left on device" as a disk does; and, where one may be mounted, by a small disk of its own.
"""

import contextlib
import errno
import json
import os
import re
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playground import Workload, compare, experiment, files
from playground import __main__ as cli
from playground.classroom import hand_out, lay_out_course
from playground.models.claims.claim import Claim, Picture
from tests.recordings import blocked_run

MOST_BYTES = 200
"""How long a file may become: less than any of ours."""

OLD = b"what was there before"
STAYS = "what was there before stays as it was: make room, or name another place"

ONLY_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such limits, devices and rights there")
pytestmark = ONLY_POSIX


@contextlib.contextmanager
def full_disk(most_bytes: int = MOST_BYTES) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def a_claim() -> Claim:
    return Claim("All is well.", "holds", "It is.", {}, [], Picture("bars", "ns", "nothing"))


def written_by() -> dict[str, Callable[[Path], object]]:
    """Everything that writes a file where somebody says."""
    trace = blocked_run()
    compared = compare({"before": trace, "after": trace})
    stacked = experiment(Workload(jobs=1, cpu_s=0, wait_s=0), models=["sequential"])
    return {
        "trace.save": trace.save,
        "trace.to_html": trace.to_html,
        "trace.to_svg": trace.to_svg,
        "trace.to_chrome": trace.to_chrome,
        "compare().to_html": compared.to_html,
        "compare().to_svg": compared.to_svg,
        "experiment().to_html": stacked.to_html,
        "experiment().to_svg": stacked.to_svg,
        "claim.to_svg": a_claim().to_svg,
    }


@pytest.fixture(scope="module")
def writers() -> dict[str, Callable[[Path], object]]:
    return written_by()


NAMES = (
    *("trace.save", "trace.to_html", "trace.to_svg", "trace.to_chrome", "claim.to_svg"),
    *("compare().to_html", "compare().to_svg", "experiment().to_html", "experiment().to_svg"),
)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_there_is_whole_when_the_disk_is_full(
    writers: dict[str, Callable[[Path], object]], name: str, tmp_path: Path
) -> None:
    path = tmp_path / "kept"
    path.write_bytes(OLD)
    with full_disk(), pytest.raises(OSError, match=re.escape(STAYS)) as caught:
        writers[name](path)
    assert caught.value.errno == errno.EFBIG
    assert caught.value.filename == str(path)
    assert str(caught.value) == f"[Errno {errno.EFBIG}] {os.strerror(errno.EFBIG)}; {STAYS}: {str(path)!r}"
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["kept"]
    writers[name](path)  # with room again
    assert path.stat().st_size > MOST_BYTES
    assert os.listdir(tmp_path) == ["kept"]


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_is_full_at_once_is_told_of_by_its_path(
    writers: dict[str, Callable[[Path], object]], name: str
) -> None:
    with pytest.raises(OSError, match=r"^\[Errno 28\] No space left on device: '/dev/full'$"):
        writers[name](Path("/dev/full"))


@pytest.mark.slow
def test_a_real_disk_that_is_full_keeps_what_was_on_it(tmp_path: Path) -> None:
    """In a name space of its own, where a mount is nobody else's and ends with the process."""
    program = (
        "import os, sys\nfrom tests.recordings import large_run\nfrom playground.trace import Trace\n"
        "large_run(3).save('run.trace')\nbefore = open('run.trace', 'rb').read()\n"
        "try:\n    large_run(3_000).save('run.trace')\nexcept OSError as error:\n    print(error)\n"
        "assert open('run.trace', 'rb').read() == before\nassert len(Trace.load('run.trace').requests) == 3\n"
        "print(os.listdir('.'))\n"
    )
    (tmp_path / "program.py").write_text(program)
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = f"mount -t tmpfs -o size=64k tmpfs {disk} && cd {disk} && exec {sys.executable} ../program.py"
    command = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"]), "sh", "-c", inside]
    tried = subprocess.run([*command[:-1], f"mount -t tmpfs tmpfs {disk}"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"no disk may be mounted here: {tried.stderr.decode().strip()}")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.stderr == ""
    assert done.stdout == f"[Errno 28] No space left on device; {STAYS}: 'run.trace'\n['run.trace']\n"


# -- commands ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_demo_says_that_its_page_could_not_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "timeline.html"
    path.write_bytes(OLD)
    with full_disk(50_000):  # less than a page, and more than the test's own output
        assert cli.main(["demo", "--html", str(path)]) == 1
    told = capsys.readouterr()
    assert "50 requests" in told.out
    assert told.err == f"playground: cannot write {path}: {os.strerror(errno.EFBIG)}; {STAYS}\n"
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["timeline.html"]


@pytest.mark.slow
def test_watch_says_which_files_it_could_not_write_and_ends_by_one(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import asyncio\nasyncio.run(asyncio.sleep(0))\n")
    (tmp_path / "run.trace").write_bytes(OLD)
    words = ["--html", "/dev/full", "--svg", "out.svg", "--save", "run.trace", "script.py"]
    command = [sys.executable, "-m", "playground", "watch", *words]
    limited = f"ulimit -f 1; exec {subprocess.list2cmdline(command)}"  # files of 512 bytes, or of 1,024
    done = subprocess.run(
        ["sh", "-c", limited], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[:2] == [
        "playground: cannot write /dev/full: No space left on device",
        f"playground: cannot write out.svg: File too large; {STAYS}",
    ]
    assert sorted(os.listdir(tmp_path)) == ["run.trace", "script.py"]


@pytest.mark.parametrize("lay_out", [hand_out, lay_out_course], ids=["students", "course"])
def test_copies_that_a_full_disk_cut_short_are_whole_or_missing_and_the_next_try_ends_them(
    lay_out: Callable[[Path, Path], object], tmp_path: Path
) -> None:
    notebooks, whole, short = tmp_path / "notebooks", tmp_path / "whole", tmp_path / "short"
    notebooks.mkdir()
    for number, length in enumerate((10, 3_000, 20)):
        cell = {"cell_type": "code", "id": "c", "metadata": {"nbgrader": {"grade": True}}, "source": "#" * length}
        text = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        (notebooks / f"0{number}_of_{length}.ipynb").write_text(text)
    lay_out(notebooks, whole)
    wanted = contents(whole)
    with full_disk(3_000), pytest.raises(OSError, match=STAYS):
        lay_out(notebooks, short)
    found = contents(short)
    assert found.items() <= wanted.items()
    assert 0 < len(found) < len(wanted)
    lay_out(notebooks, short)
    assert contents(short) == wanted
    ours = next(path for path in sorted(short.rglob("*.ipynb")))
    ours.write_bytes(OLD)  # a student's own work
    lay_out(notebooks, short)
    assert ours.read_bytes() == OLD


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- a file that is replaced ------------------------------------------------------------------------------------


def test_an_exception_and_an_interrupt_halfway_leave_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(OLD)

    def pieces(error: BaseException) -> Iterator[bytes]:
        yield bytes(100_000)
        raise error

    for error in (ValueError("no more"), KeyboardInterrupt(), OSError("not the system's")):
        with pytest.raises(type(error)) as caught:
            files.write(path, pieces(error))
        assert caught.value is error
        assert path.read_bytes() == OLD
        assert os.listdir(tmp_path) == ["kept"]


def test_who_reads_meanwhile_sees_the_old_or_the_new_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(OLD)
    seen = []

    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            yield bytes(100_000)
            seen.append(path.read_bytes())

    files.write(path, pieces())
    assert seen == [OLD] * 3
    assert path.read_bytes() == bytes(300_000)


def test_a_link_stays_a_link_and_rights_stay_as_they_were(tmp_path: Path) -> None:
    path, link = tmp_path / "kept", tmp_path / "elsewhere" / "link"
    link.parent.mkdir()
    path.write_bytes(OLD)
    path.chmod(0o640)
    link.symlink_to("../kept")
    files.write_text(link, "new")
    assert (link.is_symlink(), path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (True, "new", 0o640)
    assert os.listdir(link.parent) == ["link"]
    before = os.umask(0o027)
    try:
        files.write_text(tmp_path / "new", "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_what_is_no_plain_file_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    files.write_text(pipe, "through")
    reader.join()
    assert heard == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    shown = "import sys; from playground import files; files.write_text('/dev/stdout', 'new'); print(' and more')"
    with open(tmp_path / "out", "wb") as out:  # the name leads to a file, which others write to as well
        subprocess.run([sys.executable, "-c", shown], stdout=out, check=True)
        out.write(b"after")
    assert (tmp_path / "out").read_text().endswith("after")
    assert sorted(os.listdir(tmp_path)) == ["out", "pipe"]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "no" / "where"
    with pytest.raises(FileNotFoundError) as caught:
        files.write_text(missing, "new")
    assert str(caught.value) == f"[Errno 2] No such file or directory: {str(missing)!r}"
    with pytest.raises(IsADirectoryError) as is_folder:
        files.write_text(tmp_path, "new")
    assert str(is_folder.value) == f"[Errno 21] Is a directory: {str(tmp_path)!r}"


def test_a_file_in_a_folder_that_takes_no_other_is_written_to_and_one_that_is_shut_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept"
    path.write_bytes(OLD)
    real_open = open

    def no_new_one(name: Any, mode: str = "r", *args: Any) -> Any:
        if "x" in mode:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
        return real_open(name, mode, *args)

    monkeypatch.setitem(vars(files), "open", no_new_one)  # the tests may run as root, whom no rights keep out
    files.write_text(path, "new")
    assert path.read_text() == "new"
    with pytest.raises(PermissionError) as caught:
        files.write_text(tmp_path / "other", "new")
    assert str(caught.value) == f"[Errno 13] Permission denied: {str(tmp_path / 'other')!r}"
    assert os.listdir(tmp_path) == ["kept"]
