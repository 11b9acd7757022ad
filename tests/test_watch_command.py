"""`python -m playground watch`: a script or a server runs as it would, and what its loops did is told afterwards."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from playground import Trace

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
    none_ran = (
        "playground: no event loop ran, of those that can be recorded: asyncio's, uvloop's and trio's; "
        "a Lab records its own\n"
    )
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
