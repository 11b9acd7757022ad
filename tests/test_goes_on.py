"""What goes on beyond its block, or is read piece by piece: trio in another thread, and a websocket in a cell."""

import threading
from typing import Any

import pytest
import trio

from playground import App, Lab, watch
from playground.errors import ConnectionClosed
from playground.web.websockets import WebSocket


def test_a_run_of_trio_in_another_thread_is_recorded_until_the_block_ends_and_goes_on() -> None:
    begun, leave, over = threading.Event(), threading.Event(), []

    async def goes_on() -> None:
        while not leave.is_set():
            begun.set()
            await trio.sleep(0.001)
        over.append(trio.current_time())

    thread = threading.Thread(target=trio.run, args=(goes_on,), name="apart", daemon=True)
    try:
        with watch() as watched:
            thread.start()
            assert begun.wait(60)
        steps = len(watched.steps)
        (task,) = [task for task in watched.tasks if "goes_on" in task.coroutine]
        assert (task.outcome, task.ended_ns) == ("pending", None)
    finally:
        leave.set()
        thread.join(60)
    assert (len(over), len(watched.steps)) == (1, steps)


@pytest.fixture
def lab() -> Any:
    app = App()

    @app.websocket("/counts")
    async def counts(websocket: WebSocket[Any]) -> None:
        await websocket.accept()
        for number in range(3):
            await websocket.send_text(str(number))
        await websocket.send_bytes(b"done")
        await websocket.close(reason="that is all")

    with Lab(app) as lab:
        yield lab


def test_a_blocking_websocket_is_walked_to_the_end_or_read_message_by_message(lab: Lab) -> None:
    with lab.websocket("/counts") as websocket:
        assert list(websocket) == ["0", "1", "2", b"done"]
    with lab.websocket("/counts") as websocket:
        assert websocket.receive() == {"type": "websocket.send", "text": "0"}
        assert [websocket.receive_text(), websocket.receive_text(), websocket.receive_bytes()] == ["1", "2", b"done"]
        with pytest.raises(ConnectionClosed) as end:
            websocket.receive()
    assert (end.value.code, end.value.reason) == (1000, "that is all")
