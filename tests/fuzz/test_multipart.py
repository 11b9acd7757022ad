"""Multipart forms: any bytes, cut anywhere, are read as Starlette reads them, within limits, or refused in words."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import starlette.datastructures
import starlette.formparsers
from hypothesis import strategies as st

import playground.web.datastructures
import playground.web.formparsers
from tests.fuzz.kit import fuzzed
from tests.web.test_formparsers import cut

INVALID = "Invalid multipart data."

_types = st.sampled_from(
    [
        *(["multipart/form-data; boundary=B"] * 6),
        'multipart/form-data; boundary="B"',
        "multipart/form-data; boundary=B; charset=utf-16",
        "multipart/form-data; boundary=B; charset=latin-1",
        "multipart/form-data; boundary=B; charset=nothing",
        "multipart/form-data; charset=shift_jis; boundary=B",
        "multipart/form-data; boundary=B; boundary=C",
        "multipart/form-data; BOUNDARY=B",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=--B",
        "multipart/form-data; boundary*=utf-8''B",
        "multipart/form-data",
        "multipart/mixed; boundary=B",
        "multipart/form-data; boundary=" + "B" * 257,
        'multipart/form-data; boundary="B',
        "multipart/form-data; boundary=B; charset=\xe9",
    ]
)
_fields = st.sampled_from(
    [
        *([b'Content-Disposition: form-data; name="a"'] * 3),
        b'Content-Disposition: form-data; name="f"; filename="f.txt"',
        b'content-disposition:form-data;name=b;filename=""',
        b'Content-Disposition: form-data; name="a\\"b"; filename="c:\\\\d\\\\e.txt"',
        b"Content-Disposition: form-data; name*=utf-8''%C3%A9; filename*=utf-8''%FF",
        b'Content-Disposition: form-data; name="\xe9"; filename="\xc3\xa9"',
        b"Content-Disposition: form-data",
        b"Content-Disposition: attachment; filename=x",
        b"Content-Type: text/plain; charset=utf-16",
        b"Content-Type: multipart/mixed; boundary=C",
        b"Content-Transfer-Encoding: base64",
        b"Content-Disposition",
        b": x",
        b"X Y: z",
        b"X-Y: " + b"z" * 5_000,
        b"X-Y:\x00\x0b",
        b" folded",
    ]
)
_data = st.sampled_from(
    [b"", b"x", b"\r\n", b"\r", b"--", b"--B", b"\r\n-", b"\r\n--", b"\r\n--BB", b"\xff\xfe", b"\x00"]
) | (st.binary(max_size=12))
_heads = st.lists(_fields, min_size=1, max_size=3).map(b"\r\n".join)
_nested = b'--C\r\nContent-Disposition: file; filename="g"\r\n\r\ng\r\n--C--'
_parts = st.tuples(_heads, _data | st.just(_nested)).map(
    lambda part: b"--B\r\n" + part[0] + b"\r\n\r\n" + part[1] + b"\r\n"
)
_ends = st.sampled_from([b"--B--\r\n", b"--B--\r\n", b"--B--", b"--B-", b"", b"--B--\r\nepilogue", b"--B--\r\n--B\r\n"])
_whole = st.tuples(
    st.sampled_from([b"", b"", b"\r\n", b"preamble\r\n"]), st.lists(_parts, max_size=3).map(b"".join), _ends
)
_scraps = st.lists(
    st.sampled_from([b"--B", b"--B--", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"-", b":"]) | _fields | _data, max_size=8
)
_bodies = _whole.map(b"".join) | _scraps.map(b"".join) | st.binary(max_size=30)
_cuts = st.lists(st.integers(0, 400), max_size=6)
_no_limits: dict[str, int] = {}
_limits = st.just(_no_limits) | st.sampled_from(["max_files", "max_fields", "max_part_size"]).flatmap(
    lambda name: st.integers(0, 3).map(lambda most: {name: most})
)


async def _read(kit: Any, datastructures: Any, chunks: Sequence[bytes], content_type: str, **limits: int) -> Any:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    headers = datastructures.Headers({"content-type": content_type})
    parser = kit.MultiPartParser(headers, stream(), **limits)
    try:
        form = await parser.parse()
    except kit.MultiPartException as error:
        return error.message
    found: list[tuple[Any, ...]] = []
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.append((name, value))
        else:
            found.append((name, value.filename, value.headers.raw, value.size, await value.read()))
            await value.close()
    return found


def read(chunks: Sequence[bytes], content_type: str, **limits: int) -> Any:
    """What our parser finds: names and values, files with headers, size and content; or the words of its refusal."""
    kit = playground.web.formparsers, playground.web.datastructures
    return asyncio.run(_read(*kit, chunks, content_type, **limits))


@fuzzed(_bodies, _types, _limits, examples=70)
def test_any_bytes_are_read_as_starlette_reads_them(body: bytes, content_type: str, limits: dict[str, int]) -> None:
    ours = read([body], content_type, **limits)
    kit = starlette.formparsers, starlette.datastructures
    theirs = asyncio.run(_read(*kit, [body], content_type, **limits))
    if ours != INVALID:  # we refuse what breaks off; Starlette hands over what had come
        assert ours == theirs


@fuzzed(_bodies, _types, _cuts, examples=60)
def test_any_bytes_are_read_alike_wherever_they_are_cut(body: bytes, content_type: str, places: list[int]) -> None:
    if read(cut(body, places), content_type) != read([body], content_type):
        # python-multipart's reading of what stands before the first boundary depends on the cuts: b"\r\0--B--" at 1
        assert not body.lstrip(b"\r\n").startswith(b"--")


_sizes = st.sampled_from([0, 1, 1_023, 1_024, 1_025, 65_536, 1 << 20, (1 << 20) + 1])
_chunks = st.sampled_from([1 << 10, (1 << 16) - 1, 1 << 16, 1 << 22])
_large = st.lists(
    st.tuples(st.booleans(), _sizes, st.sampled_from([b"a", b"\r", b"\r\n--", b"-", b"\r\n--A "])), max_size=4
)


@fuzzed(_large, _chunks, st.fixed_dictionaries({name: st.integers(0, 3) for name in ("max_files", "max_fields")}),
        st.sampled_from([0, 1, 1_024, 1 << 20]), examples=10)  # fmt: skip
def test_the_limits_hold_whatever_comes(
    parts: list[tuple[bool, int, bytes]], chunk: int, most: dict[str, int], max_part_size: int
) -> None:
    body = b""
    expected = []
    for is_file, size, pattern in parts:
        content = (pattern * (size // len(pattern) + 1))[:size]
        head = b'; filename="f"' if is_file else b""
        body += b'--B\r\nContent-Disposition: form-data; name="a"' + head + b"\r\n\r\n" + content + b"\r\n"
        expected.append(("a", "f", [(b"content-disposition", b'form-data; name="a"' + head)], size, content)
                        if is_file else ("a", content.decode()))  # fmt: skip
    chunks = [body[start : start + chunk] for start in range(0, len(body), chunk)] + [b"--B--\r\n"]
    found = read(chunks, "multipart/form-data; boundary=B", **most, max_part_size=max_part_size)
    fields = [size for is_file, size, _ in parts if not is_file]
    is_within = (
        len(fields) <= most["max_fields"]
        and len(parts) - len(fields) <= most["max_files"]
        and all(size <= max_part_size for size in fields)
    )
    if is_within:
        assert found == (expected if parts else [])
    else:
        assert isinstance(found, str)
        assert found.startswith(("Too many", "Part exceeded"))
