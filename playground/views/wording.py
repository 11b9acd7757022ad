"""How durations, counts and names read in every sentence and label that Python writes.

It decides spelling only: what is counted and which rows are named is the caller's business.
"""

from collections import Counter
from statistics import median
from typing import Final

from playground.trace import Request, Site, Trace
from playground.trace.tables import NO_INT
from playground.views.bulk import numbers, values
from playground.views.nobodys import shown_tasks
from playground.views.remembered import remembered

__all__ = [
    "FAILED_MARK",
    "FAILED_WORDS",
    "RAISED_WORDS",
    "code_text",
    "counted",
    "duration",
    "failure",
    "is_error",
    "let_go",
    "one_line",
    "part_of",
    "place",
    "request_label",
    "summary",
]

# of looks, spans and messages nobody asks how many there were
_KEPT_BESIDE: Final = {"requests": "request", "tasks": "task", "handoffs": "hand-off"}
_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))
_MINUTE_NS = 60_000_000_000
# three digits: the eye compares no more, and the clocks of two machines agree on no more
_DIGITS = 3

FAILED_MARK: Final = "×"
FAILED_WORDS: Final = "failed: 4xx, 5xx or an exception"
RAISED_WORDS: Final = "raised an exception"
"""The same of a task."""
# What a task is told when nobody wants its result any more, by asyncio, by trio, and by a response whose client has
# left (that of `web.requests`, and Starlette's): no mistake of the app's.
_CANCELLED: Final = ("CancelledError", "Cancelled", "ClientDisconnect")
# How many times as much as is shown of a text is looked at: half of it may be spaces, which become one.
_TIMES: Final = 8
# More kinds of answer than this make a line that is not read.
_MOST_KINDS: Final = 3


def duration(ns: int) -> str:
    """A duration in three significant digits: `463 ms`, `1.2 s`, `84 µs`, `2 min 5 s`, `1 h 12 min`."""
    if ns < 0:
        return f"-{duration(-ns)}"
    if ns >= _MINUTE_NS - 50_000_000:  # 59.95 s and more would round to 60 s
        return _long(ns)
    for size, unit in _UNITS:
        value = float(f"{ns / size:.{_DIGITS}g}")
        if value >= 1:
            return f"{value:g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
    return "0 ms"


def _long(ns: int) -> str:
    seconds = round(ns / 1_000_000_000)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")][:2] if hours else [(minutes, "min"), (seconds, "s")]
    return " ".join(f"{value} {unit}" for value, unit in parts if value)


def part_of(part_ns: int, all_ns: int) -> str:
    """A part of a duration: `80 of 230 ms`, `950 ms of 2 s`."""
    part, whole = duration(part_ns), duration(all_ns)
    number, unit = part.split(" ", 1)
    return f"{number if whole.endswith(f' {unit}') and ' ' not in unit else part} of {whole}"


def counted(number: int, noun: str) -> str:
    """`1 request`, `1,143 requests`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def let_go(trace: Trace) -> str:
    """What the recorder dropped: `1,234 events, the oldest, and with them 3 requests and 12 tasks`."""
    told = [counted(trace.forgotten[kind], noun) for kind, noun in _KEPT_BESIDE.items() if kind in trace.forgotten]
    with_them = (
        f", and with them {' and '.join([', '.join(told[:-1]), told[-1]] if told[:-1] else told)}" if told else ""
    )
    return f"{counted(trace.dropped, 'event')}, the oldest{with_them}"


def request_label(request: Request) -> str:
    """What a request is called: its method and its route, or its path where the app named no route."""
    return label(request.method, request.route, request.path)


def label(method: str, route: str | None, path: str) -> str:
    """The same, from the fields that it takes."""
    return f"{method} {route or path}".strip()


def is_error(request: Request) -> bool:
    """Whether the app let out an exception that is a mistake of its own: not word that it was cancelled, or left."""
    return is_mistake(request.error)


def is_mistake(error: str | None) -> bool:
    """Whether an exception that left the app is a mistake of its own."""
    return error is not None and error.split(":")[0] not in _CANCELLED


def failure(request: Request) -> str:
    """How a request failed: its status from 400 on, `error` for an exception without one; empty if it did not."""
    return failed(request.status, request.error)


def failed(status: int | None, error: str | None) -> str:
    """The same, from the fields that it takes."""
    if status is not None and status >= 400:
        return str(status)
    return "error" if is_mistake(error) else ""


def one_line(text: str, limit: int = 80) -> str:
    """Text from an app on one line, without control characters, cut to `limit` characters.

    Of a text that is longer by far only the beginning is looked at: it may be megabytes.
    """
    if len(text) <= limit and text.isprintable() and "  " not in text and text == text.strip():
        return text  # as most is
    looked_at = text[: _TIMES * limit]
    flat = "".join(char if char.isprintable() else " " for char in looked_at)
    flat = " ".join(flat.split())
    return flat if len(flat) <= limit and len(looked_at) == len(text) else flat[: limit - 1] + "…"


def place(site: Site, limit: int = 60) -> str:
    """Where a line stands: `cell 3, line 24`; of a long path, its end."""
    file = one_line(site.file[-_TIMES * limit :], _TIMES * limit)
    return f"{file if len(file) <= limit else '…' + file[1 - limit :]}, line {site.line}"


def code_text(text: str) -> str:
    """`one_line` between backticks."""
    return f"`{one_line(text)}`"


@remembered
def summary(trace: Trace) -> str:
    """One line on a run: `272 ms · 50 requests, 2 answered 404 (median 224 ms, longest 271 ms) · 210 steps`."""
    told = _requests(trace) if trace.requests else counted(len(shown_tasks(trace)), "task")
    if trace.jobs:
        told = _jobs(trace)
    line = f"{duration(trace.duration_ns)} · {told}"
    if trace.steps or not trace.jobs:
        line += f" · {counted(len(trace.steps), 'step')}"
    if trace.dropped:
        line += f" · {counted(trace.dropped, 'event')} dropped"
    return line


def _jobs(trace: Trace) -> str:
    """`20 jobs, up to 6 at once, 1 raised, on 4 workers`."""
    ends = Counter(job.outcome for job in trace.jobs)
    failed = [f"{count:,} {how}" for how, count in (("raised", ends["raised"]), ("not over", ends["pending"])) if count]
    workers = len({segment.worker for segment in trace.segments})
    on = [f"on {counted(workers, 'worker')}"] if workers else []
    return ", ".join([counted(len(trace.jobs), "job"), f"up to {trace.max_overlap:,} at once", *failed, *on])


def _requests(trace: Trace) -> str:
    told = [counted(len(trace.requests), "request"), *_failures(trace)]
    spans = zip(numbers(trace, "requests", "start_ns"), numbers(trace, "requests", "end_ns"), strict=True)
    lengths = [end_ns - start_ns for start_ns, end_ns in spans if end_ns != NO_INT]
    if len(lengths) < len(trace.requests):
        told.append(f"{len(trace.requests) - len(lengths):,} not over")
    latency = ""
    if len(lengths) == 1:
        latency = f" ({duration(lengths[0])})"
    elif lengths:
        latency = f" (median {duration(round(median(lengths)))}, longest {duration(max(lengths))})"
    return ", ".join(told) + latency


def _failures(trace: Trace) -> list[str]:
    """`2 answered 404`, `1 failed`; where there are many kinds, one count of all."""
    errors, words = values(trace, "requests", "error")
    answers = Counter(zip(numbers(trace, "requests", "status"), errors, strict=True))
    kinds: Counter[str] = Counter()
    for (status, error), count in answers.items():
        kinds[failed(None if status == NO_INT else status, words[error])] += count
    del kinds[""]
    if len(kinds) > _MOST_KINDS:
        return [f"{kinds.total():,} failed"]
    return [f"{kinds[kind]:,} {'failed' if kind == 'error' else f'answered {kind}'}" for kind in sorted(kinds)]
