"""While a cell waits for the lab, what is told to a widget gets out to the front end at once.

The front end's clock is ours: each message's arrival here is compared with those of its neighbours and of the cell's
own end. The bounds say "while the cell ran" and "one after the other", never how fast a machine is.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.notebooks.kernel import Cell, Kernel, separate_kernel

pytestmark = pytest.mark.slow

UPDATES = 10
APART_S = 0.1

SETUP = f"""
import threading, time
import anyio, ipywidgets
from playground import App, Lab

app = App()
progress = ipywidgets.IntProgress(max={UPDATES})
display(progress)

def tell():
    for count in range(1, {UPDATES} + 1):
        time.sleep({APART_S})
        progress.value = count

@app.get("/loop")
async def on_the_loop():
    for count in range(1, {UPDATES} + 1):
        await anyio.sleep({APART_S})
        progress.value = count

@app.get("/worker")
def in_a_worker():
    tell()

@app.get("/wait")
async def wait():
    await anyio.sleep({APART_S * (UPDATES + 2)})

def beside(call):
    # a view's own thread, as a display that follows a recording has
    telling = threading.Thread(target=tell)
    telling.start()
    call()
    telling.join()

async def main():
    await lab.client.get("/loop")

lab = Lab(app)
"""

CALLS = {
    "burst, from the loop": 'lab.burst("/loop", n=1)',
    "burst, from a worker": 'lab.burst("/worker", n=1)',
    "burst, from a thread beside": 'beside(lambda: lab.burst("/wait", n=2))',
    "get": 'lab.get("/loop")',
    "run": "lab.run(main)",
    "await": 'await lab.client.get("/loop")',
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with separate_kernel(tmp_path_factory) as kernel:
        assert "Error" not in kernel.run(SETUP)
        yield kernel


def updates(cell: Cell) -> list[tuple[float, int]]:
    """When the widget's value arrived here, and what it was."""
    states = [(at, content["data"].get("state", {})) for at, content in cell.of_type("comm_msg")]
    return [(at, state["value"]) for at, state in states if "value" in state]


@pytest.mark.parametrize("name", CALLS)
def test_a_widgets_updates_arrive_one_by_one_while_the_cell_waits(kernel: Kernel, name: str) -> None:
    kernel.run("progress.value = 0")
    cell = kernel.cell(CALLS[name])
    told = updates(cell)
    assert [value for _, value in told] == list(range(1, UPDATES + 1))
    ended = max(at for at, content in cell.of_type("status") if content["execution_state"] == "idle")
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(told)]
    print(f"{name}: gaps {min(gaps):.3f} to {max(gaps):.3f} s, the last {ended - told[-1][0]:.3f} s before the end")
    # held back until the end, they would all arrive at once: the first came before most of the cell's time
    assert ended - told[0][0] > APART_S * (UPDATES - 1) / 2


# -- a live timeline ----------------------------------------------------------------------------------------------

LIVE = f"""
@app.get("/nap")
async def nap():
    await anyio.sleep({APART_S})

view = lab.timeline()
said = view.comm.comm_id
print(said)
"""
ANSWER = f"""
def answer():
    while not view.closed and len(lab.runs) == before:
        time.sleep({APART_S})
        view._handle_custom_msg({{"type": "got", "view": "one", "seq": view._seq}}, [])

before = len(lab.runs)
threading.Thread(target=answer, daemon=True).start()
"""
SECONDS = 2.5


def custom(cell: Cell, comm: str, kind: str) -> list[tuple[float, dict[str, Any], int]]:
    """When a widget's own messages arrived here, what they said, and how many bytes came with them."""
    found = []
    for at, message in cell.messages:
        data = message["content"].get("data", {}) if message["msg_type"] == "comm_msg" else {}
        mine = message["content"].get("comm_id") == comm and data.get("method") == "custom"
        if mine and data["content"]["type"] == kind:
            found.append((at, data["content"], sum(len(buffer) for buffer in message["buffers"])))
    return found


def ready(kernel: Kernel) -> str:
    """Make a live timeline and tell it, as JupyterLab does, on a subshell, that a picture of it is ready."""
    comm = kernel.run(LIVE).strip()
    client = kernel.client
    client.control_channel.send(client.session.msg("create_subshell_request"))
    subshell = client.get_control_msg(timeout=60)["content"]["subshell_id"]
    said = {"method": "custom", "content": {"type": "ready", "view": "one"}}
    message = client.session.msg("comm_msg", {"comm_id": comm, "data": said})
    message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)
    # the cell keeps the main shell: it is heard all the same
    assert kernel.run("while not view._views: time.sleep(0.01)\nprint('heard')") == "heard\n"
    return comm


@pytest.mark.parametrize("answers", [True, False])
def test_a_live_timeline_grows_ten_times_a_second_while_the_cell_waits(kernel: Kernel, answers: bool) -> None:
    comm = ready(kernel)
    if answers:
        kernel.run(ANSWER)
    cell = kernel.cell(f'run = lab.load("/nap", rate=40, duration={SECONDS}, arrivals="uniform")')
    mores = custom(cell, comm, "more")
    print(f"{len(mores)} updates in {SECONDS} s, answered: {answers}")
    assert [content["seq"] for _, content, _ in mores] == list(
        range(mores[0][1]["seq"], mores[0][1]["seq"] + len(mores))
    )
    assert len(mores) >= 10  # ten a second where the machine is idle, and no more than that
    assert len(mores) <= SECONDS / APART_S + 5
    ended = max(at for at, content in cell.of_type("status") if content["execution_state"] == "idle")
    assert ended - mores[0][0] > SECONDS / 2  # not all at the end
    said = kernel.run(
        "import time\nwhile view._trace.title != 'Run ' + str(len(lab.runs)): time.sleep(0.01)\nprint('over')"
    )
    assert said == "over\n"


def test_an_update_is_small_however_long_the_run_has_gone_on(kernel: Kernel) -> None:
    comm = ready(kernel)
    cell = kernel.cell('run = lab.load("/nap", rate=200, duration=3, arrivals="uniform")')
    sizes = [size for _, _, size in custom(cell, comm, "more")]
    whole = int(kernel.run("from playground.views.packet import packet; print(len(packet(run.trace)))"))
    print(f"{len(sizes)} updates of {min(sizes):,} to {max(sizes):,} bytes; the whole has {whole:,}")
    assert len(sizes) >= 5
    assert sum(sizes[len(sizes) // 2 :]) < 3 * sum(sizes[: len(sizes) // 2]) + whole
