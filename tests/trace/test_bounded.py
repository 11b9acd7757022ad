"""A recording of a million events takes memory in proportion: what holds for it holds for ten million.

`python -m tests.trace.bounded 10000000` does the same with ten.
"""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count a process's memory otherwise")
def test_a_million_events_are_recorded_built_saved_and_loaded_in_bounded_memory() -> None:
    command = [sys.executable, "-m", "tests.trace.bounded", "1000000"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = {stage["stage"]: stage for stage in map(json.loads, done.stdout.splitlines())}
    # 28 bytes packed, and what is not packed yet, with the tasks: 24,000 of 300 bytes
    assert told["record"]["bytes"] < 60
    # and the columns: 30 of a step, 33 of a wait (every other step waits), 13 of their making
    assert told["build"]["bytes"] < 140
    # saving takes a piece at a time; what is loaded fits into what was there before
    assert told["save"]["bytes"] < told["build"]["bytes"] + 10
    assert told["load"]["bytes"] < told["save"]["bytes"] + 10
    assert told["ask"]["bytes"] < told["load"]["bytes"] + 20
    assert told["file"]["bytes"] < 12
    assert 900_000 < told["build"]["events"] <= 1_000_000
    assert told["file"]["steps"] == told["build"]["events"]
