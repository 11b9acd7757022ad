"""The rules that find requests that failed: exceptions that the app let out, no answer, answers 5xx, nothing but 404.

It says what the recording holds: which exception left the app, what was sent and which route, if any, was named. Why an
app answers so is not recorded, and not guessed at.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Sequence
from typing import Final

from playground import errors
from playground.trace import Request, Trace
from playground.trace.tables import NO_INT
from playground.views.bulk import values
from playground.views.findings import Finding, Part, Rule, Severity, code, listed, plain, strong, text
from playground.views.wording import counted, is_error, one_line, request_label

__all__ = ["app_errors", "no_answers", "not_found", "server_errors"]

# What fits into code, see `findings.code`; and how much of another's text a finding repeats.
_AS_CODE: Final = 80
_LONG: Final = 200
# Our own errors end with what to do next, and are not cut.
_OURS: Final = frozenset(errors.__all__)

# What an app is told when its client has left, after which it need not answer.
_GONE: Final = frozenset({"http.disconnect", "websocket.disconnect"})

# The methods for which a lab has a method of its own.
_VERBS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def app_errors(trace: Trace, told: Container[int] = ()) -> list[Finding]:
    """One finding for each route and type of exception that left the app.

    Args:
        told: requests that another finding tells of, by index.
    """
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    places, words = values(trace, "requests", "error")
    for index, place in enumerate(places):
        if words[place] is not None and index not in told and is_error(request := trace.requests[index]):
            groups[request_label(request), _type(request)].append(index)
    return [_app_error(trace, label, indexes) for (label, _), indexes in groups.items()]


def _app_error(trace: Trace, label: str, indexes: list[int]) -> Finding:
    requests = [trace.requests[index] for index in indexes]
    texts = Counter(_first_line(request) for request in requests)
    first = _first_line(requests[0])
    all_of = _all_of(trace, len(indexes))
    told = [strong(f"{all_of} ended in an exception that the app let out."), text(" "), code(label), text(" raised ")]
    if len(texts) == 1:
        told += _quoted(first)
    else:
        told += [code(_type(requests[0])), text(f" with {len(texts):,} different texts, the first "), *_quoted(first)]
    return _finding(trace, "app-error", "bad", indexes, told, _see(requests[0]))


def _see(request: Request) -> list[Part]:
    """How to look at one such exception."""
    if request.method == "WEBSOCKET":
        return [text("Catch it in the app, and close the session with a code that says why.")]
    verb = f"{request.method.lower()}(" if request.method in _VERBS else f'request("{request.method}", '
    call = f'lab.{verb}"{request.path}")'
    return [text("To see its traceback, send such a request alone: "), code(call), text(".")]


def _quoted(error: str) -> list[Part]:
    """An exception and its text, to the end of the sentence. What is too long for code goes on as words."""
    kind, _, words = error.partition(": ")
    if len(one_line(error, len(error))) <= _AS_CODE or not words:
        return [code(error), text(". ")]
    whole = one_line(words, len(words))
    told = whole if kind in _OURS else _cut(whole)
    return [code(kind), text(f": {told}{'' if told[-1:] in '.!?…' else '.'} ")]


def _cut(words: str) -> str:
    """Words up to the end of the last that is all there; one that is longer than all that is cut where it must be."""
    if len(words) <= _LONG:
        return words
    kept = words[: _LONG + 1].rpartition(" ")[0] or words[:_LONG]
    return f"{kept.rstrip(' ,;:')} …"


def _type(request: Request) -> str:
    return _first_line(request).split(":")[0]


def _first_line(request: Request) -> str:
    return next(iter((request.error or "").splitlines()), "")


def no_answers(trace: Trace, told: Container[int] = ()) -> list[Finding]:
    """One finding for each route whose app returned without having sent anything, though its client was there.

    Args:
        told: requests that another finding tells of, by index.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index, status in enumerate(trace._column("requests", "status")):
        if status == NO_INT and index not in told and _is_unanswered(request := trace.requests[index]):
            groups[request_label(request)].append(index)
    return [_no_answer(trace, label, indexes) for label, indexes in groups.items()]


def _is_unanswered(request: Request) -> bool:
    if request.end_ns is None or request.error is not None:
        return False
    return not any(each.direction == "send" or each.type in _GONE for each in request.messages)


def _no_answer(trace: Trace, label: str, indexes: list[int]) -> Finding:
    told = [
        strong(f"{_all_of(trace, len(indexes))} ended without an answer."),
        text(" "),
        code(label),
        text(" returned and had sent nothing. "),
    ]
    of_session = trace.requests[indexes[0]].method == "WEBSOCKET"
    advice = "Accept the session, or close it," if of_session else "Send a response"
    return _finding(trace, "no-answer", "bad", indexes, told, [text(f"{advice} in every branch of the app.")])


def server_errors(trace: Trace, told: Container[int] = ()) -> list[Finding]:
    """One finding for each route and status from 500 on that was sent without an exception leaving the app.

    Args:
        told: requests that another finding tells of, by index.
    """
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for index, status in enumerate(trace._column("requests", "status")):
        if status >= 500 and index not in told and not is_error(request := trace.requests[index]):
            groups[request_label(request), status].append(index)
    return [_server_error(trace, label, status, indexes) for (label, status), indexes in groups.items()]


def _server_error(trace: Trace, label: str, status: int, indexes: list[int]) -> Finding:
    were = "was" if len(indexes) == 1 else "were"
    told = [
        strong(f"{_all_of(trace, len(indexes))} {were} answered {status}."),
        text(" "),
        code(label),
        text(" sent that itself: no exception left the app. "),
    ]
    advice = [text("Read what it says there: "), code("run.responses"), text(" holds the answers.")]
    return _finding(trace, "server-error", "note", indexes, told, advice)


def not_found(trace: Trace) -> list[Finding]:
    """A run in which every request was answered 404, for which a path that was mistyped is the usual reason."""
    requests = trace.requests
    if not requests or any(request.status != 404 or is_error(request) for request in requests):
        return []
    unrouted = Counter(request.path for request in requests if request.route is None)
    routed = Counter(request_label(request) for request in requests if request.route is not None)
    were = "was" if len(requests) == 1 else "were"
    told = [strong(f"{_all_of(trace, len(requests))} {were} answered 404.")]
    advice = [text("Look for what "), *listed(routed), text(" did not find.")]
    if routed:
        told += [text(" This is the answer of "), *listed(routed), text(".")]
    if unrouted:
        told += [text(" The app named no route for "), *listed(unrouted), text(".")]
        advice = [text(f"Compare the path{'' if len(unrouted) == 1 else 's'} with those of the app's routes.")]
    return [_finding(trace, "not-found", "note", range(len(requests)), [*told, text(" ")], advice)]


def _all_of(trace: Trace, count: int) -> str:
    """`The request`, `All 50 requests`, `3 of 50 requests`."""
    if count == len(trace.requests):
        return "The request" if count == 1 else f"All {count:,} requests"
    return f"{count:,} of {counted(len(trace.requests), 'request')}"


def _finding(
    trace: Trace, rule: Rule, severity: Severity, indexes: Sequence[int], told: list[Part], suggestion: list[Part]
) -> Finding:
    requests = [trace.requests[index] for index in indexes]
    return Finding(
        rule,
        severity,
        (*told, *suggestion),
        min(request.start_ns for request in requests),
        max(trace.duration_ns if request.end_ns is None else request.end_ns for request in requests),
        tuple(("requests", index) for index in indexes),
        plain(suggestion),
    )
