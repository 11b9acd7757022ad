"""`watch` and `%%watch` in a kernel and in plain IPython: the cell's own loop, left as it was found."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.errors import WatchError
from tests.notebooks.kernel import Kernel
from tests.watched import main, named

# -- in a kernel ----------------------------------------------------------------------------------------------------


@pytest.fixture
def kernel(jupyter_folders: Path) -> Iterator[Kernel]:
    with Kernel() as kernel:
        yield kernel


def run(kernel: Kernel, code: str, *, interrupt_at: str | None = None) -> tuple[str, list[dict[str, Any]]]:
    """Run a cell to its end: its text, errors included, and the values that it shows."""
    cell = kernel.cell(code, interrupt_at=interrupt_at)
    return cell.said, cell.shown


SETUP = """
import asyncio, time
from playground import watch
%load_ext playground
loop = asyncio.get_running_loop()
names = ("_run_once", "call_soon", "call_soon_threadsafe", "create_task", "run_in_executor")

def left():
    return [name for name in names if name in vars(loop)]

async def main():
    await asyncio.sleep(0.001)
    time.sleep(0.06)
"""

# in small sleeps: the kernel's own handler cancels the cell, which a loop that sleeps sees when it next wakes
HANG = """%%watch
print("on", flush=True)
for _ in range(6000):
    await asyncio.sleep(0.01)
"""
TELL = "block, = trace.blocks(); print(trace.title, block.site, block.call, left())"


@pytest.mark.slow
def test_a_kernels_own_loop_is_recorded_and_left_as_it_was_found(kernel: Kernel) -> None:
    assert run(kernel, SETUP) == ("", [])
    assert run(kernel, "with watch() as trace:\n    await main()\n" + TELL) == (
        "Watched code cell 1, line 12 time.sleep(0.06) []\n",
        [],
    )
    said, shown = run(kernel, "%%watch\nfor word in ['''a\nb''']:\n    await main()\nx = word")
    assert said == ""
    (bundle,) = shown
    assert bundle["text/plain"].startswith("cell 3: ")
    assert {"image/svg+xml", "application/vnd.jupyter.widget-view+json"} <= set(bundle)
    assert run(kernel, "trace = _; print(x == 'a\\nb'); " + TELL)[0] == (
        "True\ncell 3 cell 1, line 12 time.sleep(0.06) []\n"
    )
    said, shown = run(kernel, "\n%%watch my own title\n\ntime.sleep(0.06)")
    assert (said, shown[0]["text/plain"][:13]) == ("", "my own title:")
    assert run(kernel, "trace = _; " + TELL)[0] == "my own title cell 5, line 4 time.sleep(0.06) []\n"


@pytest.mark.slow
def test_a_watched_cell_that_fails_or_is_interrupted_shows_its_recording_and_leaves_nothing(kernel: Kernel) -> None:
    run(kernel, SETUP)
    said, (shown,) = run(kernel, "%%watch\nawait main()\n1 / 0")
    assert said == "ZeroDivisionError: division by zero\n"
    assert shown["text/plain"].startswith("cell 2: ")
    began = time.monotonic()
    said, (shown,) = run(kernel, HANG, interrupt_at="on")
    assert time.monotonic() - began < 30  # it would take a minute
    assert "KeyboardInterrupt" in said or "CancelledError" in said
    assert shown["text/plain"].startswith("cell 3: ")
    assert run(kernel, "print(left(), (await asyncio.create_task(asyncio.sleep(0, 'fine'))))")[0] == "[] fine\n"
    assert run(kernel, "trace = watch(main); " + TELL)[0] == "main cell 1, line 12 time.sleep(0.06) []\n"


@pytest.mark.slow
def test_a_watched_cell_that_awaits_nothing_is_interrupted_at_once(kernel: Kernel) -> None:
    run(kernel, SETUP)
    said, (shown,) = run(kernel, "%%watch\nprint('on', flush=True)\ntime.sleep(20)\nprint('over')", interrupt_at="on")
    assert said == "on\nKeyboardInterrupt: \n"
    assert shown["text/plain"].startswith("cell 2: ")
    said, (shown,) = run(kernel, "%%watch\ntime.sleep(0.06)\n1 / 0")
    assert said == "ZeroDivisionError: division by zero\n"
    assert shown["text/plain"].startswith("cell 3: ")
    assert run(kernel, "print(left())")[0] == "[]\n"


@pytest.mark.slow
def test_a_pasted_script_is_recorded_on_the_kernels_loop(kernel: Kernel) -> None:
    run(kernel, SETUP)
    run(kernel, "from playground import allow_asyncio_run; allow_asyncio_run()")
    said, _ = run(kernel, "with watch() as trace:\n    asyncio.run(main())\n" + TELL)
    assert said == "Watched code cell 1, line 12 time.sleep(0.06) []\n"


# -- the magic in plain IPython -------------------------------------------------------------------------------------


@pytest.fixture
def shell() -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "playground")
    yield shell
    shell.run_line_magic("unload_ext", "playground")
    InteractiveShell.clear_instance()


def test_a_cell_is_rewritten_only_where_it_begins_with_the_magic(shell: Any) -> None:
    assert ".watch_plain_cell('a title', 'x = 1\\n', 2)" in shell.transform_cell("%%watch a title\nx = 1\n")
    assert ".watch_plain_cell('', 'x = 1\\n', 4)" in shell.transform_cell("\n\n%%watch\nx = 1\n")
    for cell in ("x = '''\n%%watch\n'''\n", "%%watchful\nx\n", "", "\n"):
        assert "magics" not in shell.transform_cell(cell)
    assert "watch" in shell.magics_manager.magics["cell"]
    shell.run_line_magic("unload_ext", "playground")
    assert "magics" not in shell.transform_cell("%%watch\nx = 1\n")
    assert "watch" not in shell.magics_manager.magics["cell"]
    shell.run_line_magic("load_ext", "playground")


@pytest.mark.parametrize(
    ("source", "awaits"),
    [
        ("await x", True),
        ("async with x: pass", True),
        ("async for y in x: pass", True),
        ("%matplotlib inline\n!ls\ny = [await z for z in x]", True),
        ("async def f():\n    await x", False),
        ("'await x'  # await x", False),
        ("files = !ls", False),
        ("%%time\nawait x", False),
        ("", False),
        ("await x = = 1", False),
        ("return 3", False),
        ("'\\d' is x", False),  # of which compiling warns
    ],
)
def test_only_a_cell_that_awaits_is_awaited(shell: Any, source: str, awaits: bool) -> None:
    line = shell.transform_cell("%%watch\n" + source)
    assert (line.startswith("await "), ".watch_plain_cell(" not in line) == (awaits, awaits)


def test_a_watched_cell_of_plain_ipython_may_run_loops_of_its_own(shell: Any) -> None:
    shell.user_ns["main"] = main
    ran = shell.run_cell("%%watch two loops\nimport asyncio\nx = asyncio.run(main())\nasyncio.run(main())")
    assert (ran.success, ran.result.title, shell.user_ns["x"]) == (True, "two loops", "done")
    assert named(ran.result) == ["main", "child", "child"] * 2
    ran = shell.run_cell("%%watch awaited\nx = await main(), 2")
    assert (ran.success, ran.result.title, shell.user_ns["x"]) == (True, "awaited", ("done", 2))
    ran = shell.run_cell("%%watch\nx = = 1")
    assert (type(ran.error_in_exec), ran.error_in_exec.lineno) == (SyntaxError, 2)


def test_the_magic_called_by_its_name_runs_cells_that_do_not_await(shell: Any) -> None:
    shell.user_ns["main"] = main
    trace = shell.run_cell_magic("watch", "by name", "import asyncio\nx = asyncio.run(main())")
    assert (trace.title, shell.user_ns["x"], named(trace)) == ("by name", "done", ["main", "child", "child"])
    with pytest.raises(WatchError) as refused:
        shell.run_cell_magic("watch", "", "import asyncio\nloop = asyncio.get_event_loop\nawait asyncio.sleep(0)")
    assert str(refused.value) == (
        "expected a cell without a top-level await, for this magic is within another or called by its name: put "
        "%%watch on the first line of the cell"
    )
