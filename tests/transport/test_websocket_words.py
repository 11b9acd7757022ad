"""What an app may say to a websocket, and when: each refusal whole."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import ProtocolError
from playground.transport._dialogue import OVERHEAD_BYTES, WEBSOCKET, Dialogue
from tests.transport.sockets import ACCEPT, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_task_is_left")]


def refusal(*messages: Any) -> str:
    dialogue = Dialogue("WS /x")
    for message in messages[:-1]:
        dialogue.take(message)
    with pytest.raises(ProtocolError) as caught:
        dialogue.take(messages[-1])
    return str(caught.value)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (
            [text("a")],
            (
                "expected `websocket.accept`, `websocket.close` or `websocket.http.response.start`, but the app sent "
                "`websocket.send`. Accept the connection, or refuse it, before anything else."
            ),
        ),
        (
            [ACCEPT, ACCEPT],
            (
                "expected `websocket.send` or `websocket.close`, but the app sent `websocket.accept`. "
                "A connection is accepted once; after that send, and close it at the end."
            ),
        ),
        (
            [{"type": "websocket.close"}, text("a")],
            (
                "expected nothing more, but the app sent `websocket.send`. "
                "The connection is closed; send nothing after that."
            ),
        ),
        (
            [{"type": "websocket.http.response.start", "status": 400}, ACCEPT],
            (
                "expected `websocket.http.response.body`, but the app sent `websocket.accept`. "
                "A response in place of a connection has a start and a body, and nothing else."
            ),
        ),
        (
            [ACCEPT, "hello"],
            (
                "expected `websocket.send` or `websocket.close`, but the app sent what is no message, a dict with a "
                "`type`. A connection is accepted once; after that send, and close it at the end."
            ),
        ),
        (
            [ACCEPT, {"type": "websocket.send", "text": "a", "bytes": b"b"}],
            (
                "expected `text` of str or `bytes` of bytes, and one of the two, but `websocket.send` holds "
                "a str and a bytes. Send text, or bytes."
            ),
        ),
        (
            [ACCEPT, {"type": "websocket.send"}],
            (
                "expected `text` of str or `bytes` of bytes, and one of the two, but `websocket.send` holds "
                "nothing and nothing. Send text, or bytes."
            ),
        ),
    ],
)
def test_a_message_out_of_turn_or_malformed_is_refused_in_words(messages: list[Any], words: str) -> None:
    assert refusal(*messages) == f"WS /x: {words}"


@given(st.lists(st.sampled_from(sorted({kind for stage in WEBSOCKET.values() for kind in stage.turns})), max_size=6))
def test_a_message_is_taken_exactly_if_the_specification_allows_it_there(kinds: list[str]) -> None:
    """Against the rule in other words: a regular language over the types."""
    legal = re.compile(r"((accept (send )*(close )?)|(close )|(http\.response\.start (http\.response\.body )?))?")
    dialogue, said = Dialogue("WS /"), ""
    for kind in kinds:
        message = {"type": kind, "text": "a"} if kind == "websocket.send" else {"type": kind, "status": 400}
        word = kind.removeprefix("websocket.") + " "
        if legal.fullmatch(said + word):
            dialogue.take(message)
            said += word
        else:
            with pytest.raises(ProtocolError):
                dialogue.take(message)


@given(st.lists(st.text(max_size=20) | st.binary(max_size=20)))
def test_messages_come_out_in_order_and_their_size_is_counted(pieces: list[str | bytes]) -> None:
    dialogue = Dialogue("WS /")
    dialogue.take(ACCEPT)
    for piece in pieces:
        dialogue.take({"type": "websocket.send", "text" if isinstance(piece, str) else "bytes": piece})
    assert dialogue.buffered == sum(len(piece) + OVERHEAD_BYTES for piece in pieces)
    out = [next(message[key] for key in ("text", "bytes") if key in message) for message in iter(dialogue.pop, None)]
    assert (out, dialogue.buffered) == (pieces, 0)
