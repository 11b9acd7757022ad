"""A lab's single requests, streams and websockets, from a cell and from another loop."""

import asyncio
from typing import Any

import httpx
import pytest

from playground import Lab, Network
from playground.web.websockets import WebSocket
from tests.lab.app import left, other_tasks

# -- one request ----------------------------------------------------------------------------------------------------


def test_a_request_is_answered_by_an_httpx_response(lab: Lab) -> None:
    response = lab.get("/hello/Ada")
    assert isinstance(response, httpx.Response)
    assert response.json() == {"hello": "Ada"}
    assert lab.post("/echo", content=b"as it went").content == b"as it went"
    assert lab.head("/hello/Ada").status_code == 200
    assert [getattr(lab, verb)("/hello/Ada").status_code for verb in ("put", "patch", "delete", "options")] == [405] * 4


def test_an_exception_of_the_app_reaches_the_caller(lab: Lab) -> None:
    with pytest.raises(ValueError, match=r"^on purpose$") as raised:
        lab.get("/broken")
    assert raised.traceback[-1].name == "broken"
    assert [entry.name for entry in raised.traceback] == [
        "test_an_exception_of_the_app_reaches_the_caller",
        "get",
        "broken",
    ]


def test_the_client_may_be_awaited_from_another_loop(lab: Lab) -> None:
    async def upload() -> Any:
        for chunk in (b"from ", b"this ", b"loop"):
            await asyncio.sleep(0)
            yield chunk

    async def main() -> tuple[Any, bytes, list[bytes]]:
        answer = await lab.client.get("/hello/Ada")
        echoed = await lab.client.post("/echo", content=upload())
        async with lab.client.stream("GET", "/stream") as response:
            streamed = [chunk async for chunk in response.aiter_raw()]
        return answer.json(), echoed.content, streamed

    assert asyncio.run(main()) == ({"hello": "Ada"}, b"from this loop", [b"0", b"1", b"2"])


def test_cancelling_an_awaited_request_cancels_it_in_the_lab(lab: Lab) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lab.client.get("/hang"), 0.05)

    asyncio.run(main())
    assert lab.run(other_tasks).result == set()


# -- streams and websockets -----------------------------------------------------------------------------------------


def test_a_stream_is_read_while_the_app_sends_and_leaving_tells_the_app(lab: Lab) -> None:
    with lab.stream("GET", "/stream") as response:
        assert response.status_code == 200
        assert list(response.iter_raw()) == [b"0", b"1", b"2"]
    with lab.stream("GET", "/endless") as response:
        assert next(response.iter_raw()) == b"tick"
    assert left.wait(10)


def test_a_websocket_talks_from_a_cell(lab: Lab) -> None:
    with lab.websocket("/talk?name=Ada", subprotocols=["chat"], headers={"x-mood": "good"}) as socket:
        assert socket.receive_json() == {"name": "Ada", "mood": "good", "offered": ["chat"]}
        socket.send_text("hello")
        assert socket.receive_text() == "hello"


def test_a_websocket_of_a_lab_meets_its_network() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        while (message := await websocket.receive())["type"] == "websocket.receive":
            await websocket.send_text(message["text"])

    times = []
    with Lab(echo, clock="virtual", network=Network(latency_s=0.25)) as lab, lab.websocket("/") as session:
        for text in ("a", "b"):
            before = lab.run(virtual_now).result
            session.send_text(text)
            assert session.receive_text() == text
            times.append(lab.run(virtual_now).result - before)
    assert times == pytest.approx([0.5, 0.5], abs=1e-6)


async def virtual_now() -> float:
    return asyncio.get_running_loop().time()
