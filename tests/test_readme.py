"""The README's code does what the README says."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from playground import App, Lab

README = Path(__file__).parent.parent / "README.md"
FIRST, HOUR, PICTURES, WATCHED, WAYS, TESTS = re.findall(
    r"^```python\n(.+?)^```$", README.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
)


def test_the_first_code_finds_the_call_that_blocks(tmp_path: Path) -> None:
    code = FIRST
    script = tmp_path / "first.py"
    script.write_text(code, encoding="utf-8")
    names = runpy.run_path(str(script))
    with names["lab"]:
        (finding,) = names["run"].diagnosis
    line = 1 + next(at for at, text in enumerate(code.splitlines()) if "time.sleep(0.2)" in text)
    assert "`time.sleep(0.2)` on the loop" in str(finding)
    assert re.search(rf"first\.py, line {line}\b", str(finding))
    assert [response.status_code for response in names["run"].responses] == [200] * 50


@pytest.mark.slow
def test_an_hour_of_traffic_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hour.py").write_text(HOUR, encoding="utf-8")
    runpy.run_path(str(tmp_path / "hour.py"))
    assert re.match(r"1 h · 1[78],\d{3} requests \(median \d+ ms, longest [\d.]+ m?s\)", capsys.readouterr().out)


def test_every_other_picture_is_the_value_of_a_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first.py").write_text(FIRST, encoding="utf-8")
    names = runpy.run_path("first.py")
    cells = [ast.unparse(line) for line in ast.parse(PICTURES).body if isinstance(line, ast.Expr)]
    with names["lab"]:
        exec(PICTURES, names)
        kinds = [type(eval(cell, names)).__name__ for cell in cells]
    assert kinds == ["Theatre", "Waterfall", "SideBySide", "LiveTimeline", "Panel", "NoneType"]
    assert "<html" in (tmp_path / "run.html").read_text("utf-8")


def test_what_is_no_web_app_is_watched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "watched.py").write_text(WATCHED, encoding="utf-8")
    runpy.run_path(str(tmp_path / "watched.py"))
    assert re.fullmatch(r"\d tasks, \d+ steps\n", capsys.readouterr().out)


@pytest.mark.slow
def test_the_same_jobs_in_four_ways_are_told_by_what_overlapped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ways.py").write_text(WAYS, encoding="utf-8")
    names = runpy.run_path(str(tmp_path / "ways.py"))
    told = capsys.readouterr().out.splitlines()
    assert (
        [line.split()[0] for line in told] == ["sequential", "threads", "processes", "asyncio"] == list(names["ways"])
    )
    assert {name: run.max_overlap > 1 for name, run in names["ways"].items()} == {
        "sequential": False,
        "threads": True,
        "processes": True,
        "asyncio": True,
    }


@pytest.mark.slow
def test_the_example_suite_passes(tmp_path: Path) -> None:
    (tmp_path / "test_reports.py").write_text(TESTS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_reports.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"\b2 passed\b", done.stdout), done.stdout + done.stderr


def test_every_name_of_the_reference_is_there() -> None:
    reference = README.read_text("utf-8").split("## What there is to use")[1].split("\n## ")[0]
    cells = [row.split("|")[1] for row in reference.splitlines() if row.startswith("| `")]
    with Lab(App()) as lab:
        run = lab.burst("/", n=1)
        things = {"lab": lab, "run": run, "trace": run.trace, "Trace": type(run.trace)}
        offered = [(thing, name) for cell in cells for thing, name in named(cell)]
        missing = [f"{thing}.{name}" for thing, name in offered if not hasattr(things[thing], name)]
    assert len(offered) > 25
    assert missing == []


def named(cell: str) -> list[tuple[str, str]]:
    """`lab.get(path)`, `.post` as lab's get and lab's post."""
    found: list[tuple[str, str]] = []
    for thing, name in re.findall(r"`(?!playground)(\w*)\.(\w+)", cell):
        found.append((thing or found[-1][0], name))
    return found
