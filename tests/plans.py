"""Recordings at random, for tests of what is true of every recording: plans that hypothesis draws, simulated.

A plan says what each request does, turn by turn: run and wait, let others run, make a child, call a thread. Some take
no time at all, as in virtual time. Around what was simulated go layers of an app, and some tasks call it several times.
"""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from playground.trace import Request, Span, SpanKind, Trace, WaitOn
from tests.recordings import Coroutine, Simulation, site

__all__ = ["recordings"]

Turn = tuple[str, int, int]
"""What is done, how long it runs before, and how long it then waits, in nanoseconds."""

_KINDS: tuple[SpanKind, ...] = ("middleware", "routing", "handler", "dependency", "response")
_lengths = st.sampled_from([0, 0, 1, 7, 40, 1_000])
_turns = st.tuples(st.sampled_from(["io", "timer", "yield", "lock", "thread", "child"]), _lengths, _lengths)
_plans = st.lists(st.tuples(st.integers(0, 2_000), st.lists(_turns, max_size=5)), max_size=8)


def _coroutine(sim: Simulation, task: int, turns: Sequence[Turn]) -> Coroutine:
    for line, (what, run_ns, wait_ns) in enumerate(turns, 1):
        if what == "yield":
            yield (run_ns, None, None, site(line, "plan"))
        elif what == "thread":
            yield sim.thread(task, "call", wait_ns, run_ns, site(line, "plan"))
        elif what == "child":
            sim.spawn("child", "child", task, _coroutine(sim, len(sim.tasks), [("io", run_ns, wait_ns)]), sim.now)
            yield (run_ns, "task", None, site(line, "plan"))
        else:
            on: WaitOn = "lock" if what == "lock" else "io" if what == "io" else "timer"
            yield (run_ns, on, wait_ns, site(line, "plan"))


@st.composite
def recordings(draw: st.DrawFn) -> Trace:
    """A recording of up to eight requests, with layers, and with tasks that call the app again and again."""
    sim = Simulation(threads=2)
    for at_ns, turns in draw(_plans):
        sim.arrive(at_ns, "/plan", "/plan", lambda sim, task, turns=turns: _coroutine(sim, task, turns))  # type: ignore[misc]
    made = sim.run()
    requests = [
        call for request in made.requests for call in _calls(request, draw(st.lists(st.integers(0, 2_000), max_size=3)))
    ]
    numbered = [
        replace(request, number=number)
        for number, request in enumerate(sorted(requests, key=lambda each: each.start_ns))
    ]
    spans = [
        span for index, request in enumerate(numbered) if draw(st.booleans()) for span in draw(_layers(index, request))
    ]
    return Trace(
        steps=made.steps,
        tasks=made.tasks,
        waits=made.waits,
        handoffs=made.handoffs,
        requests=numbered,
        spans=spans,
        duration_ns=made.duration_ns,
        dropped=draw(st.sampled_from([0, 0, 3])),
    )


def _calls(request: Request, cuts: Sequence[int]) -> list[Request]:
    """A request as several, one after the other, in the same task."""
    ended_ns = request.end_ns or request.start_ns
    edges = sorted(
        {request.start_ns, ended_ns, *(request.start_ns + cut for cut in cuts if request.start_ns + cut < ended_ns)}
    )
    if len(edges) < 3:
        return [request]
    pairs = zip(edges[0::2], edges[1::2], strict=False)  # and none in between
    return [replace(request, start_ns=start_ns, end_ns=end_ns) for start_ns, end_ns in pairs]


@st.composite
def _layers(draw: st.DrawFn, index: int, request: Request) -> list[Span]:
    """Layers of a request, each within the one before it."""
    start_ns, end_ns = request.start_ns, request.end_ns or request.start_ns
    spans = []
    for depth, kind in enumerate(draw(st.lists(st.sampled_from(_KINDS), max_size=4))):
        start_ns = draw(st.integers(start_ns, end_ns))
        end_ns = draw(st.integers(start_ns, end_ns))
        spans.append(Span(index, kind, kind, start_ns, end_ns, depth - 1 if depth else None, request.task, None))
    return spans
