"""The garbage collector comes over whatever line runs then: what it takes is told apart, and is nobody's block."""

import gc

from playground import App, Lab
from playground.trace import Sample, Trace
from playground.views.diagnosis import diagnose
from tests.by_hand import LINE, looks, ns, request, step, task


def collected(collector_ms: float, *, length_ms: float = 230) -> Trace:
    """A request that holds the loop, and in the midst of it the collector for a while."""
    seen = [*looks(0, 20, length_ms), Sample(0, ns(100), None, None, "", None, "", 0)]
    seen.append(Sample(0, ns(100 + collector_ms), None, None, "", None, "", ns(collector_ms)))
    return Trace(
        tasks=[task()],
        steps=[step(0, 10, length_ms, "returned")],
        samples=sorted(seen, key=lambda sample: sample.at_ns),
        requests=[request(0, 10, 11 + length_ms, task=0, route="/report")],
    )


def test_what_the_collector_took_is_told_and_not_counted() -> None:
    (finding,) = diagnose(collected(100))
    assert str(finding).startswith(
        "The event loop stood still for 130 ms. `GET /report` ran `df.to_csv()` on the loop (cell 3, line 24). "
        "Another 100 ms, when the garbage collector ran, is not counted. "
    )
    (block,) = collected(100).blocks()
    assert (block.duration_ns, block.collected_ns, block.held_ns) == (ns(130), ns(100), ns(130))
    assert block.end_ns == ns(240)
    (look,) = collected(100).inside(0)
    assert (look.site, look.delayed_ns) == (LINE, ns(100))


def test_a_step_that_was_long_for_the_collector_alone_is_no_block() -> None:
    assert collected(200).blocks(0.031) == []
    assert diagnose(collected(200)) == []


def test_a_recording_tells_when_the_collector_ran_and_gives_its_callback_back() -> None:
    before = list(gc.callbacks)
    heap = [[n] for n in range(300_000)]  # some 10 ms of work for it
    app = App()

    @app.get("/")
    async def collects() -> str:
        gc.collect()
        return f"{len(heap)}"

    with Lab(app) as lab:
        trace = lab.burst("/", n=2).trace
        assert gc.callbacks == before
    told = [sample for sample in trace.samples if sample.collected_ns]
    assert len(told) >= 2
    for sample in told:
        row = trace.steps[sample.step]
        assert sample.site is None
        assert sample.collected_ns is not None
        assert 1_000_000 <= sample.collected_ns <= row.duration_ns
        assert row.start_ns <= sample.at_ns <= row.end_ns


def test_in_virtual_time_it_takes_none() -> None:
    app = App()

    @app.get("/")
    async def collects() -> str:
        gc.collect()
        return "done"

    with Lab(app, clock="virtual") as lab:
        assert [sample.collected_ns for sample in lab.burst("/", n=2).trace.samples if sample.collected_ns] == []
