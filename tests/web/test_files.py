"""Files as responses: which bytes are sent, in which messages, and when it ends."""

import os
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.asgi import Message
from playground.web._ranges import MalformedRangeHeader, RangeNotSatisfiable, parse_ranges
from playground.web.background import BackgroundTask
from playground.web.responses import FileResponse

from .exchange import Backend, Exchange, call, call_scope, exactly, http_scope, run

BACKENDS: list[Backend] = ["asyncio", "trio"]
CHUNK = FileResponse.chunk_size
LONG = bytes(range(256)) * (3 * CHUNK // 256)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for name, content in (("short.txt", b"0123456789"), ("long.bin", LONG), ("empty", b"")):
        (folder / name).write_bytes(content)
        os.utime(folder / name, (1_000_000_000, 1_000_000_000))
    return folder


def fetch(path: Path, method: str = "GET", backend: Backend = "asyncio", **headers: str) -> Exchange:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return call(FileResponse(path), method=method, headers=raw, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_short_file_is_one_message(folder: Path, backend: Backend) -> None:
    answer = fetch(folder / "short.txt", backend=backend)
    assert list(answer.headers.items())[:4] == [
        ("content-type", "text/plain; charset=utf-8"),
        ("accept-ranges", "bytes"),
        ("content-length", "10"),
        ("last-modified", "Sun, 09 Sep 2001 01:46:40 GMT"),
    ]
    assert list(answer.headers) == ["content-type", "accept-ranges", "content-length", "last-modified", "etag"]
    assert answer.sent[1:] == [{"type": "http.response.body", "body": b"0123456789", "more_body": False}]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_a_long_file_is_sent_in_chunks(folder: Path, version: str, backend: Backend) -> None:
    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await FileResponse(folder / "long.bin")(scope, anyio.sleep_forever, send)  # type: ignore[arg-type]

    answer = call(waiting, asgi={"spec_version": version}, backend=backend)
    assert answer.error is None
    assert answer.body == LONG
    assert [(len(message["body"]), message["more_body"]) for message in answer.sent[1:]] == [
        (CHUNK, True),
        (CHUNK, True),
        (CHUNK, False),
    ]


def test_an_empty_file_is_an_empty_body(folder: Path) -> None:
    answer = fetch(folder / "empty")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")
    assert fetch(folder / "empty", range="bytes=0-").status == 416


@pytest.mark.parametrize("name", ["short.txt", "long.bin"])
def test_head_tells_of_the_file_and_sends_none_of_it(folder: Path, name: str) -> None:
    whole, head = fetch(folder / name), fetch(folder / name, "HEAD")
    assert head.headers == whole.headers
    assert head.sent[1:] == [{"type": "http.response.body", "body": b"", "more_body": False}]
    part = fetch(folder / name, "HEAD", range="bytes=1-3")
    assert (part.status, part.headers["content-length"], part.body) == (206, "3", b"")


@pytest.mark.parametrize("name", ["short.txt", "long.bin"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_that_sends_files_is_told_the_path(folder: Path, name: str, method: str) -> None:
    answer = call(FileResponse(folder / name), method=method, extensions={"http.response.pathsend": {}})
    assert answer.sent[1:] == [{"type": "http.response.pathsend", "path": str(folder / name)}]
    part = call(
        FileResponse(folder / name),
        headers=[(b"range", b"bytes=1-2")],
        extensions={"http.response.pathsend": {}},
    )
    assert part.body == (folder / name).read_bytes()[1:3]


def test_the_path_that_a_server_is_told_is_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    answer = call(FileResponse("short.txt"), extensions={"http.response.pathsend": {}})
    assert answer.sent[1]["path"] == str(folder / "short.txt")


@pytest.mark.parametrize("name", ["short.txt", "long.bin"])
@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-4", 0, 5),
        ("bytes=5-", 5, None),
        ("bytes=-4", -4, None),
        ("BYTES = 1-1 ", 1, 2),
        ("bytes=0-2,2-4", 0, 5),
    ],
)
def test_one_range_is_sent_as_it_is(folder: Path, name: str, header: str, start: int, end: int | None) -> None:
    content = (folder / name).read_bytes()
    answer = fetch(folder / name, range=header)
    first = start % len(content)
    assert answer.status == 206
    assert answer.body == content[start:end]
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.body) - 1}/{len(content)}"
    assert answer.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize("name", ["short.txt", "long.bin"])
def test_several_ranges_are_sent_in_parts(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    answer = fetch(folder / name, range="bytes=-2,0-3")
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    of_file = fetch(folder / name).headers["content-type"]
    size = len(content)
    expected = b""
    for start, end in ((0, 4), (size - 2, size)):
        expected += f"--{boundary}\r\nContent-Type: {of_file}\r\n".encode()
        expected += f"Content-Range: bytes {start}-{end - 1}/{size}\r\n\r\n".encode() + content[start:end] + b"\r\n"
    assert (answer.status, kind) == (206, "multipart/byteranges")
    assert answer.body == expected + f"--{boundary}--".encode()
    assert answer.headers["content-length"] == str(len(answer.body))
    assert [message["more_body"] for message in answer.sent[1:]][-1] is False
    assert answer.sent[-1]["more_body"] is False


@pytest.mark.parametrize(
    ("header", "status", "text"),
    [
        ("bytes", 400, "Malformed range header."),
        ("lines=1-2", 400, "Only support bytes range"),
        ("bytes=", 400, "Range header: range must be requested"),
        ("bytes=a-b", 400, "Range header: range must be requested"),
        ("bytes=+1-2", 400, "Range header: range must be requested"),
        ("bytes=1_0-12", 400, "Range header: range must be requested"),
        ("bytes=\xb2-3", 400, "Range header: range must be requested"),
        ("bytes=--1", 400, "Range header: range must be requested"),
        ("bytes=5-4", 400, "Range header: start must be less than end"),
        ("bytes=10-", 416, ""),
        ("bytes=-0", 416, ""),
        ("bytes=0-1,10-11", 416, ""),
        (f"bytes={'9' * 100_000}-", 416, ""),
    ],
)
def test_a_range_that_cannot_be_is_refused(folder: Path, header: str, status: int, text: str) -> None:
    answer = fetch(folder / "short.txt", range=header)
    assert (answer.status, answer.text) == (status, text)
    assert answer.headers.get("content-range") == ("bytes */10" if status == 416 else None)


@pytest.mark.parametrize(
    ("most", "status"),
    [(100, 206), (101, 200)],
)
def test_a_hundred_ranges_are_taken_and_one_more_is_ignored(folder: Path, most: int, status: int) -> None:
    header = "bytes=" + ",".join(f"{2 * index}-{2 * index}" for index in range(most))
    assert fetch(folder / "long.bin", range=header).status == status


def test_a_range_is_for_get_and_head_and_a_plain_answer(folder: Path) -> None:
    assert fetch(folder / "short.txt", "POST", range="bytes=0-1").body == b"0123456789"
    answer = call(FileResponse(folder / "short.txt", status_code=404), headers=[(b"range", b"bytes=0-1")])
    assert (answer.status, answer.body) == (404, b"0123456789")


def test_a_range_holds_only_for_the_version_that_the_client_has(folder: Path) -> None:
    etag = fetch(folder / "short.txt").headers["etag"]
    conditions = {
        etag: 206,
        "Sun, 09 Sep 2001 01:46:40 GMT": 206,
        f"W/{etag}": 200,
        "Sun, 09 Sep 2001 01:46:41 GMT": 200,
        '"other"': 200,
    }
    for condition, status in conditions.items():
        assert fetch(folder / "short.txt", range="bytes=0-1", if_range=condition).status == status
    weak = FileResponse(folder / "short.txt", headers={"ETag": 'W/"1"'})
    assert call(weak, headers=[(b"range", b"bytes=0-1"), (b"if-range", b'W/"1"')]).status == 200


_numbers = st.integers(0, 40).map(str) | st.sampled_from(["", "00", "x", "9" * 30])
_elements = st.tuples(_numbers, st.sampled_from(["-", "", " - "]), _numbers).map("".join)


@given(st.lists(_elements, max_size=8), st.integers(0, 40))
def test_ranges_are_in_order_apart_and_within_the_file(elements: list[str], size: int) -> None:
    try:
        ranges = parse_ranges("bytes=" + ",".join(elements), size, 100)
    except (MalformedRangeHeader, RangeNotSatisfiable):
        return
    assert ranges
    edges = [edge for stretch in ranges for edge in stretch]
    assert edges == sorted(set(edges))
    assert 0 <= edges[0] < edges[-1] <= size
    wanted = {place for element in elements for place in places(element, size)}
    assert {place for start, end in ranges for place in range(start, end)} == wanted


def places(element: str, size: int) -> range:
    first, dash, last = (text.strip() for text in element.partition("-"))
    if not dash or not first + last or "x" in first + last:
        return range(0)
    if not first:
        return range(max(size - int(last), 0), size)
    return range(int(first), min(int(last), size - 1) + 1 if last else size)


def test_the_headers_of_the_app_stand(folder: Path) -> None:
    own = {"ETag": '"own"', "Last-Modified": "never", "Content-Type": "a/b", "Accept-Ranges": "none"}
    headers = call(FileResponse(folder / "short.txt", headers=own)).headers
    assert headers == {name.lower(): value for name, value in own.items()} | {"content-length": "10"}


@pytest.mark.parametrize(
    ("filename", "disposition"),
    [
        ("a.txt", 'inline; filename="a.txt"'),
        ("a b.txt", "inline; filename*=utf-8''a%20b.txt"),
        ('a".txt', "inline; filename*=utf-8''a%22.txt"),
        ("ü\r\n.txt", "inline; filename*=utf-8''%C3%BC%0D%0A.txt"),
    ],
)
def test_the_name_of_a_file_is_quoted(folder: Path, filename: str, disposition: str) -> None:
    response = FileResponse(folder / "short.txt", filename=filename, content_disposition_type="inline")
    assert response.headers["content-disposition"] == disposition
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_what_is_no_file_is_an_error(folder: Path) -> None:
    assert str(fetch(folder).error) == f"File at path {folder} is not a file."
    assert str(fetch(folder / "no").error) == f"File at path {folder / 'no'} does not exist."


@pytest.mark.parametrize(("name", "cut"), [("cut.txt", 3), ("cut.bin", 2 * CHUNK)])
def test_a_file_that_became_shorter_is_an_error(tmp_path: Path, name: str, cut: int) -> None:
    path = tmp_path / name
    path.write_bytes(LONG if cut > CHUNK else b"0123456789")
    response = FileResponse(path, stat_result=path.stat())
    os.truncate(path, cut)
    error = call(response).error
    assert isinstance(error, RuntimeError)
    assert str(error) == f"File at path {path} is shorter than expected."


def test_a_response_that_is_sent_twice_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "changing"
    path.write_bytes(b"1")
    response = FileResponse(path)
    first = call(response)
    path.write_bytes(b"22")
    second = call(response)
    assert (first.body, second.body, second.headers["content-length"]) == (b"1", b"22", "2")
    assert first.headers["etag"] != second.headers["etag"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_client_that_leaves_ends_the_transfer(folder: Path, backend: Backend) -> None:
    done: list[str] = []
    left = anyio.Event()

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            left.set()
            await anyio.sleep_forever()

    async def answer() -> None:
        response = FileResponse(folder / "long.bin", background=BackgroundTask(done.append, "the task"))
        with anyio.fail_after(5):
            await response(http_scope(asgi={"spec_version": "2.3"}), receive, send)

    run(answer, backend)
    assert done == ["the task"]


@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_an_error_in_sending_is_raised_as_it_is(folder: Path, version: str) -> None:
    gone = OSError("gone")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise gone

    async def answer() -> None:
        with pytest.raises(OSError, match=exactly("gone")) as caught:
            await FileResponse(folder / "long.bin")(
                http_scope(asgi={"spec_version": version}),
                anyio.sleep_forever,  # type: ignore[arg-type]
                send,
            )
        assert caught.value is gone

    run(answer)


def test_a_file_can_refuse_a_websocket(folder: Path) -> None:
    sent = call_scope(FileResponse(folder / "short.txt", 403), {**http_scope(), "type": "websocket"}).sent
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]


def test_the_background_task_runs_even_if_the_range_was_refused(folder: Path) -> None:
    done: list[str] = []
    response = FileResponse(folder / "short.txt", background=BackgroundTask(done.append, "the task"))
    assert call(response, headers=[(b"range", b"bytes=99-")]).status == 416
    assert done == ["the task"]
