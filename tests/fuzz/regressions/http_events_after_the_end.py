"""An app that sent a message after the end of its response waited for ever, if its client had not read the body.

It waited for room for a message that would be refused; closing the response then waited for the app.
"""

import asyncio

import pytest

from playground.asgi import Receive, Scope, Send
from playground.errors import ProtocolError
from playground.transport import Exchange, http_scope
from tests.clock.virtually import virtually
from tests.web.exchange import exactly

REFUSED = (
    "GET /x: expected nothing more, but the app sent `http.response.body`. "
    "A body message without `more_body=True` ends the response; send nothing after it."
)


def test_a_message_after_the_end_is_refused_though_nobody_reads() -> None:
    ends: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ab"})
        with pytest.raises(ProtocolError, match=exactly(REFUSED)):
            await send({"type": "http.response.body", "body": b"ab"})
        ends.append("told")

    async def main() -> None:
        exchange = Exchange(app, http_scope("GET", b"/x"), buffer_bytes=1)
        await exchange.start()
        await asyncio.sleep(1)
        await exchange.aclose()

    virtually(main)
    assert ends == ["told"]
