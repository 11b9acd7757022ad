"""Rows written by hand, in milliseconds, with everything that a test does not speak of left at its plainest."""

from playground.trace import (
    Handoff,
    Job,
    JobOutcome,
    Request,
    Sample,
    Segment,
    SegmentKind,
    Site,
    Span,
    SpanKind,
    Step,
    StepOutcome,
    Task,
    Wait,
    WaitOn,
    Worker,
    WorkerKind,
)

MS = 1_000_000

LINE = Site("cell 3", 24, "report", "body = df.to_csv()")


def ns(ms: float) -> int:
    return round(ms * MS)


def step(
    task: int | None,
    start_ms: float,
    length_ms: float,
    outcome: StepOutcome = "waits",
    *,
    site: Site | None = None,
    woken_by: int | None = None,
) -> Step:
    return Step(task, ns(start_ms), ns(length_ms), woken_by, outcome, site)


def task(created_ms: float = 0, *, coroutine: str = "main", parent: int | None = None, name: str = "Task-1") -> Task:
    return Task(name, coroutine, parent, ns(created_ms), None, "pending")


def wait(task: int, start_ms: float, end_ms: float, on: WaitOn = "io", site: Site | None = None) -> Wait:
    return Wait(task, ns(start_ms), ns(end_ms), on, site)


def looks(step: int, *at_ms: float, site: Site | None = LINE, call: str = "df.to_csv()") -> list[Sample]:
    return [Sample(step, ns(at), 0, site, call) for at in at_ms]


def request(
    number: int,
    start_ms: float,
    end_ms: float | None,
    *,
    task: int | None = None,
    path: str = "/items",
    route: str | None = None,
    handoffs: tuple[int, ...] = (),
) -> Request:
    ended = None if end_ms is None else ns(end_ms)
    status = None if end_ms is None else 200
    return Request(number, "GET", path, route, status, ns(start_ms), ended, task, handoffs, (), None)


def handoff(
    submitted_ms: float,
    started_ms: float | None,
    ended_ms: float | None,
    woken_ms: float | None,
    *,
    task: int | None = None,
    thread: int | None = 0,
    function: str = "render_pdf",
    queued_ms: float = 0,
) -> Handoff:
    def moment(ms: float | None) -> int | None:
        return None if ms is None else ns(ms)

    return Handoff(
        task=task,
        function=function,
        limiter_wait_ns=ns(queued_ms),
        submitted_ns=ns(submitted_ms),
        started_ns=moment(started_ms),
        ended_ns=moment(ended_ms),
        woken_ns=moment(woken_ms),
        thread=thread,
        cpu_ns=0,
        outcome="pending" if ended_ms is None else "returned",
        site=None,
    )


def span(
    kind: SpanKind, start_ms: float, end_ms: float | None, *, task: int = 0, request: int = 0, parent: int | None = None
) -> Span:
    """A part of a request, named like its kind."""
    return Span(request, kind, kind, ns(start_ms), None if end_ms is None else ns(end_ms), parent, task, None)


def worker(process: int = 1, thread: int = 1, kind: WorkerKind = "thread", name: str | None = None) -> Worker:
    return Worker(process, thread, kind, f"{kind} {thread}" if name is None else name)


def job(
    number: int,
    started_ms: float | None,
    ended_ms: float | None,
    *,
    submitted_ms: float = 0,
    outcome: JobOutcome | None = None,
    error: str | None = None,
) -> Job:
    started = None if started_ms is None else ns(started_ms)
    ended = None if ended_ms is None else ns(ended_ms)
    how: JobOutcome = outcome or ("pending" if ended is None else "raised" if error else "returned")
    return Job(number, ns(submitted_ms), started, ended, how, error)


def segment(
    job: int, kind: SegmentKind, start_ms: float, end_ms: float, *, cpu_ms: float | None = None, worker: int = 0
) -> Segment:
    """A run computed all the time, if nothing else is said of it; whatever else there is took no processor time."""
    spent_ms = cpu_ms if cpu_ms is not None else end_ms - start_ms if kind == "run" else 0
    return Segment(job, kind, ns(start_ms), ns(end_ms), ns(spent_ms), worker)
