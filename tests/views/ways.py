"""Ways to run the same jobs, recorded, and what is drawn of them."""

from hypothesis import strategies as st

from playground.trace import Trace
from playground.trace.tables import WORDS
from playground.views.lanes import Row
from tests.by_hand import job, segment, worker
from tests.stacks import asyncio_way, processes_way, threads_way

THREE = {"threads": threads_way(), "processes": processes_way(), "asyncio": asyncio_way()}


@st.composite
def ways(draw: st.DrawFn) -> Trace:
    """Jobs whose segments follow one another, or leave gaps, by workers that do several at once."""
    workers = [worker(1, 1 + at, name=f"w{at}") for at in range(draw(st.integers(1, 3)))]
    jobs, segments = [], []
    for number in range(draw(st.integers(1, 6))):
        at = began = draw(st.integers(0, 20))
        by = draw(st.integers(0, len(workers) - 1))
        for _ in range(draw(st.integers(1, 5))):
            at += draw(st.integers(0, 2))
            length, kind = draw(st.integers(1, 9)), draw(st.sampled_from(WORDS["SegmentKind"]))
            segments.append(segment(number, kind, at, at + length, worker=by))  # type: ignore[arg-type]
            at += length
        jobs.append(job(number, began, at))
    return Trace(workers=workers, jobs=jobs, segments=segments)


def spans(rows: tuple[Row, ...], group: str) -> list[tuple[int, int, int, int]]:
    return [
        span
        for row in rows
        if row.group == group
        for span in zip(row.starts, row.ends, row.kinds, row.requests, strict=True)
    ]
