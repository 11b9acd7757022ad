"""Orders of ASGI messages from an arbitrary app, over HTTP, beside uvicorn: refused where a server would, in words.

An app and a client are drawn as two scripts. On the virtual clock neither can hang unnoticed: where all wait and no
timer is set the clock says so. Where uvicorn (by h11) takes everything, the client must have got the same; where we
refuse, uvicorn must have refused too, or be known to let pass what the specification forbids.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import h11
from hypothesis import strategies as st

from playground.errors import ClientGone, Deadlock, NoAnswer, PlaygroundError, ProtocolError
from playground.transport import Exchange, http_scope
from tests.clock.virtually import virtually
from tests.fuzz.kit import fuzzed
from tests.fuzz.played import Own, Played
from tests.fuzz.served import Connection

_START = {"type": "http.response.start", "status": 200, "headers": []}
_BODY = {"type": "http.response.body", "body": b"ab"}
_sent: st.SearchStrategy[Any] = st.sampled_from(
    [
        *([_START] * 4),
        {**_START, "headers": [(b"content-length", b"2")]},
        {**_START, "headers": [(b"content-length", b"4")]},
        {**_START, "headers": [(b"content-length", b"3"), (b"content-length", b"2")]},
        {**_START, "headers": [(b"content-length", b"2"), (b"Content-Length", b"2")]},
        {**_START, "headers": [(b"transfer-encoding", b"chunked")]},
        {**_START, "status": 204},
        {**_START, "status": 304, "headers": [(b"content-length", b"9")]},
        {"type": "http.response.start", "status": 404},
        *([_BODY] * 3),
        {"type": "http.response.body"},
        {**_BODY, "more_body": True},
        {**_BODY, "more_body": True},
        {"type": "http.response.body", "more_body": True},
    ]
)
_odd: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        7,
        [],
        "http.response.start",
        {},
        {"type": None},
        {"type": []},
        {"type": "http.response.push"},
        {"type": "websocket.accept"},
        {"type": "http.response.trailers", "headers": []},
        {"type": "http.response.debug", "info": 1},
        {"type": "http.response.early_hint", "links": [b"<a>"]},
        {"type": "http.response.early_hint", "links": None},
        {"type": "http.response.early_hint", "links": 7},
        {"type": "http.response.early_hint", "links": ["a"]},
        {**_START, "trailers": True},
        {"type": "http.response.start"},
        {**_START, "status": 100},
        {**_START, "status": 99},
        {**_START, "status": 1000},
        {**_START, "status": "200"},
        {**_START, "status": True},
        {**_START, "headers": 7},
        {**_START, "headers": None},
        {**_START, "headers": {b"a": b"b"}},
        {**_START, "headers": [(b"content-length", b"9" * 5_000)]},
        {**_START, "headers": [(b"content-length", b"1, 1")]},
        {**_START, "headers": [(b"content-length", b"2"), (b"content-length", b"3")]},
        {**_BODY, "body": "text"},
        {**_BODY, "body": None},
        {**_BODY, "body": 5},
        {**_BODY, "body": bytearray(b"ab")},
        {**_BODY, "body": memoryview(b"ab")},
    ]
)
_acts = st.sampled_from(["receive", "receive", "sleep", "raise", "swallow"])
_app_scripts = st.lists(_sent | _sent | _odd | _acts, max_size=7)
_plain_scripts = st.lists(_sent, max_size=6)


async def _in_process(played: Played, method: str, body: bytes) -> Any:
    """The status, the headers and the body; or the error by which the client is told."""
    exchange = Exchange(played, http_scope(method, b"/x"), body)
    try:
        return await exchange.complete()
    except (PlaygroundError, Own) as error:
        return error


async def _over_a_socket(played: Played, method: str, body: bytes) -> Any:
    """Status, headers and body, or `None` if the client got no whole answer, or a 500 in its place."""
    client = h11.Connection(h11.CLIENT)
    head = h11.Request(method=method, target="/x", headers=[("host", "h"), ("content-length", str(len(body)))])
    parts = [client.send(head), client.send(h11.Data(body)) if body else b"", client.send(h11.EndOfMessage())]
    connection = Connection(played)
    connection.say(b"".join(part or b"" for part in parts))
    await connection.finish()
    client.receive_data(connection.said)
    client.receive_data(b"")
    events: list[Any] = []
    try:
        while not isinstance(event := client.next_event(), h11.ConnectionClosed | type):
            events.append(event)
    except h11.RemoteProtocolError:
        return None
    if not events or not isinstance(events[-1], h11.EndOfMessage) or events[0].status_code == 500:
        return None
    data = b"".join(bytes(event.data) for event in events if isinstance(event, h11.Data))
    return events[0].status_code, [pair for pair in events[0].headers if pair[0] in (b"content-length",)], data


@fuzzed(st.sampled_from(["GET", "GET", "HEAD", "POST"]), _plain_scripts, st.sampled_from([b"", b"body"]), examples=50)
def test_an_app_is_held_to_the_order_that_a_server_holds_it_to(method: str, script: list[Any], body: bytes) -> None:
    ours, theirs = Played(script), Played(script)

    async def both() -> tuple[Any, Any]:
        return await _in_process(ours, method, body), await _over_a_socket(theirs, method, body)

    answer, served = virtually(both).result
    if isinstance(answer, Exception):
        assert isinstance(answer, ProtocolError)
        assert str(answer).startswith(f"{method} /x: expected ")
        assert served is None or theirs.refused is not None or _is_laxer(method, script)
        return
    assert theirs.refused is None
    lengths = [pair for pair in answer.headers if pair[0] == b"content-length"]
    assert served == (answer.status, lengths, answer.body)


def _is_laxer(method: str, script: Sequence[Any]) -> bool:
    """Whether a script has what h11 lets pass: a body where none may be, or one whose end is not told, but counted."""
    is_ended = any(step["type"] == "http.response.body" and not step.get("more_body") for step in script)
    return method == "HEAD" or not is_ended or any(step.get("status") in (204, 304) for step in script)


@fuzzed(st.sampled_from(["GET", "HEAD"]), _app_scripts, st.booleans(), examples=50)
def test_any_message_is_taken_or_refused_in_words_and_the_request_ends(
    method: str, script: list[Any], inline: bool
) -> None:
    """Whatever the app sends, in whatever order, its client gets an answer or is told why there is none."""
    played = Played(script)
    exchange = Exchange(played, http_scope(method, b"/x"), b"body")
    told = virtually(lambda: _in_process_to_the_end(exchange) if not inline else _completed(exchange)).result
    if isinstance(told, Exception):
        assert isinstance(told, ProtocolError | Own | NoAnswer)
        assert isinstance(told, Own) or str(told).startswith(f"{method} /x: expected ")
    elif told is not None and isinstance(told, str):
        assert [message["type"] for message in played.received] == ["http.request"]
    else:
        assert exchange.reply.complete or exchange.reply.bodiless
    if played.refused is not None:
        step, error = played.refused
        assert isinstance(error, ProtocolError | ClientGone), (step, error)
        assert str(error).startswith(f"{method} /x: expected ")


async def _completed(exchange: Exchange) -> Any:
    try:
        return await asyncio.wait_for(exchange.complete(), 100)
    except (PlaygroundError, Own) as error:
        return error
    except TimeoutError:
        return "this way through an exchange nobody hangs up: an app that asks for more than there is waits"


async def _in_process_to_the_end(exchange: Exchange) -> Any:
    try:
        await exchange.start(50)
        while await exchange.chunk(50) is not None:
            pass
    except (PlaygroundError, Own) as error:
        return error
    finally:
        try:
            await exchange.aclose()
        finally:
            assert not exchange.running
    return exchange.untold()


_client_acts = st.lists(st.sampled_from(["start", "chunk", "chunk", "close", "close at once", "sleep"]), max_size=5)


@fuzzed(_app_scripts, _client_acts, st.sampled_from([0, 1, 65_536]), examples=50)
def test_a_client_that_does_anything_leaves_nothing_running(
    script: list[Any], acts: list[str], buffer_bytes: int
) -> None:
    played = Played(script)
    before: set[Any] = set()

    async def main() -> None:
        before.update(asyncio.all_tasks())
        exchange = Exchange(played, http_scope("GET", b"/x"), b"body", buffer_bytes=buffer_bytes)
        words = await _act(exchange, acts)
        assert words.startswith("GET /x: expected ") or not words
        await exchange.aclose()
        assert not exchange.running
        assert asyncio.all_tasks() == before

    try:
        virtually(main)
    except Deadlock as error:
        raise AssertionError("all wait for each other") from error


async def _act(exchange: Exchange, acts: Sequence[str]) -> str:
    """Do what the client does; return in which words it was told that this cannot be."""
    try:
        await _do(exchange, acts)
    except PlaygroundError as error:
        return str(error)
    except Own:
        pass
    return ""


async def _do(exchange: Exchange, acts: Sequence[str]) -> None:
    started = False
    for act in acts:
        if act == "sleep":
            await asyncio.sleep(0.5)
        elif act.startswith("close"):
            await exchange.aclose(wait_for_app=act == "close")
        elif not started:
            started = True
            await exchange.start(5)
        else:
            await exchange.chunk(5)
