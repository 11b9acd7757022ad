"""The index of faults names tests that there are, and every test module of this folder."""

import ast
import re
from pathlib import Path
from typing import Final

import tests.faults

ROOT: Final = Path(__file__).parents[2]
NAMED: Final = re.findall(r"^    (tests/\S+\.py)::(\w+)$", tests.faults.__doc__ or "", re.MULTILINE)
ABOUT_ITSELF: Final = {"test_index.py", "test_nothing_left.py"}


def test_every_test_that_the_index_names_is_there() -> None:
    assert len(NAMED) > 40
    assert [(path, name) for path, name in NAMED if name not in names_in(ROOT / path)] == []


def test_every_line_below_a_fault_names_a_test() -> None:
    lines = re.findall(r"^    (.*)$", tests.faults.__doc__ or "", re.MULTILINE)
    assert lines == [f"{path}::{name}" for path, name in NAMED]


def test_every_module_of_faults_is_in_the_index() -> None:
    here = {path.name for path in Path(__file__).parent.glob("test_*.py")} - ABOUT_ITSELF
    assert here - {Path(path).name for path, _ in NAMED if path.startswith("tests/faults/")} == set()


def names_in(path: Path) -> set[str]:
    """The names of the tests that a module holds, in its classes too."""
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
