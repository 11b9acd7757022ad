"""The two tables by which a websocket lives: what may be received, and what may be sent, in each state.

They are drawn from the websocket part of the ASGI specification (version 2.5). Each side of a websocket has a
state of its own, for each closes on its own. Who receives and sends, and what the messages carry, is no
business of this module.
"""

import enum
from collections.abc import Mapping
from typing import Final

from playground.asgi import Message, Stage, Turn
from playground.errors import ProtocolError

__all__ = ["RECEIVE", "SEND", "WebSocketState", "after"]


class WebSocketState(enum.Enum):
    """What one side of a websocket is doing. In `RESPONSE` the app is refusing it by an HTTP response."""

    CONNECTING = 0
    CONNECTED = 1
    DISCONNECTED = 2
    RESPONSE = 3


def _to(state: str) -> Turn:
    return Turn("", state, state)


RECEIVE: Final[Mapping[WebSocketState, Stage]] = {
    WebSocketState.CONNECTING: Stage(
        '"websocket.connect"',
        "It is the first message of every websocket, and the server's to send.",
        {"websocket.connect": _to("CONNECTED")},
    ),
    WebSocketState.CONNECTED: Stage(
        '"websocket.receive" or "websocket.disconnect"',
        "After the first message a server sends only data, and at the end word of the client's leaving.",
        {"websocket.receive": _to("CONNECTED"), "websocket.disconnect": _to("DISCONNECTED")},
    ),
    WebSocketState.DISCONNECTED: Stage(
        "nothing more", "The client has left; end the endpoint, or leave the loop that receives.", {}
    ),
}
"""What may be received, by `client_state`."""

SEND: Final[Mapping[WebSocketState, Stage]] = {
    WebSocketState.CONNECTING: Stage(
        '"websocket.accept", "websocket.close" or "websocket.http.response.start"',
        "Write `await websocket.accept()` before anything is sent.",
        {
            "websocket.accept": _to("CONNECTED"),
            "websocket.close": _to("DISCONNECTED"),
            "websocket.http.response.start": _to("RESPONSE"),
        },
    ),
    WebSocketState.CONNECTED: Stage(
        '"websocket.send" or "websocket.close"',
        "A websocket is accepted once; then send data, and close it at the end.",
        {"websocket.send": _to("CONNECTED"), "websocket.close": _to("DISCONNECTED")},
    ),
    WebSocketState.RESPONSE: Stage(
        '"websocket.http.response.body"',
        "The websocket is being refused by a response; send the rest of its body.",
        {"websocket.http.response.body": Turn("more_body", "DISCONNECTED", "RESPONSE")},
    ),
    WebSocketState.DISCONNECTED: Stage(
        "nothing more", "The websocket is closed, refused or lost; leave the endpoint.", {}
    ),
}
"""What may be sent, by `application_state`."""


def after(stage: Stage, message: Message) -> WebSocketState:
    """The state to which a message leads.

    Raises:
        ProtocolError: the message is not legal at this stage.
    """
    turn = stage.turns.get(message["type"])
    if turn is None:
        raise ProtocolError(f"Expected ASGI message {stage.expects}, but got {message['type']!r}. {stage.advice}")
    return WebSocketState[turn.set if turn.flag and message.get(turn.flag) else turn.unset]
