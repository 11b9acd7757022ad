"""What is left out of the count of lines has its reason beside it, and the count can fail."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests import covered

PRAGMA = re.compile(r"#\s*pragma:? *no *cover(?P<rest>.*)", re.IGNORECASE)


def left_out() -> list[tuple[str, str]]:
    """Each line under `playground/` that is left out, and what is said beside that."""
    found = []
    for path in sorted(covered.HOUSE.rglob("*.py")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if match := PRAGMA.search(line):
                found.append((f"{path.relative_to(covered.ROOT)}:{number}", match["rest"]))
    return found


def test_each_line_that_is_not_counted_says_why_in_brackets() -> None:
    reasons = left_out()
    assert [where for where, rest in reasons if not re.fullmatch(r" \(\w.{9,}\)", rest)] == []


def test_nothing_is_left_out_but_by_a_line_that_says_why() -> None:
    settings = tomllib.loads(Path(covered.CONFIG).read_text("utf-8"))["tool"]["coverage"]
    assert settings["report"] == {"fail_under": 97, "precision": 2}
    assert not {"omit", "include", "source", "source_dirs"} & set(settings["run"])


def test_rooms_are_summed_and_too_small_a_share_is_told() -> None:
    counted = {"lab.py": (10, 1), "web/a.py": (20, 0), "web/b/c.py": (70, 3)}
    rooms = covered.by_room([covered.Count(name, *numbers) for name, numbers in counted.items()])
    assert covered.table(rooms).splitlines() == [
        "                   lines  not run      run",
        "(its own modules)     10        1   90.00%",
        "web/                  90        3   96.67%",
        "playground/          100        4   96.00%",
    ]
    assert covered.missed(rooms[-1].share, 0.96) is None
    words = "expected at least 97% of the lines of playground/ to run, got 96.00%"
    assert covered.missed(rooms[-1].share, 0.97) == words


PROGRAM = """
import os, subprocess, sys
if os.fork() == 0:
    import playground.functions
    os._exit(0)
os.wait()
subprocess.run([sys.executable, "-c", "import playground.code"], check=True)
"""


@pytest.mark.slow
def test_what_a_forked_process_and_a_started_one_run_counts(tmp_path: Path) -> None:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    surroundings["COVERAGE_FILE"] = str(tmp_path / ".coverage")
    script = tmp_path / "program.py"
    script.write_text(PROGRAM, "utf-8")
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={covered.CONFIG}", str(script)]
    subprocess.run(command, env=surroundings, cwd=covered.ROOT, check=True)
    names = ["functions.py", "code.py", "sweep.py"]
    with covered.combined([tmp_path]) as coverage:
        counts = covered.counts(coverage, [covered.HOUSE / name for name in names])
    assert [one.missing < one.lines for one in counts] == [True, True, False]
