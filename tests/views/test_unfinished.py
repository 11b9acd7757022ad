"""What is said of jobs that raised, and of those that never ended."""

import pytest

from playground.trace import Trace
from playground.views.diagnosis import diagnose
from tests.by_hand import job, ns


def sentences(**rows: object) -> list[str]:
    return [str(finding) for finding in diagnose(Trace(**rows))]  # type: ignore[arg-type]


def test_jobs_that_raised_are_counted_and_the_first_is_named() -> None:
    jobs = [job(0, 0, 5), job(1, 1, 6, error="ValueError: no"), job(2, 2, 7, error="KeyError: 'x'")]
    (finding,) = diagnose(Trace(jobs=jobs))
    assert str(finding) == (
        "2 of 3 jobs raised an exception. The first was `ValueError: no`. Where it was raised is told by the run: "
        "`run.errors[1]`."
    )
    assert (finding.rule, finding.severity) == ("job-raised", "bad")
    assert (finding.start_ns, finding.end_ns) == (ns(1), ns(7))
    assert finding.evidence == (("jobs", 1), ("jobs", 2))


def test_one_job_that_raised_is_no_share() -> None:
    assert sentences(jobs=[job(0, 0, 5, error="ValueError: no")]) == [
        "The job raised an exception. It was `ValueError: no`. Where it was raised is told by the run: `run.errors[0]`."
    ]
    assert sentences(jobs=[job(0, 0, 5, outcome="raised")]) == [
        "The job raised an exception. Where it was raised is told by the run: `run.errors[0]`."
    ]


def test_jobs_that_never_ended_are_told_with_those_that_never_began() -> None:
    jobs = [job(0, 0, 5), job(1, 1, None), job(2, None, None)]
    assert sentences(jobs=jobs, duration_ns=ns(9)) == [
        "2 of 3 jobs never ended; 1 of them had begun. See `run.ending`."
    ]


@pytest.mark.parametrize(
    ("began", "words"),
    [
        ([None], "The job never ended; it had not begun. See `run.ending`."),
        ([1], "The job never ended; it had begun. See `run.ending`."),
        ([None, None], "Neither of the 2 jobs ended; neither had begun. See `run.ending`."),
        ([1, 2], "Neither of the 2 jobs ended; both had begun. See `run.ending`."),
        ([1, 2, 3], "None of the 3 jobs ended; all had begun. See `run.ending`."),
        ([None] * 3, "None of the 3 jobs ended; none had begun. See `run.ending`."),
    ],
)
def test_where_no_job_ended_it_is_told_how_many_had_begun(began: list[int | None], words: str) -> None:
    assert sentences(jobs=[job(at, start, None) for at, start in enumerate(began)]) == [words]


def test_how_the_whole_ended_stands_beside_the_jobs_that_never_did() -> None:
    ending = "timed out after 2 s, 1 of 2 jobs over"
    (never,) = sentences(jobs=[job(0, 0, 5), job(1, 5, None)], ending=ending)
    assert never == f"1 of 2 jobs never ended; it had begun. The whole of it ended so: {ending}. See `run.ending`."


def test_a_recording_of_jobs_without_findings_speaks_of_jobs() -> None:
    assert repr(diagnose(Trace(jobs=[job(0, 0, 5)]))) == (
        "No findings: every job came to its end, and nothing held an event loop for long."
    )
