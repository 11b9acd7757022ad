"""`playground watch script.py`: a script run as `python script.py` runs it, and what its loops did, told at the end.

The script gets its own `__main__`, `sys.argv` and `sys.path[0]`. What it raises leaves this module as it is, so that
the interpreter ends as it would have: the exit code of `sys.exit`, a traceback and 1, or the signal of a keyboard
interrupt. The recording is told and written before that, whatever happened. How a loop is recorded is `watch`'s
affair, how it looks is the views'.
"""

import importlib.util
import io
import os
import runpy
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, Final

from playground.terminal import harmless
from playground.trace import Trace
from playground.views.text import report, summary
from playground.watching.watch import WatchedTrace, watch

__all__ = ["Outputs", "run"]

_HERE: Final = os.path.dirname(os.path.abspath(__file__))
_OTHERS: Final = 8
"""How many further loops are told of: a script may run one in each of a hundred threads."""


@dataclass(frozen=True)
class Outputs:
    """Where to write a recording, each `None` for nowhere. With none of them, it is told in words."""

    html: Path | None = None
    svg: Path | None = None
    save: Path | None = None

    @property
    def chosen(self) -> bool:
        return any((self.html, self.svg, self.save))

    def beside(self, number: int) -> "Outputs":
        """Where to write the recording of a further loop: `out-2.html` beside `out.html`, once that was written."""
        return Outputs(_beside(self.html, number), _beside(self.svg, number), _beside(self.save, number))


def _beside(path: Path | None, number: int) -> Path | None:
    if path is None or not path.is_file():  # beside /dev/stdout, or a folder, there is nothing to write
        return None
    return path.parent / f"{path.stem}-{number}{path.suffix}"


def run(target: str, arguments: Sequence[str], outputs: Outputs, *, module: bool = False) -> int:
    """Run a script, or a module as `python -m` does, and tell what its loops did.

    Args:
        target: the script's path, or the module's name.
        arguments: what the script finds in `sys.argv` after its own name.
        outputs: where to write the recording.
        module: whether `target` is a module's name.

    Returns:
        0, or 1 if the script is fine but a file could not be read or written.

    Raises:
        whatever the script raises, `SystemExit` and `KeyboardInterrupt` among it.
    """
    execute = _module(target) if module else _script(target)
    if execute is None:
        return 1
    told = 1
    trace = None
    try:
        with _as_main([target, *arguments]), watch(title=target if module else Path(target).name) as trace:
            try:
                execute()
            finally:
                _join_threads()
    finally:
        if trace is not None:
            told = _tell(trace, outputs)
    return told


# -- running ----------------------------------------------------------------------------------------------------


def _script(path: str) -> Callable[[], object] | None:
    """What runs a script's file; `None`, after saying so, if it cannot be read."""
    try:
        with io.open_code(os.path.abspath(path)) as file:
            source = file.read()
    except OSError as error:
        _say(f"cannot read {path}: {error.strerror}")
        return None

    def execute() -> None:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
        code: CodeType = compile(source, os.path.abspath(path), "exec")
        main = sys.modules["__main__"]
        main.__file__ = os.path.abspath(path)
        exec(code, vars(main))

    return execute


def _module(name: str) -> Callable[[], object] | None:
    """What runs a module as `python -m` does; `None`, after saying so, if there is none."""
    sys.path[0] = os.getcwd()
    try:
        found = importlib.util.find_spec(name)
    except ImportError:
        found = None
    if found is None:
        _say(f"no module named {name}")
        return None
    return lambda: runpy.run_module(name, run_name="__main__", alter_sys=True)


@contextmanager
def _as_main(argv: list[str]) -> Iterator[None]:
    """A fresh `__main__`, the script's arguments, and tracebacks that begin at the script."""
    had = sys.modules["__main__"], sys.argv, sys.path[0], sys.excepthook
    main = ModuleType("__main__")
    main.__builtins__ = sys.modules["builtins"]  # type: ignore[attr-defined]
    sys.modules["__main__"], sys.argv = main, argv
    try:
        yield
    except BaseException:
        # the script's world stays for what still runs as the interpreter ends, and for who prints the error
        sys.excepthook = _from_the_script(sys.excepthook)
        raise
    else:
        sys.modules["__main__"], sys.argv, sys.path[0], sys.excepthook = had


def _from_the_script(hook: Callable[..., Any]) -> Callable[..., Any]:
    """An excepthook without the frames of ours that stand before the script's."""

    def shown(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> Any:
        found = traceback
        while found is not None and _is_ours(found.tb_frame.f_code.co_filename):
            found = found.tb_next
        if found is not None or isinstance(error, SyntaxError):  # which was raised before the script had a frame
            error, traceback = error.with_traceback(found), found
        return hook(kind, error, traceback)

    return shown


def _is_ours(filename: str) -> bool:
    return filename.startswith((_HERE, "<frozen runpy>")) or filename == runpy.__file__


def _join_threads() -> None:
    """Python waits for a script's threads before it ends, and they may be running loops."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


# -- telling ----------------------------------------------------------------------------------------------------


def _tell(trace: WatchedTrace, outputs: Outputs) -> int:
    """Write and say what was recorded; gives 1 if something could not be written."""
    sys.stdout.flush()
    if not trace.steps:
        _say("no event loop ran, of those that can be recorded: asyncio's, uvloop's and trio's; a Lab records its own")
    elif not outputs.chosen:
        print(report(trace, width=shutil.get_terminal_size((100, 24)).columns))
    return _write_all(trace, outputs) | _tell_others(trace.others, outputs)


def _write_all(trace: Trace, outputs: Outputs) -> int:
    failed = 0
    for path, write in ((outputs.html, trace.to_html), (outputs.svg, trace.to_svg), (outputs.save, trace.save)):
        if path is not None:
            failed |= _write(path, write)
    return failed


def _write(path: Path, write: Callable[[Path], object]) -> int:
    try:
        write(path)
    except OSError as error:
        _say(f"cannot write {path}: {error.strerror}")
        return 1
    _say(f"wrote {path}")
    return 0


def _tell_others(others: Sequence[Trace], outputs: Outputs) -> int:
    """Write and say what further loops did, in other threads or by another library."""
    failed = 0
    fate = "" if outputs.chosen else ", and is not shown"
    for number, other in enumerate(others[:_OTHERS], start=2):
        _say(f"another loop ran{fate}: {other.title}. {summary(other)}")
        failed |= _write_all(other, outputs.beside(number))
    more = len(others) - _OTHERS
    if more > 0:
        _say(
            f"{more} more loops ran, and are not shown: in Python, `with playground.watch() as trace:` has all the "
            "traces beside the first in `trace.others`"
        )
    if others and not outputs.chosen:
        _say(
            "to see further loops, ask for files: `--html out.html` writes theirs as out-2.html and so on; in Python, "
            "`with playground.watch() as trace:` has them in `trace.others`"
        )
    return failed


def _say(text: str) -> None:
    print(harmless(f"playground: {text}"), file=sys.stderr)
