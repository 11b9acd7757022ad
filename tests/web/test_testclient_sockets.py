"""Websockets through the test client."""

from typing import Any

import pytest

from playground.errors import NoAnswer, UsageError
from playground.web.applications import Starlette
from playground.web.routing import WebSocketRoute
from playground.web.websockets import WebSocket, WebSocketDisconnect
from tests.web.tested import SOCKETS


def test_a_websocket_talks(client_of: Any) -> None:
    with client_of(SOCKETS).websocket_connect("/talk", subprotocols=["a", "b"]) as websocket:
        assert (websocket.accepted_subprotocol, websocket.extra_headers) == ("b", [(b"x-b", b"2")])
        websocket.send_text("one")
        websocket.send_text("two")
        assert [websocket.receive_text(), websocket.receive_text()] == ["you said one", "you said two"]
        websocket.close(1001)


def test_json_goes_as_text_or_as_bytes(client_of: Any) -> None:
    async def echo(websocket: WebSocket[Any]) -> None:
        await websocket.accept()
        for mode in ("text", "binary"):
            await websocket.send_json(await websocket.receive_json(mode=mode), mode=mode)

    client = client_of(Starlette(routes=[WebSocketRoute("/", echo)]))
    with client.websocket_connect("/") as websocket:
        websocket.send_json({"a": 1})
        assert websocket.receive_json() == {"a": 1}
        websocket.send_json([1], mode="binary")
        assert websocket.receive_bytes() == b"[1]"


def test_a_deadline_for_receive_that_passes_leaves_the_websocket_open(client_of: Any) -> None:
    with client_of(SOCKETS).websocket_connect("/talk") as websocket:
        with pytest.raises(NoAnswer, match=r"^WS /talk: expected `websocket.send` from the app within 0.01 s, but"):
            websocket.receive_text(timeout=0.01)
        websocket.send_text("still here")
        assert websocket.receive_text(timeout=5) == "you said still here"


def test_a_refusal_is_the_response_and_a_disconnect(client_of: Any, module: Any) -> None:
    with pytest.raises(module.WebSocketDenialResponse) as caught:
        client_of(SOCKETS).websocket_connect("/refuse").__enter__()
    assert (caught.value.status_code, caught.value.text, caught.value.code) == (403, "not you", 1006)
    assert isinstance(caught.value, WebSocketDisconnect)


def test_a_close_is_a_disconnect_with_its_code_and_reason(client_of: Any) -> None:
    with client_of(SOCKETS).websocket_connect("/close") as websocket:
        with pytest.raises(WebSocketDisconnect) as caught:
            websocket.receive_text()
        assert websocket.receive() == {"type": "websocket.close", "code": 4001, "reason": "enough"}
    assert (caught.value.code, caught.value.reason) == (4001, "enough")


def test_a_websocket_that_was_not_entered_or_is_none_is_refused_in_words(client_of: Any) -> None:
    client = client_of(SOCKETS)
    with pytest.raises(UsageError) as caught:
        client.websocket_connect("/talk").receive()
    assert str(caught.value) == (
        "expected a websocket that was entered, but this one was not. "
        'Write `with client.websocket_connect("/path") as websocket:`.'
    )
    with pytest.raises(UsageError) as caught:
        client.websocket_connect("http://testserver/talk")
    assert str(caught.value) == (
        "Expected WebSocket upgrade, but 'http://testserver/talk' is not of one. Give a path, or a ws:// URL."
    )
