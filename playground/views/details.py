"""What stands behind a span, for the reader who selects it: who woke the step and how it ended, whose it is, what
became of a hand-off, which messages a request exchanged.

It decides what is told of each, in numbers that travel as one stream of bytes, which a page reads when somebody first
asks. Of a recording too long for that, the beginning is told, and the rest is said to be missing. A cause is named
only where the recording says so: where a callback that no step woke is one that the standard library or anyio runs for
that cause and no other. It refuses to know rows of pixels, and how the bytes are packed.

The stream is of unsigned integers, seven bits a byte, the lowest first (LEB128), in this order:

    steps       how many; of each: its ending + 16 * its spans in the loop's row; 0 if it is no task's, 1 if it is the
                first of the next task, else 1 + how many steps ago its task ran last; 0 if nothing is known of who
                woke it, 1 to 3 for a cause, else 3 + how many steps ago its waker ran
    tasks       how many, in the order in which they first ran; of each: its name without the digits at its end, as a
                text; those digits + 1, or 0; its coroutine, as a text
    workers     how many; of each: how many spans its row has; of each span: 0 if it is no hand-off's, else 1 + its
                outcome; then how long it queued for a place, when it was submitted, when it was woken + 1 (0: never),
                its processor time, its task + 1
    requests    how many; of each: its task + 1, how many messages, and of each message its words and its moment

Moments and durations are in nanoseconds; a moment is told as its distance from the one named beside it in `_workers`
and `_requests`. Texts and messages' words are tables of their own, as JSON in UTF-8.
"""

import json
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from playground.trace import Handoff, Site, Trace
from playground.trace.table import column
from playground.trace.tables import WORDS
from playground.views.lanes import Lanes
from playground.views.wording import one_line

__all__ = ["MOST_MESSAGES", "MOST_STEPS", "details"]

MOST_STEPS: Final = 100_000
MOST_MESSAGES: Final = 50_000
"""What is told of: three bytes a step, four to five a message, so that a million spans stay within 16 bytes a span."""
_MOST_TEXT: Final = 200  # characters of a name or a message's detail: the whole of it is in Python

_ENDINGS: Final = {
    "callback": "came to its end",
    "yields": "let the others run, and queued again",
    "returned": "returned; the task is over",
    "raised": "raised; the task is over",
    "cancelled": "was cancelled; the task is over",
    "waits": "waits",
    "timer": "waits for a timer",
    "io": "waits for I/O",
    "lock": "waits for a lock",
    "queue": "waits for a queue",
    "event": "waits for an event",
    "thread": "waits for a thread",
    "task": "waits for a task",
    "future": "waits for a future",
}
_ENDING: Final = {word: number for number, word in enumerate(_ENDINGS)}
_CAUSES: Final = ("", "a timer", "I/O", "a thread")
_CAUSE_OF: Final = {
    ("asyncio/futures.py", "_set_result_unless_cancelled"): 1,
    ("asyncio/timeouts.py", "Timeout._on_timeout"): 1,
    ("asyncio/futures.py", "_chain_future.<locals>._call_set_state"): 3,
    ("_backends/_asyncio.py", "WorkerThread._report_result"): 3,
}
_IO_FILE: Final = "asyncio/selector_events.py"
_OWN_PIPE: Final = "BaseSelectorEventLoop._read_from_self"  # a thread or a signal called the loop: I/O in name only


def details(trace: Trace, laid: Lanes) -> "tuple[Mapping[str, Any], Mapping[str, array[int]]]":
    """Header and columns for a packet of the timeline, beside those of its spans.

    Returns:
        a header with the words of endings, causes and outcomes, and the columns `details` and `texts`.
    """
    words = {"endings": list(_ENDINGS.values()), "causes": _CAUSES, "outcomes": WORDS["TaskOutcome"]}
    texts = _Texts()
    stream = bytearray()
    if any(laid.rows):
        tasks: dict[int, int] = {}
        _write(stream, _steps(trace, laid, tasks))
        _write(stream, _tasks(trace, tasks, texts))
        _write(stream, _workers(trace, laid, tasks))
        _write(stream, _requests(trace, tasks, texts))
    return {"told": words}, {"details": array("B", stream), "texts": array("B", texts.packed() if stream else b"")}


def _write(stream: bytearray, numbers: Iterator[int]) -> None:
    append = stream.append
    for number in numbers:
        rest = number
        while rest > 0x7F:
            append(rest & 0x7F | 0x80)
            rest >>= 7
        append(rest)


class _Texts:
    """Texts and messages, each combination once."""

    def __init__(self) -> None:
        self._strings: dict[str, int] = {}
        self._messages: dict[tuple[str, str, str], int] = {}

    def string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def message(self, direction: str, kind: str, detail: str) -> int:
        words = direction, one_line(kind, _MOST_TEXT), one_line(detail, _MOST_TEXT)
        return self._messages.setdefault(words, len(self._messages))

    def packed(self) -> bytes:
        return json.dumps([list(self._strings), list(self._messages)], ensure_ascii=False).encode("utf-8", "replace")


def _steps(trace: Trace, laid: Lanes, tasks: dict[int, int]) -> Iterator[int]:
    """Fills in `tasks`: the place of each in the order in which they first ran."""
    owners, wakers = column(trace.steps, "steps", "task"), column(trace.steps, "steps", "woken_by")
    count = min(len(trace.steps), MOST_STEPS)
    turns = [*laid.turns[: count + 1], len(laid.rows[0])]
    yield count
    last: dict[int, int] = {}
    for index, ending in enumerate(_endings(trace, count)):
        yield ending + 16 * (turns[index + 1] - turns[index])
        owner, waker = owners[index], wakers[index]
        if owner == 0:
            yield 0
        elif owner in last:
            yield 1 + index - last[owner]
        else:
            tasks[owner - 1] = len(tasks)
            yield 1
        last[owner] = index
        yield 3 + index - (waker - 1) if waker else _cause(None if owner else trace.steps[index].site)


def _endings(trace: Trace, count: int) -> Iterator[int]:
    """How each step ended; of one that waits, what for."""
    names = WORDS["StepOutcome"]
    starts, durations = column(trace.steps, "steps", "start_ns"), column(trace.steps, "steps", "duration_ns")
    owners, outcomes = column(trace.steps, "steps", "task"), column(trace.steps, "steps", "outcome")
    waits = _waits(trace)
    for index in range(count):
        name = names[outcomes[index]]
        begun = waits.get((owners[index], starts[index] + durations[index])) if name == "waits" else None
        yield _ENDING[begun.pop(0) if begun else name]


def _waits(trace: Trace) -> dict[tuple[int, int], list[str]]:
    """What each task waited for, by the task's pointer and the moment at which it began; in virtual time several."""
    fields = (column(trace.waits, "waits", field) for field in ("task", "start_ns", "on"))
    waits: dict[tuple[int, int], list[str]] = defaultdict(list)
    for task, start_ns, on in zip(*fields, strict=True):
        waits[task, start_ns].append(WORDS["WaitOn"][on])
    return waits


def _cause(site: Site | None) -> int:
    """What ran a callback that no step woke, by its definition; 0 if that does not tell."""
    if site is None:
        return 0
    file = "/".join(site.file.replace("\\", "/").split("/")[-2:])
    if file == _IO_FILE:
        return 0 if site.function == _OWN_PIPE else _CAUSES.index("I/O")
    return _CAUSE_OF.get((file, site.function), 0)


def _tasks(trace: Trace, tasks: Mapping[int, int], texts: _Texts) -> Iterator[int]:
    yield len(tasks)
    for index in tasks:
        task = trace.tasks[index]
        name = one_line(task.name, _MOST_TEXT)
        stem = name.rstrip("0123456789")
        digits = name[len(stem) :]
        if not digits or digits != str(int(digits[:12])):  # what a number would not give back stays text
            stem, digits = name, ""
        yield texts.string(stem)
        yield int(digits) + 1 if digits else 0
        yield texts.string(one_line(task.coroutine, _MOST_TEXT))


def _workers(trace: Trace, laid: Lanes, tasks: Mapping[int, int]) -> Iterator[int]:
    calls = {(call.thread, call.started_ns): call for call in trace.handoffs}
    workers = laid.of("worker")
    yield len(workers)
    for row in workers:
        yield len(row)
        for start_ns in row.starts:
            call = calls.get((row.lane, start_ns))
            if call is None or call.submitted_ns > start_ns:
                yield 0
            else:
                yield from _handoff(call, start_ns, tasks)


def _handoff(call: Handoff, start_ns: int, tasks: Mapping[int, int]) -> Iterator[int]:
    """Submitted is told back from the start, woken on from the end."""
    yield 1 + WORDS["TaskOutcome"].index(call.outcome)
    yield max(0, call.limiter_wait_ns)
    yield start_ns - call.submitted_ns
    known = call.ended_ns is not None and call.woken_ns is not None
    yield 1 + max(0, call.woken_ns - call.ended_ns) if known else 0  # type: ignore[operator]
    yield max(0, call.cpu_ns)
    yield 1 + tasks[call.task] if call.task in tasks else 0  # type: ignore[index]


def _requests(trace: Trace, tasks: Mapping[int, int], texts: _Texts) -> Iterator[int]:
    """A message's moment is told from the one before it, the first's from the request's start."""
    told, left = 0, MOST_MESSAGES
    for request in trace.requests:
        left -= len(request.messages)
        told += left >= 0
    yield told
    for request in trace.requests[:told]:
        yield 1 + tasks.get(request.task, -1) if request.task is not None else 0
        yield len(request.messages)
        at_ns = request.start_ns
        for message in request.messages:
            yield texts.message(message.direction, message.type, message.detail)
            yield max(0, message.at_ns - at_ns)
            at_ns = max(at_ns, message.at_ns)
