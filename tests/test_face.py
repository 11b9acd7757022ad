"""What `import playground` offers, and what it must not cost."""

import importlib
import importlib.util
import json
import pkgutil
import subprocess
import sys
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
    assert [name for name in fresh["modules"] if name.startswith("playground.")] == []


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
