"""The look at what is left sees each kind of thing that can be left: else it would find nothing in any house."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from playground import App, Lab
from playground.trace import Clock
from tests.faults import nothing_left as looking
from tests.faults.nothing_left import nothing_left


@contextmanager
def a_thread() -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="left")
    thread.start()
    yield
    over.set()
    thread.join()


@contextmanager
def a_process() -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE):
        yield


@contextmanager
def a_file() -> Iterator[None]:
    near, far = os.pipe()
    yield
    os.close(near)
    os.close(far)


@contextmanager
def a_task() -> Iterator[None]:
    loop = asyncio.new_event_loop()
    task = loop.create_task(asyncio.sleep(0), name="left")
    yield
    loop.run_until_complete(task)
    loop.close()


class Pretends:
    """As Django's lazy objects do, which set themselves up when they are asked what they are."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise AssertionError("it was asked what it is")


@contextmanager
def a_patch() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", lambda delay_s: None)
        yield


@contextmanager
def a_private_patch() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warnings, "_warn_unawaited_coroutine", lambda coroutine: None)
        yield


@contextmanager
def a_callback() -> Iterator[None]:
    def callback(phase: str, told: object) -> None: ...

    gc.callbacks.append(callback)
    yield
    gc.callbacks.remove(callback)


@contextmanager
def a_virtual_lab() -> Iterator[None]:
    with Lab(App(), clock="virtual"):
        yield


@pytest.mark.parametrize(
    ("leaves", "told"),
    [
        (a_thread, "thread 'left'"),
        (a_process, "process "),
        (a_file, "file "),
        (a_task, "task 'left': <coroutine object sleep"),
        (a_patch, "time.sleep is "),
        (a_private_patch, "warnings._warn_unawaited_coroutine is "),
        (a_callback, "gc.callbacks is "),
        (a_virtual_lab, "time.monotonic is "),
    ],
)
def test_what_is_left_is_seen_and_named(
    leaves: Callable[[], AbstractContextManager[None]], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "PATIENCE_S", 0.01)
    with ExitStack() as held:
        with pytest.raises(AssertionError) as seen, nothing_left():
            held.enter_context(leaves())
        assert told in str(seen.value)


def test_what_would_set_itself_up_is_not_asked_what_it_is() -> None:
    lazy = Pretends()
    with nothing_left():
        pass
    del lazy


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_of_a_lab_that_was_closed_nothing_is_left(clock: Clock) -> None:
    app = App()

    @app.get("/")
    def index() -> str:
        return "here"

    with nothing_left(), Lab(app, clock=clock) as lab:
        lab.burst("/", 3)
