"""A live picture shows, at each look, what the picture of a recording that ended there would show."""

import asyncio
import re
import threading
import time
from array import array
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from operator import add
from typing import Any

import anyio
import anyio.to_thread
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playground.clock.loop import LabLoop
from playground.clock.virtual import VirtualLoop
from playground.clock.work import work
from playground.trace import Trace
from playground.trace.build import Live
from playground.trace.columns import unpack
from playground.trace.recorder import Recorder
from playground.views.kinds import BLOCKED, OTHER, RUN
from playground.views.lanes import NO_REQUEST, Arrows, Lanes, Row, What, lanes
from playground.views.live import LiveLanes
from playground.views.live_packet import Teller, counters
from tests.trace.looked_at import recorded_on
from tests.views.live_programs import ACTIONS, program

Shown = dict[str, Any]


def spans(row: Row, whats: Sequence[What]) -> list[tuple[Any, ...]]:
    """A row's spans; but those of no length, of which there are many in virtual time, and no order among them.

    Of a worker's only times and names: where a task that works for several requests waits for it is known later.
    """
    columns = zip(row.starts, row.ends, row.kinds, row.whats, row.requests, strict=True)
    found = [(start, end, kind, whats[what], request) for start, end, kind, what, request in columns]
    assert [span[0] for span in found] == sorted(span[0] for span in found)
    if row.group == "worker":
        return sorted((start, end, what.name) for start, end, _, what, _ in found)
    return sorted(span for span in found if span[0] < span[1])


def arrows_of(arrows: Arrows) -> list[tuple[int, ...]]:
    names = ("starts", "ends", "from_rows", "to_rows", "requests")
    columns: list[array[int]] = [getattr(arrows, name) for name in names]
    return sorted(zip(*columns, strict=True))


def shown(rows: Sequence[Row], whats: Sequence[What], arrows: Arrows) -> Shown:
    """A picture by lane, whatever order its rows have; of arrows, which worker they lead to.

    Of two requests that came in at one moment, the one that ends first has the upper lane, once that is known: so what
    is in lanes of requests is told by request.
    """
    told: Shown = {}
    for row in rows:
        for span in spans(row, whats):
            by_request = f"{row.group} of {span[4]}" if row.group in ("request", "life") else f"{row.group} {row.lane}"
            told.setdefault(by_request, []).append(span)
    told["lanes"] = sorted(f"{row.group} {row.lane}" for row in rows)
    names = [f"{row.group} {row.lane}" for row in rows]
    told["arrows"] = [(a, b, names[c], names[d]) for a, b, c, d, _ in arrows_of(arrows)]
    return told


def while_it_goes_on(trace: Trace) -> Lanes:
    """A picture as it is while a request may still come: its tasks have lanes only when it is over and none came."""
    laid = lanes(trace)
    if laid.noun == "request":
        return laid
    called = {at: trace.tasks[each.number].coroutine for at, each in enumerate(laid.requests)}
    whats: list[What] = []
    rows = []
    for row in (*laid.rows[:2], *laid.of("worker")):
        bare = Row(row.group, row.lane, row.name)
        for start_ns, end_ns, kind, what, task in zip(
            row.starts, row.ends, row.kinds, row.whats, row.requests, strict=True
        ):
            name = called.get(task) if row.group == "loop" else None
            whats.append(laid.whats[what] if name is None else laid.whats[what]._replace(name=name))
            bare.add(start_ns, end_ns, OTHER if kind == RUN else kind, len(whats) - 1, None)
        rows.append(bare)
    return replace(laid, rows=tuple(rows), whats=tuple(whats), requests=())


@pytest.mark.slow
@settings(max_examples=80)
@given(ACTIONS)
def test_each_look_shows_what_the_picture_of_what_is_over_would(actions: list[str]) -> None:
    looks: list[tuple[Shown, Shown]] = []
    pictures: list[LiveLanes] = []
    lives: list[Live] = []

    def look(recorder: Recorder) -> None:
        if not lives:
            lives.append(Live(recorder))
        reading = lives[0].read()
        if not pictures:
            pictures.append(LiveLanes(reading))
        live = pictures[0]
        live.grow()
        whole = while_it_goes_on(reading.trace("Run"))
        looks.append((shown(live.rows, live.whats, live.arrows), shown(whole.rows, whole.whats, whole.arrows)))
        assert live.duration_ns == whole.duration_ns
        assert live.requests == list(whole.requests)

    recorded_on(VirtualLoop(), program(actions, look))
    for live, whole in looks:
        assert live == whole
    assert f"life of {NO_REQUEST}" not in looks[-1][0]


# -- what is told of it, bit by bit ------------------------------------------------------------------------------


class Listener:
    """Takes packets in as a page does, and so knows the picture from nothing else."""

    def __init__(self) -> None:
        self.rows: list[list[tuple[int, ...]]] = [[], []]
        self.names = ["loop 0", "inside 0"]
        self.whats: list[Any] = []
        self.requests: dict[int, Any] = {}
        self.arrows: list[tuple[int, ...]] = []
        self.sizes: list[int] = []
        self.tick_ns = 0

    def take(self, packet: bytes) -> None:
        header, columns = unpack(packet)
        self.tick_ns = header["tick_ns"]
        self.names += [f"{row['group']} {row['lane']}" for row in header["rows"]]
        self.rows += [[] for _ in header["rows"]]
        self.whats += header["whats"]
        self.requests.update((index, facts) for index, facts in header["requests"])
        at = 0
        for number, keep, count in header["patches"]:
            starts = list(accumulate(columns["start"][at : at + count]))
            durations, kinds, whats, requests = (
                columns[name][at : at + count] for name in ("duration", "kind", "what", "request")
            )
            new = zip(starts, map(add, starts, durations), kinds, whats, requests, strict=True)
            assert len(self.rows[number]) >= keep
            self.rows[number][keep:] = new
            at += count
        assert at == len(columns["start"])
        self.sizes.append(at)
        fields = ("arrow_start", "arrow_end", "arrow_from", "arrow_to", "arrow_request")
        self.arrows += list(zip(*(columns[name] for name in fields), strict=True))

    def knows(self, live: LiveLanes) -> None:
        """Check that it has the whole of a live picture."""
        tick_ns = self.tick_ns
        for row, name, mine in zip(live.rows, self.names, self.rows, strict=True):
            columns = zip(row.starts, row.ends, row.kinds, row.whats, row.requests, strict=True)
            assert name == f"{row.group} {row.lane}"
            assert mine == [(start // tick_ns, end // tick_ns, *rest) for start, end, *rest in columns]
        assert self.whats == [list(what) for what in live.whats]
        assert [self.requests[index] for index in range(len(live.requests))] == [list(each) for each in live.requests]
        assert len(self.arrows) == len(live.arrows.starts)


@pytest.mark.slow
@settings(max_examples=40)
@example(["here"] * 5 + ["request"], set())  # more nanoseconds than a packet's columns hold
@given(ACTIONS, st.sets(st.integers(0, 25)))
def test_packets_of_what_is_new_add_up_to_the_whole_whenever_one_begins_to_listen(
    actions: list[str], skipped: set[int]
) -> None:
    pictures: list[tuple[LiveLanes, Teller, Listener]] = []
    lives: list[Live] = []
    looks: list[None] = []

    def look(recorder: Recorder) -> None:
        if not lives:
            lives.append(Live(recorder))
            lanes_ = LiveLanes(lives[0].read())
            pictures.append((lanes_, Teller(lanes_), Listener()))
        looks.append(None)
        if len(looks) in skipped:
            return  # the browser was slow: what was not told is told with what comes next
        live, teller, listener = pictures[0]
        lives[0].read()
        live.grow()
        anew = teller.outgrown()
        said = teller.new()
        if anew:  # in another unit of time: what a page has of it is told once more, as a widget does
            listener, said = Listener(), teller.whole()
            pictures[0] = live, teller, listener
        listener.take(said)
        listener.knows(live)
        late = Listener()
        late.take(teller.whole())
        late.knows(live)

    recorded_on(VirtualLoop(), program(actions, look))


def test_what_a_packet_holds_is_in_proportion_to_what_is_new() -> None:
    listener, totals = Listener(), []

    async def steps(recorder: Recorder) -> None:
        live = Live(recorder)
        lanes_ = LiveLanes(live.read())
        teller = Teller(lanes_)
        for _ in range(20):
            for _ in range(100):
                await asyncio.sleep(0)
            live.read()
            lanes_.grow()
            listener.take(teller.new())
            totals.append(len(lanes_.loop))

    recorded_on(VirtualLoop(), steps)
    assert listener.sizes == [after - before for before, after in zip([0, *totals], totals, strict=False)]
    assert max(listener.sizes) <= 110


def test_when_moments_no_longer_fit_the_unit_of_time_grows_and_all_is_told_anew() -> None:
    told = []

    async def slow(recorder: Recorder) -> None:
        live = Live(recorder)
        lanes_ = LiveLanes(live.read())
        teller = Teller(lanes_)
        for seconds in (1, 3, 0.1, 50):
            await asyncio.sleep(seconds)
            live.read()
            lanes_.grow()
            told.append((teller.outgrown(), teller.tick_ns))
            teller.new()
        listener = Listener()
        listener.take(teller.whole())
        listener.knows(lanes_)

    recorded_on(VirtualLoop(), slow)
    assert told == [(False, 1), (False, 1), (False, 1), (True, 100)]


def test_counters_come_from_the_recording_and_say_where_it_does_not_tell() -> None:
    found = []

    def look(recorder: Recorder, pictures: list[LiveLanes], live: Live) -> None:
        reading = live.read()
        if not pictures:
            pictures.append(LiveLanes(reading))
        pictures[0].grow()
        found.append({name: value for name, value, _ in counters(pictures[0])})

    async def busy(recorder: Recorder) -> None:
        live, pictures = Live(recorder), list[LiveLanes]()
        limiter = anyio.CapacityLimiter(2)
        look(recorder, pictures, live)
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(anyio.to_thread.run_sync(time.sleep, 0.5, limiter=limiter))
            await asyncio.sleep(0.1)
            look(recorder, pictures, live)
            work(0.02)
            for _ in range(3):
                group.create_task(asyncio.sleep(0))
            work(0.03)
            await asyncio.sleep(0)
            look(recorder, pictures, live)
        await asyncio.sleep(0)
        look(recorder, pictures, live)

    recorded_on(VirtualLoop(), busy)
    assert found[0] == {
        "loop lag": "unknown",
        "ready queue": "unknown",
        "busy workers": "0",
        "queue for threads": "0",
    }
    assert (found[1]["busy workers"], found[1]["queue for threads"]) == ("2", "3")
    assert found[2]["loop lag"] == "30 ms"  # what was made between the two, which computed for 20 and for 30 ms
    assert found[2]["ready queue"] == "3"
    assert (found[3]["busy workers"], found[3]["queue for threads"]) == ("0", "0")


def test_a_step_that_is_not_over_is_shown_as_far_as_it_was_seen() -> None:
    shown_: list[tuple[int, What, bool]] = []
    told: list[dict[str, str]] = []

    def held(live: Live, lanes_: LiveLanes) -> None:
        seen = threading.Event()

        def look() -> None:
            while len(live._recorder.looks) < 20:  # the sampler looks every 5 ms
                time.sleep(0.005)
            live.read()
            lanes_.grow()
            row = lanes_.loop
            shown_.append((row.kinds[-1], lanes_.whats[row.whats[-1]], row.ends[-1] == lanes_.duration_ns))
            told.append({name: value for name, value, _ in counters(lanes_)})
            seen.set()

        looker = threading.Thread(target=look)
        looker.start()
        seen.wait(30)
        looker.join()

    async def main(recorder: Recorder) -> None:
        live = Live(recorder)
        await asyncio.sleep(0)
        lanes_ = LiveLanes(live.read())
        lanes_.grow()
        held(live, lanes_)

    recorded_on(LabLoop(), main)
    ((kind, what, at_the_edge),) = shown_
    assert kind == BLOCKED
    assert what.name == "seen.wait(30)"
    assert at_the_edge
    assert re.fullmatch(r"held for \d+(\.\d+)? m?s or more", told[0]["loop lag"])


def test_a_step_that_goes_on_is_shown_from_the_first_look_at_it_on_however_many_there_are() -> None:
    recorder = Recorder()
    reading = Live(recorder).read()
    held = LiveLanes(reading).held
    code = compile("", "app.py", "exec")
    found = []
    for number in range(1, 301):
        at_ns = reading.origin_ns + number * 5_000_000
        recorder.looks.append((1, at_ns, None, code if number % 7 else None, 0, None, None))
        if number % 50 == 0:
            found.append(held.standing())
    assert [standing and standing.since_ns for standing in found] == [5_000_000] * 6
    recorder.looks.append((2, reading.origin_ns, None, code, 0, None, None))  # of a step that comes later
    assert held.standing() == found[-1]


def test_hand_offs_are_told_of_however_many_rows_there_are() -> None:
    lanes_ = LiveLanes(Live(Recorder()).read())
    lanes_.arrows.add(1, 2, 0, 70_000, None)
    _, columns = unpack(Teller(lanes_).new())
    assert (list(columns["arrow_from"]), list(columns["arrow_to"])) == ([0], [70_000])
