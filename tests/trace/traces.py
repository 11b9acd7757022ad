"""Recordings at random, and all that a recording holds, so that two can be compared."""

from typing import Any

from hypothesis import strategies as st

from playground.trace import (
    Handoff,
    Job,
    Loss,
    Message,
    Request,
    Sample,
    Segment,
    Site,
    Span,
    Step,
    Task,
    Trace,
    Wait,
    Worker,
)
from playground.trace.store import dump, restore
from playground.trace.tables import WORDS

TABLES = (
    *("steps", "tasks", "waits", "handoffs", "requests", "samples", "spans", "losses"),
    *("workers", "jobs", "segments"),
)

moments = st.integers(-(2**63) + 1, 2**63 - 1)
maybe_moments = st.none() | moments
# with halves of surrogate pairs, as in a path that was no UTF-8
words = st.sampled_from(["", "a", "Task-1", "/\udce9", "𝄞"]) | st.text(st.characters(codec=None), max_size=3)
sites = st.builds(Site, words, st.integers(0, 10**6), words, words)
task_outcomes = st.sampled_from(WORDS["TaskOutcome"])
messages = st.builds(Message, st.sampled_from(WORDS["Direction"]), words, moments, words)


def rows(strategy: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=most).map(tuple)


def some(count: int) -> st.SearchStrategy[Any]:
    """Indexes into a table of `count` rows, or none."""
    return st.none() | st.integers(0, count - 1) if count else st.none()


# Long, for it is a list: a field after the other, and what each may hold.
@st.composite
def traces(draw: st.DrawFn) -> Trace:
    tasks = [
        draw(st.builds(Task, words, words, some(index), moments, maybe_moments, task_outcomes))
        for index in range(draw(st.integers(0, 3)))
    ]
    owner = some(len(tasks))
    count = draw(st.integers(0, 3))
    outcomes = st.sampled_from(WORDS["StepOutcome"])
    step = st.builds(Step, owner, moments, moments, some(count), outcomes, st.none() | sites)
    steps = tuple(draw(step) for _ in range(count))
    looked, waited = st.integers(0, max(0, count - 1)), st.integers(0, max(0, len(tasks) - 1))
    samples = st.builds(Sample, looked, moments, maybe_moments, st.none() | sites, words, maybe_moments, words)
    waits = st.builds(Wait, waited, moments, moments, st.sampled_from(WORDS["WaitOn"]), st.none() | sites)
    handoff = st.builds(
        Handoff, owner, words, moments, moments, maybe_moments, maybe_moments, maybe_moments, maybe_moments,
        moments, task_outcomes, st.none() | sites,
    )  # fmt: skip
    handoffs = draw(rows(handoff))
    made = rows(st.integers(0, max(0, len(handoffs) - 1)), most=3 if handoffs else 0)
    request = st.builds(
        Request, moments, words, words, st.none() | words, maybe_moments, moments, maybe_moments, owner, made,
        rows(messages, most=2), st.none() | words,
    )  # fmt: skip
    requests = draw(rows(request))
    spans = [
        draw(st.builds(Span, st.integers(0, len(requests) - 1), st.sampled_from(WORDS["SpanKind"]), words, moments,
                       maybe_moments, some(index), owner, st.none() | sites))
        for index in range(draw(st.integers(0, 3)) if requests else 0)
    ]  # fmt: skip
    workers = draw(rows(st.builds(Worker, moments, moments, st.sampled_from(WORDS["WorkerKind"]), words)))
    job = st.builds(
        Job, moments, moments, maybe_moments, maybe_moments, st.sampled_from(WORDS["JobOutcome"]), st.none() | words
    )
    jobs = draw(rows(job))
    segment = st.builds(
        Segment, st.integers(0, max(0, len(jobs) - 1)), st.sampled_from(WORDS["SegmentKind"]), moments, moments,
        maybe_moments, st.integers(0, max(0, len(workers) - 1)),
    )  # fmt: skip
    return Trace(
        workers=workers,
        jobs=jobs,
        segments=draw(rows(segment)) if workers and jobs else (),
        steps=steps,
        tasks=tuple(tasks),
        waits=draw(rows(waits)) if tasks else (),
        handoffs=handoffs,
        requests=requests,
        samples=draw(rows(samples)) if steps else (),
        spans=tuple(spans),
        losses=draw(
            rows(
                st.builds(
                    Loss,
                    st.sampled_from(WORDS["LossKind"]),
                    owner,
                    moments,
                    words,
                    st.none() | sites,
                    st.none() | sites,
                )
            )
        ),
        duration_ns=draw(moments),
        clock=draw(st.sampled_from(("real", "virtual"))),
        dropped=draw(st.integers(0, 2**70)),
        forgotten=draw(st.dictionaries(st.sampled_from(TABLES), st.integers(0, 2**70))),
        title=draw(words),
    )


def content(trace: Trace) -> tuple[Any, ...]:
    tables = tuple(tuple(getattr(trace, table)) for table in TABLES)
    return (*tables, trace.duration_ns, trace.clock, trace.dropped, tuple(trace.forgotten.items()), trace.title)


def of_columns(trace: Trace) -> Trace:
    """The same recording, with tables in place of tuples."""
    return restore(Trace, dump(trace))
