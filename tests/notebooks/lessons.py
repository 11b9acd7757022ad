"""The course's notebooks as text: their exercises, the solutions in them, and a copy that has none.

The one place of a reference solution is its notebook, between two marks; whatever tests solutions reads them here.
"""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from playground.classroom import without_solutions

__all__ = ["NOTEBOOKS", "Hole", "answer", "holes", "imports", "lesson", "read", "released", "texts", "value"]

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook, as nbformat has it today."""
    return nbformat.read(path, as_version=4)


def lesson(number: str) -> nbformat.NotebookNode:
    """The notebook of that number, such as `09`."""
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(f"{number}_"))
    return read(path)


@dataclass(frozen=True)
class Hole:
    """An exercise as a notebook has it: its cells, which follow one another.

    Attributes:
        id: such as `09.2`.
        asked, code, check, points: the cells.
    """

    id: str
    asked: nbformat.NotebookNode
    code: nbformat.NotebookNode
    check: nbformat.NotebookNode
    points: nbformat.NotebookNode


def holes(notebook: nbformat.NotebookNode) -> list[Hole]:
    """The exercises of a notebook, in its order."""
    cells = notebook.cells
    places = [place for place, cell in enumerate(cells) if "check" in cell.metadata.get("tags", [])]
    return [Hole(_checked(cells[place]).args[0].value, *cells[place - 2 : place + 2]) for place in places]  # type: ignore[attr-defined]


def answer(notebook: nbformat.NotebookNode, hole: Hole) -> tuple[Any, ...]:
    """What the solution's cell gives to the check, made anew; it may use what the notebook imports, and no more."""
    name = f"<solution {hole.id}>"
    space: dict[str, Any] = {"__name__": "solution"}
    exec(compile(imports(notebook), name, "exec"), space)
    exec(compile(hole.code.source, name, "exec"), space)
    return tuple(eval(compile(ast.Expression(given), name, "eval"), space) for given in _checked(hole.check).args[1:])


def imports(notebook: nbformat.NotebookNode) -> ast.Module:
    """All that a notebook imports."""
    python = TransformerManager().transform_cell  # of magics, which no parser knows
    code = [ast.parse(python(cell.source)) for cell in notebook.cells if cell.cell_type == "code"]
    lines: list[ast.stmt] = []
    for cell in code:
        lines += [line for line in cell.body if isinstance(line, ast.Import | ast.ImportFrom)]
    return ast.Module(lines, [])


def released(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook as a student gets it: `...` where a solution was."""
    copy: nbformat.NotebookNode = nbformat.from_dict(without_solutions(notebook))
    return copy


def texts(cell: nbformat.NotebookNode, stream: str) -> str:
    """What a cell that was run has written to `stdout` or `stderr`."""
    return "".join(output.text for output in cell.outputs if output.get("name") == stream)


def value(cell: nbformat.NotebookNode) -> str:
    """The value of a cell that was run, as plain text."""
    (shown,) = (output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result")
    return str(shown)


def _checked(cell: nbformat.NotebookNode) -> ast.Call:
    """The call of `check` in a cell."""
    last = ast.parse(cell.source).body[-1]
    assert isinstance(last, ast.Expr)
    assert isinstance(last.value, ast.Call)
    return last.value
