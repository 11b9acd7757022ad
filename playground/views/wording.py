"""How durations, counts and names read in every sentence and label that Python writes.

It decides spelling only: what is counted and which rows are named is the caller's business.
"""

from playground.trace import Request, Site, Trace

__all__ = ["code_text", "counted", "duration", "one_line", "place", "request_label", "summary"]

_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))
_MINUTE_NS = 60_000_000_000
# three digits: the eye compares no more, and the clocks of two machines agree on no more
_DIGITS = 3


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


def counted(number: int, noun: str) -> str:
    """`1 request`, `1,143 requests`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def request_label(request: Request) -> str:
    """What a request is called: its method and its route, or its path where the app named no route."""
    return f"{request.method} {request.route or request.path}".strip()


def one_line(text: str, limit: int = 80) -> str:
    """Text from an app on one line, without control characters, cut to `limit` characters."""
    flat = "".join(char if char.isprintable() else " " for char in text)
    flat = " ".join(flat.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def place(site: Site, limit: int = 60) -> str:
    """Where a line stands: `cell 3, line 24`; of a long path, its end."""
    file = one_line(site.file, len(site.file))
    return f"{file if len(file) <= limit else '…' + file[1 - limit :]}, line {site.line}"


def code_text(text: str) -> str:
    """`one_line` between backticks."""
    return f"`{one_line(text)}`"


def summary(trace: Trace) -> str:
    """One line on a run: `463 ms · 62 requests · 1,143 steps`."""
    told = counted(len(trace.requests), "request") if trace.requests else counted(len(trace.tasks), "task")
    line = f"{duration(trace.duration_ns)} · {told} · {counted(len(trace.steps), 'step')}"
    if trace.dropped:
        line += f" · {counted(trace.dropped, 'event')} dropped"
    return line
