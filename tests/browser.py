"""A real browser for tests: Debian's Chromium, driven by Playwright, never a downloaded one.

Playwright's synchronous interface keeps an event loop running in its thread, so that `asyncio.run` fails there for as
long as it is open. `Chromium` therefore owns a thread, and tests beside it may do with theirs as they like;
`chromium_page` stays in the caller's thread and is for tests that do nothing else while it is open.
Where there is no Chromium a test skips with the reason, except in CI, where that is a failure.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

try:
    from playwright.sync_api import Browser, Page, Playwright, sync_playwright
except ImportError as error:
    NO_PLAYWRIGHT = f"Playwright is not installed ({error}): pip install 'playground[browser]'"
else:
    NO_PLAYWRIGHT = ""

__all__ = ["ARGUMENTS", "Chromium", "chromium_page", "chromium_path", "skip_or_fail"]

T = TypeVar("T")

# No sandbox: CI runs as root. No GPU: there is none. The rest keeps Chromium from calling home.
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

TIMEOUT_S = 120  # of one scenario; each wait within it has Playwright's own limit of 30 s


def skip_or_fail(reason: str) -> None:
    """Skip the test; in CI fail, where a tool that is missing would hide what the tests say."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"in CI nothing may be missing: {reason}", pytrace=False)
    pytest.skip(reason)


def chromium_path() -> str:
    """Where Chromium is: `$CHROMIUM` or on the path. Skips, or fails in CI, where it or Playwright is missing."""
    if NO_PLAYWRIGHT:
        skip_or_fail(NO_PLAYWRIGHT)
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        skip_or_fail("there is no Chromium: apt-get install chromium, or name one in $CHROMIUM")
    assert path is not None
    return path


def launch(playwright: "Playwright", path: str) -> "Browser":
    return playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))


@contextmanager
def chromium_page(**options: Any) -> "Iterator[Page]":
    """A page in a browser of its own, in this thread, where no event loop can run until the block ends.

    Args:
        options: of Playwright's `new_context`, such as `viewport` or `color_scheme`.
    """
    path = chromium_path()
    with (
        sync_playwright() as playwright,
        launch(playwright, path) as browser,
        browser.new_context(**options) as context,
    ):
        yield context.new_page()


class Chromium:
    """A browser in a thread of its own, until `close`; each scenario gets a fresh page."""

    def __init__(self) -> None:
        path = chromium_path()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chromium")
        self._thread.submit(self._start, path).result(TIMEOUT_S)

    def _start(self, path: str) -> None:
        self._playwright = sync_playwright().start()
        self._browser = launch(self._playwright, path)

    def run(self, scenario: "Callable[[Page], T]", **options: Any) -> T:
        """Run `scenario(page)` in the browser's thread and give back what it returns or raises.

        Args:
            options: of Playwright's `new_context`.
        """

        def in_thread() -> T:
            with self._browser.new_context(**options) as context:
                return scenario(context.new_page())

        return self._thread.submit(in_thread).result(TIMEOUT_S)

    def close(self) -> None:
        self._thread.submit(self._stop).result(TIMEOUT_S)
        self._thread.shutdown()

    def _stop(self) -> None:
        self._browser.close()
        self._playwright.stop()
