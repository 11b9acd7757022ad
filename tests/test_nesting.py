"""`allow_asyncio_run`: pasted scripts run in a cell, and nothing but the kernel's loop is changed."""

import ast
import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from playground import allow_asyncio_run
from playground.errors import NestingError
from playground.nesting import _check
from tests.notebooks.kernel import Kernel

INSTEAD = "write `await main()` in the cell instead of `asyncio.run(main())`"


@pytest.fixture
def kernel(jupyter_folders: Path) -> Iterator[Kernel]:
    with Kernel() as kernel:
        yield kernel


def in_a_loop(code: str) -> str:
    """What a program prints whose `main` runs this code within a running loop; warnings are errors."""
    program = (
        "import asyncio\nfrom playground import allow_asyncio_run\n\nasync def main():\n"
        "    asyncio.get_running_loop().slow_callback_duration = 60  # a busy machine is no news\n"
        f"{textwrap.indent(textwrap.dedent(code), '    ')}\n\nasyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_where_no_loop_runs_nothing_is_changed() -> None:
    found = asyncio.run
    allow_asyncio_run()
    assert asyncio.run is found
    assert not hasattr(asyncio, "_nest_patched")


def test_a_coroutine_runs_within_the_running_loop_and_gives_its_result() -> None:
    assert (
        in_a_loop("""
            async def inner(n):
                await asyncio.sleep(0.01)
                if n:
                    return asyncio.run(inner(n - 1)) + [asyncio.get_running_loop() is loop]
                return []
            loop = asyncio.get_running_loop()
            allow_asyncio_run()
            allow_asyncio_run()
            me = asyncio.current_task()
            print(asyncio.run(inner(3)), asyncio.current_task() is me)
            print(loop.run_until_complete(inner(0)))
        """)
        == "[True, True, True] True\n[]\n"
    )


def test_groups_timeouts_threads_and_anyio_work_within() -> None:
    assert (
        in_a_loop("""
            import anyio, anyio.to_thread, threading
            async def one():
                await asyncio.sleep(0.001)
                return 1
            async def script():
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(one()) for _ in range(3)]
                with anyio.move_on_after(0.01) as scope:
                    await anyio.sleep(60)
                try:
                    async with asyncio.timeout(0.01):
                        await asyncio.sleep(60)
                except TimeoutError:
                    late = True
                other = await anyio.to_thread.run_sync(threading.current_thread)
                results = [task.result() for task in tasks]
                return results, scope.cancelled_caught, late, other is threading.main_thread()
            allow_asyncio_run()
            print(asyncio.run(script()))
        """)
        == "([1, 1, 1], True, True, False)\n"
    )


def test_what_a_script_leaves_running_is_cancelled_and_what_others_run_is_not() -> None:
    assert (
        in_a_loop("""
            said = []
            async def note(name):
                try:
                    await asyncio.sleep(60)
                finally:
                    said.append(name)
            async def fail():
                try:
                    await asyncio.sleep(60)
                finally:
                    raise ValueError("on the way out")
            async def script():
                tasks.append(asyncio.create_task(note("the script's")))
                asyncio.get_running_loop().call_later(0, lambda: tasks.append(asyncio.create_task(note("a timer's"))))
                tasks.append(asyncio.create_task(fail()))
                await asyncio.sleep(0.01)
            tasks = []
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, told: print(told["message"], repr(told["exception"])))
            kernels = asyncio.create_task(note("the kernel's"))
            allow_asyncio_run()
            asyncio.run(script())
            print(sorted(said), kernels.done(), loop.get_task_factory())
            kernels.cancel()
        """)
        == "unhandled exception during asyncio.run() shutdown ValueError('on the way out')\n"
        '["a timer\'s", "the script\'s"] False None\n'
    )


def test_an_exception_passes_and_gives_back_the_debug_flag() -> None:
    assert (
        in_a_loop("""
            async def script():
                print(asyncio.get_running_loop().get_debug())
                raise ValueError("the script's own")
            loop = asyncio.get_running_loop()
            loop.set_debug(False)
            allow_asyncio_run()
            for debug in (True, False, None):
                try:
                    asyncio.run(script(), debug=debug)
                except ValueError as error:
                    print(error, loop.get_debug())
            try:
                asyncio.run(7)
            except ValueError as error:
                print(error)
        """)
        == "True\nthe script's own False\nFalse\nthe script's own False\nFalse\nthe script's own False\n"
        "a coroutine was expected, got 7\n"
    )


def test_other_loops_and_the_types_of_asyncio_are_as_before() -> None:
    assert (
        in_a_loop("""
            import _asyncio, threading
            stock = type(asyncio.get_running_loop())
            before = {name: vars(asyncio)[name] for name in ("Task", "Future", "get_event_loop")}
            methods = dict(vars(asyncio.BaseEventLoop)), dict(vars(stock))
            allow_asyncio_run()
            print({name: vars(asyncio)[name] for name in before} == before, asyncio.Task is _asyncio.Task)
            print((dict(vars(asyncio.BaseEventLoop)), dict(vars(stock))) == methods)
            def elsewhere():
                async def script():
                    loop = asyncio.get_running_loop()
                    try:
                        loop.run_until_complete(asyncio.sleep(0))
                    except RuntimeError as error:
                        print(error)
                    return loop
                made = asyncio.run(script())
                print(made.is_closed(), type(made) is stock)
            def refused():
                import warnings
                warnings.simplefilter("ignore")
                elsewhere()
            thread = threading.Thread(target=refused)
            thread.start()
            thread.join()
        """)
        == "True True\nTrue\nThis event loop is already running\nTrue True\n"
    )


def test_asyncio_runs_other_arguments_reach_it_where_no_loop_runs() -> None:
    assert (
        in_a_loop("""
            import sys, threading
            allow_asyncio_run()
            async def script():
                return type(asyncio.get_running_loop()).__name__
            def elsewhere():
                if sys.version_info >= (3, 12):
                    print(asyncio.run(script(), loop_factory=Mine))
                else:
                    print("Mine")
            class Mine(asyncio.SelectorEventLoop):
                pass
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
        """)
        == "Mine\n"
    )


def test_a_browser_is_refused_in_words() -> None:
    loop = asyncio.SelectorEventLoop()
    loop.close()
    with pytest.raises(NestingError) as refused:
        _check(loop, "emscripten", (3, 13))
    assert (
        str(refused.value)
        == f"expected a Python that can wait, got one in a browser, where no call can block: {INSTEAD}"
    )


def test_a_python_in_which_nest_asyncio_does_not_work_is_refused_in_words() -> None:
    loop = asyncio.SelectorEventLoop()
    loop.close()
    with pytest.raises(NestingError) as refused:
        _check(loop, "linux", (3, 14))
    assert str(refused.value) == (
        f"expected Python 3.13 or earlier, got 3.14, where nest_asyncio does not work: {INSTEAD}"
    )


def test_a_loop_that_is_not_asyncios_is_refused_in_words() -> None:
    async def main() -> str:
        with pytest.raises(NestingError) as refused:
            allow_asyncio_run()
        return str(refused.value)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == (
            f"expected asyncio's own event loop, got uvloop.Loop, which nest_asyncio cannot change: {INSTEAD}"
        )


def test_a_missing_nest_asyncio_is_told_with_the_command_that_installs_it() -> None:
    assert (
        in_a_loop(
            """
            import sys
            sys.modules["nest_asyncio"] = None
            try:
                allow_asyncio_run()
            except RuntimeError as error:
                print(error)
            print(asyncio.run.__module__, type(asyncio.get_running_loop()).__module__)
            """
        )
        == "expected nest_asyncio to be installed, which lets a loop run within itself: run pip install nest-asyncio\n"
        "asyncio.runners asyncio.unix_events\n"
    )


SCRIPT = """
import asyncio

async def greet(name):
    await asyncio.sleep(0.01)
    return f"hello {name}"

async def main():
    print(await asyncio.gather(greet("Ada"), greet("Grace")))

if __name__ == "__main__":
    asyncio.run(main())
"""

LABS = """
import threading, time, anyio
from playground import App, Lab
app = App()

@app.get("/report")
def report():
    time.sleep(0.02)
    return threading.current_thread().name

@app.get("/")
async def root():
    await anyio.sleep(0.01)
    await asyncio.create_task(asyncio.sleep(0.01), name="child")
    return "root"

def facts(lab):
    trace = lab.burst("/", n=3).trace
    waits = sorted({(wait.on, trace.tasks[wait.task].name) for wait in trace.waits if wait.site.function == "root"})
    children = [task.name for task in trace.tasks if task.name == "child" and task.parent is not None]
    handoffs = lab.burst("/report", n=2).trace.handoffs
    return waits, children, [(call.function, call.outcome) for call in handoffs]
"""

RECORDED = (
    "([('task', 'GET /'), ('timer', 'GET /')], ['child', 'child', 'child'], "
    "[('report', 'returned'), ('report', 'returned')])"
)


@pytest.mark.slow
def test_a_pasted_script_runs_in_a_cell_and_labs_record_as_before(kernel: Kernel) -> None:
    refused = kernel.run(SCRIPT)
    assert "RuntimeError: asyncio.run() cannot be called from a running event loop\n" in refused
    assert kernel.run(LABS + "before = Lab(app)\nprint(facts(before))") == RECORDED + "\n"
    assert kernel.run("from playground import allow_asyncio_run\nallow_asyncio_run()\nallow_asyncio_run()") == ""
    for _ in range(2):
        assert kernel.run(SCRIPT) == "['hello Ada', 'hello Grace']\n"
    assert kernel.run("print(await greet('Alan'), asyncio.run(greet('Edsger')))") == "hello Alan hello Edsger\n"
    assert kernel.run("print(facts(before))\nafter = Lab(app)\nprint(facts(after))") == f"{RECORDED}\n{RECORDED}\n"
    assert (
        kernel.run("async def both(): return (await before.client.get('/')).text\nprint(asyncio.run(both()))")
        == "root\n"
    )
    stock = "before._thread.loop._run_once.__func__ is asyncio.BaseEventLoop._run_once"
    assert kernel.run(f"print({stock}, hasattr(after._thread.loop, '_nest_patched'))") == "True False\n"


@pytest.mark.slow
def test_an_interrupted_script_cleans_up_and_leaves_the_kernel_usable(kernel: Kernel) -> None:
    kernel.run("import asyncio\nfrom playground import allow_asyncio_run\nallow_asyncio_run()")
    kernel.run(
        """
async def tick():
    try:
        print("hanging", flush=True)
        await asyncio.sleep(60)
    finally:
        print("tick ended")

async def main():
    task = asyncio.create_task(tick())
    try:
        await asyncio.sleep(60)
    finally:
        print("main ended")
"""
    )
    for _ in range(3):
        cell = kernel.cell("asyncio.run(main())", interrupt_at="hanging")
        assert "KeyboardInterrupt: \n" in cell.said
        assert {"main ended", "tick ended"} <= set(cell.said.splitlines())
    assert kernel.run("print(asyncio.run(asyncio.sleep(0, 'fine')), await asyncio.sleep(0, 'fine'))") == "fine fine\n"
    left = kernel.run("print([task.get_coro().__qualname__ for task in asyncio.all_tasks()])")
    assert not {"main", "tick"} & set(ast.literal_eval(left))
