"""A recording kept and read back: exact, or refused in words; never anything else."""

import re
import struct
import tracemalloc
import zlib
from array import array
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import TraceError
from playground.trace import Message, Request, Span, Step, Task, Trace, Wait
from playground.trace.columns import pack, unpack
from playground.trace.store import _checksum, dump, restore
from playground.trace.tables import SCHEMA, WORDS
from tests.recordings import blocked_run, large_run
from tests.trace.traces import content, traces


def refused(data: bytes) -> str:
    with pytest.raises(TraceError) as caught:
        restore(Trace, data)
    return str(caught.value)


def changed(trace: Trace, **header: Any) -> bytes:
    """A recording whose header says something else."""
    found, columns = unpack(dump(trace))
    return pack({**found, **header}, columns)


@pytest.mark.slow
@given(traces())
def test_what_is_dumped_is_restored(trace: Trace) -> None:
    assert content(restore(Trace, dump(trace))) == content(trace)


@pytest.mark.parametrize("make", [blocked_run, lambda: large_run(200), Trace])
def test_a_whole_run_comes_back(make: Any) -> None:
    trace = make()
    assert content(restore(Trace, dump(trace))) == content(trace)


def test_a_file_holds_what_was_saved_in_it(tmp_path: Path) -> None:
    trace = blocked_run()
    trace.save(tmp_path / "run.trace")
    assert content(Trace.load(tmp_path / "run.trace")) == content(trace)


def test_a_subclass_is_restored_as_itself() -> None:
    class Mine(Trace):
        pass

    assert type(restore(Mine, dump(Trace()))) is Mine


@pytest.mark.slow
@settings(max_examples=120)
@given(traces(), st.data())
def test_a_flipped_bit_is_refused_or_changes_nothing(trace: Trace, data: st.DataObject) -> None:
    damaged = bytearray(dump(trace))
    at = data.draw(st.integers(0, 8 * len(damaged) - 1))
    damaged[at // 8] ^= 1 << at % 8
    try:
        found = restore(Trace, bytes(damaged))
    except TraceError:
        return
    assert content(found) == content(trace)


def test_every_single_byte_of_the_header_is_watched() -> None:
    whole = dump(Trace(tasks=[Task("Task-1", "main", None, 0, 9, "returned")], title="Run 1"))
    (length,) = struct.unpack_from("<I", whole, 8)
    for at in range(12 + length):
        damaged = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(TraceError):
            restore(Trace, damaged)


@pytest.mark.slow
@given(traces(), st.data())
def test_a_shortened_recording_is_refused(trace: Trace, data: st.DataObject) -> None:
    whole = dump(trace)
    refused(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    refused(data)


def test_damage_that_still_parses_is_found_by_the_checksum() -> None:
    assert refused(changed(Trace(), title="Run 2")) == (
        "expected a checksum that fits the data, found another: the file is damaged; save it again"
    )


def test_a_packet_for_a_view_is_no_recording() -> None:
    assert refused(changed(Trace(), view="timeline")) == (
        "expected a recording, found a packet for the view 'timeline': give a file that Trace.save() wrote"
    )


def test_tables_of_another_version_are_refused_by_number() -> None:
    assert refused(changed(Trace(), schema=7)) == (
        "expected a recording with tables of version 5, found version 7: "
        "read it with the release of playground that wrote it"
    )


def test_a_header_with_a_field_of_another_type_is_refused() -> None:
    assert refused(changed(Trace(), forgotten=[])) == (
        "expected a dict as 'forgotten' in the header, found list: the file is damaged; save it again"
    )
    assert refused(changed(Trace(), forgotten={"tasks": 0.5})) == (
        "expected counts of what was forgotten in the header, found something else among them: "
        "the file is damaged; save it again"
    )
    assert refused(changed(Trace(), duration_ns=float("nan"))) == (
        "expected a int as 'duration_ns' in the header, found float: the file is damaged; save it again"
    )


def pointing_nowhere() -> list[tuple[Trace, str]]:
    task = Task("t", "main", None, 0, None, "pending")
    step = Step(0, 0, 1, None, "callback", None)
    end = ": the file is damaged; save it again"
    return [
        (Trace(steps=[step]), f"expected indexes below 0 in steps.task, found 0{end}"),
        (
            Trace(tasks=[replace(task, parent=0)]),
            f"expected tasks that come after their parents, found one that does not{end}",
        ),
        (
            Trace(
                requests=[Request(0, "GET", "/", None, None, 0, None, None, (), (), None)],
                spans=[Span(0, "handler", "read", 0, 1, 0, None, None)],
            ),
            f"expected spans that come after their parents, found one that does not{end}",
        ),
        (Trace(waits=[Wait(3, 0, 1, "io", None)]), f"expected indexes below 0 in waits.task, found 3{end}"),
        (
            Trace(requests=[Request(0, "GET", "/", None, None, 0, None, None, (5,), (), None)]),
            f"expected indexes below 0 in made.handoff, found 5{end}",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(("trace", "message"), pointing_nowhere())
def test_rows_that_point_nowhere_are_refused(trace: Trace, message: str) -> None:
    assert refused(dump(trace)) == message


def with_columns(trace: Trace, **changed_columns: "array[int]") -> bytes:
    """A recording with other columns, whose checksum fits them: `steps__task=...` is the column `steps.task`."""
    header, columns = unpack(dump(trace))
    columns |= {name.replace("__", "."): column for name, column in changed_columns.items()}
    del columns["check"]
    return pack(header, {**columns, "check": array("I", [_checksum(header, columns)])})


def a_request(path: str = "/") -> Request:
    sent = (Message("send", "http.response.start", 1), Message("send", "http.response.body", 2))
    return Request(0, "GET", path, None, None, 0, None, None, (), sent, None)


@pytest.mark.parametrize(
    ("trace", "columns", "message"),
    [
        (Trace(requests=[a_request()]), {"requests__messages_until": array("I", [3])},
         "expected stretches of 2 rows in requests.messages, found others"),
        (Trace(requests=[a_request()]), {"requests__messages_from": array("I", [3])},
         "expected stretches of 2 rows in requests.messages, found others"),
        # each request with all messages of all: rows by the square of what is in the file
        (Trace(requests=[a_request(), a_request()]),
         {"requests__messages_from": array("I", [0, 0]), "requests__messages_until": array("I", [4, 4])},
         "expected stretches of 4 rows in requests.messages, found others"),
        (Trace(requests=[a_request()]), {"requests__path": array("I", [0])},
         "expected a value in every row of requests.path, found a row without one"),
        (Trace(steps=[Step(None, 0, 1, None, "callback", None)]), {"steps__site": array("I", [7])},
         "expected indexes below 0 in steps.site, found 6"),
        (Trace(steps=[Step(None, 0, 1, None, "callback", None)]), {"steps__outcome": array("B", [6])},
         "expected indexes below 6 in steps.outcome, found 6"),
        (Trace(steps=[Step(None, 0, 1, None, "callback", None)]), {"steps__start_ns": array("q", [-(1 << 63)])},
         "expected a value in every row of steps.start_ns, found a row without one"),
        (Trace(steps=[Step(None, 0, 1, None, "callback", None)]), {"steps__start_ns": array("q")},
         "expected columns of one length in steps, found lengths from 0 to 1"),
        (Trace(), {"sites__line": array("q", [1])}, "expected columns of one length in sites, found several"),
        (Trace(), {"steps__more": array("q")}, "expected the 91 columns of a recording, found 92 or other ones"),
        (Trace(), {"steps__task": array("q")}, "expected the 91 columns of a recording, found 91 or other ones"),
        (Trace(), {"strings__length": array("I", [1])}, "expected 1 bytes of strings, found 0"),
        (Trace(), {"strings__length": array("I", [1]), "strings__text": array("B", [0xC3])},
         "expected strings in UTF-8, found 'utf-8' codec can't decode byte 0xc3 in position 0: unexpected end of data"),
        (Trace(), {"strings__length": array("I", [1, 1]), "strings__text": array("B", b"aa")},
         "expected each string once, found one twice"),
    ],
)  # fmt: skip
def test_a_file_made_to_harm_is_refused_in_words(trace: Trace, columns: Any, message: str) -> None:
    assert refused(with_columns(trace, **columns)) == f"{message}: the file is damaged; save it again"


def test_a_file_that_would_take_too_much_memory_is_refused_before_it_takes_any() -> None:
    few = dump(Trace(steps=[Step(None, 0, 1, None, "callback", None)] * 1_000))
    with pytest.raises(TraceError) as caught:
        restore(Trace, few, most_bytes=10_000)
    assert re.fullmatch(
        r"expected a recording that takes at most 10,000 bytes of memory, found one that takes 29,\d{3}: "
        "if you trust the file, load it with a larger most_bytes",
        str(caught.value),
    )
    assert len(restore(Trace, few, most_bytes=30_000).steps) == 1_000


@pytest.mark.slow
def test_a_zip_bomb_takes_no_memory(tmp_path: Path) -> None:
    # a gigabyte and a half of strings' lengths, all zero, in a file of 1.5 MB
    header, columns = unpack(dump(Trace()))
    columns["strings.length"] = array("I", bytes(4 * 1_000_000))
    small = pack(header, columns)
    text = small[12 : 12 + struct.unpack_from("<I", small, 8)[0]].replace(b"1000000", b"400000000")
    path = tmp_path / "bomb.trace"
    path.write_bytes(small[:8] + struct.pack("<I", len(text)) + text + zlib.compress(bytes(1 << 30), 9)[: 3 << 19])
    tracemalloc.start()
    with pytest.raises(TraceError, match=r"^expected a recording that takes at most 1,073,741,824 bytes of memory, "):
        Trace.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_title_that_no_header_holds_is_refused_when_saved() -> None:
    assert restore(Trace, dump(Trace(title="\udce9" * 50_000))).title == "\udce9" * 50_000
    with pytest.raises(TraceError) as caught:
        dump(Trace(title="x" * 50_001))
    assert str(caught.value) == (
        "expected a title of at most 50,000 characters, found one of 50,001: give the run a shorter one"
    )


def test_a_recording_too_odd_to_save_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    Trace(title="good").save(path)
    with pytest.raises(TraceError):
        Trace(steps=[Step(None, 2**63, 0, None, "callback", None)], duration_ns=0).save(path)
    assert Trace.load(path).title == "good"


@pytest.mark.slow
@settings(max_examples=60)
@given(traces(), st.data())
def test_any_columns_of_the_right_length_are_refused_or_are_rows(trace: Trace, data: st.DataObject) -> None:
    _, columns = unpack(dump(trace))
    name = data.draw(st.sampled_from(sorted(set(columns) - {"check"})))
    column = columns[name]
    limit = 1 << (8 * column.itemsize - 1)
    values = (
        st.integers(-limit, limit - 1) if column.typecode == "q" else st.integers(0, 2 * limit - 1) | st.integers(0, 5)
    )
    other = array(column.typecode, data.draw(st.lists(values, min_size=len(column), max_size=len(column))))
    try:
        found = restore(Trace, with_columns(trace, **{name.replace(".", "__"): other}))
    except TraceError:
        return
    content(found)  # every row can be made
    hash(content(found))
    found.blocks(0)
    assert found.steps_of.keys() <= set(range(len(found.tasks)))
    assert all(found.ready_ns(task) >= 0 for task in range(len(found.tasks)))


@pytest.mark.parametrize("number", [2**63, -(2**63)])
def test_a_time_too_long_for_the_wire_is_refused_when_saved(number: int) -> None:
    with pytest.raises(TraceError, match=r"^expected times of 64 bits and indexes of 32, not negative; found "):
        dump(Trace(steps=[Step(None, number, 0, None, "callback", None)], duration_ns=0))


def test_a_recording_holds_each_string_and_site_once() -> None:
    _, columns = unpack(dump(large_run(500)))
    text = columns["strings.text"].tobytes()
    ends = [0, *accumulate(columns["strings.length"])]
    strings = [text[start:end] for start, end in pairwise(ends)]
    assert len(set(strings)) == len(strings) < 2_000
    assert len(columns["sites.line"]) < 20


def test_a_step_takes_few_bytes() -> None:
    trace = large_run(2_000)
    # DESIGN: 28 bytes an event once packed; deflated, with its waits and requests, a step stays below that
    assert len(dump(trace)) / len(trace.steps) < 28


def test_the_order_of_words_is_part_of_the_schema() -> None:
    assert SCHEMA == 5, "a new schema: pin its words here too"
    assert WORDS == {
        "StepOutcome": ("waits", "yields", "returned", "raised", "cancelled", "callback"),
        "TaskOutcome": ("pending", "returned", "raised", "cancelled"),
        "WaitOn": ("timer", "io", "lock", "queue", "event", "thread", "task", "future"),
        "Direction": ("receive", "send"),
        "SpanKind": ("middleware", "routing", "handler", "dependency", "response"),
        "LossKind": ("coroutine", "exception"),
        "SegmentKind": ("queue", "run", "wait", "ready", "gil", "preempt", "off_cpu", "handoff"),
        "WorkerKind": ("process", "thread", "loop", "green"),
        "JobOutcome": ("returned", "raised", "cancelled", "pending"),
    }
