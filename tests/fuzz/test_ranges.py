"""Ranges of a file: against RFC 9110 in other words, and against Starlette's answers to the same requests.

The model says what a client may rely on: a 206 holds what it says that it holds, and for a header by the grammar it
holds what was asked for. Where the RFC leaves a choice, or Starlette's users rely on another, the model takes both.
"""

import email
import email.policy
import os
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import starlette.responses
from hypothesis import strategies as st

import playground.web.responses
from tests.conformance.test_values import _seen
from tests.fuzz.kit import fuzzed
from tests.web.exchange import Exchange, call

CHUNK = playground.web.responses.FileResponse.chunk_size
SIZES = (0, 1, 30, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5)
MODIFIED = "Sun, 09 Sep 2001 01:46:40 GMT"


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory()
    for size in SIZES:
        path = Path(folder.name, f"{size}.txt")
        path.write_bytes((bytes(range(251)) * (size // 251 + 1))[:size])
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return folder


def _file(size: int) -> Path:
    return Path(_folder().name, f"{size}.txt")


_sizes = st.sampled_from([0, 1, 30, 30, 30, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5])
_places = st.integers(0, 40) | st.sampled_from([CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 4, 10**20])
_numbers = _places.map(str) | st.sampled_from(["", "x", "007", "٣", "+1", "1_0", "9" * 5_000])
_blanks = st.sampled_from(["", "", "", " ", "\t", "\xa0"])
_specs = st.tuples(_numbers, _blanks, st.sampled_from(["-", "-", "-", "", "--"]), _blanks, _numbers).map("".join)
_good = st.tuples(_places.map(str), st.just("-"), _places.map(str) | st.just("")).map("".join) | _places.map(
    "-{}".format
)
_sets = st.lists(_good, max_size=4).map(",".join) | st.lists(_specs | _good, max_size=4).map(", ".join)
_headers = st.tuples(st.sampled_from(["bytes=", "bytes=", "bytes=", "Bytes=", "lines=", "bytes", "=", ""]), _sets).map(
    "".join
)
_conditions = st.sampled_from(
    [None, None, None, "etag", "weak", MODIFIED, "Sun, 09 Sep 2001 01:46:41 GMT", '"x"', "", "x", "*"]
)


def _ask(kit: Any, size: int, method: str, header: str, condition: str | None) -> Exchange:
    headers = [(b"range", header.encode("utf-8"))]
    if condition is not None:
        etag = call(kit.FileResponse(_file(size)), method="HEAD").headers["etag"]
        told = {"etag": etag, "weak": f"W/{etag}"}.get(condition, condition)
        headers.append((b"if-range", told.encode("latin-1")))
    return call(kit.FileResponse(_file(size)), method=method, headers=headers, asgi={"spec_version": "2.4"})


_GRAMMAR = re.compile(r"[0-9]+-[0-9]*|-[0-9]+")


def _asked_for(header: str, size: int) -> tuple[set[range], bool] | None:
    """The stretches within the file, and whether others were asked for too; `None` for what is not by the grammar."""
    unit, _, wanted = header.partition("=")
    if unit.lower() != "bytes":
        return None
    specs = [spec.strip(" \t") for spec in wanted.split(",")]  # a list may have empty elements (5.6.1.2)
    if not any(specs) or not all(_GRAMMAR.fullmatch(spec) for spec in specs if spec):
        return None
    within: set[range] = set()
    beyond = False
    for spec in filter(None, specs):
        first, last = ((int(part) if len(part) < 1_000 else 10**999) if part else None for part in spec.split("-"))
        if first is not None and last is not None and last < first:
            return None
        start = max(size - (last or 0), 0) if first is None else first
        end = size if first is None or last is None else min(last + 1, size)
        if start < end:
            within.add(range(start, end))
        else:
            beyond = True
    return within, beyond


@fuzzed(st.sampled_from(["GET", "GET", "GET", "HEAD", "POST"]), _sizes, _headers, _conditions)
def test_a_range_is_answered_as_rfc_9110_says(method: str, size: int, header: str, condition: str | None) -> None:
    answer = _ask(playground.web.responses, size, method, header, condition)
    content = _file(size).read_bytes()
    assert answer.error is None
    if method == "POST" or condition not in (None, "etag", MODIFIED):
        assert answer.status == 200
    if answer.status == 200:
        assert answer.body == (b"" if method == "HEAD" else content)
        assert answer.headers["content-length"] == str(size)
    elif answer.status == 206 and method == "GET":
        assert answer.headers["content-length"] == str(len(answer.body))
        held = _parts(answer, content)
        if (asked := _asked_for(header, size)) is not None:
            assert held == {place for stretch in asked[0] for place in stretch}
    elif answer.status == 416:
        assert answer.headers["content-range"] == f"bytes */{size}"
    else:
        assert answer.status == 400 or method == "HEAD"
    if method != "POST" and condition in (None, "etag", MODIFIED):
        _check_status(answer.status, _asked_for(header, size))


def _check_status(status: int, asked: tuple[set[range], bool] | None) -> None:
    if asked is None:
        return  # not by the grammar: a server may pass over what it does not understand, or all of it
    within, beyond = asked
    if not beyond:
        assert status == 206
    elif not within:
        assert status == 416
    else:
        assert status in (206, 416)  # as in Starlette one stretch beyond the file is enough


def _parts(answer: Exchange, content: bytes) -> set[int]:
    """The places of the file that a 206 holds, each found to be what stands there, and none held twice."""
    kind = answer.headers["content-type"]
    if not kind.startswith("multipart/byteranges"):
        return _checked(answer.headers["content-range"], answer.body, content)
    assert "content-range" not in answer.headers
    boundary = b"--" + kind.partition("boundary=")[2].encode()
    assert answer.body.endswith(b"\r\n" + boundary + b"--")
    held: set[int] = set()
    for part in (b"\r\n" + answer.body).split(b"\r\n" + boundary)[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        fields = email.message_from_bytes(head.lstrip(b"\r\n") + b"\r\n\r\n", policy=email.policy.HTTP)
        here = _checked(fields["content-range"], data, content)
        assert not held & here
        held |= here
    return held


def _checked(content_range: str, data: bytes, content: bytes) -> set[int]:
    found = re.fullmatch(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)", content_range)
    assert found is not None
    first, last, size = map(int, found.groups())
    assert size == len(content)
    assert data == content[first : last + 1] != b""
    return set(range(first, last + 1))


@fuzzed(st.sampled_from(["GET", "GET", "HEAD"]), _sizes, _headers, _conditions, examples=40)
def test_a_range_is_answered_as_starlette_answers(method: str, size: int, header: str, condition: str | None) -> None:
    if any(sign in header for sign in ("--", "+", "_", "٣")):
        return  # which Starlette reads with int(), and so as numbers; for us it is no range, as by the grammar
    ours, theirs = (
        _ask(kit, size, method, header, condition) for kit in (playground.web.responses, starlette.responses)
    )
    assert _seen(ours) == _seen(theirs)
