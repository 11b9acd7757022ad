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
                text; 0 if there are none, else 1 + their step from those told last; its coroutine, as a text
    workers     how many; of each: how many spans its row has; of each span: 0 if it is no hand-off's, else 1 + its
                outcome; then how long it queued for a place, when it was submitted, when it was woken + 1 (0: never),
                its processor time, its task + 1
    requests    how many (of tasks, where these have the lanes); the step from the task + 1 of each to that of the next,
                the first from 0; how many messages each has; the words of each message; its moment

A step is told as twice its length, less 1 if it goes down: numbers that go up by ones deflate to next to nothing, and
so does what stands beside its like. Moments and durations are in nanoseconds; a moment is told as its distance from
the one named beside it in `_workers` and `_requests`. Texts and messages' words are tables of their own, as JSON in
UTF-8.
"""

import json
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import accumulate, chain
from typing import Any, Final

from playground.trace import Site, Trace
from playground.trace.steps import WAITING
from playground.trace.table import column
from playground.trace.tables import NO_INT, WORDS
from playground.views.bulk import message_counts, messages, numbers, values
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
_OUTCOMES: Final = [_ENDING[word] for word in WORDS["StepOutcome"]]
_WAITS: Final = [_ENDING[word] for word in WORDS["WaitOn"]]
_CALL: Final = (
    "thread",
    "started_ns",
    "submitted_ns",
    "ended_ns",
    "woken_ns",
    "limiter_wait_ns",
    "cpu_ns",
    "task",
    "outcome",
)
_CAUSES: Final = ("", "a timer", "I/O", "a thread")
_CAUSE_OF: Final = {
    ("asyncio/tasks.py", "_release_waiter"): 1,
    ("asyncio/timeouts.py", "Timeout._on_timeout"): 1,
    ("_backends/_asyncio.py", "CancelScope._timeout"): 1,
    ("asyncio/futures.py", "_chain_future.<locals>._set_state"): 3,
    ("_backends/_asyncio.py", "WorkerThread._report_result"): 3,
}
_TIMER: Final = 1
# Ends a sleep, and from 3.12 on tells from a thread that the executor has shut down: a timer only if a sleep ended.
_SLEEP_ENDS: Final = ("asyncio/futures.py", "_set_result_unless_cancelled")
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
        _write(stream, _requests(trace, tasks, texts) if laid.noun == "request" else _lives(laid, tasks))
    return {"told": words}, {"details": array("B", stream), "texts": array("B", texts.packed() if stream else b"")}


def _write(stream: bytearray, numbers: Iterator[int]) -> None:
    stream += b"".join(map(_LEB128.__getitem__, numbers))


class _Leb128(dict[int, bytes]):
    """Numbers as they are written; those of up to two bytes are kept, for most are, and come again."""

    def __missing__(self, number: int) -> bytes:
        written = bytearray()
        rest = number
        while rest > 0x7F:
            written.append(rest & 0x7F | 0x80)
            rest >>= 7
        written.append(rest)
        if len(written) <= 2:
            self[number] = bytes(written)
        return bytes(written)


_LEB128: Final = _Leb128()


class _Texts:
    """Texts and messages, each combination once."""

    def __init__(self) -> None:
        self._strings: dict[str, int] = {}
        self._messages: dict[tuple[str, str, str], int] = {}
        self._said: dict[tuple[str, str, str], int] = {}  # the same as the app said them

    def string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def message(self, direction: str, kind: str, detail: str) -> int:
        said = direction, kind, detail
        if said not in self._said:
            words = direction, one_line(kind, _MOST_TEXT), one_line(detail, _MOST_TEXT)
            self._said[said] = self._messages.setdefault(words, len(self._messages))
        return self._said[said]

    def packed(self) -> bytes:
        return json.dumps([list(self._strings), list(self._messages)], ensure_ascii=False).encode("utf-8", "replace")


def _steps(trace: Trace, laid: Lanes, tasks: dict[int, int]) -> Iterator[int]:
    """Fills in `tasks`: the place of each in the order in which they first ran."""
    owners, wakers = column(trace.steps, "steps", "task"), column(trace.steps, "steps", "woken_by")
    count = min(len(trace.steps), MOST_STEPS)
    turns = [*laid.turns[: count + 1], len(laid.rows[0])]
    endings = list(_endings(trace, count))
    doubtful: set[int] = set()
    told: list[int] = [count]
    last: dict[int, int] = {}
    for index, ending in enumerate(endings):
        owner, waker = owners[index], wakers[index]
        before = last.get(owner) if owner else None
        if owner and before is None:
            tasks[owner - 1] = len(tasks)
        if waker - 1 in doubtful and before is not None and endings[before] == _ENDING["timer"]:
            told[3 * waker] = _TIMER  # the last number of the waker's three
        last[owner] = index
        told.append(ending + 16 * (turns[index + 1] - turns[index]))
        told.append(0 if not owner else 1 if before is None else 1 + index - before)
        told.append(3 + index - (waker - 1) if waker else 0)
        if not owner and not waker:
            place = _place(trace.steps[index].site)
            told[-1] = _cause(*place)
            if place == _SLEEP_ENDS:
                doubtful.add(index)
    yield from told


def _endings(trace: Trace, count: int) -> Iterator[int]:
    """How each step ended; of one that waits, what for."""
    fields = (column(trace.steps, "steps", field)[:count] for field in ("start_ns", "duration_ns", "task", "outcome"))
    steps = list(zip(*fields, strict=True))
    until_ns = max((start_ns + duration_ns for start_ns, duration_ns, _, _ in steps), default=0)
    waits = _waits(trace, until_ns)
    for start_ns, duration_ns, owner, outcome in steps:
        begun = waits.get((owner, start_ns + duration_ns)) if outcome == WAITING else None
        yield begun.pop(0) if begun else _OUTCOMES[outcome]


def _waits(trace: Trace, until_ns: int) -> dict[tuple[int, int], list[int]]:
    """What each task waited for, by the task's pointer and the moment at which it began; in virtual time several."""
    fields = (column(trace.waits, "waits", field) for field in ("task", "start_ns", "on"))
    waits: dict[tuple[int, int], list[int]] = defaultdict(list)
    for task, start_ns, on in zip(*fields, strict=True):
        if start_ns <= until_ns:
            waits[task, start_ns].append(_WAITS[on])
    return waits


def _place(site: Site | None) -> tuple[str, str]:
    """Where a callback is defined: the end of the file's path, and the function."""
    return ("", "") if site is None else ("/".join(site.file.replace("\\", "/").split("/")[-2:]), site.function)


def _cause(file: str, function: str) -> int:
    """What ran a callback that no step woke, by its definition; 0 if that alone does not tell."""
    if file == _IO_FILE:
        return 0 if function == _OWN_PIPE else _CAUSES.index("I/O")
    return _CAUSE_OF.get((file, function), 0)


def _tasks(trace: Trace, tasks: Mapping[int, int], texts: _Texts) -> Iterator[int]:
    names, known = values(trace, "tasks", "name")
    coroutines, functions = values(trace, "tasks", "coroutine")
    yield len(tasks)
    last = 0
    for index in tasks:
        name = one_line(known[names[index]], _MOST_TEXT)
        stem = name.rstrip("0123456789")
        digits = name[len(stem) :]
        if not digits or digits != str(int(digits[:12])):  # what a number would not give back stays text
            stem, digits = name, ""
        yield texts.string(stem)
        number = int(digits or last)
        yield 1 + _step(number - last) if digits else 0
        last = number
        yield texts.string(one_line(functions[coroutines[index]], _MOST_TEXT))


def _workers(trace: Trace, laid: Lanes, tasks: Mapping[int, int]) -> Iterator[int]:
    calls = {
        (call[0], call[1]): call for call in zip(*(numbers(trace, "handoffs", field) for field in _CALL), strict=True)
    }
    workers = laid.of("worker")
    yield len(workers)
    for row in workers:
        yield len(row)
        for start_ns in row.starts:
            call = calls.get((row.lane, start_ns))
            if call is None or call[2] > start_ns:
                yield 0
            else:
                yield from _handoff(call, tasks)


def _handoff(call: tuple[int, ...], tasks: Mapping[int, int]) -> Iterator[int]:
    """Submitted is told back from the start, woken on from the end."""
    _, started_ns, submitted_ns, ended_ns, woken_ns, queued_ns, cpu_ns, task, outcome = call
    yield 1 + outcome
    yield max(0, queued_ns)
    yield started_ns - submitted_ns
    yield 0 if NO_INT in (ended_ns, woken_ns) else 1 + max(0, woken_ns - ended_ns)
    yield max(0, cpu_ns)
    yield 1 + tasks.get(task - 1, -1)


def _requests(trace: Trace, tasks: Mapping[int, int], texts: _Texts) -> Iterator[int]:
    """A message's moment is told from the one before it, the first's from the request's start."""
    told = bisect_right(list(accumulate(message_counts(trace))), MOST_MESSAGES)
    yield told
    owners = [1 + tasks.get(owner - 1, -1) for owner in numbers(trace, "requests", "task")[:told]]
    yield from (_step(owner - before) for owner, before in zip(owners, [0, *owners], strict=False))
    exchanged = list(messages(trace, told))
    yield from map(len, exchanged)
    for direction, kind, _, detail in chain.from_iterable(exchanged):
        yield texts.message(direction, kind, detail)
    for last_ns, sent in zip(numbers(trace, "requests", "start_ns"), exchanged, strict=False):
        at_ns = last_ns
        for _, _, moment_ns, _ in sent:
            yield max(0, moment_ns - at_ns)
            at_ns = max(at_ns, moment_ns)


def _lives(laid: Lanes, tasks: Mapping[int, int]) -> Iterator[int]:
    """The same of tasks, which exchange nothing: a task is told as its own."""
    yield len(laid.requests)
    owners = [1 + tasks.get(facts.number, -1) for facts in laid.requests]
    yield from (_step(owner - before) for owner, before in zip(owners, [0, *owners], strict=False))
    yield from (0 for _ in owners)


def _step(length: int) -> int:
    return 2 * length if length >= 0 else -2 * length - 1
