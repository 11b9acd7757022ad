"""A finished recording, frozen: what people and checks ask, and what the views draw.

A `Trace` holds rows (see `rows`) and answers questions that need nothing but rows. It does not know how
they were recorded (`recorder`), how they travel (`store`), or how they look (`playground.views`, which its
doors at the bottom open only when asked).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from playground.trace import store
from playground.trace.looks import Look, inside
from playground.trace.rows import Block, Handoff, Request, Sample, Site, Span, Step, Task, Wait

if TYPE_CHECKING:
    from playground.widgets import Timeline

__all__ = ["Clock", "Trace"]

Clock = Literal["real", "virtual"]


class Trace:
    """One run, as it was recorded.

    Args:
        steps, tasks, waits, handoffs, requests: the rows, each in order of its start (tasks: of creation).
        samples: looks at the loop's thread during long steps, in order of time.
        spans: the layers of the app that requests passed through, each after the one that called it.
        duration_ns: length of the run; by default up to the last moment in any row.
        clock: `real`, or `virtual` where time jumps from timer to timer.
        dropped: how many events the recorder let go because its ring was full.
        title: what to call the run.
    """

    def __init__(
        self,
        *,
        steps: Sequence[Step] = (),
        tasks: Sequence[Task] = (),
        waits: Sequence[Wait] = (),
        handoffs: Sequence[Handoff] = (),
        requests: Sequence[Request] = (),
        samples: Sequence[Sample] = (),
        spans: Sequence[Span] = (),
        duration_ns: int | None = None,
        clock: Clock = "real",
        dropped: int = 0,
        title: str = "Run",
    ) -> None:
        self.steps = steps
        self.tasks = tasks
        self.waits = waits
        self.handoffs = handoffs
        self.requests = requests
        self.samples = samples
        self.spans = spans
        self.clock: Clock = clock
        self.dropped = dropped
        self.title = title
        self.duration_ns = self._last_moment() if duration_ns is None else duration_ns

    def __repr__(self) -> str:
        return (
            f"<Trace {self.title!r}: {self.duration_ns / 1e6:.1f} ms {self.clock}, "
            f"{len(self.requests)} requests, {len(self.steps)} steps, {len(self.handoffs)} hand-offs>"
        )

    # -- questions -------------------------------------------------------------------------------------

    def blocks(self, threshold_s: float = 0.05) -> list[Block]:
        """Steps that held the loop for at least `threshold_s` seconds, in order.

        What counts is wall time less the time in which the system did not run the thread, so that a busy
        machine is not mistaken for a busy handler.
        """
        threshold_ns = round(threshold_s * 1e9)
        long = (pair for pair in enumerate(self.steps) if pair[1].duration_ns >= threshold_ns)
        blocks = (self._block(index, step) for index, step in long)
        return [block for block in blocks if block.duration_ns >= threshold_ns]

    def inside(self, step: int) -> list[Look]:
        """What was seen inside a step: stretches of one line and call each, which cover it; none if nobody looked."""
        return list(inside(self.steps[step], self._samples_of.get(step, ())))

    def ready_ns(self, task: int) -> int:
        """How long a task was ready to run but queued behind others, in all. `task` indexes `tasks`."""
        return sum(end - start for start, end in self.ready_spans(task))

    def ready_spans(self, task: int) -> list[tuple[int, int]]:
        """When a task was ready and queued: spans of (start, end) in nanoseconds, in order, none empty.

        What the recording does not tell is left out: the time after a step that waited for something whose
        wait was not recorded, and the time before the first step where earlier ones may have been dropped.
        """
        waits = self.waits_of.get(task, ())
        at = 0
        ready_at = self._created_ns(task)
        first = next(iter(self.steps_of.get(task, ())), None)
        if first is not None and waits and self.waits[waits[0]].end_ns <= self.steps[first].start_ns:
            ready_at = self.waits[waits[0]].end_ns  # it stood in a wait already when the recording began
            at = 1
        spans = []
        for index in self.steps_of.get(task, ()):
            step = self.steps[index]
            if ready_at is not None and ready_at < step.start_ns:
                spans.append((ready_at, step.start_ns))
            ready_at = step.end_ns
            if step.outcome == "waits":
                # by position, not by time alone: in virtual time many steps and waits share one moment
                while at < len(waits) and self.waits[waits[at]].start_ns < step.end_ns:
                    at += 1
                found = at < len(waits) and self.waits[waits[at]].start_ns == step.end_ns
                ready_at = self.waits[waits[at]].end_ns if found else None
                at += found
        return spans

    @cached_property
    def max_overlap(self) -> int:
        """The greatest number of requests in progress at one moment (of tasks, if there are no requests)."""
        lives: Iterable[tuple[int, int | None]]
        if self.requests:
            lives = ((request.start_ns, request.end_ns) for request in self.requests)
        else:
            lives = ((task.created_ns, task.ended_ns) for task in self.tasks)
        edges = []
        for start, ended in lives:
            end = self.duration_ns if ended is None else ended
            # at one moment ends come first, so that touching lives do not overlap; then those that began
            # and ended there (virtual time): none of these is known to have overlapped another
            edges += [(start, 1, 0)] if start == end else [(start, 2, 1), (end, 0, -1)]
        most = now = 0
        for _, order, change in sorted(edges):
            now += change
            most = max(most, now + (order == 1))
        return most

    @cached_property
    def steps_of(self) -> dict[int, list[int]]:
        """For each task that ran, the indexes of its steps, in order."""
        steps_of: dict[int, list[int]] = defaultdict(list)
        for index, step in enumerate(self.steps):
            if step.task is not None:
                steps_of[step.task].append(index)
        return dict(steps_of)

    @cached_property
    def waits_of(self) -> dict[int, list[int]]:
        """For each task that waited, the indexes of its waits, in order."""
        waits_of: dict[int, list[int]] = defaultdict(list)
        for index, wait in enumerate(self.waits):
            waits_of[wait.task].append(index)
        return dict(waits_of)

    @cached_property
    def request_of(self) -> dict[int, int]:
        """For each task that worked for a request, the index of that request: its own, or its ancestors'."""
        own = {request.task: index for index, request in enumerate(self.requests) if request.task is not None}
        return inherited(own, (task.parent for task in self.tasks))

    # -- keeping ---------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the recording to a file, for `Trace.load`."""
        Path(path).write_bytes(store.dump(self))

    @classmethod
    def load(cls, path: str | Path) -> "Trace":
        """Read a recording that `save` wrote.

        Raises:
            TraceError: the file is no recording, damaged, or of a version that this release does not know.
        """
        return store.restore(cls, Path(path).read_bytes())

    # -- doors to the views, opened on demand ----------------------------------------------------------

    def timeline(self) -> "Timeline":
        """The interactive timeline, as a widget."""
        from playground.widgets import Timeline

        return Timeline(self)

    def to_svg(self, path: str | Path | None = None) -> str:
        """The timeline as a static SVG picture; also written to `path` if one is given."""
        from playground.views.svg import svg

        text = svg(self)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def to_html(self, path: str | Path) -> None:
        """Write the interactive timeline as one HTML file that needs no network."""
        from playground.widgets.page import page

        Path(path).write_text(page(self), encoding="utf-8")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from playground.widgets.display import mimebundle

        return mimebundle(self)

    # -- inside ----------------------------------------------------------------------------------------

    def _last_moment(self) -> int:
        moments: list[int | None] = [0]
        moments += [step.end_ns for step in self.steps]
        moments += [sample.at_ns for sample in self.samples]
        moments += [wait.end_ns for wait in self.waits]
        for task in self.tasks:
            moments += [task.created_ns, task.ended_ns]
        for call in self.handoffs:
            moments += [call.submitted_ns, call.started_ns, call.ended_ns, call.woken_ns]
        for request in self.requests:
            moments += [request.start_ns, request.end_ns]
            moments += [message.at_ns for message in request.messages]
        for span in self.spans:
            moments += [span.start_ns, span.end_ns]
        return max(moment for moment in moments if moment is not None)

    def _created_ns(self, task: int) -> int | None:
        """When a task was created; `None` if its first steps may be among the events dropped, the oldest."""
        created_ns = self.tasks[task].created_ns
        return None if self.dropped and self.steps and created_ns < self.steps[0].start_ns else created_ns

    @cached_property
    def _samples_of(self) -> dict[int, list[Sample]]:
        samples_of: dict[int, list[Sample]] = defaultdict(list)
        for sample in self.samples:
            samples_of[sample.step].append(sample)
        return samples_of

    def _block(self, index: int, step: Step) -> Block:
        samples = self._samples_of.get(index, [])
        delays = [sample.delay_ns for sample in samples if sample.delay_ns is not None]
        delayed_ns = delays[-1] - delays[0] if delays else 0
        duration_ns = step.duration_ns - delayed_ns
        looks = self.inside(index)
        site, call, seen_ns = _longest(looks) if looks else (step.site, "", 0)
        return Block(
            task=step.task,
            start_ns=step.start_ns,
            duration_ns=duration_ns,
            woken_by=step.woken_by,
            outcome=step.outcome,
            site=site,
            step=index,
            delayed_ns=delayed_ns,
            samples=sum(sample.site is not None for sample in samples),
            call=call,
            held_ns=min(seen_ns, duration_ns),
        )


def _longest(looks: list[Look]) -> tuple[Site, str, int]:
    """The line at which most time was spent, the call that took most of it there, and how long that line had."""
    lines: Counter[Site] = Counter()
    calls: Counter[tuple[Site, str]] = Counter()
    for look in looks:
        lines[look.site] += look.ran_ns
        calls[look.site, look.call] += look.ran_ns
    ((site, held_ns),) = lines.most_common(1)
    return site, max((call for call in calls if call[0] == site), key=calls.__getitem__)[1], held_ns


def inherited(own: Mapping[int, int], parents: Iterable[int | None]) -> dict[int, int]:
    """What tasks have of their own, or else of the nearest ancestor that has it.

    Args:
        own: what some tasks have, by the task's index.
        parents: each task's parent, in the order of the tasks: parents come before their children.
    """
    found: dict[int, int] = {}
    for index, parent in enumerate(parents):
        if index in own:
            found[index] = own[index]
        elif parent is not None and parent in found:
            found[index] = found[parent]
    return found
