"""The command line: `playground lab`, `demo`, `watch`, `summary`, `lite`, `students` and `course`.

Decides what is done for the words that `command_line` takes, where the notebooks are, and how a command ends: 0 it did
what was asked, 1 it could not and said why on stderr, 2 the words were wrong (argparse). It refuses to know
what a lab or a recording is: `demo` tells that story, and JupyterLab shows the notebooks.
"""

import argparse
import importlib.util
import io
import json
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from playground.classroom import for_students, hand_out, lay_out_course
from playground.command_line import parser
from playground.errors import ClassroomError
from playground.terminal import harmless

if TYPE_CHECKING:
    from playground.trace import Trace

__all__ = ["main"]

PACKAGE = Path(__file__).parent
FIRST_NOTEBOOK = "00_start_here.ipynb"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` defaults to the words after the program's name. Returns the exit code."""
    words = parser()
    options, unknown = words.parse_known_args(argv)
    if unknown and options.command != "lab":  # only `lab` has someone to pass them on to
        words.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.command == "watch":  # not within the try below: the script's errors are its own
        return watch(options)
    if options.command == "lab":
        command = partial(lab, options, unknown)
    else:
        commands = {"demo": demo, "summary": summary, "lite": lite, "students": students, "course": course}
        command = partial(commands[options.command], options)
    try:
        return command()
    except BrokenPipeError:  # who reads us, such as `head`, has seen enough; Python's own last flush must not fail
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ClassroomError as error:
        return _fail(str(error))
    except OSError as error:
        if error.filename is None:  # not about a file that the user named: a defect, to be seen whole
            raise
        return _fail(f"cannot write {error.filename}: {error.strerror}")


# -- playground watch ----------------------------------------------------------------------------------------


def watch(options: argparse.Namespace) -> int:
    """Run a script, recorded; what the script raises is raised."""
    from playground import script  # each command loads what it needs itself: `--help` is to come at once

    outputs = script.Outputs(options.html, options.svg, options.save)
    return script.run(options.script, options.arguments, outputs, module=options.module)


# -- playground summary --------------------------------------------------------------------------------------


def summary(options: argparse.Namespace) -> int:
    """Tell what is in a recording."""
    from playground.errors import TraceError  # as above
    from playground.trace import Trace
    from playground.views.text import report

    try:
        trace = Trace.load(options.file)
    except OSError as error:
        return _fail(f"cannot read {options.file}: {error.strerror}")
    except TraceError as error:
        return _fail(f"cannot read {options.file}: {error}")
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that has no blocks for the timeline shows ? for them
        sys.stdout.reconfigure(errors="replace")
    print(_as_json(trace) if options.json else report(trace, width=shutil.get_terminal_size((100, 24)).columns))
    sys.stdout.flush()  # here, where a reader who has left is dealt with
    return 0


def _as_json(trace: "Trace") -> str:
    counts = {kind: len(getattr(trace, kind)) for kind in ("requests", "tasks", "steps", "handoffs")}
    findings = [
        {"rule": found.rule, "severity": found.severity, "start_ns": found.start_ns, "end_ns": found.end_ns}
        | {"sentence": str(found)}
        for found in trace.diagnosis
    ]
    facts = {"title": trace.title, "clock": trace.clock, "duration_ns": trace.duration_ns, "dropped": trace.dropped}
    return json.dumps({**facts, **counts, "summary": trace.summary, "findings": findings}, indent=2)


# -- playground lite -----------------------------------------------------------------------------------------


def lite(options: argparse.Namespace) -> int:
    """Build a site for the browser."""
    from playground.errors import LiteError  # as above
    from playground.lite import build

    notebooks = options.notebooks or originals(PACKAGE)
    try:
        size, packages = build(options.output, notebooks, pyodide=options.pyodide, wheels=options.wheels)
    except LiteError as error:
        return _fail(str(error))
    _say(f"{options.output}: {size / 1e6:,.0f} MB, with {len(packages)} Python packages. To look at it:\n")
    _say(f"    {shlex.quote(sys.executable)} -m http.server --directory {shlex.quote(str(options.output))}")
    return 0


# -- playground demo -----------------------------------------------------------------------------------------


def demo(options: argparse.Namespace) -> int:
    """Tell the first notebook's story in the terminal."""
    from playground import demo as story  # as above

    story.tell(print, html=options.html, width=shutil.get_terminal_size((100, 24)).columns)
    return 0


# -- playground students, playground course ------------------------------------------------------------------


def students(options: argparse.Namespace) -> int:
    """Write students' copies of the notebooks."""
    notebooks = options.notebooks or originals(PACKAGE)
    _say_outdated(hand_out(notebooks, options.output), options.output)
    _say(f"{options.output}: without solutions, {', '.join(path.name for path in for_students(notebooks))}.")
    return 0


def course(options: argparse.Namespace) -> int:
    """Lay out a course for nbgrader."""
    assignments, outdated = lay_out_course(options.notebooks or originals(PACKAGE), options.output)
    _say_outdated(outdated, options.output)
    _say(f"{options.output}: {', '.join(assignments)}. To make the students' copies of the first:\n")
    _say(f"    cd {shlex.quote(str(options.output))} && nbgrader generate_assignment {assignments[0]}")
    return 0


def _say_outdated(names: Sequence[str], folder: Path) -> None:
    for name in names:
        note = f"{folder / name} has been changed, and stays; there is a newer one, for which it has to be renamed"
        print(harmless(f"playground: {note}"), file=sys.stderr)


# -- playground lab ------------------------------------------------------------------------------------------


def lab(options: argparse.Namespace, extra: Sequence[str]) -> int:
    """Open JupyterLab on the notebooks; returns when its server has stopped."""
    if importlib.util.find_spec("jupyterlab") is None:
        return _fail(missing_jupyterlab(PACKAGE, sys.executable))
    folder = notebooks_folder(PACKAGE, Path.cwd())
    if not any(word.startswith("--ServerApp.root_dir") for word in extra):  # another folder, such as the originals'
        _say_outdated(hand_out(originals(PACKAGE), folder), folder)
    # Read by JupyterLab and its kernels: our page_config.json turns off the question about news and updates; our
    # extension shows a saved view's picture where its widget is gone.
    for name in ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH"):
        os.environ[name] = os.pathsep.join(filter(None, [str(PACKAGE / "_jupyter"), os.environ.get(name)]))
    # so that `!python` in a cell is the Python that the cell runs in, though nobody activated its environment
    os.environ["PATH"] = os.pathsep.join(filter(None, [str(Path(sys.executable).parent), os.environ.get("PATH")]))
    from jupyterlab.labapp import LabApp  # which is there only with the extra `lab`

    LabApp.launch_instance(jupyter_arguments(options, extra, folder, root=_is_root()))
    return 0


def originals(package: Path) -> Path:
    """The folder with the notebooks themselves, solutions included."""
    return package.parent / "notebooks" if _is_clone(package) else package / "_notebooks"


def notebooks_folder(package: Path, here: Path) -> Path:
    """The folder with the copies to work in: in a clone, where git ignores them; or else below `here`."""
    return package.parent / "build" / "notebooks" if _is_clone(package) else here / "playground-notebooks"


def jupyter_arguments(options: argparse.Namespace, extra: Sequence[str], folder: Path, *, root: bool) -> list[str]:
    """JupyterLab's command line. It takes no option twice, so one in `extra` replaces our own."""
    ours = {"--ServerApp.root_dir": str(folder), "--LabApp.default_url": f"/lab/tree/{FIRST_NOTEBOOK}"}
    if options.port is not None:
        ours["--ServerApp.port"] = str(options.port)
    said = {word.partition("=")[0] for word in extra}
    arguments = [f"{name}={value}" for name, value in ours.items() if name not in said]
    if options.no_browser:
        arguments.append("--no-browser")
    if root:  # containers run as root; Jupyter would refuse to start, though it listens on this machine only
        arguments.append("--allow-root")
    return [*arguments, *extra]


def missing_jupyterlab(package: Path, python: str) -> str:
    """What to say where there is no JupyterLab: who lacks it, and the command that installs it."""
    quoted = shlex.quote(python)
    has_pip = importlib.util.find_spec("pip") is not None  # an environment that uv made has none
    install = f"{quoted} -m pip install" if has_pip else f"uv pip install --python {quoted}"
    if _is_clone(package):
        command = f"cd {shlex.quote(str(package.parent))} && {install} -c binder/requirements.txt -e '.[lab]'"
    else:
        command = f"{install} jupyterlab ipykernel"
    return f"`playground lab` opens JupyterLab, which {python} does not have. Install it:\n\n    {command}"


def _is_clone(package: Path) -> bool:
    return (package.parent / "pyproject.toml").is_file() and (package.parent / "notebooks").is_dir()


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _say(text: str) -> None:
    print(harmless(text))


def _fail(reason: str) -> int:
    print(harmless(f"playground: {reason}"), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
