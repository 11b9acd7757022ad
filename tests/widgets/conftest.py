"""A browser for all tests of this folder, and recordings to show in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.trace import Trace
from playground.widgets.page import page
from tests.browser import Chromium
from tests.recordings import blocked_run


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
