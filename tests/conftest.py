"""Fixtures that more than one room's tests need. It knows nothing of what is tested."""

import gc
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playground.trace import Trace

# a test must not fail because something else keeps the machine busy: hypothesis's deadline, and the time that it
# allows for drawing examples, are wall time; and a change must not fail in CI for an example that it did not bring up,
# which is for everybody's own runs to find, and for `python -m tests.fuzz`
settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("patient")

pytest_plugins = "pytester"  # here and not where it is used: it adds an option, and so must be there early

JUPYTER_FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")


@contextmanager
def own_settings(scratch: Path) -> Iterator[None]:
    """Let Jupyter keep its settings in `scratch`, in folders named like their variables, in small letters."""
    with pytest.MonkeyPatch.context() as patch:
        for name in JUPYTER_FOLDERS:
            folder = scratch / name.lower()
            folder.mkdir()
            patch.setenv(name, str(folder))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_row_lies_outside_its_run() -> Iterator[None]:
    """Hold every recording that any test makes to its own length, a snapshot of one that goes on too."""
    from playground.trace.build import Reading
    from tests.truth.times import check_times

    built = Reading.trace

    def held(reading: Reading, title: str) -> "Trace":
        trace = built(reading, title)
        check_times(trace)
        return trace

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reading, "trace", held)
        yield


@pytest.fixture
def jupyter_folders(tmp_path: Path) -> Iterator[Path]:
    """Jupyter and IPython with settings of their own, so that no test reads or leaves any in the user's home.

    Gives the folder that holds them: see `own_settings`.
    """
    with own_settings(tmp_path):
        yield tmp_path


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What a worker waits for, and what the test lets come in the end, or else its thread were left."""
    released = threading.Event()
    yield released
    released.set()


def pytest_configure() -> None:
    """Have Ctrl-C heard: what a shell starts with `&` or `nohup` ignores it, and so would all that the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Let the collector pass over what importing has made: each run in virtual time, and many a test, collects
    everything, and with half a dozen frameworks imported that takes 60 ms."""
    gc.collect()
    gc.freeze()
