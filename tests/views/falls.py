"""Requests written by hand, to be drawn from top to bottom."""

from dataclasses import replace

from playground.trace import Message, Request, Site, Span, SpanKind, Trace
from playground.views.waterfall import Waterfall, part_words, percent
from tests.by_hand import MS, handoff, looks, ns, request, step, task, wait

NASTY = "<img src=x onerror=alert(1)></script><b>&\"'\x1b[31m\u202e\udce9"
"""Markup, control characters, a mark that turns words around, and half of a surrogate pair, as of a path no UTF-8."""


def span(
    kind: SpanKind, name: str, start_ms: float, end_ms: float | None, *, parent: int | None = None, task: int = 0
) -> Span:
    return Span(0, kind, name, ns(start_ms), None if end_ms is None else ns(end_ms), parent, task, None)


def message(way: str, kind: str, at_ms: float, detail: str = "") -> Message:
    return Message("receive" if way == "receive" else "send", kind, ns(at_ms), detail)


def export() -> Trace:
    """A request through two middlewares, whose handler hands a call to a thread and is held up by another request."""
    row = request(25, 100, 352, task=0, path="/export", route="/export", handoffs=(0,))
    told = (
        message("receive", "http.request", 101, "0 bytes"),
        message("send", "http.response.start", 350, "status 200"),
        message("send", "http.response.body", 350.5, "48,000 bytes"),
    )
    return Trace(
        tasks=[task(100), task(90)],
        steps=[step(0, 100, 10, site=Site("cell 3", 33, "export")), step(1, 115, 225), step(0, 341, 11, "returned")],
        waits=[wait(0, 110, 339, "thread")],
        samples=looks(1, 200, 300),
        handoffs=[handoff(111, 112, 130, 341, task=0, queued_ms=1)],
        requests=[replace(row, messages=told), request(26, 90, 345, task=1, path="/report")],
        spans=[
            span("middleware", "TimingMiddleware", 101, 351),
            span("middleware", "AuthMiddleware", 102, 350, parent=0),
            span("routing", "Router", 103, 104, parent=1),
            span("handler", "export", 104, 348, parent=1),
            span("response", "PlainTextResponse", 348, 350, parent=1),
        ],
    )


def told_shares(fall: Waterfall) -> list[tuple[str, str, float]]:
    return [(part_words(share), percent(share.ns, fall.duration_ns), share.ns / MS) for share in fall.shares]


def streaming(count: int) -> Trace:
    """A response of many parts, each sent in a step of its own."""
    sent = tuple(message("send", "http.response.body", n, "10 bytes, more to come") for n in range(count))
    return Trace(
        tasks=[task()],
        steps=[step(0, n, 0.5) for n in range(count)],
        waits=[wait(0, n + 0.5, n + 0.9, "timer") for n in range(count)],
        requests=[replace(request(0, 0, count, task=0), messages=sent)],
    )


NOT_RECORDED = "The query, the headers, the client and the contents of bodies are not recorded."

PENDING = Trace(requests=[request(0, 0, None)], clock="virtual", dropped=5)


def nasty() -> Trace:
    """A request all of whose names, messages and errors hold markup."""
    row = Request(
        0, "GET", f"/{NASTY}", NASTY, 500, 0, ns(70), 0, (0,), (message("send", NASTY, 5, NASTY),), f"E: {NASTY}"
    )
    site = Site(NASTY, 1, NASTY, NASTY)
    return Trace(
        tasks=[task(coroutine=NASTY, name=NASTY), task(coroutine=NASTY)],
        steps=[step(0, 0, 1, site=site), step(1, 1, 60, site=site), step(0, 65, 5, "returned", site=site)],
        waits=[wait(0, 1, 40, "io", site)],
        samples=looks(1, 20, 40, site=site, call=NASTY),
        handoffs=[handoff(1, 2, 5, 6, task=0, function=NASTY)],
        requests=[row],
        spans=[span("handler", NASTY, 0, 70)],
        title=NASTY,
    )
