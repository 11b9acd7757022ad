"""A recording kept and read back: exact, or refused in words; never anything else."""

import struct
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import TraceError
from playground.trace import Handoff, Message, Request, Sample, Site, Span, Step, Task, Trace, Wait
from playground.trace.columns import pack, unpack
from playground.trace.store import dump, restore
from playground.trace.tables import SCHEMA, WORDS
from tests.recordings import blocked_run, large_run

TABLES = ("steps", "tasks", "waits", "handoffs", "requests", "samples", "spans")

moments = st.integers(-(2**63) + 1, 2**63 - 1)
maybe_moments = st.none() | moments
# with halves of surrogate pairs, as in a path that was no UTF-8
words = st.text(st.characters(codec=None), max_size=6)
sites = st.builds(Site, words, st.integers(0, 10**6), words, words)
task_outcomes = st.sampled_from(WORDS["TaskOutcome"])
messages = st.builds(Message, st.sampled_from(WORDS["Direction"]), words, moments, words)


def rows(strategy: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=most).map(tuple)


def some(count: int) -> st.SearchStrategy[Any]:
    """Indexes into a table of `count` rows, or none."""
    return st.none() | st.integers(0, count - 1) if count else st.none()


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    tasks = [
        draw(st.builds(Task, words, words, some(index), moments, maybe_moments, task_outcomes))
        for index in range(draw(st.integers(0, 4)))
    ]
    owner = some(len(tasks))
    count = draw(st.integers(0, 4))
    outcomes = st.sampled_from(WORDS["StepOutcome"])
    step = st.builds(Step, owner, moments, moments, some(count), outcomes, st.none() | sites)
    steps = tuple(draw(step) for _ in range(count))
    looked, waited = st.integers(0, max(0, count - 1)), st.integers(0, max(0, len(tasks) - 1))
    samples = st.builds(Sample, looked, moments, maybe_moments, st.none() | sites, words)
    waits = st.builds(Wait, waited, moments, moments, st.sampled_from(WORDS["WaitOn"]), st.none() | sites)
    handoff = st.builds(
        Handoff, owner, words, moments, moments, maybe_moments, maybe_moments, maybe_moments, maybe_moments,
        moments, task_outcomes, st.none() | sites,
    )  # fmt: skip
    handoffs = draw(rows(handoff))
    made = rows(st.integers(0, max(0, len(handoffs) - 1)), most=4 if handoffs else 0)
    request = st.builds(
        Request, moments, words, words, st.none() | words, maybe_moments, moments, maybe_moments, owner, made,
        rows(messages), st.none() | words,
    )  # fmt: skip
    requests = draw(rows(request))
    spans = [
        draw(st.builds(Span, st.integers(0, len(requests) - 1), st.sampled_from(WORDS["SpanKind"]), words, moments,
                       maybe_moments, some(index), owner, st.none() | sites))
        for index in range(draw(st.integers(0, 4)) if requests else 0)
    ]  # fmt: skip
    return Trace(
        steps=steps,
        tasks=tuple(tasks),
        waits=draw(rows(waits)) if tasks else (),
        handoffs=handoffs,
        requests=requests,
        samples=draw(rows(samples)) if steps else (),
        spans=tuple(spans),
        duration_ns=draw(moments),
        clock=draw(st.sampled_from(("real", "virtual"))),
        dropped=draw(st.integers(0, 2**70)),
        title=draw(words),
    )


def content(trace: Trace) -> tuple[Any, ...]:
    tables = tuple(tuple(getattr(trace, table)) for table in TABLES)
    return (*tables, trace.duration_ns, trace.clock, trace.dropped, trace.title)


def refused(data: bytes) -> str:
    with pytest.raises(TraceError) as caught:
        restore(Trace, data)
    return str(caught.value)


def changed(trace: Trace, **header: Any) -> bytes:
    """A recording whose header says something else."""
    found, columns = unpack(dump(trace))
    return pack({**found, **header}, columns)


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
        "expected a recording with tables of version 2, found version 7: "
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
    assert SCHEMA == 2, "a new schema: pin its words here too"
    assert WORDS == {
        "StepOutcome": ("waits", "yields", "returned", "raised", "cancelled", "callback"),
        "TaskOutcome": ("pending", "returned", "raised", "cancelled"),
        "WaitOn": ("timer", "io", "lock", "queue", "event", "thread", "task", "future"),
        "Direction": ("receive", "send"),
        "SpanKind": ("middleware", "routing", "handler", "dependency", "response"),
    }
