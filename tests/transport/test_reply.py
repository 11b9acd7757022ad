"""What an app may answer: the order of its messages, their form, and the length of the body."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import HTTP_RESPONSE
from playground.errors import ProtocolError
from playground.transport.reply import Reply

START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"abc"}
MORE = {"type": "http.response.body", "body": b"abc", "more_body": True}
TRAILERS = {"type": "http.response.trailers", "headers": [(b"a", b"1")]}


def start(*headers: Any, **more: Any) -> dict[str, Any]:
    return {**START, "headers": list(headers), **more}


def reply(method: str = "GET", extensions: tuple[str, ...] = ("http.response.trailers",)) -> Reply:
    return Reply(f"{method} /x", method, extensions)


def complete_after(answer: Reply, message: dict[str, Any]) -> bool:
    answer.take(message)
    return answer.complete


def refusal(*messages: Any, method: str = "GET", extensions: tuple[str, ...] = ()) -> str:
    """Send messages of which the last is refused; return the words."""
    answer = reply(method, extensions)
    for message in messages[:-1]:
        answer.take(message)
    with pytest.raises(ProtocolError) as caught:
        answer.take(messages[-1])
    return str(caught.value)


def test_every_stage_leads_to_a_stage_and_all_but_the_last_lead_on() -> None:
    for name, stage in HTTP_RESPONSE.items():
        for turn in stage.turns.values():
            assert {turn.set, turn.unset} <= HTTP_RESPONSE.keys()
        assert bool(stage.turns) == (name != "done")


def test_a_response_is_complete_after_its_last_body_message() -> None:
    answer = reply()
    answer.take(START)
    assert [complete_after(answer, message) for message in (MORE, BODY)] == [False, True]
    assert answer.answer().body == b"abcabc"


def test_trailers_that_were_promised_complete_the_response() -> None:
    answer = reply()
    answer.take(start(trailers=True))
    rest = (BODY, {**TRAILERS, "more_trailers": True}, TRAILERS)
    assert [complete_after(answer, message) for message in rest] == [False, False, True]
    assert answer.answer().trailers == [(b"a", b"1"), (b"a", b"1")]


def test_early_hints_and_debug_information_are_kept() -> None:
    answer = reply(extensions=("http.response.early_hint", "http.response.debug"))
    answer.take({"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]})
    answer.take({"type": "http.response.debug", "info": {"template": 1}})
    answer.take(START)
    answer.take(BODY)
    whole = answer.answer()
    assert (whole.early_hints, whole.debug) == ([b"</a.css>; rel=preload"], [{"template": 1}])


def test_the_transfer_encoding_is_left_to_the_server() -> None:
    answer = reply()
    answer.take(start((b"Transfer-Encoding", b"chunked"), (b"x-a", b"1")))
    assert answer.headers == [(b"x-a", b"1")]


def test_the_answer_to_head_has_no_body_and_may_name_any_length() -> None:
    answer = reply("HEAD")
    answer.take(start((b"content-length", b"99")))
    answer.take(BODY)
    assert answer.complete
    assert answer.answer().body == b""


def test_a_304_may_name_the_length_of_what_it_does_not_send() -> None:
    answer = reply()
    answer.take(start((b"content-length", b"99"), status=304))
    answer.take({"type": "http.response.body"})
    assert answer.complete


@pytest.mark.parametrize("data", [bytearray(b"abc"), memoryview(b"abc")])
def test_anything_like_bytes_is_a_body(data: Any) -> None:
    answer = reply()
    answer.take(START)
    answer.take({**BODY, "body": data})
    assert answer.pop() == b"abc"


@given(st.lists(st.binary(max_size=40)), st.booleans())
def test_a_body_comes_out_as_it_was_cut_and_its_bytes_are_counted(pieces: list[bytes], declared: bool) -> None:
    answer, whole = reply(), b"".join(pieces)
    answer.take(start(*([(b"content-length", b"%d" % len(whole))] if declared else [])))
    for piece in pieces:
        answer.take({**MORE, "body": piece})
    answer.take({"type": "http.response.body"})
    assert (answer.size, answer.buffered) == (len(whole), len(whole))
    assert list(iter(answer.pop, None)) == [piece for piece in pieces if piece]
    assert answer.buffered == 0


@given(st.lists(st.binary(min_size=1, max_size=40)), st.integers(0, 200))
def test_a_body_is_refused_exactly_if_its_length_is_not_the_promised_one(pieces: list[bytes], promised: int) -> None:
    answer = reply()
    answer.take(start((b"content-length", b"%d" % promised)))
    fits = sum(map(len, pieces)) == promised
    try:
        for piece in pieces:
            answer.take({**MORE, "body": piece})
        answer.take({"type": "http.response.body"})
    except ProtocolError:
        assert not fits
    else:
        assert fits


@given(st.lists(st.sampled_from([START, start(trailers=True), BODY, MORE, TRAILERS]), max_size=6))
def test_a_message_is_taken_exactly_if_the_specification_allows_it_there(messages: list[dict[str, Any]]) -> None:
    """Against the rules in other words: start, bodies, the last body, and trailers if promised."""
    answer = reply()
    taken: list[dict[str, Any]] = []
    for message in messages:
        legal = _legal(taken, message)
        if legal:
            answer.take(message)
            taken.append(message)
        else:
            with pytest.raises(ProtocolError):
                answer.take(message)
    assert answer.complete == any(_ends(taken[: i + 1]) for i in range(len(taken)))


def _legal(taken: list[dict[str, Any]], message: dict[str, Any]) -> bool:
    if not taken:
        return bool(message["type"] == "http.response.start")
    last_body = any(one is BODY for one in taken)
    if message["type"] == "http.response.body":
        return not last_body
    wants_trailers = taken[0].get("trailers") and TRAILERS not in taken
    return bool(message is TRAILERS and last_body and wants_trailers)


def _ends(taken: list[dict[str, Any]]) -> bool:
    return taken[-1] is (TRAILERS if taken[0].get("trailers") else BODY)


# Every refusal, matched whole.


def test_a_body_before_the_start() -> None:
    assert refusal(BODY) == (
        "GET /x: expected `http.response.start`, but the app sent `http.response.body`. "
        "Send the status and the headers first, then the body."
    )


def test_a_second_start() -> None:
    assert refusal(START, START) == (
        "GET /x: expected `http.response.body`, but the app sent `http.response.start`. "
        "Send the status and the headers once, then only the body."
    )


def test_trailers_that_were_not_promised() -> None:
    assert refusal(START, TRAILERS) == (
        "GET /x: expected `http.response.body`, but the app sent `http.response.trailers`. "
        "Send the status and the headers once, then only the body."
    )


def test_trailers_before_the_end_of_the_body() -> None:
    assert refusal(start(trailers=True), MORE, TRAILERS, extensions=("http.response.trailers",)) == (
        "GET /x: expected `http.response.body`, but the app sent `http.response.trailers`. "
        "Send the rest of the body before the trailers."
    )


def test_a_body_where_trailers_are_due() -> None:
    assert refusal(start(trailers=True), BODY, BODY, extensions=("http.response.trailers",)) == (
        "GET /x: expected `http.response.trailers`, but the app sent `http.response.body`. "
        "The start message promised trailers; send them after the last of the body."
    )


def test_anything_after_the_end() -> None:
    assert refusal(START, BODY, BODY) == (
        "GET /x: expected nothing more, but the app sent `http.response.body`. "
        "A body message without `more_body=True` ends the response; send nothing after it."
    )


def test_a_message_of_another_protocol() -> None:
    assert refusal({"type": "websocket.accept"}) == (
        "GET /x: expected `http.response.start`, but the app sent `websocket.accept`. "
        "Send the status and the headers first, then the body."
    )


def test_a_message_without_a_type() -> None:
    assert refusal({"status": 200}) == (
        "GET /x: expected a message, a dict with a `type`, but the app sent a dict without one. "
        "Send `http.response.start`."
    )


def test_what_is_no_message_at_all() -> None:
    assert refusal(b"hello") == (
        "GET /x: expected a message, a dict with a `type`, but the app sent a bytes. Send `http.response.start`."
    )


@pytest.mark.parametrize(("status", "shown"), [("200", "'200'"), (None, "None"), (103, "103"), (1000, "1000")])
def test_a_status_that_is_none(status: Any, shown: str) -> None:
    assert refusal({**START, "status": status}) == (
        f"GET /x: expected a `status` from 200 to 999, an int, but `http.response.start` holds {shown}. "
        "A response has one final status; informational ones are the server's."
    )


@pytest.mark.parametrize(
    ("pair", "shown"),
    [
        (("a", b"1"), "a tuple"),
        ((b"a",), "a tuple"),
        (7, "7"),
        ((b"a", 1), "a tuple"),
        ("x" * 99, "'" + "x" * 56 + "..."),
    ],
)
def test_headers_that_are_not_pairs_of_bytes(pair: Any, shown: str) -> None:
    assert refusal(start(pair)) == (
        f"GET /x: expected `headers` of (name, value) pairs of bytes, but `http.response.start` holds {shown}. "
        'Write b"name", or encode the text as latin-1.'
    )


def test_a_content_length_that_is_no_number() -> None:
    assert refusal(start((b"Content-Length", b"-1"))) == (
        "GET /x: expected a `content-length` in digits, but `http.response.start` holds b'-1'. "
        "Send the number of bytes of the body, or leave the header out."
    )


def test_a_body_of_text() -> None:
    assert refusal(START, {**BODY, "body": "abc"}) == (
        "GET /x: expected a `body` of bytes, but `http.response.body` holds 'abc'. Encode text before sending it."
    )


def test_more_body_than_promised() -> None:
    assert refusal(start((b"content-length", b"4")), MORE, MORE) == (
        "GET /x: expected 4 bytes of body, as `content-length` says, but the app sent at least 6. "
        "Send the header that fits the body, or leave it out."
    )


def test_less_body_than_promised() -> None:
    assert refusal(start((b"content-length", b"7")), MORE, BODY) == (
        "GET /x: expected 7 bytes of body, as `content-length` says, but the app sent 6. "
        "Send the header that fits the body, or leave it out."
    )


@pytest.mark.parametrize("status", [204, 304])
def test_a_body_where_there_can_be_none(status: int) -> None:
    assert refusal(start(status=status), BODY) == (
        f"GET /x: expected no body, as the status is {status}, but the app sent 3 bytes of one. "
        "Send an empty body, or a status that has one."
    )


def test_an_extension_that_was_not_offered() -> None:
    assert refusal(start(trailers=True)) == (
        "GET /x: expected no extension that the scope does not offer, but the app used `http.response.trailers`. "
        'Look for it in scope["extensions"] before using it.'
    )


def test_an_app_that_returns_too_early_is_told_what_it_owes() -> None:
    answer = reply()
    assert str(answer.left_early()) == (
        "GET /x: expected `http.response.start`, but the app returned without sending one. "
        "Send a response in every branch of the app."
    )
    answer.take(start(trailers=True))
    answer.take(MORE)
    assert str(answer.left_early()) == (
        "GET /x: expected `http.response.body` with `more_body=False`, but the app returned after 3 bytes of body. "
        "Send a last body message, one without `more_body=True`."
    )
    answer.take(BODY)
    assert str(answer.left_early()) == (
        "GET /x: expected `http.response.trailers` with `more_trailers=False`, but the app returned after 6 bytes "
        "of body. The start message promised them; send them, or promise none."
    )


def test_a_refused_message_leaves_the_response_as_it_was() -> None:
    answer = reply()
    answer.take(START)
    with pytest.raises(ProtocolError):
        answer.take({**BODY, "body": "text"})
    answer.take(BODY)
    assert answer.answer().body == b"abc"
