"""Around each test of this folder: nothing is left of it. What a test holds up, it lets go itself."""

from collections.abc import Iterator

import pytest

from tests.faults.nothing_left import nothing_left


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Hold what the process holds after each test against what it held before: see `nothing_left`."""
    with nothing_left():
        yield
