"""What can be a workload, what is refused, and in which words."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from playground import ModelError, Workload
from playground.models.run import Experiment, ModelRun
from playground.models.workload import as_workload
from playground.trace import Job, Segment, Trace, Worker


def plain(number: int) -> int:
    return number


async def awaited(number: int) -> int:
    return number


def test_a_workload_of_numbers_is_ours() -> None:
    workload = Workload(jobs=3, cpu_s=0.002, wait_s=0.01)
    assert (workload.is_ours, workload.plain, workload.awaitable) == (True, None, None)
    assert workload.title == "3 jobs of 2 ms of computing and 10 ms of waiting"


def test_a_function_is_told_from_an_async_one() -> None:
    assert (Workload(plain).plain, Workload(plain).awaitable) == (plain, None)
    assert (Workload(awaited).plain, Workload(awaited).awaitable) == (None, awaited)
    both = Workload(plain, 7, async_function=awaited)
    assert (both.plain, both.awaitable, both.jobs) == (plain, awaited, 7)
    assert both.title == "7 jobs of plain()"


def test_a_wrapped_or_called_object_is_async_if_its_call_is() -> None:
    class Called:
        async def __call__(self, number: int) -> int:
            return number

    @functools.wraps(awaited)
    def wrapped(number: int) -> Any:
        return awaited(number)

    assert Workload(Called()).plain is None
    assert Workload(wrapped).plain is None
    assert Workload(functools.partial(plain)).awaitable is None
    assert Workload(functools.partial(awaited)).plain is None


def test_what_is_given_becomes_a_workload() -> None:
    made = Workload(jobs=3)
    assert as_workload(made, None) is made
    assert as_workload(made, 5) == Workload(jobs=5)
    assert as_workload(plain, None) == Workload(plain)
    assert as_workload(awaited, 2) == Workload(awaited, jobs=2)


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Workload(jobs=0), "expected a number of jobs from 1 to 10,000, got 0: write jobs=20"),
    (lambda: Workload(jobs=True), "expected a number of jobs from 1 to 10,000, got True: write jobs=20"),
    (lambda: Workload(jobs=20_000), "expected a number of jobs from 1 to 10,000, got 20000: write jobs=20"),
    (
        lambda: Workload(cpu_s=-1),
        "expected cpu_s to be a number of seconds, 0 or more, got -1: write cpu_s=0.05",
    ),
    (
        lambda: Workload(wait_s=float("nan")),
        "expected wait_s to be a number of seconds, 0 or more, got nan: write wait_s=0.05",
    ),
    (
        lambda: Workload(3),  # type: ignore[arg-type]
        (
            "expected a function of the job's number, got int: write Workload(function, jobs=20), or "
            "Workload(jobs=20, cpu_s=0.005, wait_s=0.05)"
        ),
    ),
    (
        lambda: Workload(plain, async_function=plain),  # type: ignore[arg-type]
        "expected async_function to be an async def, got plain(): give a plain function as the first argument",
    ),
    (
        lambda: as_workload([], None),  # type: ignore[arg-type]
        (
            "expected a Workload or a function of the job's number, got list: write experiment(Workload(jobs=20)), or "
            "experiment(function, jobs=20)"
        ),
    ),
]


@pytest.mark.parametrize(("make", "words"), REFUSED)
def test_what_cannot_be_is_refused_in_words(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        make()
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("qualname", "title"),
    [
        ("test.<locals>.fetch", "1 job of fetch()"),
        ("Site.fetch", "1 job of Site.fetch()"),
        ("<lambda>", "1 job of <lambda>()"),
        ("a" * 10_000, f"1 job of {'a' * 59}…()"),
        ("two\nlines", "1 job of two lines()"),
        ("\x1b[31mred\x00", "1 job of [31mred()"),
        ("\u202esdrawkcab\ud800", "1 job of sdrawkcab()"),
        ("", "1 job of function()"),
        ("<locals>.", "1 job of function()"),
    ],
)
def test_a_title_is_one_short_line_whatever_the_function_is_called(qualname: str, title: str) -> None:
    def function(number: int) -> int:
        return number

    function.__qualname__ = qualname
    assert Workload(function, jobs=1).title == title


def test_an_object_that_is_called_is_asked_for_nothing_but_its_class() -> None:
    class Reserved:
        def __getattribute__(self, name: str) -> Any:
            if name in ("__qualname__", "__name__"):
                raise RuntimeError("no name")
            return super().__getattribute__(name)

        def __call__(self, number: int) -> int:
            return number

    assert Workload(Reserved(), jobs=2).title == "2 jobs of Reserved()"
    assert Workload(functools.partial(max, 3), jobs=2).title == "2 jobs of max()"


@pytest.mark.parametrize("qualname", ["<script>alert(1)</script>", "]]>&amp;<!--", "\x00\x1b", "a" * 10_000])
def test_no_name_of_a_function_is_markup(qualname: str, tmp_path: Path) -> None:
    def function(number: int) -> int:
        return number

    function.__qualname__ = qualname
    segment = Segment(0, "run", 0, 10, 10, 0)
    workers, jobs = [Worker(1, 1, "process", "process 1")], [Job(0, 0, 0, 10, "returned", None)]
    trace = Trace(workers=workers, jobs=jobs, segments=[segment], title="sequential")
    workload = Workload(function, jobs=1)
    done = Experiment(workload, {"sequential": ModelRun("sequential", trace, [0], {})})
    drawn = done.to_svg()
    texts = "".join(ElementTree.fromstring(drawn).itertext())
    assert workload.title in texts
    done.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in drawn + page
    assert workload.title in str(done)
