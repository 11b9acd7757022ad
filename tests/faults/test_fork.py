"""A process that is forked while a lab is open: the child has no loop, is told so, and ends; the parent goes on.

What is forked is a process of the test's own, one for each clock, which has no other threads than its lab's: pytest's
would be none of ours. Each scenario is a function of `forking`, which tells what its children and it have said.
"""

import json
import os
import subprocess
import sys
from typing import Final

import pytest

from playground.trace import Clock

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
]

PATIENCE_S: Final = 120
NO_LOOP: Final = (
    "LabError: expected a call from process PARENT, which made the lab, got one from process CHILD, which was forked "
    "from it and has no loop: make a lab of its own there"
)
NO_PROCESS: Final = (
    "NotInVirtualTime: expected nothing from outside in virtual time, got a call of multiprocessing.Process.start: "
    "what it waits for would come at a random virtual moment. Make the lab with clock='real'."
)
ENDED: Final = "ended with 0"
GOES_ON: Final = "here 3"
OWN: Final = ["real: here 3", "virtual: here 3"]
"""What a child says of the labs that it has made."""
_told: Final[dict[Clock, dict[str, list[str]]]] = {}


@pytest.fixture(params=["real", "virtual"])
def told(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    """What was said in each scenario, with a lab of that clock."""
    clock: Clock = request.param
    if clock not in _told:
        command = [sys.executable, "-W", "error::ResourceWarning", "-m", "tests.faults.forking", clock]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr
        _told[clock] = json.loads(done.stdout)
        _told[clock]["clock"] = [clock]
    return _told[clock]


@pytest.mark.parametrize("when", ["idle", "recording"])
def test_a_child_that_uses_the_lab_is_told_and_ends(told: dict[str, list[str]], when: str) -> None:
    assert told[f"uses, {when}"] == [NO_LOOP, ENDED, GOES_ON]


@pytest.mark.parametrize("when", ["idle", "recording"])
def test_a_child_that_does_nothing_ends_in_silence(told: dict[str, list[str]], when: str) -> None:
    assert told[f"ends, {when}"] == [ENDED, GOES_ON]


def test_a_child_has_nothing_that_the_lab_has_borrowed(told: dict[str, list[str]]) -> None:
    assert told["has, idle"] == [ENDED, GOES_ON]
    # what tells a recording of hand-offs and of losses goes on telling one that nobody will read
    assert told["has, recording"] == [
        "anyio._backends._asyncio.AsyncIOBackend.run_sync_in_worker_thread",
        "warnings._warn_unawaited_coroutine",
        *(ENDED, GOES_ON),
    ]


@pytest.mark.parametrize("when", ["idle", "recording"])
def test_a_child_may_make_labs_of_its_own(told: dict[str, list[str]], when: str) -> None:
    assert told[f"makes its own, {when}"] == [*OWN, ENDED, GOES_ON]


def test_a_child_that_was_forked_while_every_lock_was_held_may_make_labs_of_its_own(told: dict[str, list[str]]) -> None:
    assert told["locked"] == [*OWN, ENDED, GOES_ON]


def test_a_child_leaves_what_it_has_found_open_and_the_parent_has_it_still(told: dict[str, list[str]]) -> None:
    assert told["in blocks"] == [ENDED, "here", GOES_ON]


def test_a_child_lets_go_of_the_socket_on_which_its_parent_serves(told: dict[str, list[str]]) -> None:
    if told["clock"] == ["real"]:
        assert told["serves"] == ["here", "ConnectionRefusedError", ENDED, GOES_ON]


@pytest.mark.parametrize("when", ["idle", "recording"])
def test_processes_that_multiprocessing_forks_do_their_work_and_end(told: dict[str, list[str]], when: str) -> None:
    assert told[f"pool, {when}"] == ["[1, 2, 3]", GOES_ON]


def test_a_handler_may_fork_in_real_time_and_is_refused_in_virtual_time(told: dict[str, list[str]]) -> None:
    assert told["handler"] == ["exit code 0" if told["clock"] == ["real"] else NO_PROCESS, GOES_ON]
