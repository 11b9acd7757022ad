"""The test clients, over either of the two client libraries, on either event loop."""

import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.web.tested import MODULES


@pytest.fixture(params=["httpx2", "httpx"])
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, as it is where httpx2 is installed, and as it is where it is not."""
    if request.param == "httpx2":
        pytest.importorskip("httpx2", reason="httpx2 is not installed")
    else:
        monkeypatch.setitem(sys.modules, "httpx2", None)
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    found = importlib.import_module(MODULES[0])
    assert found.TestClient.__mro__[1].__module__.partition(".")[0] == request.param
    return found


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client_of(module: Any, backend: str) -> Iterator[Callable[..., Any]]:
    """Makes clients; afterwards no thread of theirs may be left."""
    before = threading.active_count()
    yield lambda app, **options: module.TestClient(app, backend=backend, **options)
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.001)  # anyio's worker threads end a moment after their loop
    assert threading.active_count() <= before
