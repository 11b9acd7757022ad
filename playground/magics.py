"""The cell magic `%%watch`: a cell whose value is the trace of what its event loops did.

A magic of IPython's is a plain function, and a cell with a top-level `await` must be awaited by the kernel's own loop.
So the cell is rewritten, before IPython looks at it, into one line that awaits `watch_cell`, or, where the cell itself
awaits nothing, calls `watch_plain_cell`; IPython runs that as it runs any such cell. Plain must stay plain: a kernel
that is interrupted while it awaits a cell only cancels it, which code that never awaits would not hear. What stands in
the cell is handed on as a string and compiled here, in the user's own namespace and under the cell's own name, so that
lines are named as in any other cell.
"""

import ast
import inspect
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any, Final

from playground.errors import WatchError
from playground.watching.watch import WatchedTrace, watch

__all__ = ["load", "unload", "watch_cell", "watch_plain_cell", "watched_lines"]

_MAGIC: Final = "%%watch"
_HERE: Final = "__import__('playground.magics', fromlist=['watch_cell'])"
_PLAIN: Final = _HERE + ".watch_plain_cell({title!r}, {source!r}, {line!r})\n"
_AWAITED: Final = "await " + _HERE + ".watch_cell({title!r}, {source!r}, {line!r})\n"


def load(shell: Any) -> None:
    """Teach an IPython shell `%%watch`. Doing so twice changes nothing."""
    transforms = shell.input_transformer_manager.cleanup_transforms
    if watched_lines not in transforms:
        transforms.insert(0, watched_lines)  # before IPython makes a call of the magic of it
    shell.register_magic_function(_magic, "cell", "watch")


def unload(shell: Any) -> None:
    """Take it back."""
    transforms = shell.input_transformer_manager.cleanup_transforms
    if watched_lines in transforms:
        transforms.remove(watched_lines)
    shell.magics_manager.magics["cell"].pop("watch", None)


def watched_lines(lines: list[str]) -> list[str]:
    """A cell that begins with `%%watch` as the line that runs it; any other cell as it is."""
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return lines
    magic, _, title = lines[first].strip().partition(" ")
    if magic != _MAGIC:
        return lines
    source = "".join(lines[first + 1 :])
    call = _AWAITED if _awaits(_shell(), source) else _PLAIN
    return [call.format(title=title.strip(), source=source, line=first + 2)]


def watch_plain_cell(title: str, source: str, line: int = 1) -> WatchedTrace:
    """Run the source of a cell that awaits nothing in the user's namespace, watched.

    Args:
        title: what to call the recording; the cell's own name if it is empty.
        source: the cell without its first line.
        line: which of the cell's lines the source begins at.

    Raises:
        WatchError: the cell has a top-level `await`.
        whatever the cell raises, after its recording so far was displayed.
    """
    shell = _shell()
    number = _number_of_cell(shell, sys._getframe(1).f_code.co_filename)
    code = _compiled(shell, source, line, number)
    if _is_awaited(code):
        raise WatchError(
            "expected a cell without a top-level await, for this magic is within another or called by its name: put "
            "%%watch on the first line of the cell"
        )
    with _shown_after_an_error(title or f"cell {number}") as trace:
        eval(code, shell.user_global_ns, shell.user_ns)
    return trace


async def watch_cell(title: str, source: str, line: int = 1) -> WatchedTrace:
    """The same for a cell with a top-level `await`."""
    shell = _shell()
    number = _number_of_cell(shell, sys._getframe(1).f_code.co_filename)
    code = _compiled(shell, source, line, number)
    with _shown_after_an_error(title or f"cell {number}") as trace:
        result = eval(code, shell.user_global_ns, shell.user_ns)
        if _is_awaited(code):
            await result
    return trace


@contextmanager
def _shown_after_an_error(title: str) -> Iterator[WatchedTrace]:
    trace = None
    try:
        with watch(title=title) as trace:
            yield trace
    except BaseException:
        if trace is not None:
            _display(trace)
        raise


def _magic(line: str, cell: str) -> WatchedTrace:
    """Record every event loop that runs in this cell, and show what it did.

    Usage, as the cell's first line: %%watch [title of the recording]
    """
    # IPython comes here only where the cell was not rewritten: called by its name, or within another magic's cell
    return watch_plain_cell(line.strip(), cell)


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()


def _display(trace: WatchedTrace) -> None:
    from IPython.display import display

    display(trace)


def _number_of_cell(shell: Any, filename: str) -> int:
    """The number of the cell whose code this is; that of the next one, where nobody knows."""
    number: int = getattr(shell.compile, "_filename_map", {}).get(filename, shell.execution_count)
    return number


def _awaits(shell: Any, source: str) -> bool:
    """Whether a cell has a top-level `await`. One that is no Python has none: it fails as it is compiled to be run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is warned of as it is compiled to be run
            return _is_awaited(_code(shell, ast.parse(shell.transform_cell(source)), "<cell>"))
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):  # what compiling is known to raise
        return False


def _is_awaited(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_COROUTINE)


def _compiled(shell: Any, source: str, line: int, number: int) -> CodeType:
    """A cell's code, under a file name and with line numbers that are the cell's."""
    # IPython takes off the empty lines that a cell begins with
    empty = next((index for index, text in enumerate(source.splitlines()) if text.strip()), 0)
    text = "\n" * (line - 1 + empty) + shell.transform_cell(source)
    name = shell.compile.cache(text, number, raw_code=text)
    tree = shell.transform_ast(shell.compile.ast_parse(text, filename=name))
    return _code(shell, tree, name)


def _code(shell: Any, tree: ast.Module, name: str) -> CodeType:
    flags = shell.compile.flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code: CodeType = compile(tree, name, "exec", flags, dont_inherit=True)
    return code
