"""What may be said on the command line: the commands, their options, and what `--help` tells of them.

It decides the words, and refuses to know what is done when they are said (`__main__`).
"""

import argparse
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["parser"]


def parser() -> argparse.ArgumentParser:
    """All commands, and what may be said to each; `command` is the one that was said."""
    words = argparse.ArgumentParser(
        prog="playground", description="See what your async web app is doing.", allow_abbrev=False
    )
    words.add_argument("--version", action="version", version=f"playground {version('playground')}")
    commands = words.add_subparsers(dest="command", required=True, metavar="command")

    lab = commands.add_parser(
        "lab",
        help="open JupyterLab on the notebooks",
        description="Open JupyterLab on a copy of the notebooks without the solutions, in which your work is kept. "
        "Other options go to JupyterLab as they are.",
        allow_abbrev=False,
    )
    lab.add_argument("--no-browser", action="store_true", help="only start the server and print its address")
    lab.add_argument("--port", type=int, help="listen here, or on the next free port (default: 8888)")

    demo = commands.add_parser(
        "demo",
        help="the first notebook's story, without Jupyter",
        description="Send fifty requests to an app with a mistake in it, and see what went wrong.",
        allow_abbrev=False,
    )
    page = demo.add_mutually_exclusive_group()
    page.add_argument(
        "--html",
        type=Path,
        metavar="PATH",
        default=Path("timeline.html"),
        help="where to write the interactive timeline (default: %(default)s)",
    )
    page.add_argument("--no-html", action="store_const", const=None, dest="html", help="do not write it")
    _add_watch(commands)
    _add_summary(commands)
    _add_lite(commands)
    _add_classroom(commands)
    return words


def _add_watch(commands: Any) -> None:
    watch = commands.add_parser(
        "watch",
        help="run a script and see what its event loops do",
        description="Run a Python script as `python script.py` would, record every event loop that it runs, and "
        "tell what they did: in words on stdout, or in the files asked for. What further loops did, in other threads, "
        "goes to files beside those (out-2.html beside out.html). Options come before the script.",
        usage="playground watch [--html PATH] [--svg PATH] [--save PATH] (script.py | -m module) [argument ...]",
        allow_abbrev=False,
    )
    watch.add_argument("--html", type=Path, metavar="PATH", help="write the interactive timeline")
    watch.add_argument("--svg", type=Path, metavar="PATH", help="write the timeline as a picture")
    watch.add_argument("--save", type=Path, metavar="PATH", help="write the recording, for Trace.load")
    watch.add_argument("-m", dest="module", action="store_true", help="run a module instead, as `python -m` does")
    watch.add_argument("script", help="the script's path, or the module's name")
    watch.add_argument("arguments", nargs=argparse.REMAINDER, help="what the script finds in sys.argv")


def _add_summary(commands: Any) -> None:
    summary = commands.add_parser(
        "summary",
        help="tell what is in a recording",
        description="Tell in words what is in a recording that Trace.save, or `playground watch --save`, wrote: a "
        "line that sums it up, what went wrong, and the timeline.",
        allow_abbrev=False,
    )
    summary.add_argument("file", type=Path, help="the recording")
    summary.add_argument("--json", action="store_true", help="the line and the findings, as JSON")


def _add_lite(commands: Any) -> None:
    lite = commands.add_parser(
        "lite",
        help="build a site with the notebooks that runs in the browser only",
        description="Build a folder with JupyterLab, Python, playground and the notebooks, all of it run by the "
        "browser: any web server can serve it, and it asks no other for anything. Worker threads are simulated there, "
        "and time is virtual.",
        allow_abbrev=False,
    )
    lite.add_argument("output", type=Path, help="the site's folder")
    lite.add_argument("--notebooks", type=Path, metavar="PATH", help="the notebooks in it (default: the course)")
    lite.add_argument("--pyodide", type=Path, metavar="PATH", help="the npm package pyodide (default: npm fetches it)")
    lite.add_argument("--wheels", type=Path, metavar="PATH", help="a folder of pure wheels (default: pip fetches them)")


def _add_classroom(commands: Any) -> None:
    students = commands.add_parser(
        "students",
        help="write the notebooks without the solutions",
        description="Write students' copies of the notebooks, without the solutions, into a folder. A copy that has "
        "been changed there stays as it is.",
        allow_abbrev=False,
    )
    course = commands.add_parser(
        "course",
        help="lay out a course for nbgrader",
        description="Lay out a folder for nbgrader: its configuration, and each lesson, solutions included, as an "
        "assignment. What has been changed there stays as it is.",
        allow_abbrev=False,
    )
    for command in (students, course):
        command.add_argument("output", type=Path, help="the folder")
        command.add_argument("--notebooks", type=Path, metavar="PATH", help="made from these (default: the course)")
