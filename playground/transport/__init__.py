"""Calls an app as if over a network: any app, every message, no port.

`ASGITransport` is the far end of an `httpx.AsyncClient`. `Exchange` and `http_scope` are the level below,
for callers who want an app's answer without a client library.
"""

from playground.transport.exchange import Exchange
from playground.transport.inprocess import ASGITransport
from playground.transport.reply import Answer
from playground.transport.scope import http_scope

__all__ = ["ASGITransport", "Answer", "Exchange", "http_scope"]
