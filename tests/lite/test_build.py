"""How a site for the browser is put together, as far as that needs neither a network nor a browser."""

import json
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from playground import __main__ as cli
from playground import lite, lite_packages, lite_ssl
from playground.errors import LiteError

WANTED = {
    **{"anyio": ["idna>=2.8", "typing_extensions>=4.5; python_version < '3.13'"], "httpx": ["anyio", "h11"]},
    **{"ipywidgets": [], "anywidget": ["ipywidgets", "nowhere; sys_platform != 'emscripten'"]},
    **{"python-multipart": [], "itsdangerous": [], "ipython": ["traitlets; extra == 'all'"], "jedi": []},
    **{"comm": [], "micropip": [], "packaging": [], "idna": [], "h11": [], "traitlets": [], "nest-asyncio": []},
}


def wheel(folder: Path, name: str, requires: list[str]) -> None:
    """A wheel with one module."""
    plain = name.replace("-", "_")
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {one}" for one in requires)]
    with zipfile.ZipFile(folder / f"{plain}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{plain}/__init__.py", "")
        archive.writestr(f"{plain}-1.0.dist-info/METADATA", "\n".join(lines))


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, requires in WANTED.items():
        wheel(folder, name, requires)
    return folder


def npm_package(folder: Path, version: str) -> Path:
    """The npm package `pyodide`, as far as it is looked at."""
    folder.mkdir()
    for name in ("pyodide.js", "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"):
        (folder / name).write_text(name)
    (folder / "package.json").write_text(json.dumps({"version": version}))
    lock = {"info": {"python": "3.13.2"}, "packages": {"ssl": {"file_name": "https://elsewhere/ssl.whl"}}}
    (folder / "pyodide-lock.json").write_text(json.dumps(lock))
    return folder


def version() -> str:
    constants = pytest.importorskip("jupyterlite_pyodide_kernel.constants", reason="the extra `lite` is not installed")
    return str(constants.PYODIDE_VERSION)


def test_the_list_names_the_files_that_are_there_and_nothing_elsewhere(tmp_path: Path, wheels: Path) -> None:
    packed = tmp_path / "pyodide.tgz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(npm_package(tmp_path / "npm", version()), "package")
    site = tmp_path / "site"
    site.mkdir()
    names = lite_packages.fill(site, pyodide=packed, wheels=wheels)
    lock = json.loads((site / "pyodide-lock.json").read_text())
    packages: dict[str, Any] = lock["packages"]
    assert lock["info"] == {"python": "3.13.2"}
    assert names == sorted(packages)
    assert {each["file_name"] for each in packages.values()} == {path.name for path in site.glob("*.whl")}
    assert set(lite_packages.STARTED_WITH) - {"pyodide_kernel"} <= set(names)
    assert {"playground", "ssl", "pyodide-kernel"} <= set(names)
    assert "nest-asyncio" not in names
    depends = {name: each["depends"] for name, each in packages.items()}
    assert depends["anyio"] == ["idna", "ssl"]  # not what only older Pythons need
    assert depends["anywidget"] == ["ipywidgets"]
    assert depends["ipython"] == []
    assert {"anyio", "anywidget", "httpx", "ipywidgets"} <= set(depends["playground"])
    assert packages["python-multipart"]["imports"] == ["python_multipart"]
    assert packages["ssl"]["imports"] == ["ssl"]


def test_playground_is_packed_as_it_is_used(tmp_path: Path) -> None:
    path = lite_packages._playground(tmp_path)
    again = Path(path).read_bytes()
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert {"playground/__init__.py", "playground/widgets/static/views.js", "playground/lite_ssl.py"} <= set(names)
    assert [name for name in names if "node_modules" in name or "/src/" in name or "__pycache__" in name] == []
    assert lite_packages._playground(tmp_path) == path
    assert Path(path).read_bytes() == again


def test_another_pyodide_than_the_kernels_is_refused(tmp_path: Path, wheels: Path) -> None:
    wanted = version()
    expected = (
        rf"^expected pyodide {wanted}, which jupyterlite-pyodide-kernel was made for, got 0\.1\.0: get it by "
        rf"`npm pack pyodide@{wanted}`$"
    )
    with pytest.raises(LiteError, match=expected):
        lite_packages.fill(tmp_path, pyodide=npm_package(tmp_path / "npm", "0.1.0"), wheels=wheels)


def test_a_missing_wheel_is_named(tmp_path: Path, wheels: Path) -> None:
    package = npm_package(tmp_path / "npm", version())
    (wheels / "h11-1.0-py3-none-any.whl").unlink()  # nobody asked for that one by name
    (wheels / "jedi-1.0-py3-none-any.whl").unlink()
    site = tmp_path / "site"
    site.mkdir()
    expected = (
        r"^expected pure wheels of all that a site needs in .*wheels, got none of jedi: add them \(pip download\)"
    )
    with pytest.raises(LiteError, match=expected):
        lite_packages.fill(site, pyodide=package, wheels=wheels)


def test_without_npm_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = version()
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = (
        r"^expected npm, to fetch Pyodide, got none on the path: install Node\.js, or give --pyodide, the npm package "
        rf"pyodide@{wanted} as a folder or a \.tgz$"
    )
    with pytest.raises(LiteError, match=expected):
        lite_packages.fill(tmp_path, pyodide=None, wheels=None)


def test_without_jupyterlite_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["lite", str(tmp_path / "site")]) == 1
    assert capsys.readouterr().err == (
        "playground: expected JupyterLite, to build a site with, got no jupyterlite_core: install it with "
        f"{sys.executable} -m pip install 'playground[lite]'\n"
    )


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "thesis.tex").touch()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    pytest.importorskip("packaging")
    with pytest.raises(LiteError, match=r"^expected a new folder, or one with a site, got .*, where something else is"):
        lite.build(tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_notebook_gets_the_browsers_kernel_and_says_what_it_cannot_do_there() -> None:
    cell: dict[str, Any] = {"cell_type": "code", "source": "1", "metadata": {}, "id": "a"}
    cell |= {"outputs": [], "execution_count": None}
    notebook = {"cells": [cell], "metadata": {"kernelspec": {"name": "python3"}, "kept": 1}, "nbformat": 4}
    runs, needs = lite.for_the_browser(notebook, "09"), lite.for_the_browser(notebook, "06")
    assert runs["cells"] == [cell]
    assert runs["metadata"]["kernelspec"]["name"] == needs["metadata"]["kernelspec"]["name"] == "python"
    assert runs["metadata"]["kept"] == 1
    assert needs["cells"][1:] == [cell]
    assert needs["cells"][0]["source"] == (
        "**In this browser it cannot all run.** This lesson measures what the threads and processes of a machine do, "
        "in real time; a browser's Python has none. Open it in JupyterLab, or on Binder."
    )
    assert notebook["cells"] == [cell]


def test_encryption_is_refused_in_words() -> None:
    expected = (
        r"^expected no encrypted connection in a browser, where Python has neither sockets nor ssl: talk to an app in "
        r"this process \(Lab, ASGITransport\), or run this outside the browser$"
    )
    for make in (lite_ssl.SSLContext, lite_ssl.MemoryBIO, lite_ssl.create_default_context):
        with pytest.raises(lite_ssl.SSLError, match=expected):
            make()
