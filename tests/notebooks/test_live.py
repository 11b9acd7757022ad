"""While a cell waits for the lab, what is told to a widget gets out to the front end at once.

The front end's clock is ours: each message's arrival here is compared with those of its neighbours and of the cell's
own end. The bounds say "while the cell ran" and "one after the other", never how fast a machine is.
"""

from collections.abc import Iterator
from itertools import pairwise

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
