"""What `import playground` offers, and what it must not cost."""

import importlib
import importlib.util
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

import pytest

import playground

# The public face as the design words it.
DESIGNED = {
    "App",
    "Lab",
    "Run",
    "Trace",
    "watch",
    "compare",
    "Network",
    "Workload",
    "experiment",
    "LabClosed",
    "LabError",
    "ModelError",
    "PlaygroundError",
    "ProtocolError",
    "TraceError",
    "allow_asyncio_run",
    "work",
    "Deadlock",
    "NotInVirtualTime",
    "Runaway",
}

# Jupyter, widgets, servers, what draws, and trio, which is optional: none of them may be needed to write an app
# or to read a recording.
HEAVY = {
    "IPython",
    "ipykernel",
    "jupyter_client",
    "jupyter_core",
    "jupyterlab",
    "nest_asyncio",
    "anywidget",
    "ipywidgets",
    "traitlets",
    "uvicorn",
    "starlette",
    "playwright",
    "trio",
    "greenlet",
    "gevent",
    "eventlet",
    "playground.views",
    "playground.widgets",
    "playground.demo",
}

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(playground.__path__, "playground.")
    if "node_modules" not in module.name
)


@pytest.fixture(scope="module")
def fresh() -> dict[str, Any]:
    """What a new Python has loaded and started after `import playground`, with warnings as errors."""
    code = (
        "import json, os, sys, threading; import playground; tasks = '/proc/self/task'; print(json.dumps({"
        "'modules': sorted(sys.modules), 'python_threads': threading.active_count(),"
        "'system_threads': len(os.listdir(tasks)) if os.path.isdir(tasks) else 1}))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_the_face_shows_what_is_built_of_the_design() -> None:
    assert sorted(playground.__all__) == sorted(DESIGNED)


def test_every_name_of_the_face_is_there() -> None:
    assert [name for name in playground.__all__ if not hasattr(playground, name)] == []
    assert set(playground.__all__) <= set(dir(playground))


def test_no_name_of_the_face_is_also_that_of_a_module() -> None:
    # which would stand in its place as soon as somebody imported it
    assert [name for name in playground.__all__ if importlib.util.find_spec(f"playground.{name}") is not None] == []


def test_a_name_that_is_not_there_is_told_as_python_tells_it() -> None:
    with pytest.raises(AttributeError) as missing:
        playground.Laboratory  # noqa: B018
    assert str(missing.value) == "module 'playground' has no attribute 'Laboratory'"


def test_importing_playground_loads_no_room(fresh: dict[str, Any]) -> None:
    assert [name for name in fresh["modules"] if name.startswith("playground.")] == ["playground.on_demand"]


def test_all_of_the_face_together_imports_no_jupyter_no_widget_and_no_server() -> None:
    code = "import sys; from playground import *; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert [name for name in done.stdout.split() if name in HEAVY] == []


def test_importing_playground_imports_no_jupyter_no_widget_and_no_server(fresh: dict[str, Any]) -> None:
    assert [name for name in fresh["modules"] if name in HEAVY] == []


def test_importing_playground_starts_no_thread(fresh: dict[str, Any]) -> None:
    assert (fresh["python_threads"], fresh["system_threads"]) == (1, 1)


@pytest.mark.filterwarnings("ignore:The module `middleware.wsgi` is deprecated")  # as Starlette's own says of itself
@pytest.mark.parametrize("name", MODULES)
def test_every_module_opens_with_a_paragraph_and_holds_what_it_offers(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    assert [offer for offer in getattr(module, "__all__", ()) if not hasattr(module, offer)] == []


ROOMS = sorted(module.name for module in pkgutil.walk_packages(playground.__path__, "playground.") if module.ispkg)

# What people call, and what they are given: the face, and the rooms that are meant to be used on their own.
OFFERED = [
    (module, name)
    for module in (
        "playground",
        *("playground.assertions", "playground.sweep", "playground.course", "playground.transport"),
        *("playground.trace", "playground.models.claims", "playground.models.run", "playground.comparing"),
        *("playground.watching.watch", "playground.widgets", "playground.web.applications"),
        *("playground.web.requests", "playground.web.responses", "playground.web.websockets"),
        *("playground.web.datastructures", "playground.web.authentication"),
    )
    for name in importlib.import_module(module).__all__
    if inspect.isroutine(offer := getattr(importlib.import_module(module), name)) or inspect.isclass(offer)
]


@pytest.mark.parametrize("name", ["playground", *ROOMS])
def test_every_room_says_what_it_decides_and_what_it_refuses_to_know(name: str) -> None:
    said = " ".join((importlib.import_module(name).__doc__ or "").split())
    assert re.search(r"\bdecide[sd]?\b", said)
    assert re.search(r"\brefuses to know\b|\bis for .+ to know\b", said)


def test_the_version_is_the_installed_one() -> None:
    assert playground.__version__ == version("playground")


@pytest.mark.parametrize(("module", "name"), OFFERED)
def test_what_is_offered_says_what_it_is_and_what_it_takes(module: str, name: str) -> None:
    there = dict(callables(getattr(importlib.import_module(module), name), name))
    wrong = [
        f"{each}: {told} is told of, {taken} is taken"
        for each, thing in there.items()
        if (told := told_of(thing, "Args")) is not None and told != (taken := taken_by(thing))
    ]
    assert ([each for each, thing in there.items() if not inspect.getdoc(thing)], wrong) == ([], [])


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, name in OFFERED if module.endswith("trace")])
def test_every_field_of_a_row_is_explained(module: str, name: str) -> None:
    row = getattr(importlib.import_module(module), name)
    if inspect.isclass(row) and is_dataclass(row):
        inherited = {field.name for parent in row.__mro__[1:] if is_dataclass(parent) for field in fields(parent)}
        own = {field.name for field in fields(row)} - inherited
        assert told_of(row, "Attributes") == own


def callables(thing: Any, name: str) -> Iterator[tuple[str, Any]]:
    """What is offered, and, of a class, its own public methods and properties."""
    yield name, thing
    for inner in vars(thing) if inspect.isclass(thing) else ():
        part = getattr(thing, inner)
        if not inner.startswith("_") and (inspect.isroutine(part) or isinstance(part, property | cached_property)):
            yield f"{name}.{inner}", part


def told_of(thing: Any, section: str) -> set[str] | None:
    """The names that a section of its docstring explains: `a, b: what they are`; `None` if there is no such section."""
    _, found, after = inspect.cleandoc(thing.__doc__ or "").partition(f"{section}:\n")
    lines = re.match(r"(?: .*\n|\n)*", f"{after}\n")
    assert lines
    heads = re.findall(r"^ {4}(\*{0,2}\w+(?:, \*{0,2}\w+)*):", lines[0], flags=re.MULTILINE)
    return {name.strip(" *") for head in heads for name in head.split(",")} if found else None


def taken_by(thing: Any) -> set[str]:
    return set(inspect.signature(thing).parameters) - {"self", "cls"}
