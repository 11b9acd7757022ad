"""An open lab for each test of this room."""

from collections.abc import Iterator

import pytest

from playground import Lab
from tests.lab.app import app


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(app) as lab:
        yield lab
