"""Recordings written by hand of what a diagnosis finds."""

from dataclasses import replace

from playground.trace import Sample, Site, Span, SpanKind, Trace
from playground.views.diagnosis import diagnose
from playground.views.findings import Finding
from tests.by_hand import LINE, handoff, looks, ns, request, step, task

SLEEP = Site("cell 2", 5, "report", "time.sleep(0.2)")
OTHER = Site("cell 3", 25, "report", "rows = parse(body)")

MAKE_DEF = "Make the handler a plain `def`, or `await asyncio.to_thread(...)`."


def blocked(
    *,
    site: Site | None = LINE,
    call: str = "df.to_csv()",
    length_ms: float = 230,
    waiting: int = 0,
    samples: list[Sample] | None = None,
) -> Trace:
    """One request that blocks from 10 ms on, and `waiting` others that came in meanwhile."""
    seen = looks(0, 20, 200, site=site, call=call) if samples is None else samples
    end = 10 + length_ms
    tasks = [task(10), *(task(50 + n) for n in range(waiting))]
    first = step(0, 10, length_ms, "waits" if samples == [] else "returned", site=site)
    steps = [first, *(step(1 + n, end + n, 1, "returned") for n in range(waiting))]
    requests = [request(0, 10, end + 50, task=0, route="/report")]
    requests += [request(1 + n, end + n, end + n + 1, task=1 + n) for n in range(waiting)]
    return Trace(tasks=tasks, steps=steps, samples=seen, requests=requests, spans=[span(0, 10, end)])


def span(request: int, start_ms: float, end_ms: float | None, kind: SpanKind = "handler", name: str = "report") -> Span:
    """A layer around a request; by default the handler that `LINE` and `SLEEP` stand in."""
    return Span(request, kind, name, ns(start_ms), None if end_ms is None else ns(end_ms), None, None, None)


def only(trace: Trace) -> Finding:
    (finding,) = diagnose(trace)
    return finding


def repeated(*, call: str = "time.sleep(0.2)", paths: tuple[str, ...] = ("/block",), times: int = 50) -> Trace:
    """`times` requests at once, each of which blocks for 200 ms when its turn comes."""
    tasks = [task(0) for _ in range(times)]
    steps = [step(n, 200 * n, 200 + n % 2, "returned") for n in range(times)]
    samples = [look for n in range(times) for look in looks(n, 200 * n + 20, 200 * n + 90, site=SLEEP, call=call)]
    requests = [request(n, 200 * n, 200 * n + 200 + n % 2, task=n, route=paths[n % len(paths)]) for n in range(times)]
    spans = [span(n, 200 * n, 200 * n + 200 + n % 2) for n in range(times)]
    return Trace(tasks=tasks, steps=steps, samples=samples, requests=requests, spans=spans)


def short(*lengths_ms: float, site: Site = SLEEP, call: str = "time.sleep(0.04)") -> Trace:
    """Requests that hold the loop one after the other, 100 ms apart."""
    count = len(lengths_ms)
    steps = [step(n, 100 * n, lengths_ms[n], "returned") for n in range(count)]
    return Trace(
        tasks=[task(100 * n) for n in range(count)],
        steps=steps,
        samples=[look for n in range(count) for look in looks(n, 100 * n + 6, site=site, call=call)],
        requests=[request(n, 100 * n, 100 * n + lengths_ms[n], task=n, route="/q") for n in range(count)],
        spans=[span(n, 100 * n, 100 * n + lengths_ms[n]) for n in range(count)],
    )


def locked_out(*locks_ms: float, apart_ms: float = 200, cpu_ms: float = 90, waiting: bool = True) -> Trace:
    """Steps of 12 ms of which each also waits for the interpreter, beside two calls that compute all the time."""
    count, end_ms = len(locks_ms), apart_ms * len(locks_ms)
    steps = [step(n, apart_ms * n, 12 + lock_ms, "returned") for n, lock_ms in enumerate(locks_ms)]
    samples = []
    for n, lock_ms in enumerate(locks_ms):
        for at_ms, lock in ((5.0, 0.0), (8 + lock_ms, lock_ms)):
            samples.append(Sample(n, ns(apart_ms * n + at_ms), 0, LINE, "df.to_csv()", ns(lock)))
    calls = [replace(handoff(0, 0, end_ms, end_ms, thread=n, function="cpu"), cpu_ns=ns(cpu_ms)) for n in range(2)]
    requests = [request(n, apart_ms * n, apart_ms * n + 12, task=n, route="/small") for n in range(count)]
    return Trace(
        tasks=[task(0 if waiting else apart_ms * n) for n in range(count)],
        steps=steps,
        samples=samples,
        handoffs=calls,
        requests=requests,
    )


def failed(
    *paths: str, status: int | None = 500, error: str | None = None, route: str | None = None, method: str = "GET"
) -> Trace:
    """Requests that all ended the same way, except those to /ok."""
    requests = [request(n, n, n + 5, path=path, route=route if path != "/ok" else path) for n, path in enumerate(paths)]
    changes = {"status": status, "error": error, "method": method}
    return Trace(requests=[replace(one, **({} if one.path == "/ok" else changes)) for one in requests])  # type: ignore[arg-type]
