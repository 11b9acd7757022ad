"""What the pytest plugin shows of a test that failed: its labs' runs, at its own line."""

import re
from pathlib import Path

import pytest

from tests.suites import SECTION, run

pytestmark = pytest.mark.slow  # each test starts a pytest of its own


def refused(result: pytest.RunResult) -> str:
    """The lines that begin with E, as pytest marks the message of a failure."""
    return "\n".join(line.removeprefix("E").strip() for line in result.outlines if line.startswith("E "))


def test_a_failed_test_shows_what_its_labs_ran_and_points_at_its_own_line(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from playground.assertions import assert_never_blocks

        def test_one(lab):
            mine = lab(app)
            mine.burst("/ok", n=2)
            assert_never_blocks(mine.burst("/blocks", n=3))
        """,
    )
    result.assert_outcomes(failed=1)
    told = result.stdout.str()
    assert "expected no step to hold the event loop for 50 ms or longer, got 3 of " in refused(result).splitlines()[
        0
    ].removeprefix("AssertionError: ")
    assert re.search(r"^test_\w+\.py:\d+: AssertionError$", told, re.MULTILINE)
    assert "assertions.py" not in told  # no frame of ours between the reader and the line that failed
    section = told[told.index(SECTION) :]
    assert re.search(r"^Run 1: \S+ .s · 2 requests ", section, re.MULTILINE)
    assert re.search(r"^Run 2: \S+ .s · 3 requests ", section, re.MULTILINE)
    assert "* The event loop stood still 3 times" in section
    assert "Event loop " in section


def test_runs_of_several_labs_are_told_apart_and_many_runs_are_counted(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_one(lab):
            first, second = lab(app), lab(app, trace=False)
            for _ in range(6):
                first.burst("/ok", n=1)
            second.burst("/ok", n=1)
            assert False
        """,
    )
    lines = result.outlines
    assert "2 earlier runs are not shown." in lines
    assert [line for line in lines if line.startswith("Lab ")][-1] == "Lab 2, <Run 'Run 1': 1 responses>"
    assert sum(line.startswith("Lab 1, Run ") for line in lines) == 4


def test_a_test_that_fails_without_a_run_has_no_section(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_one(lab):
            lab(app)
            assert False
        """,
    )
    result.assert_outcomes(failed=1)
    assert SECTION not in result.stdout.str()


def test_a_run_that_cannot_be_told_leaves_the_failure_as_it_is(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_one(lab, monkeypatch):
            run = lab(app).burst("/ok", n=1)
            monkeypatch.setattr(type(run), "__str__", lambda run: 1 / 0)
            assert run is None
        """,
    )
    result.assert_outcomes(failed=1)
    assert "(This cannot be shown: ZeroDivisionError: division by zero)" in result.outlines


def test_timelines_of_failed_tests_are_written_where_they_are_asked_for(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        @pytest.mark.parametrize("path", ["/ok", "/<script>/../é"])
        def test_fails(lab, path, tmp_path, monkeypatch):
            monkeypatch.chdir(tmp_path)
            mine = lab(app)
            mine.burst(path, n=1)
            mine.burst(path, n=1)
            assert False

        def test_passes(lab):
            lab(app).burst("/ok", n=1)
        """,
        "--playground-html",
        "pages/new",
    )
    result.assert_outcomes(passed=1, failed=2)
    pages = sorted((pytester.path / "pages" / "new").iterdir())
    assert len(pages) == 4
    assert all(re.fullmatch(r"[\w-]+\.html", page.name, re.ASCII) for page in pages)
    assert all(page.read_text(encoding="utf-8").startswith("<!doctype html>") for page in pages)
    shown = {Path(line.removeprefix("Timeline: ")) for line in result.outlines if line.startswith("Timeline: ")}
    assert shown == set(pages)


def test_a_folder_that_cannot_be_written_is_told(pytester: pytest.Pytester) -> None:
    (pytester.path / "taken").write_text("a file")
    result = run(
        pytester,
        """
        def test_fails(lab):
            lab(app).burst("/ok", n=1)
            assert False
        """,
        "--playground-html=taken",
    )
    result.assert_outcomes(failed=1)
    assert any(line.startswith("(This cannot be shown: FileExistsError: ") for line in result.outlines)
