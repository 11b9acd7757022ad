"""Who lives: what tests of processes ask the system."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

__all__ = ["PATIENCE_S", "ROOT", "in_another_process", "lives", "needs_fork", "needs_proc", "until"]

ROOT = Path(__file__).parents[2]

PATIENCE_S = 30.0
"""How long what must come about may take: far more than it does, for the machine may be busy."""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="who is left is read from /proc")


def until(what: Callable[[], Any]) -> Any:
    """Wait until something is so; give it."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < deadline_s, f"it did not come to be within {PATIENCE_S} s"
        time.sleep(0.005)
    return found


def lives(pid: int) -> bool:
    """Whether a process is there, and is not merely waiting to be counted as dead."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def in_another_process(script: str) -> str:
    """What a script prints that Python runs with all its warnings on."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", script], text=True, stdout=subprocess.PIPE, check=True, cwd=ROOT
    ).stdout
