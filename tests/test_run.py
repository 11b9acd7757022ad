"""A run tells itself: in a line, as its findings, and as a whole in text."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import App, Lab
from playground.errors import LabError
from playground.trace import Trace
from playground.views.findings import Findings
from playground.views.text import report

app = App()


@app.get("/q")
async def q() -> str:
    time.sleep(0.02)
    return "held"


@app.get("/ok")
async def ok() -> str:
    await asyncio.sleep(0)
    return "ok"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(app) as lab:
        yield lab


def test_a_run_is_printed_as_summary_findings_and_timeline(lab: Lab) -> None:
    run = lab.burst("/q", n=5)
    assert str(run) == report(run.trace)
    assert str(run).startswith(f"Run 1: {run.summary}\n\n* The event loop was held 5 times by the same line, ")
    assert repr(run) == "<Run 'Run 1': 5 responses>"


def test_a_run_that_was_not_recorded_is_printed_in_short() -> None:
    with Lab(app, trace=False) as lab:
        assert str(lab.burst("/ok", n=2)) == "<Run 'Run 1': 2 responses>"


def test_the_diagnosis_names_the_line_of_short_steps_that_add_up(lab: Lab) -> None:
    run = lab.burst("/q", n=5)
    assert isinstance(run.diagnosis, Findings)
    (finding,) = run.diagnosis
    assert "`GET /q` ran `time.sleep(0.02)` on the loop each time (" in str(finding)
    assert str(finding).endswith("Make the handler a plain `def`, or `await asyncio.sleep(0.02)`.")
    assert [evidence for evidence in finding.evidence if evidence[0] == "requests"] == [
        ("requests", n) for n in range(1, 5)
    ]


def test_a_run_shows_and_keeps_what_its_trace_does(lab: Lab, tmp_path: Path) -> None:
    run = lab.burst("/ok", n=3)
    assert repr(run.timeline()) == repr(run.trace.timeline())
    assert repr(run.theatre()) == repr(run.trace.theatre())
    assert (run.theatre(predict=True).predict, run.theatre().predict) == (True, False)
    assert run.to_svg(tmp_path / "run.svg") == run.trace.to_svg() == (tmp_path / "run.svg").read_text("utf-8")
    for write, name in ((run.to_html, "to_html"), (run.to_chrome, "to_chrome"), (run.save, "save")):
        write(tmp_path / "run")
        getattr(run.trace, name)(tmp_path / "trace")
        assert (tmp_path / "run").read_bytes() == (tmp_path / "trace").read_bytes() != b""
    assert Trace.load(tmp_path / "run").steps == run.trace.steps


def test_a_run_that_was_not_recorded_says_so_where_its_timeline_is_asked_for() -> None:
    with Lab(app, trace=False) as lab:
        run = lab.burst("/ok", n=2)
    words = (
        "expected a run that was recorded, got one of a lab that does not record: make it with Lab(app), without "
        "trace=False"
    )
    with pytest.raises(LabError, match=f"^{re.escape(words)}$"):
        run.timeline()


def test_a_run_of_404_says_so_in_its_summary_and_in_words(lab: Lab) -> None:
    run = lab.burst("/qq", n=50)
    assert "50 requests, 50 answered 404 (median " in run.summary
    assert [finding.rule for finding in run.diagnosis] == ["not-found"]


def test_a_title_that_is_given_is_the_recordings_too(lab: Lab) -> None:
    run = lab.burst("/ok", n=1)
    run.title = "One"
    assert run.trace.title == "One"
