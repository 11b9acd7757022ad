"""A cell that waits for the lab can be interrupted, blocking or awaiting, and the lab goes on.

The times are from the interrupt to the error's arrival here. What was promised is half a second; the bounds are
generous, for a machine that does other things meanwhile, and far below what the handlers would take. `-s` shows them.
"""

from collections.abc import Iterator

import pytest

from tests.notebooks.kernel import Cell, How, Kernel, separate_kernel

pytestmark = pytest.mark.slow

GENEROUS_S = 5
"""Ten times what was promised; what hangs here hangs for a minute, or until it is released."""

SETUP = """
import asyncio, signal, threading, time, urllib.request
import anyio, anyio.to_thread
from playground import App, Lab, LabError
from playground.web.responses import StreamingResponse

released = threading.Event()

def hold():
    print("hanging", flush=True)
    released.wait(60)

def spin():
    print("hanging", flush=True)
    while True:
        pass

async def sleep():
    print("hanging", flush=True)
    await anyio.sleep(60)

app = App()

@app.get("/sleep")
async def sleeping():
    await sleep()

@app.get("/spin")
async def spinning():
    spin()

@app.get("/hold")
async def holding():
    hold()

@app.get("/thread")
def in_thread():
    hold()

@app.get("/stream/{how}")
async def stream(how: str):
    async def body():
        yield b"first"
        await HOW[how]()
    return StreamingResponse(body())

@app.websocket("/{how}")
async def websocket(websocket):
    await websocket.accept()
    await websocket.send_text("first")
    await HOW[websocket.path_params["how"]]()

@app.get("/fine")
async def fine():
    return "fine"

async def spin_here():
    spin()

async def hold_here():
    hold()

async def hold_in_thread():
    await anyio.to_thread.run_sync(hold)

HOW = {"sleep": sleep, "spin": spin_here, "hold": hold_here, "thread": hold_in_thread}

def hangs(at, how):
    async def app(scope, receive, send):
        assert scope["type"] == "lifespan"
        while True:
            kind = (await receive())["type"]
            if kind == "lifespan." + at:
                await HOW[how]()
            await send({"type": kind + ".complete"})
    return app

def read(how):
    with lab.stream("GET", "/stream/" + how) as response:
        for chunk in response.iter_bytes():
            pass

def listen(how):
    with lab.websocket("/" + how) as websocket:
        websocket.receive_text()
        websocket.receive_text()

def serve(path):
    with lab.serve() as server:
        if path is None:
            print("hanging", flush=True)
        else:
            asking = threading.Thread(target=ask, args=[server.url + path])
            asking.start()
        time.sleep(60)

def ask(url):
    try:
        urllib.request.urlopen(url)
    except OSError as error:
        pass  # the server has hung up on it

lab = Lab(app)
lab.burst("/fine", n=2)
handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
"""

LEFT = """
released.set()
deadline = time.monotonic() + 30

async def names():
    return sorted(task.get_coro().__qualname__ for task in asyncio.all_tasks())

def left():
    # what was interrupted may still be unwinding, or returning from what has just been released
    while time.monotonic() < deadline:
        try:
            tasks = lab.run(names).result
        except LabError:  # the run that was interrupted is not over yet
            tasks = None
        threads = sorted(t.name for t in threading.enumerate() if "playground" in t.name or "uvicorn" in t.name)
        found = tasks, threads, len(lab._thread._calls._open)
        if found == (["Recordings._record", "_Life._run", "_main", "names"], ["playground lab"], 0):
            break
        time.sleep(0.01)
    return found

same = {number: signal.getsignal(number) for number in signal.valid_signals()} == handlers
print(left(), same, lab.get("/fine").text)
released.clear()
"""

NOTHING = "(['Recordings._record', '_Life._run', '_main', 'names'], ['playground lab'], 0) True fine\n"

HELD = "The call is cancelled, but its code still holds the event loop and cannot be stopped from outside;"
THREADS = "A thread cannot be stopped from outside: these worker threads of the lab go on to the end of what they do."


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with separate_kernel(tmp_path_factory) as kernel:
        assert kernel.run(SETUP) == ""
        yield kernel


def interrupted(kernel: Kernel, code: str, how: How = "signal", at: str = "hanging") -> Cell:
    """Interrupt a cell that hangs; see that it ended soon, with a word about what cannot be ended, and left nothing."""
    cell = kernel.cell(code, interrupt_at=at, how=how)
    assert "KeyboardInterrupt: " in cell.said or "CancelledError: " in cell.said, cell.said
    assert cell.interrupted_s is not None
    print(f"{cell.interrupted_s:6.3f} s  {how:8}{' '.join(code.split())}")
    assert cell.interrupted_s < GENEROUS_S
    # a handler that had begun, and was held up by another, says its word when it gets its turn
    assert kernel.run(LEFT).removeprefix("hanging\n") == NOTHING
    return cell


@pytest.mark.parametrize("how", ["signal", "message"])
def test_twenty_interrupts_in_a_row_leave_nothing(kernel: Kernel, how: How) -> None:
    calls = ['lab.get("/sleep")', 'await lab.client.get("/sleep")', 'lab.burst("/sleep", n=3)', "lab.run(sleep)"]
    for call in calls * 5:
        interrupted(kernel, call, how)


@pytest.mark.parametrize("call", ['lab.get("/spin")', 'await lab.client.get("/spin")', "lab.run(spin_here)"])
def test_a_loop_that_spins_is_ended(kernel: Kernel, call: str) -> None:
    for how in ("signal", "message"):
        cell = interrupted(kernel, call, how)
        assert HELD not in cell.error


@pytest.mark.parametrize("call", ['lab.get("/hold")', 'await lab.client.get("/hold")', 'lab.burst("/hold", n=1)'])
def test_a_call_that_blocks_the_loop_is_named(kernel: Kernel, call: str) -> None:
    cell = interrupted(kernel, call)
    assert HELD in cell.error
    assert "released.wait(60)" in cell.error or "in wait" in cell.error


@pytest.mark.parametrize("call", ['lab.get("/thread")', 'await lab.client.get("/thread")', "lab.run(hold_in_thread)"])
def test_a_worker_thread_that_goes_on_is_named(kernel: Kernel, call: str) -> None:
    cell = interrupted(kernel, call)
    assert THREADS in cell.error
    assert HELD not in cell.error


@pytest.mark.parametrize("how", ["sleep", "spin", "hold"])
def test_a_stream_that_is_read_halfway_can_be_interrupted(kernel: Kernel, how: str) -> None:
    assert (HELD in interrupted(kernel, f'read("{how}")').error) is (how == "hold")


@pytest.mark.parametrize("how", ["sleep", "spin", "hold", "thread"])
def test_a_websocket_that_waits_can_be_interrupted(kernel: Kernel, how: str) -> None:
    assert (HELD in interrupted(kernel, f'listen("{how}")').error) is (how == "hold")


@pytest.mark.parametrize("path", [None, "/sleep", "/thread"])
def test_a_served_app_can_be_interrupted_idle_and_busy(kernel: Kernel, path: str | None) -> None:
    interrupted(kernel, f"serve({path!r})")


@pytest.mark.parametrize("how", ["sleep", "spin", "hold", "thread"])
@pytest.mark.parametrize("at", ["startup", "shutdown"])
def test_an_app_that_does_not_start_or_end_can_be_interrupted(kernel: Kernel, at: str, how: str) -> None:
    cell = interrupted(kernel, f"Lab(hangs({at!r}, {how!r})).close()")
    assert (HELD in cell.error) is (how == "hold")
    assert (THREADS in cell.error) is (how == "thread")


def test_another_call_is_not_hit_by_what_ends_this_one(kernel: Kernel) -> None:
    kernel.run(
        """
def other():
    try:
        answers.append(lab.get("/busy").text)
    except BaseException as error:
        answers.append(repr(error))

@app.get("/busy")
async def busy():
    while len(lab._thread._calls._open) < 2:
        pass  # until the cell waits too
    print("spinning", flush=True)
    while not released.is_set():
        pass
    return "as if nothing had been"

answers = []
asking = threading.Thread(target=other)
"""
    )
    # /sleep may have begun before /busy did, and have said so: it is the other's word that counts
    cell = interrupted(kernel, 'asking.start()\nlab.get("/sleep")', at="spinning")
    assert HELD in cell.error
    assert kernel.run("asking.join(); print(answers)") == "['as if nothing had been']\n"
