"""Which room may import which: the table of LAYOUT, held against the imports in the source.

A room is a module or a folder directly below `playground`. Imports are read with `ast`, so nothing runs, and
an import counts wherever it stands. The few that open a way up, inside a function or for type checkers only,
are doors: they cost nothing until someone goes through, and each is listed.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "playground"
FACE = "__init__"

# What a room may import, beyond the standard library and itself. To move a wall, change the design, this
# table and the code together.
ROOMS: dict[str, set[str]] = {
    FACE: {
        *("app", "lab", "nesting", "run", "web", "trace", "transport", "clock", "comparing", "watching", "models"),
        *("on_demand", "errors"),
    },
    "errors": set(),
    "asgi": {"errors"},
    "code": set(),
    "files": set(),
    "terminal": set(),
    "forked": set(),
    "collecting": {"forked"},
    "flag": set(),
    "app": {"web", "asgi", "errors", "anyio"},
    "web": {"asgi", "errors", "anyio"},
    "transport": {"asgi", "errors", "anyio", "httpx", "trio"},
    "clock": {"code", "collecting", "errors", "forked", "anyio"},
    "trace": {"asgi", "code", "errors", "files", "forked", "anyio"},
    "run": {"trace", "errors", "httpx"},
    "comparing": {"files", "run", "trace", "errors"},
    "bridge": {"clock", "errors", "httpx"},
    "forwarded": {"asgi"},
    "host": {"transport", "clock", "trace", "asgi", "errors", "anyio", "httpx"},
    "server": {"clock", "forwarded", "asgi", "errors"},
    "nesting": {"errors"},
    "on_demand": set(),
    "notebook": {"terminal", "httpx"},
    "watching": {"clock", "trace", "functions", "errors"},
    "models": {"clock", "code", "files", "trace", "run", "watching", "views", "progress", "on_demand", "errors"},
    "magics": {"watching", "errors"},
    "app_magic": {"app", "lab", "magics", "errors"},
    "completion": {"lab"},
    "tracebacks": {"code"},
    "script": {"terminal", "watching", "trace", "views"},
    "arrivals": {"errors"},
    "functions": {"errors"},
    "progress": set(),
    "orders": {"host", "errors", "httpx"},
    "sending": {"host"},
    "recordings": {"clock", "flag", "trace", "errors"},
    "live_bench": {"lab", "run", "transport", "views", "widgets"},
    "lab": {
        *("run", "bridge", "host", "server", "transport", "clock", "trace", "asgi", "errors", "httpx"),
        *("arrivals", "functions", "progress", "orders", "recordings", "sending", "tracebacks"),
    },
    "assertions": {"judging", "run", "trace", "views", "errors"},
    "judging": {"run", "trace", "views", "errors"},
    "pytest_plugin": {"code", "pytest"},
    "views": {"collecting", "trace", "errors"},
    "widgets": {"flag", "views", "trace", "errors", "anywidget", "ipywidgets", "traitlets"},
    "classroom": {"errors", "files"},
    "lite": {"classroom", "errors"},
    "lite_packages": {"errors", "packaging"},
    "lite_ssl": set(),
    "demo": {"app", "lab", "terminal", "views"},
    "sweep": {"clock", "code", "functions", "progress", "run", "swept", "errors"},
    "swept": set(),
    "course": {
        *("app", "asgi", "clock", "code", "errors", "host", "lab", "run", "trace", "transport", "views", "anyio"),
        *("httpx", "models"),
    },
    "command_line": set(),
    "__main__": {
        *("classroom", "command_line", "demo", "lite", "script", "terminal", "trace", "views", "errors"),
        "jupyterlab",
    },
}

# Files that may import more than their room: the test clients are built on a client library and our transport.
GATES: dict[str, set[str]] = {
    "web/testclient.py": {"transport"},
    "web/_testing.py": {"httpx", "httpx2"},
}

# Files that may open a door: inside a function, or under TYPE_CHECKING. Above each group, why.
DOORS: set[tuple[str, str]] = {
    # What was recorded shows itself; to draw it takes the views, and Jupyter's packages, and only then.
    ("comparing.py", "views"),
    ("comparing.py", "widgets"),
    ("lab.py", "live_bench"),
    ("lab.py", "widgets"),
    ("models/run.py", "widgets"),
    ("run.py", "views"),
    ("run.py", "widgets"),
    ("trace/rows.py", "widgets"),
    ("trace/trace.py", "views"),
    ("trace/trace.py", "widgets"),
    # There only in a notebook, or of use only there.
    ("__init__.py", "magics"),
    ("__init__.py", "notebook"),
    ("course/checked.py", "IPython"),
    ("lab.py", "notebook"),
    ("magics.py", "IPython"),
    ("magics.py", "app_magic"),
    ("magics.py", "completion"),
    ("magics.py", "tracebacks"),
    # pytest loads our plugin in every environment that has it: it costs nothing until a test asks for a lab.
    ("pytest_plugin.py", "clock"),
    ("pytest_plugin.py", "lab"),
    ("pytest_plugin.py", "run"),
    ("pytest_plugin.py", "trace"),
    ("pytest_plugin.py", "transport"),
    # A claim's child loads the one framework, or library, that it weighs: its time and memory are what is measured.
    ("models/claims/handlers_seen.py", "fastapi"),
    ("models/claims/handlers_seen.py", "lab"),
    ("models/claims/handlers_seen.py", "starlette"),
    ("models/claims/handlers_seen.py", "web"),
    ("models/claims/web_apps.py", "django"),
    ("models/claims/web_apps.py", "fastapi"),
    ("models/claims/web_apps.py", "flask"),
    ("models/claims/web_apps.py", "litestar"),
    ("models/claims/web_apps.py", "quart"),
    ("models/claims/web_apps.py", "starlette"),
    ("models/claims/web_apps.py", "web"),
    ("models/claims/weighing.py", "gevent"),
    ("models/claims/weighing.py", "greenlet"),
    # Packages of an extra: a model, a server, a form, a template, each loaded by who uses it.
    ("course/lesson_07.py", "greenlet"),
    ("lite.py", "lite_packages"),
    ("lite_packages.py", "jupyterlite_pyodide_kernel"),
    ("models/flavours.py", "eventlet"),
    ("models/flavours.py", "gevent"),
    ("models/green.py", "eventlet"),
    ("models/green.py", "gevent"),
    ("models/green.py", "greenlet"),
    ("models/loops.py", "anyio"),
    ("models/parcel.py", "cloudpickle"),
    ("nesting.py", "nest_asyncio"),
    ("server.py", "uvicorn"),
    ("sweep.py", "cloudpickle"),
    ("web/_connection.py", "typing_extensions"),
    ("web/_multipart.py", "python_multipart"),
    ("web/schemas.py", "yaml"),
    ("web/templating.py", "jinja2"),
    # Trio is loaded by who runs it, and its recording must not do it for who runs asyncio.
    ("trace/trio_instrument.py", "trio"),
    ("trace/trio_threads.py", "trio"),
    ("watching/parts.py", "trio"),
    ("watching/session.py", "trio"),
    ("watching/watch.py", "trio"),
}

# Modules that nobody of ours imports at once: who imports them asks for the package.
ON_DEMAND: dict[str, str] = {
    "web/middleware/opentelemetry.py": "opentelemetry",
    "web/middleware/sessions.py": "itsdangerous",
}


@dataclass(frozen=True)
class Imported:
    file: str  # below playground/
    line: int
    target: str  # the whole dotted name of a module
    at_once: bool  # it runs when the importing module is first imported

    @property
    def room(self) -> str:
        return room_of(Path(self.file).parts[0])

    @property
    def goal(self) -> str:
        """What the table calls the target: a room, or a package that is not ours."""
        first, *rest = self.target.split(".")
        if first != "playground":
            return first
        return rest[0] if rest else FACE

    def __str__(self) -> str:
        return f"playground/{self.file}, line {self.line}: {self.room} imports {self.target}"


def room_of(part: str) -> str:
    return part.removesuffix(".py")


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "node_modules" not in path.parts)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def statements(node: ast.AST, at_once: bool = True) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import statement below `node`, and whether it runs when the module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_once
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_type_checking(child)
        yield from statements(child, at_once and not later)


def targets(statement: ast.Import | ast.ImportFrom, path: Path, ours: set[str]) -> Iterator[str]:
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
        return
    base = statement.module or ""
    if statement.level:
        folder = path.relative_to(ROOT).parts[: -statement.level]
        base = ".".join((*folder, base)) if base else ".".join(folder)
    for alias in statement.names:  # `from playground import demo` imports a module, not a name
        yield submodule if (submodule := f"{base}.{alias.name}") in ours else base


@cache
def imports() -> list[Imported]:
    """Every import of the package; to read it all takes most of a second, and five tests ask."""
    ours = {module_name(path) for path in modules()}
    found = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        file = path.relative_to(PACKAGE).as_posix()
        for statement, at_once in statements(tree):
            found += [Imported(file, statement.lineno, target, at_once) for target in targets(statement, path, ours)]
    return found


def is_free(imported: Imported) -> bool:
    """From the standard library, or within the room."""
    return imported.goal == imported.room or imported.goal in sys.stdlib_module_names


def test_every_room_is_in_the_table() -> None:
    on_disk = {room_of(path.relative_to(PACKAGE).parts[0]) for path in modules()}
    assert on_disk == set(ROOMS)


def test_rooms_import_only_what_the_table_allows() -> None:
    strays = [
        str(imported)
        for imported in imports()
        if not is_free(imported)
        and imported.goal not in ROOMS.get(imported.room, set()) | GATES.get(imported.file, set())
        and (imported.at_once or (imported.file, imported.goal) not in DOORS)
        and ON_DEMAND.get(imported.file) != imported.goal
    ]
    assert strays == []


def test_nobody_imports_at_once_what_is_there_on_demand() -> None:
    names = {module_name(PACKAGE / file) for file in ON_DEMAND}
    assert [str(imported) for imported in imports() if imported.at_once and imported.target in names] == []


def test_every_door_is_used() -> None:
    opened = {(imported.file, imported.goal) for imported in imports() if not imported.at_once}
    assert DOORS - opened == set()


def test_every_gate_is_used() -> None:
    passed = {(imported.file, imported.goal) for imported in imports()}
    assert {(file, goal) for file, goals in GATES.items() for goal in goals} <= passed


def test_no_room_leads_back_to_itself() -> None:
    rooms = {room: reach & set(ROOMS) for room, reach in ROOMS.items()}
    assert len(list(TopologicalSorter(rooms).static_order())) == len(ROOMS)


def test_no_module_leads_back_to_itself() -> None:
    graph: dict[str, set[str]] = {}
    for imported in imports():
        importer = module_name(PACKAGE / imported.file)
        if imported.at_once and imported.target.startswith("playground") and imported.target != importer:
            graph.setdefault(importer, set()).add(imported.target)
    assert set(TopologicalSorter(graph).static_order()) >= set(graph)


def test_the_reader_of_imports_sees_them_wherever_they_stand() -> None:
    source = """
import a.b
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import c
try:
    from playground import errors, App
except ImportError:
    pass
class K:
    import d
    def method(self):
        from . import inner
        from ..views.text import lines
"""
    path = PACKAGE / "trace" / "pretended.py"
    seen = [
        (target, at_once)
        for statement, at_once in statements(ast.parse(source))
        for target in targets(statement, path, {"playground.errors", "playground.trace.inner"})
    ]
    assert seen == [
        ("a.b", True),
        ("typing", True),
        ("c", False),
        ("playground.errors", True),
        ("playground", True),
        ("d", True),
        ("playground.trace.inner", False),
        ("playground.views.text", False),
    ]
