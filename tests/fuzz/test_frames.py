"""Frames of websockets by hand (RFC 6455, 5.2), whole and broken, over the real socket of `lab.serve`.

Whatever a client sends, it ends its own connection at most: the app sees legal messages only, learns that the client
is gone, and the next client is served as if nothing had been.
"""

import socket
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st

from playground import App, Lab
from playground.web.websockets import WebSocket
from tests.fuzz.kit import fuzzed

_app = App()
_living = Counter[str]()
_faults: list[Any] = []


@_app.websocket("/echo")
async def _echo(websocket: WebSocket) -> None:
    _living["now"] += 1
    try:
        await websocket.accept()
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            if message["type"] != "websocket.receive" or not (
                (message.get("text") is None) ^ (message.get("bytes") is None)
            ):
                _faults.append(message)
            await websocket.send({**message, "type": "websocket.send"})
        if not isinstance(message.get("code"), int):
            _faults.append(message)
    finally:
        _living["now"] -= 1


@contextmanager
def _served() -> Iterator[int]:
    """The port of a lab's server."""
    with Lab(_app) as lab, lab.serve() as server:
        yield int(server.url.rpartition(":")[2])


_HANDSHAKE = (
    b"GET /echo HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_handshakes = st.sampled_from(
    [
        *([_HANDSHAKE] * 6),
        _HANDSHAKE.replace(b"13", b"8"),
        _HANDSHAKE.replace(b"Version: 13", b"Version: x"),
        _HANDSHAKE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"short"),
        _HANDSHAKE.replace(b"GET", b"POST"),
        _HANDSHAKE.replace(b"/echo", b"/none"),
        _HANDSHAKE.replace(
            b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
        ),
        _HANDSHAKE.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n"),
        _HANDSHAKE[:40],
    ]
)


def _frame(first: int, is_masked: bool, payload: bytes, lie: int) -> bytes:
    """A frame: `first` is FIN, RSV and opcode; `lie` is added to the length that it names."""
    length = max(0, len(payload) + lie)
    mask = b"\x01\x02\x03\x04" if is_masked else b""
    flag = 0x80 if is_masked else 0
    if length < 126:
        head = struct.pack("!BB", first, flag | length)
    elif length < 1 << 16:
        head = struct.pack("!BBH", first, flag | 126, length)
    else:
        head = struct.pack("!BBQ", first, flag | 127, length)
    data = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload)) if is_masked else payload
    return head + mask + data


_firsts = st.sampled_from([0x81, 0x81, 0x82, 0x01, 0x80, 0x00, 0x88, 0x89, 0x8A, 0x09, 0xC1, 0x83, 0x8F]) | st.integers(
    0, 255
)
_payloads = st.sampled_from(
    [
        b"",
        b"a",
        "é".encode(),
        b"\xc3",
        b"\xff",
        b"\x03\xe8",
        b"\x03\xe8bye",
        b"\x00\x01",
        b"\x03\xed",
        b"\x10",
        b"x" * 126,
        b"x" * 70_000,
    ]
) | st.binary(max_size=8)
_frames = st.tuples(
    _firsts, st.sampled_from([True, True, True, False]), _payloads, st.sampled_from([0, 0, 0, 0, -1, 5, 1 << 62])
)


@fuzzed(_handshakes, st.lists(_frames, max_size=5), st.binary(max_size=6), st.booleans(), examples=30, around=_served)
def test_any_bytes_over_a_real_socket_end_one_connection_and_no_other(
    port: int, handshake: bytes, frames: list[tuple[int, bool, bytes, int]], junk: bytes, waits: bool
) -> None:
    _faults.clear()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(handshake)
        if waits and handshake == _HANDSHAKE:
            assert line.recv(1 << 16).startswith(b"HTTP/1.1 101 ")
        try:
            for frame in frames:
                line.sendall(_frame(*frame))
            line.sendall(junk)
        except ConnectionError:
            pass  # the server has had enough
    assert _echoed(port, b"still here") == b"still here"
    assert not _faults, _faults
    deadline = 2_000
    while _living["now"] and deadline:  # whoever left is soon known to be gone
        assert _echoed(port, b"on") == b"on"
        deadline -= 1
    assert not _living["now"]


def _echoed(port: int, data: bytes) -> bytes:
    """What a well-behaved client hears: its message, and then the server's answer to its close."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(_HANDSHAKE)
        head = b""
        while not head.endswith(b"\r\n\r\n"):  # before that a client may send nothing (RFC 6455, 4.1)
            head += line.recv(1)
        line.sendall(_frame(0x82, True, data, 0))
        said = b""
        while len(said) < 2 + len(data):
            said += line.recv(1 << 16)
        line.sendall(_frame(0x88, True, b"\x03\xe8", 0))
        assert line.recv(1 << 16) == _frame(0x88, False, b"\x03\xe8", 0)
        return said[2:]
