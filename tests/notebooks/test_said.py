"""What the notebooks say of a run is so in the run, cell by cell: in virtual time to the millisecond."""

import json
import re
from typing import Any

import pytest

from tests.notebooks.conftest import Run
from tests.notebooks.lessons import lesson, texts, value

pytestmark = pytest.mark.slow


def median_ms(line: str) -> float:
    """The median that a run's summary tells, which these runs tell in milliseconds."""
    return float(re.findall(r"median ([\d.]+) ms", line)[0])


# -- 00 -------------------------------------------------------------------------------------------------------

PROBE = """
import json
blocks = [(block.duration_ns, block.site.line, block.call) for block in run.trace.blocks()]
print(json.dumps({"handoffs": len(run.trace.handoffs), "blocks": blocks, "mended": len(mended.diagnosis)}))
"""


def test_the_first_notebook_shows_a_timeline_and_names_the_line_that_blocks(run: Run) -> None:
    cells = run(lesson("00"), probe=PROBE)
    (shown,) = (output.data for output in cells["send-fifty"].outputs if output.output_type == "execute_result")
    assert set(shown) == {"text/plain", "image/svg+xml"}  # nbclient shows no widget: see `widgets.audience`

    line = 1 + cells["define-app"].source.splitlines().index("    time.sleep(0.2)")
    assert f"`time.sleep(0.2)` on the loop (cell 1, line {line})" in " ".join(value(cells["diagnosis"]).split())

    facts = json.loads(texts(cells["probe"], "stdout"))
    ((blocked_ns, blocked_line, call),) = facts["blocks"]
    assert (blocked_line, call) == (line, "time.sleep(0.2)")
    assert blocked_ns == pytest.approx(200e6, abs=5e6)
    exports = [index for index in range(50) if index % 10 == 0 and index != 10]
    assert facts["handoffs"] == len(exports)
    assert facts["mended"] == 0


def test_the_first_notebook_answers_its_predictions_with_numbers(run: Run) -> None:
    probe = "print(sum(step.duration_ns for step in one.trace.steps) / one.trace.duration_ns)"
    cells = run(lesson("00"), probe=probe)
    assert float(texts(cells["probe"], "stdout")) < 0.15  # "a few per cent, or less"; with air for a busy machine
    before, after = texts(cells["compare"], "stdout").splitlines()
    assert median_ms(before) > 200
    assert 20 <= median_ms(after) < 100  # "little more than its 20 ms", likewise
    assert value(cells["compare"]).startswith("No findings: nothing held the event loop for long")


# -- 08 to 10 -------------------------------------------------------------------------------------------------

FACTS = """
import json
from playground.views.evidence import answered_ns

def facts(run):
    return {
        "answered_ms": {path: sorted({answered_ns(each) / 1e6 for each in run.requests if each.path == path})
                        for path in {each.path for each in run.requests}},
        "threads": len({handoff.thread for handoff in run.trace.handoffs}),
        "handoffs": [handoff.function for handoff in run.trace.handoffs],
        "blocks": [(block.call, block.duration_ns / 1e6) for block in run.trace.blocks()],
        "ended_s": {task.coroutine: task.ended_ns / 1e9 for task in run.trace.tasks if task.ended_ns is not None},
        "whole_s": run.trace.duration_ns / 1e9,
    }

print(json.dumps({name: facts(run) for name, run in list(globals().items()) if type(run).__name__ == "Run"
                  and run.trace.clock == "virtual" and name[0] != "_"}))
"""


def told(cells: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the probe tells of each virtual run, by its name in the notebook."""
    facts: dict[str, dict[str, Any]] = json.loads(texts(cells["probe"], "stdout"))
    return facts


def test_lesson_8_has_the_turns_and_the_moments_that_it_names(run: Run) -> None:
    cells = run(lesson("08"), probe=FACTS)
    assert texts(cells["call-it"], "stdout") == ""
    assert (texts(cells["await-it"], "stdout"), value(cells["await-it"])) == ("hello\n", "'done'")
    assert texts(cells["nested"], "stdout") == "3 in 1 step\n"
    assert value(cells["turns-in-a-line"]) == "'experiment → a → b → a → b → a → b → experiment'"
    assert texts(cells["what-it-gave"], "stdout") == "['tea', 'toast']\n"
    assert "waited 2 times in a row for a timer" in " ".join(value(cells["diagnosis-row"]).split())

    runs = told(cells)
    assert {name: runs[name]["whole_s"] for name in ("row", "together", "late", "hog")} == {
        "row": 5,
        "together": 3,
        "late": 5,
        "hog": 4,
    }
    assert runs["together"]["ended_s"] == {"toast": 2, "tea": 3, "both": 3}
    assert runs["hog"]["ended_s"]["toast"] == 4
    assert runs["hog"]["blocks"] == [["work(4)", 4000]]


def test_lesson_9_stalls_and_mends_as_its_prose_reckons(run: Run) -> None:
    cells = run(lesson("09"), probe=FACTS)
    runs = told(cells)
    assert {name: facts["answered_ms"] for name, facts in runs.items()} == {
        "calm": {"/hello": [20]},
        "stalled": {"/report": [200], "/hello": [220]},
        "behind": {"/report": [200], "/hello": [200]},
        "plain": {"/report/plain": [200], "/hello": [20]},
        "awaits": {"/report/awaits": [200], "/hello": [20]},
        "thread": {"/report/thread": [200], "/hello": [20]},
        "on_loop": {"/sum": [300], "/hello": [320]},
        "in_thread": {"/sum/plain": [300], "/hello": [20]},
    }
    blocked = {name: facts["blocks"] for name, facts in runs.items() if facts["blocks"]}
    sleeps = [["time.sleep(0.2)", 200]]
    assert blocked == {"stalled": sleeps, "behind": sleeps, "on_loop": [["work(0.3)", 300]]}
    assert {name: facts["threads"] for name, facts in runs.items() if facts["threads"]} == {
        "plain": 1,
        "thread": 1,
        "in_thread": 1,
    }


def test_lesson_9_shows_who_stands_in_the_queue_and_where_a_hello_spends_its_time(run: Run) -> None:
    cells = run(lesson("09"))
    line = 1 + cells["define-app"].source.splitlines().index("    time.sleep(0.2)")
    assert f"(cell 2, line {line}); 4 requests waited behind it" in " ".join(value(cells["diagnosis"]).split())
    assert "as it ends the ready queue holds 5" in value(cells["play"])  # four hellos and a callback
    assert "spent 200 of 220 ms ready, while `GET /report` (request 0) held the loop" in value(cells["one-hello"])
    assert value(cells["picture-again"]) == value(cells["one-report"])


def test_lesson_10_hands_over_by_kind_and_sends_what_it_says(run: Run) -> None:
    cells = run(lesson("10"), probe=FACTS)
    runs = told(cells)
    for name in ("six", "same"):
        assert (runs[name]["handoffs"], runs[name]["threads"]) == (["blocks"] * 3, 3)
        assert runs[name]["answered_ms"] == {"/blocks": [100], "/waits": [100]}
    assert runs["once"]["handoffs"] == ["quick"]
    assert runs["in_threads"]["answered_ms"] == {"/blocks": [100, 200]}
    assert runs["on_loop"]["answered_ms"] == {"/waits": [100]}
    assert value(cells["diagnosis-places"]).startswith("2 of 6 calls queued for a worker thread")

    assert texts(cells["by-hand"], "stdout") == "GET /tea b'cups=2'\n"
    assert re.findall(r"http\.response\.\w+", value(cells["messages"])) == ["http.response.start", "http.response.body"]
    (error,) = cells["body-only"].outputs
    assert error.ename == "ProtocolError"
    assert error.evalue == (
        "GET /: expected `http.response.start`, but the app sent `http.response.body`. Send the status and the headers "
        "first, then the body."
    )
    assert runs["stream"]["whole_s"] == 3
    received = re.findall(r"'body': (b'.*?'), 'more_body': (\w+)", texts(cells["send-upload"], "stdout"))
    assert received == [("b'half '", "True"), ("b'and half'", "True"), ("b''", "False")]


# -- 04, 05 and 11 --------------------------------------------------------------------------------------------


def longest_ms(line: str) -> float:
    """The longest request that a run's summary tells of."""
    number, unit = re.findall(r"longest ([\d.]+) (m?s)\b", line)[0]
    return float(number) * (1 if unit == "ms" else 1000)


def test_lesson_4_loses_what_it_says_and_no_more(run: Run) -> None:
    cells = run(lesson("04"), probe=FACTS)
    assert texts(cells["five-visits"], "stdout") == f"{['You are number 1'] * 5}\n"
    assert re.search(r"^ 3 +0 ms  GET /visit #1 begins, runs, then awaits", value(cells["play-two"]), re.MULTILINE)
    assert [texts(cells[name], "stdout") for name in ("five-without-a-gap", "five-locked")] == ["5\n"] * 2
    assert {name: facts["whole_s"] for name, facts in told(cells).items()} == {
        "run": 0.1,
        "no_gap": 0.1,
        "locked": 0.5,
        "slow_run": 0.5,
        "quick_run": 0.1,
    }
    assert value(cells["five-hits"]) == "5"
    counted = json.loads(value(cells["ten-seeds"]))
    assert len(counted) == 10
    assert min(counted) < 5 == max(counted)
    assert value(cells["same-seeds"]) == "True"


def test_lesson_4_ends_in_a_ring_and_without_one(run: Run) -> None:
    cells = run(lesson("04"))
    stuck = texts(cells["both-at-once"], "stdout")
    line = 1 + cells["two-locks"].source.splitlines().index("        async with second:")
    assert re.findall(r"task '(.*)' waits at cell \d+, line (\d+) in take", stuck) == [
        ("GET /left-right", str(line)),
        ("GET /right-left", str(line)),
    ]
    waits = re.findall(
        r"GET (\S+) #\d runs, then waits at `async with second:` \(lock\)", value(cells["play-a-deadlock"])
    )
    assert waits == ["/left-right", "/right-left"]
    assert "200 ms · 2 requests (median 150 ms, longest 200 ms)" in value(cells["same-order"])


def test_lesson_5_queues_as_its_prose_reckons(run: Run) -> None:
    cells = run(lesson("05"), probe=FACTS)
    runs = told(cells)
    assert texts(cells["open-the-cafe"], "stdout").splitlines() == [
        f"ready at first: {[False] * 5}",
        f"{[f'cup {number}' for number in range(5)]}",
    ]
    assert (runs["opened"]["whole_s"], runs["opened"]["threads"]) == (3, 2)
    assert runs["five"]["answered_ms"] == {"/report": [200, 400, 600]}
    assert "spent 400 of 600 ms queued for a thread to run `report`" in value(cells["the-fifth"])
    assert value(cells["who-queued"]) == "10"
    assert "median 200 ms, longest 200 ms" in value(cells["evenly"])
    assert max(runs["at_random"]["answered_ms"]["/report"]) > 400  # whoever came then waited for more than one report
    slowest = [longest_ms(line) for line in texts(cells["rates"], "stdout").split("\n") if "longest" in line]
    assert len(slowest) == 4
    assert slowest == sorted(slowest)
    assert slowest[3] - slowest[2] > slowest[2] - slowest[1] > slowest[1] - slowest[0]
    two, three, *others = [longest_ms(line) - 200 for line in texts(cells["more-workers"], "stdout").splitlines()]
    assert three < two / 2  # "most of the queue"
    assert min(others) == 0
    assert value(cells["three-cups"]).splitlines()[0].endswith(": 3 s · 1 task · 7 steps")
    assert "3 s · 6 requests (median 2 s, longest 3 s)" in value(cells["six-guests"])


PIECES = """
import json
sent_ms = [note.at_ns / 1e6 for note in stream.requests[0].messages if note.type == "http.response.body"]
print(json.dumps({"sent_ms": sent_ms, "error": stream.requests[0].error}))
"""


def test_lesson_11_ends_when_and_as_it_says(run: Run) -> None:
    cells = run(lesson("11"), probe=PIECES)
    said = {name: texts(cell, "stdout").split("\n") for name, cell in cells.items() if cell.cell_type == "code"}
    assert said["called-away"] == ["over at once: False", "then: True and cancelled: True", ""]
    assert said["one-second"] == ["takes the book", "puts it back", "out of time", ""]
    assert re.search(r"^ask \(far\) +4 s ", value(cells["first-of-two"]), re.MULTILINE)
    assert "1 request (1 s)" in value(cells["give-up-on-a-report"])
    assert "1 request (5 s)" in value(cells["give-up-on-an-export"])
    assert said["give-up-on-an-export"] == ["client: gives up", "worker: exported, for whom?", ""]
    assert said["three-lines"][-4:] == ["client has line 3", "app sends 4", "app stops", ""]
    assert json.loads(texts(cells["probe"], "stdout")) == {"sent_ms": [0, 500, 1000, 1500], "error": "ClientDisconnect"}
    heard = [line for line in said["talk"] if line]
    assert heard == ["you said one", "you said two", "you said three", "handler: the client has left"]
    assert "2 requests (median 2.25 s, longest 3 s)" in value(cells["two-guests"])
    assert re.search(r"^receive +5 messages ", value(cells["a-guests-waterfall"]), re.MULTILINE)
