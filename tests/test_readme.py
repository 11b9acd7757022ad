"""What README and CONTRIBUTING show is so: their code runs and prints what stands there, their commands exist.

The commands with which README installs are held to the lock, to Binder and to CI in tests/test_packaging.py.
"""

import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import App, Lab
from playground.command_line import parser
from tests.pictures import FOLDER, ROOT, code_blocks, drawn, first_run

README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
FIRST, HOUR, WATCHED, WAYS, TESTS = code_blocks(README, "python")
TOLD_FIRST, TOLD_HOUR, TOLD_WATCHED, TOLD_WAYS = code_blocks(README, "text")


def printed(code: str, folder: Path, captured: pytest.CaptureFixture[str]) -> str:
    """What code prints, as a file; spaces at the ends of lines are not seen."""
    (folder / "example.py").write_text(code, encoding="utf-8")
    names = runpy.run_path(str(folder / "example.py"))
    if "lab" in names:  # which a notebook would leave open; here its clock would be that of the tests to come
        names["lab"].close()
    return seen(captured.readouterr().out)


def seen(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def shape(text: str) -> list[str]:
    """A text without what differs from run to run: its numbers, and how wide they are."""
    return [" ".join(re.sub(r"[\d.]+", "0", line).split()) for line in text.splitlines()]


def test_the_first_example_tells_of_the_mistake_and_draws_the_pictures_at_the_top(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After a change to what is drawn: `python -m tests.pictures` draws them anew."""
    pictures = drawn(first_run())
    assert seen(capsys.readouterr().out) == TOLD_FIRST
    assert {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()} == pictures
    shown = re.findall(r'(?:src|srcset)="([^"]+)"', README.read_text("utf-8"))
    assert sorted(ROOT / path for path in shown) == sorted(FOLDER / name for name in pictures)


def test_what_the_first_finding_advises_leaves_nothing_to_find(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mended = FIRST.replace("async def report", "def report")
    assert mended != FIRST
    assert printed(mended, tmp_path, capsys).startswith("No findings: nothing held the event loop for long, ")


@pytest.mark.slow
def test_an_hour_of_traffic_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(FIRST + HOUR, tmp_path, capsys).splitlines()[-1:] == TOLD_HOUR.splitlines()


def test_what_is_no_web_app_is_watched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = printed(WATCHED, tmp_path, capsys)
    assert lanes_of(here) == lanes_of(TOLD_WATCHED) == ["main", "fetch", "fetch", "fetch"]
    for text in (here, TOLD_WATCHED):
        assert re.match(r"Watched code: [\d.]+ m?s · 4 tasks · \d+ steps\n", text)


def lanes_of(timeline: str) -> list[str]:
    """The tasks that have a lane, from the top down."""
    return re.findall(r"^(main|fetch) ", timeline, flags=re.MULTILINE)


@pytest.mark.slow
def test_the_same_jobs_in_four_ways_are_told_by_what_overlapped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = printed(WAYS, tmp_path, capsys)
    assert shape(here) == shape(TOLD_WAYS)
    for text in (here, TOLD_WAYS):
        at_once = {line.split()[0]: int(line.split()[3]) for line in text.splitlines()}
        assert {name: number > 1 for name, number in at_once.items()} == {
            "sequential": False,
            "threads": True,
            "processes": True,
            "asyncio": True,
        }


@pytest.mark.slow
def test_the_example_suite_passes_and_fails_with_the_mistake_in_it(tmp_path: Path) -> None:
    mistaken = TESTS.replace("def report():\n", "async def report():\n    time.sleep(0.2)\n")
    assert mistaken != TESTS
    (tmp_path / "test_right.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "test_mistaken.py").write_text(f"import time\n{mistaken}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"\b2 failed, 2 passed\b", done.stdout), done.stdout + done.stderr
    assert re.search(r"expected no step to hold the event loop for 50 ms or longer, got \d+ of .*", done.stdout)
    assert "time.sleep(0.2)" in done.stdout
    assert re.search(r"expected every request to be answered within 500 ms, got \d+ of .* requests", done.stdout)


def test_every_name_of_the_reference_is_there() -> None:
    reference = README.read_text("utf-8").split("## What there is to use")[1].split("\n## ")[0]
    cells = [row.split("|")[1] for row in reference.splitlines() if row.startswith("| `")]
    with Lab(App()) as lab:
        run = lab.burst("/", n=1)
        things = {"lab": lab, "run": run, "trace": run.trace, "requests": run.requests[0]}
        offered = [(thing, name) for cell in cells for thing, name in named(cell)]
        missing = [f"{thing}.{name}" for thing, name in offered if not hasattr(things[thing], name)]
    assert len(offered) > 30
    assert missing == []


def named(cell: str) -> list[tuple[str, str]]:
    """`lab.get(path)`, `.post` as lab's get and lab's post."""
    found: list[tuple[str, str]] = []
    for thing, name in re.findall(r"`(?!playground)(\w*(?:\.\w+\[0\])?)\.(\w+)", cell):
        found.append((thing.removeprefix("run.").removesuffix("[0]") or found[-1][0], name))
    return found


def test_binder_asks_for_an_account_in_one_place_and_says_so_there() -> None:
    lines = README.read_text("utf-8").splitlines()
    (at,) = (number for number, line in enumerate(lines) if "/OWNER/" in line)
    assert lines[at - 1] == (
        "<!-- Put the account that holds this repository in place of OWNER, here and nowhere else. -->"
    )
    assert at == len(lines) - 1


@pytest.mark.parametrize("file", [README, CONTRIBUTING, ROOT / "notebooks" / "README.md", ROOT / "CHANGELOG.md"])
def test_every_link_to_a_file_leads_to_one(file: Path) -> None:
    text = file.read_text("utf-8")
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target]
    headings = {anchor(line) for line in text.splitlines() if line.startswith("#")}
    assert [t for t in targets if (t not in headings if t.startswith("#") else not (file.parent / t).exists())] == []


def anchor(heading: str) -> str:
    """What GitHub calls a heading in addresses."""
    words = re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower())
    return "#" + words.replace(" ", "-")


def commands(file: Path) -> Iterator[list[str]]:
    """The words of every command in blocks and between backquotes, without what is put before it for the shell."""
    text = file.read_text("utf-8")
    written = re.findall(r"^ *```sh\n(.+?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    written += re.findall(r"`((?:[A-Z_]+=\S+ )?(?:\.venv/bin/)?(?:python|playground|mypy|ruff) [^`]+)`", text)
    for line in "\n".join(written).splitlines():
        for command in line.split(" && "):
            words = shlex.split(command)
            while words and re.fullmatch(r"[A-Z_]+=\S+", words[0]):
                words.pop(0)
            if words:
                yield words


def of(program: str, file: Path) -> list[list[str]]:
    return [words[1:] for words in commands(file) if Path(words[0]).name == program]


@pytest.mark.parametrize("file", [README, CONTRIBUTING])
def test_every_command_of_ours_is_one_that_we_take(file: Path) -> None:
    ours = of("playground", file)
    assert ours
    for words in ours:
        assert parser().parse_args(words).command == words[0]


def test_every_script_of_the_tests_that_contributors_are_told_of_is_there() -> None:
    modules = [words[1] for words in of("python", CONTRIBUTING) if words[0] == "-m" and words[1].startswith("tests.")]
    paths = [ROOT.joinpath(*module.split(".")) for module in modules]
    assert len(paths) >= 4
    assert [p for p in paths if not p.with_suffix(".py").is_file() and not (p / "__main__.py").is_file()] == []


def test_pytest_takes_every_option_that_contributors_are_told_of(pytestconfig: pytest.Config) -> None:
    told = [words[2:] for words in of("python", CONTRIBUTING) if words[:2] == ["-m", "pytest"]]
    assert len(told) >= 5
    markers = {line.split(":")[0] for line in pytestconfig.getini("markers")}
    for words in told:
        files = [word for word in words if word.endswith(".py")]
        assert [file for file in files if not (ROOT / file).is_file()] == []
        if "-m" in words:
            assert set(re.findall(r"\w+", words[words.index("-m") + 1])) <= {*markers, "not", "and"}


def test_every_file_that_contributors_are_told_of_is_there() -> None:
    text = CONTRIBUTING.read_text("utf-8")
    told = re.findall(r"`((?:tests|notebooks|playground|binder)/[\w/.]*[\w/])`", text)
    assert len(told) > 20
    assert [path for path in told if not (ROOT / path.replace("_NN", "_01")).exists()] == []
