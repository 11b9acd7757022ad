"""Around the tests that ask for it: a lab's thread; and that no thread and no patch of virtual time is left."""

import threading
from collections.abc import Iterator

import pytest

from playground.clock.thread import LoopThread
from tests.clock.virtually import borrowed


@pytest.fixture
def nothing_is_left() -> Iterator[None]:
    threads, patches = set(threading.enumerate()), borrowed()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
    assert set(threading.enumerate()) <= threads
    assert borrowed() == patches


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    thread = LoopThread("lab under test")
    yield thread
    thread.close()
