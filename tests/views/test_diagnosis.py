"""What a diagnosis says of requests that failed, of whole runs, and how its findings read together."""

from collections import Counter
from dataclasses import replace

import pytest

from playground.trace import Step, Task, Trace
from playground.trace.looks import STARTING
from playground.views.blocked import loop_blocked
from playground.views.diagnosis import diagnose
from playground.views.failures import app_errors, not_found, server_errors
from playground.views.findings import Findings, listed, plain
from tests.by_hand import looks, ns
from tests.recordings import blocked_run, healthy_run
from tests.views.troubles import blocked, failed, only

# -- requests that failed -------------------------------------------------------------------------------


def test_an_exception_that_the_app_let_out_is_told_with_its_route_and_text() -> None:
    finding = only(failed(*["/b"] * 50, error="ValueError: on purpose\nin two lines", route="/b"))
    assert str(finding) == (
        "All 50 requests ended in an exception that the app let out. `GET /b` raised `ValueError: on purpose`. "
        'To see its traceback, send such a request alone: `lab.get("/b")`.'
    )
    assert (finding.rule, finding.severity) == ("app-error", "bad")
    assert (finding.start_ns, finding.end_ns) == (0, ns(54))
    assert finding.evidence == tuple(("requests", n) for n in range(50))
    assert finding.suggestion == 'To see its traceback, send such a request alone: `lab.get("/b")`.'


def test_exceptions_are_counted_by_route_and_type() -> None:
    trace = failed("/ok", "/b/1", "/b/2", "/ok", error="KeyError: 1", route="/b/{n}")
    requests = [replace(one, error=f"KeyError: {one.number}") if one.error else one for one in trace.requests]
    assert str(only(Trace(requests=requests))).startswith(
        "2 of 4 requests ended in an exception that the app let out. `GET /b/{n}` raised `KeyError` with 2 different "
        "texts, the first `KeyError: 1`. "
    )
    mixed = [requests[0], requests[1], replace(requests[2], error="ValueError")]
    assert len(app_errors(Trace(requests=mixed))) == 2


@pytest.mark.parametrize(
    ("method", "suggestion"),
    [
        ("POST", 'To see its traceback, send such a request alone: `lab.post("/b")`.'),
        ("QUERY", 'To see its traceback, send such a request alone: `lab.request("QUERY", "/b")`.'),
        ("WEBSOCKET", "Catch it in the app, and close the session with a code that says why."),
    ],
)
def test_an_exception_is_looked_at_in_the_way_of_its_method(method: str, suggestion: str) -> None:
    finding = only(failed("/b", status=None, error="OSError", method=method))
    assert str(finding) == (
        f"The request ended in an exception that the app let out. `{method} /b` raised `OSError`. {suggestion}"
    )


@pytest.mark.parametrize(
    "error", ["CancelledError", "CancelledError: the client left", "Cancelled", "ClientDisconnect"]
)
def test_a_request_that_was_cancelled_is_no_mistake_of_the_apps(error: str) -> None:
    assert diagnose(failed("/b", status=None, error=error)) == []


def test_answers_5xx_without_an_exception_are_noted() -> None:
    finding = only(failed("/ok", "/down", "/down", status=503))
    assert str(finding) == (
        "2 of 3 requests were answered 503. `GET /down` sent that itself: no exception left the app. "
        "Read what it says there: `run.responses` holds the answers."
    )
    assert (finding.rule, finding.severity) == ("server-error", "note")
    assert finding.evidence == (("requests", 1), ("requests", 2))
    assert "The request was answered 500." in str(server_errors(failed("/down"))[0])


def test_a_run_of_nothing_but_404_is_noted() -> None:
    finding = only(failed(*["/helo/Ada"] * 50, status=404))
    assert str(finding) == (
        "All 50 requests were answered 404. The app named no route for `/helo/Ada`. "
        "Compare the path with those of the app's routes."
    )
    assert (finding.rule, finding.severity) == ("not-found", "note")
    assert str(only(failed("/a", "/b", status=404))).endswith(
        "for `/a` and `/b`. Compare the paths with those of the app's routes."
    )


def test_a_404_of_a_route_is_the_routes_own() -> None:
    assert str(only(failed("/items/7", status=404, route="/items/{id}"))) == (
        "The request was answered 404. This is the answer of `GET /items/{id}`. "
        "Look for what `GET /items/{id}` did not find."
    )


def test_a_404_among_other_answers_is_not_noted() -> None:
    assert not_found(failed("/ok", "/helo", status=404)) == []
    assert not_found(Trace()) == []


# -- a list that reads as its sentences -----------------------------------------------------------------


def test_findings_are_a_list_that_reads_as_paragraphs_of_at_most_80_columns() -> None:
    found = diagnose(blocked_run())
    assert isinstance(found, Findings)
    assert isinstance(found, list)
    assert repr(found).split("\n\n")[0] == (
        "The event loop stood still for 230 ms. `GET /report` ran `df.to_csv()` on the\n"
        "loop (cell 3, line 24); 36 requests waited behind it. Instead,\n"
        "`await asyncio.to_thread(...)`."
    )
    assert [" ".join(paragraph.split()) for paragraph in repr(found).split("\n\n")] == [str(one) for one in found]


def test_no_findings_say_what_was_looked_for() -> None:
    assert repr(diagnose(Trace())) == (
        "No findings: nothing held the event loop for long, no call queued for a thread\n"
        "or came back late, and no exception left the app."
    )


def test_no_findings_in_virtual_time_say_what_could_not_be_seen_in_it() -> None:
    assert repr(diagnose(Trace(clock="virtual"))) == (
        "No findings: nothing held the event loop for long, no call queued for a thread\n"
        "or came back late, and no exception left the app. In virtual time computing\n"
        "takes none, but in playground.work or where Lab(app, charge_cpu=True) counts it:\n"
        "real time shows what computes for long."
    )


# -- whole runs -----------------------------------------------------------------------------------------


def test_a_healthy_run_has_no_findings() -> None:
    assert diagnose(healthy_run()) == []
    assert diagnose(Trace()) == []


def test_a_blocked_run_is_diagnosed_worst_first() -> None:
    findings = diagnose(blocked_run())
    assert [(one.rule, one.severity) for one in findings] == [
        ("loop-blocked", "bad"),
        ("late-wake", "note"),
        ("thread-queue", "note"),  # two calls, for 13 ms at most
    ]
    assert str(findings[0]) == (
        "The event loop stood still for 230 ms. `GET /report` ran `df.to_csv()` on the loop (cell 3, line 24); "
        "36 requests waited behind it. Instead, `await asyncio.to_thread(...)`."
    )


def test_names_from_the_app_stay_on_one_line() -> None:
    steps = [Step(0, 0, ns(60), None, "returned", None)]
    trace = Trace(tasks=[Task("t", "evil\n# heading\x1b[2J", None, 0, None, "returned")], steps=steps)
    assert "The task `evil # heading [2J` ran" in str(loop_blocked(trace)[0])


def test_names_are_listed_by_how_often_they_came() -> None:
    assert plain(listed(Counter("a"))) == "`a`"
    assert plain(listed(Counter("bbaaac"))) == "`a`, `b` and `c`"
    assert plain(listed(Counter("bbaaacd"))) == "`a`, `b` and 2 others"


def test_a_step_that_waited_for_a_new_thread_to_come_up_is_nobodys_mistake() -> None:
    seen = [replace(look, library=STARTING) for look in looks(0, 20, 100, 200)]
    assert diagnose(blocked(samples=seen)) == []
    mostly_not = [*seen[:1], *looks(0, 100, 200)]
    assert only(blocked(samples=mostly_not)).rule == "loop-blocked"
