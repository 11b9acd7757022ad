"""What is compressed can be read as it arrives, and holds up nobody."""

import threading
import zlib
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import Message, Receive, Scope, Send
from playground.web.middleware.gzip import GZipMiddleware
from playground.web.responses import PlainTextResponse
from tests.web.exchange import Backend, call, exactly, http_scope, run

GZIP = [(b"accept-encoding", b"gzip")]
both = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def sending(*pieces: bytes) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        for number, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})

    return app


@given(st.lists(st.binary(max_size=50), min_size=2, max_size=6), st.integers(1, 9), st.sampled_from([1, 1_000_000]))
def test_every_piece_can_be_read_when_it_arrives(pieces: list[bytes], level: int, thread_size: int) -> None:
    app = GZipMiddleware(sending(*pieces), compresslevel=level, thread_minimum_size=thread_size)
    exchange = call(app, headers=GZIP)
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert [reader.decompress(message["body"]) for message in exchange.sent[1:]] == pieces
    assert reader.eof


@both
def test_large_pieces_are_compressed_in_threads_that_are_not_those_of_handlers(backend: Backend) -> None:
    async def main() -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = 1
        async with limiter:  # every thread of the handlers is busy
            sent: list[Message] = []

            async def send(message: Message) -> None:
                sent.append(message)

            app = GZipMiddleware(sending(b"x" * 200_000))
            with anyio.fail_after(30):
                await app(http_scope(headers=GZIP), anyio.sleep_forever, send)  # type: ignore[arg-type]
        assert zlib.decompress(sent[1]["body"], 16 + zlib.MAX_WBITS) == b"x" * 200_000

    run(main, backend)


@both
def test_a_client_that_leaves_leaves_no_compressing_behind(backend: Backend) -> None:
    async def main() -> None:
        async def send(message: Message) -> None:
            raise OSError("the client has left")

        app = GZipMiddleware(sending(b"x" * 200_000))
        with pytest.raises(OSError, match=exactly("the client has left")):
            await app(http_scope(headers=GZIP), anyio.sleep_forever, send)  # type: ignore[arg-type]

    before = threading.active_count()
    run(main, backend)
    assert threading.active_count() <= before + 1  # trio keeps an idle worker for a while


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [
        (b"gzip", "gzip"),
        (b"br;q=1, gzip;q=0.5", "gzip"),
        (b"gzip;q=0", None),
        (b"gzip ; q=0.00, br", None),
        (b"identity", None),
    ],
)
def test_a_weight_of_zero_is_a_no(accepts: bytes, encoding: str | None) -> None:
    exchange = call(GZipMiddleware(PlainTextResponse("x" * 500)), headers=[(b"accept-encoding", accepts)])
    assert exchange.headers.get("content-encoding") == encoding


def test_trailers_come_after_the_compressed_body() -> None:
    trailers: Message = {"type": "http.response.trailers", "headers": []}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        await send({"type": "http.response.body", "body": b"x" * 500})
        await send(trailers)

    exchange = call(GZipMiddleware(app), headers=GZIP)
    assert exchange.sent[0]["trailers"] is True
    assert exchange.sent[2] == trailers
