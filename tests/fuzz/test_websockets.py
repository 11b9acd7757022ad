"""Websockets: any app and any client, in any order: none waits for ever unnoticed, and what is wrong is told in words.

App and client are drawn as two scripts and run against each other on the virtual clock, where a hang is a deadlock at
once. What is legal is said in other words than in the transport's table: a regular language over the types. Frames by
hand over a real socket are in `test_frames.py`.
"""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import wsproto
import wsproto.events
from hypothesis import strategies as st

from playground.asgi import Message
from playground.errors import ClientGone, ConnectionClosed, PlaygroundError, ProtocolError
from playground.transport import Session, connect
from tests.clock.virtually import virtually
from tests.fuzz.kit import fuzzed
from tests.fuzz.played import Own, Played
from tests.fuzz.served import Connection

_ACCEPT: Message = {"type": "websocket.accept"}
_TEXT: Message = {"type": "websocket.send", "text": "a"}
_CLOSE: Message = {"type": "websocket.close"}
_DENY: Message = {"type": "websocket.http.response.start", "status": 403, "headers": []}
_BODY: Message = {"type": "websocket.http.response.body", "body": b"no"}
_plain: st.SearchStrategy[Any] = st.sampled_from(
    [
        *([_ACCEPT] * 5),
        *([_TEXT] * 3),
        {"type": "websocket.send", "bytes": b"\x00\xff"},
        {"type": "websocket.send", "text": ""},
        {"type": "websocket.send", "text": "é𝄞" * 50},
        _CLOSE,
        {**_CLOSE, "code": 4000, "reason": "why"},
        _DENY,
        _BODY,
        {**_BODY, "more_body": True},
    ]
)
_odd: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        7,
        {},
        {"type": None},
        {"type": []},
        {"type": "websocket.receive"},
        {"type": "http.response.start", "status": 200},
        {"type": "websocket.send"},
        {**_TEXT, "bytes": b"a"},
        {**_TEXT, "text": b"a"},
        {**_TEXT, "text": 7},
        {**_TEXT, "text": "\ud800"},
        {"type": "websocket.send", "bytes": "a"},
        {"type": "websocket.send", "bytes": bytearray(b"a")},
        {**_TEXT, "text": "x" * 70_000},
        {**_ACCEPT, "headers": 7},
        {**_ACCEPT, "headers": [(b"a", "b")]},
        {**_ACCEPT, "headers": [(5, b"b")]},
        {**_ACCEPT, "headers": [(b"a", b"b\r\nc: d")]},
        {**_ACCEPT, "headers": [(b"x-a", b"b")]},
        {**_ACCEPT, "subprotocol": "chat"},
        {**_ACCEPT, "subprotocol": 7},
        {**_ACCEPT, "subprotocol": "a\r\nb"},
        {**_CLOSE, "code": None},
        {**_CLOSE, "code": "1000"},
        {**_CLOSE, "code": -1},
        {**_CLOSE, "code": 10**6},
        {**_CLOSE, "reason": 7},
        {**_CLOSE, "reason": "é" * 100},
        {**_DENY, "status": 101},
        {**_DENY, "status": "403"},
        {**_DENY, "headers": [(b"a", 7)]},
        {**_DENY, "headers": [(b"content-length", b"7")]},
        {**_BODY, "body": "text"},
    ]
)
_acts = st.sampled_from(["receive", "receive", "receive", "sleep", "raise", "swallow"])
_app_scripts = st.lists(_plain | _plain | _odd | _acts, max_size=8)
_client_scripts = st.lists(
    st.sampled_from(
        ["send a", "send é", "send \ud800", "bytes", "large", "json", "receive", "receive", "text", "sleep"]
    )
    | st.sampled_from(["close", "close 4001", "iterate"]),
    max_size=6,
)


@dataclass
class _Heard:
    """What became of a client.

    Attributes:
        messages: what it received.
        sent: what it has sent.
        end: the error by which it was told of the end; `None` if it came to the end of its script.
    """

    messages: list[str | bytes] = field(default_factory=list)
    sent: list[str | bytes] = field(default_factory=list)
    end: Exception | None = None


_LARGE = "x" * 70_000


async def _talk(played: Played, script: Sequence[str]) -> _Heard:
    heard = _Heard()
    try:
        async with connect(played, "/x", subprotocols=["chat"], timeout=20) as session:
            for act in script:
                await _do(session, act, heard)
    except (PlaygroundError, Own) as error:
        heard.end = error
    return heard


async def _do(session: Session, act: str, heard: _Heard) -> None:
    what, _, data = act.partition(" ")
    if what in ("send", "large", "bytes", "json"):
        try:
            await asyncio.wait_for(_send(session, what, data, heard), 20)
        except TimeoutError:
            return  # the app takes nothing, and the buffer is full: as on a socket, that may last
    elif what == "receive":
        message = await session.receive(20)
        heard.messages.append(message["bytes"] if message.get("text") is None else message["text"])
    elif what == "text":
        heard.messages.append(await session.receive_text(20))
    elif what == "iterate":
        while (found := await session.receive_any(20)) is not None:
            heard.messages.append(found)
    elif what == "close":
        await session.close(int(data or 1000), "bye")
    else:
        await asyncio.sleep(0.5)


async def _send(session: Session, what: str, data: str, heard: _Heard) -> None:
    if what == "bytes":
        await session.send_bytes(b"\x00")
        heard.sent.append(b"\x00")
    elif what == "json":
        await session.send_json({"a": "é"}, "binary")
        heard.sent.append('{"a":"é"}'.encode())
    else:
        text = _LARGE if what == "large" else data
        await session.send_text(text)
        heard.sent.append(text)


_LEGAL = re.compile(r"(accept (send )*(close )?|close |(start )(more )*(body )?)?")


def _words(taken: Sequence[Any]) -> str:
    kinds = [message["type"].rpartition(".")[2] for message in taken]
    more = [bool(message.get("more_body")) for message in taken]
    return "".join(
        "more " if kind == "body" and is_more else f"{kind} " for kind, is_more in zip(kinds, more, strict=True)
    )


def _data(messages: Sequence[Message], kind: str) -> list[str | bytes]:
    found = [message for message in messages if message["type"] == kind]
    return [bytes(one["bytes"]) if one.get("text") is None else one["text"] for one in found]


@fuzzed(_app_scripts, _client_scripts, examples=80)
def test_any_app_and_any_client_come_to_an_end_in_words(script: list[Any], client: list[str]) -> None:
    played = Played(script)

    async def main() -> _Heard:
        before = asyncio.all_tasks()
        heard = await _talk(played, client)
        assert asyncio.all_tasks() == before
        return heard

    heard = virtually(main).result
    if heard.end is not None and not isinstance(heard.end, Own):
        assert "WS /x: expected " in str(heard.end)
    if played.refused is not None:
        step, error = played.refused
        assert isinstance(error, ProtocolError | ClientGone), (step, error)
        assert str(error).startswith("WS /x: expected ")
    assert _LEGAL.fullmatch(_words(played.taken))
    said = _data(played.taken, "websocket.send")
    assert heard.messages == said[: len(heard.messages)]
    came = _data(played.received, "websocket.receive")
    assert came == [*heard.sent, _LARGE][: len(came)]
    _check_order(played.received)


def _check_order(received: Sequence[Message]) -> None:
    """What an app receives begins with a connect and ends, if at all, in disconnects that say a code."""
    kinds = "".join(message["type"].rpartition(".")[2][0] for message in received)
    assert re.fullmatch(r"(cr*d*)?", kinds)
    for message in received:
        if message["type"] == "websocket.disconnect":
            assert isinstance(message["code"], int)
        elif message["type"] == "websocket.receive":
            assert (message.get("text") is None) != (message.get("bytes") is None)


_calm_scripts = st.lists(_plain | st.just("receive"), max_size=6).map(lambda rest: ["receive", *rest])


@fuzzed(_calm_scripts | st.lists(_odd, max_size=1).flatmap(lambda odd: _calm_scripts.map(lambda rest: rest + odd)),
        st.lists(st.sampled_from(["a", "é", b"\x01", ""]), max_size=3), examples=50)  # fmt: skip
def test_a_client_hears_what_it_would_over_a_socket(script: list[Any], says: list[Any]) -> None:
    """Beside uvicorn by wsproto: the same messages, the same close code; where uvicorn's app fails, ours has too."""
    ours, theirs = Played(script), Played(script)

    async def both() -> tuple[Any, Any]:
        return await _asked(ours, says), await _asked_over_a_socket(theirs, says)

    heard, over_a_socket = virtually(both).result
    if ours.refused is None and theirs.refused is None:
        if heard != over_a_socket:  # whoever begins a denial and does not end it is told so here
            assert (heard[0], over_a_socket) == ([], ([], 403))
            assert re.fullmatch("start (more )*", _words(ours.taken))
        assert _data(ours.received, "websocket.receive") == _data(theirs.received, "websocket.receive")
    elif ours.refused is not None and isinstance(ours.refused[1], ProtocolError) and theirs.refused is None:
        assert _is_laxer(ours.refused[0])


def _is_laxer(step: Any) -> bool:
    """Whether a message is one that uvicorn takes by wsproto, and the specification or another server does not."""
    return isinstance(step, dict) and (
        ("text" in step and "bytes" in step)
        or step.get("status") == 101
        or "headers" in step
        or step["type"] in ("websocket.close", "websocket.send", "websocket.http.response.body")
    )


async def _asked(played: Played, says: Sequence[Any]) -> Any:
    messages: list[Any] = []
    try:
        async with connect(played, "/x", subprotocols=["chat"], timeout=50) as session:
            with suppress(ConnectionClosed):  # what came before the end can be read still
                for one in says:
                    await (session.send_text(one) if isinstance(one, str) else session.send_bytes(one))
            while True:
                message = await asyncio.wait_for(session.receive(), 50)
                messages.append(message["bytes"] if message.get("text") is None else message["text"])
    except TimeoutError:
        return messages, "open"
    except ConnectionClosed as end:
        if "has returned" in str(end):
            return messages, "failed"  # uvicorn just drops the line
        if "expected the app to accept the connection, but it closed it" in str(end):
            return messages, 403  # which is how a server tells it
        return messages, getattr(end, "status", None) or end.code
    except (PlaygroundError, Own):
        return messages, "failed"


async def _asked_over_a_socket(played: Played, says: Sequence[Any]) -> Any:
    connection = Connection(played)
    client = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    connection.say(client.send(wsproto.events.Request(host="testserver", target="/x", subprotocols=["chat"])))
    reader = _Reader(client, connection)
    await asyncio.sleep(1)
    reader.read()
    for one in says:
        if reader.end is None and client.state is wsproto.connection.ConnectionState.OPEN:
            connection.say(client.send(wsproto.events.Message(one)))
            await asyncio.sleep(1)
            reader.read()
    await asyncio.sleep(40)
    reader.read()
    await connection.lose()
    return reader.messages, "open" if reader.end is None else reader.end


@dataclass
class _Reader:
    """What a client by wsproto makes of what has come."""

    client: wsproto.WSConnection
    connection: Connection
    messages: list[Any] = field(default_factory=list)
    end: Any = None
    seen: int = 0

    def read(self) -> None:
        said = self.connection.said
        if self.seen < len(said):
            self.client.receive_data(said[self.seen :])
            self.seen = len(said)
        for event in self.client.events():
            if isinstance(event, wsproto.events.TextMessage | wsproto.events.BytesMessage):
                self.messages.append(event.data)
            elif isinstance(event, wsproto.events.CloseConnection):
                self.end = event.code
            elif isinstance(event, wsproto.events.RejectConnection):
                self.end = event.status_code if event.status_code != 500 else "failed"
        if self.end is None and self.connection.closed:
            self.end = "failed"
