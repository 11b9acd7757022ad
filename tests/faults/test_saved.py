"""A saved recording that is another format, damaged or made to harm: refused in words, at little cost, and never run.

What flips, ends early, points nowhere or inflates without end is in `tests/trace/test_store.py` and `test_columns.py`;
here is what comes as a file to who loads it, by Python or on the command line, and what views make of all that loads.
"""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
import zlib
from array import array
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from playground import compare
from playground.errors import TraceError
from playground.trace import Handoff, Request, Step, Task, Trace, Wait
from playground.trace.columns import pack, unpack
from playground.trace.store import _checksum, dump
from playground.trace.texts import LONGEST
from playground.views.chrome import chrome_lines
from playground.views.packet import packet
from playground.views.text import report
from playground.views.theatre import theatre_packet
from playground.views.waterfall import waterfall_packet
from tests.recordings import blocked_run
from tests.trace.traces import traces as any_traces

END = ": the file is damaged; save it again"
LATEST = f"{1 << 62:,}"


class Harmful:
    """Were it ever unpickled, a file would be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.trace", content)
    return file.getvalue()


def tarred(content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("run.trace"), io.BytesIO(content))
    return file.getvalue()


FORMATS: Mapping[str, Callable[[bytes], bytes]] = {
    "pickle": pickle.dumps,
    "zip": zipped,
    "tar.gz": tarred,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zlib": zlib.compress,
    "json": lambda whole: json.dumps({"view": "trace", "columns": []}).encode(),
    "html": lambda whole: b"<!doctype html><script>alert(1)</script>",
    "python": lambda whole: b"import os; os.abort()",
    "zeroes": lambda whole: bytes(len(whole)),
    "nothing": lambda whole: b"",
    "a mark before it": lambda whole: b"\xef\xbb\xbf" + whole,
    "as text": lambda whole: whole.decode("latin-1").encode(),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_another_format_is_refused_by_how_it_begins(name: str, tmp_path: Path) -> None:
    content = FORMATS[name](dump(blocked_run()))
    path = tmp_path / "run.trace"
    path.write_bytes(content)
    with pytest.raises(TraceError) as caught:
        Trace.load(path)
    begins = f"expected a recording that begins with b'PLAYTRC', found {content[:7]!r}"
    if name == "as text":  # the beginning is ASCII and stays; a byte beyond that became two, and moved all after it
        assert str(caught.value).startswith("expected ")
    else:
        assert str(caught.value) == f"{begins}: give a file that Trace.save() wrote"


def test_nothing_of_a_file_is_ever_run(tmp_path: Path) -> None:
    path, ran = tmp_path / "run.trace", tmp_path / "ran"
    harmful = pickle.dumps(Harmful(ran))
    header, columns = unpack(dump(Trace(title="x")))
    texts = {"strings.length": array("I", [len(harmful)]), "strings.text": array("B", harmful)}
    columns |= texts
    del columns["check"]
    within = pack(header, {**columns, "check": array("I", [_checksum(header, columns)])})
    for content in (
        harmful,
        b"PLAYTRC\x01" + harmful,
        b"PLAYTRC\x01" + struct.pack("<I", len(harmful)) + harmful,
        within,
    ):
        path.write_bytes(content)
        with pytest.raises(TraceError):
            Trace.load(path)
    assert not ran.exists()
    pickle.loads(harmful)
    assert ran.exists()


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_refused_by_number(version: int, tmp_path: Path) -> None:
    whole = bytearray(dump(Trace()))
    whole[7] = version
    (tmp_path / "run.trace").write_bytes(whole)
    with pytest.raises(TraceError) as caught:
        Trace.load(tmp_path / "run.trace")
    assert str(caught.value) == (
        f"expected a recording of format version 1, found version {version}: "
        "read it with the release of playground that wrote it"
    )


def with_header(**changes: Any) -> bytes:
    """A recording whose header has other bytes: `columns` as they are given, all else as JSON."""
    whole = dump(Trace())
    (length,) = struct.unpack_from("<I", whole, 8)
    header = {**json.loads(whole[12 : 12 + length]), **changes}
    text = json.dumps(header).encode()
    return b"".join((whole[:8], struct.pack("<I", len(text)), text, whole[12 + length :]))


def counted(count: Any, kind: str = "q", name: str = "steps.start_ns") -> bytes:
    columns = json.loads(json.dumps(unpack_directory()))
    return with_header(columns=[[each, k, n] if each != name else [name, kind, count] for each, k, n in columns])


def unpack_directory() -> list[list[Any]]:
    whole = dump(Trace())
    (length,) = struct.unpack_from("<I", whole, 8)
    found: list[list[Any]] = json.loads(whole[12 : 12 + length])["columns"]
    return found


DIRECTORY = "expected a list of [name, type, length], each name once, as the header's columns: the file is damaged"
A_VIEW = "expected a recording, found a packet for the view ['trace']: give a file that Trace.save() wrote"
HARMFUL_HEADERS: Mapping[str, tuple[bytes, str]] = {
    "a negative count": (counted(-1, "i8"), DIRECTORY),
    "a count that is no number": (counted("7", "i8"), DIRECTORY),
    "a count that is nearly one": (counted(1.0, "i8"), DIRECTORY),
    "a count that is true": (counted(True, "i8"), DIRECTORY),
    "a type that there is not": (counted(1, "x9"), DIRECTORY),
    "a huge count": (
        counted(10**30, "i8"), f"expected columns of one length in steps, found lengths from 0 to {10**30}{END}"
    ),
    "columns that are not a list": (with_header(columns={"a": 1}), DIRECTORY),
    "columns nested": (with_header(columns=[[["steps.task"], "u4", 1]]), DIRECTORY),
    "no columns": (with_header(columns=[]), f"expected the 91 columns of a recording, found 0 or other ones{END}"),
    "a view that is not one": (with_header(view=["trace"]), A_VIEW),
    "a clock that there is not": (
        with_header(clock={"real": 1}), f"expected a clock that is one of real, virtual, found {{'real': 1}}{END}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMFUL_HEADERS)
def test_a_header_that_is_made_to_harm_is_refused_in_words(name: str, tmp_path: Path) -> None:
    content, message = HARMFUL_HEADERS[name]
    (tmp_path / "run.trace").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(TraceError) as caught:
        Trace.load(tmp_path / "run.trace")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(caught.value) == message
    assert peak_bytes < 2_000_000


def nested(depth: int) -> bytes:
    text = b'{"columns":' + b"[" * depth + b"]" * depth + b"}"
    return b"PLAYTRC\x01" + struct.pack("<I", len(text)) + text


@pytest.mark.parametrize(
    "content",
    [
        nested(100_000),
        b"PLAYTRC\x01" + struct.pack("<I", 6) + b'"\xff\xfe"ab',
        b"PLAYTRC\x01" + struct.pack("<I", 5_002) + b"[" + b"9" * 5_000 + b"]",  # a number that Python does not read
    ],
    ids=["nested without end", "not UTF-8", "a number of 5,000 digits"],
)
def test_a_header_that_json_cannot_read_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "run.trace").write_bytes(content)
    with pytest.raises(TraceError, match=r"^expected a JSON header, found bytes that are none \("):
        Trace.load(tmp_path / "run.trace")


def test_the_command_line_refuses_it_in_a_line_and_shows_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    path.write_bytes(pickle.dumps([1, 2]))
    command = [sys.executable, "-m", "playground", "summary", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"playground: cannot read {path}: expected a recording that begins with b'PLAYTRC', found "
        f"{pickle.dumps([1, 2])[:7]!r}: give a file that Trace.save() wrote\n"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names there")
def test_what_is_no_file_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        Trace.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        Trace.load(tmp_path / "none")
    with pytest.raises(TraceError, match=r"^expected a recording that begins with b'PLAYTRC', found b'': "):
        Trace.load("/dev/null")


# -- what cannot have happened ----------------------------------------------------------------------------------

TASK = Task("t", "main", None, 0, 9, "returned")
STEP = Step(0, 0, 5, None, "yields", None)
REQUEST = Request(0, "GET", "/", None, 200, 0, 9, 0, (), (), None)
HANDOFF = Handoff(0, "f", 0, 1, 2, 3, 4, 0, 1, "returned", None)


def moments(field: str) -> str:
    return f"expected moments from 0 to {LATEST} in {field}, found another{END}"


IMPOSSIBLE = [
    (Trace(tasks=[TASK], steps=[STEP, replace(STEP, start_ns=4)]),
     f"expected steps one after the other, found one that begins before another ends{END}"),
    (Trace(tasks=[TASK], steps=[replace(STEP, start_ns=-1)]), moments("steps.start_ns")),
    (Trace(tasks=[TASK], steps=[replace(STEP, duration_ns=-1)]), moments("steps.duration_ns")),
    (Trace(tasks=[TASK], steps=[replace(STEP, start_ns=(1 << 62) + 1)], duration_ns=0), moments("steps.start_ns")),
    (Trace(tasks=[TASK], steps=[replace(STEP, woken_by=0)]),
     f"expected steps that earlier ones made ready, found one that a later one did{END}"),
    (Trace(tasks=[TASK], steps=[replace(STEP, outcome="callback")]),
     f"expected steps of tasks, and callbacks of none, found a step that is neither{END}"),
    (Trace(tasks=[TASK], waits=[Wait(0, 5, 4, "io", None)]),
     f"expected waits whose end_ns comes after start_ns, found one that ends before it begins{END}"),
    (Trace(requests=[replace(REQUEST, task=None, start_ns=10)]),
     f"expected requests whose end_ns comes after start_ns, found one that ends before it begins{END}"),
    (Trace(tasks=[TASK], handoffs=[replace(HANDOFF, thread=2_000_000_000)]),
     f"expected threads that 1 hand-offs can have used, found another{END}"),
    (Trace(tasks=[TASK], handoffs=[replace(HANDOFF, thread=-2)]),
     f"expected threads that 1 hand-offs can have used, found another{END}"),
    (Trace(requests=[replace(REQUEST, task=None, number=-1)]),
     f"expected requests that are counted from 0, found a number below it{END}"),
    (Trace(tasks=[TASK], duration_ns=-1), f"expected a run of 0 to {LATEST} ns, found one of -1{END}"),
    (Trace(duration_ns=1 << 70), f"expected a run of 0 to {LATEST} ns, found one of {1 << 70:,}{END}"),
]  # fmt: skip


@pytest.mark.parametrize(("trace", "message"), IMPOSSIBLE)
def test_a_recording_that_cannot_have_happened_is_refused(trace: Trace, message: str, tmp_path: Path) -> None:
    (tmp_path / "run.trace").write_bytes(dump(trace))
    with pytest.raises(TraceError) as caught:
        Trace.load(tmp_path / "run.trace")
    assert str(caught.value) == message


def test_a_text_that_no_recording_keeps_is_cut_when_saved(tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    long = "x" * 10_000_000
    Trace(tasks=[replace(TASK, name=long, coroutine=long[:LONGEST])], ending=long).save(path)
    loaded = Trace.load(path)
    (task,) = loaded.tasks
    assert task.name == loaded.ending == "x" * (LONGEST - 1) + "…"
    assert task.coroutine == "x" * LONGEST


def with_names(path: Path, names: list[str]) -> Path:
    """A recording of tasks of these names, saved as before recordings were sparing with texts."""
    header, columns = unpack(dump(Trace(tasks=[replace(TASK, name=f"{at}") for at in range(len(names))])))
    whole = bytes(columns["strings.text"])
    strings, at = [], 0
    for length in columns["strings.length"]:
        strings.append(whole[at : at + length])
        at += length
    written = {f"{at}".encode(): name.encode() for at, name in enumerate(names)}
    texts = [written.get(text, text) for text in strings]
    columns |= {
        "strings.length": array("I", map(len, texts)), "strings.text": array("B", b"".join(texts))
    }  # fmt: skip
    del columns["check"]
    path.write_bytes(pack(header, {**columns, "check": array("I", [_checksum(header, columns)])}))
    return path


def test_of_texts_in_older_files_as_much_is_read_as_a_recording_keeps(tmp_path: Path) -> None:
    names = ["short", *("y" * 5_000 + end for end in "abc"), "z" * (LONGEST + 1), "z" * LONGEST]
    loaded = Trace.load(with_names(tmp_path / "run.trace", names))
    cut = ["y" * (LONGEST - less) + "…" for less in (1, 2, 3)]
    assert [task.name for task in loaded.tasks] == ["short", *cut, "z" * (LONGEST - 3) + "…", "z" * LONGEST]
    loaded.save(tmp_path / "again.trace")
    assert [task.name for task in Trace.load(tmp_path / "again.trace").tasks] == [task.name for task in loaded.tasks]


def test_more_long_texts_than_can_be_told_apart_are_refused(tmp_path: Path) -> None:
    path = with_names(tmp_path / "run.trace", [f"{'y' * LONGEST}{at}" for at in range(LONGEST + 1)])
    with pytest.raises(TraceError) as caught:
        Trace.load(path)
    assert str(caught.value) == (
        f"expected texts that differ within 2,000 characters, found more than 2,000 that do not{END}"
    )


# -- what loads can be shown ------------------------------------------------------------------------------------


A_YEAR_NS = 365 * 24 * 3600 * 10**9


def ordered(row: Any, *fields: str) -> Any:
    """A row whose moments follow one another."""
    last_ns = 0
    for field in fields:
        if getattr(row, field) is not None:
            last_ns = max(last_ns, abs(getattr(row, field)) % A_YEAR_NS)
            row = replace(row, **{field: last_ns})
    return row


def made_plausible(trace: Trace) -> Trace:
    """The same rows with moments in order: all else is as it came."""
    at_ns = 0
    steps = []
    for index, step in enumerate(trace.steps):
        woken_by = step.woken_by if step.woken_by is not None and step.woken_by < index else None
        outcome = "callback" if step.task is None else step.outcome if step.outcome != "callback" else "yields"
        steps.append(
            replace(
                step, start_ns=at_ns, duration_ns=abs(step.duration_ns) % A_YEAR_NS, woken_by=woken_by, outcome=outcome
            )
        )
        at_ns += abs(step.duration_ns) % A_YEAR_NS
    called = [ordered(each, "submitted_ns", "started_ns", "ended_ns", "woken_ns") for each in trace.handoffs]
    told = [replace(each, messages=tuple(ordered(one, "at_ns") for one in each.messages)) for each in trace.requests]
    return Trace(
        steps=steps,
        tasks=[ordered(each, "created_ns", "ended_ns") for each in trace.tasks],
        waits=[ordered(each, "start_ns", "end_ns") for each in trace.waits],
        handoffs=[replace(each, thread=each.thread and abs(each.thread) % len(called)) for each in called],
        requests=[ordered(replace(each, number=abs(each.number)), "start_ns", "end_ns") for each in told],
        samples=[ordered(each, "at_ns") for each in trace.samples],
        spans=[ordered(each, "start_ns", "end_ns") for each in trace.spans],
        losses=[ordered(each, "at_ns") for each in trace.losses],
        clock=trace.clock,
        dropped=trace.dropped,
        forgotten=trace.forgotten,
        title=trace.title,
    )


def shown(trace: Trace) -> None:
    """Every view and export of a recording."""
    assert trace.summary
    assert str(trace.diagnosis)
    assert report(trace)
    assert trace.to_svg().startswith("<svg")
    assert packet(trace)
    assert theatre_packet(trace)
    assert all(waterfall_packet(trace, request) for request in range(len(trace.requests)))
    assert list(chrome_lines(trace))
    assert str(compare({"a": trace, "b": trace}))


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(st.data())
def test_whatever_loads_can_be_shown_in_every_view(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    made = data.draw(any_traces())
    path = tmp_path_factory.getbasetemp() / "whatever.trace"
    made_plausible(made).save(path)
    shown(Trace.load(path))
