"""A Chrome trace, read as its readers read it: slices nest, every flow is bound, and both are what was recorded."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import App, Lab, Trace
from playground.views.chrome import chrome_lines, micros
from playground.views.evidence import named
from tests.by_hand import LINE, MS, handoff, looks, request, step, task
from tests.recordings import blocked_run, load

# The phases of the Trace Event Format that are used, with the fields that each must have.
FIELDS = {
    "X": {"name", "cat", "ts", "dur", "pid", "tid", "args"},
    "s": {"name", "cat", "ts", "id", "pid", "tid"},
    "f": {"name", "cat", "ts", "id", "pid", "tid", "bp"},
    "M": {"name", "pid", "args"},
}


def exact_ns(us: float) -> int:
    """Microseconds as Perfetto reads them: times 1000, cut off."""
    return int(us * 1000)


@dataclass
class Slice:
    name: str
    start_ns: int
    end_ns: int
    depth: int
    args: dict[str, Any]


@dataclass
class Read:
    """A file as a reader has it: by (process, track) the slices in order; by id the slices that a flow joins."""

    names: dict[tuple[int, int], str] = field(default_factory=dict)
    slices: dict[tuple[int, int], list[Slice]] = field(default_factory=lambda: defaultdict(list))
    flows: dict[int, list[tuple[str, tuple[int, int], Slice, int]]] = field(default_factory=lambda: defaultdict(list))
    metadata: dict[str, Any] = field(default_factory=dict)

    def of(self, name: str) -> list[Slice]:
        """The slices of the track that is called so."""
        ((place, _),) = [(place, given) for place, given in self.names.items() if given == name]
        return self.slices[place]


def read(trace: Trace) -> Read:
    """Read a trace as Perfetto's importer does: by time, of one moment in the file's order, a stack for each track."""
    document = json.loads("\n".join(chrome_lines(trace)))
    assert set(document) == {"traceEvents", "displayTimeUnit", "metadata"}
    assert document["displayTimeUnit"] == "ns"
    found = Read(metadata=document["metadata"])
    stacks: dict[tuple[int, int], list[Slice]] = defaultdict(list)
    events = document["traceEvents"]
    for event in events:
        assert set(event) - {"tid"} >= FIELDS[event["ph"]] - {"tid"}
        if event["name"] == "thread_name":
            found.names[event["pid"], event["tid"]] = event["args"]["name"]
    timed = [event for event in events if event["ph"] != "M"]
    assert timed == sorted(timed, key=lambda event: event["ts"])
    for event in timed:
        place, at_ns = (event["pid"], event["tid"]), exact_ns(event["ts"])
        assert place in found.names
        if event["ph"] == "X":
            found.slices[place].append(opened(stacks[place], event, at_ns))
        else:
            assert stacks[place], "a flow outside of any slice is dropped by its readers"
            top = stacks[place][-1]
            assert top.start_ns <= at_ns <= top.end_ns
            found.flows[event["id"]].append((event["ph"], place, top, at_ns))
    return found


def opened(stack: list[Slice], event: dict[str, Any], at_ns: int) -> Slice:
    while stack and stack[-1].end_ns <= at_ns:
        stack.pop()
    end_ns = at_ns + exact_ns(event["dur"])
    if stack:
        assert end_ns <= stack[-1].end_ns, "slices of a track lie within one another or apart"
    stack.append(Slice(event["name"], at_ns, end_ns, len(stack), event["args"]))
    return stack[-1]


@given(st.integers(0, 10**15))
def test_microseconds_give_back_the_very_nanoseconds(number: int) -> None:
    assert exact_ns(micros(number)) == number
    assert round(micros(number) * 1000) == number
    assert exact_ns(json.loads(json.dumps(micros(number)))) == number


def virtual_run() -> Trace:
    """Threads and tasks in virtual time, where a step takes none: many slices share each moment."""
    app = App()

    @app.get("/thread")
    def thread() -> str:
        time.sleep(0.1)
        return "done"

    with Lab(app, clock="virtual", threads=3) as lab:
        return lab.burst("/thread", 20).trace


RUNS = {"blocked": blocked_run, "load": lambda: load(80, seed=7), "virtual": virtual_run, "empty": Trace}


@pytest.fixture(params=RUNS)
def trace(request: pytest.FixtureRequest) -> Trace:
    return RUNS[request.param]()


def both_ends(trace: Trace) -> Iterator[tuple[int, int]]:
    for call in trace.handoffs:
        if call.started_ns is not None:
            yield call.submitted_ns, call.started_ns
        if call.ended_ns is not None and call.woken_ns is not None:
            yield call.ended_ns, call.woken_ns


def test_every_handoff_is_two_flows_that_begin_and_end_on_slices(trace: Trace) -> None:
    found = read(trace)
    assert [[phase for phase, *_ in ends] for ends in found.flows.values()] == [["s", "f"]] * len(found.flows)
    moments = [(begin[3], end[3]) for begin, end in found.flows.values()]
    assert sorted(moments) == sorted(both_ends(trace))
    assert len(moments) == 2 * len(trace.handoffs)
    for begin, end in found.flows.values():
        tracks = {found.names[begin[1]].split("-")[0], found.names[end[1]].split("-")[0]}
        assert tracks == {"Event loop", "worker"}
    assert found.metadata["flows_without_slice"] == 0


def test_a_track_for_the_loop_each_worker_and_each_request(trace: Trace) -> None:
    found = read(trace)
    workers = sorted({call.thread for call in trace.handoffs if call.thread is not None})
    labels = [named(each).replace("request ", "#", 1).replace(", ", " ", 1) for each in trace.requests]
    assert list(found.names.values()) == ["Event loop", *(f"worker-{number}" for number in workers), *labels]
    steps = [each for each in found.of("Event loop") if each.depth == 0]
    assert [(each.start_ns, each.end_ns) for each in steps] == [(each.start_ns, each.end_ns) for each in trace.steps]
    for number in workers:
        calls = [each for each in trace.handoffs if each.thread == number]
        assert [(each.name, each.start_ns, each.end_ns) for each in found.of(f"worker-{number}")] == sorted(
            ((each.function, each.started_ns, each.ended_ns) for each in calls), key=lambda each: each[1] or 0
        )


def test_a_request_is_one_slice_with_what_it_did_inside(trace: Trace) -> None:
    found = read(trace)
    tracks = [slices for (process, _), slices in sorted(found.slices.items()) if process == 2]
    assert len(tracks) == len(trace.requests)
    for (life, *states), each in zip(tracks, trace.requests, strict=True):
        assert (life.start_ns, life.end_ns, life.depth) == (each.start_ns, each.end_ns, 0)
        assert life.args == {"number": each.number, "path": each.path, "status": each.status, "error": each.error}
        assert all(state.depth == 1 or state.start_ns == state.end_ns == life.end_ns for state in states)
        assert sum(state.end_ns - state.start_ns for state in states) == life.end_ns - life.start_ns


def test_what_a_long_step_was_seen_in_lies_within_it() -> None:
    found = read(blocked_run())
    (seen,) = [each for each in found.of("Event loop") if each.depth == 1]
    (blocked,) = [each for each in found.of("Event loop") if each.args["state"] == "blocks the loop" and not each.depth]
    assert (seen.name, seen.args["source"]) == ("df.to_csv()", "cell 3, line 24")
    assert (blocked.name, blocked.args["seen in"]) == ("GET /report", "df.to_csv()")
    assert blocked.start_ns <= seen.start_ns < seen.end_ns <= blocked.end_ns


def test_a_flow_whose_slice_is_missing_is_left_out_and_counted() -> None:
    """The step in which it was submitted was dropped; the way back is whole."""
    trace = Trace(
        tasks=[task()], steps=[step(0, 70, 1)], handoffs=[handoff(5, 10, 60, 70, task=0)], dropped=3, clock="virtual"
    )
    found = read(trace)
    assert [(begin[3], end[3]) for begin, end in found.flows.values()] == [(60 * MS, 70 * MS)]
    facts = {"title": "Run", "clock": "virtual", "dropped": 3, "forgotten": {}, "duration_ns": 71 * MS}
    assert found.metadata == {**facts, "flows_without_slice": 1}


def test_a_call_that_had_not_ended_lasts_to_the_end_and_has_no_way_back() -> None:
    trace = Trace(
        tasks=[task()], steps=[step(0, 0, 10)], handoffs=[handoff(5, 12, None, None, task=0)], duration_ns=90 * MS
    )
    found = read(trace)
    (call,) = found.of("worker-0")
    assert (call.start_ns, call.end_ns) == (12 * MS, 90 * MS)
    assert len(found.flows) == 1


def test_names_from_an_app_are_text_in_json(tmp_path: Path) -> None:
    hostile = '</script>"\\\ud800\n☃'
    trace = Trace(
        tasks=[task()],
        steps=[step(0, 0, 60, site=LINE)],
        samples=looks(0, 20, call=hostile),
        requests=[request(0, 0, 60, task=0, path=hostile)],
        title=hostile,
    )
    trace.to_chrome(tmp_path / "run.json")
    text = (tmp_path / "run.json").read_bytes()
    assert text.isascii()
    document = json.loads(text)
    assert document["metadata"]["title"] == hostile
    assert {each["args"].get("path") for each in document["traceEvents"] if each["ph"] == "X"} == {None, hostile}


def test_flows_of_one_moment_end_after_they_began() -> None:
    """In virtual time a call may be over, and its task awake, at the moment in which it was asked for."""
    calls = [handoff(5, 5, 5, 5, task=0, thread=n, function=f"f{n}") for n in range(3)]
    trace = Trace(tasks=[task()], steps=[step(0, 5, 0), step(0, 5, 0), step(0, 5, 0)], handoffs=calls, clock="virtual")
    found = read(trace)
    assert len(found.flows) == 6
    assert [[phase for phase, *_ in ends] for ends in found.flows.values()] == [["s", "f"]] * 6


@pytest.mark.slow
@given(st.data())
def test_loads_of_any_kind_nest_and_bind(data: st.DataObject) -> None:
    seed, rate = data.draw(st.integers(0, 10**6)), data.draw(st.sampled_from([20.0, 150.0, 2000.0]))
    trace = load(12, seed=seed, rate=rate, blocked_at=data.draw(st.sampled_from([None, 5])))
    found = read(trace)
    assert sorted((begin[3], end[3]) for begin, end in found.flows.values()) == sorted(both_ends(trace))
