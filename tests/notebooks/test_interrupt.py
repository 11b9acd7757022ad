"""A cell that waits for the lab can be interrupted, blocking or awaiting, and the lab goes on."""

import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

pytestmark = pytest.mark.slow

SETUP = """
import asyncio, threading, anyio
from playground import App, Lab
app = App()

@app.get("/hang")
async def hang():
    print("hanging", flush=True)
    await anyio.sleep(60)

@app.get("/fine")
async def fine():
    return "fine"

lab = Lab(app)
"""

LEFT = """
EXPECTED = ["Lab._record", "_Life._run", "_main", "left"]

async def left():
    names = None
    with anyio.move_on_after(10):  # an awaiting cell has its interrupt before the request has unwound
        while names != EXPECTED:
            await asyncio.sleep(0.01)
            names = sorted(task.get_coro().__qualname__ for task in asyncio.all_tasks())
    return names

print(lab.run(left).result == EXPECTED, lab.get("/fine").text)
"""


class Kernel:
    """A kernel of its own, and what its cells print."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str, *, interrupt_at: str | None = None) -> str:
        """Run a cell to its end; interrupt the kernel when the cell has printed `interrupt_at`."""
        request = self.client.execute(code)
        said = ""
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
            elif content.get("execution_state") == "idle" and message["parent_header"].get("msg_id") == request:
                return said

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(jupyter_folders: Path) -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.stop()


CALLS = {
    "get": 'lab.get("/hang")',
    "burst": 'lab.burst("/hang", n=3)',
    "await": 'await lab.client.get("/hang")',
}


def test_an_interrupted_cell_ends_and_leaves_the_lab_usable(kernel: Kernel) -> None:
    assert kernel.run(SETUP) == ""
    for name, call in CALLS.items():
        began = time.monotonic()
        said = kernel.run(call, interrupt_at="hanging")
        assert "hanging" in said, name
        assert "KeyboardInterrupt" in said or "CancelledError" in said, (name, said)
        assert time.monotonic() - began < 30, name  # the handler would take a minute
        assert kernel.run(LEFT) == "True fine\n", name
    assert kernel.run("lab.close(); print([t.name for t in threading.enumerate() if 'playground' in t.name])") == "[]\n"
