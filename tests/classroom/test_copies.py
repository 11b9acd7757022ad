"""Copies for students: no solution in them, all else as it was, and nobody's work overwritten."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from playground import __main__ as cli
from playground.classroom import assignment_of, for_students, hand_out, lay_out_course, without_solutions
from playground.errors import ClassroomError
from tests.notebooks.lessons import NOTEBOOKS

SOLVED = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n\n\nprint(double(2))"
OPEN = "def double(x):\n    ...\n\n\nprint(double(2))"


def notebook(*sources: Any, graded: bool = False) -> dict[str, Any]:
    metadata = {"nbgrader": {"grade": True}} if graded else {}
    cells = [{"cell_type": "code", "id": f"c-{n}", "metadata": metadata, "source": s} for n, s in enumerate(sources)]
    return {"cells": cells, "metadata": {"kept": True}, "nbformat": 4, "nbformat_minor": 5}


def sources(notebook: dict[str, Any]) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def write(folder: Path, **notebooks: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, each in notebooks.items():
        (folder / f"{name}.ipynb").write_text(json.dumps(each), encoding="utf-8")
    return folder


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


# -- a copy ---------------------------------------------------------------------------------------------------


def test_a_copy_has_dots_where_the_solution_stood_indented_as_it_was() -> None:
    original = notebook("import time", SOLVED, SOLVED.splitlines(keepends=True))
    copy = without_solutions(original)
    assert sources(copy) == ["import time", OPEN, OPEN]
    assert sources(original)[1] == SOLVED  # which is left alone


def test_a_copy_is_the_same_in_all_else() -> None:
    original = notebook("import time", ["a = 1\n", "b = 2"])
    assert without_solutions(original) == original


@pytest.mark.parametrize("source", [SOLVED.replace("### END", "# END"), SOLVED.replace("### BEGIN", "# BEGIN")])
def test_a_mark_without_its_partner_is_not_handed_out(tmp_path: Path, source: str) -> None:
    message = (
        "01_doubled.ipynb: expected each ### BEGIN SOLUTION to be followed by an ### END SOLUTION, both on lines of "
        "their own, got one without the other in the cell 'c-1': mend it, or the solution would be handed out"
    )
    folder = write(tmp_path / "notebooks", **{"01_doubled": notebook("", source)})
    with pytest.raises(ClassroomError) as raised:
        hand_out(folder, tmp_path / "copies")
    assert str(raised.value) == message
    assert not (tmp_path / "copies").exists()


@pytest.mark.parametrize("path", for_students(NOTEBOOKS[0].parent), ids=lambda path: path.name)
def test_no_solution_of_the_course_is_in_a_students_copy(path: Path) -> None:
    copy = json.dumps(without_solutions(read(path)))
    assert "SOLUTION" not in copy
    assert (assignment_of(path) is None) == (copy == json.dumps(read(path)))


def test_students_are_not_given_what_is_for_teachers() -> None:
    names = [path.name for path in NOTEBOOKS]
    assert [path.name for path in for_students(NOTEBOOKS[0].parent)] == [name for name in names if name[0] != "9"]


# -- a folder of copies ---------------------------------------------------------------------------------------


def test_a_copy_that_was_worked_on_stays_and_one_that_was_not_is_made_anew(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "notebooks", tmp_path / "copies"
    write(ours, **{"01_worked_on": notebook(SOLVED), "02_untouched": notebook(SOLVED), "90_for_teachers": notebook()})
    assert hand_out(ours, theirs) == []
    assert sorted(path.name for path in theirs.glob("*.ipynb")) == ["01_worked_on.ipynb", "02_untouched.ipynb"]
    write(theirs, **{"01_worked_on": notebook("mine")})
    assert hand_out(ours, theirs) == []  # theirs is of what is still the newest

    write(ours, **{"01_worked_on": notebook("newer"), "02_untouched": notebook("newer")})
    for _ in range(2):
        assert hand_out(ours, theirs) == ["01_worked_on.ipynb"]
        assert sources(read(theirs / "01_worked_on.ipynb")) == ["mine"]
        assert sources(read(theirs / "02_untouched.ipynb")) == ["newer"]

    (theirs / "01_worked_on.ipynb").rename(theirs / "mine.ipynb")
    assert hand_out(ours, theirs) == []
    assert sources(read(theirs / "01_worked_on.ipynb")) == ["newer"]
    assert sources(read(theirs / "mine.ipynb")) == ["mine"]


def test_a_copy_that_nobody_knows_the_beginnings_of_stays(tmp_path: Path) -> None:
    ours = write(tmp_path / "notebooks", **{"01_first": notebook("ours")})
    theirs = write(tmp_path / "copies", **{"01_first": notebook("mine")})
    assert hand_out(ours, theirs) == ["01_first.ipynb"]
    assert sources(read(theirs / "01_first.ipynb")) == ["mine"]


def test_an_untouched_copy_is_not_written_again(tmp_path: Path) -> None:
    ours = write(tmp_path / "notebooks", **{"01_first": notebook(SOLVED)})
    hand_out(ours, tmp_path / "copies")
    path = tmp_path / "copies" / "01_first.ipynb"
    os.utime(path, ns=(1, 1))
    hand_out(ours, tmp_path / "copies")
    assert path.stat().st_mtime_ns == 1


def test_a_folder_without_notebooks_is_said(tmp_path: Path) -> None:
    expected = f"expected a folder with notebooks, got {tmp_path}, which has none: name another"
    with pytest.raises(ClassroomError) as raised:
        hand_out(tmp_path, tmp_path / "copies")
    assert str(raised.value) == expected
    with pytest.raises(ClassroomError) as raised:
        lay_out_course(tmp_path, tmp_path / "course")
    assert str(raised.value) == expected.replace("notebooks,", "notebooks that have something to grade,")


# -- the command line -----------------------------------------------------------------------------------------


def test_students_writes_copies_and_says_which_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = write(tmp_path / "notebooks", **{"01_first": notebook(SOLVED), "02_second": notebook()})
    copies = write(tmp_path / "copies", **{"02_second": notebook("mine")})
    assert cli.main(["students", str(copies), "--notebooks", str(ours)]) == 0
    assert sources(read(copies / "01_first.ipynb")) == [OPEN]
    said = capsys.readouterr()
    assert said.out == f"{copies}: without solutions, 01_first.ipynb, 02_second.ipynb.\n"
    assert said.err == (
        f"playground: {copies}/02_second.ipynb has been changed, and stays; there is a newer one, for which it has to "
        "be renamed\n"
    )


def test_course_lays_out_each_lesson_as_an_assignment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lessons = {"00_start": notebook("no exercise"), "01_first": notebook(SOLVED, graded=True)}
    ours, course = write(tmp_path / "notebooks", **lessons), tmp_path / "a course"
    assert cli.main(["course", str(course), "--notebooks", str(ours)]) == 0
    assert capsys.readouterr().out == (
        f"{course}: lesson-01. To make the students' copies of the first:\n\n"
        f"    cd '{course}' && nbgrader generate_assignment lesson-01\n"
    )
    assert sorted(path.relative_to(course).as_posix() for path in course.rglob("*.*") if path.is_file()) == [
        ".handed-out.json",
        "nbgrader_config.py",
        "source/lesson-01/01_first.ipynb",
    ]
    assert sources(read(course / "source" / "lesson-01" / "01_first.ipynb")) == [SOLVED]

    (course / "nbgrader_config.py").write_text("# the teacher's own")
    assert cli.main(["course", str(course), "--notebooks", str(ours)]) == 0
    assert (course / "nbgrader_config.py").read_text() == "# the teacher's own"


@pytest.mark.parametrize("command", ["students", "course"])
def test_a_folder_without_notebooks_ends_with_1(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command, str(tmp_path / "out"), "--notebooks", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("playground: expected a folder with notebooks")
