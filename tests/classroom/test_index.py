"""The course's index says of each lesson what the lesson says of itself."""

import re

from playground import lite
from playground.classroom import for_students
from playground.course import exercises
from tests.notebooks.lessons import NOTEBOOKS, read

FOLDER = NOTEBOOKS[0].parent
WORDS = {"Ten": "10"}


def row(name: str, first: str) -> str:
    """A lesson's row, by its file's name and its first cell."""
    found = re.match(r"# (?:Start here: )?(.+)", first)
    minutes = re.search(r"(\d+|Ten)\s+minutes", first)
    assert found, first
    assert minutes, first
    after = re.search(r"after\s+lesson (\d+)", first)
    part = name[:2] in lite._NEEDS or "browser" in first
    needs = f" {after[1]} " if after else " "
    question = found[1][0].upper() + found[1][1:]
    length = WORDS.get(minutes[1], minutes[1])
    return f"| [{name[:2]}]({name}) | {question} |{needs}| {length} | {'part' if part else 'all'} |"


def test_the_index_has_a_row_for_each_lesson_with_what_the_lesson_says_itself() -> None:
    rows = [line for line in (FOLDER / "README.md").read_text("utf-8").splitlines() if line.startswith("| [")]
    assert rows == [row(path.name, read(path).cells[0].source) for path in for_students(FOLDER)]


def test_what_a_lesson_needs_comes_before_it() -> None:
    for path in for_students(FOLDER):
        after = re.search(r"after\s+lesson (\d+)", read(path).cells[0].source)
        assert after is None or int(after[1]) < int(path.name[:2])


def test_the_mistakes_that_teachers_are_told_of_are_known_to_those_lessons() -> None:
    cells = {cell.id: cell.source for cell in read(FOLDER / "90_for_teachers.ipynb").cells}
    for name in ("pitfalls-first", "pitfalls-threads", "pitfalls-loop"):
        first, last = map(int, re.findall(r"^\*\*Lessons (\d+) to (\d+)\.", cells[name])[0])
        there = [each for each in exercises() if first <= int(each.id[:2]) <= last]
        told = set(re.findall(r"\(`([a-z-]+)`\)", cells[name]))
        assert len(told) >= 3
        assert told <= {mistake.name for each in there for mistake in each.mistakes}
