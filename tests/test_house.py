"""The house holds to its rules, in every room; and each rule finds the offender that was planted for it.

Exceptions stand here, each with who is behind it; one that nobody needs any more is an offender too.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import house
from tests.test_layers import DOORS

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "playground"
BOTH = pytest.mark.parametrize("root", [PACKAGE, TESTS], ids=["playground", "tests"])

# Functions whose bodies are the same on purpose, with the reason.
MEANT_TWICE: dict[frozenset[str], str] = {
    frozenset({"poll", "wait"}): "two lessons show one mistake, each in code that is read alone",
    frozenset({"_work", "_work_async"}): "a claim weighs one body with and without `async`",
    frozenset({"received", "ws_echo", "ws_three"}): "one app, written for each of the frameworks that are compared",
}

# What stands for another package, name by name: Starlette, the standard library's `ssl`, parts of d3.
STANDS_FOR_ANOTHER = ("web/", "lite_ssl.py", "widgets/src/no-transitions.js", "widgets/src/only-numbers.js")

# Who calls what nobody of ours does.
CALLED_BY_OTHERS: dict[str, set[str]] = {
    "IPython": {"load_ipython_extension", "unload_ipython_extension"},
    "pytest": {"pytest_addoption", "pytest_configure", "pytest_runtest_call", "pytest_runtest_makereport"},
    "an app": {"exception_handler"},
    "asyncio": {"_make_self_pipe", "_close_self_pipe", "_timer_handle_cancelled"},
    "the user of a loop that is recorded; looked up by `_` and the name of the loop's method": {
        *("_call_soon", "_call_soon_threadsafe", "_call_later", "_call_at", "_create_task"),
    },
    "the loop that keeps it, by the name in `kept`": {"_sender"},
    "anyio's threads": {"put_nowait", "task_done"},
    "trio": {
        *("before_run", "after_run", "task_spawned", "task_scheduled", "task_exited", "after_task_step"),
        *("before_io_wait", "after_io_wait"),
    },
    "httpx": {"handle_request"},
    "io": {"newlines", "line_buffering", "writable", "readinto"},
    "anywidget": {"_esm"},
    "somebody's tests": {"LabFactory", "assert_all_answered", "assert_nothing_left"},
    "a test of ours, that sees whether anything is kept": {"under_way"},
    "nobody: it holds what was imported in time": {"_UNPATCHED"},
}
OTHERS = {name for names in CALLED_BY_OTHERS.values() for name in names}


@cache
def offenders(rule: Callable[[Path], Any], root: Path) -> Any:
    return rule(root)


@pytest.fixture(scope="module", autouse=True)
def all_is_read_once() -> Iterator[None]:
    yield
    house.parsed.cache_clear()
    offenders.cache_clear()


@BOTH
def test_no_file_is_too_long(root: Path) -> None:
    assert house.too_long(root) == {}


@BOTH
def test_no_function_is_too_long_without_a_reason(root: Path) -> None:
    assert house.long_functions(root) == []
    assert house.long_scripted(root) == []


@BOTH
def test_every_module_opens_with_what_it_is_about(root: Path) -> None:
    assert house.without_opening(root) == []


@BOTH
def test_nothing_is_put_off(root: Path) -> None:
    assert house.put_off(root) == []


def test_no_room_hushes_every_error() -> None:
    assert house.hushed(PACKAGE) == []


@BOTH
def test_nothing_is_said_twice(root: Path) -> None:
    found = offenders(house.said_twice, root)
    assert [places for names, places in found if not any(names <= meant for meant in MEANT_TWICE)] == []


def test_no_script_leads_back_to_itself() -> None:
    assert house.circles(PACKAGE) == []


def test_an_import_inside_a_function_has_a_reason() -> None:
    # a door of test_layers.py has its reason there
    found = house.late_imports(PACKAGE)
    assert [(name, goal, line) for name, goal, line in found if (name, goal) not in DOORS] == []


def test_what_a_module_offers_somebody_asks_for() -> None:
    found = offenders(house.unasked, PACKAGE)
    strays = [(name, offer) for name, offer in found if offer not in OTHERS]
    assert [(name, offer) for name, offer in strays if not name.startswith(STANDS_FOR_ANOTHER)] == []


def test_nothing_is_there_for_nobody() -> None:
    found = offenders(house.for_nobody, PACKAGE)
    strays = [(module, name) for module, name in found if name not in OTHERS]
    assert [(module, name) for module, name in strays if not module.startswith(STANDS_FOR_ANOTHER)] == []


def test_every_exception_is_needed() -> None:
    strays = {name for _, name in [*offenders(house.for_nobody, PACKAGE), *offenders(house.unasked, PACKAGE)]}
    assert OTHERS - strays == set()
    twins = [names for root in (PACKAGE, TESTS) for names, _ in offenders(house.said_twice, root)]
    assert [meant for meant in MEANT_TWICE if not any(names <= meant for names in twins)] == []


# -- the rules find what they are for -----------------------------------------------------------------------------

CALLS = "    step()\n" * 60
BODY = ["a = 1", "b = 2", "c = 3", "return a, b, c"]

# For each rule: files that are planted, some of which keep to it, and what it is to find in them.
OFFENDERS: dict[Callable[[Path], Any], tuple[dict[str, str], Any]] = {
    house.too_long: ({"a.css": "p {}\n" * 401, "b.css": "p {}\n" * 400}, {"a.css": 401}),
    house.long_functions: (
        {"a.py": f"@mark\ndef f():\n{CALLS}", "b.py": f"# long, for it is a table\n@mark\ndef f():\n{CALLS}"},
        ["a.py, line 2: f has 61 lines, and no reason"],
    ),
    house.long_scripted: (
        {
            "a.js": f"// a\nimport b;\nexport function f() {{\n{CALLS}}}\n",
            "b.js": f"// b: long, for it is a table\nconst f = () => {{\n{CALLS}}}\n",
            "c.js": f"// c\n\nclass C {{\n  constructor() {{\n  }}\n{CALLS}}}\n",
        },
        ["a.js, line 3: a function has 62 lines, and no reason"],
    ),
    house.without_opening: (
        {"a.py": "import b\n", "b.py": "", "c.js": "start();\n", "d.js": "// What starts.\n"},
        ["a.py", "c.js"],
    ),
    house.late_imports: (
        {
            "a.py": "def f():\n    from playground.views import text\n",
            "b.py": "def f():\n    import trio  # which may be missing\n    import anyio\n\n    # late\n    import c\n",
        },
        [("a.py", "views", 2)],
    ),
    house.put_off: ({"a.js": "// what\n// TO" + "DO: how\n"}, ["a.js, line 2 puts something off"]),
    house.hushed: (
        {
            "a.py": "try:\n    f()\nexcept Exception:\n    pass\n",
            "b.py": "try:\n    f()\nexcept:\n    ...\nwith contextlib.suppress(KeyError, BaseException):\n    f()\n",
            "c.py": "try:\n    f()\nexcept Exception:\n    told()\nwith suppress(OSError):\n    f()\n",
        },
        ["a.py, line 3 hushes every error", "b.py, line 3 hushes every error", "b.py, line 5 hushes every error"],
    ),
    house.said_twice: (
        {
            "a.py": "\n    ".join(["def f():", *BODY]) + "\n\n" + "\n    ".join(["def short():", *BODY[1:]]),
            "b.py": "\n        ".join(["class B:\n    async def g(self):", "'Says it.'", *BODY]),
            "c.py": "\n    ".join(["def short():", *BODY[1:]]),
        },
        [({"f", "g"}, ["a.py: f", "b.py: g"])],
    ),
    house.circles: (
        {
            "a.js": "import { b } from './b.js';\n",
            "b.js": "import {\n  c,\n} from './c.js';\n",
            "c.js": "export { a } from './a.js';\n",
            "d.js": "import { a } from './a.js';\n",
        },
        ["a.js → c.js → b.js → a.js"],
    ),
    house.unasked: (
        {
            "a.py": "__all__ = ['f', 'g']\n",
            "b.py": "from a import f\n",
            "c.js": "export function h() {}\nexport const i = 1;\n",
            "d.js": "import { i } from './c.js';\n",
        },
        [("a.py", "g"), ("c.js", "h")],
    ),
    house.for_nobody: (
        {"a.py": "MOST = 1\n\nclass A:\n    field: int\n    def f(self):\n        local = g()\n\ndef g():\n    A.f\n"},
        [("a.py", "MOST"), ("a.py", "field")],
    ),
}


@pytest.mark.parametrize("rule", OFFENDERS, ids=lambda rule: rule.__name__)
def test_a_rule_finds_its_offender_and_nobody_else(tmp_path: Path, rule: Callable[[Path], Any]) -> None:
    planted, found = OFFENDERS[rule]
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    for name, source in planted.items():
        (rooms / name).write_text(source, encoding="utf-8")
    assert rule(rooms) == found
