"""Labs for a test suite: the fixture `lab`, the marker `virtual_clock`, and what the loop did when a test fails.

It decides how long a test's labs live, which clock they get, and what a failure shows of them. What a schedule must
not do is said by `playground.assertions`, in the test:

    from playground.assertions import assert_handoffs, assert_never_blocks, assert_responds_within
    from playground.pytest_plugin import LabFactory

    def test_a_report_holds_up_nobody(lab: LabFactory) -> None:
        run = lab(app).burst("/report", n=20)
        assert_never_blocks(run)
        assert_handoffs(run, per_request=1)

    @pytest.mark.virtual_clock(seed=7)
    def test_an_hour_of_traffic_waits_for_nobody(lab: LabFactory) -> None:
        run = lab(app).load("/report", rate=1, duration=3600)
        assert_responds_within(run, 0.5)

pytest loads this module in every environment that has this package, for suites that never heard of it; so a lab, and
all that belongs to one, is imported when the first one is asked for. `-p no:playground` leaves it out altogether.
An `async def` test stays with the plugin that runs it: what it would await is awaited by `lab(app).run(function)`.
"""

import contextlib
import hashlib
import re
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict, Unpack

import pytest

from playground.code import own_frame

if TYPE_CHECKING:
    from playground.clock.virtual import Schedule
    from playground.lab import Lab
    from playground.run import Run
    from playground.trace import Clock
    from playground.transport import Network

__all__ = ["LabFactory", "LabOptions"]

_TITLE: Final = "playground: what the loop did"
_MARKER: Final = "virtual_clock"
_OPTIONS: Final = ("seed", "schedule")
_MARKER_HELP: Final = (
    "virtual_clock(seed=0, schedule='fifo'): labs that the fixture `lab` makes run in virtual time; "
    "`seed` and `schedule` are those of playground.Lab"
)
_SHOWN: Final = 5
"""How many runs a failed test shows, the last ones: a run takes about thirty lines."""
_LOOP: Final = "playground lab"
_WORKERS: Final = ("AnyIO worker thread", "asyncio_")
"""How the names of threads begin that a lab, anyio and asyncio start."""


class LabOptions(TypedDict, total=False):
    """The options of `playground.Lab`."""

    clock: "Clock"
    threads: int
    network: "Network | None"
    seed: int
    schedule: "Schedule"
    charge_cpu: bool
    trace: bool


class LabFactory(Protocol):
    """What the fixture `lab` is: it makes labs that are closed when the test is over."""

    def __call__(self, app: Callable[..., Any], **options: Unpack[LabOptions]) -> "Lab":
        """An open lab for `app`; `options` are those of `playground.Lab`, and win over the marker's."""


class _Labs:
    """The labs of one test.

    Attributes:
        made: the labs, in order, those that are closed too.
    """

    def __init__(self, defaults: dict[str, Any]) -> None:
        self.made: list[Lab] = []
        self._defaults = defaults
        self._threads: list[threading.Thread] = []

    def __call__(self, app: Callable[..., Any], **options: Unpack[LabOptions]) -> "Lab":
        from playground.lab import Lab

        before = set(threading.enumerate())
        chosen: dict[str, Any] = {**self._defaults, **options}
        lab = Lab(app, **chosen)
        self.made.append(lab)
        self._threads += [each for each in threading.enumerate() if each not in before and each.name == _LOOP]
        return lab

    def close(self) -> None:
        """Close all, the last first.

        Raises:
            whatever an app's shut-down raises; the others are closed all the same.
        """
        with contextlib.ExitStack() as closing:
            closing.callback(self._check_threads)
            for lab in self.made:
                closing.callback(lab.close)

    def _check_threads(self) -> None:
        """A lab's loop waits for its workers when it ends: where its own thread has ended, all have."""
        left = sum(thread.is_alive() for thread in self._threads)
        if left:
            stands = (_where(thread) for thread in threading.enumerate() if thread.name.startswith((_LOOP, *_WORKERS)))
            pytest.fail(
                f"expected the test's labs to end when they were closed, got {left} of {len(self.made)} held by a call "
                "that cannot be stopped from outside: let it end before the test does. The threads of labs stand at:\n"
                + "\n".join(stands),
                pytrace=False,
            )


_LABS: Final = pytest.StashKey[_Labs]()
_FOLDER: Final = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("playground").addoption(
        "--playground-html",
        metavar="DIR",
        help="write the timelines of what a failed test ran in its labs to DIR, as HTML files",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER_HELP)
    folder = config.getoption("--playground-html")
    if folder:
        config.stash[_FOLDER] = Path(folder).absolute()  # now: a test may change the working directory


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[LabFactory]:
    """A function that makes a `playground.Lab` for an app: `lab(app)`. Each is closed after the test."""
    labs = request.node.stash[_LABS] = _Labs(_defaults(request.node))
    try:
        yield labs
    finally:
        labs.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    yield
    own = any(mark.name == _MARKER for mark in item.own_markers)
    labs = item.stash.get(_LABS, None)
    if own and (labs is None or not labs.made):
        pytest.fail(
            f"expected a test marked {_MARKER} to make a lab by the fixture `lab`, got none: the marker sets the clock "
            "of such labs and of nothing else. Take the fixture and call lab(app), or take the marker away.",
            pytrace=False,
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    labs = item.stash.get(_LABS, None)
    if report.failed and labs is not None:
        told = "\n\n".join(_tell(labs, item.config.stash.get(_FOLDER, None), item.nodeid))
        if told:
            report.sections.append((_TITLE, told))
    if labs is not None and call.when == "teardown":
        del item.stash[_LABS]  # pytest keeps its items to the end: the recordings of a whole suite would stay
    return report


# -- inside ---------------------------------------------------------------------------------------------


def _defaults(item: pytest.Item) -> dict[str, Any]:
    """What the nearest marker says about labs."""
    marker = item.get_closest_marker(_MARKER)
    if marker is None:
        return {}
    wrong = [repr(arg) for arg in marker.args] + [f"{name}=..." for name in marker.kwargs if name not in _OPTIONS]
    if wrong:
        pytest.fail(
            f"expected {_MARKER} with seed=... or schedule=... or nothing, got {wrong[0]}: "
            "give other options to lab(app, ...)",
            pytrace=False,
        )
    return {"clock": "virtual", **marker.kwargs}


def _tell(labs: _Labs, folder: Path | None, test: str) -> Iterator[str]:
    """The runs of a test in words, the last few, each with the file that shows it if one was asked for."""
    runs = [(number, run) for number, each in enumerate(labs.made, 1) for run in each.runs]
    if len(runs) > _SHOWN:
        yield f"{len(runs) - _SHOWN} earlier runs are not shown."
    for number, run in runs[-_SHOWN:]:
        told = _guarded(run.__str__)
        if len(labs.made) > 1:
            told = f"Lab {number}, {told}"
        if folder is not None:
            path = folder / _file_name(test, number, run)
            told += f"\n\n{_guarded(partial(_write, run, path))}"
        yield told


def _guarded(tell: Callable[[], str]) -> str:
    """What it tells, or why it cannot: the failure of the test itself must be seen whatever becomes of this."""
    try:
        return tell()
    except Exception as error:  # noqa: BLE001 (it is told in place of the text)
        return f"(This cannot be shown: {type(error).__name__}: {error})"


def _write(run: "Run", path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    run.trace.to_html(path)
    return f"Timeline: {path}"


def _file_name(test: str, lab: int, run: "Run") -> str:
    """A name that any file system takes, and that no other run of any test has."""
    words = re.sub(r"\W+", "-", f"{test}-lab-{lab}-{run.title}", flags=re.ASCII).strip("-")
    return f"{words[-100:]}-{hashlib.sha256(test.encode()).hexdigest()[:8]}.html"


def _where(thread: threading.Thread) -> str:
    innermost = sys._current_frames().get(thread.ident or 0)
    frame = own_frame(innermost) or innermost
    place = "it has ended since" if frame is None else f"{frame.f_code.co_filename}, line {frame.f_lineno}"
    return f"  {thread.name}: {place}"
