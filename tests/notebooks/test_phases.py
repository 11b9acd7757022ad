"""In whatever phase a kernel is interrupted or restarted: the next cell is answered, and nothing of ours is left.

What waits in real time, in all the ways of asking a lab, is `test_interrupt`'s affair; here is what else a cell may be
at: virtual time, `watch`, `%%watch`, an experiment, the course's checks, pictures, files. One kernel is interrupted in
all of them, and what it holds is looked at after each; others are restarted while many of them go on at once.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.living import lives, needs_fork, needs_proc, until
from tests.notebooks.kernel import Kernel, separate_kernel

pytestmark = [pytest.mark.slow, needs_fork, needs_proc]

GENEROUS_S = 10
"""Twenty times what is promised of a lab; what hangs here hangs for a minute, or for ever."""
SOON = "print('the next cell', 1 + 1)"

SETUP = """
%load_ext playground
import asyncio, gc, os, pathlib, subprocess, sys, tempfile, threading, time
import anyio
from playground import App, Lab, Trace, Workload, experiment, watch
from playground.course import check
from tests.faults.nothing_left import what_is_there

said = set()

def hanging():
    if not said:  # once a cell: of a load in virtual time there are thousands
        said.add("hanging")
        print("hanging", flush=True)

def spin():
    hanging()
    while True:
        pass

async def spin_on_the_loop():
    spin()

async def sleep_on_the_loop():
    hanging()
    while True:
        await anyio.sleep(1)

def sleep_in_a_thread():
    hanging()
    while True:
        time.sleep(1)

app = App()
app.get("/spin")(spin_on_the_loop)
app.get("/sleep")(sleep_on_the_loop)
app.get("/thread")(sleep_in_a_thread)

@app.get("/fine")
async def fine():
    return "fine"

async def spinning_app(scope, receive, send):
    spin()

async def spinning_start(scope, receive, send):
    await receive()
    spin()

async def spinning_end(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    spin()

async def fetch(number):
    spin()

SLEEPS = "import time; time.sleep(600)"
STARTS = (
    "import subprocess, sys, time\\n"
    f"inner = subprocess.Popen([sys.executable, '-c', {SLEEPS!r}], start_new_session=True)\\n"
    "print(inner.pid, flush=True); time.sleep(600)"
)

def job(number):
    # each in a session of its own: no signal reaches them all
    outer = subprocess.Popen([sys.executable, "-c", STARTS], start_new_session=True, stdout=subprocess.PIPE)
    print("apart", os.getpid(), outer.pid, int(outer.stdout.readline()), "hanging", flush=True)
    while True:
        pass

def again(function):
    hanging()
    while True:
        function()

def draw(run):
    run._repr_mimebundle_()
    run.to_svg()
    str(run)

experiment(Workload(jobs=2, cpu_s=0, wait_s=0), models=["processes"])  # whose zygote is kept
first = what_is_there()
virtual = Lab(app, clock="virtual")
real = Lab(app)
folder = pathlib.Path(tempfile.mkdtemp())
kept = virtual.burst("/fine", n=300)
kept.save(folder / "kept")
draw(kept)
"""

HOUSE = """
said.clear()
house = what_is_there()
"""

LEFT = """
def left_of(house):
    '''What is there that was not: but for the idle workers of labs that are open, and the kernel's own.'''
    until = time.monotonic() + 10
    while True:  # what was interrupted may still be unwinding
        kinds = ("file ", "task ", "thread 'AnyIO worker thread'")
        zmqs = [f"thread {t.name!r}" for t in threading.enumerate() if type(t).__module__.startswith("zmq")]
        left = [each for each in what_is_there().more_than(house) if not each.startswith((*kinds, *zmqs))]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.02)

print(left_of(house), virtual.get("/fine").text, real.get("/fine").text)
print(Trace.load(folder / "kept").requests == kept.requests, sorted(path.name for path in folder.iterdir()))
"""
NOTHING = "[] fine fine\nTrue ['kept']\n"

PHASES = {
    "making a lab in virtual time": 'Lab(spinning_start, clock="virtual")',
    "closing a lab in virtual time": 'Lab(spinning_end, clock="virtual").close()',
    "load in virtual time": 'virtual.load("/sleep", rate=1, duration=1e6)',
    "a burst that computes in virtual time": 'virtual.burst("/spin", n=3)',
    "awaiting virtual time": 'await virtual.client.get("/spin", timeout=None)',
    "load in real time": 'real.load("/sleep", rate=100, duration=1000)',
    "watch, of an async function": "watch(sleep_on_the_loop)",
    "watch, of a loop that is held": "watch(spin_on_the_loop)",
    "watch, as a block": "with watch() as trace:\n    spin()",
    "watch, as a block that awaits": "with watch() as trace:\n    await sleep_on_the_loop()",
    "a watched cell": "%%watch\nspin()",
    "a watched cell that awaits": "%%watch\nawait sleep_on_the_loop()",
    "an experiment in processes": 'experiment(Workload(job, jobs=2), models=["processes"], timeout_s=600)',
    "an experiment in threads": 'experiment(Workload(job, jobs=2), models=["threads"], timeout_s=600)',
    "a check of an app": 'check("10.1", spinning_app)',
    "drawing": "again(lambda: draw(kept))",
    "saving": 'again(lambda: kept.save(folder / "kept"))',
    "loading": 'again(lambda: Trace.load(folder / "kept").diagnosis)',
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with separate_kernel(tmp_path_factory) as kernel:
        said = kernel.run(SETUP)
        assert "Error" not in said, said
        yield kernel


@pytest.mark.parametrize("phase", PHASES)
def test_an_interrupted_cell_ends_and_leaves_nothing(kernel: Kernel, phase: str) -> None:
    assert kernel.run(HOUSE) == ""
    cell = kernel.cell(PHASES[phase], interrupt_at="hanging")
    assert "KeyboardInterrupt" in cell.said or "CancelledError" in cell.said, cell.said
    took_s = cell.interrupted_s or 0.0  # where IPython cannot draw the traceback, it prints it instead of sending it
    print(f"{took_s:6.3f} s  {phase}")
    assert took_s < GENEROUS_S
    assert kernel.run(SOON).endswith("the next cell 2\n")
    assert kernel.run(LEFT).removeprefix("hanging\n") == NOTHING


def test_what_is_printed_and_flushed_at_once_takes_no_virtual_time(kernel: Kernel) -> None:
    """The kernel's own thread, which is outside of virtual time, sends it: to park for that would be to jump."""
    program = """
async def prints():
    for word in ("on", "the", "loop"):
        print(word, flush=True)
    await anyio.to_thread.run_sync(lambda: print("and in a worker", flush=True))
    return asyncio.get_running_loop().time()

async def passes():
    began_s = asyncio.get_running_loop().time()
    return await prints() - began_s

print(virtual.run(passes).result)
"""
    assert kernel.run(program) == "on\nthe\nloop\nand in a worker\n0.0\n"


def test_when_its_labs_are_closed_an_interrupted_kernel_is_as_before(kernel: Kernel) -> None:
    assert kernel.run("virtual.close()\nreal.close()\nprint(left_of(first))") == "[]\n"


# -- restarts --------------------------------------------------------------------------------------------------------

BUSY = """
from playground.web.websockets import WebSocket

@app.websocket("/socket")
async def socket(websocket):
    await websocket.accept()
    await sleep_on_the_loop()

def listen():
    with real.websocket("/socket") as websocket:
        websocket.receive_text()

def serve():
    with real.serve():
        sleep_in_a_thread()

timeline, panel = real.timeline(), virtual.panel()
for work in (
    lambda: virtual.load("/sleep", rate=1, duration=1e6),
    lambda: real.load("/thread", rate=100, duration=1000),
    lambda: asyncio.run(real.client.get("/sleep", timeout=None)),
    listen,
    serve,
    lambda: again(lambda: kept.save(folder / "kept")),
    lambda: again(lambda: draw(kept)),
    lambda: experiment(Workload(job, jobs=2), models=["processes"], timeout_s=600),
):
    threading.Thread(target=work).start()
"""


def test_a_restart_while_everything_goes_on_leaves_no_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cell waits for a handler that spins, and threads are at all else; one that is idle is `test_in_kernel`'s."""
    with separate_kernel(tmp_path_factory) as kernel:
        assert "Error" not in kernel.run(SETUP)
        said = kernel.run(BUSY)
        while not (apart := re.search(r"apart (\d+) (\d+) (\d+) hanging", said)):
            said += kernel.run("time.sleep(0.05)")
        kernel.client.execute('real.get("/spin", timeout=None)')
        pids = {kernel.pid, *descendants(kernel.pid), *map(int, apart.groups())}
        assert len(pids) >= 5
        kernel.manager.restart_kernel(now=False)
        until(lambda: not any(map(lives, pids)))
        kernel.pid = kernel.manager.provisioner.pid
        kernel.client.wait_for_ready(timeout=60)
        assert kernel.run(SOON).endswith("the next cell 2\n")


def descendants(pid: int) -> Iterator[int]:
    """The numbers of a process's children, and of theirs."""
    for told in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in told.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue  # that thread has ended meanwhile
        for child in children:
            yield child
            yield from descendants(child)
