"""The wire: what goes in comes out, the layout is the one written down, and damage is told in words."""

import json
import re
import struct
import tracemalloc
import zlib
from array import array
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import TraceError
from playground.trace.columns import TYPECODES, VERSION, Directory, pack, read, stream, unpack

LIMITS = {"u1": (0, 2**8), "u2": (0, 2**16), "u4": (0, 2**32), "i4": (-(2**31), 2**31), "i8": (-(2**63), 2**63)}


def column(kind: str) -> "st.SearchStrategy[array[Any]]":
    if kind == "f8":
        values: st.SearchStrategy[Any] = st.floats(allow_nan=False)
    else:
        least, limit = LIMITS[kind]
        values = st.integers(least, limit - 1)
    return st.lists(values, max_size=20).map(lambda drawn: array(TYPECODES[kind], drawn))


columns = st.dictionaries(st.text(max_size=8), st.sampled_from(sorted(TYPECODES)).flatmap(column), max_size=5)
headers = st.dictionaries(
    st.text(max_size=8).filter(lambda key: key != "columns"), st.integers() | st.text(), max_size=3
)


def packet(header: str | bytes, body: bytes = b"", version: int = VERSION) -> bytes:
    text = header.encode() if isinstance(header, str) else header
    return b"PLAYTRC" + bytes([version]) + struct.pack("<I", len(text)) + text + body


def refused(data: bytes) -> str:
    with pytest.raises(TraceError) as caught:
        unpack(data)
    return str(caught.value)


@given(headers, columns, st.integers(0, 9))
def test_what_is_packed_is_unpacked(header: dict[str, Any], packed: dict[str, "array[Any]"], level: int) -> None:
    found_header, found = unpack(pack(header, packed, level))
    assert found_header == header
    assert found == packed
    assert [values.typecode for values in found.values()] == [values.typecode for values in packed.values()]


def test_the_layout_is_magic_version_length_json_and_shuffled_columns() -> None:
    data = pack({"a": 1}, {"t": array("H", [0x0102, 0x0304]), "k": array("B", [7])})
    assert data[:8] == b"PLAYTRC\x01"
    (length,) = struct.unpack_from("<I", data, 8)
    assert json.loads(data[12 : 12 + length]) == {"a": 1, "columns": [["t", "u2", 2], ["k", "u1", 1]]}
    assert zlib.decompress(data[12 + length :]) == bytes([0x02, 0x04, 0x01, 0x03, 7])


def test_half_of_a_surrogate_pair_in_a_header_survives() -> None:
    assert unpack(pack({"path": "/\udce9"}, {})) == ({"path": "/\udce9"}, {})


@given(columns, st.data())
def test_a_shortened_packet_is_refused(packed: dict[str, "array[Any]"], data: st.DataObject) -> None:
    whole = pack({}, packed)
    refused(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(
    st.binary(max_size=60) | st.binary(max_size=60).map(packet) | st.binary(max_size=60).map(lambda b: packet("{}", b))
)
def test_foreign_bytes_are_refused(data: bytes) -> None:
    refused(data)


def test_another_file_is_named_by_its_first_bytes() -> None:
    assert refused(b"\x89PNG\r\n\x1a\n....") == (
        "expected a recording that begins with b'PLAYTRC', found b'\\x89PNG\\r\\n\\x1a': "
        "give a file that Trace.save() wrote"
    )


def test_another_version_is_refused_by_number() -> None:
    assert refused(packet("{}", version=9)) == (
        "expected a recording of format version 1, found version 9: "
        "read it with the release of playground that wrote it"
    )


def test_a_missing_header_is_told_in_bytes() -> None:
    assert refused(packet("{}")[:13]) == (
        "expected 14 bytes up to the end of its header, found 13: the file is truncated; save it again"
    )


@pytest.mark.parametrize(
    "directory",
    ["null", "[1]", '[["a","u1"]]', '[["a","u3",1]]', '[["a",[],1]]', '[["a","u1",-1]]', '[["a","u1",true]]',
     '[[1,"u1",1]]', '[["a","u1",0],["a","u2",0]]'],
)  # fmt: skip
def test_a_directory_that_is_none_is_refused(directory: str) -> None:
    assert refused(packet(f'{{"columns":{directory}}}', zlib.compress(b""))) == (
        "expected a list of [name, type, length], each name once, as the header's columns: the file is damaged"
    )


def test_a_header_that_is_no_object_is_refused() -> None:
    assert refused(packet("[]")) == "expected a JSON object as header, found list: the file is damaged"


def test_json_nested_too_deeply_is_refused_and_not_a_recursion_error() -> None:
    message = refused(packet("[" * 200_000))
    assert re.fullmatch(r"expected a JSON header, found bytes that are none \(.*\): the file is damaged", message)


@pytest.mark.parametrize("length", [10**6, 2**62, 2**70])
def test_a_promise_that_no_stream_can_keep_is_refused_before_inflating(length: int) -> None:
    body = zlib.compress(b"")
    assert refused(packet(f'{{"columns":[["a","u1",{length}]]}}', body)) == (
        f"expected {length} bytes of columns, found a stream of 8: the file is truncated or damaged; save it again"
    )


def test_a_header_longer_than_is_wanted_is_not_read() -> None:
    with pytest.raises(TraceError) as caught:
        read(BytesIO(packet(json.dumps({"columns": [], "x": "y" * 100}))), most_header_bytes=100)
    assert str(caught.value) == "expected a header of at most 100 bytes, found 124: the file is damaged"


def test_whoever_reads_may_refuse_before_anything_is_inflated() -> None:
    def check(header: dict[str, Any], directory: Directory) -> None:
        raise TraceError(f"{header} {directory}")

    with pytest.raises(TraceError) as caught:
        read(BytesIO(packet('{"a":1,"columns":[["t","u4",2]]}')), check)
    assert str(caught.value) == "{'a': 1} {'t': ('I', 2)}"


@pytest.mark.slow
def test_packing_and_unpacking_take_little_more_memory_than_the_columns() -> None:
    column = array("q", range(1_000_000))
    tracemalloc.start()
    packed = b"".join(stream({}, {"a": column, "b": column}))
    stream_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    found = read(BytesIO(packed))
    read_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert stream_peak < len(packed) * 2 + 8_000_000
    assert found[1]["b"] == column
    assert read_peak < 16_000_000 + 2 * len(packed) + 8_000_000


def test_a_bomb_is_not_inflated_beyond_what_its_header_says() -> None:
    bomb = zlib.compress(bytes(50_000_000))
    assert refused(packet('{"columns":[["a","u1",1000]]}', bomb)) == (
        "expected 1000 bytes of columns, found more: the file is truncated or damaged; save it again"
    )


@pytest.mark.parametrize(("cut", "more", "found"), [(4, b"", "no end after them"), (0, b"x", "more after them")])
def test_a_body_without_its_end_or_with_more_is_refused(cut: int, more: bytes, found: str) -> None:
    body = zlib.compress(b"abc")
    assert refused(packet('{"columns":[["a","u1",3]]}', body[: len(body) - cut] + more)) == (
        f"expected 3 bytes of columns, found {found}: the file is truncated or damaged; save it again"
    )
