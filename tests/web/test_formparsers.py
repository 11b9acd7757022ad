"""What becomes of forms, however their bytes arrive, and of bodies that are none."""

import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import pairwise
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import quote_plus, urlencode

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import Message
from playground.errors import StreamConsumed, UsageError
from playground.web._multipart import library
from playground.web.datastructures import FormData, Headers, UploadFile
from playground.web.exceptions import HTTPException, StarletteDeprecationWarning
from playground.web.formparsers import FormMessage, FormParser, MultiPartException, MultiPartParser
from playground.web.requests import Request

from .exchange import Backend, exactly, http_scope, run

BACKENDS: list[Backend] = ["asyncio", "trio"]
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"
INVALID = "Invalid multipart data."
Part = tuple[str, str | None, bytes]


def request_of(chunks: list[bytes], content_type: str | None, **more: Any) -> Request[Any]:
    left = list(chunks) or [b""]

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    headers = [] if content_type is None else [(b"content-type", content_type.encode("latin-1"))]
    return Request(http_scope(method="POST", headers=headers, **more), receive)


async def read(chunks: list[bytes], content_type: str | None, **limits: Any) -> list[Any]:
    """The form as pairs; a file as its name, type, size and content."""
    async with request_of(chunks, content_type).form(**limits) as form:
        return [(name, value if isinstance(value, str) else await seen(value)) for name, value in form.multi_items()]


async def seen(file: UploadFile) -> tuple[Any, ...]:
    return file.filename, file.content_type, file.size, await file.read()


def form_of(body: bytes | list[bytes], content_type: str | None = MULTIPART, **limits: Any) -> list[Any]:
    chunks = [body] if isinstance(body, bytes) else body
    return run(lambda: read(chunks, content_type, **limits))


def part(name: str, filename: str | None, content: bytes, boundary: str = "B") -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"


def multipart(*parts: Part, boundary: str = "B") -> bytes:
    return b"".join(part(*one, boundary) for one in parts) + f"--{boundary}--\r\n".encode()


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


_names = st.text(st.characters(exclude_characters='"\\\r\n', exclude_categories=("Cs", "Cc")), max_size=6)
_contents = st.one_of(
    st.binary(max_size=40), st.lists(st.sampled_from([b"\r", b"\n", b"-", b"B", b"\r\n--"])).map(b"".join)
)
_parts = st.lists(st.tuples(_names, st.none() | _names, _contents), max_size=4)


@given(_parts, st.lists(st.integers(0, 400), max_size=6), st.sampled_from(["B", "--", "x" * 70, "a'()+_,-./:=?b"]))
def test_a_multipart_form_is_the_same_however_it_is_cut(parts: list[Part], places: list[int], boundary: str) -> None:
    parts = [one for one in parts if f"\r\n--{boundary}".encode() not in b"\r\n" + one[2] + b"\r\n"]
    body = multipart(*parts, boundary=boundary)
    expected = [
        (name, text(content) if filename is None else (filename, None, len(content), content))
        for name, filename, content in parts
    ]
    assert form_of(cut(body, places), f'multipart/form-data; boundary="{boundary}"') == expected


def text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


_texts = st.text(st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.tuples(_texts, _texts), max_size=5), st.lists(st.integers(0, 300), max_size=6))
def test_an_urlencoded_form_is_the_same_however_it_is_cut(pairs: list[tuple[str, str]], places: list[int]) -> None:
    assert form_of(cut(urlencode(pairs).encode(), places), URLENCODED) == pairs


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (b"", []),
        (b"a", [("a", "")]),
        (b"=b", [("", "b")]),
        (b"&&a=1&", [("a", "1")]),
        (b"a=b=c;d", [("a", "b=c;d")]),
        (b"%zz=%2&%=%", [("%zz", "%2"), ("%", "%")]),
        (b"a=%e9&b=%c3%a9&c=\xc3\xa9", [("a", "\ufffd"), ("b", "é"), ("c", "Ã©")]),
        (b"a+b=c+d", [("a b", "c d")]),
        (b"a=1&a=2", [("a", "1"), ("a", "2")]),
    ],
)
def test_odd_urlencoded_forms_are_read_leniently(body: bytes, pairs: list[Any]) -> None:
    assert form_of(body, URLENCODED) == pairs
    assert form_of([bytes([byte]) for byte in body], URLENCODED) == pairs


@pytest.mark.parametrize(
    ("body", "limits", "message"),
    [
        (b"a=1&b=2", {"max_fields": 1}, "Too many fields. Maximum number of fields is 1."),
        (b"a", {"max_fields": 0}, "Too many fields. Maximum number of fields is 0."),
        (b"a=" + b"x" * 2048, {"max_part_size": 2048}, "Field exceeded maximum size of 2KB."),
        (b"x" * 2049, {"max_part_size": 2048}, "Field exceeded maximum size of 2KB."),
        (b"x" * 2049 + b"&a", {"max_part_size": 2048}, "Field exceeded maximum size of 2KB."),
    ],
)
def test_an_urlencoded_form_beyond_a_limit_is_refused(body: bytes, limits: dict[str, int], message: str) -> None:
    for chunks in ([body], [body[:1], body[1:]]):
        with pytest.raises(MultiPartException, match=exactly(message)):
            form_of(chunks, URLENCODED, **limits)


def test_an_urlencoded_form_within_its_limits_is_taken() -> None:
    assert form_of(b"a=1&&b=2&", URLENCODED, max_fields=2) == [("a", "1"), ("b", "2")]
    assert form_of(b"aa=" + b"x" * 10, URLENCODED, max_part_size=12) == [("aa", "x" * 10)]
    assert form_of(b"x" * 12, URLENCODED, max_part_size=12) == [("x" * 12, "")]


BEGUN = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"garbage", INVALID),
        (BEGUN, INVALID),
        (BEGUN + b"\r\n--B", INVALID),
        (BEGUN + b"\r\n--B\r\n", INVALID),
        (multipart(("a", None, b"x")).replace(b"\r\n", b"\n"), INVALID),
        (b"--B\r\nContent Disposition: x\r\n\r\n\r\n--B--\r\n", INVALID),
        (b"--B\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(100)) + b"\r\n\r\n--B--\r\n", INVALID),
        (
            b"--B\r\nContent-Type: a/b\r\n\r\nx\r\n--B--\r\n",
            'The Content-Disposition header field "name" must be provided.',
        ),
        (
            b'--B\r\nContent-Disposition: form-data; ="a"\r\n\r\nx\r\n--B--\r\n',
            'The Content-Disposition header field "name" must be provided.',
        ),
    ],
)
def test_a_malformed_multipart_form_is_refused(body: bytes, message: str) -> None:
    for chunks in ([body], [bytes([byte]) for byte in body]):
        with pytest.raises(MultiPartException, match=exactly(message)):
            form_of(chunks)


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("multipart/form-data", "Missing boundary in multipart."),
        ("multipart/form-data; boundary=", INVALID),
        (f"multipart/form-data; boundary={'x' * 300}", INVALID),
        ("multipart/form-data; boundary=\xfc", INVALID),
    ],
)
def test_a_boundary_that_is_none_is_refused(content_type: str, message: str) -> None:
    with pytest.raises(MultiPartException, match=exactly(message)):
        form_of(multipart(("a", None, b"x")), content_type)


@pytest.mark.parametrize(
    ("parts", "limits", "message"),
    [
        ([("a", None, b""), ("b", None, b"")], {"max_fields": 1}, "Too many fields. Maximum number of fields is 1."),
        ([("a", "f", b""), ("b", "g", b"")], {"max_files": 1}, "Too many files. Maximum number of files is 1."),
        ([("a", None, b"x" * 2049)], {"max_part_size": 2048}, "Part exceeded maximum size of 2KB."),
    ],
)
def test_a_multipart_form_beyond_a_limit_is_refused(parts: list[Part], limits: dict[str, Any], message: str) -> None:
    with pytest.raises(MultiPartException, match=exactly(message)):
        form_of(multipart(*parts), **limits)


def test_files_are_not_limited_by_the_size_of_a_part() -> None:
    content = b"x" * (MultiPartParser.spool_max_size + 1)
    body = multipart(("f", "big.bin", content))
    pieces = [body[place : place + 65536] for place in range(0, len(body), 65536)]
    assert form_of(pieces, max_part_size=10) == [("f", ("big.bin", None, len(content), content))]


def test_names_are_unescaped_and_text_is_in_the_charset_of_the_form() -> None:
    body = (
        b'--B\r\ncontent-disposition: form-data; name="a\\"b"; filename="C:\\\\x\\\\f.txt"\r\nX-A: 1\r\n\r\n\r\n--B--'
    )

    async def upload() -> tuple[Any, ...]:
        async with request_of([body], MULTIPART).form() as form:
            file = form['a"b']
            assert isinstance(file, UploadFile)
            return file.filename, file.headers["x-a"]

    assert run(upload) == ("f.txt", "1")
    field = multipart(("a", None, "é".encode("utf-16-le")))
    assert form_of(field, f"{MULTIPART}; charset=utf-16-le") == [("a", "é")]
    for charset in ("nonsense", "zip", "punycode", "utf-8"):
        assert form_of(multipart(("a", None, b"\xe9")), f"{MULTIPART}; charset={charset}") == [("a", "é")]


def test_what_is_no_form_is_an_empty_one() -> None:
    for content_type in (None, "text/plain", "multipart/mixed; boundary=B"):
        assert form_of(b"a=1", content_type) == []
    assert form_of(b"", MULTIPART) == []


def test_an_app_answers_a_malformed_form_with_400() -> None:
    with pytest.raises(HTTPException, match=exactly(f"400: {INVALID}")):
        run(request_of([b"garbage"], MULTIPART, app="an app").form().__aenter__)


def test_a_form_is_kept_and_a_body_read_before_it_serves_it() -> None:
    async def twice() -> tuple[Any, ...]:
        request = request_of([b"a=", b"1"], URLENCODED)
        body = await request.body()
        form = await request.form()
        return body, await request.form() is form, form, await request.body()

    assert run(twice) == (b"a=1", True, FormData([("a", "1")]), b"a=1")


def test_a_body_that_became_a_form_cannot_be_had_again() -> None:
    async def form_then_body() -> str:
        request = request_of([b"a=1"], URLENCODED)
        await request.form()
        with pytest.raises(StreamConsumed) as caught:
            await request.body()
        return str(caught.value)

    assert run(form_then_body) == (
        "Stream consumed: the body of this request was parsed as a form before, and a stream passes once. "
        "Call `await request.body()` first, which keeps the body for every later reader."
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_file_is_left_open_when_reading_ends_early(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[SpooledTemporaryFile[bytes]] = []

    def open_file(max_size: int) -> SpooledTemporaryFile[bytes]:
        opened.append(SpooledTemporaryFile(max_size=max_size))  # noqa: SIM115
        return opened[-1]

    monkeypatch.setattr("playground.web.formparsers.SpooledTemporaryFile", open_file)

    async def broken(end: Callable[[], Any]) -> AsyncIterator[bytes]:
        yield part("f", "a", b"x" * 100)[:-10]
        await end()
        yield b""

    async def fail() -> None:
        raise LookupError("the line is dead")

    async def main() -> None:
        headers = Headers({"content-type": MULTIPART})
        with pytest.raises(LookupError):
            await MultiPartParser(headers, broken(fail)).parse()
        with anyio.move_on_after(0.01) as scope:
            await MultiPartParser(headers, broken(anyio.sleep_forever)).parse()
        assert scope.cancelled_caught

    run(main, backend)
    assert [file.closed for file in opened] == [True, True]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("max_size", [1, 100])
def test_an_upload_is_written_and_read_in_memory_and_on_disk(max_size: int, backend: Backend) -> None:
    async def use() -> list[Any]:
        file = UploadFile(SpooledTemporaryFile(max_size=max_size), size=0, filename="f")  # type: ignore[arg-type]  # noqa: SIM115
        await file.write(b"data")
        await file.seek(1)
        found = [await file.read(2), await file.read(), file.size]
        await file.close()
        return [*found, file.file.closed]

    assert run(use, backend) == [b"at", b"a", 4, True]


def test_an_upload_shows_what_is_known_of_it() -> None:
    file = UploadFile(SpooledTemporaryFile(), headers=Headers({"Content-Type": "a/b"}))  # type: ignore[arg-type]  # noqa: SIM115
    assert repr(file) == "UploadFile(filename=None, size=None, headers=Headers({'content-type': 'a/b'}))"
    assert file.content_type == "a/b"
    file.file.close()


def seconds(length: int, make: Callable[[int], list[bytes]], content_type: str) -> float:
    """Processor time of the calling thread: what others do on the machine is not counted."""
    chunks = make(length)
    best = 9.0
    for _ in range(3):
        start_s = time.thread_time()
        with suppress(MultiPartException):
            form_of(list(chunks), content_type)
        best = min(best, time.thread_time() - start_s)
    return best


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "content_type"),
    [
        (lambda n: [b"&" * n], URLENCODED),
        (lambda n: [b"x"] * (n // 50), URLENCODED),
        (lambda n: [b"a=" + b"%" * n], URLENCODED),
        (lambda n: [BEGUN + b"\r\n--" * (n // 20)], MULTIPART),
        (lambda n: [BEGUN, *[b"\r"] * (n // 50)], MULTIPART),
        (lambda n: [b'--B\r\nContent-Disposition: form-data; name="' + b"\\" * (n // 100)], MULTIPART),
    ],
)
def test_the_time_that_a_form_takes_grows_no_faster_than_the_form(
    make: Callable[[int], list[bytes]], content_type: str
) -> None:
    # Eight times the input takes about eight times as long; sixty-four times, were it quadratic.
    assert seconds(800_000, make, content_type) < 30 * seconds(100_000, make, content_type) + 0.01


def test_without_the_library_a_multipart_form_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    library.cache_clear()
    monkeypatch.setitem(sys.modules, "python_multipart", None)
    message = "The `python-multipart` library must be installed to use form parsing. Run: pip install 'playground[web]'"
    with pytest.raises(UsageError, match=exactly(message)):
        form_of(b"")
    assert form_of(b"a=1", URLENCODED) == [("a", "1")]


def test_form_message_is_deprecated() -> None:
    message = "`FormMessage` is deprecated and will be removed: nothing uses it."
    with pytest.warns(StarletteDeprecationWarning, match=exactly(message)):
        assert FormMessage(1) is FormMessage.FIELD_START


def test_a_stream_need_not_end_in_an_empty_piece() -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield f"a={quote_plus('ü b')}&c".encode()

    async def parse() -> FormData:
        return await FormParser(Headers(), stream()).parse()

    assert run(parse) == FormData([("a", "ü b"), ("c", "")])
