"""Our websocket and Starlette's, through the same conversations, end in the same states."""

from collections.abc import Awaitable, Callable
from typing import Any

import starlette.websockets
from hypothesis import given
from hypothesis import strategies as st

import playground.web.websockets
from playground.asgi import Message
from tests.web.exchange import run

Action = Callable[[Any], Awaitable[Any]]

_ACTIONS: dict[str, Action] = {
    "accept": lambda websocket: websocket.accept(),
    "receive": lambda websocket: websocket.receive(),
    "receive_text": lambda websocket: websocket.receive_text(),
    "receive_bytes": lambda websocket: websocket.receive_bytes(),
    "receive_json": lambda websocket: websocket.receive_json(),
    "send_text": lambda websocket: websocket.send_text("a"),
    "send_json": lambda websocket: websocket.send_json([1], mode="binary"),
    "close": lambda websocket: websocket.close(1001, "why"),
    "refuse": lambda websocket: websocket.send({"type": "websocket.http.response.start", "status": 403}),
    "body": lambda websocket: websocket.send({"type": "websocket.http.response.body", "body": b"a"}),
    "piece": lambda websocket: websocket.send({"type": "websocket.http.response.body", "more_body": True}),
    "nonsense": lambda websocket: websocket.send({"type": "nonsense"}),
}

_LEAVE: Message = {"type": "websocket.disconnect", "code": 1001, "reason": "bye"}
_incoming: st.SearchStrategy[Message] = st.sampled_from(
    [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "1"},
        {"type": "websocket.receive", "bytes": b"1"},
        {"type": "nonsense"},
        _LEAVE,
    ]
)
_connected = st.lists(_incoming, max_size=5).map(lambda rest: [{"type": "websocket.connect"}, *rest])


def _converse(toolkit: Any, actions: list[str], incoming: list[Message], gone_after: int) -> list[Any]:
    """What each action led to: its result or its kind of error, both states, and what had been sent by then."""
    script = iter(incoming)
    sent: list[Message] = []

    async def receive() -> Message:
        return next(script, _LEAVE)

    async def send(message: Message) -> None:
        if len(sent) >= gone_after:
            raise OSError("gone")
        sent.append(message)

    async def main() -> list[Any]:
        websocket = toolkit.WebSocket({"type": "websocket", "path": "/", "headers": []}, receive, send)
        log: list[Any] = []
        for action in actions:
            try:
                outcome: Any = await _ACTIONS[action](websocket)
            except Exception as error:  # noqa: BLE001  the kinds of error must be alike too
                outcome = _kind(error)
            log.append((outcome, websocket.client_state.name, websocket.application_state.name, list(sent)))
        return log

    return run(main)


def _kind(error: Exception) -> tuple[Any, ...]:
    """What Starlette's users can tell of an error: ours are of subclasses that say more."""
    name = type(error).__name__
    if name in ("WebSocketDisconnect", "WebSocketDisconnected"):
        return name, getattr(error, "code", None), getattr(error, "reason", None)
    return (
        next((base.__name__ for base in (RuntimeError, KeyError, OSError) if isinstance(error, base)), name),
        None,
        None,
    )


@given(
    st.lists(st.sampled_from(sorted(_ACTIONS)), max_size=6),
    _connected | st.lists(_incoming, max_size=3),
    st.integers(0, 9),
)
def test_both_go_through_the_same_states(actions: list[str], incoming: list[Message], gone_after: int) -> None:
    ours = _converse(playground.web.websockets, actions, incoming, gone_after)
    assert ours == _converse(starlette.websockets, actions, incoming, gone_after)
