"""What `%load_ext playground` teaches a shell, above all `%%watch`: a cell whose value is the trace of its event loops.

What the rest of it does stands in modules of its own: `app_magic`, `completion`, `tracebacks`.

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

__all__ = ["compiled_cell", "is_awaited", "load", "unload", "watch_plain_cell"]

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
    shell.register_magic_function(_app_magic, "cell", "app")
    if _matches not in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.append(_matches)
    shell.set_custom_exc((Exception,), _show_error)


def unload(shell: Any) -> None:
    """Take it back."""
    transforms = shell.input_transformer_manager.cleanup_transforms
    if watched_lines in transforms:
        transforms.remove(watched_lines)
    for name in ("watch", "app"):
        shell.magics_manager.magics["cell"].pop(name, None)
    if _matches in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(_matches)
    if shell.custom_exceptions == (Exception,):
        shell.set_custom_exc((), None)


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
    code = compiled_cell(shell, source, line, number)
    if is_awaited(code):
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
    code = compiled_cell(shell, source, line, number)
    with _shown_after_an_error(title or f"cell {number}") as trace:
        result = eval(code, shell.user_global_ns, shell.user_ns)
        if is_awaited(code):
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


def _app_magic(line: str, cell: str) -> Any:
    """Declare routes on a fresh `app`, and have a `lab` of it.

    Usage, as the cell's first line: %%app [clock=virtual] [threads=4] [seed=1] ...
    """
    from playground.app_magic import run_app_cell

    shell, frame = _shell(), sys._getframe(1)
    cells = getattr(shell.compile, "_filename_map", {})
    while frame.f_back is not None and frame.f_code.co_filename not in cells:
        frame = frame.f_back
    return run_app_cell(shell, line, cell, _number_of_cell(shell, frame.f_code.co_filename))


def _matches(context: Any) -> dict[str, Any]:
    """What a path in a call of a lab's may be completed to, and then nothing else: a file's path would be none."""
    from IPython.core.completer import SimpleCompletion

    from playground.completion import routes_for

    paths = routes_for(context.text_until_cursor, _shell().user_ns)
    return {"completions": [SimpleCompletion(path, type="path") for path in paths], "suppress": bool(paths)}


setattr(_matches, "matcher_api_version", 2)  # noqa: B010 (as IPython's completer asks for it)


def _show_error(
    shell: Any, kind: type[BaseException], error: BaseException, traceback: Any, tb_offset: int | None = None
) -> Any:
    """Show an error as IPython does, with the user's own lines if it came through our code."""
    from playground.tracebacks import shorten

    shorten(error)
    short = error.__traceback__
    # IPython leaves out its own first frame, which is not in what was shortened
    offset = tb_offset if short is traceback else 0
    shown = shell.InteractiveTB.structured_traceback(kind, error, short, tb_offset=offset)
    shell._showtraceback(kind, error, shown)
    return shown


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
            return is_awaited(_code(shell, ast.parse(shell.transform_cell(source)), "<cell>"))
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):  # what compiling is known to raise
        return False


def is_awaited(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_COROUTINE)


def compiled_cell(shell: Any, source: str, line: int, number: int) -> CodeType:
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
