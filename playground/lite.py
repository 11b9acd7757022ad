"""A site that needs no server: JupyterLab, Python, playground and the notebooks, all of it run by the browser.

It is built of packages alone (JupyterLite and its kernel, Pyodide from npm, pure wheels) and asks no other server for
anything, so that it can lie in a folder of any web server, also in a school without the internet. Which packages are
in it is for `lite_packages` to say; here they are put together with the notebooks.
"""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

from playground.classroom import for_students, without_solutions
from playground.errors import LiteError

__all__ = ["build", "for_the_browser"]

_PACKAGE: Final = Path(__file__).parent
_NEEDED: Final = ("jupyterlite_core", "jupyterlite_pyodide_kernel")
_FRONT_ENDS: Final = ("jupyterlite-pyodide-kernel", "jupyterlab-widgets", "anywidget")
"""The packages whose extensions of JupyterLab a site has, besides our own; not what else may be installed here."""
_KERNEL: Final = "@jupyterlite/pyodide-kernel-extension:kernel"
_PYTHON: Final = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
"""What that kernel is called in a notebook."""
_MACHINE: Final = (
    "This lesson measures what the threads and processes of a machine do, in real time; a browser's Python has none."
)
_NEEDS: Final = {
    "00": "Its labs live on the real clock, which needs a thread; a browser's Python has none, only virtual time.",
    **dict.fromkeys(("01", "02", "03", "06", "07", "12"), _MACHINE),
    "04": "Races between threads need threads that lose their turn in the middle of a line; a browser's Python has "
    "none. Those between tasks are here as everywhere.",
    "10": "Its last experiment is on the real clock, which needs a thread; a browser's Python has none.",
}
"""Of the course's lessons that need more than virtual time with simulated workers: what it is."""
_BESIDE: Final = (".md", ".py", ".csv", ".json", ".svg", ".png")
_MARK: Final = "jupyter-lite.json"
"""A file that each such site has."""


def build(
    output: Path, notebooks: Path, *, pyodide: Path | None = None, wheels: Path | None = None
) -> tuple[int, list[str]]:
    """Build a site.

    Args:
        output: its folder; what an earlier build has left there is replaced.
        notebooks: the folder with the notebooks that it has.
        pyodide: the npm package `pyodide`, as a folder or a .tgz; `None` to have npm fetch it.
        wheels: a folder with pure wheels of all that is needed; `None` to have pip fetch them.

    Returns:
        its size, in bytes, and the names of the Python packages in it.

    Raises:
        LiteError: what is needed is not there, or a tool has failed.
    """
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise LiteError(
            f"expected JupyterLite, to build a site with, got no {missing[0]}: install it with "
            f"{sys.executable} -m pip install 'playground[lite]'"
        )
    from playground import lite_packages

    if output.exists() and any(output.iterdir()) and not (output / _MARK).is_file():
        raise LiteError(
            f"expected a new folder, or one with a site, got {output}, where something else is: name another"
        )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        python = source / "static" / "pyodide"
        python.mkdir(parents=True)
        packages = lite_packages.fill(python, pyodide=pyodide, wheels=wheels)
        _copy_notebooks(notebooks, source / "contents")
        _write(source / _MARK, _settings(lite_packages.STARTED_WITH))
        _write(source / "jupyter_lite_config.json", _config(source, output))
        if output.exists():
            shutil.rmtree(output)
        _jupyterlite(source)
    return sum(path.stat().st_size for path in output.rglob("*") if path.is_file()), packages


def _copy_notebooks(notebooks: Path, to: Path) -> None:
    """The notebooks as students get them, and what may lie beside. Their kernel is the browser's, or it would ask."""
    to.mkdir()
    copies = for_students(notebooks)
    for path in sorted(notebooks.iterdir()):
        if path in copies:
            notebook = without_solutions(json.loads(path.read_text(encoding="utf-8")))
            _write(to / path.name, for_the_browser(notebook, path.name[:2]))
        elif path.suffix in _BESIDE:
            shutil.copy(path, to)


def for_the_browser(notebook: dict[str, Any], lesson: str) -> dict[str, Any]:
    """A notebook with the browser's kernel; if it needs what a browser does not have, its first cell says so.

    Args:
        notebook: as `json` reads one.
        lesson: its number, as it stands in its name.
    """
    cells = list(notebook["cells"])
    if lesson in _NEEDS:
        text = f"**In this browser it cannot all run.** {_NEEDS[lesson]} Open it in JupyterLab, or on Binder."
        cells.insert(0, {"cell_type": "markdown", "id": "in-the-browser", "metadata": {}, "source": text})
    return {**notebook, "cells": cells, "metadata": {**notebook["metadata"], "kernelspec": _PYTHON}}


def _settings(started_with: tuple[str, ...]) -> dict[str, Any]:
    """What the page reads: where Python is, and that there is nothing elsewhere."""
    kernel = {
        "pyodideUrl": "./static/pyodide/pyodide.js",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": list(started_with)},
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "playground",
            "litePluginSettings": {_KERNEL: kernel},
            "disabledExtensions": ["@jupyterlab/apputils-extension:announcements"],
        },
    }


def _config(source: Path, output: Path) -> dict[str, Any]:
    """What the build reads."""
    return {
        "LiteBuildConfig": {
            "apps": ["lab", "notebooks", "edit", "consoles", "tree"],
            "contents": [str(source / "contents")],
            "federated_extensions": [str(path) for path in _extensions()],
            "ignore_sys_prefix": ["federated_extensions"],
            "no_sourcemaps": True,
            "no_unused_shared_packages": True,
            "output_dir": str(output.resolve()),
            "cache_dir": str(source / "cache"),
        }
    }


def _extensions() -> Iterator[Path]:
    """The folders of the extensions, wherever they were installed."""
    yield _PACKAGE / "_jupyter" / "labextensions" / "playground"
    for name in _FRONT_ENDS:
        package = distribution(name)
        for file in package.files or ():
            if file.name == "package.json" and "labextensions" in file.parts and "static" not in file.parts:
                yield Path(str(package.locate_file(file))).resolve().parent


def _jupyterlite(source: Path) -> None:
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(source)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LiteError(f"expected JupyterLite to build the site, got this from it:\n{done.stdout}{done.stderr}")


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
