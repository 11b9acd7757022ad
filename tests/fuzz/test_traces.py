"""Saved recordings: what is saved comes back and looks the same, and what was made of its bytes is refused or shown.

`tests/faults/test_saved.py` has the files that were made by hand, and `tests/trace/test_store.py` rows at random; here
are recordings of whole runs, and files with several changes at once, with a checksum that fits.
"""

import tempfile
from array import array
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from playground.errors import TraceError
from playground.trace import Trace
from playground.trace.columns import pack, unpack
from playground.trace.store import _checksum, dump, restore
from playground.views.chrome import chrome_lines
from playground.views.packet import packet
from playground.views.text import report
from tests.faults.test_saved import shown
from tests.fuzz.kit import attempt, fuzzed
from tests.plans import recordings
from tests.recordings import blocked_run
from tests.trace.traces import content

# Mostly small ones: every view of the other takes a while.
_traces = st.one_of([recordings()] * 4 + [st.builds(cache(blocked_run))])


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def _load(data: bytes) -> Trace | None:
    """The recording in a file, every view of it drawn once; `None` if it is refused, which must be in our words."""
    path = Path(_folder().name, "run.trace")
    path.write_bytes(data)
    trace, refused = attempt(lambda: Trace.load(path), TraceError)
    if trace is None:
        assert refused.startswith("expected ")
        return None
    shown(trace)
    assert isinstance(trace, Trace)
    return trace


@fuzzed(_traces, examples=6)
def test_a_run_that_was_saved_looks_as_it_did(trace: Trace) -> None:
    loaded = restore(Trace, dump(trace))
    assert content(loaded) == content(trace)
    assert packet(loaded) == packet(trace)
    assert (report(loaded), loaded.to_svg()) == (report(trace), trace.to_svg())
    assert (list(chrome_lines(loaded)), loaded.summary) == (list(chrome_lines(trace)), trace.summary)
    assert content(restore(Trace, dump(loaded))) == content(trace)


_edits = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "double", "insert", "zero", "swap"]),
        st.integers(0, 1 << 20),
        st.integers(1, 40),
    ),
    min_size=1,
    max_size=4,
)


def _edited(data: bytes, edits: list[tuple[str, int, int]]) -> bytes:
    for what, place, size in edits:
        at = place % (len(data) + 1)
        head, part, tail = data[:at], data[at : at + size], data[at + size :]
        if what == "flip":
            part = bytes(byte ^ (1 << place % 8) for byte in part)
        elif what == "cut":
            part = b""
        elif what == "double":
            part += part
        elif what == "insert":
            part = bytes(range(size)) + part
        elif what == "zero":
            part = bytes(len(part))
        else:
            head, tail = tail, head
        data = head + part + tail
    return data


@fuzzed(_traces, _edits, examples=10)
def test_a_file_whose_bytes_were_changed_is_refused_or_is_as_it_was(trace: Trace, edits: list[Any]) -> None:
    found = _load(_edited(dump(trace), edits))
    assert found is None or content(found) == content(trace)


@fuzzed(_traces, _traces, st.integers(0, 1 << 20), st.integers(0, 1 << 20), examples=6)
def test_two_files_put_together_are_refused_or_are_one_of_them(one: Trace, other: Trace, to: int, since: int) -> None:
    first, second = dump(one), dump(other)
    found = _load(first[: to % (len(first) + 1)] + second[since % (len(second) + 1) :])
    assert found is None or content(found) in (content(one), content(other))


_values = st.integers(0, 5) | st.integers(0, 2**63 - 1) | st.integers(-(2**63), 0) | st.just(2**32 - 1)
_changes = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.sampled_from(["set", "set", "shift", "swap", "same", "fill"]),
        st.integers(0, 999),
        _values,
    ),
    min_size=1,
    max_size=4,
)


def _changed(columns: Mapping[str, "array[int]"], changes: list[tuple[int, str, int, int]]) -> None:
    """Change values of columns in place: most stay what they could be, so that much passes the checks."""
    names = [name for name, column in columns.items() if len(column) and name != "check"]
    for which, what, place, value in changes if names else ():
        column = columns[names[which % len(names)]]
        at, last = place % len(column), (place + 1) % len(column)
        if what == "swap":
            column[at], column[last] = column[last], column[at]
        elif what == "same":
            column[at] = column[last]
        elif what == "shift":
            _put(column, at, column[at] + value % 7 - 3)
        else:
            for each in range(len(column)) if what == "fill" else (at,):
                _put(column, each, value)


def _put(column: "array[int]", at: int, value: int) -> None:
    bits = 8 * column.itemsize
    column[at] = value % (1 << bits - 1) if column.typecode == "q" else value % (1 << bits)


def _packed(header: Mapping[str, Any], columns: Mapping[str, "array[int]"]) -> bytes:
    """A file whose checksum fits."""
    rest = {name: column for name, column in columns.items() if name != "check"}
    return pack(header, {**rest, "check": array("I", [_checksum(header, rest)])})


@fuzzed(_traces, _changes, examples=10)
def test_columns_that_were_changed_are_refused_or_shown(trace: Trace, changes: list[Any]) -> None:
    header, columns = unpack(dump(trace))
    _changed(columns, changes)
    found = _load(_packed(header, columns))
    if found is not None:
        assert content(restore(Trace, dump(found))) == content(found)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["real", "virtual"]),
    lambda below: (
        st.lists(below, max_size=2) | st.dictionaries(st.sampled_from(["steps", "tasks", "x", ""]), below, max_size=2)
    ),
    max_leaves=4,
)
_keys = st.sampled_from(
    ["view", "schema", "title", "clock", "duration_ns", "dropped", "forgotten", "ending", "more", "\ud800", ""]
)


@fuzzed(_traces, st.dictionaries(_keys, _json, min_size=1, max_size=2), st.booleans(), examples=10)
def test_a_header_that_was_changed_is_refused_or_shown(trace: Trace, changes: dict[str, Any], removes: bool) -> None:
    header, columns = unpack(dump(trace))
    if removes:
        header = {key: value for key, value in header.items() if key not in changes}
    else:
        header.update(changes)
    _load(_packed(header, columns))


_lengths = st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=6)


@fuzzed(_traces, st.integers(0, 200), st.integers(-2, 2), _lengths, examples=8)
def test_columns_of_other_lengths_are_refused_or_shown(
    trace: Trace, which: int, longer: int, values: list[int]
) -> None:
    header, columns = unpack(dump(trace))
    names = sorted(set(columns) - {"check"})
    name = names[which % len(names)]
    table = name.partition(".")[0]
    for each in [name] if longer < 0 else [each for each in names if each.startswith(f"{table}.")]:
        column = columns[each]
        if longer < 0:
            del column[longer:]
        for value, _ in zip(values, range(longer), strict=False):
            column.append(0)
            _put(column, len(column) - 1, value)
    _load(_packed(header, columns))
