"""Names and texts of an app that are ten megabytes long, or that cannot be had: cut where they are recorded, so that
every view of them is small, and says by an ellipsis that there was more.

That none of them is taken for markup or obeyed by a terminal is in `tests/widgets/test_hostile.py`, view by view.
"""

import asyncio
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from playground import App, Lab, Workload, compare, experiment, watch
from playground.asgi import Receive, Scope, Send
from playground.notebook import response_html, response_text
from playground.run import Run
from playground.terminal import harmless
from playground.trace import Clock, Task, Trace
from playground.trace.rows import Request
from playground.trace.texts import LONGEST
from playground.views.chrome import chrome_lines
from playground.views.text import report
from playground.widgets.panel import Panel
from tests.faults.texts import AWKWARD, HUGE, huge_run
from tests.recordings import blocked_run
from tests.widgets.every_view import VIEWS
from tests.widgets.hostile import NASTY, is_harmless

MOST_LETTERS = 40_000
"""What a text, a picture or a packet of the run of `huge_run` may have: its own few lines, and some cut names."""


@pytest.fixture(scope="module")
def run() -> Run:
    return huge_run()


@pytest.fixture(scope="module")
def trace(run: Run) -> Trace:
    return run.trace


def texts_of(trace: Trace) -> dict[str, list[str]]:
    """Every text that a recording keeps, by the column."""
    sites = [row.site for table in (trace.steps, trace.waits, trace.samples, trace.spans) for row in table]
    found = {
        "task": [task.name for task in trace.tasks],
        "coroutine": [task.coroutine for task in trace.tasks],
        "function": [handoff.function for handoff in trace.handoffs],
        "error": [request.error or "" for request in trace.requests],
        "span": [span.name for span in trace.spans],
        "loss": [loss.name for loss in trace.losses],
        "message": [message.detail for request in trace.requests for message in request.messages],
    }
    for field in ("file", "function", "text"):
        found[f"site's {field}"] = [getattr(site, field) for site in sites if site is not None]
    return found


def test_all_that_a_recording_keeps_of_ten_megabytes_is_its_beginning_and_an_ellipsis(trace: Trace) -> None:
    kept = texts_of(trace)
    whole = HUGE[: LONGEST - 1] + "…"
    raised = f"RuntimeError: {HUGE}"[: LONGEST - 1] + "…"
    assert whole in kept["task"]
    assert whole in kept["coroutine"]
    assert kept["function"] == [whole]
    assert raised in kept["error"]
    assert {whole, raised} <= set(kept["loss"])
    assert max(len(text) for texts in kept.values() for text in texts) == LONGEST


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_and_what_stands_for_it_stay_small(trace: Trace, name: str) -> None:
    view = VIEWS[name](trace)
    data, _ = view._repr_mimebundle_(include=None, exclude=None)
    assert len(view._packet) < MOST_LETTERS
    assert {kind: len(text) for kind, text in data.items() if len(text) > MOST_LETTERS} == {}
    assert is_harmless(data["text/plain"])
    if name not in ("compare", "stacked"):  # which name runs and requests only
        assert "…" in data["text/plain"] + data["image/svg+xml"]
    view.close()


def test_every_export_and_text_stays_small(run: Run, trace: Trace, tmp_path: Path) -> None:
    compare({"a": trace, "b": trace}).to_html(tmp_path / "compared.html")
    trace.to_html(tmp_path / "run.html")
    trace.to_chrome(tmp_path / "run.json")
    trace.save(tmp_path / "run.trace")
    blocked_run().to_html(tmp_path / "plain.html")  # most of a page is the bundle
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    bundle = sizes.pop("plain.html")
    assert {name: size for name, size in sizes.items() if size > bundle + 4 * MOST_LETTERS} == {}
    told = [report(trace), str(run.diagnosis), trace.summary, repr(trace), str(compare({"a": trace, "b": trace}))]
    assert [len(text) for text in told if len(text) > MOST_LETTERS or not is_harmless(text)] == []
    assert "…" in report(trace)
    assert "…" in str(run.diagnosis)


def test_a_loaded_recording_shows_the_same(trace: Trace, tmp_path: Path) -> None:
    trace.save(tmp_path / "run.trace")
    loaded = Trace.load(tmp_path / "run.trace")
    assert texts_of(loaded) == texts_of(trace)
    assert report(loaded) == report(trace)


def test_the_recording_holds_none_of_it_when_the_app_lets_it_go() -> None:
    """Beginnings only, also while it goes on: an app may name each task by another document."""

    async def work() -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        tracemalloc.start()
        for number in range(30):
            await asyncio.create_task(work(), name=f"{number}{'x' * 1_000_000}")
        held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()

    held: list[int] = []
    trace = watch(main)
    assert len([task for task in trace.tasks if len(task.name) == LONGEST]) == 30
    assert held[0] < 5_000_000


def test_a_name_given_late_is_cut_too() -> None:
    async def main() -> None:
        current = asyncio.current_task()
        assert current is not None
        current.set_name("y" * 1_000_000)

    assert "y" * (LONGEST - 1) + "…" in [task.name for task in watch(main).tasks]


# -- texts that cannot be had -----------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", ["virtual", "real"])
def test_an_exception_whose_text_cannot_be_had_reaches_its_caller_and_is_said_so(clock: Clock) -> None:
    app = App()

    @app.get("/{number}")
    async def raises(number: int) -> None:
        raise list(AWKWARD.values())[number]

    async def ask() -> list[BaseException | Any]:
        asked = [lab.client.get(f"/{number}") for number in range(len(AWKWARD))]
        return await asyncio.gather(*asked, return_exceptions=True)

    with Lab(app, clock=clock) as lab:
        run = lab.run(ask)
    assert [type(error) for error in run.result] == [type(error) for error in AWKWARD.values()]
    assert [request.error for request in run.trace.requests] == list(AWKWARD)
    assert is_harmless(report(run.trace))
    assert str(run.diagnosis).count("text cannot be had") >= 1


@pytest.mark.parametrize("words", AWKWARD)
def test_an_exception_that_nobody_asked_for_is_told_though_its_text_cannot_be_had(words: str) -> None:
    async def fails() -> None:
        raise AWKWARD[words]

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        kept.append(asyncio.ensure_future(fails()))
        await asyncio.sleep(0)

    kept: list[asyncio.Future[None]] = []
    trace = watch(main)
    kept.pop().exception()
    assert [loss.name for loss in trace.losses] == [words]
    assert is_harmless(report(trace))


class Bench:
    """A dashboard's runs, each of which raises."""

    first: Any = None

    def __init__(self, error: BaseException | None, words: str = "") -> None:
        self.routes = ["/"]
        self.networks = ["none"]
        self.error = error
        self.words = words

    def run(self, setting: Any) -> str:
        if self.error is not None:
            raise self.error
        return self.words

    def stop(self) -> None: ...

    def close(self) -> None: ...


def said_of(error: BaseException | None, words: str = "") -> str:
    """What a dashboard says of a run that ended so; and that it can make another."""
    with Lab(App(), clock="virtual") as lab:
        panel: Panel = lab.panel()
        own, panel._bench = panel._bench, Bench(error, words)
        panel._on_run()
        if (running := panel._running) is not None:
            running.join(30)
        assert (panel._running, panel._run.disabled, panel._stop.disabled) == (None, False, True)
        said = panel.said
        panel._bench = own
        panel.close()
    return said


@pytest.mark.parametrize("words", AWKWARD)
def test_a_dashboard_outlives_an_exception_whose_text_cannot_be_had(words: str) -> None:
    said = said_of(AWKWARD[words])
    assert said.split("\n")[0] == words
    assert is_harmless(said)


def test_a_dashboard_says_the_beginning_of_ten_megabytes() -> None:
    for error, words in ((RuntimeError(HUGE), ""), (None, HUGE), (None, "\n" * 100_000 + "last")):
        said = said_of(error, words)
        assert len(said) < 110 * LONGEST
        assert is_harmless(said)
        assert said.endswith("…")


# -- an app's own kinds of text and number ----------------------------------------------------------------------


class Never(str):
    """A text that lets nobody look at it."""

    __slots__ = ()

    def __len__(self) -> int:
        raise AssertionError("its length was asked for")

    def __hash__(self) -> int:
        raise AssertionError("it was hashed")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("it was compared")


class Count(int):
    """A number that says something else."""

    def __format__(self, spec: str) -> str:
        raise AssertionError("it was formatted")

    def __abs__(self) -> int:
        raise AssertionError("its size was asked for")

    def __repr__(self) -> str:
        raise AssertionError("it was shown")


STATUSES: dict[str, Any] = {
    "of 5,000 digits": 10**5_000,
    "negative": -(10**5_000),
    "a number of its own kind": Count(200),
    "a text of its own kind": Never("200"),
    "ten megabytes": HUGE,
    "none": None,
    "a fraction": 2.5,
}


@pytest.mark.parametrize("name", STATUSES)
def test_a_status_of_any_kind_can_be_recorded_and_shown(name: str) -> None:
    status = STATUSES[name]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask() -> None:
        await asyncio.gather(lab.client.get("/"), return_exceptions=True)

    with Lab(app, clock="virtual") as lab:
        trace = lab.run(ask).trace
    assert is_harmless(report(trace))
    assert [request.status for request in trace.requests] in ([200], [None])
    assert trace.to_svg()
    assert max(len(text) for text in texts_of(trace)["message"]) <= LONGEST + len("status ")


def test_a_path_of_sixty_thousand_letters_is_cut_and_answered() -> None:
    app = App()

    @app.get("/{rest:path}")
    async def answer(rest: str) -> str:
        return str(len(rest))

    with Lab(app, clock="virtual") as lab:
        run = lab.burst("/" + "a" * 60_000, n=3)
    assert [response.text for response in run.responses] == ["60000"] * 3
    assert {request.path for request in run.trace.requests} == {"/" + "a" * (LONGEST - 2) + "…"}
    assert len(report(run.trace)) + len(str(run.diagnosis)) + len(run.trace.to_svg()) < MOST_LETTERS


def test_a_header_and_a_body_of_ten_megabytes_are_shown_as_far_as_they_are_read() -> None:
    app = App()

    @app.get("/")
    async def answer() -> str:
        return HUGE.encode("utf-8", "replace").decode()

    with Lab(app, clock="virtual") as lab:
        response = lab.get("/", headers={"x-huge": "y" * 10_000_000})
    assert len(response_html(response)) + len(response_text(response)) < 10 * MOST_LETTERS
    assert is_harmless(response_text(response))


def test_code_in_a_file_of_a_huge_name_is_placed_by_its_beginning() -> None:
    names: dict[str, Any] = {}
    source = "import asyncio\nasync def main():\n    await asyncio.sleep(0.001)\n"
    exec(compile(source, "z" * 1_000_000, "exec"), names)
    trace = watch(names["main"])
    files = {wait.site.file for wait in trace.waits if wait.site is not None}
    assert files == {"z" * (LONGEST - 1) + "…"}
    assert is_harmless(report(trace))
    assert len(list(chrome_lines(trace))) > 0


@pytest.fixture(scope="module")
def failed_jobs() -> Trace:
    """Of the module: the process that forks those of experiments stays for the next one."""

    def job(number: int) -> None:
        raise RuntimeError(HUGE)

    return experiment(Workload(job, jobs=1), models=["sequential"])["sequential"].trace


@pytest.mark.slow
def test_what_a_job_raises_is_cut(failed_jobs: Trace) -> None:
    assert [job.error for job in failed_jobs.jobs] == [f"RuntimeError: {HUGE}"[: LONGEST - 1] + "…"]
    assert len(str(failed_jobs)) < MOST_LETTERS


# -- the terminal -----------------------------------------------------------------------------------------------

EVIL = "x\x1b[31m\x07\u202e<b>\udcff"
"""A file's name: an escape sequence, a bell, a direction mark, and a byte that is no UTF-8."""


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="no such names there")
@pytest.mark.parametrize(
    "words",
    [
        ["summary", EVIL],
        pytest.param(["demo", "--html", f"no/{EVIL}"], marks=pytest.mark.slow),
        ["watch", f"{EVIL}.py"],
        ["watch", "-m", EVIL],
        ["students", EVIL, "--notebooks", EVIL],
        ["course", EVIL, "--notebooks", EVIL],
        ["nothing", EVIL],
    ],
    ids=lambda words: words[0],
)
def test_a_command_that_is_given_a_hostile_name_says_it_harmlessly(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "playground", *words]
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "utf-8:strict",
    }  # an encoding that refuses what it has no place for
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, cwd=tmp_path, env=environment)
    assert done.returncode in (1, 2)
    told = (done.stdout + done.stderr).decode()
    assert "Traceback" not in told
    assert is_harmless(told)


def test_what_goes_to_a_terminal_is_as_long_as_it_was_and_harmless() -> None:
    told = harmless(NASTY)
    assert len(told) == len(NASTY)
    assert is_harmless(told)
    assert harmless("two\nlines, naïve ✓") == "two\nlines, naïve ✓"


def test_what_a_person_reads_of_a_response_is_harmless() -> None:
    response = httpx.Response(200, headers={"content-type": "text/plain; charset=utf-8"}, content="a\tb\x1b[2J\x00\n")
    assert response_text(response).endswith("\n\na   b?[2J?\n")


@pytest.mark.slow
def test_rows_by_hand_may_say_anything_and_are_shown() -> None:
    request = Request(1, HUGE, HUGE, HUGE, 500, 0, 5, None, (), (), HUGE)
    trace = Trace(requests=[request], tasks=[replace(Task("", "", None, 0, 1, "raised"), name=HUGE, coroutine=HUGE)])
    tell: list[Callable[[], str]] = [lambda: report(trace), lambda: str(trace.diagnosis), trace.to_svg]
    assert [is_harmless(each()) for each in tell] == [True] * 3
