"""The course's notebooks in a classroom: copies for students, without the solutions, and a folder for nbgrader.

It decides what a copy is (the notebook, with `...` where a solution stood, as nbgrader makes it too) and that nobody's
work is overwritten: a copy is made anew only while it is as it was handed out. It reads notebooks as JSON and needs
no Jupyter. What an exercise asks, and how an answer is checked, is for `course` to know.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

from playground.errors import ClassroomError
from playground.files import write, write_text

__all__ = ["assignment_of", "for_students", "hand_out", "lay_out_course", "without_solutions"]

_SOLUTION: Final = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.DOTALL | re.MULTILINE)
_MARK: Final = re.compile(r"### (?:BEGIN|END) SOLUTION")
_LEDGER: Final = ".handed-out.json"
"""Lies beside the copies: by name, a digest of each as it was handed out."""

_CONFIG: Final = '''\
"""What nbgrader does with this course: `playground course` has written it, and leaves it as you change it."""

import bleach
from nbconvert.filters import markdown2html
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbgrader.preprocessors import GetGrades

c = get_config()

c.CourseDirectory.course_id = "playground"
# A student's copy runs from top to bottom also where nothing is filled in: each check then says what is missing.
c.ClearSolutions.code_stub = {"python": "..."}
# Seconds for a cell: an answer that never ends has cost this much, and gets nothing.
c.Execute.timeout = 60
# Feedback shows what students' code has put out. Of markup in it, only this gets through: what the checks' answers are
# made of, and pictures as images, in which nothing runs.
ANSWERS = {"code", "div", "em", "strong", "img"}
PROSE = {"p", "br", "hr", "h1", "h2", "h3", "h4", "pre", "table", "thead", "tbody", "tr", "th", "td"}


def of_a_picture(tag, name, value):
    return tag == "img" and (name == "alt" or name == "src" and value.startswith("data:image/svg+xml;base64,"))


def prose(source):
    """Markdown as HTML; links that would run a script lose their address."""
    return bleach.clean(markdown2html(source), tags=bleach.ALLOWED_TAGS | PROSE, strip=True)


class Sanitize(SanitizeHTML):
    def sanitize_html_tags(self, html):
        return bleach.clean(html, tags=ANSWERS, attributes=of_a_picture, protocols={"data"}, strip=True)


c.GenerateFeedback.preprocessors = [GetGrades, CSSHTMLHeaderPreprocessor, Sanitize]
c.Sanitize.enabled = True
c.Sanitize.safe_output_keys = {"text/plain", "image/png", "image/jpeg", "image/svg+xml"}
c.HTMLExporter.filters = {"markdown2html": prose}
'''


def without_solutions(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook, as JSON, as a student gets it: `...` where a solution stood. All else is as it was.

    Raises:
        ClassroomError: a mark has no partner, so that a solution would be handed out.
    """
    return {**notebook, "cells": [_open(cell) for cell in notebook["cells"]]}


def for_students(notebooks: Path) -> list[Path]:
    """The notebooks of a folder that are meant for students, in reading order: `9N_` are for teachers."""
    return [path for path in sorted(notebooks.glob("*.ipynb")) if not re.match(r"9\d_", path.name)]


def assignment_of(path: Path) -> str | None:
    """What nbgrader calls a lesson, such as `lesson-09`; `None` if the notebook has nothing to grade."""
    notebook = _read(path)
    graded = any(cell["metadata"].get("nbgrader", {}).get("grade") for cell in notebook["cells"])
    return f"lesson-{path.name.partition('_')[0]}" if graded else None


def hand_out(notebooks: Path, folder: Path) -> list[str]:
    """Write students' copies of the notebooks into a folder.

    A copy that has been changed since it was handed out stays as it is, whatever has become of the original.

    Returns:
        the names of the changed ones of which there is by now a newer original.

    Raises:
        ClassroomError: there are no notebooks, or one's marks do not pair.
        OSError: a copy cannot be written.
    """
    if not for_students(notebooks):
        raise ClassroomError(f"expected a folder with notebooks, got {notebooks}, which has none: name another")
    return _renew(folder, {path.name: _copied(path) for path in for_students(notebooks)})


def lay_out_course(notebooks: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Lay out a course for nbgrader: its configuration, and each lesson, solutions included, as an assignment.

    What has been changed there stays as it is.

    Returns:
        the assignments, and the paths of changed files of which there is by now a newer original.

    Raises:
        ClassroomError: no notebook has anything to grade.
        OSError: a file cannot be written.
    """
    lessons = {path: name for path in for_students(notebooks) if (name := assignment_of(path))}
    if not lessons:
        raise ClassroomError(
            f"expected a folder with notebooks that have something to grade, got {notebooks}, which has none: name "
            "another"
        )
    files = {f"source/{name}/{path.name}": path.read_bytes() for path, name in lessons.items()}
    return list(lessons.values()), _renew(folder, {"nbgrader_config.py": _CONFIG.encode(), **files})


# -- a copy ---------------------------------------------------------------------------------------------------


def _read(path: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def _copied(path: Path) -> bytes:
    """Written as Jupyter writes notebooks, so that saving one unchanged changes nothing."""
    try:
        copy = without_solutions(_read(path))
    except ClassroomError as error:
        raise ClassroomError(f"{path.name}: {error}") from None
    return (json.dumps(copy, indent=1, ensure_ascii=False) + "\n").encode()


def _open(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell with a hole where it had a solution."""
    source = "".join(cell["source"])  # a text, or a list of its lines: the format knows both
    opened = _SOLUTION.sub(r"\1...", source)
    if _MARK.search(opened):
        raise ClassroomError(
            "expected each ### BEGIN SOLUTION to be followed by an ### END SOLUTION, both on lines of their own, got "
            f"one without the other in the cell {cell.get('id', '')!r}: mend it, or the solution would be handed out"
        )
    return cell if opened == source else {**cell, "source": opened}


# -- files that stay as their owner left them -----------------------------------------------------------------


def _renew(folder: Path, files: dict[str, bytes]) -> list[str]:
    """Write those files that are missing, or still as they were handed out; returns the others that are outdated."""
    folder.mkdir(parents=True, exist_ok=True)
    ledger = folder / _LEDGER
    handed_out: dict[str, str] = json.loads(ledger.read_text("utf-8")) if ledger.exists() else {}
    outdated = []
    for name, content in files.items():
        path, new = folder / name, _digest(content)
        found = _digest(path.read_bytes()) if path.exists() else None
        if found not in (None, new, handed_out.get(name)):
            if new != handed_out.get(name):
                outdated.append(name)
            continue
        if found != new:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, [content])
        handed_out[name] = new
    write_text(ledger, json.dumps(handed_out, indent=1) + "\n")
    return outdated


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
