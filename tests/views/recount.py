"""What the numbers in a finding's sentences should be: counted once more, from the rows of the recording alone.

It shares no code with the rules. It takes which rows a finding names as its evidence, makes sure that those are all the
rows there are of that kind where the rule claims so, and says which numbers the sentences must hold, in their order.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from playground.trace import Trace
from playground.views.findings import Finding
from playground.views.wording import duration

__all__ = ["numbers_of", "recounted"]

_PLACE = re.compile(r"(?:cell \d+|[^\s(]*\.py), lines? \d+(?:, \d+)*(?: and \d+)?")
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def numbers_of(finding: Finding) -> list[str]:
    """The numbers in a finding's sentences, without those in names, places and the suggestion."""
    told = finding.parts
    words = "".join(words if style != "code" else "`" for style, words in told)
    ending = "".join(words if style != "code" else "`" for style, words in told[-_tail(finding) :])
    assert words.endswith(ending)
    return _NUMBER.findall(_PLACE.sub("", words[: len(words) - len(ending)]))


def _tail(finding: Finding) -> int:
    """How many of the last parts make the suggestion."""
    for count in range(1, len(finding.parts) + 1):
        tail = "".join(f"`{words}`" if style == "code" else words for style, words in finding.parts[-count:])
        if tail == finding.suggestion:
            return count
    raise AssertionError(f"the sentences do not end with their suggestion: {finding}")


def recounted(trace: Trace, finding: Finding) -> list[str]:
    """The numbers that the sentences must hold."""
    told = [str(piece) for piece in _RULES[finding.rule](trace, finding)]
    return [number for piece in told for number in _NUMBER.findall(piece)]


def rows(finding: Finding, table: str) -> list[int]:
    return [index for name, index in finding.evidence if name == table]


def _of(trace: Trace, count: int) -> str:
    """`3 of 50`, or how many of all."""
    total = len(trace.requests)
    if count == total:
        return "" if count == 1 else f"{count:,}"
    return f"{count:,} of {total:,}"


# -- what held the loop ---------------------------------------------------------------------------------


def _ready(trace: Trace) -> Iterator[tuple[int, int, int]]:
    """Each stretch in which somebody was ready: from the end of a wait, a turn given up, or birth, to the next step."""
    for index, task in enumerate(trace.tasks):
        steps = [step for step in trace.steps if step.task == index]
        waits = [wait for wait in trace.waits if wait.task == index]
        since: int | None = task.created_ns
        for step in steps:
            if since is not None and since < step.start_ns:
                yield index, since, step.start_ns
            since = step.end_ns
            if step.outcome == "waits":
                since = next((wait.end_ns for wait in waits if wait.start_ns == step.end_ns), None)


def _who(trace: Trace, task: int | None) -> int | None:
    """The request for which a task works, by its parents; the task itself where there are no requests."""
    if not trace.requests:
        return task
    while task is not None:
        for index, request in enumerate(trace.requests):
            if request.task == task:
                return index
        task = trace.tasks[task].parent
    return None


def _blocked(trace: Trace, finding: Finding) -> Iterator[object]:
    blocks = {block.step: block for block in trace.blocks(0.01)}
    held = [blocks[at] for at in rows(finding, "steps")]
    lengths = [block.duration_ns for block in held]
    if len(held) == 1:
        yield duration(lengths[0])
    else:
        yield f"{len(held):,}"
        yield duration(sum(lengths))
        if min(lengths) >= 50_000_000 or duration(min(lengths)) == duration(max(lengths)):
            yield duration(max(lengths))
        elif max(lengths) < 1.1 * min(lengths):
            yield duration(sum(lengths) // len(lengths))
        else:
            yield f"{duration(min(lengths))} {duration(max(lengths))}"
    seen_ns, all_ns = sum(block.held_ns for block in held), sum(lengths)
    if held[0].samples and duration(seen_ns) != duration(all_ns):
        yield f"{duration(seen_ns)} {duration(all_ns)}"
    waited = {
        _who(trace, task)
        for task, start_ns, end_ns in _ready(trace)
        for block in held
        if start_ns < block.end_ns and end_ns > block.start_ns and _who(trace, task) != _who(trace, block.task)
    } - {None}
    assert waited == set(rows(finding, "requests" if trace.requests else "tasks"))
    if waited:
        yield f"{len(waited):,}"
    for away_ns in (
        sum(block.delayed_ns for block in held),
        sum(block.lock_ns for block in held),
        sum(block.collected_ns for block in held),
    ):
        if away_ns >= 1_000_000:
            yield duration(away_ns)


# -- threads --------------------------------------------------------------------------------------------


def _most_at_once(trace: Trace) -> int:
    calls = [call for call in trace.handoffs if call.started_ns is not None]
    ends = [trace.duration_ns if call.ended_ns is None else call.ended_ns for call in calls]
    return max(
        sum((other.started_ns or 0) <= (call.started_ns or 0) < end for other, end in zip(calls, ends, strict=True))
        for call in calls
    )


def _limited(trace: Trace, finding: Finding) -> Iterator[object]:
    queued = [index for index, call in enumerate(trace.handoffs) if call.limiter_wait_ns > 0]
    assert queued == rows(finding, "handoffs")
    yield f"{len(queued):,} {len(trace.handoffs):,}"
    yield duration(max(trace.handoffs[index].limiter_wait_ns for index in queued))
    yield f"{_most_at_once(trace):,}"


def _pooled(trace: Trace, finding: Finding) -> Iterator[object]:
    calls = [trace.handoffs[index] for index in rows(finding, "handoffs")]
    longest_ns = 0
    for call in calls:
        assert call.started_ns is not None
        earlier = [
            other.ended_ns
            for other in trace.handoffs
            if other.thread == call.thread and other.ended_ns is not None and other.ended_ns <= call.started_ns
        ]
        assert max(earlier) > call.submitted_ns
        longest_ns = max(longest_ns, max(earlier) - call.submitted_ns)
    yield f"{len(calls):,} {len(trace.handoffs):,} {duration(longest_ns)} {_most_at_once(trace):,}"


def _late(trace: Trace, finding: Finding) -> Iterator[object]:
    late_ns = [
        call.woken_ns - call.ended_ns
        for call in trace.handoffs
        if call.ended_ns is not None and call.woken_ns is not None and call.woken_ns - call.ended_ns >= 50_000_000
    ]
    assert len(late_ns) == len(rows(finding, "handoffs"))
    yield duration(late_ns[0]) if len(late_ns) == 1 else f"{len(late_ns):,} {duration(max(late_ns))}"
    if "steps to run" in str(finding) or "step to run" in str(finding):
        worst = max((trace.handoffs[at] for at in rows(finding, "handoffs")), key=_lateness)
        assert worst.ended_ns is not None
        assert worst.woken_ns is not None
        yield f"{sum(worst.ended_ns <= step.start_ns < worst.woken_ns for step in trace.steps):,}"


def _lateness(call: object) -> int:
    return (getattr(call, "woken_ns", 0) or 0) - (getattr(call, "ended_ns", 0) or 0)


def _computed(trace: Trace, finding: Finding) -> Iterator[object]:
    blocks = {block.step: block for block in trace.locked_out(0.01)}
    lengths = [blocks[at].lock_ns for at in rows(finding, "steps")]
    several = len(lengths) > 1
    yield f"{len(lengths):,} {duration(sum(lengths))} {duration(max(lengths))}" if several else duration(lengths[0])
    calls = [trace.handoffs[at] for at in rows(finding, "handoffs")]
    yield f"{len(calls):,} {duration(sum(call.cpu_ns for call in calls))}"
    waited = rows(finding, "requests" if trace.requests else "tasks")
    yield f"{len(waited):,}" if waited else ""


# -- who waited -----------------------------------------------------------------------------------------


def _stretches(trace: Trace, chosen: list[int]) -> list[tuple[int, int]]:
    """From when to when each task took turn after turn: steps of its own, each but the last given up."""
    found = []
    for task in {trace.steps[at].task for at in chosen}:
        own = [at for at, step in enumerate(trace.steps) if step.task == task]
        begun_ns: int | None = None
        for at, after in zip(own, [*own[1:], -1], strict=True):
            if at not in chosen:
                continue
            step = trace.steps[at]
            begun_ns = step.start_ns if begun_ns is None else begun_ns
            if step.outcome != "yields" or after not in chosen:
                found.append((begun_ns, step.end_ns))
                begun_ns = None
    return found


def _starved(trace: Trace, finding: Finding) -> Iterator[object]:
    steps = [trace.steps[at] for at in rows(finding, "steps")]
    hungry = rows(finding, "requests" if trace.requests else "tasks")
    ready_ns: Counter[int | None] = Counter()
    stretches = _stretches(trace, rows(finding, "steps"))
    moments = sorted({ns for edge in stretches for ns in edge})
    covered = [
        (start_ns, end_ns)
        for start_ns, end_ns in pairwise(moments)
        if any(begun_ns <= start_ns and end_ns <= over_ns for begun_ns, over_ns in stretches)
    ]
    for task, start_ns, end_ns in _ready(trace):
        for from_ns, to_ns in covered:
            ready_ns[_who(trace, task)] += max(0, min(end_ns, to_ns) - max(start_ns, from_ns))
    took = [ready_ns[who] for who in hungry]
    assert min(took) >= 50_000_000
    yield f"{len(hungry):,}"
    yield (
        duration(min(took))
        if duration(min(took)) == duration(max(took))
        else f"{duration(min(took))} {duration(max(took))}"
    )
    yield f"{len(steps):,} {duration(sum(step.duration_ns for step in steps))}"


def _convoyed(trace: Trace, finding: Finding) -> Iterator[object]:
    waits = [trace.waits[at] for at in rows(finding, "waits")]
    assert all(wait.on == "lock" and wait.site == waits[0].site for wait in waits)
    own: Counter[int | None] = Counter()
    for wait in waits:
        own[_who(trace, wait.task)] += wait.end_ns - wait.start_ns
    lives = {
        who: (request.end_ns or trace.duration_ns) - request.start_ns for who, request in enumerate(trace.requests)
    } or {who: (task.ended_ns or trace.duration_ns) - task.created_ns for who, task in enumerate(trace.tasks)}
    stuck = sum(2 * ns >= lives[who] for who, ns in own.items() if who is not None)
    yield f"{len(own):,} {duration(own.total())} {duration(max(wait.end_ns - wait.start_ns for wait in waits))}"
    yield "" if stuck == len(own) else f"{stuck:,}"


def _in_a_row(trace: Trace, finding: Finding) -> Iterator[object]:
    owners = rows(finding, "requests" if trace.requests else "tasks")
    yield _of(trace, len(owners)) if trace.requests else f"{len(owners):,}"
    best: tuple[int, int, int, int] = (0, 0, 0, 0)
    for owner in owners:
        row = trace.requests[owner] if trace.requests else None
        task = owner if row is None else row.task
        start_ns = trace.tasks[owner].created_ns if row is None else row.start_ns
        end_ns = trace.tasks[owner].ended_ns if row is None else row.end_ns
        assert end_ns is not None
        mine = [trace.waits[at] for at in rows(finding, "waits")]
        lengths = [w.end_ns - w.start_ns for w in mine if w.task == task and start_ns <= w.start_ns < end_ns]
        gain_ns = sum(lengths) - max(lengths)
        best = max(best, (gain_ns, len(lengths), sum(lengths), end_ns - start_ns), key=lambda each: each[0])
    yield f"{best[1]:,} {duration(best[2])} {duration(best[3])}"


# -- what went wrong ------------------------------------------------------------------------------------


def _lost(trace: Trace, finding: Finding) -> Iterator[object]:
    losses = [trace.losses[at] for at in rows(finding, "losses")]
    yield "" if len(losses) == 1 else f"{len(losses):,}"
    if finding.rule == "never-retrieved" and len(losses) > 1:
        yield f"{len(losses):,}"
        texts = {loss.name for loss in losses}
        yield f"{len(texts):,}" if len(texts) > 1 else ""


def _cut(trace: Trace, finding: Finding) -> Iterator[object]:
    requests, tasks = rows(finding, "requests"), rows(finding, "tasks")
    yield _of(trace, len(requests)) if requests else f"{len(tasks):,}"
    lengths = [trace.waits[at].end_ns - trace.waits[at].start_ns for at in rows(finding, "waits")]
    ends = sorted({duration(min(lengths)), duration(max(lengths))}, key=[duration(n) for n in sorted(lengths)].index)
    yield " ".join(ends)
    statuses = {trace.requests[at].status for at in requests if trace.requests[at].error is None}
    yield " ".join(map(str, statuses))


def _failed(trace: Trace, finding: Finding) -> Iterator[object]:
    indexes = rows(finding, "requests")
    yield _of(trace, len(indexes))
    found = [trace.requests[at] for at in indexes]
    if finding.rule == "app-error":
        texts = {(row.error or "").splitlines()[0] for row in found}
        yield f"{len(texts):,}" if len(texts) > 1 else ""
    elif finding.rule == "no-answer":
        assert {(row.status, row.error) for row in found} == {(None, None)}
    else:
        (status,) = {row.status for row in found}
        assert status is not None
        assert len(found) <= sum(row.status == status for row in trace.requests)
        yield status


def _unfinished(trace: Trace, finding: Finding) -> Iterator[object]:
    indexes, total = rows(finding, "jobs"), len(trace.jobs)
    how = finding.rule.removeprefix("job-")
    assert indexes == [at for at, job in enumerate(trace.jobs) if job.outcome == how]
    yield "" if total == 1 else f"{total:,}" if len(indexes) == total else f"{len(indexes):,} of {total:,}"
    if how == "pending":
        begun = sum(trace.jobs[at].started_ns is not None for at in indexes)
        yield f"{begun:,}" if 0 < begun < len(indexes) else ""  # none, both and all are words


_RULES: dict[str, Callable[[Trace, Finding], Iterator[object]]] = {
    "loop-blocked": _blocked,
    "sync-library": _blocked,
    "threads-compute": _computed,
    "thread-queue": _limited,
    "pool-full": _pooled,
    "late-wake": _late,
    "task-starved": _starved,
    "lock-convoy": _convoyed,
    "awaits-in-a-row": _in_a_row,
    "never-awaited": _lost,
    "never-retrieved": _lost,
    "deadline": _cut,
    "app-error": _failed,
    "no-answer": _failed,
    "server-error": _failed,
    "not-found": _failed,
    "job-raised": _unfinished,
    "job-pending": _unfinished,
}
