"""The packages of a site that runs in the browser only: pure wheels, and the list by which Pyodide finds them.

Pyodide loads packages from a folder with a `pyodide-lock.json`, whose usual one names files on a public server. Here
the folder gets wheels from the package index, from `jupyterlite-pyodide-kernel` and of `playground` itself, and a list
of its own that names nothing else. What is built for a machine cannot be among them: the browser's Python has no
encryption, no SQLite and no templates of jinja2. How a site is built of it is for `lite` to say.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from playground.errors import LiteError

__all__ = ["STARTED_WITH", "fill"]

PACKAGE: Final = Path(__file__).parent

WANTED: Final = (
    # what playground rests on, and what a lesson uses besides
    *("anyio", "httpx", "ipywidgets", "anywidget", "python-multipart", "itsdangerous"),
    # what jupyterlite's kernel rests on, elsewhere taken from Pyodide's server
    *("ipython", "jedi", "comm", "micropip", "packaging"),
)
STARTED_WITH: Final = ("micropip", "piplite", "sqlite3", "ipykernel", "comm", "pyodide_kernel", "jedi", "ipython")
"""What the kernel's start asks for one by one, from wherever it can get it, unless it is loaded already (read in
jupyterlite-pyodide-kernel 0.7.2)."""

_CORE: Final = ("pyodide.js", "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
_LOCK: Final = "pyodide-lock.json"
_BROWSER: Final = {"sys_platform": "emscripten", "platform_system": "Emscripten", "os_name": "posix", "extra": ""}
_NEVER: Final = {"nest-asyncio", "pexpect", "ptyprocess", "widgetsnbextension"}
"""Of no use in a browser, though pip, which runs elsewhere, brings them; of the last the kernel has its own."""
_DATE: Final = (2026, 1, 1, 0, 0, 0)
"""Of the files in the wheels made here: the same input gives the same site."""


def fill(folder: Path, *, pyodide: Path | None, wheels: Path | None) -> list[str]:
    """Put Pyodide and all packages into an empty folder.

    Args:
        folder: where a page will find them.
        pyodide: the npm package `pyodide`, as a folder or a .tgz; `None` to have npm fetch it.
        wheels: a folder with pure wheels; `None` to have pip fetch them.

    Returns:
        the names of the packages.

    Raises:
        LiteError: something is missing, or could not be fetched.
    """
    kernel = distribution("jupyterlite-pyodide-kernel")
    core = _core(folder, pyodide, _pyodide_version())
    python = core["info"]["python"]
    found = _wheels(folder, wheels, ".".join(python.split(".")[:2]))
    found += [str(shutil.copy(path, folder)) for path in _kernels_own(kernel)]
    found += [_playground(folder), _made(folder, "ssl", {"ssl.py": (PACKAGE / "lite_ssl.py").read_bytes()})]
    found.append(_made(folder, "sqlite3", {}))  # the kernel asks for it; IPython's history goes without
    packages = dict(_described(Path(path), python) for path in found)
    packages["anyio"]["depends"].append("ssl")
    for package in packages.values():
        package["depends"] = sorted({name for name in package["depends"] if name in packages})
    (folder / _LOCK).write_text(json.dumps({"info": core["info"], "packages": packages}, indent=1, sort_keys=True))
    return sorted(packages)


# -- Pyodide -------------------------------------------------------------------------------------------------


def _pyodide_version() -> str:
    """The one that the kernel was made for."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION

    return str(PYODIDE_VERSION)


def _core(folder: Path, given: Path | None, version: str) -> dict[str, Any]:
    """Copy Pyodide's core; gives its own list of packages."""
    source = given or _npm(folder, version)
    if source.is_file():
        with tarfile.open(source) as archive:
            archive.extractall(folder / "npm", filter="data")
        if source is not given:
            source.unlink()
        source = folder / "npm" / "package"
    missing = [name for name in (*_CORE, _LOCK, "package.json") if not (source / name).is_file()]
    if missing:
        raise LiteError(
            f"expected the npm package pyodide in {source}, got no {missing[0]} there: get it by "
            f"`npm pack pyodide@{version}`"
        )
    got = json.loads((source / "package.json").read_text(encoding="utf-8"))["version"]
    if got != version:
        raise LiteError(
            f"expected pyodide {version}, which jupyterlite-pyodide-kernel was made for, got {got}: get it by "
            f"`npm pack pyodide@{version}`"
        )
    for name in _CORE:
        shutil.copy(source / name, folder)
    lock: dict[str, Any] = json.loads((source / _LOCK).read_text(encoding="utf-8"))
    shutil.rmtree(folder / "npm", ignore_errors=True)
    return lock


def _npm(folder: Path, version: str) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise LiteError(
            "expected npm, to fetch Pyodide, got none on the path: install Node.js, or give --pyodide, the npm package "
            f"pyodide@{version} as a folder or a .tgz"
        )
    _run([npm, "pack", "--silent", f"pyodide@{version}"], folder)
    return folder / f"pyodide-{version}.tgz"


# -- wheels --------------------------------------------------------------------------------------------------


def _wheels(folder: Path, given: Path | None, python: str) -> list[str]:
    """Copy or fetch what is on the package index: pure wheels for that Python, and all that they need."""
    if given is None:
        pure = ["--only-binary", ":all:", "--platform", "any", "--implementation", "py", "--abi", "none"]
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        _run([*pip, *pure, "--python-version", python, "--dest", str(folder), *WANTED], folder)
    else:
        for path in given.glob("*-none-any.whl"):
            shutil.copy(path, folder)
    paths = {path: _name(path) for path in sorted(folder.glob("*.whl"))}
    for path, name in paths.items():
        if name in _NEVER:
            path.unlink()
    missing = {canonicalize_name(name) for name in WANTED} - set(paths.values())
    if missing:
        raise LiteError(
            f"expected pure wheels of all that a site needs in {given}, got none of {', '.join(sorted(missing))}: add "
            "them (pip download), or leave out --wheels"
        )
    return [str(path) for path, name in paths.items() if name not in _NEVER]


def _kernels_own(kernel: Distribution) -> Iterator[Path]:
    """The wheels that jupyterlite's kernel brings along; of those of one name, the newest."""
    paths = [Path(str(kernel.locate_file(file))) for file in kernel.files or () if file.suffix == ".whl"]
    newest = {_name(path): path.resolve() for path in sorted(paths) if "fixtures" not in path.parts}
    yield from newest.values()


def _playground(folder: Path) -> str:
    """A wheel of playground as it is installed here, or stands in a clone."""
    files = {
        f"playground/{path.relative_to(PACKAGE).as_posix()}": path.read_bytes()
        for path in sorted(PACKAGE.rglob("*"))
        if path.is_file() and not {"node_modules", "src", "__pycache__", "_notebooks"} & set(path.parts)
    }
    return _made(folder, "playground", files, distribution("playground"))


def _made(folder: Path, name: str, files: dict[str, bytes], of: Distribution | None = None) -> str:
    """Write a wheel; gives its path."""
    version = "0" if of is None else of.version
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    needed = [] if of is None else of.requires or []
    metadata += "".join(f"Requires-Dist: {requirement}\n" for requirement in needed)
    info = f"{name}-{version}.dist-info"
    wheel = "Wheel-Version: 1.0\nGenerator: playground\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {**files, f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": wheel.encode()}
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, content in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(zipfile.ZipInfo(inner, _DATE), content, zipfile.ZIP_DEFLATED)
    return str(path)


def _name(wheel: Path) -> str:
    return canonicalize_name(wheel.name.split("-")[0])


# -- the list ------------------------------------------------------------------------------------------------


def _described(wheel: Path, python: str) -> tuple[str, dict[str, Any]]:
    """A package's entry in Pyodide's list, and under which name."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        told = HeaderParser().parsestr(archive.read(metadata).decode())
    name = _name(wheel)
    return name, {
        "name": name,
        "version": told["Version"],
        "file_name": wheel.name,
        "install_dir": "site",
        "package_type": "package",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "imports": sorted(_imports(names)),
        "depends": sorted(_depends(told, python)),
        "unvendored_tests": False,
    }


def _imports(names: Iterable[str]) -> set[str]:
    """The modules that a wheel has at its top."""
    tops = {name.partition("/")[0].removesuffix(".py") for name in names if name.endswith(".py")}
    return {top for top in tops if top.isidentifier()}


def _depends(told: Message, python: str) -> set[str]:
    """What a package needs in a browser."""
    facts = {**_BROWSER, "python_version": ".".join(python.split(".")[:2]), "python_full_version": python}
    needed = [Requirement(line) for line in told.get_all("Requires-Dist") or ()]
    return {canonicalize_name(each.name) for each in needed if each.marker is None or each.marker.evaluate(facts)}


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing was said"]
        raise LiteError(
            f"expected `{' '.join(command)}` to fetch what the site needs, got: {said[0]}. Is there a network?"
        )
