"""Recordings for tests: a small deterministic simulation of a web app under load, written as a `Trace`.

It decides nothing about how real recordings are made. It only keeps their rules: one step at a time on the
loop, a wait from the end of a step to the moment of readiness, four moments a hand-off, looks at long steps.
"""

import random
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from playground.trace import (
    Handoff,
    Message,
    Request,
    Sample,
    Site,
    Step,
    StepOutcome,
    Task,
    Trace,
    Wait,
    WaitOn,
)

US = 1_000
MS = 1_000_000

# What a simulated coroutine yields: nanoseconds that it ran, what it waits for, for how long (`None`: until
# it is told), and where.
Work = tuple[int, WaitOn | None, int | None, Site | None]
Coroutine = Generator[Work, None, None]
Handler = Callable[["Simulation", int], Coroutine]


def site(line: int, function: str, text: str = "", file: str = "cell 3") -> Site:
    return Site(file, line, function, text)


@dataclass
class _Call:
    """A call on its way to a worker thread; its moments in nanoseconds, those still to come -1."""

    task: int
    function: str
    asked_ns: int
    run_ns: int
    site: Site
    submitted_ns: int = -1
    started_ns: int = -1
    ended_ns: int = -1
    woken_ns: int = -1
    thread: int = -1
    index: int = -1


@dataclass
class Simulation:
    """A loop, `threads` workers and one lock, run to the end by `run`."""

    threads: int = 4
    look_every_ns: int = 10 * MS
    now: int = 0
    title: str = "Run 1"
    steps: list[Step] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    _events: list[tuple[int, int, Callable[[int], None]]] = field(default_factory=list)
    _ready: deque[tuple[int, int | None]] = field(default_factory=deque)
    _bodies: dict[int, Coroutine] = field(default_factory=dict)
    _open: dict[int, tuple[int, WaitOn, Site | None]] = field(default_factory=dict)
    _queued: deque[_Call] = field(default_factory=deque)
    _idle: list[int] = field(default_factory=list)
    _locked: bool = False
    _lockers: deque[int] = field(default_factory=deque)
    _serial: int = 0
    _call_of: dict[int, _Call] = field(default_factory=dict)
    _request_of: dict[int, int] = field(default_factory=dict)
    _children: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._idle = list(range(self.threads))

    # -- what a test says ------------------------------------------------------------------------------

    def arrive(self, at_ns: int, path: str, route: str, handler: Handler, method: str = "GET") -> None:
        """At `at_ns`, have a request come in that `handler` answers."""

        def come(at: int) -> None:
            number = len(self.requests)
            task = self.spawn(f"request {number}", handler.__name__, None, handler(self, len(self.tasks)), at)
            self._request_of[task] = number
            messages = (Message("receive", "http.request", at, "0 B"),)
            self.requests.append(Request(number, method, path, route, None, at, None, task, (), messages, None))

        self._at(at_ns, come)

    def spawn(self, name: str, coroutine: str, parent: int | None, body: Coroutine, at_ns: int) -> int:
        """Create a task that is ready at `at_ns`; returns its index."""
        task = len(self.tasks)
        self.tasks.append(Task(name, coroutine, parent, at_ns, None, "pending"))
        self._bodies[task] = body
        self._ready.append((task, None))
        if parent is not None:
            self._children[parent] = self._children.get(parent, 0) + 1
        return task

    def thread(self, task: int, function: str, run_ns: int, before_ns: int, where: Site) -> Work:
        """What a coroutine yields to run for `before_ns` and then wait for a worker thread."""
        call = _Call(task, function, self.now + before_ns, run_ns, where)
        self._call_of[task] = call

        def submit(at: int) -> None:
            self._queued.append(call)
            self._dispatch(at)

        self._at(call.asked_ns, submit)
        return (before_ns, "thread", None, where)

    def acquire(self, task: int, before_ns: int, where: Site) -> Work | None:
        """What a coroutine yields to wait for the lock; `None` if it was free and is now its own."""
        if not self._locked:
            self._locked = True
            return None
        self._lockers.append(task)
        return (before_ns, "lock", None, where)

    def release(self, at_ns: int) -> None:
        if self._lockers:
            self._wake(self._lockers.popleft(), at_ns, len(self.steps))
        else:
            self._locked = False

    def run(self) -> Trace:
        """Run until nothing is left to do, and return what happened."""
        while self._ready or self._events:
            if not self._ready:
                self.now = max(self.now, self._events[0][0])
                self._due()
                continue
            self._step(*self._ready.popleft())
            self._due()
        return self._trace()

    # -- the loop --------------------------------------------------------------------------------------

    def _at(self, at_ns: int, action: Callable[[int], None]) -> None:
        self._serial += 1
        heappush(self._events, (at_ns, self._serial, action))

    def _due(self) -> None:
        while self._events and self._events[0][0] <= self.now:
            at, _, action = heappop(self._events)
            action(at)

    def _wake(self, task: int, at_ns: int, by: int | None) -> None:
        start, on, where = self._open.pop(task)
        self.waits.append(Wait(task, start, at_ns, on, where))
        self._ready.append((task, by))

    def _step(self, task: int, woken_by: int | None) -> None:
        start = self.now
        call = self._call_of.get(task)
        if call is not None and call.ended_ns >= 0:
            call.woken_ns = start
            del self._call_of[task]
        outcome: StepOutcome
        work = next(self._bodies[task], None)
        ran, on, delay, where = (20 * US, None, None, None) if work is None else work
        end = start + ran
        outcome = "returned" if work is None else "waits" if on else "yields"
        index = len(self.steps)
        self.steps.append(Step(task, start, ran, woken_by, outcome, where))
        self._look(index, start, end)
        self.now = end + 3 * US
        if work is None:
            self._finish(task, end)
        elif on is None:
            self._ready.append((task, index))
        else:
            self._open[task] = (end, on, where)
            if delay is not None:
                self._at(end + delay, lambda at: self._wake(task, at, None))

    def _look(self, index: int, start: int, end: int) -> None:
        """Look at a long step every `look_every_ns`; the handlers below block in one line only."""
        if end - start < 2 * self.look_every_ns:
            return
        where = site(24, "report", "body = df.to_csv()")
        for at in range(start + self.look_every_ns, end, self.look_every_ns):
            self.samples.append(Sample(index, at, 0, where, "df.to_csv()"))
        self.samples.append(Sample(index, end, 0, None))

    def _finish(self, task: int, at_ns: int) -> None:
        ended = self.tasks[task] = replace(self.tasks[task], ended_ns=at_ns, outcome="returned")
        if ended.parent is not None:
            self._children[ended.parent] -= 1
            if not self._children[ended.parent]:
                self._wake(ended.parent, at_ns, len(self.steps) - 1)
        if task in self._request_of:
            request = self.requests[self._request_of[task]]
            sent = (
                Message("send", "http.response.start", at_ns - 10 * US, "200"),
                Message("send", "http.response.body", at_ns - 5 * US, "17 B"),
            )
            self.requests[request.number] = replace(request, end_ns=at_ns, status=200, messages=request.messages + sent)

    # -- the workers -----------------------------------------------------------------------------------

    def _dispatch(self, at_ns: int) -> None:
        while self._queued and self._idle:
            call = self._queued.popleft()
            call.thread = heappop(self._idle)
            call.submitted_ns = at_ns
            call.started_ns = at_ns + 40 * US
            call.ended_ns = call.started_ns + call.run_ns
            call.index = len(self.calls)
            self.calls.append(call)
            self._at(call.ended_ns, lambda at, call=call: self._done(call, at))  # type: ignore[misc]

    def _done(self, call: _Call, at_ns: int) -> None:
        heappush(self._idle, call.thread)
        self._wake(call.task, at_ns, None)
        self._dispatch(at_ns)

    def _trace(self) -> Trace:
        made: dict[int, list[int]] = {}
        handoffs = []
        for index, call in enumerate(self.calls):
            made.setdefault(call.task, []).append(index)
            handoffs.append(
                Handoff(
                    call.task,
                    call.function,
                    call.submitted_ns - call.asked_ns,
                    call.submitted_ns,
                    call.started_ns,
                    call.ended_ns,
                    call.woken_ns,
                    call.thread,
                    call.run_ns // 10,
                    "returned",
                    call.site,
                )
            )
        requests = [
            replace(self.requests[number], handoffs=tuple(made.get(task, ())))
            for task, number in self._request_of.items()
        ]
        return Trace(
            steps=tuple(self.steps),
            tasks=tuple(self.tasks),
            waits=tuple(sorted(self.waits, key=lambda wait: wait.start_ns)),
            handoffs=tuple(handoffs),
            requests=tuple(requests),
            samples=tuple(self.samples),
            title=self.title,
        )


# -- handlers -----------------------------------------------------------------------------------------------


def list_items(sim: Simulation, task: int) -> Coroutine:
    """Two turns of the loop around one query."""
    yield (310 * US, "io", 4_200 * US, site(6, "list_items", "rows = await db.fetch(LIST)"))
    yield (90 * US, None, None, site(7, "list_items", "await anyio.lowlevel.checkpoint()"))


def read_item(sim: Simulation, task: int) -> Coroutine:
    """A query under a lock, with a child task that waits for a timer meanwhile."""
    held = sim.acquire(task, 180 * US, site(11, "read_item", "async with lock:"))
    if held is not None:
        yield held
    yield (240 * US, "io", 2_500 * US, site(12, "read_item", "row = await db.fetch(ONE, id)"))
    sim.release(sim.now + 60 * US)
    yield (60 * US, "timer", 900 * US, site(13, "read_item", "await anyio.sleep(0.0009)"))


def gather(sim: Simulation, task: int) -> Coroutine:
    """Two child tasks, awaited together."""
    for line in (17, 18):
        sim.spawn(f"fetch {line}", "fetch", task, _fetch(line), sim.now)
    yield (150 * US, "task", None, site(19, "gather", "await asyncio.gather(a, b)"))


def _fetch(line: int) -> Coroutine:
    yield (200 * US, "io", line * 150 * US, site(line, "fetch", "return await client.get(url)"))


def report(sim: Simulation, task: int) -> Coroutine:
    """Waits a little, then blocks the loop for 230 ms."""
    yield (200 * US, "io", 2_200 * US, site(23, "report", "df = await load()"))
    yield (230 * MS, "timer", 1 * MS, site(25, "report", "await anyio.sleep(0.001)"))


def export(sim: Simulation, task: int) -> Coroutine:
    """One call in a worker thread."""
    run_ns = 14 * MS + (task * 7919 % 9) * MS
    yield sim.thread(task, "render_pdf", run_ns, 230 * US, site(33, "export", "await run_sync(render_pdf)"))


def _heartbeat(sim: Simulation, until_ns: int) -> Coroutine:
    while sim.now < until_ns:
        yield (15 * US, "timer", 5 * MS, site(40, "heartbeat", "await asyncio.sleep(0.005)"))


# -- recordings ---------------------------------------------------------------------------------------------

ROUTES: list[tuple[int, str, str, Handler]] = [
    (5, "/items", "/items", list_items),
    (8, "/items/{n}", "/items/{id}", read_item),
    (2, "/summary", "/summary", gather),
    (4, "/export", "/export", export),
]


def load(requests: int = 60, *, seed: int = 1, rate: float = 130.0, blocked_at: int | None = None) -> Trace:
    """`requests` arrivals at random, `rate` a second; number `blocked_at` blocks the loop for 230 ms."""
    rng = random.Random(seed)
    sim = Simulation()
    sim.spawn("heartbeat", "heartbeat", None, _heartbeat(sim, round(requests / rate * 1e9)), 0)
    at = 2 * MS
    weights = [weight for weight, *_ in ROUTES]
    for number in range(requests):
        _, path, route, handler = rng.choices(ROUTES, weights)[0]
        if number == blocked_at:
            path, route, handler = "/report", "/report", report
        sim.arrive(at, path.format(n=number), route, handler)
        at += round(rng.expovariate(rate) * 1e9)
    return sim.run()


def blocked_run() -> Trace:
    """62 requests in about half a second, of which the 26th blocks the loop for 230 ms."""
    return load(62, seed=4, rate=150.0, blocked_at=25)


def healthy_run() -> Trace:
    """40 requests, none of which holds up the others."""
    return load(40, seed=2, rate=100.0)


def large_run(requests: int = 10_000) -> Trace:
    """Many requests at a bearable rate: about ten spans a request."""
    return load(requests, seed=3, rate=250.0)
