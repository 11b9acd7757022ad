"""A browser for all tests of this folder, and recordings to show in it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.trace import Trace
from playground.widgets.page import page
from tests.browser import Chromium
from tests.recordings import blocked_run, load
from tests.widgets.theatre import STILL, Stage


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    browser = Chromium()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def trace() -> Trace:
    return blocked_run()


@pytest.fixture(scope="session")
def page_url(trace: Trace, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of `trace`, on disk."""
    path: Path = tmp_path_factory.mktemp("page") / "timeline.html"
    path.write_text(page(trace), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def small() -> Trace:
    """A short run, to be played from its first step to its last."""
    return load(5, seed=3, rate=900.0)


@pytest.fixture
def see(chromium: Chromium) -> Callable[..., Any]:
    """Shows a recording in a theatre, and gives what a scenario says of it."""

    def run(trace: Trace, scenario: Callable[[Stage], Any], **options: Any) -> Any:
        return chromium.run(lambda page: scenario(Stage(page, trace)), **{**STILL, **options})

    return run
