"""Two lessons go through a classroom by nbgrader's own commands, as `90_for_teachers` gives them.

Handed in are the reference solutions, a plausible wrong answer to each exercise, and a copy in which nothing was
filled in. What came of it is read where a teacher and a student read it: in the marks, and in the feedback.
"""

import csv
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import nbformat
import pytest

from playground.course import exercises
from tests.conftest import own_settings
from tests.course.answers import Wrong
from tests.notebooks.lessons import NOTEBOOKS, holes, read, released

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LESSONS = ("08", "09")
(FOR_TEACHERS,) = (path for path in NOTEBOOKS if path.name.startswith("90_"))
HOSTILE = "<script>alert('theirs')</script><img src=x onerror=\"alert('theirs')\"> [theirs](javascript:alert('theirs'))"


# -- what is handed in ----------------------------------------------------------------------------------------


def wrong_answers(lesson: str) -> dict[str, Wrong]:
    """The first wrong answer to each exercise of a lesson."""
    wrong: list[Wrong] = import_module(f"tests.course.wrong_{lesson}").WRONG
    return {each.exercise: each for each in reversed(wrong)}


def with_wrong_answers(notebook: nbformat.NotebookNode, lesson: str) -> nbformat.NotebookNode:
    """A copy with a wrong answer in each hole; and with markup, wherever there is a place for it."""
    for hole in holes(notebook):
        (names,) = re.findall(r'^check\("[\d.]+", (.+)\)$', hole.check.source, re.MULTILINE)
        wrong = wrong_answers(lesson)[hole.id]
        hole.code.source = (
            f"from tests.course.wrong_{lesson} import WRONG\n\n"
            f"({names},) = next(each for each in WRONG if each.name == {wrong.name!r}).given()"
        )
    shown = f"from IPython.display import HTML, Markdown\n\ndisplay(HTML({HOSTILE!r}), Markdown({HOSTILE!r}))"
    # checked after its points were taken: what is handed to a check stands in its answer
    for number, source in enumerate((shown, f'check("{lesson}.1", {HOSTILE!r})', f"raise ValueError({HOSTILE!r})")):
        notebook.cells.append(nbformat.v4.new_code_cell(source, id=f"added-{number}"))
    notebook.cells.append(nbformat.v4.new_markdown_cell(HOSTILE, id="added-in-words"))
    return notebook


# -- the round trip -------------------------------------------------------------------------------------------


def commands() -> list[list[str]]:
    """The commands that the notebook for teachers gives, block by block."""
    text = "\n".join(cell.source for cell in read(FOR_TEACHERS).cells if cell.cell_type == "markdown")
    return [block.splitlines() for block in re.findall(r"^```sh\n(.+?)\n```$", text, re.DOTALL | re.MULTILINE)]


@dataclass
class Classroom:
    """A lesson that has gone through it.

    Attributes:
        lesson: its number.
        course: the folder of the course.
    """

    lesson: str
    course: Path

    @property
    def notebook(self) -> Path:
        (path,) = (self.course / "source" / f"lesson-{self.lesson}").iterdir()
        return path

    def at(self, stage: str, student: str = "") -> Path:
        """A student's notebook, or what became of it, at a stage such as `autograded`."""
        (path,) = (self.course / stage / student / f"lesson-{self.lesson}").glob(f"{self.lesson}_*")
        return path

    def marks(self) -> dict[str, tuple[float, float]]:
        """By student, the points and how many there were."""
        with (self.course / "grades.csv").open(encoding="utf-8") as file:
            return {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}

    def run(self, lines: list[str], folder: Path) -> None:
        """What a teacher types, line by line, in one shell."""
        script = "\n".join(lines).replace("lesson-09", f"lesson-{self.lesson}")
        done = subprocess.run(
            ["sh", "-ec", script], cwd=folder, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def hand_in(self, student: str, notebook: nbformat.NotebookNode) -> None:
        folder = self.course / "submitted" / student / f"lesson-{self.lesson}"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / self.notebook.name)


def through(lesson: str, scratch: Path) -> Classroom:
    scratch.mkdir()
    room = Classroom(lesson, scratch / "my-course")
    prepare, grade = commands()
    room.run(prepare, scratch)
    room.hand_in("solved", read(room.notebook))
    room.hand_in("wrong", with_wrong_answers(read(room.at("release")), lesson))
    room.hand_in("empty", read(room.at("release")))
    room.run(grade, room.course)
    return room


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Classroom]]:
    """The lessons' classrooms, each a course of its own, so that they go through side by side."""
    scratch = tmp_path_factory.mktemp("classroom")
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with own_settings(scratch), pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor() as pool:
        patch.setenv("PATH", here)  # the commands that are installed beside this Python
        patch.setenv("PYTHONPATH", str(ROOT))  # where the wrong answers are
        done = pool.map(through, LESSONS, [scratch / lesson for lesson in LESSONS])
        yield dict(zip(LESSONS, done, strict=True))
    shutil.rmtree(scratch)


@pytest.fixture(params=LESSONS)
def room(request: pytest.FixtureRequest, rooms: dict[str, Classroom]) -> Classroom:
    return rooms[request.param]


def test_what_nbgrader_hands_out_is_what_our_own_copies_are(room: Classroom) -> None:
    handed_out = [(cell.id, cell.source) for cell in read(room.at("release")).cells]
    assert handed_out == [(cell.id, cell.source) for cell in released(read(room.notebook)).cells]


def test_reference_solutions_get_full_marks_wrong_answers_fewer_and_an_empty_copy_none(room: Classroom) -> None:
    full = sum(exercise.points for exercise in exercises() if exercise.id.startswith(room.lesson))
    some = sum(wrong.points for wrong in wrong_answers(room.lesson).values())
    assert room.marks() == {"solved": (full, full), "wrong": (some, full), "empty": (0, full)}
    assert 0 < some < full


def test_an_empty_copy_runs_from_top_to_bottom(room: Classroom) -> None:
    cells = [cell for cell in read(room.at("autograded", "empty")).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    raised = [cell.id for cell in cells if any(output.output_type == "error" for output in cell.outputs)]
    assert raised == [cell.id for cell in cells if "raises-exception" in cell.metadata.get("tags", [])]


# -- feedback -------------------------------------------------------------------------------------------------


@dataclass
class Page(html.parser.HTMLParser):
    """What a browser would make of a page: its text, its pictures' names, and what could do something."""

    text: str = ""
    pictures: list[str] = field(default_factory=list)
    active: list[str] = field(default_factory=list)
    _inside: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        given = {name: value or "" for name, value in attrs}
        if tag == "img" and given.get("src", "").startswith("data:image/svg+xml;base64,"):
            self.pictures.append(given.get("alt", ""))
        self.active += [
            f"<{tag} {name}={value!r}>" for name, value in attrs if name.startswith("on") or "theirs" in (value or "")
        ]

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data
        elif "theirs" in data:
            self.active.append(f"<{self._inside}>")


def page(path: Path) -> Page:
    parsed = Page()
    parsed.feed(path.read_text("utf-8"))
    parsed.close()
    return parsed


def words(text: str) -> str:
    """A text as it is read: without the marks of code, and on one line."""
    return " ".join(text.replace("`", "").split())


@pytest.mark.parametrize("student", ["solved", "wrong", "empty"])
def test_feedback_holds_what_each_check_said(room: Classroom, student: str) -> None:
    shown = page(room.at("feedback", student))
    told = words(shown.text)
    checks = [cell for cell in read(room.at("autograded", student)).cells if "check" in cell.metadata.get("tags", [])]
    answers = [output.data["text/plain"] for cell in checks for output in cell.outputs]
    assert len(answers) == len(holes(read(room.notebook)))
    lines = [line.strip() for answer in answers for line in answer.splitlines()]
    assert [line for line in lines if words(line) not in told] == []
    runs = [line.removeprefix("Your run: ") for line in lines if line.startswith("Your run: ")]
    assert [run for run in runs if f"Timeline of your run: {run}" not in shown.pictures] == []
    assert runs or student == "empty"


def test_feedback_explains_a_wrong_answer(room: Classroom) -> None:
    told = words(page(room.at("feedback", "wrong")).text)
    for wrong in wrong_answers(room.lesson).values():
        parts = re.split(r" \(at [^\n]*?\)(?= |$)", wrong.why)
        assert [part for part in parts if words(part) not in told] == []


def test_feedback_holds_a_students_markup_as_text_only(room: Classroom) -> None:
    shown = page(room.at("feedback", "wrong"))
    assert shown.active == []
    assert shown.text.count("<script>") > 3  # in their code, three times, and in what came of it
    assert "theirs" in json.dumps(read(room.at("autograded", "wrong")).cells[-4].outputs)  # it was put out
