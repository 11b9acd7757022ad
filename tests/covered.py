"""`python -m tests.covered`: run the tests, tell which lines of `playground/` none of them ran, and fail below 97 %.

Every process counts that the tests start: pytest's own two, kernels, JupyterLab's servers, zygotes and what they fork,
`python -m playground ...`. What is measured, what is left out and for which reason stands in `pyproject.toml`, or
beside the line; the least that will do is `fail_under` there.

Some lines are for one Python only. So a run can keep what it measured, and another Python's run add it to its own:

    .venv-3.11/bin/python -m tests.covered --data build/covered-3.11
    .venv-3.13/bin/python -m tests.covered --with build/covered-3.11

It refuses to know what a good test is: a line that ran is no line that was held to anything.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coverage import Coverage

ROOT: Final = Path(__file__).parent.parent
HOUSE: Final = ROOT / "playground"
CONFIG: Final = str(ROOT / "pyproject.toml")


@dataclass(frozen=True)
class Count:
    """Lines of one place that could run, and those that did not; `numbers` names these, as in `3-5, 9`."""

    name: str
    lines: int
    missing: int
    numbers: str = ""

    @property
    def share(self) -> float:
        return 1 - self.missing / self.lines if self.lines else 1.0


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.covered", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="keep here what each process measured")
    parser.add_argument(
        "--with", type=Path, action="append", default=[], dest="others", metavar="FOLDER", help="add an earlier run's"
    )
    parser.add_argument("--no-run", action="store_true", help="run nothing: only tell what --with measured")
    parser.add_argument("pytest", nargs="*", help="what pytest is told, after `--`: by default, to run everything")
    return parser.parse_args(arguments)


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """Where processes put what they measured, with nothing of an earlier run in it."""
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="covered-") as name:
            yield Path(name)
        return
    kept.mkdir(parents=True, exist_ok=True)
    for old in kept.glob(".coverage*"):
        old.unlink()
    yield kept.resolve()


def run_tests(folder: Path, arguments: list[str]) -> int:
    """Run pytest so that each process leaves a file in the folder; its exit status."""
    surroundings = os.environ | {"COVERAGE_FILE": str(folder / ".coverage")}
    if sys.version_info >= (3, 12):
        surroundings["COVERAGE_CORE"] = "sysmon"  # a tenth of what a trace function costs, and debuggers stay possible
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={CONFIG}", "-m", "pytest", *arguments]
    return subprocess.run(command, env=surroundings, cwd=ROOT, check=False).returncode


@contextmanager
def combined(folders: list[Path]) -> Iterator[Coverage]:
    """What all processes measured. One that was killed as it wrote leaves half a file: coverage.py passes over that."""
    with tempfile.TemporaryDirectory(prefix="covered-") as scratch:
        coverage = Coverage(data_file=str(Path(scratch) / "combined"), config_file=CONFIG)
        coverage.combine([str(file) for folder in folders for file in sorted(folder.glob(".coverage.*"))], keep=True)
        try:
            yield coverage
        finally:
            coverage.get_data().close(force=True)


def counts(coverage: Coverage, paths: Iterable[Path]) -> list[Count]:
    """Of each of these modules of the house."""
    found = []
    for path in paths:
        _, lines, _, missing, numbers = coverage.analysis2(str(path))
        found.append(Count(str(path.relative_to(HOUSE)), len(lines), len(missing), numbers))
    return found


def by_room(modules: list[Count]) -> list[Count]:
    """The same for each folder of the house, for its own modules together, and for the whole."""
    rooms: dict[str, list[Count]] = {}
    for module in modules:
        room, slash, _ = module.name.partition("/")
        rooms.setdefault(room + slash if slash else "(its own modules)", []).append(module)
    rooms["playground/"] = modules
    return [
        Count(name, sum(one.lines for one in inner), sum(one.missing for one in inner)) for name, inner in rooms.items()
    ]


def table(rows: list[Count]) -> str:
    width = max(len(row.name) for row in rows)
    head = f"{'':<{width}}  lines  not run      run"
    return "\n".join([head, *(f"{row.name:<{width}}{row.lines:>7}{row.missing:>9}{row.share:>9.2%}" for row in rows)])


def missed(share: float, least: float) -> str | None:
    """In words: too few lines ran."""
    if share >= least:
        return None
    return f"expected at least {least:.0%} of the lines of playground/ to run, got {share:.2%}"


def main(arguments: list[str]) -> int:
    asked = options(arguments)
    with _folder(asked.data) as folder:
        status = 0 if asked.no_run else run_tests(folder, asked.pytest)
        with combined([*asked.others, *([] if asked.no_run else [folder])]) as coverage:
            modules = counts(coverage, sorted(HOUSE.rglob("*.py")))
            least = float(str(coverage.get_option("report:fail_under"))) / 100
    for module in modules:
        if module.missing:
            print(f"{module.name}: {module.numbers}")
    rooms = by_room(modules)
    print("\n" + table(rooms))
    if words := missed(rooms[-1].share, least):
        print("\n" + words)
    return status or bool(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
