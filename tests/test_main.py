"""The command line: what it accepts, what it passes on, and how it ends."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from argparse import Namespace
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from playground import Trace, TraceError
from playground import __main__ as cli
from playground.views.text import report
from tests.jupyterlab import running_lab
from tests.recordings import blocked_run

FIRST = "00_start_here.ipynb"
NOTHING = '{"cells": []}'


def clone(root: Path) -> Path:
    """A pretended clone below `root`; returns its package."""
    for folder in ("notebooks", "playground"):
        (root / folder).mkdir()
    (root / "pyproject.toml").touch()
    (root / "notebooks" / FIRST).write_text(NOTHING)
    return root / "playground"


def installed(root: Path, **notebooks: str) -> Path:
    """A pretended installed package with these notebooks in it."""
    package = root / "site-packages" / "playground"
    (package / "_notebooks").mkdir(parents=True)
    for name, text in notebooks.items():
        (package / "_notebooks" / f"{name}.ipynb").write_text(text)
    return package


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"playground {version('playground')}\n"


def test_python_m_playground_is_the_same_command() -> None:
    command = [sys.executable, "-W", "error", "-m", "playground", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == (f"playground {version('playground')}\n", "")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "playground: error: the following arguments are required: command"),
        (["demo", "--htm", "x"], "playground: error: unrecognized arguments: --htm x"),
        (["demo", "--no-html", "--html", "x"], "argument --html: not allowed with argument --no-html"),
        (["lab", "--port", "eighty"], "argument --port: invalid int value: 'eighty'"),
    ],
)
def test_wrong_words_end_with_2_and_say_which(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main(words)
    assert capsys.readouterr().err.splitlines()[-1].endswith(complaint)


def test_lab_opens_the_first_notebook_and_passes_the_rest_on() -> None:
    options = Namespace(no_browser=True, port=9000)
    assert cli.jupyter_arguments(options, ["--collaborative"], Path("/n"), root=False) == [
        "--ServerApp.root_dir=/n",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        "--ServerApp.port=9000",
        "--no-browser",
        "--collaborative",
    ]


def test_an_option_given_to_jupyter_replaces_ours() -> None:
    options = Namespace(no_browser=False, port=None)
    assert cli.jupyter_arguments(options, ["--ServerApp.root_dir=/mine"], Path("/n"), root=False) == [
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        "--ServerApp.root_dir=/mine",
    ]


def test_lab_leaves_browser_and_port_to_jupyter_and_lets_root_in() -> None:
    options = Namespace(no_browser=False, port=None)
    assert cli.jupyter_arguments(options, [], Path("/n"), root=True) == [
        "--ServerApp.root_dir=/n",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        "--allow-root",
    ]


def test_a_clone_opens_copies_where_git_ignores_them(tmp_path: Path) -> None:
    package = clone(tmp_path)
    assert cli.originals(package) == tmp_path / "notebooks"
    assert cli.notebooks_folder(package, tmp_path / "elsewhere") == tmp_path / "build" / "notebooks"
    assert "build/" in (Path(__file__).parent.parent / ".gitignore").read_text("utf-8").splitlines()


def test_an_installed_package_opens_copies_below_the_folder_that_one_is_in(tmp_path: Path) -> None:
    package = installed(tmp_path)
    assert cli.originals(package) == package / "_notebooks"
    assert cli.notebooks_folder(package, tmp_path) == tmp_path / "playground-notebooks"


def test_a_copy_that_cannot_be_made_is_said_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "PACKAGE", installed(tmp_path, first=NOTHING))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "playground-notebooks").write_text("a file where the folder should be")
    assert cli.main(["lab"]) == 1
    assert capsys.readouterr().err == (f"playground: cannot write {tmp_path}/playground-notebooks: File exists\n")


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """Pretend that these modules are not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))


def test_lab_without_jupyterlab_names_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jupyterlab" else name)
    monkeypatch.setattr(cli, "PACKAGE", clone(tmp_path))
    monkeypatch.setattr(sys, "executable", "/venv/bin/python")
    assert cli.main(["lab"]) == 1
    assert capsys.readouterr().err == (
        "playground: `playground lab` opens JupyterLab, which /venv/bin/python does not have. Install it:\n\n"
        f"    cd {tmp_path} && /venv/bin/python -m pip install -c binder/requirements.txt -e '.[lab]'\n"
    )


def test_the_python_of_a_cells_command_line_is_the_one_that_the_cell_runs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[str] = []

    class LabApp:
        @staticmethod
        def launch_instance(arguments: Sequence[str]) -> None:
            paths.append(os.environ["PATH"])

    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", SimpleNamespace(LabApp=LabApp))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(cli, "PACKAGE", clone(tmp_path))
    monkeypatch.setattr(sys, "executable", "/clone/.venv/bin/python")
    for name, value in (("PATH", "/usr/bin"), ("JUPYTER_PATH", ""), ("JUPYTER_CONFIG_PATH", "")):
        monkeypatch.setenv(name, value)
    assert cli.main(["lab"]) == 0
    assert paths == [os.pathsep.join(["/clone/.venv/bin", "/usr/bin"])]
    assert (tmp_path / "build" / "notebooks" / FIRST).is_file()


def test_lab_on_another_folder_makes_no_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Sequence[str]] = []
    lab_app = SimpleNamespace(launch_instance=opened.append)
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", SimpleNamespace(LabApp=lab_app))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(cli, "PACKAGE", clone(tmp_path))
    for name in ("PATH", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(name, "")
    assert cli.main(["lab", "--ServerApp.root_dir=notebooks"]) == 0
    assert "--ServerApp.root_dir=notebooks" in opened[0]
    assert not (tmp_path / "build").exists()


def test_lab_in_an_environment_without_pip_names_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "pip")
    assert cli.missing_jupyterlab(installed(tmp_path), "/my venv/bin/python") == (
        "`playground lab` opens JupyterLab, which /my venv/bin/python does not have. Install it:\n\n"
        "    uv pip install --python '/my venv/bin/python' jupyterlab ipykernel"
    )


def test_demo_prints_the_findings_and_writes_a_page_that_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo"]) == 0
    printed = capsys.readouterr().out
    assert "time.sleep(0.2)" in printed
    assert "demo.py" in printed
    page = (tmp_path / "timeline.html").read_text("utf-8")
    assert re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//[^"'\s>]+|@import|url\(\s*["']?http""", page) == []


def test_demo_writes_no_page_when_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo", "--no-html"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_demo_that_cannot_write_its_page_says_so_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "missing" / "page.html"
    assert cli.main(["demo", "--html", str(page)]) == 1
    assert capsys.readouterr().err == f"playground: cannot write {page}: No such file or directory\n"


# -- summary ----------------------------------------------------------------------------------------------------


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    blocked_run().save(tmp_path / "run.trace")
    return tmp_path / "run.trace"


def test_summary_tells_what_is_in_a_recording(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["summary", str(recording)]) == 0
    width = shutil.get_terminal_size((100, 24)).columns
    assert capsys.readouterr().out == f"{report(blocked_run(), width=width)}\n"


def test_summary_tells_programs_in_json(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["summary", "--json", str(recording)]) == 0
    told, trace = json.loads(capsys.readouterr().out), blocked_run()
    assert [found.pop("sentence") for found in told["findings"]] == [str(found) for found in trace.diagnosis]
    assert told.pop("findings")[0]["rule"] == "loop-blocked"
    assert told == {
        "title": "Run 1",
        "clock": "real",
        "duration_ns": trace.duration_ns,
        "dropped": 0,
        "requests": 62,
        "tasks": len(trace.tasks),
        "steps": len(trace.steps),
        "handoffs": 14,
        "summary": trace.summary,
    }


def test_summary_of_what_is_no_recording_says_so_and_ends_with_1(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = recording.read_bytes()
    foreign, cut, missing = tmp_path / "notes.txt", tmp_path / "cut.trace", tmp_path / "missing.trace"
    foreign.write_text("Dear diary,")
    cut.write_bytes(whole[: len(whole) // 2])
    said = []
    for file in (foreign, cut, missing, tmp_path):
        assert cli.main(["summary", str(file)]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith(f"playground: cannot read {file}: ")
        said.append(printed.err.removeprefix(f"playground: cannot read {file}: "))
    assert said == [
        f"{refused(foreign)}\n",
        f"{refused(cut)}\n",
        "No such file or directory\n",
        "Is a directory\n",
    ]
    assert len(set(said)) == 4


def refused(file: Path) -> str:
    """What `Trace.load` says of a file."""
    with pytest.raises(TraceError) as error:
        Trace.load(file)
    return str(error.value)


def test_summary_into_a_pipe_that_closes_early_ends_quietly(recording: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-W", "error", "-m", "playground", "summary", str(recording)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_summary_on_a_terminal_without_blocks_shows_something_for_them(recording: Path) -> None:
    command = [sys.executable, "-m", "playground", "summary", str(recording)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("Run 1: ")
    assert "?" in done.stdout


@pytest.mark.slow
def test_lab_serves_the_first_notebook_and_asks_about_no_news(jupyter_folders: Path) -> None:
    with running_lab() as address:
        assert f"/lab/tree/{FIRST}?token=" in address
        with urllib.request.urlopen(address, timeout=30) as response:
            page = response.read().decode()
    (disabled,) = re.findall(r'"disabledExtensions": (\[[^]]*\]|\{[^}]*\})', page)
    assert "@jupyterlab/apputils-extension:announcements" in disabled
    assert "@jupyter/nbgrader" in disabled  # a teacher's, and here because the tests need it
    assert os.listdir(jupyter_folders / "jupyter_config_dir") in ([], ["migrated"])
