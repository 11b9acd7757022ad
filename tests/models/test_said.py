"""What is printed arrives whole, in order and as it was, however it was cut and whoever printed at the same time."""

import io
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.models.said import Heard, Pieces, Said, StreamName

MB = 1_000_000
TEXTS = st.lists(st.tuples(st.sampled_from(("out", "err")), st.text(st.characters(codec="utf-8"), max_size=12)))


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def all_of(ours: int) -> bytes:
    os.set_blocking(ours, False)
    data = b""
    while True:
        try:
            data += os.read(ours, 1 << 20)
        except BlockingIOError:
            return data


def heard_of(data: bytes, cuts: list[int]) -> dict[StreamName, str]:
    """What is heard of a pipe's bytes that arrive in pieces."""
    pieces, heard = Pieces(), Heard({}, MB)
    bounds = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(bounds):
        for name, text in pieces.feed(data[start:end]):
            heard.hear(name, text)
    for name, text in pieces.unfinished():
        heard.hear(name, text)
    heard.end()
    return {"out": heard.text("out"), "err": heard.text("err")}


@given(TEXTS, st.data())
def test_what_is_printed_arrives_as_it_was(texts: list[tuple[StreamName, str]], data: st.DataObject) -> None:
    ours, theirs = os.pipe()
    try:
        streams = {"out": Said(theirs, "out"), "err": Said(theirs, "err")}
        for name, text in texts:
            print(text, file=streams[name])
        sent = all_of(ours)
    finally:
        os.close(ours)
        os.close(theirs)
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=5))
    for name, text in heard_of(sent, cuts).items():
        assert text == "".join(line + "\n" for stream, line in texts if stream == name)


def test_lines_that_many_threads_print_at_once_are_not_mixed(pipe: tuple[int, int]) -> None:
    stream = Said(pipe[1], "out")
    start = threading.Barrier(8)

    def say(number: int) -> None:
        start.wait()
        for line in range(20):
            print("thread", number, "line", line, file=stream)

    threads = [threading.Thread(target=say, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = heard_of(all_of(pipe[0]), [])["out"].splitlines()
    assert sorted(lines) == sorted(f"thread {number} line {line}" for number in range(8) for line in range(20))
    for number in range(8):
        of_this = [line for line in lines if line.startswith(f"thread {number} ")]
        assert of_this == [f"thread {number} line {line}" for line in range(20)]


def test_both_streams_keep_the_order_in_which_they_were_written(pipe: tuple[int, int]) -> None:
    out, err = Said(pipe[1], "out"), Said(pipe[1], "err")
    for number in range(20):
        print(number, file=err if number % 3 else out)
    order = [(name, text) for name, text in Pieces().feed(all_of(pipe[0]))]
    assert order == [("err" if number % 3 else "out", b"%d\n" % number) for number in range(20)]


def test_a_line_that_is_not_ended_is_there_when_it_is_asked_for(pipe: tuple[int, int]) -> None:
    pieces = Pieces()
    print("so far", end="", file=Said(pipe[1], "out"))
    assert pieces.feed(all_of(pipe[0])) == []
    assert pieces.unfinished() == [("out", b"so far")]
    assert pieces.unfinished() == []


def test_what_is_too_much_is_left_out_and_said_so() -> None:
    out, err = io.StringIO(), io.StringIO()
    heard = Heard({"out": out, "err": err}, 2 * MB)
    for _ in range(30):
        heard.hear("out", b"x" * 99_999 + b"\n")
    heard.hear("err", b"gone\n")
    heard.end()
    assert len(out.getvalue()) == 2 * MB
    assert err.getvalue() == "\n[2 MB of output are kept; 1,000,005 bytes more were printed]\n"
    assert heard.text("out") == out.getvalue()
    assert heard.text("err") == err.getvalue()


def test_a_stream_is_flushed_before_the_other_one_is_written() -> None:
    calls: list[str] = []

    class Stream(io.StringIO):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.title = name

        def write(self, text: str) -> int:
            calls.append(self.title + text)
            return super().write(text)

        def flush(self) -> None:
            calls.append(f"{self.title} flushed")

    heard = Heard({"out": Stream("out "), "err": Stream("err ")}, MB)
    for name, text in (("out", b"1"), ("out", b"2"), ("err", b"3"), ("out", b"4")):
        heard.hear(name, text)  # type: ignore[arg-type]
    heard.end()
    assert [call.replace("  ", " ") for call in calls] == [
        *("out 1", "out 2", "out flushed", "err 3", "err flushed", "out 4", "out flushed"),
    ]


def test_a_stream_is_one_that_print_and_subprocess_know(pipe: tuple[int, int]) -> None:
    stream: Any = Said(pipe[1], "out")
    assert stream.writable()
    assert not stream.isatty()
    assert stream.encoding == "utf-8"
    assert stream.fileno() == 1
    stream.close()
    assert stream.write("after it was closed") == 19
    stream.writelines(["a\n", "b\n"])
    assert heard_of(all_of(pipe[0]), [])["out"] == "after it was closeda\nb\n"


def test_only_text_can_be_written(pipe: tuple[int, int]) -> None:
    with pytest.raises(TypeError, match=r"^write\(\) argument must be str, not bytes$"):
        Said(pipe[1], "out").write(b"bytes")  # type: ignore[arg-type]


def test_a_lone_surrogate_is_shown_and_not_an_error(pipe: tuple[int, int]) -> None:
    print("\ud800", file=Said(pipe[1], "out"))
    assert heard_of(all_of(pipe[0]), [])["out"] == "\\ud800\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_pieces_of_several_processes_are_not_mixed() -> None:
    script = """
import os, sys
from playground.models.said import Said
stream = Said(1, "out")
first = os.fork()
second = os.fork() if first else 0
name = "abc"[(not first) + 2 * (bool(first) and not second)]
for line in range(200):
    print(name * 700, line, file=stream)
if first and second:
    os.waitpid(first, 0), os.waitpid(second, 0)
else:
    os._exit(0)
"""
    sent = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    lines = heard_of(sent, [])["out"].splitlines()
    assert sorted(lines) == sorted(f"{name * 700} {line}" for name in "abc" for line in range(200))
