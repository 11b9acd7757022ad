"""From rows written by hand to a trace: workers, jobs, and what lies between a job's moments."""

from hypothesis import given
from hypothesis import strategies as st

from playground.models.carry import Recording
from playground.models.experiment import MODELS
from playground.models.gathered import gathered, span_ns
from playground.models.jobs import Outcome
from playground.models.kinds import SEGMENTS, Moment
from playground.models.parcel import Failure
from playground.models.rows import Row
from playground.models.units import UNKNOWN
from playground.trace import Job, Segment, Trace, Worker
from playground.trace.store import dump, restore
from tests.by_hand import MS, ns, step, task, wait

START = 5_000 * MS
"""By the clock of all processes; traces count from the start of the run."""


def moment(kind: Moment, at_ms: float, job: int = 0, *, process: int = 100, thread: int = 1) -> Row:
    return Row(kind, job, START + ns(at_ms), START + ns(at_ms), 0, process, thread, 0)


def stretch(
    kind: str, start_ms: float, end_ms: float, job: int = 0, *, cpu_ns: int = 0, process: int = 100, thread: int = 1
) -> Row:
    number = {str(name): number for name, number in SEGMENTS.items()}[kind]
    return Row(number, job, START + ns(start_ms), START + ns(end_ms), cpu_ns, process, thread, 0)


def trace_of(model: str, *rows: Row, outcomes: dict[int, Outcome] | None = None) -> Trace:
    return gathered(MODELS[model], sorted(rows, key=lambda row: row.start_ns), outcomes or {})


def test_a_job_in_a_pool_queues_runs_and_is_handed_back() -> None:
    trace = trace_of(
        "thread_pool",
        moment(Moment.STARTED, 0),
        moment(Moment.SUBMITTED, 1),
        moment(Moment.BEGAN, 3, thread=2),
        stretch("run", 3, 7, cpu_ns=4 * MS, thread=2),
        moment(Moment.RETURNED, 7, thread=2),
        moment(Moment.HANDED_BACK, 9),
        moment(Moment.STOPPED, 10),
    )
    assert trace.duration_ns == 10 * MS
    assert list(trace.workers) == [Worker(1, 1, "thread", "thread 1")]
    assert list(trace.jobs) == [Job(0, 1 * MS, 3 * MS, 7 * MS, "returned", None)]
    assert list(trace.segments) == [
        Segment(0, "queue", 1 * MS, 3 * MS, 0, 0),
        Segment(0, "run", 3 * MS, 7 * MS, 4 * MS, 0),
        Segment(0, "handoff", 7 * MS, 9 * MS, 0, 0),
    ]


def test_a_job_that_was_killed_is_pending_and_one_never_asked_for_is_not_there() -> None:
    trace = trace_of(
        "sequential",
        moment(Moment.STARTED, 0),
        moment(Moment.SUBMITTED, 0),
        moment(Moment.BEGAN, 0),
        stretch("run", 0, 4, cpu_ns=MS),
    )
    assert list(trace.jobs) == [Job(0, 0, 0, None, "pending", None)]
    assert trace.duration_ns == 4 * MS


def test_a_sleep_that_was_killed_lasts_until_the_kill() -> None:
    rows = [
        moment(Moment.STARTED, 0),
        moment(Moment.SUBMITTED, 0),
        moment(Moment.BEGAN, 1),
        moment(Moment.ASLEEP, 2),
        stretch("wait", 2, 3),
        moment(Moment.ASLEEP, 4),
    ]
    trace = gathered(MODELS["sequential"], rows, {}, ending="timed out", ended_ns=START + ns(9))
    assert trace.ending == "timed out"
    assert trace.duration_ns == ns(9)
    assert [(each.kind, each.start_ns, each.end_ns) for each in trace.segments] == [
        ("queue", 0, ns(1)),
        ("wait", ns(2), ns(3)),
        ("wait", ns(4), ns(9)),
    ]
    assert restore(Trace, dump(trace)).ending == "timed out"


def test_a_model_that_stopped_had_stopped_before_its_process_ended() -> None:
    rows = [moment(Moment.STARTED, 0), moment(Moment.STOPPED, 4)]
    assert span_ns(rows, START + ns(9)) == (START, START + ns(4))


def test_a_sleep_ends_with_its_job_where_its_process_died() -> None:
    died = (moment(Moment.SUBMITTED, 0), moment(Moment.BEGAN, 1), moment(Moment.ASLEEP, 2), moment(Moment.RAISED, 5))
    trace = trace_of("process_pool", moment(Moment.STARTED, 0), *died, moment(Moment.STOPPED, 9))
    assert [(each.kind, each.end_ns) for each in trace.segments] == [("queue", ns(1)), ("wait", ns(5))]


def test_a_job_whose_process_died_before_it_began_was_in_nobodys_hands() -> None:
    outcomes = {0: Outcome(0, failure=Failure("ModelError", "it died", ""))}
    trace = trace_of(
        "processes", moment(Moment.SUBMITTED, 0), moment(Moment.RAISED, 5), moment(Moment.STOPPED, 6), outcomes=outcomes
    )
    assert list(trace.jobs) == [Job(0, 0, None, 5 * MS, "raised", "ModelError: it died")]
    assert (list(trace.segments), list(trace.workers)) == ([], [])


def test_what_is_not_known_of_processor_time_is_none_and_a_gaps_queueing_is_none_of_it() -> None:
    rows = (
        moment(Moment.SUBMITTED, 0),
        moment(Moment.BEGAN, 0),
        stretch("run", 0, 1, cpu_ns=UNKNOWN),
        stretch("gil", 1, 3, cpu_ns=MS),
    )
    segments = trace_of("threads", *rows).segments
    assert [(segment.kind, segment.cpu_ns) for segment in segments] == [("run", None), ("gil", 0), ("preempt", 0)]


def test_who_shares_no_lock_has_no_wait_for_it_that_is_looked_through() -> None:
    rows = (moment(Moment.SUBMITTED, 0), moment(Moment.BEGAN, 0), stretch("gil", 1, 3, cpu_ns=MS))
    assert [segment.kind for segment in trace_of("processes", *rows).segments] == ["gil"]


def test_workers_are_numbered_within_their_interpreter() -> None:
    rows = [moment(Moment.SUBMITTED, 0, job) for job in range(3)]
    rows += [
        moment(Moment.BEGAN, 1, 0, process=300, thread=7),
        moment(Moment.BEGAN, 2, 1, process=200, thread=7),
        moment(Moment.BEGAN, 3, 2, process=300, thread=8),
    ]
    assert [(w.process, w.thread, w.name) for w in trace_of("process_pool", *rows).workers] == [
        (1, 1, "process 1"),
        (2, 1, "process 2"),
        (1, 2, "process 3"),
    ]
    assert [(w.process, w.thread) for w in trace_of("interpreters", *rows).workers] == [(1, 1), (2, 1), (3, 1)]


def test_a_thread_of_each_job_is_a_worker_of_its_own_though_the_system_gives_its_number_again() -> None:
    rows = [moment(Moment.SUBMITTED, 0, job) for job in range(2)]
    rows += [moment(Moment.BEGAN, 1 + job, job, thread=9) for job in range(2)]
    assert [worker.name for worker in trace_of("threads", *rows).workers] == ["thread 1", "thread 2"]
    assert [worker.name for worker in trace_of("thread_pool", *rows).workers] == ["thread 1"]


def test_an_async_functions_job_is_told_by_the_recording_of_its_loop() -> None:
    loop = Trace(
        tasks=[task(name="Task-1"), task(name="job 0")],
        steps=[step(0, 0, 1), step(1, 1, 2), step(1, 9, 3, "yields"), step(1, 13, 1, "returned")],
        waits=[wait(1, 3, 7, "timer")],
    )
    rows = [
        moment(Moment.STARTED, -1),
        moment(Moment.SUBMITTED, 0.5),
        moment(Moment.BEGAN, 1.5),
        moment(Moment.RETURNED, 13.5),
        moment(Moment.STOPPED, 15),
    ]
    trace = gathered(MODELS["asyncio"], rows, {}, Recording(dump(loop), START))
    assert len(trace.steps) == 4
    assert trace.duration_ns == 15 * MS
    assert list(trace.segments) == [
        Segment(0, "queue", ns(0.5), ns(1.5), 0, 0),
        Segment(0, "run", ns(1.5), 3 * MS, None, 0),
        Segment(0, "wait", 3 * MS, 7 * MS, 0, 0),
        Segment(0, "ready", 7 * MS, 9 * MS, 0, 0),
        Segment(0, "run", 9 * MS, 12 * MS, None, 0),
        Segment(0, "ready", 12 * MS, 13 * MS, 0, 0),
        Segment(0, "run", 13 * MS, ns(13.5), None, 0),
    ]


def test_a_job_that_tells_its_own_rows_needs_no_recording() -> None:
    loop = Trace(tasks=[task(name="job 0")], steps=[step(0, 1, 2, "returned")])
    rows = [moment(Moment.SUBMITTED, 0), moment(Moment.BEGAN, 1), stretch("run", 1, 3, cpu_ns=MS)]
    trace = gathered(MODELS["asyncio"], rows, {}, Recording(dump(loop), START))
    assert [(segment.kind, segment.cpu_ns) for segment in trace.segments] == [("queue", 0), ("run", MS)]


def test_without_rows_there_is_nothing() -> None:
    assert span_ns([]) == (0, 0)
    trace = trace_of("sequential")
    assert (list(trace.jobs), list(trace.segments), trace.duration_ns) == ([], [], 0)


rows_of_jobs = st.lists(
    st.tuples(
        st.sampled_from([*SEGMENTS.values(), *(int(moment) for moment in Moment)]),
        st.integers(0, 3),
        st.integers(0, 50),
        st.integers(0, 20),
        st.integers(1, 2),
        st.integers(1, 2),
    ),
    max_size=30,
)


@given(rows_of_jobs, st.sampled_from(sorted(MODELS)))
def test_whatever_rows_are_left_of_a_killed_experiment_the_trace_holds_together(
    told: list[tuple[int, int, int, int, int, int]], model: str
) -> None:
    rows = [
        Row(kind, job, start, start if kind >= Moment.SUBMITTED else start + length, 0, process, thread, 0)
        for kind, job, start, length, process, thread in told
    ]
    trace = trace_of(model, *rows)
    asked_for = {row.job for row in rows if row.kind == Moment.SUBMITTED}
    assert [job.number for job in trace.jobs] == sorted(asked_for)
    for segment in trace.segments:
        assert 0 <= segment.job < len(trace.jobs)
        assert 0 <= segment.worker < len(trace.workers)
    starts = [segment.start_ns for segment in trace.segments]
    assert starts == sorted(starts)
