"""`watch`: what it records of code that is no web app, in every form, and that it leaves nothing behind."""

import asyncio
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from jupyter_client.manager import KernelManager

from playground import Lab, Trace, watch
from playground.errors import WatchError
from playground.views.lanes import lanes


async def child() -> None:
    await asyncio.sleep(0.001)


async def main() -> str:
    async with asyncio.TaskGroup() as group:
        group.create_task(child(), name="first")
        group.create_task(child(), name="second")
    await asyncio.to_thread(time.sleep, 0.001)
    return "done"


def named(trace: Trace) -> list[str]:
    return [row.coroutine for row in trace.tasks if not row.coroutine.startswith(("BaseEventLoop.", "Loop."))]


# -- the forms ------------------------------------------------------------------------------------------------------


def test_a_with_block_records_the_loops_that_run_in_it() -> None:
    with watch() as trace:
        asyncio.run(main())
    assert isinstance(trace, Trace)
    assert named(trace) == ["main", "child", "child"]
    assert {row.outcome for row in trace.tasks} == {"returned"}
    assert [trace.waits[index].on for index in trace.waits_of[0]] == ["task", "thread"]
    assert [handoff.function for handoff in trace.handoffs] == ["sleep"]
    assert (trace.title, trace.result, trace.others) == ("Watched code", None, ())


def test_a_function_is_called_and_its_result_kept_beside_the_trace() -> None:
    trace = watch(main)
    assert (named(trace), trace.title, trace.result) == (["main", "child", "child"], "main", "done")

    def run() -> str:
        return asyncio.run(main())

    trace = watch(run, title="a plain function")
    assert (named(trace), trace.title, trace.result) == (["main", "child", "child"], "a plain function", "done")


def test_within_a_running_loop_an_async_function_gets_a_loop_beside_it() -> None:
    async def cell() -> Trace:
        return watch(main)

    trace = asyncio.run(cell())
    assert {"main", "child"} <= set(named(trace))
    main_task = named(trace).index("main")
    assert trace.tasks[main_task].outcome == "returned"
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("playground")]


def test_within_a_running_loop_a_with_block_records_that_loop() -> None:
    async def cell() -> Trace:
        with watch(title="a cell") as trace:
            await main()
        return trace

    trace = asyncio.run(cell())
    assert named(trace) == ["test_within_a_running_loop_a_with_block_records_that_loop.<locals>.cell", "child", "child"]
    assert [trace.tasks[index].outcome for index in range(3)] == ["pending", "returned", "returned"]
    assert [trace.tasks[index].parent for index in range(3)] == [None, 0, 0]


def test_a_recording_is_complete_after_an_error_too() -> None:
    with pytest.raises(ValueError, match=r"^no$"), watch() as trace:
        asyncio.run(fails())
    assert named(trace) == ["fails"]
    assert trace.tasks[0].outcome == "raised"


async def fails() -> None:
    raise ValueError("no")


def test_a_watched_trace_can_be_saved_and_drawn_like_any_other(tmp_path: Path) -> None:
    trace = watch(main)
    trace.save(tmp_path / "main.trace")
    assert Trace.load(tmp_path / "main.trace").steps == trace.steps
    assert trace.to_svg().startswith("<svg")


def test_where_no_loop_runs_the_trace_is_empty() -> None:
    trace = watch(lambda: 3, title="nothing")
    assert (trace.steps, trace.tasks, trace.title, trace.result) == ((), (), "nothing", 3)


def test_each_task_has_a_lane_and_what_only_keeps_the_loop_has_none() -> None:
    async def cell() -> Trace:
        return watch(main)

    for trace in (watch(main), asyncio.run(cell())):
        assert [each.label for each in lanes(trace).requests] == ["main", "child (first)", "child (second)"]
        assert ">Tasks<" in trace.to_svg()
        lines = [line for line in str(trace).splitlines() if line.startswith(("main ", "child (", "lab", "_"))]
        assert [line[:10] for line in lines] == ["main      ", "child (fir", "child (sec"]


def test_trios_own_tasks_have_no_lane() -> None:
    async def sleeps() -> None:
        await trio.sleep(0.001)

    async def both() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleeps)
            nursery.start_soon(sleeps, name="second")

    trace = watch(both, backend="trio")
    assert [each.label for each in lanes(trace).requests] == ["both", "sleeps", "sleeps (second)"]


# -- what cannot be asked -------------------------------------------------------------------------------------------


def test_a_recording_that_goes_on_says_so() -> None:
    with watch(title="mine") as trace:
        assert repr(trace) == "<Trace 'mine': being recorded>"
        with pytest.raises(WatchError) as refused:
            len(trace.steps)
    assert str(refused.value) == (
        "expected a recording that is over, got one that goes on: ask for 'steps' after the with block"
    )
    with pytest.raises(AttributeError):
        trace.nonsense  # noqa: B018


def test_a_second_watch_at_the_same_time_is_refused_and_disturbs_nothing() -> None:
    with watch() as trace:
        with pytest.raises(WatchError) as refused:
            watch(main)
        asyncio.run(main())
    assert str(refused.value) == (
        "expected one watch at a time, got a second while the first goes on: leave the first with block, or let one "
        "watch cover both; it records every loop of the process"
    )
    assert named(trace) == ["main", "child", "child"]


def test_what_is_no_function_is_refused_in_words() -> None:
    with pytest.raises(WatchError) as refused:
        watch(main())  # type: ignore[call-overload]
    assert str(refused.value) == (
        "expected a function to call, got coroutine: pass the function itself, as in watch(main) and not watch(main())"
    )
    with pytest.raises(WatchError) as refused:
        watch(main, backend="curio")  # type: ignore[call-overload]
    assert str(refused.value) == "expected backend='asyncio' or backend='trio', got 'curio'"


def test_a_labs_loop_is_left_to_the_lab() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nobody calls it")

    async def within() -> None:
        with watch():
            pass

    with Lab(app) as lab:
        with pytest.raises(WatchError) as refused:
            lab.run(within)
        with watch() as trace:
            lab.run(child)
    assert str(refused.value) == (
        "expected a loop that nobody records, got a lab's during a run: the run's trace shows it already"
    )
    assert trace.steps == ()


# -- several loops --------------------------------------------------------------------------------------------------


def test_loops_that_follow_one_another_are_one_story() -> None:
    def twice() -> None:
        asyncio.run(child())
        asyncio.run(child())

    trace = watch(twice)
    assert named(trace) == ["child", "child"]
    assert trace.others == ()
    assert trace.tasks[0].ended_ns is not None
    assert trace.tasks[0].ended_ns <= trace.tasks[1].created_ns
    for before, after in zip(trace.steps, trace.steps[1:], strict=False):
        assert before.end_ns <= after.start_ns


def test_a_loop_that_runs_twice_keeps_its_tasks() -> None:
    def twice() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(asyncio.sleep(0.002))
        loop.run_until_complete(child())
        loop.run_until_complete(task)
        loop.close()

    trace = watch(twice)
    assert sorted(named(trace)) == ["child", "sleep"]
    assert {row.outcome for row in trace.tasks} == {"returned"}


def test_loops_in_other_threads_are_recorded_beside_and_named_after_them() -> None:
    def both() -> None:
        thread = threading.Thread(target=asyncio.run, args=(main(),), name="worker bee")
        thread.start()
        asyncio.run(child())
        thread.join()

    trace = watch(both, title="both")
    assert named(trace) == ["child"]
    (other,) = trace.others
    assert (named(other), other.title) == (["main", "child", "child"], "both, worker bee")
    assert len(other.handoffs) == 1


@pytest.mark.parametrize("name", ["Control", "IOPub", "Shell channel", "subshell-1"])
def test_the_threads_of_a_kernel_are_not_shown(name: str) -> None:
    def run() -> None:
        thread = threading.Thread(target=asyncio.run, args=(child(),), name=name)
        thread.start()
        asyncio.run(main())
        thread.join()

    assert watch(run).others == ()


def test_a_loop_made_in_one_thread_and_run_in_another_is_recorded_there() -> None:
    def run() -> None:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
        thread.start()
        thread.join()
        loop.close()

    trace = watch(run)
    assert named(trace) == ["main", "child", "child"]


def test_uvloop_is_recorded_from_its_first_step_however_it_is_made() -> None:
    uvloop = pytest.importorskip("uvloop")
    found = dict(vars(uvloop.Loop))
    made_before = uvloop.new_event_loop()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
        made_before.run_until_complete(main())
        made_before.close()

    trace = watch(run)
    assert named(trace) == ["main", "child", "child"] * 2
    assert len(trace.handoffs) == 2
    first = trace.steps[trace.steps_of[0][0]]
    assert (first.outcome, first.site and first.site.function) == ("waits", "main")
    assert dict(vars(uvloop.Loop)) == found


# -- giving back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_of_asyncio_is_left_changed(error: type[BaseException] | None) -> None:
    found = dict(vars(asyncio.BaseEventLoop))
    threads = set(threading.enumerate())

    async def body() -> None:
        await asyncio.sleep(0)
        if error is not None:
            raise error

    if error is None:
        watch(body)
    else:
        with pytest.raises(error):
            watch(body)
    assert dict(vars(asyncio.BaseEventLoop)) == found
    assert set(threading.enumerate()) <= threads
    assert named(watch(child)) == ["child"]  # and the next one may begin


# -- python -m playground watch -------------------------------------------------------------------------------------

SCRIPT = '''"""A script."""
import asyncio, pickle, sys, __main__

class Thing:
    pass

print(sys.argv[1:], __name__, __file__, __doc__, sys.path[0])
print(type(pickle.loads(pickle.dumps(Thing()))) is Thing is __main__.Thing)

async def main():
    await asyncio.sleep(0.001)
    if "fail" in sys.argv:
        raise ValueError("no")
    if "hang" in sys.argv:
        print("hanging", flush=True)
        await asyncio.sleep(60)
    if "exit" in sys.argv:
        sys.exit(7)

if __name__ == "__main__":
    asyncio.run(main())
'''

COMMAND = [sys.executable, "-W", "error", "-m", "playground", "watch"]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, cwd=cwd)


def test_a_watched_script_prints_what_it_prints_and_then_what_its_loop_did(script: Path) -> None:
    plain = run(sys.executable, script, "a", "--html", "b", cwd=script.parent)
    done = run(*COMMAND, script, "a", "--html", "b", cwd=script.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(plain.stdout + "script.py: ")
    assert "Event loop" in done.stdout[len(plain.stdout) :]
    assert [path.name for path in script.parent.iterdir()] == ["script.py"]


@pytest.mark.slow
@pytest.mark.parametrize(("word", "code"), [("fail", 1), ("exit", 7)])
def test_a_script_ends_as_python_would_end_it_and_is_recorded_all_the_same(script: Path, word: str, code: int) -> None:
    plain = run(sys.executable, script, word, cwd=script.parent)
    done = run(
        *COMMAND, "--save", "out.trace", "--html", "out.html", "--svg", "out.svg", script, word, cwd=script.parent
    )
    assert plain.returncode == done.returncode == code
    assert done.stdout == plain.stdout
    written = "".join(f"playground: wrote out.{kind}\n" for kind in ("html", "svg", "trace"))
    assert done.stderr == written + plain.stderr
    trace = Trace.load(script.parent / "out.trace")
    assert (trace.title, trace.tasks[0].coroutine, trace.tasks[0].outcome) == ("script.py", "main", "raised")
    assert (script.parent / "out.svg").read_text().startswith("<svg")
    assert "<title>script.py</title>" in (script.parent / "out.html").read_text()


def test_an_interrupted_script_is_recorded_and_dies_of_the_signal(script: Path) -> None:
    command = [*COMMAND, "--save", "out.trace", str(script), "hang"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=script.parent
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "hanging\n":
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert said.endswith("\nKeyboardInterrupt\n")
    assert "playground/script.py" not in said
    trace = Trace.load(script.parent / "out.trace")
    assert (trace.tasks[0].coroutine, trace.tasks[0].outcome) == ("main", "cancelled")


def test_a_module_runs_as_python_m_would_run_it(script: Path) -> None:
    done = run(*COMMAND, "--save", "out.trace", "-m", "script", "a", cwd=script.parent)
    plain = run(sys.executable, "-m", "script", "a", cwd=script.parent)
    assert (done.returncode, done.stdout) == (0, plain.stdout)
    assert Trace.load(script.parent / "out.trace").title == "script"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.py"], "playground: cannot read missing.py: No such file or directory\n"),
        (["-m", "missing"], "playground: no module named missing\n"),
        (
            ["--html", "no/where.html", "script.py"],
            "playground: cannot write no/where.html: No such file or directory\n",
        ),
    ],
)
def test_what_cannot_be_read_or_written_is_said_and_ends_with_1(script: Path, words: list[str], said: str) -> None:
    done = run(*COMMAND, *words, cwd=script.parent)
    assert (done.returncode, done.stderr) == (1, said)


def test_a_script_that_is_no_python_fails_as_it_would(script: Path) -> None:
    script.write_text("x = = 1\n")
    plain = run(sys.executable, script, cwd=script.parent)
    done = run(*COMMAND, script, cwd=script.parent)
    none_ran = "playground: no event loop ran, of those that can be recorded: asyncio's, uvloop's and trio's\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", none_ran + plain.stderr)


@pytest.mark.slow
def test_a_scripts_threads_are_waited_for_and_other_loops_are_told_of(script: Path) -> None:
    script.write_text(
        "import asyncio, threading\n"
        "threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0.2)), name='later').start()\n"
        "asyncio.run(asyncio.sleep(0))\n"
    )
    done = run(*COMMAND, "--save", "out.trace", "--html", "out.html", script, cwd=script.parent)
    assert (done.returncode, done.stdout) == (0, "")
    *written, other, html, saved = done.stderr.splitlines()
    assert written == ["playground: wrote out.html", "playground: wrote out.trace"]
    assert other.startswith("playground: another loop ran: script.py, later. ")
    assert (html, saved) == ("playground: wrote out-2.html", "playground: wrote out-2.trace")
    assert [Trace.load(script.parent / name).title for name in ("out.trace", "out-2.trace")] == [
        "script.py",
        "script.py, later",
    ]
    assert "<title>script.py, later</title>" in (script.parent / "out-2.html").read_text()


def test_without_a_file_it_is_said_how_to_see_other_loops(script: Path) -> None:
    script.write_text(THREADS.format(count=2))
    done = run(*COMMAND, script, cwd=script.parent)
    *others, how = done.stderr.splitlines()
    assert [line.partition(". ")[0] for line in others] == [
        f"playground: another loop ran, and is not shown: script.py, number {number}" for number in range(2)
    ]
    assert how == (
        "playground: to see further loops, ask for files: `--html out.html` writes theirs as out-2.html and so on; in "
        "Python, `with playground.watch() as trace:` has them in `trace.others`"
    )


def test_of_many_other_loops_some_are_written_and_the_rest_counted(script: Path) -> None:
    script.write_text(THREADS.format(count=10))
    done = run(*COMMAND, "--svg", "/dev/null", "--save", "out.trace", script, cwd=script.parent)
    assert done.stderr.splitlines()[-1] == (
        "playground: 2 more loops ran, and are not shown: in Python, `with playground.watch() as trace:` has all the "
        "traces beside the first in `trace.others`"
    )
    names = ["out.trace", *(f"out-{number}.trace" for number in range(2, 10))]
    assert sorted(path.name for path in script.parent.glob("out*")) == sorted(names)
    assert not Path("/dev/null-2").exists()


THREADS = """
import asyncio, threading
asyncio.run(asyncio.sleep(0))
for number in range({count}):
    thread = threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0)), name=f"number {{number}}")
    thread.start()
    thread.join()
"""


# -- uvicorn, on uvloop ---------------------------------------------------------------------------------------------

SERVED = """
import asyncio, sys, time, uvicorn

async def app(scope, receive, send):
    assert scope["type"] == "http"
    await asyncio.sleep(0.001)
    await asyncio.to_thread(time.sleep, 0.001)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": type(asyncio.get_running_loop()).__module__.encode()})

uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", lifespan="off", log_level="warning")
"""


@pytest.mark.slow
def test_uvicorn_on_uvloop_is_recorded_while_it_serves(script: Path) -> None:
    pytest.importorskip("uvloop")
    script.write_text(SERVED)
    port = free_port()
    command = [*COMMAND, "--save", "out.trace", str(script), str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=script.parent) as process:
        answers = [answer(f"http://127.0.0.1:{port}/", process) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert answers == ["uvloop"] * 3
    trace = Trace.load(script.parent / "out.trace")
    calls = [index for index, row in enumerate(trace.tasks) if row.coroutine.endswith("run_asgi")]
    assert len(calls) == 3
    assert [trace.tasks[index].outcome for index in calls] == ["returned"] * 3
    for index in calls:
        assert [trace.waits[wait].on for wait in trace.waits_of[index]] == ["timer", "thread"]
    assert [handoff.task for handoff in trace.handoffs] == calls


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def answer(url: str, process: "subprocess.Popen[str]") -> str:
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                text: str = response.read().decode()
                return text
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)


# -- in a kernel ----------------------------------------------------------------------------------------------------


class Kernel:
    """A kernel of its own, and what its cells say and show."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str, *, interrupt_at: str | None = None) -> tuple[str, list[dict[str, Any]]]:
        """Run a cell to its end: its text, errors included, and the values that it shows."""
        request = self.client.execute(code)
        said = ""
        shown: list[dict[str, Any]] = []
        while True:
            try:
                message: dict[str, Any] = self.client.get_iopub_msg(timeout=60)
            except queue.Empty:
                raise AssertionError(f"the cell did not end; it said {said!r}") from None
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                said += content["text"]
                if interrupt_at is not None and interrupt_at in said:
                    interrupt_at = None
                    self.manager.interrupt_kernel()
            elif kind == "error":
                said += f"{content['ename']}: {content['evalue']}\n"
            elif kind in ("execute_result", "display_data"):
                shown.append(content["data"])
            elif content.get("execution_state") == "idle" and message["parent_header"].get("msg_id") == request:
                return said, shown

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(jupyter_folders: Path) -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.stop()


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
    assert kernel.run(SETUP) == ("", [])
    assert kernel.run("with watch() as trace:\n    await main()\n" + TELL) == (
        "Watched code cell 1, line 12 time.sleep(0.06) []\n",
        [],
    )
    said, shown = kernel.run("%%watch\nfor word in ['''a\nb''']:\n    await main()\nx = word")
    assert said == ""
    (bundle,) = shown
    assert bundle["text/plain"].startswith("cell 3: ")
    assert {"image/svg+xml", "application/vnd.jupyter.widget-view+json"} <= set(bundle)
    assert kernel.run("trace = _; print(x == 'a\\nb'); " + TELL)[0] == (
        "True\ncell 3 cell 1, line 12 time.sleep(0.06) []\n"
    )
    said, shown = kernel.run("\n%%watch my own title\n\ntime.sleep(0.06)")
    assert (said, shown[0]["text/plain"][:13]) == ("", "my own title:")
    assert kernel.run("trace = _; " + TELL)[0] == "my own title cell 5, line 4 time.sleep(0.06) []\n"


@pytest.mark.slow
def test_a_watched_cell_that_fails_or_is_interrupted_shows_its_recording_and_leaves_nothing(kernel: Kernel) -> None:
    kernel.run(SETUP)
    said, (shown,) = kernel.run("%%watch\nawait main()\n1 / 0")
    assert said == "ZeroDivisionError: division by zero\n"
    assert shown["text/plain"].startswith("cell 2: ")
    began = time.monotonic()
    said, (shown,) = kernel.run(HANG, interrupt_at="on")
    assert time.monotonic() - began < 30  # it would take a minute
    assert "KeyboardInterrupt" in said or "CancelledError" in said
    assert shown["text/plain"].startswith("cell 3: ")
    assert kernel.run("print(left(), (await asyncio.create_task(asyncio.sleep(0, 'fine'))))")[0] == "[] fine\n"
    assert kernel.run("trace = watch(main); " + TELL)[0] == "main cell 1, line 12 time.sleep(0.06) []\n"


@pytest.mark.slow
def test_a_watched_cell_that_awaits_nothing_is_interrupted_at_once(kernel: Kernel) -> None:
    kernel.run(SETUP)
    said, (shown,) = kernel.run("%%watch\nprint('on', flush=True)\ntime.sleep(20)\nprint('over')", interrupt_at="on")
    assert said == "on\nKeyboardInterrupt: \n"
    assert shown["text/plain"].startswith("cell 2: ")
    said, (shown,) = kernel.run("%%watch\ntime.sleep(0.06)\n1 / 0")
    assert said == "ZeroDivisionError: division by zero\n"
    assert shown["text/plain"].startswith("cell 3: ")
    assert kernel.run("print(left())")[0] == "[]\n"


@pytest.mark.slow
def test_a_pasted_script_is_recorded_on_the_kernels_loop(kernel: Kernel) -> None:
    kernel.run(SETUP)
    kernel.run("from playground import allow_asyncio_run; allow_asyncio_run()")
    said, _ = kernel.run("with watch() as trace:\n    asyncio.run(main())\n" + TELL)
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
