"""Each test that awaits runs on asyncio and on trio, and must leave no task behind."""

from collections.abc import AsyncIterator

import pytest

from playground.transport import _crew
from tests.transport.helpers import running_tasks


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def no_task_is_left(anyio_backend: str) -> AsyncIterator[None]:
    """Hold the tasks after the test against those before it."""
    before = running_tasks()
    yield
    assert running_tasks() - before == set()


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> float:
    """A grace time that a test can wait for, in seconds."""
    monkeypatch.setattr(_crew, "GRACE_S", 0.02)
    return 0.02
