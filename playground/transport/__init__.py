"""Calls an app as if over a network: any app, every message, no port.

`ASGITransport` and `WSGITransport` are the far end of an `httpx.AsyncClient`, perhaps over a `Network`; `connect` opens
a websocket; `lifespan` starts an app up and shuts it down. `Exchange`, `Session` and the scopes are the level below,
for callers who want an app's answer without a client library.

This room decides what an app is told, message by message, what it may answer and when, and what a simulated network
does to both. It refuses to know which framework the app is written in, whether anybody records it, and by which clock
its waiting passes: it waits by the event loop that it runs on, asyncio's or trio's.
"""

from playground.transport.blocking import BlockingSession
from playground.transport.exchange import Exchange
from playground.transport.inprocess import ASGITransport
from playground.transport.lifespan import lifespan
from playground.transport.network import Network
from playground.transport.reply import Answer
from playground.transport.scope import http_scope, websocket_scope
from playground.transport.session import Session
from playground.transport.websocket import connect, handshake_scope
from playground.transport.wsgi import WSGITransport

__all__ = [
    "ASGITransport",
    "Answer",
    "BlockingSession",
    "Exchange",
    "Network",
    "Session",
    "WSGITransport",
    "connect",
    "handshake_scope",
    "http_scope",
    "lifespan",
    "websocket_scope",
]
